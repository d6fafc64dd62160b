# SPDX-License-Identifier: ISC
"""The whole server with Python's own clients: a letter's way in and out,
aliases, bounces, the administrator's command, reload and restart."""

import imaplib
import json
import re
import smtplib
import time

import pytest

from server import letter, wait_for


def test_smtp_to_imap_and_pop3(server):
    with server.smtp() as c:
        c.sendmail("stranger@remote.test", ["bob@example.test"],
                   letter("in by smtp", "stranger@remote.test"))
    got = server.wait_messages(1)
    assert b"Subject: in by smtp\r\n" in got[-1]
    assert got[-1].startswith(b"Return-Path: <stranger@remote.test>\r\n")
    assert b"\r\nDelivered-To: bob@example.test\r\n" in got[-1]
    assert re.search(rb"\r\nReceived: from .*\r\n(\t.*\r\n)*\tby mail.example.test", got[-1])
    p = server.pop3()
    n = p.stat()[0]
    assert b"Subject: in by smtp" in p.retr(n)[1]
    p.quit()


def test_submission(server):
    before = len(server.messages())
    with server.submission("alice") as c:
        c.sendmail("alice@example.test", ["bob@example.test"],
                   b"From: alice@example.test\r\nTo: bob@example.test\r\n"
                   b"Bcc: secret@example.test\r\nSubject: fixed up\r\n\r\nx\r\n")
    got = server.wait_messages(before + 1)[-1]
    assert b"\r\nDate: " in got and b"\r\nMessage-ID: <" in got
    assert b"Bcc" not in got
    assert b"127.0.0.1" not in got, "the user's address is hidden"


def test_plus_address_and_case(server):
    before = len(server.messages())
    with server.smtp() as c:
        c.sendmail("x@remote.test", ["BOB+tag@Example.TEST"], letter("plus"))
    assert b"Subject: plus" in server.wait_messages(before + 1)[-1]


@pytest.mark.parametrize("rcpt,code,enhanced", [
    ("nobody@example.test", 550, b"5.1.1"),
    ("someone@elsewhere.test", None, None),
])
def test_recipients(server, rcpt, code, enhanced):
    with server.smtp() as c:
        c.ehlo()
        c.mail("x@remote.test")
        got = c.rcpt(rcpt)
        if code:
            assert got[0] == code and got[1].startswith(enhanced)
        else:  # the tests' own network is trusted to relay
            assert got[0] == 250


def test_alias_to_several(server):
    server.command("alias", "add", "team@example.test", "alice@example.test",
                   "bob@example.test", "carol@example.test")
    counts = {u: len(server.messages(u)) for u in ("alice", "bob", "carol")}
    with server.smtp() as c:
        c.sendmail("x@remote.test", ["team@example.test"], letter("to the team"))
    for u, n in counts.items():
        assert b"Subject: to the team" in server.wait_messages(n + 1, u)[-1]


def test_alias_loop_is_told(server):
    server.command("alias", "add", "a1@example.test", "a2@example.test")
    server.command("alias", "add", "a2@example.test", "a1@example.test")
    before = len(server.messages("alice"))
    with server.smtp() as c:
        c.sendmail("alice@example.test", ["a1@example.test"], letter("loop"))
    got = server.wait_messages(before + 1, "alice")[-1]
    assert b"multipart/report" in got and b"5.4.6" in got


def test_bounce(server):
    """What is found undeliverable only after it was accepted: the sender hears."""
    server.command("alias", "add", "via@example.test", "ghost@example.net.test")
    before = len(server.messages("alice"))
    with server.smtp() as c:
        c.ehlo()
        c.mail("alice@example.test", ["ENVID=qq1"])
        assert c.rcpt("via@example.test", ["ORCPT=rfc822;old@example.test"])[0] == 250
        assert c.data(letter("to nobody"))[0] == 250
    got = server.wait_messages(before + 1, "alice")[-1]
    assert b"Return-Path: <>" in got
    assert b"Content-Type: multipart/report" in got
    assert b"Action: failed" in got and b"5.1.1" in got
    assert b"Original-Envelope-Id: qq1" in got
    assert b"Original-Recipient: rfc822;old@example.test" in got
    assert b"Auto-Submitted: auto-replied" in got
    assert b"Subject: to nobody" in got


def test_null_sender_is_never_answered(server):
    server.command("alias", "add", "void@example.test", "ghost@example.net.test")
    with server.smtp() as c:
        c.ehlo()
        c.mail("<>")
        assert c.rcpt("void@example.test")[0] == 250
        assert c.data(letter("void"))[0] == 250
    wait_for(lambda: not server.queue(), 20)
    # The postmaster hears of it (RFC 5321 6.1).
    assert "event=notice" in server.log.read_text()


def test_large_message(server):
    body = "".join(f"{i:08d} {'x' * 60}\r\n" for i in range(40000))
    before = len(server.messages())
    raw = letter("large", body=body)
    with server.smtp() as c:
        c.sendmail("x@remote.test", ["bob@example.test"], raw)
    got = server.wait_messages(before + 1, seconds=60)[-1]
    assert got.endswith(raw)


def test_account_commands(server):
    rows = json.loads(server.command("account", "list", "--json").stdout)
    assert {"alice@example.test", "bob@example.test"} <= {r["address"] for r in rows}
    server.command("account", "add", "dave@example.test", stdin="first-secret\n")
    server.password["dave"] = "first-secret"
    server.imap("dave").logout()
    server.command("account", "passwd", "dave@example.test", stdin="second-secret\n")
    with pytest.raises(imaplib.IMAP4.error):
        server.imap("dave")
    server.password["dave"] = "second-secret"
    server.imap("dave").logout()
    server.command("account", "disable", "dave@example.test")
    with pytest.raises(imaplib.IMAP4.error):
        server.imap("dave")
    with server.smtp() as c:
        c.ehlo()
        c.mail("x@remote.test")
        assert c.rcpt("dave@example.test")[0] == 550
    server.command("account", "enable", "dave@example.test")
    server.imap("dave").logout()
    server.command("account", "remove", "dave@example.test")
    with server.smtp() as c:
        c.ehlo()
        c.mail("x@remote.test")
        assert c.rcpt("dave@example.test") == (550, b"5.1.1 No such user here")


def test_new_account_is_known_at_once(server):
    """No front remembers longer than the command takes that it was unknown."""
    for i in range(5):
        with server.smtp() as c:
            c.ehlo()
            c.mail("x@remote.test")
            assert c.rcpt(f"new{i}@example.test")[0] == 550
        server.command("account", "add", f"new{i}@example.test", stdin="pw-pw-pw\n")
        with server.smtp() as c:
            c.ehlo()
            c.mail("x@remote.test")
            assert c.rcpt(f"new{i}@example.test")[0] == 250


def test_trace(server):
    with server.smtp() as c:
        c.ehlo()
        c.mail("x@remote.test")
        c.rcpt("carol@example.test")
        reply = c.data(letter("traced"))[1].decode()
    queue_id = reply.split()[-1]
    wait_for(lambda: "event=done" in server.command("trace", queue_id, check=False).stdout)
    text = server.command("trace", queue_id).stdout
    for event in ("connect", "accepted", "queued", "placed", "delivered", "done"):
        assert f"event={event} " in text, text
    assert "traced" not in text, "no subject in the log"


def test_status_names_every_role(server):
    rows = server.status()
    names = {r["role"].split("[")[0] for r in rows}
    assert names == {"master", "smtpd", "submission", "lmtp", "access", "pickup",
                     "relay", "queue", "broker", "template", "directory", "auth",
                     "keys", "state", "resolver"}


def test_reload_keeps_sessions(server):
    c = server.imap("alice")
    server.options["smtpd"] = {"greeting": "ESMTP changed"}
    server.write_conf()
    assert server.command("reload").stdout.strip() == "reloaded"
    assert c.noop()[0] == "OK"
    c.logout()
    with smtplib.SMTP() as s:
        assert b"changed" in s.connect(server.host, server.ports["smtp"])[1]


def test_broken_configuration_changes_nothing(server):
    good = server.conf.read_text()
    server.conf.write_text(good + "\nsmtpd { greetin = \"x\" }\n")
    p = server.command("reload", check=False)
    assert p.returncode == 78
    assert "did you mean \"greeting\"" in p.stderr
    server.conf.write_text(good)
    with server.smtp() as c:
        assert c.noop()[0] == 250
    assert server.command("reload").returncode == 0


def test_restart_keeps_mail_and_queue(server):
    n = len(server.messages())
    with server.smtp() as c:
        c.sendmail("x@remote.test", ["bob@example.test"], letter("before restart"))
    server.restart()
    got = server.wait_messages(n + 1)
    assert b"Subject: before restart" in got[-1]


def test_account_command_with_the_server_stopped(server):
    server.stop()
    server.command("account", "add", "erin@example.test", stdin="pw-erin-pw\n")
    p = server.command("account", "list", "--json")
    assert "erin@example.test" in p.stdout
    server.password["erin"] = "pw-erin-pw"
    server.start()
    server.imap("erin").logout()


def test_idle_hears_of_new_mail(server):
    c = server.imap("carol")
    tag = c._new_tag()
    c.send(tag + b" IDLE\r\n")
    assert c.readline().startswith(b"+")
    t = time.monotonic()
    with server.smtp() as s:
        s.sendmail("x@remote.test", ["carol@example.test"], letter("idle"))
    c.sock.settimeout(10)
    line = c.readline()
    while b"EXISTS" not in line:
        line = c.readline()
    assert time.monotonic() - t < 10
    c.send(b"DONE\r\n")
    while not line.startswith(tag):
        line = c.readline()
    c.logout()
