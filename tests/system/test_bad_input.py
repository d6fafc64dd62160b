# SPDX-License-Identifier: ISC
"""Wrong commands, arguments, literals and orders over every protocol: the
right refusal, and then the same connection goes on (or, where the row says so,
was closed with the right last words). One server for all rows; one connection
for each service, renewed only where a row closed it."""

import base64
import re
import socket
import time

import pytest

from server import Server, letter

USER = "alice@example.test"


def b64(text):
    return base64.b64encode(text.encode()).decode()


class Wire:
    """Bytes to and from a server."""

    def __init__(self, server, port, tls=False):
        self.server = server
        self.sock = socket.create_connection(("127.0.0.1", server.ports[port]), 15)
        self.left = b""
        if tls:
            self.start_tls()

    def start_tls(self):
        assert not self.left, f"plain text before TLS: {self.left}"
        self.sock = self.server.tls().wrap_socket(self.sock, server_hostname="localhost")

    def send(self, data):
        try:
            self.sock.sendall(data if isinstance(data, bytes) else data.encode() + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # the last words are still to be read

    def line(self):
        """A line without CRLF; empty at the end of the connection."""
        while b"\r\n" not in self.left:
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return ""
            self.left += more
        line, self.left = self.left.split(b"\r\n", 1)
        return line.decode("utf-8", "replace")

    def is_closed(self):
        """Nothing more comes, at once."""
        return self.line() == ""

    def close(self):
        self.sock.close()


class Smtp(Wire):
    hello = "EHLO client.test"

    def reply(self):
        line = self.line()
        while line[3:4] == "-":
            line = self.line()
        return line

    def ask(self, text):
        self.send(text)
        return self.reply()

    def begin(self):
        """Before each row: nothing of the last one counts."""
        got = self.ask(self.hello)
        assert got.startswith("250 "), got

    def is_alive(self):
        return self.ask("NOOP").startswith("250 2.0.0")


class Lmtp(Smtp):
    hello = "LHLO client.test"


class Imap(Wire):
    def reply(self):
        while (line := self.line()) and line.startswith("* ") and \
                not line.startswith(("* BYE", "* BAD")):
            pass
        return line

    def ask(self, text):
        self.send(text)
        return self.reply()

    def begin(self):
        pass

    def is_alive(self):
        return self.ask("zz NOOP").startswith("zz OK")


class Pop3(Wire):
    def reply(self):
        return self.line()

    def ask(self, text):
        self.send(text)
        return self.reply()

    def begin(self):
        pass

    def is_alive(self):
        self.send("CAPA")
        line = self.line()
        ok = line.startswith("+OK")
        while line and line != ".":
            line = self.line()
        return ok and line == "."


def smtp_new(server):
    c = Smtp(server, "smtp")
    assert c.reply().startswith("220 ")
    return c


def submission_plain(server):
    c = Smtp(server, "submission")
    assert c.reply().startswith("220 ")
    return c


def submission_tls(server):
    c = submission_plain(server)
    c.begin()
    assert c.ask("STARTTLS").startswith("220 2.0.0")
    c.start_tls()
    return c


def submission(server):
    c = submission_tls(server)
    c.begin()
    got = c.ask("AUTH PLAIN " + b64(f"\0{USER}\0{server.password['alice']}"))
    assert got.startswith("235 2.7.0"), got
    return c


def lmtp(server):
    c = Lmtp(server, "lmtp")
    assert c.reply().startswith("220 ")
    return c


def imap_plain(server):
    c = Imap(server, "imap")
    assert c.line().startswith("* OK [CAPABILITY ")
    return c


def imap_tls(server):
    c = Imap(server, "imaps", True)
    assert c.line().startswith("* OK [CAPABILITY ")
    return c


def imap_auth(server):
    c = imap_tls(server)
    assert c.ask(f"a LOGIN {USER} {server.password['alice']}").startswith("a OK")
    return c


def imap(server):
    c = imap_auth(server)
    assert c.ask("a SELECT INBOX").startswith("a OK [READ-WRITE]")
    return c


def pop3_plain(server):
    c = Pop3(server, "pop3")
    assert c.line().startswith("+OK ")
    return c


def pop3_tls(server):
    c = Pop3(server, "pop3s", True)
    assert c.line().startswith("+OK ")
    return c


def pop3(server):
    c = pop3_tls(server)
    assert c.ask("USER carol@example.test").startswith("+OK")
    assert c.ask("PASS " + server.password["carol"]).startswith("+OK 3 messages")
    return c


def fresh(make):
    """A service whose rows each need a connection that nobody spoke on."""
    def made(server):
        return make(server)
    made.is_fresh = True
    return made


SERVICES = {
    "smtp": smtp_new, "smtp-new": fresh(smtp_new),
    "submission-plain": submission_plain, "submission-tls": submission_tls,
    "submission": submission,
    "lmtp": lmtp, "lmtp-new": fresh(lmtp),
    # Before the login few errors are borne: each row has its own connection.
    "imap-plain": fresh(imap_plain), "imap-tls": fresh(imap_tls),
    "imap-auth": imap_auth, "imap": imap,
    "pop3-plain": fresh(pop3_plain), "pop3-tls": fresh(pop3_tls), "pop3": pop3,
}

CLOSED = object()
MAIL, RCPT = "MAIL FROM:<x@remote.test>", "RCPT TO:<bob@example.test>"
OK, DATA_OK = "250 2", "354 "
# A message that was smuggled in is refused, and so is its bearer. The empty
# step sends nothing.
GONE = (b"", "421 4.7.0", CLOSED)
LONG = "x" * 3000


def smtp_common(service):
    """What every SMTP server refuses alike."""
    return [(service, *row) for row in [
        ("FOO", "500 5.5.2"),
        ("", "500 5.5."),
        (" NOOP", "500 5.5."),
        ("NOOPX", "500 5.5.2"),
        (b"\x00\x00\r\n", "500 5.5."),
        (b"\xff\xfe\xfd\r\n", "500 5.5."),
        (b"NOOP \x00\r\n", "50[01] 5.5.2"),
        ("MAIL", "501 5.5."),
        ("MAIL x@remote.test", "501 5.5."),
        ("MAIL TO:<x@remote.test>", "501 5.5."),
        ("MAIL FROM:", "501 5."),
        ("MAIL FROM:<x@remote.test", "501 5."),
        ("MAIL FROM:<x y@remote.test>", "501 5."),
        ("MAIL FROM:<@>", "501 5."),
        ("MAIL FROM:<x@>", "553 5.1.7"),
        ("MAIL FROM:<x@remote..test>", "553 5.1.7"),
        ("MAIL FROM:<" + "l" * 300 + "@remote.test>", "553 5.1.7"),
        ("MAIL FROM:<x@" + "d" * 300 + ".test>", "553 5.1.7"),
        ("MAIL FROM:<x@[1.2.3.999]>", "553 5.1.7"),
        (MAIL + " FOO=1", "555 5.5.4"),
        (MAIL + " SIZE=1 SIZE=2", "501 5.5.4"),
        (MAIL + " BODY=8BITMIME BODY=7BIT", "501 5.5.4"),
        (MAIL + " SIZE=", "501 5.5.4"),
        (MAIL + " SIZE=-1", "501 5.5.4"),
        (MAIL + " SIZE=1x", "501 5.5.4"),
        (MAIL + " SIZE=99999999999999999999999", "5(01 5.5.4|52 5.3.4)"),
        (MAIL + " SIZE=70000000000", "552 5.3.4"),
        (MAIL + " BODY=9BIT", "501 5.5.4"),
        (MAIL + " RET=SOME", "501 5.5.4"),
        (MAIL + " ENVID=a+b", "501 5.5.4"),
        (MAIL + " SMTPUTF8=yes", "501 5.5.4"),
        ("MAIL FROM:<\xe9@remote.test>", "55[03] 5.6.7|501 5|553 5"),
        (RCPT, "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("BDAT 0 LAST", "503 5.5.1"),
        (b"BDAT 5 LAST\r\nNOOP\n", "503 5.5.1"),
        # Where the next command begins nobody can tell.
        ("BDAT", "521 5.5.4", CLOSED),
        ("BDAT x LAST", "521 5.5.4", CLOSED),
        ("BDAT 1 FIRST", "521 5.5.4", CLOSED),
        ("BDAT -1 LAST", "521 5.5.4", CLOSED),
        ("RSET now", "501 5.5.4"),
        (MAIL, OK, MAIL, "503 5.5.1"),
        (MAIL, OK, "DATA", "503 5.5.1"),
        (MAIL, OK, "RCPT", "501 5.5."),
        (MAIL, OK, "RCPT TO:<>", "501 5.|55[03] 5"),
        (MAIL, OK, "RCPT TO:<nobody@example.test>", "550 5.1.1", "DATA", "503 5.5.1"),
        (MAIL, OK, RCPT + " NOTIFY=NEVER,FAILURE", "501 5.5.4"),
        (MAIL, OK, RCPT + " NOTIFY=SOON", "501 5.5.4"),
        (MAIL, OK, RCPT + " ORCPT=x", "501 5.5.4"),
        (MAIL, OK, RCPT + " NOTIFY=NEVER NOTIFY=NEVER", "501 5.5.4"),
        (MAIL, OK, RCPT + " FOO", "555 5.5.4"),
        (MAIL, OK, RCPT, OK, "DATA now", "501 5.5.4", "RSET", OK),
        (MAIL + " BODY=BINARYMIME", OK, RCPT, OK, "DATA", "503 5.5.1"),
        ("NOOP " + LONG, "500 5.5.6"),
        ("NOOP " + "x" * 100000, "500 5.5.6"),
        (b"NOOP\nNOOP\r\n", "500 5.5.2", CLOSED),
        (b"NOOP\rNOOP\r\n", "500 5.5.2", CLOSED),
        (b"QUIT\n", "500 5.5.2", CLOSED),
        ("QUIT", "221 2.0.0", CLOSED),
    ]]


SMTP = smtp_common("smtp") + smtp_common("lmtp") + [
    ("smtp", MAIL, OK, RCPT, OK, "DATA", DATA_OK,
     b"x\r\n.\nMAIL FROM:<evil@remote.test>\r\n.\r\n", "550 5.6.0", *GONE),
    ("smtp", MAIL, OK, RCPT, OK, "DATA", DATA_OK,
     b"x\n.\r\nx\r\n.\r\n", "550 5.6.0", *GONE),
    ("smtp", MAIL, OK, RCPT, OK, "DATA", DATA_OK,
     b"x\r\n.\rx\r\n.\r\n", "550 5.6.0", *GONE),
    ("smtp", MAIL, OK, RCPT, OK, "DATA", DATA_OK,
     b"x\r\n\r\n" + b"y" * 70000 + b"\r\n" * 3 + b".\r\n", "250 2"),
    ("smtp", MAIL, OK, RCPT, OK, b"BDAT 5\r\nabc\r\n", OK, "DATA", "503 5.5.1",
     "RSET", OK),
    ("smtp", MAIL, OK, RCPT, OK, b"BDAT 5\r\nabc\r\n", OK, RCPT, "503 5.5.1",
     "RSET", OK),
    ("smtp", MAIL, OK, RCPT, OK, "BDAT 99999999999999999999 LAST", "521 5.5.4", CLOSED),
    ("smtp", MAIL + " BODY=7BIT", OK, RCPT, OK, b"BDAT 3 LAST\r\nx\r\n", "250 2"),
    ("smtp", MAIL, OK, "RCPT TO:<bob@example.test>", OK,
     "RCPT TO:<bob@example.test> NOTIFY=", "501 5.5.4", "RSET", OK),
    ("smtp", "EHLO", "501 5.5."),
    ("smtp", "HELO", "501 5.5."),
    ("smtp", "EHLO a b", "501 5.5."),
    ("smtp", "LHLO client.test", "500 5.5.1"),
    ("smtp", "HELO client.test", "250 ", MAIL + " SIZE=1", "555 5.5.4"),
    ("smtp", "AUTH PLAIN", "50[23] 5.5.1"),
    ("smtp", "STARTTLS now", "501 5.5.4"),
    ("smtp", MAIL, OK, "STARTTLS", "503 5.5.1"),
    ("smtp", "EXPN list", "252 2.5.2|502 5"),
    ("smtp", "VRFY", "501 5.5."),
    ("smtp", MAIL, OK, *("RCPT TO:<bob@example.test>", OK) * 100, RCPT,
     "452 4.5.3", "RSET", OK),
    ("smtp-new", MAIL, "503 5.5.1"),
    ("smtp-new", RCPT, "503 5.5.1"),
    ("smtp-new", "GET / HTTP/1.1", "421 4.7.0", CLOSED),
    ("smtp-new", "POST /x HTTP/1.0", "421 4.7.0", CLOSED),
    ("lmtp-new", MAIL, "503 5.5.1"),
    ("lmtp", "EHLO client.test", "500 5.5.1"),
    ("lmtp", "HELO client.test", "500 5.5.1"),
    ("lmtp", "AUTH PLAIN", "50[0-3] 5.5.1"),
    ("lmtp", "LHLO", "501 5.5."),
    ("lmtp", MAIL, OK, "RCPT TO:<x@elsewhere.test>", "550 5.1.1"),
    ("lmtp", MAIL, OK, "RCPT TO:<bob@example.test>", OK,
     "RCPT TO:<nobody@example.test>", "550 5.1.1", "DATA", DATA_OK,
     b"x\r\n.\nMAIL FROM:<evil@remote.test>\r\n.\r\n", "550 5.6.0", *GONE),
]

SUBMISSION = [
    ("submission-plain", "MAIL FROM:<alice@example.test>", "530 5.7.0"),
    ("submission-plain", "AUTH PLAIN " + b64("\0a\0b"), "5(30|38) 5.7"),
    ("submission-plain", RCPT, "503 5.5.1|530 5.7.0"),
    ("submission-plain", "DATA", "503 5.5.1|530 5.7.0"),
    ("submission-plain", "STARTTLS x", "501 5.5.4"),
    ("submission-tls", "STARTTLS", "503 5.5.1"),
    ("submission-tls", "MAIL FROM:<alice@example.test>", "530 5.7.0"),
    ("submission-tls", "AUTH", "501 5.5.4"),
    ("submission-tls", "AUTH FOO", "504 5.5.4"),
    ("submission-tls", "AUTH PLAIN !!!!", "501 5.5.2"),
    ("submission-tls", "AUTH PLAIN YQ", "501 5.5.2"),
    ("submission-tls", "AUTH PLAIN =", "5(01|35) 5"),
    ("submission-tls", "AUTH PLAIN " + b64("no nul here"), "501 5.5.2"),
    ("submission-tls", "AUTH PLAIN", "334 ", "*", "501 5.7.0"),
    ("submission-tls", "AUTH PLAIN", "334 ", "not base64!", "501 5.5.2"),
    ("submission-tls", "AUTH PLAIN", "334 ", "", "5(01|35) 5"),
    ("submission-tls", "AUTH LOGIN", "334 ", "*", "501 5.7.0"),
    ("submission-tls", "AUTH LOGIN", "334 ", b64(USER), "334 ", "*", "501 5.7.0"),
    ("submission-tls", "AUTH LOGIN", "334 ", "%%%", "501 5.5.2"),
    ("submission-tls", "AUTH SCRAM-SHA-256", "334 ", b64("n,,n=x"), "5(01|35) 5"),
    ("submission-tls", "AUTH SCRAM-SHA-256 " + b64("p=foo,,n=a,r=b"), "5(01|35) 5"),
    ("submission-tls", "AUTH SCRAM-SHA-256 " + b64(f"n,,n={USER},r=abcdef"), "334 ",
     "*", "501 5.7.0"),
    ("submission-tls", "AUTH SCRAM-SHA-256 " + b64(f"n,,n={USER},r=abcdef"), "334 ",
     b64("c=biws,r=other,p=AAAA"), "5(01|35) 5"),
    ("submission-tls", "AUTH PLAIN " + "A" * 13000, "500 5.5.6"),
    ("submission-tls", "AUTH PLAIN", "334 ", "A" * 20000, "500 5.5.6"),
    ("submission-tls", "AUTH PLAIN " + b64(f"\0{USER}\0wrong"), "535 5.7.8"),
    ("submission", "AUTH PLAIN " + b64("\0a\0b"), "503 5.5.1"),
    ("submission", "STARTTLS", "503 5.5.1"),
    ("submission", "MAIL FROM:<bob@example.test>", "55[03] 5.7.1"),
    ("submission", "MAIL FROM:<alice@example.test> FOO=1", "555 5.5.4"),
    ("submission", "MAIL FROM:<alice@example.test> AUTH=", "501 5.5.4"),
    ("submission", "MAIL FROM:<alice@example.test> SIZE=70000000000", "552 5.3.4"),
    ("submission", "MAIL FROM:<alice@example.test>", OK,
     "RCPT TO:<nobody@example.test>", "550 5.1.1", "RSET", OK),
    ("submission", "MAIL FROM:<alice@example.test>", OK, RCPT, OK, "DATA", DATA_OK,
     b"x\n.\r\nx\r\n.\r\n", "550 5.6.0", *GONE),
    ("submission", b"NOOP\nMAIL FROM:<alice@example.test>\r\n", "500 5.5.2", CLOSED),
    ("submission", "LHLO client.test", "500 5.5.1"),
]


def imap_common(service):
    """What IMAP refuses in every state."""
    return [(service, *row) for row in [
        ("a FOO", "a BAD"),
        ("a", "(a|\\*) BAD"),
        ("", "\\* BAD"),
        (" NOOP", "\\* BAD"),
        ("a  NOOP", "a BAD"),
        ("a NOOP x", "a BAD"),
        ("a+ NOOP", "\\* BAD"),
        ("( NOOP", "\\* BAD"),
        (b"a NOOP\x00\r\n", "(a|\\*) BA?[DY]"),
        ("a LOGOUT now", "a BAD"),
        ("a ID foo", "a BAD"),
        ("a ID (\"x\"", "a BAD"),
        ("a UID", "a BAD"),
        ("a CAPABILITY \"", "a BAD"),
        ("a LOGOUT", "\\* BYE", CLOSED),
    ]]


IMAP = imap_common("imap-tls") + imap_common("imap-auth") + [
    ("imap-plain", "a LOGIN x y", "a NO \\[PRIVACYREQUIRED\\]"),
    ("imap-plain", "a AUTHENTICATE PLAIN", "a NO"),
    ("imap-plain", "a LOGIN {1}", "a NO \\[PRIVACYREQUIRED\\]"),
    ("imap-plain", "a STARTTLS x", "a BAD"),
    ("imap-plain", "a SELECT INBOX", "a BAD"),
    ("imap-tls", "a STARTTLS", "a BAD"),
    ("imap-tls", "a SELECT INBOX", "a BAD"),
    ("imap-tls", "a FETCH 1 FLAGS", "a BAD"),
    ("imap-tls", "a IDLE", "a BAD"),
    ("imap-tls", "a APPEND INBOX {10}", "a BAD"),
    ("imap-tls", "a LOGIN x", "a BAD"),
    ("imap-tls", "a LOGIN x y z", "a BAD"),
    ("imap-tls", "a LOGIN (x) y", "a BAD"),
    ("imap-tls", "a LOGIN \"x y", "a BAD"),
    ("imap-tls", f"a LOGIN {USER} wrong", "a NO \\[AUTHENTICATIONFAILED\\]"),
    ("imap-tls", "a LOGIN {99999}", "a BAD \\[LIMIT\\]"),
    ("imap-tls", b"a LOGIN {2000+}\r\n" + b"x" * 2000 + b" y\r\n", "a BAD \\[LIMIT\\]"),
    ("imap-tls", b"a LOGIN {99999999+}\r\n", "\\* BYE", CLOSED),
    ("imap-tls", "a LOGIN {99999999999999999999999}", "a BAD|\\* BYE"),
    ("imap-tls", "a LOGIN {x}", "a BAD"),
    ("imap-tls", "a LOGIN {-1}", "a BAD"),
    ("imap-tls", "a AUTHENTICATE", "a BAD"),
    ("imap-tls", "a AUTHENTICATE FOO", "a NO|a BAD"),
    ("imap-tls", "a AUTHENTICATE PLAIN", "\\+ ", "*", "a BAD"),
    ("imap-tls", "a AUTHENTICATE PLAIN", "\\+ ", "%%%", "a BAD|a NO"),
    ("imap-tls", "a AUTHENTICATE PLAIN !!!", "a BAD|a NO"),
    ("imap-tls", "a AUTHENTICATE PLAIN " + b64("x\0y"), "a BAD|a NO"),
    ("imap-tls", "a NOOP " + "x" * 20000, "(a|\\*) B(AD|YE)", None),
    ("imap-tls", b"a NOOP\na NOOP\n", "\\* BYE|a OK|a BAD", None),
    ("imap-tls", b"\x16\x03\x01\x02\x00\r\n", "\\* B(AD|YE)", None),
    # authenticated
    ("imap-auth", "a LOGIN x y", "a BAD"),
    ("imap-auth", "a AUTHENTICATE PLAIN", "a BAD"),
    ("imap-auth", "a STARTTLS", "a BAD"),
    ("imap-auth", "a FETCH 1 FLAGS", "a BAD"),
    ("imap-auth", "a EXPUNGE", "a BAD"),
    ("imap-auth", "a CLOSE", "a BAD"),
    ("imap-auth", "a UNSELECT", "a BAD"),
    ("imap-auth", "a SELECT", "a BAD"),
    ("imap-auth", "a SELECT Nowhere", "a NO"),
    ("imap-auth", "a EXAMINE Nowhere", "a NO"),
    ("imap-auth", "a SELECT \"\"", "a (NO|BAD)"),
    ("imap-auth", "a SELECT INBOX x", "a BAD"),
    ("imap-auth", "a SELECT INBOX (FOO)", "a BAD"),
    ("imap-auth", "a SELECT INBOX (QRESYNC (0 0))", "a BAD"),
    ("imap-auth", "a CREATE INBOX", "a NO"),
    ("imap-auth", "a CREATE \"a&bad\"", "a (NO|BAD)"),
    ("imap-auth", "a CREATE \"a&AA-b\"", "a (NO|BAD)"),
    ("imap-auth", "a CREATE \"&AGE-\"", "a (NO|BAD)"),
    ("imap-auth", "a CREATE \"../x\"", "a (OK|NO)", "a DELETE \"../x\"", "a (OK|NO)"),
    ("imap-auth", "a CREATE \"a//b\"", "a NO"),
    ("imap-auth", "a CREATE " + "x" * 300, "a NO"),
    ("imap-auth", b"a CREATE \"\x00\"\r\n", "(a|\\*) BA?[DY]"),
    ("imap-auth", b"a CREATE {3+}\r\na\x00b\r\n", "a (NO|BAD)"),
    ("imap-auth", b"a CREATE \"\xff\xfe\"\r\n", "a (NO|BAD)"),
    ("imap-auth", "a DELETE INBOX", "a NO"),
    ("imap-auth", "a DELETE Nowhere", "a NO \\[NONEXISTENT\\]"),
    ("imap-auth", "a RENAME Nowhere Else", "a NO \\[NONEXISTENT\\]"),
    ("imap-auth", "a RENAME INBOX INBOX", "a NO"),
    ("imap-auth", "a STATUS INBOX", "a BAD"),
    ("imap-auth", "a STATUS INBOX ()", "a BAD"),
    ("imap-auth", "a STATUS INBOX (FOO)", "a BAD"),
    ("imap-auth", "a STATUS Nowhere (MESSAGES)", "a NO"),
    ("imap-auth", "a STATUS INBOX (MESSAGES", "a BAD"),
    ("imap-auth", "a LIST \"\"", "a BAD"),
    ("imap-auth", "a LIST (FOO) \"\" *", "a BAD"),
    ("imap-auth", "a LIST \"\" * RETURN (FOO)", "a BAD"),
    ("imap-auth", "a ENABLE", "a BAD"),
    ("imap-auth", "a COMPRESS FOO", "a (NO|BAD)"),
    ("imap-auth", "a SETQUOTA \"\" (STORAGE 1)", "a NO \\[NOPERM\\]"),
    ("imap-auth", "a SUBSCRIBE", "a BAD"),
    ("imap-auth", "a SELECT {70000}", "a NO \\[LIMIT\\]"),
    ("imap-auth", b"a SELECT {70000+}\r\n" + b"x" * 70000 + b"\r\n", "a NO \\[LIMIT\\]"),
    ("imap-auth", "a SELECT {99999999999999999999999}", "a (BAD|NO \\[LIMIT\\])"),
    ("imap-auth", "a APPEND INBOX", "a BAD"),
    ("imap-auth", "a APPEND INBOX {99999999999}", "a NO \\[TOOBIG\\]"),
    ("imap-auth", "a APPEND INBOX (\\Foo) {3}", "a (BAD|NO)"),
    ("imap-auth", "a APPEND INBOX (\\Seen {3}", "a BAD"),
    ("imap-auth", "a APPEND INBOX \"32-Foo-2020 00:00:00 +0000\" {3}", "a BAD"),
    ("imap-auth", "a APPEND Nowhere {3}", "a NO \\[TRYCREATE\\]"),
    ("imap-auth", b"a APPEND Nowhere {3+}\r\nabc\r\n", "a NO \\[TRYCREATE\\]"),
    ("imap-auth", b"a APPEND INBOX {3+}\r\na\x00b\r\n", "a NO"),
    ("imap-auth", "a IDLE", "\\+ ", "FOO", "a BAD"),
    ("imap-auth", "a NOOP " + "x" * 70000, "(a|\\*) BAD", None),
    # selected
    ("imap", "a FETCH", "a BAD"),
    ("imap", "a FETCH 1", "a BAD"),
    ("imap", "a FETCH 0 FLAGS", "a BAD"),
    ("imap", "a FETCH 1:0 FLAGS", "a BAD"),
    ("imap", "a FETCH 99 FLAGS", "a BAD"),
    ("imap", "a FETCH 1,,2 FLAGS", "a BAD"),
    ("imap", "a FETCH 1: FLAGS", "a BAD"),
    ("imap", "a FETCH :1 FLAGS", "a BAD"),
    ("imap", "a FETCH 1- FLAGS", "a BAD"),
    ("imap", "a FETCH 01 FLAGS", "a BAD"),
    ("imap", "a FETCH 4294967296 FLAGS", "a BAD"),
    ("imap", "a FETCH 99999999999999999999999 FLAGS", "a BAD"),
    ("imap", "a UID FETCH 0 FLAGS", "a BAD"),
    ("imap", "a UID FETCH 4294967295 FLAGS", "a OK"),
    ("imap", "a FETCH $x FLAGS", "a BAD"),
    ("imap", "a FETCH 1 (FLAGS", "a BAD"),
    ("imap", "a FETCH 1 FLAGS)", "a BAD"),
    ("imap", "a FETCH 1 ()", "a BAD"),
    ("imap", "a FETCH 1 FOO", "a BAD"),
    ("imap", "a FETCH 1 BODY[", "a BAD"),
    ("imap", "a FETCH 1 BODY[FOO]", "a BAD"),
    ("imap", "a FETCH 1 BODY[0]", "a BAD"),
    ("imap", "a FETCH 1 BODY[]<1.0>", "a BAD"),
    ("imap", "a FETCH 1 BODY[]<99999999999999999999.1>", "a BAD"),
    ("imap", "a FETCH 1 BODY[HEADER.FIELDS ()]", "a BAD"),
    ("imap", "a FETCH 1 FLAGS (CHANGEDSINCE -1)", "a BAD"),
    ("imap", "a FETCH 1 FLAGS (VANISHED)", "a BAD"),
    ("imap", "a STORE 1 FLAGS", "a BAD"),
    ("imap", "a STORE 1 FOO (\\Seen)", "a BAD"),
    ("imap", "a STORE 1 FLAGS (\\Foo", "a BAD"),
    ("imap", "a STORE 1 +FLAGS (\\Recent)", "a (BAD|NO)"),
    ("imap", "a STORE 99 +FLAGS (\\Seen)", "a BAD"),
    ("imap", "a STORE 1 (UNCHANGEDSINCE x) FLAGS ()", "a BAD"),
    ("imap", "a COPY 1", "a BAD"),
    ("imap", "a COPY 1 Nowhere", "a NO \\[TRYCREATE\\]"),
    ("imap", "a MOVE 1 Nowhere", "a NO \\[TRYCREATE\\]"),
    ("imap", "a COPY 99 INBOX", "a BAD"),
    ("imap", "a SEARCH", "a BAD"),
    ("imap", "a SEARCH FOO", "a BAD"),
    ("imap", "a SEARCH (ALL", "a BAD"),
    ("imap", "a SEARCH ALL)", "a BAD"),
    ("imap", "a SEARCH NOT", "a BAD"),
    ("imap", "a SEARCH OR ALL", "a BAD"),
    ("imap", "a SEARCH BEFORE 99-Foo-2020", "a BAD"),
    ("imap", "a SEARCH LARGER -1", "a BAD"),
    ("imap", "a SEARCH LARGER 99999999999999999999999", "a BAD"),
    ("imap", "a SEARCH CHARSET FOO ALL", "a NO \\[BADCHARSET"),
    ("imap", "a SEARCH " + "(" * 100 + "ALL" + ")" * 100, "a BAD"),
    ("imap", "a SEARCH RETURN (FOO) ALL", "a BAD"),
    ("imap", "a UID EXPUNGE", "a BAD"),
    ("imap", "a UID EXPUNGE x", "a BAD"),
    ("imap", "a UID NOOP", "a BAD"),
    ("imap", "a CHECK x", "a BAD"),
    ("imap", "a LOGIN x y", "a BAD"),
]

POP3 = [
    ("pop3-plain", "USER alice@example.test", "-ERR"),
    ("pop3-plain", "PASS x", "-ERR"),
    ("pop3-plain", "STLS x", "-ERR"),
    ("pop3-plain", "AUTH PLAIN", "-ERR"),
    ("pop3-tls", "FOO", "-ERR"),
    ("pop3-tls", "", "-ERR"),
    ("pop3-tls", "STAT", "-ERR"),
    ("pop3-tls", "RETR 1", "-ERR"),
    ("pop3-tls", "DELE 1", "-ERR"),
    ("pop3-tls", "NOOP", "-ERR"),
    ("pop3-tls", "PASS x", "-ERR"),
    ("pop3-tls", "USER", "-ERR"),
    ("pop3-tls", "STLS", "-ERR"),
    ("pop3-tls", "CAPA x", "-ERR"),
    ("pop3-tls", "AUTH FOO", "-ERR"),
    ("pop3-tls", "AUTH PLAIN", "\\+ ", "*", "-ERR"),
    ("pop3-tls", "AUTH PLAIN", "\\+ ", "%%%", "-ERR"),
    ("pop3-tls", "AUTH PLAIN !!!", "-ERR"),
    ("pop3-tls", "APOP x 0123456789abcdef0123456789abcdef", "-ERR"),
    ("pop3-tls", "USER alice@example.test", "\\+OK", "PASS wrong", "-ERR \\[AUTH\\]"),
    ("pop3-tls", "USER alice@example.test", "\\+OK", "PASS", "-ERR"),
    ("pop3-tls", "USER alice@example.test", "\\+OK", "STAT", "-ERR"),
    ("pop3-tls", "USER " + "x" * 5000, "\\+OK|-ERR", "PASS x", "-ERR"),
    ("pop3-tls", b"USER a\x00b\r\n", "-ERR"),
    ("pop3-tls", b"CAPA\nCAPA\r\n", "-ERR", CLOSED),
    ("pop3-tls", b"CAPA\rCAPA\r\n", "-ERR", CLOSED),
    ("pop3-tls", "USER " + "x" * 20000, "-ERR", CLOSED),
    ("pop3", "FOO", "-ERR"),
    ("pop3", "", "-ERR"),
    ("pop3", "USER x", "-ERR"),
    ("pop3", "PASS x", "-ERR"),
    ("pop3", "STLS", "-ERR"),
    ("pop3", "AUTH PLAIN", "-ERR"),
    ("pop3", "STAT 1", "-ERR"),
    ("pop3", "RETR", "-ERR"),
    ("pop3", "RETR 0", "-ERR"),
    ("pop3", "RETR 4", "-ERR"),
    ("pop3", "RETR -1", "-ERR"),
    ("pop3", "RETR x", "-ERR"),
    ("pop3", "RETR 1x", "-ERR"),
    ("pop3", "RETR 1 2", "-ERR"),
    ("pop3", "RETR 4294967297", "-ERR"),
    ("pop3", "RETR 18446744073709551617", "-ERR"),
    ("pop3", "LIST 0", "-ERR"),
    ("pop3", "LIST 99", "-ERR"),
    ("pop3", "LIST x", "-ERR"),
    ("pop3", "UIDL 99", "-ERR"),
    ("pop3", "UIDL x", "-ERR"),
    ("pop3", "TOP 1", "-ERR"),
    ("pop3", "TOP 1 -1", "-ERR"),
    ("pop3", "TOP 1 x", "-ERR"),
    ("pop3", "TOP 99 1", "-ERR"),
    ("pop3", "DELE", "-ERR"),
    ("pop3", "DELE 99", "-ERR"),
    ("pop3", "DELE 2", "\\+OK", "RETR 2", "-ERR", "RSET", "\\+OK"),
    ("pop3", "DELE 2", "\\+OK", "DELE 2", "-ERR", "RSET", "\\+OK"),
    ("pop3", "DELE 2", "\\+OK", "LIST 2", "-ERR", "UIDL 2", "-ERR", "TOP 2 0",
     "-ERR", "STAT", "\\+OK 2 ", "RSET", "\\+OK", "STAT", "\\+OK 3 "),
    ("pop3", "RSET x", "-ERR"),
    ("pop3", "NOOP x", "-ERR"),
    ("pop3", b"RETR \x00\r\n", "-ERR"),
    ("pop3", b"NOOP\nNOOP\r\n", "-ERR", CLOSED),
    ("pop3", b"NOOP\rNOOP\r\n", "-ERR", CLOSED),
    ("pop3", "NOOP " + "x" * 20000, "-ERR", CLOSED),
    ("pop3", "QUIT x", "-ERR"),
    ("pop3", "QUIT", "\\+OK", CLOSED),
]

ROWS = SMTP + SUBMISSION + IMAP + POP3


def name_of(row):
    text = "|".join(repr(x[:30]) for x in row[1::2] if isinstance(x, (str, bytes)))
    return f"{row[0]} {text[:60]}"


@pytest.fixture(scope="module")
def server():
    many = {"errors": 1000}
    s = Server({"smtpd": {**many, "recipients": 100, "message_size": "1M",
                          "unknown_recipients": 1000},
                "submission": many,
                # The table is one client that fails often.
                "auth": {"failure_delay": "10ms"}})
    try:
        s.start()
        with s.smtp() as c:
            for i in range(3):
                for to in ("alice", "carol"):
                    c.sendmail("x@remote.test", [f"{to}@example.test"], letter(f"{i}"))
        s.wait_messages(3, "carol")
        s.wait_messages(3, "alice")
        yield s
    finally:
        s.remove()


@pytest.fixture(scope="module")
def open_connections():
    wires = {}
    yield wires
    for w in wires.values():
        w.close()


def connection(server, wires, service):
    make = SERVICES[service]
    if service not in wires or hasattr(make, "is_fresh"):
        if service in wires:
            wires.pop(service).close()
        wires[service] = make(server)
    return wires[service]


def matches(want, got):
    return re.match(f"(?:{want})", got) is not None


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_row(server, open_connections, row):
    service, steps = row[0], list(row[1:])
    # None: the server may choose whether the connection goes on.
    last = steps.pop() if len(steps) % 2 else False
    w = connection(server, open_connections, service)
    try:
        if not service.endswith("-new"):
            w.begin()
        for text, want in zip(steps[::2], steps[1::2]):
            got = w.ask(text)
            assert matches(want, got), f"{text[:80]!r}: wanted {want!r}, got {got!r}"
        if last is False:
            assert w.is_alive(), "the connection does not go on"
            return
        if last is CLOSED:
            if isinstance(w, Imap) and text == "a LOGOUT":
                assert w.line().startswith("a OK")
            assert w.is_closed(), "not closed"
    except BaseException:
        open_connections.pop(service).close()
        raise
    open_connections.pop(service).close()
    again = connection(server, open_connections, service)
    again.begin()
    assert again.is_alive(), "a new connection works"


def test_there_are_rows_enough():
    assert len(ROWS) >= 150


def test_nothing_got_through(server):
    """No row smuggled a message in, and no role died of one."""
    log = server.log.read_text(errors="replace")
    assert "evil@remote.test" not in re.sub(r"event=smtp .*", "", log)
    assert all(int(r.get("restarts", 0)) == 0 for r in server.status())
    assert "event=died" not in log and "event=crash" not in log
    # Neither did a mailbox name leave its account's folder.
    assert sorted(p.name for p in (server.folder / "mail" / "example.test").iterdir()) \
        == ["alice", "bob", "carol"]


@pytest.mark.parametrize("kind,port,hello,start,extra", [
    (Smtp, "smtp", "EHLO x.test", "STARTTLS", b"NOOP\r\nMAIL FROM:<x@y.test>\r\n"),
    (Smtp, "submission", "EHLO x.test", "STARTTLS", b"NOOP\r\n"),
    (Smtp, "lmtp", "LHLO x.test", "STARTTLS", b"NOOP\r\n"),
    (Imap, "imap", "a NOOP", "b STARTTLS", b"c NOOP\r\nd LOGIN x y\r\n"),
    (Pop3, "pop3", None, "STLS", b"CAPA\r\nUSER x\r\n"),
])
def test_plaintext_behind_starttls(server, kind, port, hello, start, extra):
    """What came in plain text behind the command is not executed under TLS."""
    w = kind(server, port)
    w.reply() if kind is Smtp else w.line()
    if hello:
        w.ask(hello)
    w.send(start.encode() + b"\r\n" + extra)
    assert re.match(r"220|b OK|\+OK", w.reply())
    w.start_tls()
    w.sock.settimeout(0.4)
    with pytest.raises(TimeoutError):
        w.line()
    w.sock.settimeout(15)
    if hello:
        assert w.ask(hello)
    assert w.is_alive()
    w.close()


@pytest.mark.parametrize("service,wrong", [
    ("imap-tls", "a FOO"), ("pop3-tls", "FOO")])
def test_many_errors_before_the_login(server, service, wrong):
    """Whoever only makes mistakes is sent away, with a word."""
    w = SERVICES[service](server)
    for _ in range(100):
        w.send(wrong)
        got = w.line()
        if got.startswith(("* BYE", "-ERR [")) or not got:
            break
    assert got.startswith(("* BYE", "-ERR"))
    while got:
        got = w.line()
    w.close()


def test_message_larger_than_told(server):
    """SIZE said little; the text is too much all the same (RFC 1870 6.3)."""
    w = smtp_new(server)
    w.begin()
    for text, want in ((MAIL + " SIZE=10", OK), (RCPT, OK), ("DATA", DATA_OK)):
        assert matches(want, w.ask(text))
    w.send(b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 20000 + b".\r\n")
    assert matches("552 5.3.4", w.reply())
    assert w.is_alive()
    w.close()


def test_chunk_larger_than_the_limit(server):
    w = smtp_new(server)
    w.begin()
    for text in (MAIL, RCPT):
        assert matches(OK, w.ask(text))
    w.send(b"BDAT 2000000 LAST\r\nSubject: x\r\n\r\n" + b"y" * 1999986)
    assert matches("552 5.3.4", w.reply())
    assert w.is_alive()
    w.close()


def test_slow_bytes(server):
    """A command in single bytes is the same command."""
    w = smtp_new(server)
    for c in b"EHLO x\r\nFOO\r\n":
        w.send(bytes([c]))
        time.sleep(0.002)
    assert matches("250 ", w.reply())
    assert matches("500 5.5.2", w.reply())
    w.close()
