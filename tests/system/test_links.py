# SPDX-License-Identifier: ISC
"""Links between roles that both live: one that is cut is made anew."""

import ctypes
import os
import re
import socket
import subprocess

import pytest

from server import ROOT, letter, wait_for

pytestmark = pytest.mark.skipif(not ROOT, reason="only root may take a role's descriptor")

PIDFD_GETFD = 438


def links():
    """Sockets of pairs: inode to (its peer's inode, pid, descriptor)."""
    out = subprocess.run(["ss", "-xpH"], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in out.splitlines():
        m = re.match(r'u_seq\s+ESTAB.*\* (\d+)\s+\* (\d+)\s+users:\(\("[^"]*",pid=(\d+),fd=(\d+)\)',
                     line)
        if m:
            inode, peer, pid, fd = map(int, m.groups())
            found[inode] = (peer, pid, fd)
    return found


def between(one, other):
    """Inodes of the ends that process `one` has to process `other`."""
    found = links()
    return [i for i, (peer, pid, _) in found.items()
            if pid == one and peer in found and found[peer][1] == other]


def cut(inode):
    _, pid, fd = links()[inode]
    handle = os.pidfd_open(pid)
    try:
        got = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, handle, fd, 0)
        assert got >= 0, os.strerror(ctypes.get_errno())
        with socket.socket(fileno=got) as s:
            s.shutdown(socket.SHUT_RDWR)
    finally:
        os.close(handle)


def lost(server):
    return [line for line in server.log.read_text().splitlines() if "event=link_lost" in line]


def test_cut_link_is_made_anew(server):
    queue = server.pids("queue")[0]
    before = server.pids("smtpd")
    for round_ in range(2):
        for pid in before:
            old = between(pid, queue)
            assert len(old) == 1
            cut(old[0])
            wait_for(lambda: (now := between(pid, queue)) and now != old)
    assert sorted(server.pids("smtpd")) == sorted(before) and server.pids("queue") == [queue]
    assert len(lost(server)) == 2 * len(before)
    for n in range(8):
        with server.smtp() as c:
            c.sendmail("alice@example.test", ["bob@example.test"], letter(f"after {n}"))
    server.wait_messages(8)


def test_every_role_gets_its_links_back(server):
    """Whatever hung on the link goes on: names, accounts, keys, counts."""
    pids = {role: server.pids(role) for role in ("directory", "auth", "keys", "state", "broker",
                                                 "access", "submission", "queue")}
    for one, other in (("submission", "directory"), ("submission", "auth"), ("access", "auth"),
                       ("access", "broker"), ("access", "keys"), ("auth", "directory"),
                       ("auth", "broker"), ("queue", "broker"), ("queue", "directory")):
        for a in pids[one]:
            for b in pids[other]:
                old = between(a, b)
                assert len(old) == 1, (one, other)
                cut(old[0])
                wait_for(lambda: (now := between(a, b)) and now != old)
    with server.submission("alice") as c:
        c.sendmail("alice@example.test", ["carol@example.test"], letter("all links"))
    server.wait_messages(1, "carol")
    for role, was in pids.items():
        assert sorted(server.pids(role)) == sorted(was)


def test_death_is_no_lost_link(server):
    """A link of a process that died comes with its successor, once."""
    queue, pid = server.pids("queue")[0], server.pids("smtpd")[0]
    os.kill(pid, 9)
    wait_for(lambda: pid not in server.pids("smtpd") and len(server.pids("smtpd")) == 2)
    wait_for(server.is_ready)
    for now in server.pids("smtpd"):
        assert len(between(now, queue)) == 1
