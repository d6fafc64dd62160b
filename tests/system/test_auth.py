# SPDX-License-Identifier: ISC
"""The auth role: its real binary in its sandbox, its peers played here."""

import base64
import hashlib
import hmac
import os
import time

import pytest

from console import FILES, THREADS, Console

OK, CONTINUE, FAILED, LATER, SLOW_DOWN, MALFORMED, DISABLED = map(str, range(7))
PLAIN, LOGIN, SCRAM, SCRAM_PLUS = range(4)

# Stored forms of "secret".
CRYPT = ("$5$rounds=1000$abcdefgh$"
         "pS6YQ9rD4Qb6LPfJY8eYbO0mEXg7xQOHEC0xEGFTcJ1")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


def b64(data):
    return base64.b64encode(data).decode()


def scram_form(password, iterations=4096, salt=b"0123456789abcdef"):
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, iterations)
    stored = sha256(mac(salted, b"Client Key"))
    return "SCRAM-SHA-256$%d:%s$%s:%s" % (
        iterations, b64(salt), b64(stored), b64(mac(salted, b"Server Key")))


class People:
    """A directory, a state and a broker that play along."""

    def __init__(self, c):
        self.enabled, self.slow, self.tickets = True, False, []
        self.names = {"joe": 7, "joe@example.org": 7, "jane": 8}
        c.peer("d", "directory")
        c.peer("s", "state")
        c.peer("b", "broker")
        c.replies["d", "LOGIN_ASK"] = self.login
        c.replies["s", "RATE_ASK"] = self.rate
        c.replies["b", "TICKET"] = self.ticket
        self.counted = []

    def login(self, m):
        number = self.names.get(m["user"].lower(), 0)
        return "LOGIN_ANSWER", dict(
            found=number > 0, enabled=self.enabled, account=number,
            address=m["user"].lower().split("@")[0] + "@example.org")

    def rate(self, m):
        if m["cost"] != "0":
            self.counted.append(m["key"])
        return "RATE_ANSWER", dict(allowed=not self.slow)

    def ticket(self, m):
        self.tickets.append(m)
        return "TICKET_OK", {}


@pytest.fixture(params=["bdb", "lmdb"])
def driver(request):
    return request.param


def start(folder, driver="lmdb", *options, people=True):
    c = Console("auth/auth", "auth", folder, "auth.driver=" + driver,
                "auth.failure_delay=200ms", *options,
                sandbox=FILES | THREADS)
    c.peer("i", "access", 3)
    c.peer("m", "submission", 0)
    c.people = People(c) if people else None
    return c


@pytest.fixture
def auth(tmp_path, driver):
    with start(tmp_path, driver) as c:
        ok(c, "password set", ("account", 7), ("form", scram_form(b"secret")))
        yield c


def ok(c, verb, *pairs):
    rows, code, text = c.admin(verb, *pairs)
    assert code == 0, text
    return rows


exchange = iter(range(1, 1 << 30))


def begin(c, mech, initial=None, peer="m", client="192.0.2.7", **more):
    number = next(exchange)
    c.say(peer, "AUTH_START", exchange=number, mech=mech, tls=1,
          has_initial=initial is not None, initial=initial or b"",
          service="smtp", client=client, **more)
    return number


def plain(c, user, password, peer="m", authzid=b"", **more):
    begin(c, PLAIN, b"\0".join([authzid, user, password]), peer, **more)
    return c.answer(peer)


def test_plain(auth):
    c = auth
    m = plain(c, b"joe", b"secret")
    assert (m["result"], m["account"], m["address"], m["ticket"]) == (
        OK, "7", "joe@example.org", "")
    assert plain(c, b"joe", b"wrong")["result"] == FAILED
    assert plain(c, b"nobody", b"secret")["result"] == FAILED
    assert plain(c, b"jane", b"secret")["result"] == FAILED  # no password
    assert plain(c, b"joe", b"secret", authzid=b"jane")["result"] == FAILED
    assert plain(c, b"joe", b"secret", authzid=b"JOE")["result"] == OK
    assert len(c.people.counted) == 8
    assert c.people.counted[0] == "auth:client:192.0.2.7"
    assert c.people.counted[1] == "auth:pair:192.0.2.7:7"
    log = "".join(c.log)
    assert "secret" not in log and "wrong" not in log
    assert "nobody" not in log and "event=auth_ok" in log


def test_change_during_a_check(auth):
    """The old password is being checked when it is changed: it is neither let
    in nor remembered."""
    c = auth
    slow = scram_form(b"secret", 1000000)
    pending = lambda: dict(c.admin("status")[0][0])["hashing"]
    for change in ((("password set", ("account", 7), ("form", scram_form(b"other")))),
                   (("password remove", ("account", 7)))):
        ok(c, "password set", ("account", 7), ("form", slow))
        begin(c, PLAIN, b"\0joe\0secret")
        while pending() == "0":
            time.sleep(0.01)
        ok(c, *change)
        assert c.answer("m")["result"] == FAILED
        assert plain(c, b"joe", b"secret")["result"] == FAILED
    ok(c, "password set", ("account", 7), ("form", scram_form(b"other")))
    assert plain(c, b"joe", b"other")["result"] == OK


def test_ticket(auth):
    m = plain(auth, b"joe", b"secret", peer="i")
    t = auth.people.tickets[0]
    assert (m["result"], m["ticket"]) == (OK, t["ticket"])
    assert (len(t["ticket"]), t["account"], t["instance"]) == (16, "7", "3")
    # Without the broker nobody comes in.
    auth.drop("b")
    assert plain(auth, b"joe", b"secret", peer="i")["result"] == LATER


def test_same_words_and_time(auth):
    """Wrong password and unknown user differ in nothing a client sees."""
    times, answers = {}, {}
    for user in (b"joe", b"nobody", b"jane", b"\xc2\xad", b"x" * 300):
        began = time.monotonic()
        answers[user] = plain(auth, user, b"wrong")
        times[user] = time.monotonic() - began
        assert times[user] >= 0.2
    assert len({tuple(sorted((k, v) for k, v in a.items() if k != "req"))
                for a in answers.values()}) == 1
    assert max(times.values()) < 0.2 * 1.25 + 0.3


def test_hostile(auth):
    c = auth
    for initial in (b"", b"\0", b"\0\0", b"joe", b"\0joe\0a\0b", b"\0joe\0",
                    b"\0" * 9000, b"\xff\xfe\0\xff\0x", os.urandom(9000)):
        begin(c, PLAIN, initial)
        assert c.answer("m")["result"] in (MALFORMED, FAILED)
    for mech in (4, 99, 255):
        begin(c, mech, b"x")
        assert c.answer("m")["result"] == MALFORMED
    begin(c, SCRAM, b"n,,n=joe,r=abc", binding=b"x" * 1000)
    assert c.answer("m")["result"] == MALFORMED
    # Steps that were not asked for.
    c.say("m", "AUTH_MORE", exchange=424242, response=b"x")
    assert c.answer("m")["result"] == LATER
    c.say("m", "AUTH_ABORT", exchange=424242)
    n = begin(c, LOGIN)
    assert c.answer("m")["result"] == CONTINUE
    c.say("m", "AUTH_ABORT", exchange=n)
    c.say("m", "AUTH_MORE", exchange=n, response=b"x")
    assert c.answer("m")["result"] == LATER
    # Another's exchange.
    n = begin(c, LOGIN)
    c.answer("m")
    c.say("i", "AUTH_MORE", exchange=n, response=b"joe")
    assert c.answer("i")["result"] == LATER
    # The same number again.
    c.say("m", "AUTH_START", exchange=n, mech=LOGIN, service="smtp" * 1000,
          client="\xff" * 5000)
    assert c.answer("m")["result"] == CONTINUE
    assert plain(c, b"joe", b"secret")["result"] == OK


def test_login(auth):
    c = auth
    n = begin(c, LOGIN)
    assert c.answer("m")["result"] == CONTINUE
    c.say("m", "AUTH_MORE", exchange=n, response=b"JOE")
    assert c.answer("m")["result"] == CONTINUE
    c.say("m", "AUTH_MORE", exchange=n, response=b"secret")
    assert c.answer("m")["result"] == OK


def scram(c, user, password, binding=b"", mech=SCRAM, spoil=False):
    """A whole exchange; the last result, and whether the server proved
    itself."""
    gs2 = "p=tls-exporter,," if mech == SCRAM_PLUS else "n,,"
    bare = "n=%s,r=clientnonce" % user
    n = begin(c, mech, (gs2 + bare).encode(), binding=binding)
    m = c.answer("m")
    if m["result"] != CONTINUE:
        return m["result"], None
    first = m["challenge"]
    parts = dict(p.split("=", 1) for p in first.split(","))
    salt, i = base64.b64decode(parts["s"]), int(parts["i"])
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, i)
    bound = gs2.encode() + (binding if mech == SCRAM_PLUS else b"")
    final = "c=%s,r=%s" % (b64(bound), parts["r"])
    text = ",".join([bare, first, final]).encode()
    key = mac(salted, b"Client Key")
    sign = mac(sha256(key), text)
    proof = bytes(a ^ b for a, b in zip(key, sign))
    c.say("m", "AUTH_MORE", exchange=n,
          response=final + ",p=" + b64(proof) + ("x" if spoil else ""))
    m = c.answer("m")
    if m["result"] != CONTINUE:
        return m["result"], salt
    good = "v=" + b64(mac(mac(salted, b"Server Key"), text))
    assert m["challenge"] == good
    c.say("m", "AUTH_MORE", exchange=n, response=b"")
    return c.answer("m")["result"], salt


def test_scram(auth):
    c = auth
    assert scram(c, "joe", b"secret") == (OK, b"0123456789abcdef")
    assert scram(c, "joe", b"wrong")[0] == FAILED
    # Nobody has a salt too, always the same one.
    result, salt = scram(c, "nobody", b"secret")
    assert result == FAILED and len(salt) == 16
    assert scram(c, "nobody", b"other") == (FAILED, salt)
    assert scram(c, "NOBODY", b"other") == (FAILED, salt)
    assert scram(c, "nobody@example.org", b"other") == (FAILED, salt)
    assert scram(c, "somebody", b"other")[1] != salt
    assert scram(c, "joe", b"secret", spoil=True)[0] == MALFORMED
    assert scram(c, "joe", b"secret", b"B" * 32, SCRAM_PLUS)[0] == OK
    assert scram(c, "joe", b"secret", b"", SCRAM_PLUS)[0] == MALFORMED
    c.people.enabled = False
    assert scram(c, "joe", b"secret")[0] == DISABLED
    assert scram(c, "joe", b"wrong")[0] == FAILED


def test_disabled(auth):
    auth.people.enabled = False
    assert plain(auth, b"joe", b"secret")["result"] == DISABLED
    assert plain(auth, b"joe", b"wrong")["result"] == FAILED


def test_slow_down(auth):
    c = auth
    c.people.slow = True
    assert plain(c, b"joe", b"secret")["result"] == SLOW_DOWN
    assert scram(c, "joe", b"secret")[0] == SLOW_DOWN
    c.people.slow = False
    plain(c, b"joe", b"wrong", client="2001:db8:1:2:3:4:5:6")
    assert c.people.counted == ["auth:client:2001:db8:1:2::/64",
                                "auth:pair:2001:db8:1:2::/64:7"]
    # Counting must not lock anybody out by being away.
    c.drop("s")
    assert plain(c, b"joe", b"secret")["result"] == OK


def test_remembered(auth):
    c = auth

    def remembered():
        return dict(c.admin("status")[0][-1])["remembered"]
    assert plain(c, b"joe", b"secret")["result"] == OK
    assert remembered() == "0"
    assert plain(c, b"joe", b"secret")["result"] == OK
    assert remembered() == "1"
    assert plain(c, b"joe", b"wrong")["result"] == FAILED
    # A changed password is forgotten at once.
    ok(c, "password set", ("account", 7), ("form", scram_form(b"other")))
    assert plain(c, b"joe", b"secret")["result"] == FAILED
    assert plain(c, b"joe", b"other")["result"] == OK
    ok(c, "password remove", ("account", 7))
    assert plain(c, b"joe", b"other")["result"] == FAILED


def test_administrator(auth):
    c = auth
    rows = ok(c, "password has", ("account", 7))
    row = dict(rows[0])
    assert (row["has"], row["scram"]) == ("yes", "4096")
    assert "crypt" not in row
    assert dict(ok(c, "password has", ("account", 9))[0])["has"] == "no"
    # The first login makes what is missing or weak anew.
    assert plain(c, b"joe", b"secret")["result"] == OK
    again = dict(ok(c, "password has", ("account", 7))[0])
    assert (again["crypt"], again["scram"]) == ("$y$", "65536")
    assert again["changed"] == row["changed"]
    for pairs in ([], [("account", "7")], [("account", "0"), ("form", CRYPT)],
                  [("account", "7"), ("form", "secret")],
                  [("account", "7"), ("form", "")],
                  [("account", "7"), ("form", "$" + "x" * 600)],
                  [("account", "7"), ("form", "$y$ a")],
                  [("account", "7"), ("form", CRYPT), ("form", CRYPT)],
                  [("account", "7"), ("form", CRYPT), ("x", "y")]):
        rows, code, _ = c.admin("password set", *pairs)
        assert code in (64, 65) and rows == [], pairs
    assert plain(c, b"joe", b"secret")["result"] == OK
    ok(c, "password set", ("account", 8), ("form", "!locked"))
    assert plain(c, b"jane", b"!locked")["result"] == FAILED


def test_restart(tmp_path, driver):
    with start(tmp_path, driver) as c:
        ok(c, "password set", ("account", 7), ("form", scram_form(b"secret")))
        salt = scram(c, "nobody", b"x")[1]
        c.process.kill()
    deadline = time.monotonic() + 5
    while True:
        try:
            c = start(tmp_path, driver)
            break
        except AssertionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    with c:
        assert plain(c, b"joe", b"secret")["result"] == OK
        assert scram(c, "nobody", b"x")[1] == salt
        assert c.close() == 0


def test_alone(tmp_path):
    """Without directory nobody is told that he is wrong."""
    with start(tmp_path, people=False) as c:
        assert plain(c, b"joe", b"secret")["result"] == LATER


def test_full(tmp_path):
    with start(tmp_path, "lmdb", "auth.queue=2", "auth.threads=1") as c:
        ok(c, "password set", ("account", 7), ("form", scram_form(b"secret")))
        for i in range(40):
            begin(c, PLAIN, b"\0joe\0wrong%d" % i)
        results = [c.answer("m")["result"] for i in range(40)]
        assert set(results) == {FAILED, LATER}


def test_fronts_die(auth):
    for i in range(50):
        begin(auth, PLAIN, b"\0joe\0wrong%d" % i, peer="i")
    auth.drop("i")
    assert plain(auth, b"joe", b"secret")["result"] == OK
    deadline = time.monotonic() + 5
    while dict(auth.admin("status")[0][-1])["in_work"] != "0":
        assert time.monotonic() < deadline
