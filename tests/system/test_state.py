# SPDX-License-Identifier: ISC
"""The state role: its real binary in its sandbox, its peers played here."""

import time

import pytest

from console import Console


@pytest.fixture(params=["bdb", "lmdb"])
def driver(request):
    return request.param


def start(folder, driver, *options):
    c = Console("auth/state", "state", folder, "state.driver=" + driver,
                *options)
    c.peer("s", "smtpd")
    c.peer("a", "auth")
    return c


def rate(c, key, cost, limit, window=3600, peer="s"):
    m = c.ask(peer, "RATE_ASK", key=key, cost=cost, limit=limit,
              window_s=window)
    return m["allowed"] == "1", int(m["count"])


def test_rates(tmp_path, driver):
    with start(tmp_path, driver) as c:
        assert rate(c, "k", 0, 3) == (True, 0)
        assert [rate(c, "k", 1, 3) for _ in range(5)] == [
            (True, 1), (True, 2), (True, 3), (False, 3), (False, 3)]
        assert rate(c, "k", 0, 3, peer="a") == (False, 3)
        assert rate(c, "k", 0, 4) == (True, 3)
        assert rate(c, "k", 1, 3, window=60) == (True, 1)
        assert rate(c, "k2", 5, 4) == (False, 0)
        assert rate(c, "", 1, 0) == (False, 0)
        assert rate(c, b"\x00\xff" * 5000, 1, 9) == (True, 1)
        m = c.ask("s", "RATE_ASK", key="short", cost=2, limit=2, window_s=1)
        assert m["allowed"] == "1"
        m = c.ask("s", "RATE_ASK", key="short", cost=1, limit=2, window_s=1)
        assert m["allowed"] == "0" and 1 <= int(m["retry_s"]) <= 3
        time.sleep(int(m["retry_s"]) + 0.05)
        assert rate(c, "short", 1, 2, window=1)[0]


def test_clients(tmp_path, driver):
    with start(tmp_path, driver) as c:
        c.peer("t", "smtpd", 1)

        def opened(peer, key, limit):
            m = c.ask(peer, "CLIENT_OPEN", key=key, limit=limit)
            return m["allowed"] == "1", int(m["count"])
        assert opened("s", "x", 2) == (True, 1)
        assert opened("t", "x", 2) == (True, 2)
        assert opened("s", "x", 2) == (False, 2)
        assert opened("s", "x", 0) == (True, 3)
        c.say("s", "CLIENT_CLOSE", key="x")
        c.say("s", "CLIENT_CLOSE", key="x")
        c.say("s", "CLIENT_CLOSE", key="x")  # one too many
        c.say("s", "CLIENT_CLOSE", key="never")
        assert opened("s", "x", 2) == (True, 2)
        c.drop("t")  # a process dies with what it had
        deadline = time.monotonic() + 5
        while dict(c.admin("status")[0][0])["connections"] != "1":
            assert time.monotonic() < deadline
        assert opened("s", "x", 2) == (True, 2)


def test_restart(tmp_path, driver):
    with start(tmp_path, driver) as c:
        for i in range(1500):
            c.say("s", "RATE_ASK", key="key%d" % i, cost=i % 7 + 1, limit=100,
                  window_s=3600)
        for i in range(1500):
            c.answer("s")
        rate(c, "gone", 1, 9)
        rate(c, "short", 1, 9, window=1)
        assert c.admin("rate clear", ("key", "gone"))[1] == 0
        assert c.close() == 0
    with start(tmp_path, driver) as c:
        for i in (0, 6, 777, 1499):
            assert rate(c, "key%d" % i, 0, 100) == (True, i % 7 + 1)
        assert rate(c, "gone", 0, 9) == (True, 0)
        c.process.kill()
    with start(tmp_path, driver, "state.entries=1000") as c:
        rows, code, _ = c.admin("status")
        assert dict(rows[-1])["counters"] == "1000"


def test_administrator(tmp_path):
    with start(tmp_path, "lmdb") as c:
        for i in range(30):
            rate(c, "a%02d" % i, i + 1, 100)
        rate(c, "b", 1, 9)
        rate(c, "b", 2, 9, window=60)
        rows, code, _ = c.admin("rate list", ("prefix", "a"), ("limit", 20))
        assert code == 0 and len(rows) == 21
        assert rows[0] == [("key", "a00"), ("window", "3600"),
                           ("count", "1")]
        assert rows[20] == [("next", "a19")]
        rows, _, _ = c.admin("rate list", ("prefix", "a"), ("after", "a19"))
        assert len(rows) == 10
        rows, _, _ = c.admin("rate list", ("prefix", "b"))
        assert [dict(r)["window"] for r in rows] == ["60", "3600"]
        assert c.admin("rate clear", ("key", "b"))[2] == "2 counters cleared"
        assert c.admin("rate clear", ("key", "b"))[1] == 69
        assert c.admin("rate clear", ("key", "a*"))[2] == \
            "30 counters cleared"
        assert c.admin("rate clear")[1] == 64
        assert c.admin("rate list", ("limit", "501"))[1] == 64
        assert c.admin("rate list", ("x", "y"))[1] == 64
        assert c.admin("rate fly")[1] == 64
        assert c.admin("rate list")[0] == []
