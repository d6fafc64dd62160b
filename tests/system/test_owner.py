# SPDX-License-Identifier: ISC
"""The process of an owner as a whole: a start that takes long, a map that
fails under it, clients that are slow."""

import imaplib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from server import BUILD, Server, wait_for
from test_kill import owners

# Of "x", which nobody logs in with.
CRYPT = "$6$abcdefgh$" + "a" * 86


@pytest.fixture(scope="module")
def server():
    s = Server({"mailbox": {"linger": "0s", "start_timeout": "100ms",
                            "poll": "500ms"}})
    try:
        s.start()
        yield s
    finally:
        s.remove()


def without_owners(server):
    wait_for(lambda: not owners(server), 30)


def fill(server, user, n):
    """A Maildir that another server had: nothing of ours, and its list."""
    folder = server.maildir(user)
    server.imap(user).logout()
    without_owners(server)
    st = os.stat(folder)
    shutil.rmtree(folder / ".veredus")
    for i in range(n):
        path = folder / "cur" / f"{i}.host:2,"
        path.write_bytes(b"Subject: %d\r\n\r\ntext\r\n" % i)
        os.chown(path, st.st_uid, st.st_gid)
    path = folder / "dovecot-uidlist"
    path.write_text(f"3 V1234567890 N{3 * n + 1} Gabcdef\n" + "".join(
        f"{3 * i + 2} :{i}.host\n" for i in range(n)))
    os.chown(path, st.st_uid, st.st_gid)


def reads(pid):
    """How many files, or a little more, a process has read."""
    with open(f"/proc/{pid}/io") as f:
        return int(re.search(r"syscr: (\d+)", f.read())[1])


def test_slow_takeover(server):
    """It may take as long as it gets on; whoever waits is told."""
    n = 40000
    fill(server, "carol", n)
    answers = []

    def login():
        try:
            server.imap("carol").logout()
            answers.append("OK")
        except imaplib.IMAP4.error as e:
            answers.append(str(e))

    t = threading.Thread(target=login)
    t.start()
    (pid,) = wait_for(lambda: list(owners(server)), 10, 0.001)
    began = time.monotonic()
    try:
        # It runs for moments, until it has read some thousand files and has
        # had a second to say so; then it stands still until the deadline.
        while reads(pid) < 5000 or time.monotonic() < began + 2:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(0.05 if reads(pid) < 5000 else 0.5)
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.002)
        os.kill(pid, signal.SIGSTOP)
        t.join(30)  # start_timeout and the time for directory's answer
        assert re.search("UNAVAILABLE|read anew", answers[0]), answers
        assert list(owners(server)) == [pid]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert "event=owner_slow" in server.log.read_text()
    assert "event=owner_timeout" not in server.log.read_text()
    c = wait_for(lambda: try_imap(server, "carol"), 60)
    assert c.response("UIDVALIDITY")[1] == [b"1234567890"]
    uids = c.uid("SEARCH", "ALL")[1][0].split()
    assert [int(u) for u in uids] == [3 * i + 2 for i in range(n)]
    c.logout()


def try_imap(server, user):
    try:
        return server.imap(user)
    except imaplib.IMAP4.error:
        return None


def damage(server, user, mailbox, uid):
    """The row of a message in the map, of a format that there is not."""
    path = server.maildir(user) / ".veredus" / "map"
    key = b"M" + struct.pack(">II", mailbox, uid)
    with open(path, "r+b") as f:
        text = f.read()
        places = [m.end() for m in re.finditer(re.escape(key + b"\x01"), text)]
        assert places
        for at in places:
            f.seek(at - 1)
            f.write(b"\x55")


def test_map_fails(server):
    """One that idles does not keep it broken: all are sent away, and a fresh
    process builds it anew."""
    idle = server.imap("bob")
    c = server.imap("bob")
    c.create("x")
    c.append("x", None, None, b"Subject: y\r\n\r\n")
    c.append("INBOX", None, None, b"Subject: z\r\n\r\n")
    number = re.search(rb"\(F([0-9a-f]+)\)", c.status("x", "(MAILBOXID)")[1][0])
    idle.send(b"i IDLE\r\n")
    assert idle.readline().startswith(b"+ ")
    wait_for(lambda: len(owners(server)) == 1)  # of others none any more
    (before,) = owners(server)
    damage(server, "bob", int(number[1], 16), 1)
    try:
        assert c.select("x")[0] == "NO"
        assert b"BYE" in c.readline()
    except imaplib.IMAP4.abort:
        pass
    while line := idle.readline():
        last = line
    assert b"BYE" in last
    c = wait_for(lambda: try_imap(server, "bob"), 20)
    assert list(owners(server)) != [before]
    assert c.select("INBOX")[1] == [b"1"]
    assert c.select("x")[1] == [b"1"]
    assert b"Subject: y" in c.fetch("1", "(BODY[])")[1][0][1]
    c.logout()


def ended(server):
    return "event=session_end" in server.tail(20).split("event=pop3_start")[-1]


def test_slow_end(server):
    """QUIT came with RETR, and the client reads slowly: it gets all."""
    text = b"Subject: long\r\n\r\n" + b"x" * 76 + b"\r\n"
    text += (b"y" * 76 + b"\r\n") * 120000
    c = server.imap("alice")
    c.append("INBOX", None, None, text)
    c.logout()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    raw.settimeout(30)
    raw.connect(("127.0.0.1", server.ports["pop3s"]))
    with server.tls().wrap_socket(raw, server_hostname="localhost") as c:
        c.sendall(b"USER %s\r\nPASS %s\r\n" % (
            server.address("alice").encode(), server.password["alice"].encode()))
        got = b""
        while got.count(b"\r\n") < 3:
            got += c.recv(4096)
        c.sendall(b"RETR 1\r\nQUIT\r\n")
        got, slow_until = b"", None
        while piece := c.recv(16384):
            got += piece
            # All is with `access`, and much of it with the kernel.
            if slow_until is None and ended(server):
                slow_until = time.monotonic() + 12
            if slow_until and time.monotonic() < slow_until:
                time.sleep(0.5)
    assert slow_until
    assert text in got and b"\r\n.\r\n+OK" in got


def test_many_cold_owners(own_server):
    """More mailboxes at once than are started at once: each in its turn, and
    nobody is put off."""
    s = own_server()
    n = 150
    s.command("account", "import", "-", stdin="".join(
        f"cold{i}@example.test:{CRYPT}\n" for i in range(n)))
    p = subprocess.run([BUILD / "bench/load/bench_smtp", "-a",
                        f"{s.host}:{s.ports['smtp']}", "-s", "10", "-k", "0",
                        "-P", "-m", str(n), "-n", str(n), "-f", "a@b.test", "-t",
                        "cold%d@example.test"], capture_output=True, text=True,
                       timeout=60)
    assert json.loads(p.stdout)["done"] == n, p.stderr
    wait_for(lambda: sum(len(os.listdir(s.maildir(f"cold{i}") / "new"))
                         for i in range(n)
                         if (s.maildir(f"cold{i}") / "new").exists()) == n, 60)
    assert "event=deferred" not in s.log.read_text()


def test_too_many_sessions(own_server):
    """One more than its process can hold is refused; the others stay."""
    s = own_server({"access": {"connections_per_client": 10000}})
    c = s.imap("bob")
    p = subprocess.Popen(
        [BUILD / "bench/load/bench_idle", "-a", f"{s.host}:{s.ports['imaps']}",
         "-T", "-s", "1510", "-u", s.address("bob"), "-n", "1", "-p",
         s.password["bob"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    try:
        assert p.stdout.readline() == "ready\n"
        assert c.noop()[0] == "OK"
        out, _ = p.communicate("drop\n", timeout=120)
    finally:
        p.kill()
    result = json.loads(out.splitlines()[-1])
    assert 1490 <= result["done"] <= 1500, result
    log = s.log.read_text()
    assert "event=too_many_sessions" in log
    assert "event=owner_lost" not in log
    c.logout()
