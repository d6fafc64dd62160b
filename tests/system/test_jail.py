# SPDX-License-Identifier: ISC
"""What each process may do, read from /proc, and each role's own probe."""

import os
import pathlib
import pwd
import subprocess

import pytest

from server import BUILD, PROGRAMS, ROOT, letter

FRONTS = {"smtpd", "submission", "lmtp", "access"}


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def descriptors(pid):
    out = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            out[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            pass
    return out


def children(server):
    rows = [r for r in server.status() if r["role"] != "master"]
    return [(r["role"].split("[")[0], int(r["pid"])) for r in rows]


def test_identity_and_capabilities(server):
    for role, pid in children(server):
        s = status_of(pid)
        assert s["NoNewPrivs"].strip() == "1", role
        assert s["Seccomp"].strip() == "2", role
        if not ROOT:
            continue
        uids = set(s["Uid"].split())
        caps = int(s["CapEff"], 16) | int(s["CapPrm"], 16) | int(s["CapBnd"], 16)
        if role == "broker":
            assert uids == {"0"} and caps == 1 << 0 | 1 << 5  # CHOWN, KILL
        elif role == "template":
            assert uids == {"0"} and caps == 1 << 6 | 1 << 7 | 1 << 18
        else:
            assert uids == {str(pwd.getpwnam(f"veredus-{role}").pw_uid)}, role
            assert caps == 0, role
        assert s["Groups"].strip() == "", role


def test_root_directories(server):
    if not ROOT:
        return
    folders = {"queue": "queue", "directory": "directory", "auth": "auth",
               "state": "state", "pickup": "drop"}
    for role, pid in children(server):
        root = os.readlink(f"/proc/{pid}/root")
        assert root == f"{server.folder}/state/{folders.get(role, 'empty')}", role


def test_descriptors(server):
    """Fronts hold sockets, the log and their loop; nobody holds a key file but
    keys (and it has closed it)."""
    for role, pid in children(server):
        for fd, target in descriptors(pid).items():
            assert not target.endswith(".key"), (role, target)
            if role not in FRONTS | {"relay", "resolver", "keys"} or fd <= 2:
                continue
            assert target.startswith(("socket:", "anon_inode:", "pipe:", "/memfd:")) or \
                target == str(server.log), (role, fd, target)


def test_owner_process(server):
    with server.smtp() as c:
        c.sendmail("x@remote.test", ["alice@example.test"], letter("jail"))
    session = server.imap("alice")
    master = server.process.pid
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            s = status_of(pid)
            if s["Name"] == "owner" and s["PPid"] == str(master):
                found.append((int(pid), s))
        except (FileNotFoundError, ProcessLookupError, ValueError):
            pass
    owners = [(p, s) for p, s in found if p not in server.pids("template")]
    assert owners
    for pid, s in owners:
        assert s["NoNewPrivs"].strip() == "1" and s["Seccomp"].strip() == "2"
        maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
        assert "libssl" not in maps and "libcrypto" not in maps
        if ROOT:
            assert int(s["Uid"].split()[0]) >= 200000
            assert int(s["CapEff"], 16) == 0 and int(s["CapPrm"], 16) == 0
            assert os.readlink(f"/proc/{pid}/root").startswith(f"{server.folder}/mail/")
        for fd, target in descriptors(pid).items():
            if fd > 2 and target.startswith("/") and "memfd" not in target:
                assert target == str(server.log) or "/mail/" in target, target
    session.logout()


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_probe(program):
    """Each role tries what its jail must refuse."""
    p = subprocess.run([str(BUILD / program), "--probe"], capture_output=True,
                       text=True, timeout=60)
    assert p.returncode == 0, p.stdout + p.stderr
    assert "MUST NOT BE" not in p.stdout and "not tried" not in p.stdout


def test_roles_say_who_they_are():
    for program in PROGRAMS:
        p = subprocess.run([str(BUILD / program)], capture_output=True, text=True,
                           timeout=20, stdin=subprocess.DEVNULL)
        assert p.returncode == 64 and "veredusd starts it" in p.stderr, program
