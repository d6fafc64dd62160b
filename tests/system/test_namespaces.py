# SPDX-License-Identifier: ISC
"""Three network namespaces on a bridge: two whole servers, each on port 25 of
its own address, and a real name server. Mail finds its way by MX."""

import os
import re
import smtplib
import subprocess
import threading

import pytest

from server import PORTS, ROOT, Server, letter, wait_for
from test_resolver import NSD

pytestmark = pytest.mark.skipif(not ROOT, reason="network namespaces need root")

NET = "10.213.77"
NAMES, ONE, TWO, DOWN, OTHER = (f"{NET}.{i}" for i in (1, 2, 3, 4, 5))
ZONE = f"""$ORIGIN test.
$TTL 60
@ IN SOA ns.test. root.test. 1 3600 600 86400 5
@ IN NS ns.test.
ns IN A {NAMES}
mail.one IN A {ONE}
mail.two IN A {TWO}
down IN A {DOWN}
one IN MX 10 mail.one
two IN MX 10 mail.two
; the best is down, the next has nobody who listens, the third is two
fallback IN MX 10 down
fallback IN MX 20 other
fallback IN MX 30 mail.two
other IN A {OTHER}
; two is better than one: one never gets it
prefer IN MX 20 down
prefer IN MX 10 mail.two
; no MX at all: the address itself
plain IN A {TWO}
nullmx IN MX 0 .
; names an MX that does not exist, and then one that does
halfdead IN MX 10 gone.two
halfdead IN MX 20 mail.two
dead IN MX 10 gone.two
; one is its own best MX, though it knows nothing of it
looped IN MX 10 mail.one
looped IN MX 20 mail.two
alias IN CNAME two
nodata IN TXT "nothing here"
"""


def ip(*args):
    return subprocess.run(["ip", *args], check=True, capture_output=True, text=True)


class inside:
    """This thread in another network namespace."""
    NEW_NET = 0x40000000

    def __init__(self, name):
        self.name = name

    def go(self, path):
        import ctypes
        fd = os.open(path, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(fd, self.NEW_NET):
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(fd)

    def __enter__(self):
        self.old = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.go(f"/run/netns/{self.name}")

    def __exit__(self, *_):
        self.go(f"/proc/self/fd/{self.old}")
        os.close(self.old)


class Far(Server):
    """A server in a namespace, spoken to from there."""

    def connect(self, what, *args):
        with inside(self.netns):
            return what(*args)

    def smtp(self, service="smtp"):
        return self.connect(super().smtp, service)

    def imap(self, user="bob", box="INBOX"):
        import imaplib
        ctx = self.tls()
        ctx.check_hostname = False
        c = self.connect(lambda: imaplib.IMAP4_SSL(
            self.host, self.ports["imaps"], ssl_context=ctx, timeout=30))
        c.login(self.address(user), self.password[user])
        if box:
            c.select(box)
        return c


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """Namespaces for the names, one and two, joined by a bridge in the first."""
    tag = f"vd{os.getpid()}"
    spaces = {k: f"{tag}{k}" for k in ("names", "one", "two")}
    path = tmp_path_factory.mktemp("nsd")
    nsd = None
    try:
        for s in spaces.values():
            ip("netns", "add", s)
            ip("-n", s, "link", "set", "lo", "up")
        hub = spaces["names"]
        ip("-n", hub, "link", "add", "br0", "type", "bridge")
        ip("-n", hub, "addr", "add", f"{NAMES}/24", "dev", "br0")
        # An address that exists but where nobody listens: refused at once.
        ip("-n", hub, "addr", "add", f"{OTHER}/24", "dev", "br0")
        ip("-n", hub, "link", "set", "br0", "up")
        for k, addr in (("one", ONE), ("two", TWO)):
            ip("-n", hub, "link", "add", f"to{k}", "type", "veth", "peer",
               "name", "eth0", "netns", spaces[k])
            ip("-n", hub, "link", "set", f"to{k}", "master", "br0", "up")
            ip("-n", spaces[k], "addr", "add", f"{addr}/24", "dev", "eth0")
            ip("-n", spaces[k], "link", "set", "eth0", "up")
        (path / "zone").write_text(ZONE)
        (path / "nsd.conf").write_text(
            f'server:\n  ip-address: {NAMES}\n  port: 53\n  username: ""\n'
            f'  zonesdir: "{path}"\n  database: ""\n  pidfile: "{path}/pid"\n'
            f'  xfrdfile: "{path}/xfrd"\n  zonelistfile: "{path}/list"\n'
            f'  xfrdir: "{path}"\n  server-count: 1\n  rrl-ratelimit: 0\n'
            'remote-control:\n  control-enable: no\n'
            'zone:\n  name: "test"\n  zonefile: "zone"\n')
        with open(path / "log", "wb") as log:
            nsd = subprocess.Popen(["ip", "netns", "exec", hub, NSD, "-d", "-c",
                                    str(path / "nsd.conf")], stdout=log, stderr=log)
        yield spaces
    finally:
        if nsd:
            nsd.terminate()
            nsd.wait(20)
        for s in spaces.values():
            subprocess.run(["ip", "netns", "del", s], capture_output=True)


def make(net, name, host, domains):
    ports = dict(zip(PORTS, (25, 587, 465, 24, 143, 993, 110, 995)))
    s = Far({"server": {"name_servers": [NAMES], "processes": 1},
             # Nobody may relay by address: who sends out has logged in, or
             # comes from here.
             "smtpd": {"listen": [f"{host}:25"], "trusted_networks": [f"{host}/32"]},
             "relay": {"connect_timeout": "2s", "tls": "may"},
             "queue": {"retry_min": "1s", "retry_max": "2s", "max_age": "1m"}},
            domains=domains, host=host, ports=ports, netns=net[name],
            hostname=f"mail.{name}.test")
    return s


@pytest.fixture(scope="module")
def one(net):
    s = make(net, "one", ONE, ("one.test",))
    try:
        yield s.start()
    finally:
        s.remove()


@pytest.fixture(scope="module")
def two(net):
    s = make(net, "two", TWO, ("two.test", "fallback.test", "prefer.test",
                               "plain.test", "halfdead.test", "looped.test"))
    try:
        s.start()
        for d in s.domains[1:]:
            for u in ("alice", "bob"):
                s.command("alias", "add", f"{u}@{d}", f"{u}@two.test")
        yield s
    finally:
        s.remove()


def send(server, sender, rcpt, subject):
    with server.smtp() as c:
        c.sendmail(sender, [rcpt], letter(subject, sender, rcpt))


def arrived(server, subject, user="bob", seconds=30):
    head = f"\r\nSubject: {subject}\r\n".encode()
    got = wait_for(lambda: [m for m in server.messages(user) if head in m], seconds, 0.2)
    assert len(got) == 1
    return got[0]


def bounce(server, about, user="alice", seconds=30):
    head = f"\r\nSubject: {about}\r\n".encode()
    return wait_for(lambda: next((m for m in server.messages(user) if head in m and
                                  b"multipart/report" in m), None), seconds, 0.2)


@pytest.mark.parametrize("domain", ["two", "plain", "fallback", "prefer", "halfdead"])
def test_by_mx(one, two, domain):
    send(one, "alice@one.test", f"bob@{domain}.test", f"by mx {domain}")
    m = arrived(two, f"by mx {domain}")
    assert re.search(rb"\r\nReceived: from mail\.one\.test \(.*\[10\.213\.77\.2\]\)", m)
    assert b"with ESMTPS" in m, "opportunistic TLS"
    assert m.count(b"\r\nReceived: ") == 2
    wait_for(lambda: not one.queue(), 10)


def test_and_back(one, two):
    send(two, "bob@two.test", "alice@one.test", "back")
    assert b"Return-Path: <bob@two.test>" in arrived(one, "back", "alice")


def test_many_both_ways(one, two):
    """Fifty each way at once, each exactly once."""
    def go(server, sender, rcpt, label):
        with server.smtp() as c:
            for i in range(50):
                c.sendmail(sender, [rcpt], letter(f"{label} {i}.", sender, rcpt))

    ts = [threading.Thread(target=go, args=a) for a in (
        (one, "carol@one.test", "carol@two.test", "to two"),
        (two, "carol@two.test", "carol@one.test", "to one"))]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    for s, label in ((two, "to two"), (one, "to one")):
        got = s.wait_messages(50, "carol", 40)
        found = sorted(re.search(rb"\r\nSubject: (.*)\r\n", m)[1].decode() for m in got)
        assert found == sorted(f"{label} {i}." for i in range(50))


@pytest.mark.parametrize("domain,code", [
    ("nullmx", b"5.1.10"),    # RFC 7505 4.2
    ("nowhere", b"5.1.2"),    # NXDOMAIN
    ("nodata", b"5.4.4"),     # no MX, no address
    ("dead", None),           # the only MX has no address
    ("looped", None),         # we are the best MX ourselves
])
def test_bounce_at_once(one, two, domain, code):
    subject = f"lost {domain}"
    send(one, "alice@one.test", f"bob@{domain}.test", subject)
    m = bounce(one, subject)
    assert b"Action: failed" in m
    status = re.search(rb"\r\nStatus: (\S+)", m)[1]
    assert status.startswith(b"5.") and (code is None or status == code), m.decode()
    assert f"Final-Recipient: rfc822;bob@{domain}.test".encode() in \
        m.replace(b"rfc822; ", b"rfc822;")
    assert not any(subject.encode() in x for x in two.messages())


def test_unknown_user_over_there(one, two):
    send(one, "alice@one.test", "nobody@two.test", "unknown there")
    m = bounce(one, "unknown there")
    assert b"\r\nStatus: 5.1.1\r\n" in m
    assert b"\r\nRemote-MTA: dns; mail.two.test\r\n" in m


def test_no_open_relay(one, two):
    """A stranger (one) may not send through two to elsewhere."""
    c = one.connect(lambda: smtplib.SMTP(TWO, 25, timeout=20))
    c.ehlo("mail.one.test")
    c.mail("x@one.test")
    code, text = c.rcpt("someone@elsewhere.test")
    assert code // 100 == 5 and text.startswith(b"5.7.1")
    c.quit()


def test_waits_while_the_other_is_away(one, two):
    two.stop()
    send(one, "alice@one.test", "bob@two.test", "waited")
    row = wait_for(lambda: (q := one.queue()) and q, 10)
    assert len(row) == 1
    two.start()
    arrived(two, "waited", seconds=40)
    wait_for(lambda: not one.queue(), 20)
