# SPDX-License-Identifier: ISC
"""The works: what is asked of every server alike.

A work has a name, a unit, the peers it is done beside, and run(server, scale),
which does it once and returns a Run. Rates count what really happened: mail is
counted in the mailboxes, an operation by its tagged OK."""

import json
import os
import pathlib
import statistics
import subprocess
import time
from dataclasses import dataclass, field

from .servers import PASSWORD, USER

LOAD = None  # the folder of the load programs; set by compare


@dataclass
class Run:
    value: float            # in the work's unit
    count: int = 0          # messages or operations, for the costs of each
    client_cpu: float = 0   # seconds
    more: dict = field(default_factory=dict)
    cpu_before: float = 0   # of the server, where the run restarts it first


def load(program, *args):
    """Runs a load program; its JSON line."""
    p = subprocess.run([str(LOAD / program), *map(str, args)],
                       capture_output=True, text=True, timeout=1800)
    if p.returncode:
        raise RuntimeError(f"{program}: {p.stderr.strip()}")
    out = json.loads(p.stdout.splitlines()[-1])
    if out.get("refused") or out.get("failed") or out.get("late"):
        raise RuntimeError(f"{program} {' '.join(map(str, args))}: {p.stdout}")
    return out


# ---- what is in the mailboxes

def delivered(server, mailboxes):
    """Files in new and cur of the first mailboxes."""
    n = 0
    for i in range(mailboxes):
        for d in ("new", "cur"):
            try:
                n += len(os.listdir(server.maildir(i) / d))
            except FileNotFoundError:
                pass
    return n


def last_change(server, mailboxes, since):
    """The time at which the last file came to its place: rename sets ctime."""
    last = since
    for i in range(mailboxes):
        for d in ("new", "cur"):
            try:
                with os.scandir(server.maildir(i) / d) as entries:
                    for e in entries:
                        last = max(last, e.stat().st_ctime)
            except FileNotFoundError:
                pass
    return last


def wait_delivered(server, mailboxes, n, seconds=900):
    end = time.monotonic() + seconds
    pause = 0.1 if mailboxes <= 100 else 0.5
    while (have := delivered(server, mailboxes)) < n:
        if time.monotonic() > end:
            raise RuntimeError(f"{server.name}: {have} of {n} were delivered\n"
                               + getattr(server, "tail", lambda: "")())
        time.sleep(pause)
    if have > n:
        raise RuntimeError(f"{server.name}: {have} delivered, {n} were sent")


# ---- SMTP

SIZES = {"4k": 4096, "64k": 65536, "1m": 1 << 20}


class Work:
    unit = "msg/s"
    higher = True      # is more better?
    is_bare = False    # done without a server
    is_once = False    # one run, not a median
    sinks_away = False
    accounts = 10
    sinks = 0
    base = 1000        # messages of a run at scale 1

    def __init__(self, name):
        self.name = name

    def count(self, scale):
        return max(20, int(self.base * scale))

    def prepare(self, server):
        """Once for each server, before the runs."""

    def run(self, server, scale):
        raise NotImplementedError


class Deliver(Work):
    """SMTP to Maildir, from the first connection until the last file is in
    place."""
    peers = ("postfix", "postfix+dovecot", "exim")
    service, options = "smtp", ()

    def __init__(self, name, size, sessions, mailboxes=10, kept=False):
        super().__init__(name)
        self.size, self.sessions = size, sessions
        self.accounts, self.kept = mailboxes, kept
        self.base = {"4k": 1000, "64k": 400, "1m": 60}[size]
        if mailboxes > 100:
            self.base = mailboxes
        if sessions >= 1000:
            self.base = 4000

    def count(self, scale):
        if self.accounts > 100:
            return self.accounts
        return max(self.sessions, super().count(scale))

    def arguments(self, server, n):
        args = ["-a", server.at(self.service), "-s", self.sessions, "-m", n,
                "-l", SIZES[self.size], "-f", "sender@elsewhere.test",
                "-t", USER, "-n", self.accounts, *self.options]
        return args + (["-k", 0, "-P"] if self.kept else [])

    def run(self, server, scale):
        n = self.count(scale)
        before = delivered(server, self.accounts)
        began = time.time()
        out = load("bench_smtp", *self.arguments(server, n))
        wait_delivered(server, self.accounts, before + n)
        ended = last_change(server, self.accounts, began)
        return Run(n / (ended - began), n, out["cpu_ms"] / 1e3,
                   {"accepted": n / out["seconds"],
                    "latency_ms": out["latency_ms"]["median"]})


class DeliverCold(Deliver):
    """One message for each of many mailboxes; no process serves any of them
    before."""

    def __init__(self, name, mailboxes):
        super().__init__(name, "4k", 20, mailboxes)

    def run(self, server, scale):
        server.restart()
        before = server.group.cpu()
        run = super().run(server, scale)
        run.cpu_before = before
        return run


class Accept(Deliver):
    """Until the last 250; what is delivered meanwhile costs the same machine."""
    def run(self, server, scale):
        n = self.count(scale)
        before = delivered(server, self.accounts)
        out = load("bench_smtp", *self.arguments(server, n))
        run = Run(n / out["seconds"], n, out["cpu_ms"] / 1e3)
        wait_delivered(server, self.accounts, before + n)
        return run


class Submit(Deliver):
    """Submission with TLS 1.3 and AUTH PLAIN to Maildir."""
    peers = ("postfix+dovecot",)
    service = "submissions"

    def __init__(self, name, clients, kept=False):
        super().__init__(name, "4k", clients, 10, kept)
        self.base = 400

    def arguments(self, server, n):
        return super().arguments(server, n) + [
            "-T", "-u", USER, "-p", PASSWORD, "-f", USER]


class Lmtp(Deliver):
    """LMTP to Maildir."""
    peers = ("dovecot",)
    service, options = "lmtp", ("-L",)


class Relay(Work):
    """SMTP in, SMTP out to sinks on this machine, until the last sink has its
    last message."""
    peers = ("postfix", "exim")

    def __init__(self, name, sessions, sinks):
        super().__init__(name)
        self.sessions, self.sinks = sessions, sinks

    def run(self, server, scale):
        n = self.count(scale)
        before = self.sunk()
        began = time.time()
        out = load("bench_smtp", "-a", server.at("smtp"), "-s", self.sessions,
                   "-m", n, "-l", 4096, "-f", "sender@elsewhere.test",
                   "-t", "x@sink%d.test", "-n", self.sinks)
        limit = time.monotonic() + 300
        while (sunk := self.sunk()) < before + n:
            if time.monotonic() > limit:
                raise RuntimeError(f"{sunk - before} of {n} came through")
            time.sleep(0.02)
        return Run(n / (time.time() - began), n, out["cpu_ms"] / 1e3)

    def sunk(self):
        return sum(s.count() for s in self.farm)


# ---- IMAP and POP3

class Mail(Work):
    """A script of bench_mail; the value is a rate of connections, or the
    median time of one of its commands."""
    unit, higher = "ms", False
    peers = ("dovecot", "dovecot-fast")
    service = "imaps"

    def __init__(self, name, script, measured=None, messages=0, sessions=1,
                 connections=1, accounts=1, before=(), undo=None, size=4096,
                 per=1, restart=False, options=()):
        super().__init__(name)
        self.script, self.measured, self.messages = script, measured, messages
        self.sessions, self.base = sessions, connections
        self.accounts, self.before = accounts, before
        # Every other run does this instead of the script's last command: as
        # much work, and both are measured.
        self.undo, self.is_done = undo, set()
        self.size, self.per, self.options = size, per, options
        self.restart = restart  # with the system's cache of files dropped
        if measured is None:
            self.unit, self.higher = "op/s", True

    def count(self, scale):
        return max(self.sessions, int(self.base * scale)) if self.base > 1 else 1

    def prepare(self, server):
        if self.messages:
            fill(server, self.messages)
        for script in self.before:
            self.call(server, 1, [script])
        if self.accounts > 1 and not self.restart:
            self.call(server, self.accounts, self.script, 16)

    def call(self, server, connections, script, sessions=1):
        return load("bench_mail", "-a", server.at(self.service), "-s", sessions,
                    "-c", connections, "-u", USER, "-n", self.accounts, "-p",
                    PASSWORD, "-l", self.size, "-T", *self.options, *script)

    def run(self, server, scale):
        n = self.count(scale)
        if self.restart:
            server.restart()
            drop_caches()
        before = server.group.cpu()
        script, measured = self.script, self.measured
        if self.undo and server in self.is_done:
            script, measured = script[:-1] + [self.undo], self.undo
        if self.undo:
            self.is_done ^= {server}
        out = self.call(server, n, script, self.sessions)
        if self.measured is None:
            n *= self.per
            return Run(n / out["seconds"], n, out["cpu_ms"] / 1e3,
                       cpu_before=before)
        for c in out["commands"]:
            if c["command"] == measured:
                return Run(c["median_ms"], 1, out["cpu_ms"] / 1e3,
                           cpu_before=before)
        raise RuntimeError(f"no {measured} in {out}")


def drop_caches():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")


def fill(server, messages):
    """A mailbox with so many messages, put there before the server has seen
    it: every server finds the same Maildir."""
    new = server.maildir(0) / "new"
    owner = None
    if not new.exists():
        load("bench_mail", "-a", server.at("imaps"), "-s", 1, "-c", 1, "-u",
             USER, "-n", 1, "-p", PASSWORD, "-T", "SELECT INBOX")
    owner = new.stat() if new.exists() else server.maildir(0).stat()
    new.mkdir(exist_ok=True)
    for i in range(messages):
        path = new / f"{1700000000 + i}.M{i}P1.bench"
        path.write_text(letter(i))
        os.chown(path, owner.st_uid, owner.st_gid)
        path.chmod(0o600)


def letter(i):
    return (f"Return-Path: <sender{i}@elsewhere.test>\n"
            f"From: Sender {i} <sender{i}@elsewhere.test>\n"
            f"To: <user0@bench.test>\nSubject: letter {i} of many\n"
            "Date: Tue, 14 Nov 2023 22:13:20 +0000\n"
            f"Message-ID: <{i}@elsewhere.test>\n"
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n"
            + f"This is line after line of letter {i}, needle{i}.\n" * 20)


class Pop3(Mail):
    """A session that fetches ten letters and leaves them."""
    service = "pop3s"

    def __init__(self, name):
        super().__init__(name, ["STAT", "UIDL", "RETR *"], messages=10,
                         sessions=8, connections=200, options=("-3",))


class Idle:
    """Many clients in IDLE, held by bench_idle; a context manager."""

    def __init__(self, server, n, mode, accounts):
        flags = {"plain": ["-p", PASSWORD], "tls": ["-T", "-p", PASSWORD],
                 "compress": ["-T", "-z", "-p", PASSWORD]}[mode]
        port = "imap" if mode == "plain" else "imaps"
        self.process = subprocess.Popen(
            [str(LOAD / "bench_idle"), "-a", server.at(port), "-s", str(n),
             "-u", USER, "-n", str(accounts), *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if line.strip() != "ready":
            self.process.wait(60)
            raise RuntimeError(f"{server.name}: {n} idle clients: {line}")

    def ask(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(120)


class IdleMemory(Work):
    """What one idle client costs: PSS of all processes with them, less that
    without them, for each; the clients' accounts are a tenth of them."""
    unit, higher = "KB/client", False
    peers = ("dovecot-fast", "dovecot-hibernate")
    is_once = True

    def __init__(self, name, clients, mode):
        super().__init__(name)
        self.clients, self.mode = clients, mode
        self.accounts = max(10, clients // 10)

    def count(self, scale):
        return self.clients

    def run(self, server, scale):
        before = server.group.pss_kb()
        with Idle(server, self.clients, self.mode, self.accounts):
            time.sleep(4)  # hibernation waits, and so may parking
            after = server.group.pss_kb()
        return Run((after - before) / self.clients, self.clients)


class IdleWake(IdleMemory):
    """Until the last idle client was told of a new letter in its mailbox."""
    unit = "ms"

    def __init__(self, name, clients):
        super().__init__(name, clients, "tls")

    def run(self, server, scale):
        with Idle(server, self.clients, self.mode, self.accounts) as idle:
            time.sleep(4)
            idle.ask("wake")
            load("bench_smtp", "-a", server.at("lmtp"), "-L", "-s", 20, "-m",
                 self.accounts, "-l", 1024, "-t", USER, "-n", self.accounts,
                 "-f", "sender@elsewhere.test", "-k", 0)
            out = idle.answer()
        if out["woken"] != self.clients:
            raise RuntimeError(f"{server.name}: {out}")
        return Run(out["last_ms"], self.clients)


class IdleLatency(IdleMemory):
    """From the 250 of a letter until an idle client is told of it."""
    unit = "ms"
    is_once = False
    peers = ("dovecot", "dovecot-fast")

    def __init__(self, name):
        super().__init__(name, 1, "tls")
        self.accounts = 1

    def run(self, server, scale):
        taken = []
        with Idle(server, 1, self.mode, 1) as idle:
            for _ in range(max(5, int(20 * scale))):
                idle.ask("wake")
                load("bench_smtp", "-a", server.at("lmtp"), "-L", "-s", 1,
                     "-m", 1, "-l", 1024, "-t", USER, "-n", 1,
                     "-f", "sender@elsewhere.test")
                taken.append(idle.answer()["last_ms"])
        return Run(statistics.median(taken), len(taken))


# ---- the whole server, its queue, the bare machine

class ServerIdle(Work):
    """All processes at rest: PSS."""
    unit, higher = "MB", False
    peers = ("postfix", "postfix+dovecot", "exim")
    is_once = True

    def run(self, server, scale):
        time.sleep(2)
        return Run(server.group.pss_kb() / 1024, 1,
                   more={"processes": len(server.group.pids()),
                         "start_seconds": server.seconds_to_start})


class Backlog(Work):
    """A queue of so many messages for a host that is away."""
    peers = ("postfix",)
    sinks = 1
    is_once = True
    sinks_away = True

    def __init__(self, name, messages, what):
        super().__init__(name)
        self.messages, self.what = messages, what
        self.unit, self.higher = {
            "memory": ("MB", False), "start": ("s", False),
            "accept": ("msg/s", True)}[what]

    def count(self, scale):
        return self.messages

    def send(self, server, n):
        return load("bench_smtp", "-a", server.at("smtp"), "-s", 20, "-m", n,
                    "-l", 4096, "-f", "sender@elsewhere.test", "-t",
                    "x%d@sink0.test", "-n", 1000, "-k", 0, "-P")

    def prepare(self, server):
        self.send(server, self.messages)

    def run(self, server, scale):
        if self.what == "memory":
            time.sleep(10)
            return Run(server.group.pss_kb() / 1024, self.messages)
        if self.what == "start":
            began = time.monotonic()
            server.restart()
            return Run(time.monotonic() - began, self.messages)
        out = self.send(server, 2000)
        return Run(2000 / out["seconds"], 2000, out["cpu_ms"] / 1e3)


class Limit(Work):
    """What the machine can do with no server at all."""
    peers = ()
    is_bare = True

    def __init__(self, name, mode, writers, unit):
        super().__init__(name)
        self.mode, self.writers, self.unit = mode, writers, unit
        self.base = {"tls": 2000, "loopback": 50000}.get(mode, 4000)

    def bare(self, folder, scale):
        d = pathlib.Path(folder) / f"limit-{self.mode}-{self.writers}"
        d.mkdir(exist_ok=True)
        n = self.count(scale)
        out = load("bench_files", "-d", d, "-w", self.writers, "-n", n, "-l",
                   4096, "-m", self.mode)
        return Run(out["done"] / out["seconds"], n, out["cpu_ms"] / 1e3)


# ---- the list

def every():
    works = []
    for size in ("4k", "64k", "1m"):
        for sessions in (1, 20, 100):
            works.append(Deliver(f"deliver-{size}-{sessions}", size, sessions))
            works.append(Deliver(f"deliver-kept-{size}-{sessions}", size,
                                 sessions, kept=True))
    works.append(Deliver("deliver-4k-1000", "4k", 1000))
    works.append(Deliver("deliver-1box-4k-20", "4k", 20, 1))
    for n in (1000, 10000):
        works.append(DeliverCold(f"deliver-cold-{n}", n))
    for kept in ("", "kept-"):
        for sessions in (20, 100):
            works.append(Accept(f"accept-{kept}4k-{sessions}", "4k", sessions,
                                kept=bool(kept)))
    for sessions in (20, 100):
        for sinks in (1, 10):
            works.append(Relay(f"relay-{sessions}-to-{sinks}", sessions, sinks))
    for clients in (4, 24):
        works.append(Submit(f"submit-tls-{clients}", clients))
        works.append(Submit(f"submit-tls-kept-{clients}", clients, kept=True))
    for sessions in (1, 20):
        works.append(Lmtp(f"lmtp-4k-{sessions}", "4k", sessions))
        works.append(Lmtp(f"lmtp-kept-4k-{sessions}", "4k", sessions, kept=True))
    works.append(Mail("imap-login-warm", [], sessions=16, connections=2000,
                      accounts=100))
    works.append(Mail("imap-login-cold", [], sessions=16, connections=5000,
                      accounts=5000, restart=True))
    select = "SELECT INBOX"
    for n in (10000, 100000):
        def one(what, command, **more):
            works.append(Mail(f"imap-{what}", [select, command], command,
                              messages=n, **more))
        works.append(Mail(f"imap-select-{n}", [select], select, messages=n))
        flags, all_of = "FETCH 1:* (FLAGS)", "FETCH 1:* (ENVELOPE BODYSTRUCTURE)"
        for what, command in (("flags", flags), ("envelope", all_of)):
            one(f"{what}-{n}-cold", command, restart=True)
            one(f"{what}-{n}-warm", command)
        one(f"body-{n}", "FETCH 1:1000 (BODY.PEEK[])")
        one(f"search-subject-{n}", 'SEARCH SUBJECT "letter 77"')
        one(f"search-text-{n}", "SEARCH TEXT needle77")
        one(f"store-{n}", "STORE 1:* +FLAGS.SILENT (\\Flagged)",
            undo="STORE 1:* -FLAGS.SILENT (\\Flagged)")
        one(f"copy-{n}", "COPY 1:1000 Copies", before=["CREATE Copies"])
        one(f"move-{n}", "MOVE 1:1000 Moved", before=["CREATE Moved"])
    for sessions in (1, 16):
        works.append(Mail(f"imap-append-{sessions}", ["APPEND INBOX"] * 20,
                          sessions=sessions, connections=sessions * 10,
                          accounts=sessions, per=20))
    works.append(IdleLatency("imap-idle-latency"))
    for n in (1000, 10000):
        for mode in ("plain", "tls", "compress"):
            works.append(IdleMemory(f"imap-idle-memory-{n}-{mode}", n, mode))
        works.append(IdleWake(f"imap-wake-{n}", n))
    works.append(Pop3("pop3-session"))
    for n in (100000, 1000000):
        for what in ("memory", "start", "accept"):
            works.append(Backlog(f"queue-{n}-{what}", n, what))
    works.append(ServerIdle("server-idle"))
    for writers in (1, 4, 16, 64):
        works.append(Limit(f"limit-files-{writers}", "new", writers, "files/s"))
        works.append(Limit(f"limit-slots-{writers}", "recycled", writers,
                           "files/s"))
    works.append(Limit("limit-loopback", "loopback", 1, "round trips/s"))
    works.append(Limit("limit-tls", "tls", 1, "handshakes/s"))
    return works


# About two minutes.
QUICK = ("deliver-4k-20", "deliver-kept-4k-20", "relay-20-to-1",
         "submit-tls-4", "lmtp-kept-4k-20", "imap-login-warm",
         "imap-flags-10000-warm", "imap-append-1", "pop3-session",
         "server-idle", "limit-files-16", "limit-slots-16")

# That it works at all, in seconds.
SMOKE = ("deliver-4k-20", "deliver-kept-4k-20", "submit-tls-4", "lmtp-kept-4k-20",
         "imap-login-warm", "imap-append-1", "pop3-session", "limit-files-4")
