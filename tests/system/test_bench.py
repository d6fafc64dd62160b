# SPDX-License-Identifier: ISC
"""The load clients of bench/load in small: what they count must be what is in
the mailboxes, and what a server refuses or breaks off must be counted too."""

import contextlib
import email
import json
import re
import socket
import subprocess
import threading
import time
import zlib

import pytest

from server import BUILD, Server, free_ports

PASSWORD = "sesame of the bench"
USERS = ("u0", "u1", "u2", "reader", "popper", "idler")
PATTERN = "u%d@example.test"


@pytest.fixture(scope="module")
def server():
    s = Server(accounts=USERS)
    s.password = {u: PASSWORD for u in USERS}
    try:
        yield s.start()
    finally:
        s.remove()


def bench(program, *args, code=0):
    p = subprocess.run([BUILD / "bench/load" / program, *map(str, args)],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=60)
    assert p.returncode == code, p.stderr
    return json.loads(p.stdout) if code == 0 else p.stderr


def smtp(server, service, *args, **kw):
    return bench("bench_smtp", "-a", f"127.0.0.1:{server.ports[service]}", *args, **kw)


def mail(server, service, user, *args, **kw):
    return bench("bench_mail", "-a", f"127.0.0.1:{server.ports[service]}", "-u",
                 f"{user}@example.test", "-p", PASSWORD, *args, **kw)


def counts(result):
    return result["done"], result["refused"], result["failed"]


def clean(server, users):
    for u in users:
        c = server.imap(u)
        c.store("1:*", "+FLAGS", "\\Deleted")
        c.expunge()
        c.logout()


def arrived(server, each):
    """Waits until the users have so many messages; no more may come."""
    for user, n in each.items():
        server.wait_messages(n, user)
    time.sleep(0.3)
    got = {u: server.messages(u) for u in each}
    assert {u: len(m) for u, m in got.items()} == each
    return [m for messages in got.values() for m in messages]


@contextlib.contextmanager
def scripted(talk):
    """A server that runs talk(socket file, number) for each connection."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)

    def one(s, number):
        # A client that is gone is what these are about.
        with contextlib.suppress(OSError), s, s.makefile("rwb", buffering=0) as f:
            talk(f, number)

    def serve():
        number = 0
        with contextlib.suppress(OSError):
            while True:
                s, _ = listener.accept()
                threading.Thread(target=one, args=(s, number), daemon=True).start()
                number += 1

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


# ---- bench_smtp

@pytest.mark.parametrize("options", [
    [], ["-k", 0], ["-k", 3], ["-P"], ["-P", "-k", 0], ["-P", "-k", 3]])
def test_smtp(server, options):
    clean(server, ["u0", "u1", "u2"])
    got = smtp(server, "smtp", "-s", 4, "-m", 20, "-l", 5000, "-f", "a@client.test",
               "-t", PATTERN, "-n", 3, *options)
    assert counts(got) == (20, 0, 0) and got["late"] is False
    assert 0 < got["latency_ms"]["median"] <= got["latency_ms"]["p99"] \
        <= got["latency_ms"]["max"] and got["cpu_ms"] > 0
    messages = arrived(server, {"u0": 7, "u1": 7, "u2": 6})
    ids = set()
    for m in messages:
        # What the server put before it is none of ours.
        assert len(m) - m.index(b"From: <a@client.test>") == 5000
        assert max(len(line) for line in m.split(b"\r\n\r\n", 1)[1].split(b"\r\n")) <= 72
        ids.add(email.message_from_bytes(m)["message-id"])
    assert len(ids) == 20


def test_smtp_recipients(server):
    clean(server, ["u0", "u1", "u2"])
    got = smtp(server, "smtp", "-s", 2, "-m", 9, "-k", 0, "-P", "-r", 2, "-t", PATTERN,
               "-n", 3, "-l", 300000)
    assert counts(got) == (9, 0, 0)
    arrived(server, {"u0": 6, "u1": 6, "u2": 6})


@pytest.mark.parametrize("options", [[], ["-P"], ["-P", "-k", 0], ["-k", 2]])
def test_lmtp(server, options):
    clean(server, ["u0", "u1", "u2"])
    got = smtp(server, "lmtp", "-L", "-s", 3, "-m", 20, "-r", 3, "-t", PATTERN, "-n", 3,
               *options)
    assert counts(got) == (20, 0, 0)
    arrived(server, {"u0": 20, "u1": 20, "u2": 20})


@pytest.mark.parametrize("service,option", [("submissions", "-T"), ("submission", "-S")])
def test_submission(server, service, option):
    clean(server, ["u0", "u1", "u2"])
    got = smtp(server, service, option, "-s", 3, "-m", 20, "-k", 4, "-P", "-f", PATTERN,
               "-t", PATTERN, "-n", 3, "-u", PATTERN, "-p", PASSWORD)
    assert counts(got) == (20, 0, 0)
    arrived(server, {"u0": 7, "u1": 7, "u2": 6})
    # Few: whoever guesses too much is locked out.
    got = smtp(server, service, option, "-m", 2, "-t", PATTERN, "-u",
               "nobody@example.test", "-p", "wrong")
    assert counts(got) == (0, 2, 0)


@pytest.mark.parametrize("options", [
    [], ["-k", 0], ["-P"], ["-P", "-k", 0], ["-P", "-k", 3]])
@pytest.mark.parametrize("service", ["smtp", "lmtp"])
def test_smtp_refused(server, service, options):
    """Every second recipient does not exist: the others get theirs."""
    clean(server, ["u0", "u1", "u2"])
    more = ["-L"] if service == "lmtp" else []
    got = smtp(server, service, "-s", 3, "-m", 24, "-t", PATTERN, "-n", 6, *more,
               *options)
    assert counts(got) == (12, 12, 0)
    arrived(server, {"u0": 4, "u1": 4, "u2": 4})
    # One of two recipients: the message comes, and counts as refused.
    got = smtp(server, service, "-m", 2, "-r", 2, "-t", "u%d@example.test", "-n", 4,
               *more, *options)
    assert counts(got) == (1, 1, 0)
    arrived(server, {"u0": 5, "u1": 5, "u2": 5})


def test_closed_port():
    at = f"127.0.0.1:{free_ports(1)[0]}"
    assert "refused" in bench("bench_smtp", "-a", at, "-m", 5, "-t", "x@y.test", code=1)
    assert "refused" in bench("bench_mail", "-a", at, "-u", "x", "-p", "x", code=1)
    for args in (["-t", "x@y.test"], ["-a", "nowhere", "-t", "x@y.test"],
                 ["-a", at, "-t", "x", "-l", "10"], ["-a", at, "-t", "%s%d"]):
        bench("bench_smtp", *args, code=1)


def smtp_talk(f, messages, pipelining=False, stop=None):
    """So many messages are taken; then `stop` breaks off."""
    f.write(b"220 hello\r\n")
    while True:
        line = f.readline()
        if not line:
            return
        verb = line[:4].upper()
        if verb == b"EHLO":
            f.write(b"250-hello\r\n250 PIPELINING\r\n" if pipelining else b"250 hello\r\n")
        elif verb == b"QUIT":
            f.write(b"221 bye\r\n")
            return
        elif verb == b"DATA":
            if messages == 0 and stop == "before":
                return
            f.write(b"354 go\r\n")
            if messages == 0 and stop == "within":
                f.readline()
                return
            while f.readline() != b".\r\n":
                pass
            if messages == 0:
                if stop == "silent":
                    time.sleep(30)
                return
            messages -= 1
            f.write(b"250-a\r\n250 b\r\n")
        else:
            f.write(b"250 Ok\r\n")


@pytest.mark.parametrize("stop", ["before", "within", "behind"])
@pytest.mark.parametrize("options,lost", [([], 1), (["-P"], 2)])
def test_smtp_cut(stop, options, lost):
    """The third message of each connection breaks it: that one failed, and what
    had been sent behind it."""
    def talk(f, _):
        smtp_talk(f, 2, bool(options), stop)
    with scripted(talk) as at:
        got = bench("bench_smtp", "-a", at, "-m", 12, "-k", 0, "-t", "x@y.test", "-l",
                    20000, *options)
    assert sum(counts(got)) == 12 and got["refused"] == 0 and got["failed"] >= 3
    # Pipelined, the fourth was under way where the third was given away whole.
    each = 1 if stop == "before" else lost
    assert got["failed"] == 12 // (2 + each) * each


def test_smtp_refusing_servers():
    with scripted(lambda f, _: f.write(b"554 no\r\n")) as at:
        got = bench("bench_smtp", "-a", at, "-m", 7, "-s", 3, "-t", "x@y.test")
    assert counts(got) == (0, 7, 0)

    def busy(f, number):
        if number % 2:
            f.write(b"421 busy\r\n")
        else:
            smtp_talk(f, 5)
    with scripted(busy) as at:
        got = bench("bench_smtp", "-a", at, "-m", 8, "-s", 1, "-t", "x@y.test")
    assert counts(got) == (4, 4, 0)
    with scripted(lambda f, _: f.write(b"hello\r\n")) as at:
        bench("bench_smtp", "-a", at, "-m", 7, "-s", 3, "-t", "x@y.test", code=1)


def test_smtp_late():
    with scripted(lambda f, _: smtp_talk(f, 1, False, "silent")) as at:
        got = bench("bench_smtp", "-a", at, "-m", 9, "-s", 2, "-k", 0, "-x", 1, "-t",
                    "x@y.test")
    assert counts(got) == (2, 0, 2) and got["late"] is True
    assert 0.9 < got["seconds"] < 5


# ---- bench_mail

def by_command(result):
    return {c["command"]: c["count"] for c in result["commands"]}


@pytest.mark.parametrize("service,option", [("imaps", "-T"), ("imap", "-S")])
def test_imap(server, service, option):
    clean(server, ["reader"])
    got = mail(server, service, "reader", option, "-s", 3, "-c", 10, "-r", 2, "-l",
               100000, "SELECT INBOX", "APPEND INBOX (\\Seen)")
    assert counts(got) == (10, 0, 0)
    want = {"GREETING": 10, "LOGIN": 10, "SELECT INBOX": 20,
            "APPEND INBOX (\\Seen)": 20, "LOGOUT": 10}
    if option == "-S":
        want["STARTTLS"] = 10
    assert by_command(got) == want
    for m in arrived(server, {"reader": 20}):
        assert len(m) == 100000
    got = mail(server, service, "reader", option, "SELECT INBOX",
               "FETCH 1:* (FLAGS BODY.PEEK[])", 'SEARCH SUBJECT "Message"')
    assert counts(got) == (1, 0, 0) and got["bytes"] > 2000000
    assert got["commands"][0]["min_ms"] <= got["commands"][0]["median_ms"]


def test_imap_refused(server):
    got = mail(server, "imaps", "reader", "-T", "-c", 4, "SELECT Nowhere",
               "FETCH 1:* (FLAGS)")
    assert counts(got) == (0, 4, 0)
    assert by_command(got) == {"GREETING": 4, "LOGIN": 4, "SELECT Nowhere": 0,
                               "FETCH 1:* (FLAGS)": 0, "LOGOUT": 4}
    got = mail(server, "imap", "reader", "-c", 4, "SELECT INBOX")  # without TLS
    assert counts(got) == (0, 4, 0)


def imap_talk(f, answers, caps=b""):
    """Answers commands by their name; None breaks the connection."""
    f.write(b"* OK [CAPABILITY IMAP4rev1%s] hello\r\n" % caps)
    while True:
        line = f.readline()
        if not line:
            return
        tag, name = line.split()[:2]
        answer = answers.get(name, b"")
        if callable(answer):
            answer = answer(f, line)
        if answer is None:
            return
        f.write(answer + tag + b" OK done\r\n")


def test_imap_answers():
    """Literals that look like answers, lines without end, piece by piece."""
    trap = b"b3 OK done\r\n* BYE\r\nb3 NO {5}\r\n"
    long = b"* SEARCH" + b" 1234567" * 500000 + b"\r\n"
    fetch = (b"* 1 FETCH (BODY[] {%d}\r\n%s FLAGS () X {0}\r\n Y {%d}\r\n%s)\r\n"
             % (len(trap), trap, len(long), long))

    def slowly(f, line):
        for i in range(0, len(fetch[:300])):
            f.write(fetch[i:i + 1])
        f.write(fetch[300:] + b"* OK not a literal {99}\r\n")
        return b""
    answers = {b"FETCH": slowly, b"SEARCH": long + b"* 2 EXISTS\r\n"}
    with scripted(lambda f, _: imap_talk(f, answers)) as at:
        got = bench("bench_mail", "-a", at, "-u", "x", "-p", "x", "-r", 3, "FETCH 1 ALL",
                    "SEARCH ALL")
    assert counts(got) == (1, 0, 0)
    assert got["bytes"] > 3 * (len(fetch) + len(long))
    assert by_command(got)["SEARCH ALL"] == 3


@pytest.mark.parametrize("caps", [b"", b" LITERAL+", b" LITERAL-"])
def test_imap_append(caps):
    sizes = []

    def append(f, line):
        n, plus = re.search(rb"\{(\d+)(\+?)\}\r\n", line).groups()
        assert bool(plus) == (caps == b" LITERAL+")
        if not plus:
            f.write(b"+ go\r\n")
        n, text = int(n) + 2, b""
        while len(text) < n:
            text += f.read(n - len(text))
        sizes.append(len(text) - 2)
        return b""

    def ask(f, line):
        return b"* CAPABILITY IMAP4rev1%s\r\n" % caps
    answers = {b"APPEND": append, b"CAPABILITY": ask}
    with scripted(lambda f, _: imap_talk(f, answers, caps)) as at:
        got = bench("bench_mail", "-a", at, "-u", "x", "-p", "x", "-c", 2, "-l", 600000,
                    "APPEND INBOX")
    assert counts(got) == (2, 0, 0) and sizes == [600000, 600000]


def test_imap_cut():
    def fetch(f, line):
        f.write(b"* 1 FETCH (BODY[] {100000}\r\n" + b"x" * 5000)
    with scripted(lambda f, _: imap_talk(f, {b"FETCH": fetch})) as at:
        got = bench("bench_mail", "-a", at, "-u", "x", "-p", "x", "-s", 2, "-c", 5,
                    "SELECT INBOX", "FETCH 1 BODY[]")
    assert counts(got) == (0, 0, 5)
    assert by_command(got)["SELECT INBOX"] == 5 and by_command(got)["LOGOUT"] == 0


@pytest.mark.parametrize("service,option", [("pop3s", "-T"), ("pop3", "-S")])
def test_pop3(server, service, option):
    clean(server, ["popper"])
    assert counts(mail(server, "imaps", "popper", "-T", "-r", 20, "APPEND INBOX")) == \
        (1, 0, 0)
    got = mail(server, service, "popper", "-3", option, "-c", 2, "STAT", "RETR *", "UIDL",
               "TOP 1 0", "CAPA")
    assert counts(got) == (2, 0, 0) and got["bytes"] > 40 * 4096
    assert by_command(got)["RETR *"] == 40 and by_command(got)["QUIT"] == 2
    got = mail(server, service, "popper", "-3", option, "LIST", "RETR 2", "DELE *")
    assert counts(got) == (1, 0, 0) and by_command(got)["DELE *"] == 20
    assert server.messages("popper") == []
    got = mail(server, service, "popper", "-3", option, "STAT", "RETR *", "RETR 1")
    assert counts(got) == (0, 1, 0) and by_command(got)["RETR *"] == 0


def test_pop3_cut():
    def talk(f, _):
        f.write(b"+OK hello\r\n")
        while line := f.readline():
            if line.startswith(b"RETR 2"):
                f.write(b"+OK\r\ntext\r\n.")
                return
            f.write({b"STAT": b"+OK 2 99\r\n", b"RETR": b"+OK\r\n..\r\n. \r\n\r\n.\r\n"}
                    .get(line[:4], b"+OK\r\n"))
    with scripted(talk) as at:
        got = bench("bench_mail", "-3", "-a", at, "-u", "x", "-p", "x", "-c", 3, "STAT",
                    "RETR *")
    assert counts(got) == (0, 0, 3) and by_command(got)["RETR *"] == 3


# ---- bench_idle

@contextlib.contextmanager
def idle(*args):
    p = subprocess.Popen([BUILD / "bench/load/bench_idle", *map(str, args)],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, bufsize=1)
    try:
        yield p
    finally:
        p.kill()
        p.wait()
        for f in (p.stdin, p.stdout, p.stderr):
            f.close()


def idlers(server, service, *args):
    return idle("-a", f"127.0.0.1:{server.ports[service]}", "-u", "idler@example.test",
                "-p", PASSWORD, *args)


@pytest.mark.parametrize("service,option", [("imaps", "-T"), ("imap", "-S")])
def test_idle(server, service, option):
    with idlers(server, service, option, "-s", 7, "-b", 3) as p:
        assert p.stdout.readline() == "ready\n"
        for _ in range(2):
            p.stdin.write("wake\n")
            time.sleep(0.2)
            assert counts(smtp(server, "smtp", "-t", "idler@example.test")) == (1, 0, 0)
            got = json.loads(p.stdout.readline())
            assert got["woken"] == 7
            assert 200 < got["first_ms"] <= got["median_ms"] <= got["last_ms"] < 30000
        p.stdin.write("drop\n")
        got = json.loads(p.stdout.readline())
        assert counts(got) == (7, 0, 0) and p.wait(10) == 0


def test_idle_end(server):
    with idlers(server, "imaps", "-T", "-s", 2) as p:
        assert p.stdout.readline() == "ready\n"
        p.stdin.close()
        assert counts(json.loads(p.stdout.readline())) == (2, 0, 0)
        assert p.wait(10) == 0


def idle_talk(f, number, squeezes):
    """Two clients: the second refuses to idle. Idle ones learn of a message,
    and when they end the connection breaks."""
    read, write = f.readline, f.write
    write(b"* OK hello\r\n")
    while line := read():
        tag, name = line.split()[:2]
        if name == b"IDLE":
            if number == 1:
                write(tag + b" NO never\r\n")
                continue
            write(b"+ idling\r\n")
            time.sleep(0.5)
            write(b"* 9 EX")
            time.sleep(0.1)
            write(b"ISTS\r\n")
            assert read() == b"DONE\r\n"
            return
        if name == b"CAPABILITY" and squeezes:
            write(b"* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE\r\n")
        write(tag + b" OK done\r\n")
        if name == b"COMPRESS":
            i, o = zlib.decompressobj(-15), zlib.compressobj(wbits=-15)
            held = bytearray()

            def read():
                while b"\n" not in held:
                    held.extend(i.decompress(f.read(4096)))
                line = bytes(held[:held.index(b"\n") + 1])
                del held[:len(line)]
                return line

            def write(text):
                f.write(o.compress(text) + o.flush(zlib.Z_SYNC_FLUSH))


@pytest.mark.parametrize("options", [[], ["-z"]])
def test_idle_refused_and_cut(options):
    with scripted(lambda f, n: idle_talk(f, n, True)) as at, \
            idle("-a", at, "-u", "x", "-p", "x", "-s", 3, *options) as p:
        assert p.stdout.readline() == "ready\n"
        p.stdin.write("wake\ndrop\n")
        assert json.loads(p.stdout.readline())["woken"] == 2
        assert counts(json.loads(p.stdout.readline())) == (0, 1, 2)
        assert p.wait(10) == 0


def test_idle_cannot():
    with scripted(lambda f, n: idle_talk(f, n, False)) as at, \
            idle("-a", at, "-u", "x", "-p", "x", "-z") as p:
        assert p.wait(10) == 1 and "COMPRESS=DEFLATE" in p.stderr.read()
    with idle("-a", f"127.0.0.1:{free_ports(1)[0]}", "-u", "x", "-p", "x") as p:
        assert p.wait(10) == 1 and "refused" in p.stderr.read()


# ---- bench_files

def test_files(tmp_path):
    got = bench("bench_files", "-m", "new", "-d", tmp_path, "-w", 3, "-n", 20, "-l", 5000)
    assert got["done"] == 20 and got["seconds"] > 0 and got["late"] is False
    files = list((tmp_path / "new").iterdir())
    assert len(files) == 20 and all(f.stat().st_size == 5000 for f in files)
    assert list((tmp_path / "tmp").iterdir()) == []
    for args in (["new", "-D", "-d", tmp_path], ["recycled", "-d", tmp_path],
                 ["loopback"], ["tls"]):
        assert bench("bench_files", "-w", 2, "-n", 20, "-m", *args)["done"] == 20
    got = bench("bench_files", "-m", "loopback", "-n", 1000000000, "-x", 1)
    assert got["late"] is True and got["done"] > 0
    bench("bench_files", "-m", "new", "-d", tmp_path / "nowhere", code=1)
    bench("bench_files", "-m", "other", code=1)
