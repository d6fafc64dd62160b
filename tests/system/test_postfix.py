# SPDX-License-Identifier: ISC
"""Against Postfix: its smtp-source and smtp-sink, and a whole instance that
relays to us, takes mail from us and delivers into our LMTP."""

import re
import smtplib
import time

import pytest

from postfix import Package, Postfix, Sink
from server import ROOT, Server, free_ports, letter, wait_for

ROUTES = ("sink", "soft", "hard", "cut", "remote")
needs_root = pytest.mark.skipif(not ROOT, reason="Postfix's master needs root")


@pytest.fixture(scope="module")
def package():
    p = Package()
    try:
        if not p.ok:
            pytest.skip("the package postfix cannot be had")
        yield p
    finally:
        p.remove()


@pytest.fixture(scope="module")
def ports():
    return dict(zip(ROUTES + ("lsink",), free_ports(len(ROUTES) + 1)))


@pytest.fixture(scope="module")
def server(package, ports):
    routes = [f"{r}.test=127.0.0.1:{ports[r]}" for r in ROUTES]
    routes.append(f"lsink.test=lmtp:127.0.0.1:{ports['lsink']}")
    s = Server({"directory": {"routes": routes},
                "server": {"log_level": "info"},
                "queue": {"retry_min": "1s", "retry_max": "2s"}},
               accounts=("alice", "bob", "carol", "dora", "erin", "fred"))
    try:
        yield s.start()
    finally:
        s.remove()


@pytest.fixture
def sink(package, ports):
    made = []

    def make(name, *options):
        made.append(Sink(package, ports[name], *options))
        return made[-1]

    yield make
    for s in made:
        s.stop()


def count(server, user):
    c = server.imap(user, None)
    try:
        return int(c.select("INBOX", True)[1][0])
    finally:
        c.logout()


def all_once(server, user, n):
    """n messages, and no more after a while; each with its own id."""
    wait_for(lambda: count(server, user) >= n, 60, 0.2)
    wait_for(lambda: not server.queue(), 20)
    got = server.messages(user)
    assert len(got) == n
    assert len(set(re.findall(rb"\r\n\tid (\S+)", b"\r\n".join(
        m[:m.index(b"\r\n\r\n")] for m in got)))) == n
    return got


# ---- smtp-source and smtp-sink

def test_source(server, package):
    """Many sessions at once; each message arrives exactly once."""
    package.run("smtp-source", "-s", 20, "-m", 500, "-l", 3000, "-f",
                "x@remote.test", "-t", "dora@example.test",
                f"127.0.0.1:{server.ports['smtp']}")
    got = all_once(server, "dora", 500)
    ids = {re.search(rb"\r\nMessage-Id: (\S+)\r\n", m, re.I)[1] for m in got}
    assert len(ids) == 500


def test_source_one_connection(server, package):
    package.run("smtp-source", "-d", "-s", 5, "-m", 100, "-l", 100000, "-f",
                "x@remote.test", "-t", "erin@example.test",
                f"127.0.0.1:{server.ports['smtp']}")
    all_once(server, "erin", 100)


def test_source_lmtp(server, package):
    package.run("smtp-source", "-L", "-s", 10, "-m", 100, "-l", 3000, "-f",
                "x@remote.test", "-t", "fred@example.test",
                f"127.0.0.1:{server.ports['lmtp']}")
    assert count(server, "fred") == 100, "LMTP's answer means delivered"
    all_once(server, "fred", 100)


def test_source_to_sink(server, package, sink):
    """In by SMTP, out by SMTP."""
    s = sink("sink")
    package.run("smtp-source", "-s", 20, "-m", 300, "-l", 3000, "-f",
                "x@remote.test", "-t", "y@sink.test",
                f"127.0.0.1:{server.ports['smtp']}")
    wait_for(lambda: not server.queue(), 30)
    got = wait_for(lambda: len(m := s.messages()) >= 300 and m, 10)
    assert len(got) == 300
    # smtp-sink writes the envelope and a Received of its own in front.
    assert all(m.count(b"Message-Id:") == 1 and b"X-Rcpt-Args: <y@sink.test>" in m
               and b"by mail.example.test" in m for m in got)
    assert len({re.search(rb"Message-Id: (\S+)", m)[1] for m in got}) == 300


def test_sink_lmtp(server, sink):
    s = sink("lsink", "-L")
    with server.smtp() as c:
        c.sendmail("x@remote.test", ["y@lsink.test"], letter("by lmtp"))
    wait_for(lambda: not server.queue(), 20)
    assert len(s.messages()) == 1 and b"Subject: by lmtp" in s.messages()[0]


@pytest.mark.parametrize("options", [("-e",), ("-p",), ("-8",), ("-F",), ("-E",)],
                         ids=["helo-only", "no-pipelining", "no-8bitmime", "no-xforward",
                              "no-enhanced"])
def test_sink_without(server, sink, options):
    s = sink("sink", *options)
    with server.smtp() as c:
        c.sendmail("x@remote.test", ["y@sink.test"], letter(f"without {options}"))
    wait_for(lambda: not server.queue(), 20)
    assert len(s.messages()) == 1


def test_sink_refuses(server, sink):
    sink("hard", "-f", "rcpt")
    before = count(server, "alice")
    with server.smtp() as c:
        c.sendmail("alice@example.test", ["y@hard.test"], letter("refused"))
    m = server.wait_messages(before + 1, "alice")[-1]
    assert b"Action: failed" in m and b"Diagnostic-Code: smtp; 5" in m
    assert not server.queue()


@pytest.mark.parametrize("name,options", [("soft", ("-r", "data")),
                                          ("cut", ("-q", "mail"))])
def test_sink_is_away_for_a_while(server, package, sink, ports, name, options):
    """Put off, tried again, delivered once; no bounce."""
    s = sink(name, *options)
    before = count(server, "alice")
    with server.smtp() as c:
        c.sendmail("alice@example.test", [f"y@{name}.test"], letter(f"later {name}"))
    time.sleep(1.5)
    assert len(server.queue()) == 1
    s.stop()
    s = sink(name)
    wait_for(lambda: not server.queue(), 20)
    assert sum(b"Subject: later" in m for m in s.messages()) == 1
    assert count(server, "alice") == before


# ---- a whole Postfix

@pytest.fixture(scope="module")
def postfix(server, package, ports):
    p = Postfix(package, ports["remote"],
                (server.folder / "server.pem", server.folder / "server.key"),
                [f"carol@example.test = lmtp:inet:127.0.0.1:{server.ports['lmtp']}",
                 f"nobody2@example.test = lmtp:inet:127.0.0.1:{server.ports['lmtp']}",
                 f"example.test = smtp:[127.0.0.1]:{server.ports['smtp']}"])
    try:
        # LMTP has no STARTTLS here, SMTP must have it.
        with open(p.conf / "main.cf", "a") as f:
            f.write("lmtp_tls_security_level = none\n")
        yield p.start()
    finally:
        p.stop()


def to_postfix(postfix, sender, rcpts, subject, body="Some text.\r\n"):
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30,
                      local_hostname="client.test") as c:
        c.sendmail(sender, rcpts, letter(subject, sender, rcpts[0], body))


def with_subject(messages, subject):
    return [m for m in messages if re.search(
        rb"\r?\nSubject: " + subject.encode() + rb"\r?\n", m)]


@needs_root
def test_relay_to_postfix(server, postfix):
    body = "".join(f".{'.' * i}\r\n" for i in range(50)) + "x" * 900 + "\r\n"
    raw = letter("to postfix", "alice@example.test", "user@remote.test", body)
    with server.submission("alice") as c:
        c.sendmail("alice@example.test", ["user@remote.test"], raw)
    m = wait_for(lambda: with_subject(postfix.messages(), "to postfix"), 30, 0.1)
    assert len(m) == 1
    assert m[0].endswith(body.replace("\r\n", "\n").encode())
    assert b"(using TLSv1.3 with cipher" in m[0], "STARTTLS where it is offered"
    assert b"Return-Path: <alice@example.test>" in m[0]


@needs_root
def test_many_to_postfix(server, package, postfix):
    package.run("smtp-source", "-s", 20, "-m", 200, "-l", 3000, "-f",
                "x@remote.test", "-t", "user@remote.test",
                f"127.0.0.1:{server.ports['smtp']}")
    wait_for(lambda: len(postfix.messages()) >= 200, 60, 0.2)
    wait_for(lambda: not server.queue(), 20)
    got = [m for m in postfix.messages() if b"Return-Path: <x@remote.test>" in m]
    assert len(got) == 200
    assert len({re.search(rb"\nMessage-Id: (\S+)\n", m)[1] for m in got}) == 200


@needs_root
def test_postfix_refuses(server, postfix):
    before = count(server, "alice")
    with server.smtp() as c:
        c.sendmail("alice@example.test", ["nobody@remote.test"], letter("no user"))
    m = server.wait_messages(before + 1, "alice")[-1]
    assert b"\r\nStatus: 5.1.1\r\n" in m and b"User unknown" in m


@needs_root
@pytest.mark.parametrize("user,word", [("bob", b"ESMTPS"), ("carol", b"LMTP")])
def test_postfix_to_us(server, postfix, user, word):
    subject = f"from postfix to {user}"
    to_postfix(postfix, "x@remote.test", [f"{user}@example.test"], subject,
               "Text\r\n.\r\n..\r\n")
    got = wait_for(lambda: with_subject(server.messages(user), subject), 30, 0.2)
    assert len(got) == 1
    assert re.search(rb"\r\nReceived: from mail\.remote\.test .*\r\n\tby mail\.example\.test"
                     rb" \(Veredus\) with " + word + rb"\b", got[0]), got[0][:800]
    assert got[0].endswith(b"\r\n.\r\n..\r\n")


@needs_root
@pytest.mark.parametrize("user", ["bob", "carol"])
def test_many_from_postfix(server, package, postfix, user):
    before = count(server, user)
    package.run("smtp-source", "-s", 20, "-m", 100, "-l", 3000, "-f",
                "x@remote.test", "-t", f"{user}@example.test",
                f"127.0.0.1:{postfix.port}")
    wait_for(lambda: count(server, user) >= before + 100, 60, 0.2)
    time.sleep(0.5)
    assert count(server, user) == before + 100


@needs_root
@pytest.mark.parametrize("user", ["nobody", "nobody2"])
def test_we_refuse_postfix(server, postfix, user):
    """Postfix understands our refusal, by SMTP and LMTP, and bounces at once."""
    subject = f"no {user}"
    to_postfix(postfix, "user@remote.test", [f"{user}@example.test"], subject)
    got = wait_for(lambda: [m for m in with_subject(postfix.messages(), subject)
                            if b"MAILER-DAEMON" in m], 30, 0.2)
    assert b"Status: 5.1.1" in got[0] and b"No such user here" in got[0]


@needs_root
def test_to_and_fro(server, postfix):
    """One letter to both sides; an answer that goes by both."""
    server.command("alias", "add", "both@example.test", "bob@example.test",
                   "user@remote.test")
    to_postfix(postfix, "x@remote.test", ["both@example.test"], "to both")
    wait_for(lambda: with_subject(server.messages("bob"), "to both"), 30, 0.2)
    wait_for(lambda: with_subject(postfix.messages(), "to both"), 30, 0.2)
