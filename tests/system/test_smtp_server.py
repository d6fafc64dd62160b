# SPDX-License-Identifier: ISC
"""The doors of the whole server: port 25 with STARTTLS, 587, 465, LMTP."""

import base64
import hashlib
import hmac
import os
import smtplib
import socket

import pytest

from server import letter, wait_for

STRANGER = "x@remote.test"


def b64(x):
    return base64.b64encode(x).decode()


def scram(c, user, password):
    """SCRAM-SHA-256, RFC 7677: the last reply; checks the server's proof."""
    first = f"n={user},r={b64(os.urandom(9))}"
    code, text = c.docmd("AUTH", "SCRAM-SHA-256 " + b64(f"n,,{first}".encode()))
    assert code == 334, text
    challenge = base64.b64decode(text).decode()
    d = dict(x.split("=", 1) for x in challenge.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                 base64.b64decode(d["s"]), int(d["i"]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    final = "c=biws,r=" + d["r"]
    message = ",".join((first, challenge, final)).encode()
    proof = bytes(x ^ y for x, y in zip(
        client_key, hmac.digest(stored_key, message, "sha256")))
    code, text = c.docmd(b64(f"{final},p={b64(proof)}".encode()))
    if code != 334:
        return code
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    assert base64.b64decode(text) == \
        b"v=" + b64(hmac.digest(server_key, message, "sha256")).encode()
    return c.docmd("")[0]


def test_starttls_on_25(server):
    c = server.smtp()
    c.ehlo("first.test")
    c.starttls(context=server.tls())
    assert c.docmd(f"MAIL FROM:<{STRANGER}>")[0] == 503  # EHLO is forgotten
    assert "starttls" not in (c.ehlo("x.test"), c.esmtp_features)[1]
    before = len(server.messages("carol"))
    c.sendmail(STRANGER, ["carol@example.test"], letter())
    got = server.wait_messages(before + 1, "carol")[-1].decode()
    assert "Return-Path: <x@remote.test>" in got
    assert "with ESMTPS (TLSv1.3" in got


def test_injection(server):
    with socket.create_connection(("127.0.0.1", server.ports["smtp"])) as raw:
        f = raw.makefile("rb")
        assert f.readline().startswith(b"220")
        raw.sendall(b"EHLO x.test\r\n")
        while f.readline()[3:4] == b"-":
            pass
        raw.sendall(b"STARTTLS\r\nRSET\r\nNOOP\r\n")
        assert f.readline().startswith(b"220")
        with server.tls().wrap_socket(raw, server_hostname="localhost") as c:
            c.settimeout(0.5)
            with pytest.raises(TimeoutError):
                c.recv(1)  # neither RSET nor NOOP is answered


def test_recipients(server):
    c = server.smtp()
    c.ehlo("x.test")
    c.docmd(f"MAIL FROM:<{STRANGER}>")
    assert c.docmd("RCPT TO:<bob+list@example.test>")[0] == 250
    assert c.docmd("RCPT TO:<postmaster>")[0] in (250, 550)
    assert c.docmd("RCPT TO:<nobody@example.test>")[0] == 550
    # A new account works as soon as the command has returned.
    server.command("account", "add", "nobody@example.test", stdin="secret-xyz-12\n")
    assert c.docmd("RCPT TO:<nobody@example.test>")[0] == 250


@pytest.mark.parametrize("service", ["submission", "submissions"])
def test_submission(server, service):
    if service == "submission":
        c = smtplib.SMTP("localhost", server.ports[service], timeout=30)
        c.ehlo("x.test")
        assert "auth" not in c.esmtp_features
        c.starttls(context=server.tls())
    else:
        c = smtplib.SMTP_SSL("localhost", server.ports[service],
                             context=server.tls(), timeout=30)
    c.ehlo("x.test")
    assert "SCRAM-SHA-256-PLUS" in c.esmtp_features["auth"]
    assert c.docmd("MAIL FROM:<alice@example.test>")[0] == 530
    assert scram(c, "alice@example.test", "wrong") == 535
    assert scram(c, "alice@example.test", server.password["alice"]) == 235
    assert c.docmd("MAIL FROM:<bob@example.test>")[0] == 553
    before = len(server.messages("bob"))
    c.sendmail("alice@example.test", ["bob@example.test"], letter(headers=[("Bcc", "c@d.test")]))
    got = server.wait_messages(before + 1, "bob")[-1].decode()
    assert "with ESMTPSA" in got and "127.0.0.1" not in got and "Bcc" not in got


def lmtp(server):
    c = smtplib.LMTP("localhost", server.ports["lmtp"], timeout=30)
    c.ehlo("mx.test")
    return c


def deliver(c, recipients, text):
    assert c.docmd(f"MAIL FROM:<{STRANGER}>")[0] == 250
    for r in recipients:
        assert c.docmd(f"RCPT TO:<{r}>")[0] == 250
    assert c.docmd("DATA")[0] == 354
    c.send(text + b".\r\n")
    return [c.getreply()[0] for _ in recipients]


@pytest.mark.parametrize("lines", [1, 40000])
def test_lmtp(server, lines):
    body = "0123456789" * 7 + "\r\n"
    text = letter(body=body * lines)
    before = len(server.messages("bob")), len(server.messages("carol"))
    assert deliver(lmtp(server), ["bob@example.test", "carol@example.test"], text) == [250, 250]
    # What was answered is there: no waiting.
    for user, n in zip(("bob", "carol"), before):
        got = server.messages(user)
        assert len(got) == n + 1 and got[-1].endswith(text)


def test_lmtp_refuses(server):
    c = lmtp(server)
    c.docmd(f"MAIL FROM:<{STRANGER}>")
    assert c.docmd("RCPT TO:<nowhere@example.test>")[0] == 550
    assert c.docmd("RCPT TO:<x@remote.test>")[0] == 550


def test_reload_keeps_sessions(server):
    c = server.smtp()
    c.ehlo("x.test")
    server.options = {"smtpd": {"greeting": "changed"}}
    server.write_conf()
    server.command("reload")
    assert c.noop()[0] == 250
    wait_for(lambda: b"changed" in greeting(server))


def greeting(server):
    with socket.create_connection(("127.0.0.1", server.ports["smtp"])) as c:
        return c.recv(1000)
