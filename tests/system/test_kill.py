# SPDX-License-Identifier: ISC
"""kill -9 of every role in turn under load: what was acknowledged is in its
mailbox, nothing is there twice, and no account ever had two processes."""

import collections
import email.utils
import imaplib
import json
import os
import pathlib
import random
import re
import smtplib
import ssl
import signal
import threading
import time

import pytest

from server import Server, letter, wait_for

THREADS, PATIENCE = 20, 60
USERS = ("alice", "bob", "carol")
# Messages for each role: 500 in all.
LOAD = {"smtpd": 40, "submission": 30, "lmtp": 40, "access": 30, "relay": 20,
        "queue": 70, "broker": 50, "template": 40, "owner": 60,
        "directory": 30, "auth": 20, "keys": 20, "state": 20, "resolver": 20,
        "master": 40}
# More for an afternoon's run: VEREDUS_KILL_FACTOR=20.
FACTOR = int(os.environ.get("VEREDUS_KILL_FACTOR", "1"))
BROKEN = (OSError, smtplib.SMTPException, ssl.SSLError)
OPTIONS = {"queue": {"retry_min": "1s", "retry_max": "1s"},
           "mailbox": {"linger": "1s", "template_uses": "10"}}


@pytest.fixture(scope="module")
def server():
    s = Server(OPTIONS)
    try:
        s.start()
        yield s
    finally:
        s.remove()


# ---- the load

class Load:
    """Each message has a new Message-ID at every try, so an id is sent once."""

    def __init__(self, server, role, n):
        self.server, self.role = server, role
        self.todo = list(range(n))
        self.total = n
        self.lock = threading.Lock()
        self.acknowledged = {}   # Message-ID to user
        self.tried = {}
        self.given_up = []
        self.threads = [threading.Thread(target=self._run, daemon=True)
                        for _ in range(THREADS)]
        self.threads.append(threading.Thread(target=self._read, daemon=True))

    def start(self):
        for t in self.threads:
            t.start()
        return self

    def done(self):
        return len(self.acknowledged) + len(self.given_up)

    def join(self):
        for t in self.threads:
            t.join(180)
            assert not t.is_alive(), "a client hangs"

    def _run(self):
        while True:
            with self.lock:
                if not self.todo:
                    return
                n = self.todo.pop()
            end = time.monotonic() + PATIENCE
            while not self._try(n):
                if time.monotonic() > end:
                    self.given_up.append(n)
                    break
                time.sleep(0.1 + random.random() / 5)

    def _read(self):
        """Somebody reads meanwhile: deliveries into open mailboxes."""
        while self.done() < self.total:
            try:
                c = self.server.imap("bob")
                while self.done() < self.total:
                    c.noop()
                    time.sleep(0.05)
                c.logout()
            except (*BROKEN, imaplib.IMAP4.error):
                time.sleep(0.2)

    def _client(self, n):
        if self.role in ("submission", "auth", "keys") and n % 2:
            return self.server.submission("alice")
        if n % 4 == 0 or self.role == "lmtp" and n % 2:
            return smtplib.LMTP(self.server.host, self.server.ports["lmtp"],
                                local_hostname="client.test", timeout=30)
        return self.server.smtp()

    def _try(self, n):
        """Whether 250 was read after the final dot."""
        user = USERS[n % len(USERS)]
        mid = email.utils.make_msgid(f"kill-{self.role}-{n}", "client.test")
        raw = (f"From: alice@example.test\r\nTo: {user}@example.test\r\n"
               f"Message-ID: {mid}\r\nSubject: kill\r\n\r\n"
               + "line of text\r\n" * (5000 if n % 10 == 3 else 5)).encode()
        client = None
        try:
            client = self._client(n)
            self.tried[mid] = user
            # Raises for everything but 250, at every step.
            client.sendmail("alice@example.test", [f"{user}@example.test"], raw)
        except BROKEN:
            if client is not None:
                client.close()
            return False
        self.acknowledged[mid] = user
        try:
            client.quit()
        except BROKEN:
            pass
        return True


# ---- what is there

def ids_of(server, user):
    """Message-IDs in the Maildir, each as often as it is there."""
    found = collections.Counter()
    for sub in ("new", "cur"):
        folder = server.maildir(user) / sub
        for path in folder.iterdir() if folder.is_dir() else ():
            head = path.read_bytes()[:2000].decode("latin-1")
            found[re.search(r"^Message-ID: (\S+)", head, re.M)[1]] += 1
    return found


def owners(server):
    """Processes of owners by account number (the template's name is theirs)."""
    templates = set(server.pids("template"))
    out = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = pathlib.Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if text.startswith("Name:\towner\n") and int(pid) not in templates and \
                f"\nPPid:\t{server.process.pid}\n" in text:
            out[int(pid)] = re.search(r"^Uid:\t(\d+)", text, re.M)[1]
    return out


def locks(server):
    """Each account's lock file: replaced, it would lock nothing."""
    found = {}
    for user in USERS:
        path = server.maildir(user) / ".veredus" / "lock"
        if path.exists():
            found[user] = path.stat().st_ino
    return found


def lock_holders(inodes):
    """How many processes the kernel says hold each lock file."""
    held = collections.Counter()
    for line in pathlib.Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if words[1] == "FLOCK":
            held[int(words[5].split(":")[2])] += 1
    return {i: held[i] for i in inodes}


def kill_role(server, role):
    """kill -9, once; the number of processes that it hit."""
    if role == "master":
        server.process.kill()
        server.process.wait()
        server.process = None
        server.start()
        return 1
    pids = list(owners(server)) if role == "owner" else server.pids(role)
    for pid in pids:
        if pid > 0:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    return len(pids)


def kill_during(server, role, load):
    """At even steps of the load, three times or more."""
    hits, kills = 0, 3 if FACTOR == 1 else 8
    for share in (0.1 + 0.8 * i / kills for i in range(kills)):
        wait_for(lambda: load.done() >= load.total * share, 120, 0.005)
        if role == "owner":
            if load.done() >= load.total:  # it may have outrun us: owners go
                with server.smtp() as c:   # when idle, a letter starts one
                    c.sendmail("x@remote.test", [f"{USERS[0]}@example.test"],
                               letter())
        # A fast load is there before the process that was killed is back.
        hits += wait_for(lambda: kill_role(server, role), 20, 0.001)
        assert all(n <= 1 for n in lock_holders(locks(server).values()).values())
    return hits


def drain(server):
    def is_empty():
        rows = server.command("queue", "list", "--json", check=False)
        if rows.returncode == 0 and json.loads(rows.stdout) == []:
            return True
        server.command("queue", "flush", check=False)
        return False
    wait_for(is_empty, 60, 0.3)


def missing(server, load):
    have = {u: ids_of(server, u) for u in USERS}
    return [m for m, u in load.acknowledged.items() if not have[u][m]]


@pytest.mark.parametrize("role", list(LOAD))
def test_kill(server, role):
    for user in USERS:  # every account has its lock file
        if not (server.maildir(user) / ".veredus/lock").exists():
            with server.smtp() as c:
                c.sendmail("x@remote.test", [f"{user}@example.test"], letter())
    wait_for(lambda: len(locks(server)) == len(USERS))
    before = locks(server)
    load = Load(server, role, LOAD[role] * FACTOR).start()
    assert kill_during(server, role, load) >= 3
    load.join()
    assert len(load.acknowledged) + len(load.given_up) == load.total
    assert not load.given_up, server.tail()
    wait_for(server.is_ready, 30)
    drain(server)
    assert missing(server, load) == [], server.tail()
    for user in USERS:
        counts = ids_of(server, user)
        assert [m for m, n in counts.items() if n > 1] == []
    assert locks(server) == before


def test_all_is_seen_by_imap(server):
    """After all that the maps say what the folders hold."""
    for user in USERS:
        ids = [re.search(rb"(?mi)^Message-ID: (\S+)", m)[1].decode()
               for m in server.messages(user)]
        assert collections.Counter(ids) == ids_of(server, user)


def test_log_of_the_kills(server):
    text = server.log.read_text(errors="replace")
    for event in ("corrupt", "map_damaged", "bug", "sandbox_refused"):
        assert f" event={event} " not in text, event
    # The only signal that ended anything was ours.
    assert set(re.findall(r"event=died .*signal=(\d+)", text)) <= {"9"}
    assert "event=owner_crashed" not in text
