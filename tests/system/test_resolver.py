# SPDX-License-Identifier: ISC
"""The resolver role against a real name server (nsd), and against some that
misbehave. Needs the built tree in $VEREDUS_BUILD (or the working folder)."""

import json
import os
import select
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest

from console import Console
from server import Server as WholeServer, wait_for

CONNECT = 2  # SANDBOX_CONNECT
BUILD = os.environ.get("VEREDUS_BUILD", os.getcwd())
NSD = shutil.which("nsd") or shutil.which("nsd", path="/usr/sbin")

LONG = " ".join('"%s"' % (("%03d" % i) + "x" * 247) for i in range(8))
HUGE = " ".join('"%s"' % (("%03d" % i) + "y" * 247) for i in range(120))

ZONES = {
    "example.test": """
$ORIGIN example.test.
$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 30
  IN NS ns
  IN MX 10 mx1
  IN MX 20 MX2.Example.test.
  IN TXT "v=spf1 " "mx -all"
ns IN A 127.0.0.1
mx1 IN A 192.0.2.1
mx1 IN A 192.0.2.2
mx1 60 IN AAAA 2001:db8::1
mx2 IN A 192.0.2.3
nomail IN MX 0 .
nothing IN HINFO "a" "b"
alias1 IN CNAME alias2
alias2 120 IN CNAME alias3
alias3 IN CNAME mx1
away IN CNAME host.other.test.
lost IN CNAME nowhere.other.test.
ring1 IN CNAME ring2.other.test.
self IN CNAME self
long IN TXT %s
huge IN TXT %s
_25._tcp.mx1 IN TLSA 3 1 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
*.wild IN MX 5 mx1
*.wild IN A 192.0.2.9
""" % (LONG, HUGE),
    "other.test": """
$ORIGIN other.test.
$TTL 100
@ IN SOA ns hostmaster 1 3600 600 86400 30
  IN NS ns
ns IN A 127.0.0.1
host IN A 198.51.100.1
ring2 IN CNAME ring1.example.test.
""",
    "2.0.192.in-addr.arpa": """
$ORIGIN 2.0.192.in-addr.arpa.
$TTL 300
@ IN SOA ns.example.test. hostmaster.example.test. 1 3600 600 86400 30
  IN NS ns.example.test.
1 IN PTR mx1.example.test.
2 IN CNAME 2.0/25
2.0/25 IN PTR classless.example.test.
""",
    "8.b.d.0.1.0.0.2.ip6.arpa": """
$ORIGIN 8.b.d.0.1.0.0.2.ip6.arpa.
$TTL 300
@ IN SOA ns.example.test. hostmaster.example.test. 1 3600 600 86400 30
  IN NS ns.example.test.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 IN PTR mx1.example.test.
""",
}


def free_port():
    """A port free for both UDP and TCP on the loopback."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def is_answering(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        try:
            s.connect(("127.0.0.1", port))
            s.send(b"\0\1\1\0\0\1\0\0\0\0\0\0\7example\4test\0\0\6\0\1")
            return len(s.recv(600)) > 12
        except OSError:
            return False


@pytest.fixture(scope="module")
def nsd(tmp_path_factory):
    if NSD is None:
        pytest.skip("nsd is not installed")
    path = tmp_path_factory.mktemp("nsd")
    port = free_port()
    conf = ['server:', '  ip-address: 127.0.0.1', f'  port: {port}',
            '  username: ""', f'  zonesdir: "{path}"', '  database: ""',
            f'  pidfile: "{path}/pid"', f'  xfrdfile: "{path}/xfrd"',
            f'  zonelistfile: "{path}/zonelist"', f'  xfrdir: "{path}"',
            '  server-count: 1', '  rrl-ratelimit: 0', '  hide-version: yes',
            'remote-control:', '  control-enable: no']
    for name, text in ZONES.items():
        (path / name).write_text(text)
        conf += ['zone:', f'  name: "{name}"', f'  zonefile: "{name}"']
    (path / "nsd.conf").write_text("\n".join(conf) + "\n")
    log = open(path / "log", "wb")
    p = subprocess.Popen([NSD, "-d", "-c", str(path / "nsd.conf")],
                         stdout=log, stderr=log)
    for _ in range(100):
        if is_answering(port):
            break
        assert p.poll() is None, (path / "log").read_text()
        time.sleep(0.05)
    else:
        p.kill()
        pytest.fail((path / "log").read_text())
    yield port
    p.terminate()
    p.wait(10)


class Resolver:
    """The role, driven by tests/tools/resolve."""

    def __init__(self, *args):
        self.p = subprocess.Popen(
            [f"{BUILD}/tests/tools/resolve", f"{BUILD}/resolver/resolver",
             *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.left = b""
        self.first = self.line()

    def line(self, timeout=20):
        end = time.monotonic() + timeout
        while b"\n" not in self.left:
            wait = max(0, end - time.monotonic())
            assert select.select([self.p.stdout], [], [], wait)[0], "silence"
            got = os.read(self.p.stdout.fileno(), 65536)
            assert got, "the tool ended"
            self.left += got
        line, self.left = self.left.split(b"\n", 1)
        return line.decode()

    def say(self, line):
        self.p.stdin.write(line.encode() + b"\n")
        self.p.stdin.flush()

    def ask(self, question):
        self.say(question)
        label, answer = self.line().split(" = ", 1)
        assert label == question
        return answer

    def status(self):
        self.say("status")
        words = self.line().split(" = ", 1)[1].split()
        assert self.line() == "status = done 0 "
        return dict(w.split("=", 1) for w in words if "=" in w)

    def close(self):
        self.p.stdin.close()
        return self.p.wait(20)


@pytest.fixture
def resolver():
    all_of_them = []

    def make(*servers, options=()):
        names = "|".join(f"127.0.0.1:{s}" for s in servers)
        r = Resolver(f"server.name_servers={names}",
                     "resolver.try_timeout=300ms", "resolver.timeout=3s",
                     *options)
        assert r.first == "conf = ok "
        all_of_them.append(r)
        return r

    yield make
    for r in all_of_them:
        assert r.close() == 0


class Server:
    """A name server of our own: `answer(query, sender)` gives the replies."""

    def __init__(self, answer, tcp=None):
        self.port = free_port()
        self.seen = []
        self.answer, self.tcp_answer = answer, tcp
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(("127.0.0.1", self.port))
        self.threads = [threading.Thread(target=self.serve_udp, daemon=True)]
        if tcp is not None:
            self.tcp.listen(5)
            self.threads.append(
                threading.Thread(target=self.serve_tcp, daemon=True))
        for t in self.threads:
            t.start()

    def serve_udp(self):
        while True:
            try:
                query, sender = self.udp.recvfrom(4096)
                self.seen.append((query, sender))
                for reply in self.answer(query) or ():
                    self.udp.sendto(reply, sender)
            except OSError:
                return

    def serve_tcp(self):
        while True:
            try:
                c, _ = self.tcp.accept()
            except OSError:
                return
            with c:
                c.settimeout(5)
                n = struct.unpack(">H", c.recv(2, socket.MSG_WAITALL))[0]
                query = c.recv(n, socket.MSG_WAITALL)
                self.tcp_answer(c, query)

    def close(self):
        self.udp.close()
        self.tcp.close()


@pytest.fixture
def server():
    all_of_them = []

    def make(*args, **kw):
        all_of_them.append(Server(*args, **kw))
        return all_of_them[-1]

    yield make
    for s in all_of_them:
        s.close()


def question_end(query):
    at = 12
    while query[at] != 0:
        at += query[at] + 1
    return at + 5


def reply(query, records=b"", n=0, flags=0x8180, ident=None):
    end = question_end(query)
    head = query[:2] if ident is None else ident
    return (head + struct.pack(">HHHHH", flags, 1, n, 0, 0) +
            query[12:end] + records)


def a_record(last, ttl=60):
    return (b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", ttl, 4) +
            bytes([192, 0, 2, last]))


# ---- a real name server ----

@pytest.mark.parametrize("question, answer", [
    ("MX example.test",
     "ok example.test 300: 10 mx1.example.test, 20 mx2.example.test"),
    ("MX EXAMPLE.Test.",
     "ok example.test 300: 10 mx1.example.test, 20 mx2.example.test"),
    ("A mx1.example.test", "ok mx1.example.test 300: 192.0.2.1, 192.0.2.2"),
    ("AAAA mx1.example.test", "ok mx1.example.test 60: 2001:db8::1"),
    ("TXT example.test", 'ok example.test 300: "v=spf1 mx -all"'),
    ("MX nomail.example.test", "ok nomail.example.test 300: 0 ."),
    ("MX mx1.example.test", "nodata mx1.example.test 30"),
    ("A nothing.example.test", "nodata nothing.example.test 30"),
    ("A none.example.test", "nxdomain none.example.test 30"),
    ("A alias1.example.test",
     "ok mx1.example.test 120: 192.0.2.1, 192.0.2.2"),
    ("A away.example.test", "ok host.other.test 100: 198.51.100.1"),
    ("MX away.example.test", "nodata host.other.test 30"),
    ("A lost.example.test", "nxdomain nowhere.other.test 30"),
    ("TLSA _25._tcp.mx1.example.test",
     "ok _25._tcp.mx1.example.test 300: 3 1 1 " +
     "".join("%02x" % i for i in range(32))),
    ("TLSA _25._tcp.mx2.example.test",
     "nxdomain _25._tcp.mx2.example.test 30"),
    ("PTR 1.2.0.192.in-addr.arpa",
     "ok 1.2.0.192.in-addr.arpa 300: mx1.example.test"),
    ("PTR 2.2.0.192.in-addr.arpa",
     "ok 2.0/25.2.0.192.in-addr.arpa 300: classless.example.test"),
    ("PTR 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
     "ip6.arpa",
     "ok 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
     "ip6.arpa 300: mx1.example.test"),
    ("MX any.thing.wild.example.test",
     "ok any.thing.wild.example.test 300: 5 mx1.example.test"),
    ("TXT any.wild.example.test", "nodata any.wild.example.test 30"),
    ("A ring1.example.test", None),
    ("A self.example.test", None),
    ("A elsewhere.org", "servfail elsewhere.org 5"),
    ("15 a..b", "invalid  0"),
    ("255 example.test", "invalid  0"),
])
def test_answers(nsd, resolver, question, answer):
    got = resolver(nsd).ask(question)
    if answer is None:
        assert got.startswith("loop ")
    else:
        head, _, records = got.partition(": ")
        want, _, wanted = answer.partition(": ")
        assert head == want
        assert sorted(records.split(", ")) == sorted(wanted.split(", "))


@pytest.mark.parametrize("name, text", [("long", LONG), ("huge", HUGE)])
def test_large_answers_come_by_tcp(nsd, resolver, name, text):
    r = resolver(nsd)
    want = text.replace('" "', "")
    assert r.ask(f"TXT {name}.example.test") == \
        f"ok {name}.example.test 300: {want}"
    assert r.status()["name_server"].startswith(f"[127.0.0.1]:{nsd}")


def test_cache(nsd, resolver):
    r = resolver(nsd)
    r.ask("MX example.test")
    r.ask("A none.example.test")
    queries = r.status()["queries"]
    time.sleep(1.1)
    assert r.ask("MX example.test").startswith("ok example.test 299:")
    assert r.ask("A NONE.example.test").startswith(
        "nxdomain none.example.test 29")
    s = r.status()
    assert s["queries"] == queries
    assert s["cache_hits"] == "2"
    assert r.ask("flush").startswith("done 0 2 answers")
    assert r.ask("MX example.test").startswith("ok example.test 300:")


def test_case_of_names(nsd, resolver):
    r = resolver(nsd, options=["resolver.random_case=yes"])
    for i in range(10):
        assert r.ask(f"A n{i}.longer-name.wild.example.test") == \
            f"ok n{i}.longer-name.wild.example.test 300: 192.0.2.9"


def test_administrator(nsd, resolver):
    r = resolver(nsd)
    r.say("lookup MX example.test")
    rows = sorted(r.line() for _ in range(2))
    assert "data=10 mx1.example.test" in rows[0]
    assert "ttl=300" in rows[0] and "secure=no" in rows[0]
    assert r.line() == "lookup MX example.test = done 0 "
    assert r.ask("lookup A none.example.test") == "done 1 nxdomain"
    assert r.ask("lookup ANY example.test").startswith("done 64 usage")
    assert r.ask("lookup MX").startswith("done 64 usage")


def test_many_at_once(nsd, resolver):
    r = resolver(nsd, options=["resolver.max_queries=20"])
    for i in range(500):
        r.say(f"A n{i}.wild.example.test")
    got = sorted(r.line() for _ in range(500))
    assert got == sorted(
        f"A n{i}.wild.example.test = ok n{i}.wild.example.test 300: 192.0.2.9"
        for i in range(500))
    s = r.status()
    assert (s["active"], s["waiting"], s["queries"]) == ("0", "0", "500")


def test_the_same_at_once(server, resolver):
    def slow(query):
        time.sleep(0.1)
        return [reply(query, a_record(1), 1)]
    s = server(slow)
    r = resolver(s.port)
    for i in range(50):
        r.say("A a.test")
    for i in range(50):
        assert r.line() == "A a.test = ok a.test 60: 192.0.2.1"
    assert len(s.seen) == 1


# ---- servers that misbehave ----

def test_nobody_listens(nsd, resolver):
    closed = free_port()
    r = resolver(closed, nsd)
    begin = time.monotonic()
    assert r.ask("A mx2.example.test") == "ok mx2.example.test 300: 192.0.2.3"
    assert time.monotonic() - begin < 0.25


def test_silence(nsd, server, resolver):
    silent = server(lambda query: None)
    r = resolver(silent.port, nsd)
    begin = time.monotonic()
    assert r.ask("A mx2.example.test") == "ok mx2.example.test 300: 192.0.2.3"
    assert 0.25 < time.monotonic() - begin < 2
    for i in range(5):
        r.ask(f"A n{i}.wild.example.test")
    # By now it counts as dead: nothing is lost by waiting for it.
    begin = time.monotonic()
    assert r.ask("A n9.wild.example.test").startswith("ok")
    assert time.monotonic() - begin < 0.25
    assert len(silent.seen) == 3


def test_silence_everywhere(server, resolver):
    silent = server(lambda query: None)
    r = resolver(silent.port)
    begin = time.monotonic()
    assert r.ask("A a.test") == "timeout a.test 5"
    assert 2.5 < time.monotonic() - begin < 5
    assert len(silent.seen) >= 8
    # Each try from another port, with another id.
    assert len({sender for _, sender in silent.seen}) > 5
    assert len({query[:2] for query, _ in silent.seen}) > 5


def test_forged_answers(server, resolver):
    def forge(query):
        wrong = bytes([query[0] ^ 1, query[1]])
        other = query[:13] + b"x" + query[14:]
        return [reply(query, a_record(66), 1, ident=wrong),
                reply(other, a_record(66), 1), b"", b"\0", query,
                reply(query, a_record(1), 1)]
    r = resolver(server(forge).port)
    assert r.ask("A a.test") == "ok a.test 60: 192.0.2.1"


def test_forged_by_others(server, resolver):
    """From another port of the same host: the kernel lets nothing in."""
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s = None

    def answer(query):
        for _ in range(5):
            stranger.sendto(reply(query, a_record(66), 1), s.seen[-1][1])
        time.sleep(0.1)
        return [reply(query, a_record(1), 1)]
    s = server(answer)
    r = resolver(s.port)
    assert r.ask("A a.test") == "ok a.test 60: 192.0.2.1"
    stranger.close()


def test_many_forged_answers(server, resolver):
    def flood(query):
        return [reply(query, a_record(66), 1, ident=struct.pack(">H", i))
                for i in range(20) if struct.pack(">H", i) != query[:2]]

    def tcp(c, query):
        message = reply(query, a_record(2), 1)
        c.sendall(struct.pack(">H", len(message)) + message)
    r = resolver(server(flood, tcp=tcp).port)
    assert r.ask("A a.test") == "ok a.test 60: 192.0.2.2"


def cut(query):
    return [reply(query, flags=0x8380)]


def test_tcp_in_small_pieces(server, resolver):
    def tcp(c, query):
        message = reply(query, a_record(3), 1)
        for byte in struct.pack(">H", len(message)) + message:
            c.sendall(bytes([byte]))
            time.sleep(0.002)
    r = resolver(server(cut, tcp=tcp).port)
    assert r.ask("A a.test") == "ok a.test 60: 192.0.2.3"


@pytest.mark.parametrize("message", [
    b"", b"\0", b"\0\0", b"\0\5ab", b"\0\2ab", b"\xff\xff" + b"x" * 200])
def test_tcp_nonsense(server, resolver, message):
    good = server(lambda query: [reply(query, a_record(1), 1)])
    r = resolver(server(cut, tcp=lambda c, query: c.sendall(message)).port,
                 good.port)
    assert r.ask("A a.test") == "ok a.test 60: 192.0.2.1"


def test_no_tcp(server, resolver):
    r = resolver(server(cut).port)
    assert r.ask("A a.test") == "servfail a.test 5"


def test_no_edns(server, resolver):
    def answer(query):
        if query[11] == 1:
            return [query[:2] + b"\x81\x81" + b"\0" * 8]
        return [reply(query, a_record(1), 1)]
    s = server(answer)
    r = resolver(s.port)
    assert r.ask("A a.test") == "ok a.test 60: 192.0.2.1"
    assert r.ask("A b.test") == "ok b.test 60: 192.0.2.1"
    assert len(s.seen) == 3 # it is remembered


def test_trust(server, resolver):
    s = server(lambda query: [reply(query, a_record(1), 1, flags=0x81a0)])
    r = resolver(s.port)
    assert r.ask("A a.test") == "ok a.test 60 secure: 192.0.2.1"
    r.say(f"conf server.name_servers=127.0.0.1:{s.port} "
          "resolver.trusted_servers=")
    assert r.line() == "conf = ok "
    # What was believed before is not any more.
    assert r.ask("A a.test") == "ok a.test 60: 192.0.2.1"


# ---- configuration ----

def test_resolv_conf(nsd, tmp_path):
    path = tmp_path / "resolv.conf"
    path.write_text(f"search test\nnameserver 127.0.0.1:{nsd}\n")
    r = Resolver("-f", str(path))
    assert r.first == "conf = ok "
    assert r.ask("A mx2.example.test") == "ok mx2.example.test 300: 192.0.2.3"
    assert r.close() == 0


@pytest.mark.parametrize("option, word", [
    ("server.name_servers=ns.example.com", "ns.example.com"),
    ("server.name_servers=127.0.0.1|127.0.0.1:x", "127.0.0.1:x"),
    ("resolver.trusted_servers=everybody", "everybody"),
    ("resolver.timeout=0s", "timeout"),
    ("resolver.no_such=1", "no_such"),
])
def test_bad_configuration_changes_nothing(nsd, resolver, option, word):
    r = resolver(nsd)
    r.say(f"conf {option}")
    line = r.line()
    assert line.startswith("conf = refused") and word in line
    assert r.ask("A mx2.example.test") == "ok mx2.example.test 300: 192.0.2.3"


def test_reload_to_another_server(nsd, server, resolver):
    r = resolver(server(lambda q: [reply(q, a_record(7), 1)]).port)
    assert r.ask("A mx2.example.test") == "ok mx2.example.test 60: 192.0.2.7"
    r.say(f"conf server.name_servers=127.0.0.1:{nsd}")
    assert r.line() == "conf = ok "
    assert r.ask("A mx2.example.test") == "ok mx2.example.test 300: 192.0.2.3"


def test_a_peer_goes(server, resolver):
    gate = threading.Event()

    def answer(query):
        gate.wait(5)
        return [reply(query, a_record(1), 1)]
    r = resolver(server(answer).port)
    r.say("A a.test")
    time.sleep(0.1)
    r.say("peer")
    assert r.line() == "A a.test = lost"
    r.say("A a.test")
    gate.set()
    assert r.line() == "A a.test = ok a.test 60: 192.0.2.1"


def test_sandbox_holds(nsd, resolver):
    s = resolver(nsd).status()
    with open(f"/proc/{s['pid']}/status") as f:
        lines = dict(line.rstrip("\n").split(":\t", 1) for line in f
                     if ":\t" in line)
    assert lines["NoNewPrivs"] == "1"


# ---- a name server that never answers ----

def name_of(query):
    labels, at = [], 12
    while query[at] != 0:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += query[at] + 1
    return ".".join(labels)


def test_silence_for_one_is_none_for_others(server, tmp_path):
    """smtpd asks for hundreds of names that nobody answers for, as a stranger
    can make it: relay does not notice, and what smtpd no longer wants is
    forgotten, so that it too has answers again."""
    ns = server(lambda q: [reply(q, a_record(1), 1)] if name_of(q).startswith("good") else None)
    with Console("resolver/resolver", "resolver", tmp_path,
                 f"server.name_servers=127.0.0.1:{ns.port}", "resolver.max_queries=20",
                 "resolver.timeout=30s", "resolver.try_timeout=30s", sandbox=CONNECT) as c:
        c.peer("m", "smtpd")
        c.peer("r", "relay")
        row = lambda: dict(c.admin("status")[0][0])
        for i in range(500):
            c.say("m", "DNS_ASK", type=1, name=f"silent{i}.test")
        wait_for(lambda: row()["waiting"] == "490")
        assert row()["active"] == "10"
        began = time.monotonic()
        assert c.ask("r", "DNS_ASK", type=1, name="good1.test")["status"] == "0"
        assert time.monotonic() - began < 5
        c.drop("m")
        wait_for(lambda: row()["waiting"] == "0")
        c.peer("m2", "smtpd")
        began = time.monotonic()
        assert c.ask("m2", "DNS_ASK", type=1, name="good2.test")["status"] == "0"
        assert time.monotonic() - began < 5


def test_clients_that_leave_take_their_questions_along(server):
    """The name of a client is looked up while it waits; connections that come
    and go leave nothing behind."""
    ns = server(lambda q: None)
    s = WholeServer({"server": {"name_servers": [f"127.0.0.1:{ns.port}"]},
                     "resolver": {"max_queries": 4, "timeout": "60s", "try_timeout": "30s"}})
    try:
        s.start()
        row = lambda: next(r for r in s.status() if r["role"] == "resolver")
        asked = row()["questions"]
        clients = [socket.create_connection(("127.0.0.1", s.ports["smtp"]),
                                            source_address=(f"127.0.0.{i}", 0))
                   for i in range(2, 32)]
        wait_for(lambda: row()["questions"] >= asked + 30)
        assert row()["active"] == 2 and row()["waiting"] >= 28
        for c in clients:
            c.close()
        wait_for(lambda: row()["waiting"] == 0)
    finally:
        s.remove()


# ---- what veredus doctor asks ----

def test_doctor(nsd):
    """Both address families of the server's name and the names of its
    addresses; and whether the mandatory addresses are somebody's."""
    s = WholeServer({"server": {"name_servers": [f"127.0.0.1:{nsd}"]}},
                    hostname="mx1.example.test", accounts=())
    try:
        s.start()
        found = lambda: [r["result"] + " " + r["text"] for r in json.loads(
            s.command("--json", "doctor", check=False).stdout)]
        first = found()
        for line in ("good A mx1.example.test: 192.0.2.1", "good PTR 192.0.2.1: mx1.example.test",
                     "warning PTR 192.0.2.2: classless.example.test, but this server says that "
                     "it is mx1.example.test",
                     "good AAAA mx1.example.test: 2001:db8::1",
                     "good PTR 2001:db8::1: mx1.example.test",
                     "WRONG postmaster@example.test: nobody gets its mail (later)",
                     "WRONG abuse@example.net.test: nobody gets its mail (later)"):
            assert line in first, "\n".join(first)
        assert any(r.startswith("good MX example.test: ") for r in first)
        s.command("account", "add", "alice@example.test", stdin="some-secret\n")
        s.command("alias", "add", "abuse@example.test", "alice@example.test")
        second = found()
        assert "good postmaster@example.test: deliverable (account)" in second
        assert "good abuse@example.test: deliverable (alias)" in second
    finally:
        s.remove()
