# SPDX-License-Identifier: ISC
"""smtpd, submission and lmtp against scripted peers (tests/tools/front): what
goes to the queue or the owners, and what the client is told."""

import base64
import os
import queue
import smtplib
import socket
import subprocess
import threading
import time

import pytest

BUILD = os.environ.get("VEREDUS_BUILD", os.getcwd())
PROGRAMS = {"smtpd": "mta/smtpd", "submission": "msa/submission", "lmtp": "mda/lmtp"}
HELLO = "Subject: hello\r\nFrom: <joe@example.test>\r\n\r\nhello\r\n"


class Front:
    """The role with its peers; `lines` are what they print."""

    def __init__(self, role, *options):
        self.log = []
        self.was_stopped = False
        self.lines = queue.Queue()
        self.process = subprocess.Popen(
            [f"{BUILD}/tests/tools/front", f"{BUILD}/{PROGRAMS[role]}", role,
             "server.hostname=mx.example.test", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.readers = [
            threading.Thread(target=self.read_out), threading.Thread(target=self.read_log)]
        for r in self.readers:
            r.start()
        self.port = int(self.line().split()[2])
        assert self.line() == "ready"

    def read_out(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def read_log(self):
        for line in self.process.stderr:
            self.log.append(line)

    def line(self):
        return self.lines.get(timeout=20)

    def tell(self, what):
        self.was_stopped = self.was_stopped or what == "stop"
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        said = []
        while (line := self.line()) != "ok":
            said.append(line)
        return said

    def letter(self):
        """The next message that came through: words, and its text."""
        words = self.line().split()
        body = b"" if words[-1] == "=" else base64.b64decode(words[-1])
        return words[:-1], body.decode("utf-8", "surrogateescape")

    def logged(self, text):
        deadline = time.time() + 5
        while time.time() < deadline:
            if any(text in line for line in self.log):
                return True
            time.sleep(0.01)
        return False

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        status = self.process.wait(20)
        for r in self.readers:
            r.join()
        # Told to stop the role ends before its master expects it.
        assert status == 0 or self.was_stopped, "".join(self.log)


@pytest.fixture
def front():
    made = []

    def make(*args):
        made.append(Front(*args))
        return made[-1]

    yield make
    for f in made:
        f.close()


def smtp(f):
    s = smtplib.SMTP("127.0.0.1", f.port, timeout=20)
    s.ehlo("client.test")
    return s


def untrusted(front, *options):
    return front("smtpd", "smtpd.trusted_networks=", *options)


def code(answer):
    return answer[0], answer[1].decode().split()[0]


# ---- smtpd ----

@pytest.mark.parametrize("rcpt,want", [
    ("joe@example.test", (250, "2.1.5")),
    ("list@example.test", (250, "2.1.5")),
    ("x@relay.test", (250, "2.1.5")),
    ("postmaster", (250, "2.1.5")),
    ("nobody@example.test", (550, "5.1.1")),
    ("off@example.test", (550, "5.2.1")),
    ("later@example.test", (451, "4.3.0")),
    ("full@example.test", (452, "4.2.2")),
    ("x@remote.test", (550, "5.7.1")),
])
def test_recipients(front, rcpt, want):
    s = smtp(untrusted(front))
    s.docmd("MAIL FROM:<a@b.test>")
    assert code(s.docmd(f"RCPT TO:<{rcpt}>")) == want
    # The same from the cache.
    assert code(s.docmd(f"RCPT TO:<{rcpt}>")) == want
    s.quit()


def test_trusted_may_relay(front):
    f = front("smtpd")
    s = smtp(f)
    s.sendmail("a@b.test", ["x@remote.test"], HELLO)
    words, _ = f.letter()
    assert words[1:3] == ["a@b.test", "x@remote.test"]


def test_letter(front):
    f = untrusted(front)
    s = smtp(f)
    assert s.sendmail("a@b.test", ["joe@example.test", "nobody@example.test"],
                      HELLO + ".dot\r\n") == {
        "nobody@example.test": (550, b"5.1.1 No such user here")}
    words, text = f.letter()
    assert words[1:3] == ["a@b.test", "joe@example.test"]
    trace, rest = text.split("Subject:")
    assert trace.startswith("Received: from client.test ([127.0.0.1])\r\n")
    assert "by mx.example.test" in trace and "with ESMTP\r\n" in trace
    assert "id z8 for <joe@example.test>" in trace
    assert rest == HELLO.split("Subject:")[1] + ".dot\r\n"
    assert f.logged("event=connect ")
    assert f.logged("event=accepted session=")
    assert f.logged("id=z8 ")
    assert f.logged("event=rejected ")


def test_large_letter(front):
    f = untrusted(front)
    body = HELLO + "x" * 998 + "\r\n" + ("0123456789" * 7 + "\r\n") * 40000
    smtp(f).sendmail("", ["joe@example.test", "mary@example.test"], body)
    words, text = f.letter()
    assert words[1:3] == ["<>", "joe@example.test,mary@example.test"]
    assert text.endswith(body)
    assert " for <" not in text


def test_dsn_and_parameters(front):
    f = untrusted(front)
    s = smtp(f)
    s.docmd("MAIL FROM:<a@b.test> RET=HDRS ENVID=e1 BODY=8BITMIME SMTPUTF8 SIZE=100")
    s.docmd("RCPT TO:<joe@example.test> NOTIFY=NEVER ORCPT=rfc822;x+2By@z.test")
    s.data(HELLO)
    words, text = f.letter()
    assert words[2] == "joe@example.test!1!rfc822;x+2By@z.test"
    assert words[3] == "account=0,body=1,utf8=1,ret=2"
    assert "with UTF8SMTP" in text


def test_chunks(front):
    f = untrusted(front)
    s = smtp(f)
    s.docmd("MAIL FROM:<a@b.test>")
    s.docmd("RCPT TO:<joe@example.test>")
    whole = HELLO + ("line\r\n" * 20000)
    for at in range(0, len(whole), 30000):
        piece = whole[at:at + 30000]
        s.send(f"BDAT {len(piece)}\r\n{piece}")
        assert s.getreply()[0] == 250
    assert s.docmd("BDAT 0 LAST")[0] == 250
    assert f.letter()[1].endswith(whole)


@pytest.mark.parametrize("word,want", [
    ("open-later", [(452, "4.3.1")]), ("later", [(452, "4.3.1")])])
def test_queue_refuses(front, word, want):
    f = untrusted(front)
    f.tell(f"queue {word}")
    s = smtp(f)
    s.docmd("MAIL FROM:<a@b.test>")
    answer = s.docmd("RCPT TO:<joe@example.test>")
    if answer[0] == 250:
        answer = s.docmd("DATA")
    if answer[0] == 354:
        s.send(HELLO + ".\r\n")
        answer = s.getreply()
    assert code(answer) in want
    f.tell("queue ok")
    s.rset()
    s.sendmail("a@b.test", ["joe@example.test"], HELLO)


def test_queue_is_lost(front):
    f = untrusted(front)
    s = smtp(f)
    s.docmd("MAIL FROM:<a@b.test>")
    s.docmd("RCPT TO:<joe@example.test>")
    s.docmd("DATA")
    s.send(HELLO)
    f.tell("queue drop")
    s.send(".\r\n")
    assert code(s.getreply()) == (451, "4.3.0")
    f.tell("queue up")
    s.sendmail("a@b.test", ["joe@example.test"], HELLO)


def test_generation(front):
    f = untrusted(front)
    s = smtp(f)
    s.docmd("MAIL FROM:<a@b.test>")
    assert s.docmd("RCPT TO:<joe@example.test>")[0] == 250
    f.tell("unknown joe@example.test")
    assert s.docmd("RCPT TO:<joe@example.test>")[0] == 250  # remembered
    assert (f.tell("generation 2") or [f.line()]) == ["generation ok"]
    assert s.docmd("RCPT TO:<joe@example.test>")[0] == 550
    f.tell("unknown nobody@nowhere")
    time.sleep(2.1)
    assert s.docmd("RCPT TO:<joe@example.test>")[0] == 250


def test_lists(front):
    f = untrusted(front, "smtpd.block_senders=@spam.test", "smtpd.block_helo=.dyn.test",
                  "smtpd.block_recipients=mary@example.test")
    s = smtp(f)
    assert s.docmd("EHLO a.dyn.test")[0] == 550
    assert code(s.docmd("MAIL FROM:<a@spam.test>")) == (550, "5.7.1")
    s.docmd("MAIL FROM:<a@b.test>")
    assert code(s.docmd("RCPT TO:<mary@example.test>")) == (550, "5.7.1")


def test_blocked_client(front):
    f = untrusted(front, "smtpd.block_clients=127.0.0.0/8")
    with socket.create_connection(("127.0.0.1", f.port)) as c:
        answer = c.makefile().read()
    assert answer.startswith("554 5.7.1 ")


def test_connection_limit(front):
    f = untrusted(front)
    f.tell("clients 1")
    one = smtp(f)
    with socket.create_connection(("127.0.0.1", f.port)) as c:
        assert c.makefile().read().startswith("421 4.7.0 ")
    one.quit()
    time.sleep(0.1)
    smtp(f).quit()


def test_unknown_limit(front):
    f = untrusted(front, "smtpd.unknown_recipients=2", "smtpd.errors=1000")
    s = smtp(f)
    s.docmd("MAIL FROM:<a@b.test>")
    assert [s.docmd(f"RCPT TO:<u{i}@example.test>")[0] for i in range(3)] == [550, 550, 421]


def test_verify(front):
    assert smtp(untrusted(front)).verify("nobody@example.test")[0] == 252
    s = smtp(untrusted(front, "smtpd.verify=yes"))
    # RFC 5321 3.5.1: the mailbox is in it.
    assert s.verify("joe@EXAMPLE.test") == (250, b"2.1.5 <joe@example.test>")
    assert s.verify("list@example.test") == (250, b"2.1.5 <list@example.test>")
    assert s.verify("x@relay.test")[0] == 252
    assert s.verify("nobody@example.test")[0] == 550


def test_transactions_limit(front):
    f = untrusted(front, "smtpd.transactions=1")
    s = smtp(f)
    s.sendmail("a@b.test", ["joe@example.test"], HELLO)
    assert s.docmd("MAIL FROM:<a@b.test>")[0] == 421


def test_smuggling(front):
    f = untrusted(front)
    with socket.create_connection(("127.0.0.1", f.port)) as c:
        c.sendall(b"EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<joe@example.test>\r\nDATA\r\n"
                  b"A: b\r\n\r\nhi\n.\r\nMAIL FROM:<evil@b.test>\r\nRCPT TO:<joe@example.test>\r\n"
                  b"DATA\r\nevil\r\n.\r\nQUIT\r\n")
        answers = c.makefile().read()
    assert "\n550 5.6.0 " in answers and "\n421 4.7.0 " in answers
    assert "221" not in answers
    assert f.lines.empty()


def test_stop(front):
    f = untrusted(front)
    idle, busy = smtp(f), smtp(f)
    busy.docmd("MAIL FROM:<a@b.test>")
    busy.docmd("RCPT TO:<joe@example.test>")
    busy.docmd("DATA")
    f.tell("stop")
    assert idle.getreply()[0] == 421
    busy.send(HELLO + ".\r\n")
    assert busy.getreply()[0] == 250
    assert busy.getreply()[0] == 421


@pytest.mark.parametrize("role", ["smtpd", "submission", "lmtp"])
def test_stop_waits_no_longer_than_it_may(front, role):
    f = front(role, *["submission.plaintext_auth=yes"] * (role == "submission"))
    s = {"smtpd": smtp, "submission": login, "lmtp": lmtp}[role](f)
    s.docmd("MAIL FROM:<joe@example.test>")
    s.docmd("RCPT TO:<joe@example.test>")
    assert s.docmd("DATA")[0] == 354
    f.tell("stop")
    assert s.sock.recv(100) == b""
    assert f.logged("event=sessions_cut connections=1")


# ---- submission ----

def login(f):
    s = smtp(f)
    s.login("joe@example.test", "secret")
    return s


def plain(front, *options):
    return front("submission", "submission.plaintext_auth=yes", *options)


def test_no_tls_no_auth(front):
    s = smtp(front("submission"))
    assert "auth" not in s.esmtp_features
    assert code(s.docmd("AUTH PLAIN AGpvZQBzZWNyZXQ=")) == (530, "5.7.0")
    assert code(s.docmd("MAIL FROM:<joe@example.test>")) == (530, "5.7.0")


def test_login(front):
    f = plain(front)
    s = smtp(f)
    assert code(s.docmd("MAIL FROM:<joe@example.test>")) == (530, "5.7.0")
    with pytest.raises(smtplib.SMTPAuthenticationError) as e:
        s.login("joe@example.test", "wrong")
    assert e.value.smtp_code == 535
    s.user, s.password = "joe", "secret"
    assert s.auth("LOGIN", s.auth_login)[0] == 235
    s.sendmail("joe@example.test", ["x@remote.test"], HELLO)
    words, text = f.letter()
    assert words[3].startswith("account=1,")
    assert f.logged("event=login ") and f.logged("event=login_refused ")
    assert "127.0.0.1" not in text and "with ESMTPA" in text


def test_show_client(front):
    f = plain(front, "submission.hide_client=no")
    login(f).sendmail("joe@example.test", ["x@remote.test"], HELLO)
    assert "from client.test ([127.0.0.1])" in f.letter()[1]


def test_fixups(front):
    f = plain(front)
    login(f).sendmail("joe@example.test", ["x@remote.test"],
                      "Subject: x\r\nBcc: y@z.test\r\n\r\nhi\r\n")
    text = f.letter()[1]
    head, body = text.split("\r\n\r\n")
    names = [line.split(":")[0] for line in head.split("\r\n") if line[0] not in " \t"]
    assert names == ["Received", "Subject", "Date", "Message-ID", "From"]
    assert body == "hi\r\n"


@pytest.mark.parametrize("sender,head,want", [
    ("joe@example.test", "From: joe@example.test", 250),
    ("joe+list@example.test", "From: Joe <joe+x@example.test>", 250),
    ("mary@example.test", "From: joe@example.test", 553),
    ("joe@example.test", "From: mary@example.test", 553),
    ("joe@example.test", "From: joe@example.test, mary@example.test", 553),
    ("joe@example.test", "From: joe@example.test\r\nSender: x@y.test", 553),
    ("joe@example.test", "From: joe@example.test\r\nFrom: joe@example.test", 550),
    ("", "From: joe@example.test", 250),
    ("", "From: mary@example.test", 553),
])
def test_own_addresses(front, sender, head, want):
    f = plain(front)
    s = login(f)
    answer = s.docmd(f"MAIL FROM:<{sender}>")
    if answer[0] == 250:
        assert s.docmd("RCPT TO:<x@remote.test>")[0] == 250
        answer = s.data(head + "\r\n\r\nhi\r\n")
    assert answer[0] == want
    if want == 250:
        f.letter()
    assert f.lines.empty()


def test_rates(front):
    f = plain(front)
    s = login(f)
    f.tell("rate 2")
    s.sendmail("joe@example.test", ["x@remote.test"], HELLO)
    s.docmd("MAIL FROM:<joe@example.test>")
    s.docmd("RCPT TO:<x@remote.test>")
    answer = s.docmd("DATA")
    assert code(answer) == (450, "4.7.1") and b"try again in 30 minutes" in answer[1]


# ---- lmtp ----

def lmtp(f):
    s = smtplib.LMTP("127.0.0.1", f.port, timeout=20)
    s.ehlo("client.test")
    return s


def deliver(s, recipients, text, sender="a@b.test"):
    s.docmd(f"MAIL FROM:<{sender}>")
    taken = [r for r in recipients if s.docmd(f"RCPT TO:<{r}>")[0] == 250]
    answer = s.docmd("DATA")
    if answer[0] != 354:
        return [answer[0]]
    s.send(text + ".\r\n")
    return [s.getreply()[0] for _ in taken]


@pytest.mark.parametrize("rcpt,want", [
    ("joe@example.test", (250, "2.1.5")),
    ("alias@example.test", (250, "2.1.5")),
    ("list@example.test", (550, "5.1.1")),
    ("nobody@example.test", (550, "5.1.1")),
    ("x@remote.test", (550, "5.1.1")),
    ("off@example.test", (550, "5.2.1")),
    ("full@example.test", (452, "4.2.2")),
    ("later@example.test", (451, "4.3.0")),
])
def test_lmtp_recipients(front, rcpt, want):
    s = lmtp(front("lmtp"))
    s.docmd("MAIL FROM:<>")
    assert code(s.docmd(f"RCPT TO:<{rcpt}>")) == want


def test_lmtp_each_its_answer(front):
    f = front("lmtp")
    s = lmtp(f)
    assert deliver(s, ["joe@example.test", "crash@example.test", "alias@example.test",
                       "postmaster", "mary@example.test"], HELLO) == [250, 451, 250, 451, 250]
    got = dict((w[1], (w[3], text)) for w, text in (f.letter(), f.letter()))
    assert got["1"][0] == "joe@example.test"
    assert got["2"][0] == "alias@example.test,mary@example.test"
    assert "with LMTP" in got["1"][1] and got["1"][1].endswith(HELLO)
    assert deliver(s, ["joe@example.test"], HELLO) == [250]


def test_lmtp_nobody_there(front):
    s = lmtp(front("lmtp"))
    assert deliver(s, ["postmaster"], HELLO) == [451]
    assert deliver(s, ["joe@example.test"], HELLO) == [250]


def test_lmtp_large(front):
    f = front("lmtp")
    text = HELLO + ("0123456789" * 7 + "\r\n") * 40000
    assert deliver(lmtp(f), ["joe@example.test", "mary@example.test"], text) == [250, 452]
    assert f.letter()[1].endswith(text)


def test_lmtp_stranger(front):
    f = front("lmtp", "lmtp.trusted_networks=192.0.2.0/24")
    with socket.create_connection(("127.0.0.1", f.port)) as c:
        assert c.makefile().read().startswith("554 ")
