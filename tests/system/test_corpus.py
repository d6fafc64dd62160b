# SPDX-License-Identifier: ISC
"""Some hundred messages, well-formed and not, through the whole server: what
comes out by IMAP and POP3 and lies in the Maildir is what went in, byte for
byte, behind the trace fields; what may not come in is refused."""

import imaplib
import pathlib
import random
import re
import socket
import threading

import pytest

from server import Server, wait_for

DATA = pathlib.Path("/usr/lib/python3.11/test/test_email/data")
TRACE = re.compile(rb"Return-Path: <x@remote\.test>\r\n"
                   rb"Delivered-To: [a-z]+@example\.test\r\n"
                   rb"Received: [^\r\n]*\r\n(?:[\t ][^\r\n]*\r\n)*?"
                   rb"[\t ][^\r\n]* \d\d:\d\d:\d\d [+-]\d{4}\r\n")


def crlf(data):
    """Any line ends to CRLF, and one at the end."""
    data = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    return data if data.endswith(b"\r\n") or not data else data + b"\r\n"


def own_messages():
    h = b"From: <a@remote.test>\r\nTo: <bob@example.test>\r\n"
    rng = random.Random(25)
    yield "only-header", h
    yield "only-header-and-line", h + b"\r\n"
    yield "no-header", b"\r\nText only.\r\n"
    yield "text-only", b"This is no header at all\r\nnor is this.\r\n"
    yield "text-with-colon", b"see http://example.test/: there\r\nmore\r\n\r\nx\r\n"
    yield "empty-line-only", b"\r\n"
    yield "many-empty-lines", b"\r\n" * 500
    yield "nothing", b""
    yield "begins-with-space", b" folded: from the start\r\n" + h + b"\r\nx\r\n"
    yield "begins-with-from", b"From a@remote.test Sun Nov 22 10:00:00 2026\r\n" + h + b"\r\nx\r\n"
    yield "from-in-body", h + b"\r\nFrom here\r\n>From there\r\n"
    yield "dots", h + b"\r\n.\r\n..\r\n...\r\n.x\r\n" + b"." * 900 + b"\r\n.\r\n"
    yield "dot-first", b".\r\n" + h
    yield "header-dot", h + b".dot: header\r\n\r\nx\r\n"
    yield "8bit-header", h + "Subject: Grüße €\r\n\r\nÄ\r\n".encode()
    yield "latin1-header", h + "Subject: Grüße\r\n\r\nÄ\r\n".encode("latin-1")
    yield "bad-utf8", h + b"Subject: \xc0\x80\xff\xfe\r\n\r\n\xed\xa0\x80\r\n"
    yield "nul", h + b"\r\na\0b\0\r\n\0\r\n"
    yield "controls", h + b"\r\n" + bytes(c for c in range(256) if c not in (10, 13)) + b"\r\n"
    yield "controls-in-header", h + b"X-C: " + bytes(
        c for c in range(1, 256) if c not in (10, 13)) + b"\r\n\r\nx\r\n"
    yield "space-before-colon", h + b"Subject : x\r\n\r\nx\r\n"
    yield "no-space-after-colon", h + b"Subject:x\r\n\r\nx\r\n"
    yield "empty-name", h + b": nothing\r\n\r\nx\r\n"
    yield "empty-value", h + b"Subject:\r\n\r\nx\r\n"
    yield "white-line", h + b"Subject: x\r\n \t \r\nX-After: y\r\n\r\nx\r\n"
    yield "white-line-as-end", h + b" \r\nx\r\n"
    yield "junk-in-header", h + b"this is junk\r\nSubject: x\r\n\r\nx\r\n"
    yield "doubled", h + h + b"Subject: 1\r\nSubject: 2\r\nDate: x\r\nDate: y\r\n\r\nx\r\n"
    yield "folded-deep", h + b"X-F: a\r\n" + b"\tb\r\n" * 3000 + b"\r\nx\r\n"
    yield "many-fields", h + b"".join(b"X-%d: v\r\n" % i for i in range(3000)) + b"\r\nx\r\n"
    yield "long-name", h + b"X" * 5000 + b": v\r\n\r\nx\r\n"
    yield "many-addresses", b"To: " + b",\r\n ".join(
        b"<u%d@remote.test>" % i for i in range(2000)) + b"\r\n\r\nx\r\n"
    yield "deep-comment", b"From: " + b"(" * 4000 + b")" * 4000 + b"\r\n\r\nx\r\n"
    yield "bare-quotes", b"From: \"unclosed <a@remote.test>\r\nTo: <<<>>>,,;:;\r\n\r\nx\r\n"
    yield "encoded-words", h + b"Subject: =?utf-8?q?a?= =?x?b?%%%?= =?utf-8?b?=?=\r\n\r\nx\r\n"
    yield "return-path", b"Return-Path: <forged@remote.test>\r\n" + h + b"\r\nx\r\n"
    yield "delivered-to", b"Delivered-To: other@example.test\r\n" + h + b"\r\nx\r\n"
    yield "wrong-date", h + b"Date: Thu, 99 Foo 20266 99:99:99 +9999\r\n\r\nx\r\n"
    yield "wrong-id", h + b"Message-ID: <<@@>\r\nReferences: >< <a\r\n\r\nx\r\n"
    for n in (996, 997, 998, 999, 1000, 1001, 2000, 4096, 8192, 65536):
        yield f"line-{n}", h + b"\r\n" + b"x" * n + b"\r\n"
        yield f"field-{n}", h + b"Subject: " + b"y" * n + b"\r\n\r\nx\r\n"
    yield "line-1M", h + b"\r\n" + b"z" * (1 << 20) + b"\r\n"
    yield "lineless-header-1M", b"X: " + b"q" * (1 << 20) + b"\r\n"
    for n in (1, 511, 512, 4095, 4096, 4097, 8000, 8191, 8192, 8193, 32767, 32768,
              32769, 40959, 40960, 40961, 65535, 65536, 65537, 300000):
        body = bytes(rng.choice(b"abcdefgh .") for _ in range(min(n, 4000)))
        body = (body * (n // len(body) + 1))[:n]
        body = b"\r\n".join(body[i:i + 76] for i in range(0, n, 78))
        yield f"size-{n}", h + b"\r\n" + body + b"\r\n"
    for depth in (2, 50, 300):
        yield f"nested-{depth}", h + b"".join(
            b"Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n" % (i, i)
            for i in range(depth)) + b"\r\nx\r\n"
        yield f"rfc822-{depth}", h + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"x\r\n"
    parts = b"".join(b"--b\r\n\r\npart\r\n" for _ in range(5000))
    yield "many-parts", h + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + b"--b--\r\n"
    yield "no-boundary", h + b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"
    yield "boundary-prefix", h + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" \
        b"--bb\r\n\r\nx\r\n--b\r\n\r\ny\r\n--bb--\r\n"
    yield "empty-boundary", h + b"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx\r\n"
    yield "odd-type", h + b"Content-Type: ;;; / ; = ; charset\r\n\r\nx\r\n"
    yield "odd-encoding", h + b"Content-Transfer-Encoding: x-none\r\n\r\nx\r\n"
    yield "binary-base64", h + b"Content-Transfer-Encoding: base64\r\n\r\n%%%\xff===\r\n"
    for i in range(15):
        noise = bytes(rng.randrange(256) for _ in range(3000))
        yield f"noise-{i}", crlf(noise)


def corpus():
    for p in sorted(DATA.glob("msg_*.txt")):
        yield p.stem, crlf(p.read_bytes())
    yield from own_messages()


CORPUS = dict(corpus())


class Client:
    """SMTP that sends exactly what it is told."""

    def __init__(self, server, user="bob"):
        self.s = socket.create_connection((server.host, server.ports["smtp"]), 60)
        self.f = self.s.makefile("rb")
        self.rcpt = f"RCPT TO:<{user}@example.test>"
        assert self.reply()[0] == 220
        assert self.say("EHLO client.test")[0] == 250

    def reply(self):
        text = b""
        while True:
            line = self.f.readline()
            if not line:
                return 0, text
            text += line
            if line[3:4] == b" ":
                return int(line[:3]), text

    def say(self, line):
        self.s.sendall(line.encode() + b"\r\n")
        return self.reply()

    def begin(self):
        assert self.say("MAIL FROM:<x@remote.test> BODY=8BITMIME")[0] == 250
        assert self.say(self.rcpt)[0] == 250

    def data(self, raw):
        self.begin()
        assert self.say("DATA")[0] == 354
        raw = re.sub(rb"^\.", b"..", raw, flags=re.M)
        self.s.sendall(raw + b".\r\n")
        return self.reply()

    def bdat(self, raw, step):
        self.begin()
        for i in range(0, len(raw), step):
            piece = raw[i:i + step]
            self.s.sendall(b"BDAT %d\r\n" % len(piece) + piece)
            code, text = self.reply()
            if code != 250:
                return code, text
        return self.say("BDAT 0 LAST")

    def close(self):
        self.s.close()


@pytest.fixture(scope="module")
def server():
    s = Server(accounts=("alice", "bob", "carol", "dora"),
               options={"server": {"log_level": "info"}, "smtpd": {"errors": 1000}})
    try:
        yield s.start()
    finally:
        s.remove()


@pytest.fixture(scope="module")
def arrived(server):
    """Everything sent to bob by DATA, and to carol by BDAT; the bodies in the
    order of arrival are found again by what they end with."""
    def send(user, how):
        c = Client(server, user)
        c.s.settimeout(60)
        for i, (name, raw) in enumerate(CORPUS.items()):
            if how == "data":
                code, text = c.data(raw)
            else:
                code, text = c.bdat(raw, (1, 100, 4096, 70000)[i % 4]
                                    if len(raw) < 3000 else 70000)
            answers[user][name] = code, text
            if code != 250:  # a NUL ends the connection
                c.close()
                c = Client(server, user)
        c.close()

    answers = {"bob": {}, "carol": {}}
    threads = [threading.Thread(target=send, args=a)
               for a in (("bob", "data"), ("carol", "bdat"))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    imaplib._MAXLINE = 10 << 20
    assert all(len(a) == len(CORPUS) for a in answers.values())
    got = {}
    for user in answers:
        n = sum(a[0] == 250 for a in answers[user].values())
        c = server.imap(user, None)
        wait_for(lambda: int(c.select("INBOX", True)[1][0]) >= n, 60, 0.2)
        assert int(c.select("INBOX", True)[1][0]) == n
        data = c.fetch("1:*", "(RFC822.SIZE BODY.PEEK[])")[1]
        got[user] = [(int(re.search(rb"RFC822.SIZE (\d+)", d[0])[1]), d[1])
                     for d in data if isinstance(d, tuple)]
        # A server must be able to describe what it took.
        assert c.fetch("1:*", "(ENVELOPE BODYSTRUCTURE INTERNALDATE)")[0] == "OK"
        c.logout()
    return answers, got


def without_trace(raw):
    m = TRACE.match(raw)
    assert m, raw[:400]
    return raw[m.end():]


@pytest.mark.parametrize("user", ["bob", "carol"])
def test_answers(arrived, user):
    """All but those with a NUL and those with an endless field."""
    for name, (code, text) in arrived[0][user].items():
        raw = CORPUS[name]
        if b"\0" in raw:
            assert code == 550 and text.startswith(b"550 5.6.0 NUL"), (name, text)
        elif max(map(len, raw.split(b"\r\n\r\n")[0].split(b"\r\n"))) > 65000:
            assert code == 552 and b"header field" in text, (name, text)
        else:
            assert code == 250, (name, text)


@pytest.mark.parametrize("user", ["bob", "carol"])
@pytest.mark.parametrize("name", CORPUS)
def test_imap(arrived, user, name):
    if user not in WANTED:
        WANTED[user] = {}
        for size, raw in arrived[1][user]:
            assert size == len(raw)
            body = without_trace(raw)
            WANTED[user][body] = WANTED[user].get(body, 0) + 1
    if arrived[0][user][name][0] != 250:
        assert CORPUS[name] not in WANTED[user]
        return
    same = sum(raw == CORPUS[name] for raw in CORPUS.values())
    assert WANTED[user].get(CORPUS[name], 0) == same, near(user, name)


WANTED = {}


def near(user, name):
    """What arrived in place of a message, for the report."""
    left = [b for b in WANTED[user] if b not in CORPUS.values()]
    return [(b[:300], len(b)) for b in left[:3]], CORPUS[name][:300]


def test_maildir_has_the_same(server, arrived):
    files = [p.read_bytes() for d in ("new", "cur")
             for p in (server.maildir("bob") / d).iterdir()]
    assert sorted(files) == sorted(raw for _, raw in arrived[1]["bob"])


@pytest.mark.parametrize("user", ["bob", "carol"])
def test_pop3_has_the_same(server, arrived, user):
    """RETR undoes dots only: the text is what IMAP gave."""
    p = server.pop3(user)
    n = p.stat()[0]
    sizes = [int(r.split()[1]) for r in p.list()[1]]
    got = []
    for i in range(1, n + 1):
        p._putcmd(f"RETR {i}")
        assert p.file.readline().startswith(b"+OK")
        raw = b""
        lines = []
        while (line := p.file.readline()) != b".\r\n":
            assert line
            lines.append(line[1:] if line.startswith(b"..") else line)
        raw = b"".join(lines)
        assert len(raw) == sizes[i - 1]
        got.append(raw)
    p.quit()
    assert sorted(got) == sorted(raw for _, raw in arrived[1][user])


@pytest.mark.parametrize("end", [b"\r", b"\n"], ids=["cr", "lf"])
@pytest.mark.parametrize("place", ["header", "body", "first", "last", "smuggle"])
def test_bare_line_ends_are_refused(server, place, end):
    head, body = b"Subject: bare\r\n", b"\r\ntext\r\n"
    raw = {"header": b"X: a" + end + b"Y: b\r\n" + head + body,
           "body": head + body + b"a" + end + b"b\r\n",
           "first": end + head + body,
           "last": head + body + b"a" + end,
           "smuggle": head + body + b"a" + end + b"." + end + b"MAIL FROM:<y@remote.test>\r\n",
           }[place]
    c = Client(server, "dora")
    c.begin()
    assert c.say("DATA")[0] == 354
    c.s.sendall(raw + b"\r\n.\r\n")
    code, text = c.reply()
    assert code == 550 and text.startswith(b"550 5.6.0"), text
    # Then it says good-bye: what follows is not read as commands.
    assert c.reply()[0] == 421 and c.f.read() == b""
    c.close()
    assert server.messages("dora") == []


@pytest.mark.parametrize("raw", [b"a\rb\r\n", b"a\nb\r\n", b"a\r\nb\n", b"\r"],
                         ids=["cr", "lf", "last-lf", "only-cr"])
def test_bare_line_ends_in_bdat(server, raw):
    """BDAT without BODY=BINARYMIME is text too (RFC 3030 2)."""
    c = Client(server, "dora")
    c.begin()
    c.s.sendall(b"BDAT %d LAST\r\n" % (len(raw) + 15) + b"Subject: b\r\n\r\nx" + raw)
    code, text = c.reply()
    assert code // 100 == 5, text
    c.close()
    assert server.messages("dora") == []
