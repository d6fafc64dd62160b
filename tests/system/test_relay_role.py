# SPDX-License-Identifier: ISC
"""The relay role, driven by tests/tools/deliver as queue and resolver, against
servers by script and against Postfix's smtp-sink. Needs the built tree in
$VEREDUS_BUILD (or the working folder)."""

import base64
import contextlib
import os
import select
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from server import make_certificates, wait_for

BUILD = os.environ.get("VEREDUS_BUILD", os.getcwd())
SINK = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
BODY = "Subject: x\\r\\n\\r\\nhello\\r\\n"


class Peer:
    """A scripted server. `answers` maps a verb (or "greeting", "end") to the
    replies it gives in turn, the last one for ever; None closes, a number
    waits so many seconds first. Replies to the verbs in `holds` leave together
    with the next other one."""

    def __init__(self, caps=("PIPELINING",), answers=None, context=None,
                 implicit=False, host="127.0.0.1", lmtp=False, tls_breaks=False,
                 port=0, holds=()):
        self.caps, self.answers = list(caps), {
            k: list(v) if isinstance(v, (list, tuple)) else [v]
            for k, v in (answers or {}).items()}
        self.context, self.implicit, self.lmtp = context, implicit, lmtp
        self.tls_breaks, self.holds = tls_breaks, holds
        self.said, self.messages, self.connections = [], [], 0
        self.secure = []
        self.lock = threading.Lock()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((host, port))
        self.socket.listen(1000)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def next_answer(self, verb, default):
        with self.lock:
            todo = self.answers.get(verb)
            if todo is None:
                return default
            return todo.pop(0) if len(todo) > 1 else todo[0]

    def serve(self, c):
        with contextlib.suppress(OSError, EOFError, ssl.SSLError):
            Conversation(self, c).run()
        with contextlib.suppress(OSError):
            c.close()


class Conversation:
    def __init__(self, peer, c):
        self.peer, self.c, self.input = peer, c, c.makefile("rb", 65536)
        self.c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rcpts, self.mail, self.is_secure = [], None, False
        self.held = b""

    def line(self):
        line = self.input.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line.rstrip(b"\r\n")

    def exactly(self, n):
        data = self.input.read(n)
        if len(data) < n:
            raise EOFError
        return data

    def say(self, verb, default):
        answer = self.peer.next_answer(verb, default)
        while isinstance(answer, (int, float)):
            time.sleep(answer)
            answer = self.peer.next_answer(verb, default)
        if answer is None:
            raise EOFError
        self.held += answer.encode() + b"\r\n"
        if verb not in self.peer.holds:
            self.c.sendall(self.held)
            self.held = b""
        return answer

    def start_tls(self):
        if self.peer.tls_breaks:
            self.c.recv(1)
            self.c.sendall(b"\x15\x03\x01\x00\x02\x02\x28")
            raise EOFError
        self.c = self.peer.context.wrap_socket(self.c, server_side=True)
        self.input, self.is_secure = self.c.makefile("rb", 65536), True

    def take(self, body):
        p = self.peer
        with p.lock:
            p.messages.append((self.mail, list(self.rcpts), body))
            p.secure.append(self.is_secure)
        for r in (self.rcpts if p.lmtp else [None]):
            self.say("end", "250 2.6.0 taken")
        self.rcpts = []

    def data(self):
        if not self.say("DATA", "354 go").startswith("354"):
            return
        body = []
        while True:
            line = self.line()
            if line == b".":
                break
            body.append(line[1:] if line.startswith(b".") else line)
        self.take(b"".join(line + b"\r\n" for line in body))

    def ehlo(self):
        caps = list(self.peer.caps)
        if self.is_secure and "STARTTLS" in caps:
            caps.remove("STARTTLS")
        lines = ["peer.test"] + caps
        default = "\r\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{x}"
                              for i, x in enumerate(lines))
        self.say("EHLO", default)

    def auth(self, line):
        user, secret = "joe", "secret word"
        parts = line.split(" ")
        ok = False
        if parts[1] == "PLAIN":
            ok = base64.b64decode(parts[2]).split(b"\0") == [
                b"", user.encode(), secret.encode()]
        elif parts[1] == "LOGIN":
            self.c.sendall(b"334 VXNlcm5hbWU6\r\n")
            name = base64.b64decode(self.line())
            self.c.sendall(b"334 UGFzc3dvcmQ6\r\n")
            ok = (name, base64.b64decode(self.line())) == (
                user.encode(), secret.encode())
        self.say("AUTH", "235 2.7.0 welcome" if ok else "535 5.7.8 who?")

    def run(self):
        if self.peer.implicit:
            self.start_tls()
        self.say("greeting", "220 peer.test ESMTP")
        while True:
            raw = self.line()
            line = raw.decode("utf-8", "replace")
            verb = line.split(" ")[0].upper()
            with self.peer.lock:
                self.peer.said.append(line)
            if verb in ("EHLO", "LHLO"):
                self.ehlo()
            elif verb == "STARTTLS":
                if self.say(verb, "220 go").startswith("220"):
                    self.start_tls()
            elif verb == "AUTH":
                self.auth(line)
            elif verb == "MAIL":
                self.mail = line
                self.say(verb, "250 2.1.0 ok")
            elif verb == "RCPT":
                if self.say(verb, "250 2.1.5 ok").startswith("2"):
                    self.rcpts.append(line)
            elif verb == "DATA":
                self.data()
            elif verb == "BDAT":
                self.take(self.exactly(int(line.split(" ")[1])))
            elif verb == "QUIT":
                self.say(verb, "221 2.0.0 bye")
                return
            else:
                self.say(verb, "250 2.0.0 ok")


class Relay:
    """The role, with queue and resolver."""

    def __init__(self, *options, files=()):
        args = [f"{BUILD}/tests/tools/deliver", f"{BUILD}/mta/relay"]
        for name, path in files:
            args += ["-f", f"{name}={path}"]
        self.log = ""
        self.p = subprocess.Popen(
            args + ["server.hostname=us.example.test",
                    "server.log_level=debug", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        self.left, self.number = b"", 0
        assert self.line() == "conf ok "
        assert self.line() == "ready"

    def read_log(self):
        for line in self.p.stderr:
            self.log += line.decode("utf-8", "replace")

    def has_logged(self, *words):
        wait_for(lambda: all(w in self.log for w in words), 5)
        return True

    def line(self, timeout=20):
        end = time.monotonic() + timeout
        while b"\n" not in self.left:
            wait = max(0, end - time.monotonic())
            assert select.select([self.p.stdout], [], [], wait)[0], \
                f"silence\n{self.log}"
            got = os.read(self.p.stdout.fileno(), 65536)
            assert got, f"it ended\n{self.log}"
            self.left += got
        line, self.left = self.left.split(b"\n", 1)
        return line.decode()

    def tell(self, *lines):
        self.p.stdin.write(("\n".join(lines) + "\n").encode())
        self.p.stdin.flush()

    def dns(self, text):
        self.tell(*("dns " + line for line in text.strip().splitlines()))

    def begin(self, nexthop, *rcpts, sender="a@us.example.test", body=BODY,
              path=None, params=""):
        self.number += 1
        n = self.number
        lines = [f"open {n} {nexthop} {sender or '-'} id={n} {params}".strip()]
        lines += [f"rcpt {n} {i} {r}" for i, r in enumerate(rcpts)]
        lines += [f"file {n} {path}" if path else f"body {n} {body}"]
        self.tell(*lines, f"end {n}")
        return n

    def results(self, n):
        """Results of delivery n by index, and whether the host is "later"."""
        results = {}
        while True:
            verb, number, *rest = self.line().split(" ", 8)
            assert int(number) == n
            if verb == "done":
                return results, rest[0] == "1"
            assert verb == "result"
            index, outcome, code, status, dsn, remote, *text = rest
            assert int(index) not in results
            results[int(index)] = (outcome, int(code), status, remote,
                                   text[0] if text else "", dsn == "1")

    def send(self, *args, **kw):
        return self.results(self.begin(*args, **kw))

    def stop(self):
        self.p.stdin.close()
        status = self.p.wait(30)
        self.reader.join(5)
        assert status == 0, self.log
        assert "forbidden_call" not in self.log, self.log
        return status


@pytest.fixture
def relay(request):
    made = []

    def make(*options, **kw):
        r = Relay(*options, **kw)
        made.append(r)
        return r

    yield make
    for r in made:
        if r.p.poll() is None and not r.p.stdin.closed:
            r.stop()


@pytest.fixture
def peer():
    made = []

    def make(*args, **kw):
        p = Peer(*args, **kw)
        made.append(p)
        return p

    yield make
    for p in made:
        p.close()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    make_certificates(folder)
    return folder


@pytest.fixture
def context(pki):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(pki / "server.pem", pki / "server.key")
    return c


def only(results):
    assert list(results) == [0]
    return results[0]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- plain deliveries

def test_by_mx(relay, peer):
    p = peer()
    r = relay(f"relay.port={p.port}")
    r.dns("ex.test MX 10:mx.ex.test\nmx.ex.test A 127.0.0.1")
    results, host_later = r.send("mx:ex.test", "b@ex.test")
    assert only(results) == ("done", 250, "2.6.0", "mx.ex.test", "taken", False)
    assert not host_later
    assert p.messages == [("MAIL FROM:<a@us.example.test>",
                           ["RCPT TO:<b@ex.test>"],
                           b"Subject: x\r\n\r\nhello\r\n")]
    assert p.said[0] == "EHLO us.example.test"
    r.stop()
    assert p.said[-1] == "QUIT"
    assert "event=connected id=1 host=mx.ex.test addr=127.0.0.1" in r.log
    assert "event=sent id=1 to=b@ex.test host=mx.ex.test" in r.log


def test_by_address_literal(relay, peer):
    p = peer()
    r = relay(f"relay.port={p.port}")
    results, _ = r.send("mx:[127.0.0.1]", "b@[127.0.0.1]")
    assert only(results)[0] == "done"
    assert p.messages[0][1] == ["RCPT TO:<b@[127.0.0.1]>"]


def test_ipv6(relay, peer):
    p = peer(host="::1")
    r = relay(f"relay.port={p.port}")
    r.dns("ex.test A 127.0.0.1\nex.test AAAA ::1")
    results, _ = r.send("mx:ex.test", "b@ex.test")
    assert only(results)[0] == "done"


def test_bind_address_and_helo_name(relay, peer):
    p = peer()
    r = relay("relay.bind_address=127.0.0.9", "relay.helo_name=other.test")
    results, _ = r.send(f"smtp:127.0.0.1:{p.port}", "b@ex.test")
    assert only(results)[0] == "done"
    assert p.said[0] == "EHLO other.test"


def test_bad_bind_address_is_refused(relay):
    r = relay()
    r.tell("conf relay.bind_address=nowhere")
    assert r.line().startswith("conf refused bind_address")
    r.tell("conf relay.bind_address=::1")
    assert r.line().startswith("conf refused bind_address")


def test_lmtp(relay, peer):
    p = peer(lmtp=True, answers={"end": ["250 one", "452 4.2.2 full"]})
    r = relay()
    results, host_later = r.send(f"lmtp:127.0.0.1:{p.port}", "b@x.test", "c@x.test")
    assert results[0][:3] == ("done", 250, "2.0.0")
    assert results[1][:3] == ("later", 452, "4.2.2")
    assert not host_later
    assert p.said[0] == "LHLO us.example.test"


def test_large_from_a_file(relay, peer, tmp_path):
    body = b"Subject: x\r\n\r\n" + b"".join(
        b".%d %s\r\n" % (i, b"x" * 60) for i in range(200000))
    (tmp_path / "body").write_bytes(body)
    for caps in (["PIPELINING"], ["PIPELINING", "CHUNKING"], []):
        p = peer(caps=caps)
        r = relay()
        results, _ = r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test",
                            path=tmp_path / "body")
        assert only(results)[0] == "done", r.log
        assert p.messages[0][2] == body


def test_no_such_domain(relay):
    r = relay()
    results, host_later = r.send("mx:no.test", "b@no.test")
    assert only(results) == ("failed", 0, "5.1.2", "-",
                             "the domain does not exist", False)
    assert not host_later


def test_dns_trouble_is_later(relay):
    r = relay()
    r.dns("ex.test MX servfail")
    results, host_later = r.send("mx:ex.test", "b@ex.test")
    assert only(results)[:3] == ("later", 0, "4.4.3")
    assert host_later


def test_bad_nexthop_is_later(relay):
    r = relay()
    results, _ = r.send("uucp:x", "b@ex.test")
    assert only(results)[:3] == ("later", 0, "4.3.5")


def test_refused_connection(relay):
    r = relay()
    results, host_later = r.send(f"smtp:127.0.0.1:{free_port()}", "b@ex.test")
    outcome, code, status, remote, text, _ = only(results)
    assert (outcome, code, status, remote) == ("later", 0, "4.4.1", "-")
    assert "refused" in text.lower()
    assert host_later


# ---- several hosts

def test_next_host_when_one_is_down(relay, peer):
    p = peer(host="127.0.0.2")
    r = relay(f"relay.port={p.port}")
    r.dns("ex.test MX 10:one.test 20:two.test\n"
          "one.test A 127.0.0.1\ntwo.test A 127.0.0.2")
    results, host_later = r.send("mx:ex.test", "b@ex.test")
    assert only(results)[:4] == ("done", 250, "2.6.0", "two.test")
    assert not host_later
    assert r.has_logged("event=host_failed id=1 host=one.test")


@pytest.mark.parametrize("answers", [
    {"greeting": "421 full"}, {"greeting": "554 no"}, {"greeting": [None]},
    {"EHLO": "450 wait"}, {"MAIL": "451 wait"}, {"RCPT": "450 wait"},
    {"DATA": "451 wait"}, {"end": "451 wait"}, {"RCPT": [None]}],
    ids=lambda a: "-".join(str(x) for x in list(a.items())[0]))
def test_next_host_after_a_temporary_failure(relay, peer, answers):
    one = peer(answers=answers)
    two = peer(host="127.0.0.2", port=one.port)
    r = relay(f"relay.port={one.port}")
    r.dns("ex.test MX 10:one.test 20:two.test\n"
          "one.test A 127.0.0.1\ntwo.test A 127.0.0.2")
    results, _ = r.send("mx:ex.test", "b@ex.test")
    assert only(results)[:4] == ("done", 250, "2.6.0", "two.test")
    assert len(two.messages) == 1


def test_no_next_host_when_it_may_have_been_taken(relay, peer):
    one = peer(answers={"end": [None]})
    two = peer(host="127.0.0.2", port=one.port)
    r = relay(f"relay.port={one.port}")
    r.dns("ex.test MX 10:one.test 20:two.test\n"
          "one.test A 127.0.0.1\ntwo.test A 127.0.0.2")
    results, host_later = r.send("mx:ex.test", "b@ex.test")
    assert only(results)[:3] == ("later", 0, "4.4.2")
    assert two.connections == 0 and not host_later


@pytest.mark.parametrize("holds", [("MAIL", "RCPT"), ("RCPT",), ()])
def test_no_next_host_when_a_chunk_may_have_been_taken(relay, peer, holds):
    """The message goes ahead of all answers; the server keeps it and is gone
    before it has said a word, as one does that writes them together."""
    one = peer(caps=["PIPELINING", "CHUNKING"], answers={"end": [None]}, holds=holds)
    two = peer(host="127.0.0.2", port=one.port)
    r = relay(f"relay.port={one.port}")
    r.dns("ex.test MX 10:one.test 20:two.test\n"
          "one.test A 127.0.0.1\ntwo.test A 127.0.0.2")
    results, host_later = r.send("mx:ex.test", "b@ex.test")
    assert only(results)[:3] == ("later", 0, "4.4.2")
    assert len(one.messages) == 1
    assert two.connections == 0 and not host_later
    assert r.has_logged("event=outcome_unknown id=1 host=one.test", "nrcpt=1")


def test_a_second_attempt_sends_no_chunk_ahead(relay, peer):
    """So a host that falls silent at MAIL does not keep the mail from the next
    one for ever."""
    one = peer(caps=["PIPELINING", "CHUNKING"], answers={"MAIL": [None]})
    two = peer(host="127.0.0.2", port=one.port)
    r = relay(f"relay.port={one.port}")
    r.dns("ex.test MX 10:one.test 20:two.test\n"
          "one.test A 127.0.0.1\ntwo.test A 127.0.0.2")
    assert only(r.send("mx:ex.test", "b@ex.test")[0])[0] == "later"
    assert two.connections == 0
    results, _ = r.send("mx:ex.test", "b@ex.test", params="attempt=1")
    assert only(results)[:4] == ("done", 250, "2.6.0", "two.test")


def test_a_final_no_is_final(relay, peer):
    one = peer(answers={"RCPT": ["550 5.1.1 who?", "450 4.2.1 wait", "250 ok"]})
    two = peer(host="127.0.0.2", port=one.port)
    r = relay(f"relay.port={one.port}")
    r.dns("ex.test MX 10:one.test 20:two.test\n"
          "one.test A 127.0.0.1\ntwo.test A 127.0.0.2")
    results, _ = r.send("mx:ex.test", "b@ex.test", "c@ex.test", "d@ex.test")
    assert results[0][:4] == ("failed", 550, "5.1.1", "one.test")
    assert results[1][:4] == ("done", 250, "2.6.0", "two.test")
    assert results[2][:4] == ("done", 250, "2.6.0", "one.test")
    assert two.messages[0][1] == ["RCPT TO:<c@ex.test>"]


def test_the_best_word_is_told(relay, peer):
    one = peer(answers={"RCPT": "450 4.7.1 greylisted"})
    r = relay(f"relay.port={one.port}")
    r.dns("ex.test MX 10:one.test 20:two.test\n"
          "one.test A 127.0.0.1\ntwo.test A 127.0.0.2")
    results, host_later = r.send("mx:ex.test", "b@ex.test")
    assert only(results)[:5] == ("later", 450, "4.7.1", "one.test", "greylisted")
    assert not host_later


def test_addresses_are_limited(relay, peer):
    p = peer(host="127.0.0.9")
    r = relay(f"relay.port={p.port}", "relay.addresses=3")
    r.dns("ex.test A " + " ".join(f"127.0.0.{i}" for i in range(2, 10)))
    results, host_later = r.send("mx:ex.test", "b@ex.test")
    assert only(results)[0] == "later" and host_later
    r.stop()
    assert r.log.count("event=host_failed") == 3


def test_silent_hosts_do_not_hold_a_message(relay, peer):
    """They take the connection and say nothing; each costs its time-out."""
    p = [peer(host="127.0.0.2", answers={"greeting": [60]})]
    p += [peer(host=f"127.0.0.{i}", port=p[0].port, answers={"greeting": [60]})
          for i in range(3, 7)]
    r = relay(f"relay.port={p[0].port}", "relay.greeting_timeout=1s",
              "relay.attempt_timeout=1500ms")
    r.dns("ex.test A " + " ".join(f"127.0.0.{i}" for i in range(2, 7)))
    results, host_later = r.send("mx:ex.test", "b@ex.test")
    assert only(results)[0] == "later" and host_later
    assert sum(x.connections for x in p) == 2
    # Whoever says something is heard to the end.
    slow = peer(answers={"end": [2, "250 taken"]})
    assert only(r.send(f"smtp:127.0.0.1:{slow.port}", "b@ex.test")[0])[0] == "done"


def test_ourselves(relay, peer):
    p = peer(answers={"EHLO": "250 us.example.test"})
    r = relay(f"relay.port={p.port}")
    r.dns("ex.test A 127.0.0.1")
    results, _ = r.send("mx:ex.test", "b@ex.test")
    assert only(results)[:3] == ("failed", 0, "5.4.6")
    r.dns("own.test MX 10:us.example.test")
    results, _ = r.send("mx:own.test", "b@own.test")
    assert only(results)[:3] == ("failed", 0, "5.4.6")


# ---- recipients

def test_recipients_in_portions(relay, peer):
    p = peer(caps=["PIPELINING", "LIMITS RCPTMAX=4"])
    r = relay()
    results, _ = r.send(f"smtp:127.0.0.1:{p.port}",
                        *[f"b{i}@x.test" for i in range(10)])
    assert all(x[0] == "done" for x in results.values()) and len(results) == 10
    assert [len(m[1]) for m in p.messages] == [4, 4, 2]
    assert p.connections == 1


def test_domains_and_messages_are_limited(relay, peer):
    p = peer(caps=["PIPELINING", "LIMITS RCPTDOMAINMAX=1 MAILMAX=2"])
    r = relay()
    results, _ = r.send(f"smtp:127.0.0.1:{p.port}", "a@x.test", "a@y.test",
                        "b@x.test", "a@z.test")
    assert all(x[0] == "done" for x in results.values()) and len(results) == 4
    assert [len(m[1]) for m in p.messages] == [2, 1, 1]
    assert p.connections == 2


def test_too_many_recipients_at_once(relay, peer):
    p = peer(answers={"RCPT": ["250 ok", "250 ok", "452 4.5.3 too many",
                               "452 4.5.3 too many", "250 ok"]})
    r = relay()
    results, _ = r.send(f"smtp:127.0.0.1:{p.port}",
                        *[f"b{i}@x.test" for i in range(4)])
    assert all(x[0] == "done" for x in results.values()) and len(results) == 4
    assert [len(m[1]) for m in p.messages] == [2, 2]


def test_dsn(relay, peer):
    p = peer(caps=["PIPELINING", "DSN"])
    r = relay()
    results, _ = r.send(f"smtp:127.0.0.1:{p.port}",
                        "b@x.test notify=6 orcpt=rfc822;c@y.test",
                        params="ret=2 envid=abc")
    assert only(results)[5] is True
    assert p.messages[0][:2] == (
        "MAIL FROM:<a@us.example.test> RET=HDRS ENVID=abc",
        ["RCPT TO:<b@x.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c@y.test"])


def test_eight_bits_for_a_server_of_seven(relay, peer):
    p = peer(caps=[])
    r = relay()
    results, _ = r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test", params="body=1",
                        body="Subject: x\\r\\n\\r\\nh\\xc3\\xa9\\r\\n")
    assert only(results)[0] == "done"
    assert b"quoted-printable" in p.messages[0][2].lower()
    assert b"h=C3=A9" in p.messages[0][2]


def test_utf8_is_refused(relay, peer):
    p = peer(caps=["8BITMIME"])
    r = relay()
    results, _ = r.send(f"smtp:127.0.0.1:{p.port}", "h\u00e9@x.test",
                        params="utf8=1 body=1")
    assert only(results)[:3] == ("failed", 0, "5.6.7")
    assert not any(line.startswith("MAIL") for line in p.said)


def test_probe(relay, peer):
    p = peer(answers={"RCPT": ["250 2.1.5 ok", "550 5.1.1 who?"]})
    r = relay()
    results, _ = r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test", "c@x.test",
                        params="probe=1")
    assert results[0][0] == "done" and results[1][0] == "failed"
    assert p.messages == []


# ---- kept connections

def test_a_connection_is_used_again(relay, peer):
    p = peer()
    r = relay(f"relay.port={p.port}", "relay.idle_timeout=10s")
    r.dns("ex.test MX 10:mx.test\nother.test MX 10:mx.test\nmx.test A 127.0.0.1")
    for _ in range(3):
        assert only(r.send("mx:ex.test", "b@ex.test")[0])[0] == "done"
    # Another domain, the same host.
    assert only(r.send("mx:other.test", "b@other.test")[0])[0] == "done"
    assert p.connections == 1 and len(p.messages) == 4
    r.tell("status")
    assert " connections_kept=1 " in r.line()


def test_a_connection_has_its_limit(relay, peer):
    p = peer()
    r = relay("relay.messages_per_connection=2")
    for _ in range(5):
        assert only(r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test")[0])[0] == "done"
    assert p.connections == 3


def test_a_kept_connection_that_was_closed(relay, peer):
    """The server says 421, or just goes, when the next message comes."""
    for answers in ({"MAIL": ["250 ok", "421 idle", "250 ok"]},
                    {"MAIL": ["250 ok", None, "250 ok"]}):
        p = peer(answers=answers)
        r = relay("relay.idle_timeout=10s")
        for _ in range(2):
            assert only(r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test")[0])[0] == "done"
        assert p.connections == 2 and len(p.messages) == 2


def test_a_kept_connection_to_a_host_that_is_gone(relay, peer):
    """It counts as not reached: others for it need not be tried now."""
    p = peer(answers={"MAIL": ["250 ok", None]})
    r = relay("relay.idle_timeout=10s")
    nexthop = f"smtp:127.0.0.1:{p.port}"
    assert only(r.send(nexthop, "b@x.test")[0])[0] == "done"
    p.close()
    results, host_later = r.send(nexthop, "b@x.test")
    assert only(results)[:3] == ("later", 0, "4.4.1") and host_later


def test_host_later(relay, peer):
    """Told where the host, or its name, cannot be reached; not for what it says
    of a message or a recipient."""
    for answers in ({"greeting": "421 4.3.2 busy"}, {"greeting": [None]},
                    {"EHLO": [None]}):
        p = peer(answers=answers)
        assert relay().send(f"smtp:127.0.0.1:{p.port}", "b@x.test")[1], answers
    for answers in ({"MAIL": "451 wait"}, {"MAIL": [None]}, {"RCPT": "450 wait"},
                    {"DATA": "451 wait"}, {"end": "452 full"}, {"end": [None]}):
        p = peer(answers=answers)
        results, host_later = relay().send(f"smtp:127.0.0.1:{p.port}", "b@x.test")
        assert only(results)[0] == "later" and not host_later, answers


def test_idle_connections_end(relay, peer):
    p = peer()
    r = relay("relay.idle_timeout=300ms")
    r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test")
    time.sleep(1)
    assert p.said[-1] == "QUIT"


def test_a_connection_is_not_shared_by_kinds(relay, peer):
    """Logins are for hosts that the administrator named; a session that was
    made by MX has none, and is not to be given what needs one."""
    p = peer()
    r = relay(f"relay.port={p.port}", "relay.idle_timeout=10s")
    r.dns("ex.test MX 10:mx.test\nmx.test A 127.0.0.1")
    for nexthop in ("mx:ex.test", f"smtp:mx.test:{p.port}", "mx:ex.test"):
        assert only(r.send(nexthop, "b@ex.test")[0])[0] == "done"
    assert p.connections == 2 and len(p.messages) == 3


# ---- TLS

def test_starttls(relay, peer, context, pki):
    p = peer(caps=["PIPELINING", "STARTTLS"], context=context)
    r = relay(files=[("ca-file", pki / "ca.pem")])
    r.dns("localhost A 127.0.0.1\nmail.other.test A 127.0.0.1")
    assert only(r.send(f"smtp:localhost:{p.port}", "b@x.test")[0])[0] == "done"
    assert p.secure == [True]
    assert [line.split(" ")[0] for line in p.said[:4]] == [
        "EHLO", "STARTTLS", "EHLO", "MAIL"]
    assert r.has_logged("tls=TLSv1.3", "verified=yes")
    # Any certificate is better than none.
    assert only(r.send(f"smtp:mail.other.test:{p.port}", "b@x.test")[0])[0] == "done"
    assert p.secure == [True, True]
    assert r.has_logged("verified=no")


def test_starttls_refused_goes_on_in_the_clear(relay, peer, context):
    p = peer(caps=["STARTTLS"], context=context,
             answers={"STARTTLS": "454 4.7.0 not now"})
    r = relay()
    assert only(r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test")[0])[0] == "done"
    assert p.secure == [False] and p.connections == 1


@pytest.mark.parametrize("answers", [{}, {"STARTTLS": [None, "220 go"]}])
def test_broken_tls_is_tried_once_in_the_clear(relay, peer, context, answers):
    p = peer(caps=["STARTTLS"], context=context, tls_breaks=True, answers=answers)
    r = relay()
    assert only(r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test")[0])[0] == "done"
    assert p.secure == [False] and p.connections == 2


def test_implicit_tls(relay, peer, context, pki):
    """Port 465 (RFC 8314): TLS before the greeting."""
    try:
        p = peer(host="127.0.0.7", port=465, context=context, implicit=True)
    except OSError:
        pytest.skip("port 465 cannot be bound")
    r = relay(files=[("ca-file", pki / "ca.pem")])
    r.dns("localhost A 127.0.0.7")
    assert only(r.send("smtp:localhost:465", "b@x.test")[0])[0] == "done"
    assert p.secure == [True] and r.has_logged("verified=yes")
    assert p.said[0].startswith("EHLO") and p.said[1].startswith("MAIL")
    p.close()


def test_implicit_tls_is_never_clear(relay, peer, context):
    try:
        p = peer(host="127.0.0.7", port=465, context=context, implicit=True,
                 tls_breaks=True)
    except OSError:
        pytest.skip("port 465 cannot be bound")
    r = relay()
    assert only(r.send("smtp:127.0.0.7:465", "b@x.test")[0])[0] == "later"
    assert p.connections == 1
    p.close()


def test_a_reload_ends_kept_connections(relay, peer):
    p = peer()
    r = relay("relay.idle_timeout=60s")
    r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test")
    r.tell("conf relay.idle_timeout=60s", "status")
    assert r.line() == "conf ok "
    assert " connections_kept=0 " in r.line()


def test_a_reload_reaches_sessions_in_work(relay, peer):
    """One that was begun in the clear is not used again under `require`."""
    p = peer(answers={"end": [1, "250 taken", "250 taken"]})
    r = relay("relay.idle_timeout=60s")
    n = r.begin(f"smtp:127.0.0.1:{p.port}", "b@x.test")
    wait_for(lambda: p.messages, 5)
    r.tell("conf relay.idle_timeout=60s relay.tls=require")
    assert r.line() == "conf ok "
    assert only(r.results(n)[0])[0] == "done"
    results, _ = r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test")
    assert only(results)[:3] == ("later", 0, "4.7.4")
    assert len(p.messages) == 1


def test_required_tls(relay, peer, context):
    broken = peer(caps=["STARTTLS"], context=context, tls_breaks=True)
    without = peer()
    refused = peer(caps=["STARTTLS"], answers={"STARTTLS": "554 never"})
    r = relay("relay.tls=require")
    for p in (broken, without, refused):
        results, _ = r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test")
        assert only(results)[0] == "later"
        assert p.messages == [] and p.connections == 1


def test_no_tls(relay, peer, context):
    p = peer(caps=["STARTTLS"], context=context)
    r = relay("relay.tls=none")
    assert only(r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test")[0])[0] == "done"
    assert p.secure == [False]


# ---- logins

SECRETS = "# for tests\nlocalhost joe secret word\n"


@pytest.fixture
def secrets(tmp_path):
    path = tmp_path / "secrets"
    path.write_text(SECRETS)
    return path


@pytest.mark.parametrize("mechs", ["PLAIN", "LOGIN", "CRAM-MD5 LOGIN PLAIN"])
def test_login(relay, peer, context, pki, secrets, mechs):
    p = peer(caps=["STARTTLS", f"AUTH {mechs}"], context=context)
    r = relay(f"relay.secrets_file={secrets}",
              files=[("ca-file", pki / "ca.pem"), ("smarthost-secrets", secrets)])
    r.dns("localhost A 127.0.0.1")
    results, _ = r.send(f"smtp:localhost:{p.port}", "b@x.test")
    assert only(results)[0] == "done", r.log
    assert any(line.startswith("AUTH") for line in p.said)
    r.stop()
    assert "secret" not in r.log.replace("secrets", "")
    assert base64.b64encode(b"secret word").decode() not in r.log
    assert base64.b64encode(b"\0joe\0secret word").decode() not in r.log


def test_login_only_where_the_certificate_verifies(relay, peer, context, pki, secrets):
    p = peer(caps=["STARTTLS", "AUTH PLAIN"], context=context)
    r = relay(f"relay.secrets_file={secrets}",
              files=[("smarthost-secrets", secrets)])
    r.dns("localhost A 127.0.0.1")
    assert only(r.send(f"smtp:localhost:{p.port}", "b@x.test")[0])[:3] == (
        "later", 0, "4.7.4")
    assert not any(line.startswith("AUTH") for line in p.said)
    r.tell("conf relay.auth_verified=no relay.secrets_file=x")
    assert r.line() == "conf ok "
    assert only(r.send(f"smtp:localhost:{p.port}", "b@x.test")[0])[0] == "done"


def test_login_never_by_mx(relay, peer, context, pki, secrets):
    p = peer(caps=["STARTTLS", "AUTH PLAIN"], context=context)
    r = relay(f"relay.port={p.port}", f"relay.secrets_file={secrets}",
              files=[("ca-file", pki / "ca.pem"), ("smarthost-secrets", secrets)])
    r.dns("ex.test MX 10:localhost\nlocalhost A 127.0.0.1")
    assert only(r.send("mx:ex.test", "b@ex.test")[0])[0] == "done"
    assert not any(line.startswith("AUTH") for line in p.said)


def test_login_refused_is_later(relay, peer, context, pki, secrets):
    p = peer(caps=["STARTTLS", "AUTH PLAIN"], context=context,
             answers={"AUTH": "535 5.7.8 who?"})
    r = relay(f"relay.secrets_file={secrets}",
              files=[("ca-file", pki / "ca.pem"), ("smarthost-secrets", secrets)])
    r.dns("localhost A 127.0.0.1")
    assert only(r.send(f"smtp:localhost:{p.port}", "b@x.test")[0])[:3] == (
        "later", 535, "4.7.8")


def test_missing_logins_are_later(relay, peer):
    p = peer()
    r = relay("relay.secrets_file=/nonexistent")
    assert only(r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test")[0])[:3] == (
        "later", 0, "4.3.5")
    assert p.connections == 0


# ---- the role

def test_a_delivery_is_aborted(relay, peer):
    p = peer(answers={"MAIL": [30]})
    r = relay()
    n = r.begin(f"smtp:127.0.0.1:{p.port}", "b@x.test")
    r.tell("wait 500", f"abort {n}")
    assert r.results(n) == ({}, False)


def test_the_queue_goes_away(relay, peer):
    p = peer(answers={"MAIL": [3, "250 ok"]})
    r = relay("relay.idle_timeout=0")
    r.begin(f"smtp:127.0.0.1:{p.port}", "b@x.test")
    r.tell("wait 500", "lost")
    assert r.line() == "lost 1"
    assert only(r.send(f"smtp:127.0.0.1:{p.port}", "c@x.test")[0])[0] == "done"
    assert [m[1] for m in p.messages] == [["RCPT TO:<c@x.test>"]]


def test_time_runs_out(relay, peer):
    p = peer(answers={"MAIL": [30]})
    r = relay("relay.command_timeout=1s")
    results, host_later = r.send(f"smtp:127.0.0.1:{p.port}", "b@x.test")
    assert only(results)[:3] == ("later", 0, "4.4.2")
    assert "time ran out while saying MAIL FROM" in only(results)[4]
    assert not host_later


def test_many_at_once(relay, peer):
    p = peer(caps=["PIPELINING", "CHUNKING"])
    r = relay(f"relay.port={p.port}")
    r.dns("ex.test MX 10:mx.test\nmx.test A 127.0.0.1")
    numbers = [r.begin("mx:ex.test", f"b{i}@ex.test") for i in range(200)]
    done = set()
    while len(done) < len(numbers):
        verb, n, *rest = r.line().split(" ")
        if verb == "result":
            assert rest[1] == "done"
        else:
            done.add(int(n))
    assert sorted(m[1][0] for m in p.messages) == sorted(
        f"RCPT TO:<b{i}@ex.test>" for i in range(200))


def test_smtp_sink(relay, tmp_path):
    """Another's idea of a server."""
    if SINK is None:
        pytest.skip("smtp-sink is not installed")
    port = free_port()
    args = [SINK, "-u", "nobody"] if os.geteuid() == 0 else [SINK]
    sink = subprocess.Popen(args + [f"127.0.0.1:{port}", "100"])
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), \
                    socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        r = relay(f"relay.port={port}")
        r.dns("ex.test A 127.0.0.1")
        for _ in range(20):
            assert only(r.send("mx:ex.test", "b@ex.test")[0])[0] == "done"
    finally:
        sink.kill()
        sink.wait()
