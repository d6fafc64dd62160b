# SPDX-License-Identifier: ISC
"""The role access in a whole server: Python's imaplib and poplib and bare
sockets as clients, TLS at once and by STARTTLS, logins of every kind, large
transfers through the carrier, and what clients see when something dies."""

import base64
import hashlib
import hmac
import imaplib
import os
import pathlib
import poplib
import signal
import smtplib
import socket
import time

import pytest

from server import wait_for


class Bare:
    """A client that says exactly what it is told to."""

    def __init__(self, server, service, tls=False):
        self.server = server
        self.sock = socket.create_connection(
            (server.host, server.ports[service]), timeout=20)
        self.data = b""
        if tls:
            self.start_tls()

    def start_tls(self):
        self.sock = self.server.tls().wrap_socket(
            self.sock, server_hostname="localhost")

    def send(self, data):
        self.sock.sendall(data)

    def line(self):
        while b"\r\n" not in self.data:
            more = self.sock.recv(65536)
            if not more:
                raise EOFError(self.data)
            self.data += more
        line, self.data = self.data.split(b"\r\n", 1)
        return line

    def ask(self, text, tag=b"a"):
        """Sends a line; the lines up to the tagged one."""
        self.send(tag + b" " + text + b"\r\n")
        lines = [self.line()]
        while not lines[-1].startswith(tag + b" "):
            lines.append(self.line())
        return lines

    def is_closed(self):
        try:
            return self.data == b"" and self.sock.recv(1) == b""
        except ConnectionError:
            return True

    def close(self):
        self.sock.close()


@pytest.fixture
def bare(server):
    made = []

    def make(service, tls=False):
        made.append(Bare(server, service, tls))
        return made[-1]

    yield make
    for b in made:
        b.close()


def logged_in(server, bare, user="bob"):
    c = bare("imaps", True)
    assert c.line().startswith(b"* OK [CAPABILITY ")
    answer = c.ask(b"LOGIN %s %s" % (server.address(user).encode(),
                                     server.password[user].encode()))
    assert answer[-1].startswith(b"a OK [CAPABILITY "), answer
    return c


def sessions(server):
    return sum(int(r["sessions"]) for r in server.status()
               if r["role"].startswith("access"))


# ---- before the login

def test_no_password_without_tls(bare):
    c = bare("imap")
    greeting = c.line()
    assert b"STARTTLS" in greeting and b"LOGINDISABLED" in greeting
    assert b"AUTH=" not in greeting
    assert c.ask(b"LOGIN bob x")[-1].startswith(b"a NO [PRIVACYREQUIRED]")
    assert c.ask(b"AUTHENTICATE PLAIN")[-1].startswith(
        b"a NO [PRIVACYREQUIRED]")
    p = bare("pop3")
    assert p.line().startswith(b"+OK")
    p.send(b"USER bob\r\n")
    assert p.line().startswith(b"-ERR [AUTH]")


def test_starttls(server):
    c = imaplib.IMAP4(server.host, server.ports["imap"], timeout=20)
    c.host = "localhost"
    c.starttls(server.tls())
    assert "LOGINDISABLED" not in c.capabilities
    c.login(server.address("bob"), server.password["bob"])
    assert c.select()[0] == "OK"
    c.logout()


def test_stls(server):
    p = poplib.POP3(server.host, server.ports["pop3"], timeout=20)
    p.host = "localhost"
    assert "STLS" in p.capa()
    p.stls(server.tls())
    p.user(server.address("bob"))
    p.pass_(server.password["bob"])
    assert p.stat() is not None
    p.quit()


def test_injected_before_tls(bare):
    c = bare("imap")
    c.line()
    c.send(b"a STARTTLS\r\nb NOOP\r\n")
    assert c.line() == b"a OK Begin TLS."
    assert c.data == b""
    c.start_tls()
    # Nothing answers b.
    assert c.ask(b"NOOP", b"c") == [b"c OK Done."]


def test_plain_text_on_a_tls_port(bare):
    c = bare("imaps")
    c.send(b"a NOOP\r\n")
    with pytest.raises((EOFError, ConnectionError)):
        while True:
            c.line()


def test_wrong_password(server, bare):
    c = bare("imaps", True)
    c.line()
    user = server.address("carol").encode()
    for _ in range(4):
        assert c.ask(b"LOGIN %s wrong" % user)[-1].startswith(
            b"a NO [AUTHENTICATIONFAILED]")
    c.send(b"a LOGIN %s wrong\r\n" % user)
    assert c.line().startswith(b"a NO [AUTHENTICATIONFAILED]")
    assert c.line().startswith(b"* BYE")
    assert c.is_closed()
    assert "wrong\"" not in server.tail(100)


def scram(c, user, password, flag=b"n"):
    """RFC 5802, 7677 as a client: the last line, and whether the server has
    proved itself."""
    nonce = base64.b64encode(os.urandom(18))
    first = b"n=" + user + b",r=" + nonce
    c.send(b"a AUTHENTICATE SCRAM-SHA-256 " +
           base64.b64encode(flag + b",," + first) + b"\r\n")
    line = c.line()
    if not line.startswith(b"+ "):
        return line, False
    server_first = base64.b64decode(line[2:])
    f = dict(x.split(b"=", 1) for x in server_first.split(b","))
    assert f[b"r"].startswith(nonce)
    salted = hashlib.pbkdf2_hmac("sha256", password, base64.b64decode(f[b"s"]),
                                 int(f[b"i"]))

    def mac(key, text):
        return hmac.new(key, text, "sha256").digest()

    bare = b"c=" + base64.b64encode(flag + b",,") + b",r=" + f[b"r"]
    message = first + b"," + server_first + b"," + bare
    key = mac(salted, b"Client Key")
    signature = mac(hashlib.sha256(key).digest(), message)
    proof = bytes(a ^ b for a, b in zip(key, signature))
    c.send(base64.b64encode(bare + b",p=" + base64.b64encode(proof)) + b"\r\n")
    line = c.line()
    if not line.startswith(b"+ "):
        return line, False
    proved = base64.b64decode(line[2:]) == b"v=" + base64.b64encode(
        mac(mac(salted, b"Server Key"), message))
    c.send(b"\r\n")
    return c.line(), proved


def test_scram(server, bare):
    c = bare("imaps", True)
    assert b"AUTH=SCRAM-SHA-256-PLUS" in c.line()
    line, proved = scram(c, server.address("bob").encode(),
                         server.password["bob"].encode())
    assert line.startswith(b"a OK ") and proved
    assert c.ask(b"LOGOUT", b"b")[-1].startswith(b"b OK")


def test_scram_wrong(server, bare):
    c = bare("imaps", True)
    c.line()
    line, proved = scram(c, server.address("bob").encode(), b"wrong")
    assert line.startswith(b"a NO [AUTHENTICATIONFAILED]") and not proved


def test_scram_downgrade(server, bare):
    """A client that can bind but was not shown -PLUS has been lied to."""
    c = bare("imaps", True)
    c.line()
    line, _ = scram(c, server.address("bob").encode(),
                    server.password["bob"].encode(), b"y")
    assert not line.startswith(b"a OK")


def test_no_channel_binding(own_server):
    """Where -PLUS is not offered, who says that it was not tells the truth."""
    s = own_server({"server": {"channel_binding": "no"}})
    bob, password = s.address("bob").encode(), s.password["bob"].encode()
    for flag in (b"n", b"y"):
        c = Bare(s, "imaps", True)
        assert b"-PLUS" not in c.line()
        assert b"-PLUS" not in b"".join(c.ask(b"CAPABILITY", b"c"))
        line, proved = scram(c, bob, password, flag)
        assert line.startswith(b"a OK ") and proved
    c = Bare(s, "imaps", True)
    c.line()
    c.send(b"a AUTHENTICATE SCRAM-SHA-256-PLUS eA==\r\n")
    assert c.line().startswith(b"a NO")
    c = Bare(s, "pop3s", True)
    c.line()
    c.send(b"CAPA\r\n")
    while (line := c.line()) != b".":
        assert b"-PLUS" not in line
    with smtplib.SMTP_SSL("localhost", s.ports["submissions"], context=s.tls(), timeout=30) as m:
        m.ehlo("x.test")
        assert m.esmtp_features["auth"].split() == ["SCRAM-SHA-256", "LOGIN", "PLAIN"]
        assert m.docmd("AUTH SCRAM-SHA-256-PLUS eA==")[0] == 504


def test_sasl_plain_and_login(server, bare):
    user = server.address("bob").encode()
    password = server.password["bob"].encode()
    c = bare("imaps", True)
    c.line()
    c.send(b"a AUTHENTICATE LOGIN\r\n")
    assert c.line().startswith(b"+ ")
    c.send(base64.b64encode(user) + b"\r\n")
    assert c.line().startswith(b"+ ")
    c.send(base64.b64encode(password) + b"\r\n")
    assert c.line().startswith(b"a OK ")
    p = bare("pop3s", True)
    p.line()
    p.send(b"AUTH PLAIN\r\n")
    assert p.line() == b"+ "
    p.send(base64.b64encode(b"\0" + user + b"\0" + password) + b"\r\n")
    assert p.line().startswith(b"+OK")
    p.send(b"QUIT\r\n")
    assert p.line().startswith(b"+OK")


def test_everything_at_once(server, bare):
    c = bare("imaps", True)
    c.send(b"a LOGIN {%d+}\r\n%s {%d+}\r\n%s\r\nb SELECT INBOX\r\nc LOGOUT\r\n"
           % (len(server.address("bob")), server.address("bob").encode(),
              len(server.password["bob"]), server.password["bob"].encode()))
    lines = []
    with pytest.raises((EOFError, ConnectionError)):
        while True:
            lines.append(c.line())
    tagged = [l.split()[:2] for l in lines if not l.startswith(b"*")]
    assert tagged == [[b"a", b"OK"], [b"b", b"OK"], [b"c", b"OK"]]


# ---- the carrier

def test_large_messages(server):
    body = os.urandom(3 << 20).hex().encode()
    text = b"Subject: large\r\n\r\n" + b"\r\n".join(
        body[i:i + 76] for i in range(0, len(body), 76)) + b"\r\n"
    c = server.imap("alice")
    assert c.append("INBOX", None, None, text)[0] == "OK"
    assert c.select()[0] == "OK"
    typ, data = c.fetch("1", "(BODY.PEEK[])")
    assert typ == "OK" and data[0][1] == text
    c.logout()
    p = server.pop3("alice")
    got = b"\r\n".join(p.retr(1)[1]) + b"\r\n"
    assert got == text
    p.quit()


def test_slow_reader(server, bare):
    """Twenty copies of six megabytes are asked for and not read: they wait in
    the owner, not in access."""
    c = logged_in(server, bare, "alice")
    c.ask(b"SELECT INBOX", b"b")
    c.send(b"c FETCH 1 BODY.PEEK[]\r\n" * 20)
    time.sleep(1)
    for pid in server.pids("access"):
        with open(f"/proc/{pid}/statm") as f:
            assert int(f.read().split()[1]) * 4096 < 64 << 20
    done = 0
    while done < 20:
        done += c.line().startswith(b"c OK")


def test_half_closed(server, bare):
    """A client that says only that it sends no more gets its answers. (Plain
    sockets would; under TLS Python cannot, so the end comes rudely.)"""
    c = logged_in(server, bare)
    before = sessions(server)
    assert before >= 1
    c.close()
    wait_for(lambda: sessions(server) == before - 1)


# ---- ends

def owners(server):
    out = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as f:
                    stat = f.read()
            except OSError:
                continue
            if int(stat.rsplit(")", 1)[1].split()[1]) in server.pids("template") \
                    + server.pids("broker") + server.pids("master") \
                    + [server.process.pid] and "(owner)" in stat:
                out.append(int(name))
    return [p for p in out if p not in server.pids("template")]


def test_owner_killed(server, bare):
    c = logged_in(server, bare)
    assert c.ask(b"SELECT INBOX", b"b")[-1].startswith(b"b OK")
    for pid in owners(server):
        os.kill(pid, signal.SIGKILL)
    assert c.line().startswith(b"* BYE [UNAVAILABLE]")
    assert c.is_closed()
    # And there is a new one at once.
    logged_in(server, bare)


def test_owner_does_not_answer(own_server):
    """One that is to end, for there is room for one only, and does not."""
    server = own_server({"mailbox": {"owners": "1"}})
    server.imap("bob").logout()
    stuck = owners(server)
    assert len(stuck) == 1
    os.kill(stuck[0], signal.SIGSTOP)
    server.imap("alice").logout()
    wait_for(lambda: not pathlib.Path(f"/proc/{stuck[0]}").exists(), 15)
    server.imap("bob").logout()
    assert "event=owner_timeout" in server.log.read_text()


def test_auth_away(server, bare):
    c = bare("imaps", True)
    c.line()
    (pid,) = server.pids("auth")
    os.kill(pid, signal.SIGSTOP)
    try:
        c.send(b"a LOGIN %s x\r\n" % server.address("bob").encode())
        os.kill(pid, signal.SIGKILL)
        assert c.line().startswith(b"a NO [UNAVAILABLE]")
    finally:
        wait_for(lambda: server.pids("auth") != [pid])

    def again():
        return c.ask(b"LOGIN %s %s" % (
            server.address("bob").encode(),
            server.password["bob"].encode()))[-1].startswith(b"a OK")

    wait_for(again)


def test_stop(own_server):
    server = own_server()
    before, session = Bare(server, "imaps", True), None
    before.line()
    session = logged_in(server, lambda *a: Bare(server, *a))
    pop3 = server.pop3("bob")
    start = time.monotonic()
    server.stop()
    assert time.monotonic() - start < 15
    assert before.line().startswith(b"* BYE [UNAVAILABLE]")
    assert session.line().startswith(b"* BYE [UNAVAILABLE]")
    pop3.close()
    session.close()
    before.close()


def test_crowded(own_server):
    server = own_server({"access": {"connections_per_client": 3}})
    made = [Bare(server, "imap") for _ in range(3)]
    for c in made:
        assert c.line().startswith(b"* OK")
    c = Bare(server, "imap")
    assert c.line().startswith(b"* BYE [LIMIT]")
    c.close()
    p = Bare(server, "pop3")
    assert p.line().startswith(b"-ERR [SYS/TEMP]")
    p.close()
    made.pop().close()

    def another():
        c = Bare(server, "imap")
        made.append(c)
        return c.line().startswith(b"* OK")

    wait_for(another)
    for c in made:
        c.close()


def test_what_idle_clients_cost(own_server):
    server = own_server({"access": {"connections_per_client": 10000},
                         "server": {"processes": 1}})
    (pid,) = server.pids("access")

    def rss():
        with open(f"/proc/{pid}/statm") as f:
            return int(f.read().split()[1]) * 4096

    def open_some(n):
        return [logged_in(server, lambda *a: Bare(server, *a))
                for _ in range(n)]

    made = open_some(20)
    before = rss()
    made += open_some(200)
    each = (rss() - before) / 200
    print(f"{each:.0f} bytes of access for each idle TLS session")
    assert each < 64 << 10
    for c in made:
        c.close()
    wait_for(lambda: sessions(server) == 0)
