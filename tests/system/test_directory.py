# SPDX-License-Identifier: ISC
"""The directory role: its real binary in its sandbox, its peers played here."""

import re
import struct
import time

import pytest

from console import Console

ACCOUNT, ALIAS, RELAY, REMOTE, UNKNOWN, DISABLED, INVALID, LATER, LOOP = \
    map(str, range(9))


def start(folder, driver, *options):
    c = Console("auth/directory", "directory", folder,
                "directory.driver=" + driver,
                "server.hostname=mail.example.org", *options)
    c.peer("q", "queue")
    c.peer("b", "broker")
    c.peer("a", "auth")
    return c


@pytest.fixture(params=["bdb", "lmdb"])
def driver(request):
    return request.param


@pytest.fixture
def filled(tmp_path, driver):
    with start(tmp_path, driver, "directory.relay_domains=backup.test",
               "directory.routes=routed.test=lmtp:[2001:db8::1]|"
               ".below.test=mx:hub.test", "directory.quota_bytes=1000") as c:
        ok(c, "domain add", ("name", "Example.ORG"))
        ok(c, "domain add", ("name", "alias.test"),
           ("alias-of", "example.org"))
        ok(c, "domain add", ("name", "other.test"))
        ok(c, "account add", ("address", "Joe@example.org"))
        ok(c, "account add", ("address", "jane@other.test"),
           ("quota-bytes", "none"))
        ok(c, "alias add", ("alias", "info"), ("target", "joe"),
           ("target", "Bob@Else.Where"))
        ok(c, "alias add", ("alias", "sales@example.org"),
           ("target", "jane@other.test"))
        ok(c, "alias add", ("alias", "@other.test"), ("target", "joe"))
        yield c


def ok(c, verb, *pairs):
    rows, code, text = c.admin(verb, *pairs)
    assert code == 0, text
    return rows


def addr(c, address):
    return c.ask("q", "ADDR_ASK", address=address)


CASES = [
    ("joe@example.org", ACCOUNT, "1", "joe@example.org", ""),
    ("JOE@EXAMPLE.ORG", ACCOUNT, "1", "joe@example.org", ""),
    ('"joe"@alias.test', ACCOUNT, "1", "joe@example.org", ""),
    ("joe+any+thing@example.org", ACCOUNT, "1", "joe@example.org", ""),
    ("joe", ACCOUNT, "1", "joe@example.org", ""),
    ("joe@mail.example.org", ACCOUNT, "1", "joe@example.org", ""),
    ("info@alias.test", ALIAS, "0", "info@example.org", ""),
    ("Info+x@example.org", ALIAS, "0", "info@example.org", ""),
    ("who@other.test", ALIAS, "0", "who@other.test", ""),
    ("who@example.org", UNKNOWN, "0", "who@example.org", ""),
    ("+x@example.org", UNKNOWN, "0", "+x@example.org", ""),
    ("postmaster", ACCOUNT, "1", "joe@example.org", ""),
    ("PostMaster@example.org", ACCOUNT, "1", "joe@example.org", ""),
    ("abuse@alias.test", ACCOUNT, "1", "joe@example.org", ""),
    ("postmaster@[192.0.2.1]", ACCOUNT, "1", "joe@example.org", ""),
    ("joe@[192.0.2.1]", REMOTE, "0", "joe@[192.0.2.1]", "smtp:192.0.2.1:25"),
    ("joe@[IPv6:2001:db8::2]", REMOTE, "0", "joe@[IPv6:2001:db8::2]",
     "smtp:[2001:db8::2]:25"),
    ("A.b@BACKUP.test", RELAY, "0", "A.b@backup.test", "mx:backup.test"),
    ("x@sub.backup.test", REMOTE, "0", "x@sub.backup.test",
     "mx:sub.backup.test"),
    ("x@routed.test", REMOTE, "0", "x@routed.test",
     "lmtp:[2001:db8::1]:24"),
    ("x@a.b.below.test", REMOTE, "0", "x@a.b.below.test", "mx:hub.test"),
    ("Joe@Far.Away", REMOTE, "0", "Joe@far.away", "mx:far.away"),
    ("x@b\u00fccher.test", REMOTE, "0", None, "mx:xn--bcher-kva.test"),
    ("", INVALID, "0", "", ""),
    ("@example.org", INVALID, "0", "", ""),
    ("a b@example.org", UNKNOWN, "0", None, ""),
    ("x@-bad-", INVALID, "0", "", ""),
    ("a\x00b@example.org", INVALID, "0", "", ""),
    ("x" * 300 + "@example.org", INVALID, "0", "", ""),
]


def test_addresses(filled):
    for address, kind, account, canonical, nexthop in CASES:
        got = addr(filled, address)
        if address == "a b@example.org":
            assert got["kind"] in (UNKNOWN, INVALID)
            continue
        assert (got["kind"], got["account"], got["nexthop"]) == (
            kind, account, nexthop), (address, got)
        assert canonical is None or got["address"] == canonical, address


def expand(c, address):
    c.say("q", "EXPAND_ASK", address=address)
    targets = []
    while True:
        m = c.answer("q")
        if m.name == "EXPAND_DONE":
            return targets, m["kind"]
        targets.append(m["target"])


def test_expansion(filled):
    c = filled
    assert expand(c, "info@example.org") == (
        ["joe@example.org", "Bob@else.where"], ALIAS)
    assert expand(c, "info@alias.test")[0][0] == "joe@example.org"
    assert expand(c, "joe@example.org") == ([], ACCOUNT)
    assert expand(c, "who@other.test") == (["joe@example.org"], ALIAS)
    assert expand(c, "nobody@example.org") == ([], UNKNOWN)
    # The same alias by another name.
    ok(c, "alias add", ("alias", "ring"), ("target", "ring@alias.test"))
    assert expand(c, "ring@example.org") == ([], LOOP)
    _, code, text = c.admin("alias add", ("alias", "self"),
                            ("target", "SELF@example.org"))
    assert code == 65 and "itself" in text


def test_owners(filled):
    c = filled
    c.peer("s", "submission")
    c.replies["s", "GENERATION"] = lambda m: ("GENERATION_OK", {})

    def owns(account, address):
        return c.ask("s", "OWNS_ASK", account=account,
                     address=address)["yes"] == "1"
    assert owns(1, "joe@example.org")
    assert owns(1, "JOE+x@alias.test")
    assert owns(1, "postmaster@example.org")
    assert owns(1, "anything@other.test")  # the catch-all is joe's alone
    assert owns(2, "sales@example.org")
    assert not owns(2, "joe@example.org")
    assert not owns(1, "info@example.org")  # shared with another
    assert not owns(1, "x@far.away")
    assert not owns(0, "who@example.org")
    assert not owns(1, "")


def test_logins(filled):
    c = filled

    def login(user):
        m = c.ask("a", "LOGIN_ASK", user=user)
        return m["found"] + m["enabled"] + ":" + m["account"] + m["address"]
    assert login("Joe") == "11:1joe@example.org"
    assert login("JOE@Alias.test") == "11:1joe@example.org"
    assert login("jane") == "00:0jane@example.org"
    assert login("Jane@alias.test") == "00:0jane@example.org"
    assert login("jane@other.test") == "11:2jane@other.test"
    for user in ("joe+x", "info", "", "@", "\xff\xfe", "a@b@c", "x" * 5000):
        assert login(user).startswith("00:0"), user
    assert login("joe@far.away") == "00:0"
    ok(c, "account disable", ("account", "joe"))
    assert login("joe") == "10:1joe@example.org"
    assert addr(c, "joe@example.org")["kind"] == DISABLED
    # The postmaster is then the next one, never nobody.
    assert addr(c, "postmaster@example.org")["account"] == "2"
    ok(c, "account enable", ("account", "1"))
    assert addr(c, "joe@example.org")["kind"] == ACCOUNT


def test_accounts(filled):
    c = filled
    m = c.ask("b", "ACCOUNT_ASK", account=1)
    assert (m["found"], m["uid"], m["gid"], m["home"], m["quota_bytes"]) == (
        "1", "200001", "200001", "example.org/joe", "1000")
    assert c.ask("b", "ACCOUNT_ASK", account=2)["quota_bytes"] == "0"
    assert c.ask("b", "ACCOUNT_ASK", account=3)["found"] == "0"
    assert c.ask("b", "ACCOUNT_ASK", account=0)["found"] == "0"
    # Usage.
    c.say("b", "USAGE", account=1, bytes=999, messages=1)
    c.ask("b", "ACCOUNT_ASK", account=1)
    assert addr(c, "joe@example.org")["over_quota"] == "0"
    c.say("b", "USAGE", account=1, bytes=1000, messages=1)
    c.ask("b", "ACCOUNT_ASK", account=1)
    assert addr(c, "joe@example.org")["over_quota"] == "1"
    ok(c, "account quota", ("account", "joe"), ("quota-bytes", "10M"))
    assert addr(c, "joe@example.org")["over_quota"] == "0"
    # Another address, the same home.
    ok(c, "alias remove", ("alias", "@other.test"))
    ok(c, "alias remove", ("alias", "info"), ("target", "joe"))
    ok(c, "account rename", ("account", "joe"),
       ("address", "joseph@other.test"))
    assert c.ask("b", "ACCOUNT_ASK", account=1)["home"] == "example.org/joe"
    assert addr(c, "joseph@other.test")["account"] == "1"
    # A number and a home are never given again.
    rows = ok(c, "account add", ("address", "joe@example.org"))
    row = dict(rows[0])
    assert row["number"] == "3" and row["home"] == "example.org/joe~3"
    ok(c, "account remove", ("account", "3"))
    rows = ok(c, "account add", ("address", "joe@example.org"))
    assert dict(rows[0])["number"] == "4"
    assert dict(rows[0])["home"] == "example.org/joe~4"


def test_homes(filled):
    c = filled
    for address, home in (('"../../etc"@example.org',
                           "example.org/%2e.%2f..%2fetc"),
                          ('"a b"@example.org', "example.org/a%20b"),
                          (".dot@example.org", "example.org/%2edot"),
                          ("x~y@example.org", "example.org/x%7ey")):
        rows, code, text = c.admin("account add", ("address", address))
        assert code == 0, (address, text)
        assert dict(rows[0])["home"] == home
    for home in ("/etc", "a/../b", "a//b", ".", "a/", "a\x00b",
                 "example.org/joe"):
        _, code, _ = c.admin("account add", ("address", "z@example.org"),
                             ("home", home))
        assert code in (65, 73), home


ERRORS = [
    ("domain add", [("name", "example.org")], 73, "exists"),
    ("domain add", [("name", "no domain")], 65, "not a domain"),
    ("domain add", [("name", "[192.0.2.1]")], 65, "not a domain"),
    ("domain add", [], 65, "not a domain"),
    ("domain add", [("name", "x.test"), ("alias-of", "none.test")], 68,
     "no such domain"),
    ("domain add", [("name", "x.test"), ("alias-of", "alias.test")], 65,
     "itself an alias"),
    ("domain remove", [("name", "example.org")], 69, "still in use"),
    ("domain remove", [("name", "none.test")], 68, "no such domain"),
    ("account add", [("address", "joe@example.org")], 73, "an account"),
    ("account add", [("address", "info@example.org")], 73, "an alias"),
    ("account add", [("address", "x@none.test")], 68, "no such domain"),
    ("account add", [("address", "x@alias.test")], 65, "an alias of"),
    ("account add", [("address", "@example.org")], 65, "no local part"),
    ("account add", [("address", "")], 65, "not an address"),
    ("account add", [], 65, "not an address"),
    ("account add", [("address", "y"), ("quota-bytes", "much")], 65,
     "quota-bytes"),
    ("account add", [("address", "y"), ("enabled", "maybe")], 65, "enabled"),
    ("account add", [("address", "y"), ("root", "99")], 65, "root"),
    ("account add", [("adress", "y")], 64, "unknown argument"),
    ("account show", [("account", "nobody")], 67, "no such account"),
    ("account show", [("account", "99")], 67, "no such account"),
    ("account show", [], 64, "which account"),
    ("account remove", [("account", "jane@other.test")], 69,
     "sales@example.org points to it"),
    ("account rename", [("account", "jane@other.test"),
                        ("address", "joe")], 73, "exists"),
    ("alias add", [("alias", "joe"), ("target", "x@far.away")], 73,
     "an account"),
    ("alias add", [("alias", "new")], 64, "where"),
    ("alias add", [("alias", "new@none.test"), ("target", "joe")], 68,
     "no such domain"),
    ("alias remove", [("alias", "new")], 67, "no such alias"),
    ("alias remove", [("alias", "joe")], 67, "no such alias"),
    ("account list", [("limit", "0")], 64, "limit"),
    ("account list", [("domain", "-")], 65, "not a domain"),
    ("account import", [], 64, "no accounts"),
    ("account import", [("account", "rubbish")], 65, "not an address"),
    ("nothing", [], 64, "does not know"),
]


def test_errors(filled):
    before = dict(ok(filled, "status")[0])
    for verb, pairs, want, sentence in ERRORS:
        rows, code, text = filled.admin(verb, *pairs)
        assert (code, rows) == (want, []), (verb, pairs, code, text)
        assert sentence in text, (verb, pairs, text)
    after = dict(ok(filled, "status")[0])
    for key in ("generation", "domains", "accounts", "aliases"):
        assert before[key] == after[key]


def row(*pairs):
    out = b""
    for k, v in pairs:
        for s in (k, v):
            out += struct.pack("=I", len(s)) + s.encode()
    return out


def test_import_and_lists(filled):
    c = filled
    people = [("account", row(("address", "u%03d@other.test" % i)))
              for i in range(250)]
    rows = ok(c, "account import", *people)
    assert len(rows) == 250 and dict(rows[249])["number"] == "252"
    # All or none.
    _, code, text = c.admin("account import",
                            ("account", row(("address", "new@other.test"))),
                            ("account", row(("address", "u000@other.test"))))
    assert code == 73 and "u000@other.test" in text
    _, code, text = c.admin("account import",
                            ("account", row(("address", "new@other.test"))),
                            ("account", row(("address", "new@other.test"))))
    assert code == 65 and "twice" in text
    assert addr(c, "new@other.test")["kind"] == ALIAS  # the catch-all
    # Pages.
    seen, after, pages = [], [], 0
    while True:
        rows = ok(c, "account list", ("domain", "other.test"),
                  ("limit", "100"), *after)
        pages += 1
        more = [dict(r)["next"] for r in rows if "next" in dict(r)]
        seen += [dict(r)["address"] for r in rows if "next" not in dict(r)]
        if not more:
            break
        after = [("after", more[0])]
    assert pages == 3 and len(seen) == 251 and len(set(seen)) == 251
    assert all(a.endswith("@other.test") for a in seen)
    rows = ok(c, "alias list")
    assert [("target", "Bob@else.where")] == rows[0][2:]
    assert len(ok(c, "domain list")) == 3
    assert len(ok(c, "domain list", ("limit", "1"))) == 2


def test_address_test(filled):
    rows = ok(filled, "address test", ("address", "joe+x@alias.test"))
    steps = [dict(r)["step"] for r in rows[:-1]]
    assert "which is an alias of" in steps and "account" in steps
    assert dict(rows[-1])["kind"] == "account"
    rows = ok(filled, "address test", ("address", "\xff\x00"))
    assert dict(rows[-1])["kind"] == "invalid"


def test_generation(filled):
    c = filled
    c.peer("s", "smtpd")
    c.peer("l", "lmtp")
    c.start_admin("account add", ("address", "late@example.org"))
    s, l = c.question("s", "GENERATION"), c.question("l", "GENERATION")
    assert s["generation"] == l["generation"]
    # Not done before both have heard it.
    c.say("s", "GENERATION_OK", req=s["req"])
    assert addr(c, "late@example.org")["generation"] == s["generation"]
    c.start_admin("status")
    rows, code, _ = c.end_admin()
    assert dict(rows[-1]).get("role") == "directory"
    c.say("l", "GENERATION_OK", req=l["req"])
    assert c.end_admin()[1] == 0
    # A silent one is waited for 2 s, a lost one not at all.
    c.start_admin("account remove", ("account", "late"))
    c.question("s", "GENERATION")
    c.question("l", "GENERATION")
    began = time.monotonic()
    c.drop("l")
    assert c.end_admin()[1] == 0
    assert 1.5 < time.monotonic() - began < 4


def test_reload(filled):
    c = filled
    before = int(addr(c, "x@routed.test")["generation"])
    base = ["directory.driver=lmdb", "server.hostname=mail.example.org"]
    assert "ok" in c.configure("directory.smarthost=Smart:587", *base)
    m = addr(c, "x@routed.test")
    assert m["nexthop"] == "smtp:smart:587"
    assert int(m["generation"]) == before + 1
    for bad in ("directory.routes=nonsense", "directory.routes=a=b=c:x",
                "directory.smarthost=[::1", "directory.relay_domains=-",
                "directory.catch_all=@"):
        assert "refused" in c.configure(bad, *base), bad
    assert addr(c, "x@routed.test")["nexthop"] == "smtp:smart:587"
    assert "ok" in c.configure("directory.catch_all=joe",
                               "server.postmaster=boss@far.away", *base)
    assert expand(c, "who@example.org") == (["joe"], ALIAS)
    assert expand(c, "postmaster@example.org") == (["boss@far.away"], ALIAS)


def test_restart(tmp_path, driver):
    with start(tmp_path, driver) as c:
        # Before there is any account the postmaster has to wait.
        assert addr(c, "postmaster")["kind"] == LATER
        assert addr(c, "joe")["kind"] != ACCOUNT
        ok(c, "domain add", ("name", "example.org"))
        ok(c, "account add", ("address", "joe@example.org"),
           ("quota-messages", "5"))
        c.say("b", "USAGE", account=1, bytes=1, messages=5)
        c.say("b", "USAGE", account=77, bytes=1, messages=5)
        generation = int(addr(c, "joe@example.org")["generation"])
        assert c.close() == 0
    with start(tmp_path, driver) as c:
        m = addr(c, "joe@example.org")
        assert (m["kind"], m["over_quota"]) == (ACCOUNT, "1")
        assert int(m["generation"]) == generation
        c.process.kill()
    # Killed with a change just made.
    with start(tmp_path, driver) as c:
        ok(c, "account add", ("address", "two@example.org"))
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
        assert addr(c, "two@example.org")["account"] == "2"
        rows = ok(c, "account add", ("address", "three@example.org"))
        assert dict(rows[0])["number"] == "3"
        assert not re.search("damaged", "".join(c.log))


def test_shared_uid(tmp_path):
    with start(tmp_path, "lmdb", "server.shared_uid=1234:99") as c:
        ok(c, "domain add", ("name", "example.org"))
        ok(c, "account add", ("address", "joe@example.org"))
        m = c.ask("b", "ACCOUNT_ASK", account=1)
        assert (m["uid"], m["gid"]) == ("1234", "99")
    for bad in ("vmail", "0:0", "1:", "1:2:3"):
        with pytest.raises(AssertionError):
            start(tmp_path, "lmdb", "server.shared_uid=" + bad)


def test_uids_are_bounded(tmp_path):
    with start(tmp_path, "lmdb", "server.uid_count=3") as c:
        ok(c, "domain add", ("name", "example.org"))
        ok(c, "account add", ("address", "a@example.org"))
        ok(c, "account add", ("address", "b@example.org"))
        _, code, text = c.admin("account add", ("address", "c@example.org"))
        assert code == 69 and "uid_count" in text
