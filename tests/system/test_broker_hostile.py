# SPDX-License-Identifier: ISC
"""The real broker among hostile peers: an `access` that guesses, repeats and
floods, a `directory` that names homes that must not be opened. All of it is
refused with a line in the log, and the broker lives."""

import contextlib
import os
import pathlib
import re
import shutil
import tempfile
import time

import pytest

from console import Console
from server import ROOT, wait_for

HOMES = 64                     # SANDBOX_HOMES
CAPS = 1 << 0 | 1 << 5         # CHOWN, KILL
UID = 200001
FLOOD = 20000


@pytest.fixture
def place():
    """A mail root that root alone writes, outside of any private folder."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="veredus-broker-"))
    top.chmod(0o755)
    (top / "mail").mkdir(mode=0o711)
    (top / "empty").mkdir(mode=0o555)
    yield top
    shutil.rmtree(top)


@contextlib.contextmanager
def broker(place):
    options = ["-f", f"mail-root:0={place}/mail"]
    if ROOT:
        options += ["-p", str(CAPS)]
    with Console("mda/broker", "broker", place / "empty", *options,
                 "server.hostname=mail.example.test", sandbox=HOMES) as c:
        for peer in ("auth", "directory", "template", "queue"):
            c.peer(peer, peer)
        c.peer("access", "access", 0)
        yield c
        # It lives, and does its work.
        ticket = os.urandom(16)
        announce(c, 77, ticket)
        c.peer("last", "access", 0)
        open_session(c, "last", ticket)
        c.question("directory", "ACCOUNT_ASK")
    assert c.process.returncode == 0, "".join(c.log)


def bare(c, name, instance):
    """A mere socket as an `access`; the broker has it when this returns."""
    c.send(f"bare {name} access {instance}")
    announce(c, 99, os.urandom(16))


def hear(c, name):
    announce(c, 99, os.urandom(16))
    c.send(f"hear {name}")
    return c.expect(name + " ")


def announce(c, account, ticket, instance=0, valid_ms=10000):
    c.ask("auth", "TICKET", account=account, instance=instance,
          valid_ms=valid_ms, ticket=ticket)


def open_session(c, peer, ticket):
    c.say(peer, "SESSION_OPEN", tls=1, ticket=ticket, service="imap", tag="a",
          client="192.0.2.1", session="s1")


def refused(c, peer, ticket):
    open_session(c, peer, ticket)
    m = c.answer(peer)
    assert m.name == "SESSION_REFUSED", m
    return m["text"]


def logged(c, text, n=1):
    wait_for(lambda: sum(text in line for line in c.log) >= n, 10)


# ---- tickets

def test_tickets(place):
    with broker(place) as c:
        c.peer("other", "access", 1)
        good = os.urandom(16)
        announce(c, 1, good)
        bad = [b"", b"\0" * 16, good[:15], good + b"\0", os.urandom(16),
               good[:15] + bytes([good[15] ^ 1]), good * 4, b"x" * 60000]
        for ticket in bad:
            assert refused(c, "access", ticket) == "not a valid ticket"
        logged(c, "event=bad_ticket peer=access[0]", len(bad))
        # Shown by another process it is worth nothing, then or later.
        assert refused(c, "other", good) == "not a valid ticket"
        logged(c, "event=bad_ticket peer=access[1]")
        assert refused(c, "access", good) == "not a valid ticket"


def test_ticket_is_used_once(place):
    with broker(place) as c:
        good = os.urandom(16)
        announce(c, 1, good)
        open_session(c, "access", good)
        assert c.question("directory", "ACCOUNT_ASK")["account"] == "1"
        assert refused(c, "access", good) == "not a valid ticket"


@pytest.mark.parametrize("wait", [0.3, 2.5])  # before and after the sweep
def test_ticket_expires(place, wait):
    with broker(place) as c:
        good = os.urandom(16)
        announce(c, 1, good, valid_ms=100)
        time.sleep(wait)
        assert refused(c, "access", good) == "not a valid ticket"
        logged(c, "event=bad_ticket")


def test_announced_tickets(place):
    """Even auth cannot announce one twice, or one that can be guessed."""
    with broker(place) as c:
        good = os.urandom(16)
        announce(c, 1, good)
        announce(c, 2, good)
        announce(c, 3, b"")
        announce(c, 4, b"short")
        logged(c, "event=ticket_not_kept", 3)
        assert refused(c, "access", b"short") == "not a valid ticket"
        open_session(c, "access", good)
        assert c.question("directory", "ACCOUNT_ASK")["account"] == "1"


# ---- what access may not say

NOT_ITS_OWN = [
    # the role whose words it uses, message, fields
    ("queue", "OWNER_OPEN", {"account": 1}),
    ("auth", "TICKET", {"account": 1, "instance": 0, "valid_ms": 10000,
                        "ticket": "A" * 16}),
    ("master", "CHILD_DIED", {"role": 0, "instance": 0, "pid": 1,
                              "crashed": 1}),
]


@pytest.mark.parametrize("role,message,values", NOT_ITS_OWN)
def test_words_of_others(place, role, message, values):
    with broker(place) as c:
        c.send(f"peer liar access 6 {role}")
        c.say("liar", message, **values)
        while not c.expect("liar").startswith("liar gone"):
            pass
        logged(c, "event=peer_violation")
        assert any(f"message={message}" in line and "must not say" in line
                   for line in c.log), c.log
        assert not any(m.name == "ACCOUNT_ASK" for m in c.asked)
        assert refused(c, "access", b"A" * 16) == "not a valid ticket"


@pytest.mark.parametrize("packet", [
    b"\0", b"\xff\xff", b"\xff" * 100, b"\0" * 60000, bytes(range(256)) * 200],
    ids=["one", "type", "ones", "zeros", "large"])
def test_no_messages(place, packet):
    with broker(place) as c:
        bare(c, "mere", 3)
        c.send("raw mere " + "".join(f"%{b:02x}" for b in packet))
        assert hear(c, "mere") == "mere gone"
        logged(c, "event=peer_violation peer=access[3]")


def test_cut_messages(place):
    """A right message, cut at every byte, on a link of its own each time."""
    with broker(place) as c:
        whole = session_open_bytes(c)
        for n in range(1, len(whole), 3):
            bare(c, f"p{n}", 4)
            c.send(f"raw p{n} " + "".join(f"%{b:02x}" for b in whole[:n]))
            assert hear(c, f"p{n}") == f"p{n} gone"
            c.send(f"drop p{n}")


def session_open_bytes(c):
    """As the wire has it: type, req, tls, then five strings."""
    number = list_of_messages().index("SESSION_OPEN")
    text = lambda b: len(b).to_bytes(4, "little") + b
    return (number.to_bytes(2, "little") + (7).to_bytes(8, "little") + b"\1"
            + text(b"T" * 16) + text(b"imap") + text(b"a")
            + text(b"192.0.2.1") + text(b"s"))


def list_of_messages():
    table = pathlib.Path(__file__).parents[2] / "common/sys/ipc_messages.h"
    text = table.read_text()
    return re.findall(r"^\tM\((\w+),", text, re.M)


# ---- floods

def resident_kb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


def role_pid(c):
    me = pathlib.Path(f"/proc/{c.process.pid}/task/{c.process.pid}/children")
    return int(me.read_text().split()[0])


def test_flood_that_is_never_read(place):
    """Answers wait for it up to a bound; then it is not heard any more."""
    with broker(place) as c:
        open_bytes = session_open_bytes(c)
        packet = "".join(f"%{b:02x}" for b in open_bytes)
        bare(c, "f", 5)
        before = resident_kb(role_pid(c))
        c.send(f"flood f 3000 {packet}")
        n = int(c.expect("f flooded", 30).split()[-1])
        assert n > FLOOD
        assert resident_kb(role_pid(c)) - before < 64 << 10
        # Meanwhile the others are served.
        assert refused(c, "access", b"x" * 16) == "not a valid ticket"
        c.send("drop f")


def test_flood_of_openings(place):
    """With a ticket each, for one account that is never found."""
    with broker(place) as c:
        c.replies[("directory", "ACCOUNT_ASK")] = \
            lambda m: ("ACCOUNT_ANSWER", {"found": 0})
        for i in range(300):
            announce(c, 5, i.to_bytes(16, "big"))
        for i in range(300):
            open_session(c, "access", i.to_bytes(16, "big"))
        for i in range(300):
            m = c.answer("access")
            assert (m.name, m["text"]) == ("SESSION_REFUSED", "no such account")
        c.replies.clear()


# ---- homes, as a hostile directory names them

def home_is_refused(c, why, **answer):
    values = dict(found=1, enabled=1, uid=UID, gid=UID, root=0,
                  address="x@example.test", home="h")
    values.update(answer)
    c.say("queue", "OWNER_OPEN", account=9)
    m = c.question("directory", "ACCOUNT_ASK")
    c.say("directory", "ACCOUNT_ANSWER", req=m["req"], **values)
    m = c.answer("queue")
    assert m.name == "OWNER_REFUSED" and m["outcome"] == "1", m
    assert why in m["text"], m["text"]
    logged(c, "event=owner_not_started account=9")
    assert not any(m.peer == "template" for m in c.asked)


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize("home", [
    "", "/", "/etc", "/h", ".", "..", "../h", "h/..", "new/..", "new/.",
    "new/../h", "new/../../h", "h/../../empty", "a//b", "h/", "h\0x",
    "x" * 512, "x" * 300, "a/" * 200 + "b" * 200])
def test_names_of_homes(place, home):
    before = names(place)
    top = os.stat(place / "mail")
    with broker(place) as c:
        home_is_refused(c, "", home=home)
    after = os.stat(place / "mail")
    assert (after.st_uid, after.st_mode) == (top.st_uid, top.st_mode)
    if ".." in home or "//" in home or home.endswith((".", "/")):
        assert names(place) == before, "nothing was made"


def test_links(place):
    mail = place / "mail"
    (mail / "real").mkdir(mode=0o700)
    os.chown(mail / "real", UID if ROOT else -1, -1)
    (mail / "link").symlink_to("real")
    (mail / "away").symlink_to("/etc")
    (mail / "up").symlink_to("..")
    (mail / "none").symlink_to("nothing-here")
    (mail / "file").write_text("x")
    (mail / "proc").symlink_to("/proc/self/root")
    with broker(place) as c:
        for home in ("link", "away", "away/veredus-test", "up", "up/h", "none",
                     "proc", "proc/tmp", "file", "file/h", "link/h"):
            home_is_refused(c, "cannot ", home=home)
    assert os.readlink(mail / "none") == "nothing-here"
    assert not (mail / "real/h").exists()


def test_roots_that_are_not_there(place):
    with broker(place) as c:
        for root in (1, 15, 16, 4294967295):
            home_is_refused(c, "cannot be", root=root)


@pytest.mark.skipif(not ROOT, reason="one user without root")
@pytest.mark.parametrize("uid,gid,why", [
    (0, UID, "uid 0 "), (1, UID, "uid 1 "), (999, UID, "uid 999 "),
    (4294967295, UID, "uid 4294967295 "), (UID, 0, "group 0 "),
    (UID, 6, "group 6 "), (UID, 999, "group 999 "),
    (UID, 4294967295, "group 4294967295 ")])
def test_identities(place, uid, gid, why):
    with broker(place) as c:
        home_is_refused(c, why, uid=uid, gid=gid)
    assert names(place / "mail") == [], "nothing was made"


@pytest.mark.skipif(not ROOT, reason="one user without root")
def test_homes_of_others(place):
    mail = place / "mail"
    for name, uid, mode in (("others", UID + 1, 0o700), ("open", UID, 0o770),
                            ("world", UID, 0o707), ("roots", 0, 0o700),
                            ("above", 0, 0o711)):
        (mail / name).mkdir()
        os.chown(mail / name, uid, uid)
        (mail / name).chmod(mode)
    with broker(place) as c:
        for name in ("others", "open", "world", "roots", "above"):
            home_is_refused(c, "must belong to", home=name)
    assert os.stat(mail / "roots").st_uid == 0


@pytest.mark.skipif(not ROOT, reason="one user without root")
def test_good_homes(place):
    """What is right goes to the template; also what a broker that was killed
    had made, but not yet given away."""
    mail = place / "mail"
    (mail / "unfinished").mkdir()
    (mail / "unfinished").chmod(0o1700)
    with broker(place) as c:
        for i, home in enumerate(("unfinished", "example.test/new")):
            c.say("queue", "OWNER_OPEN", account=20 + i)
            m = c.question("directory", "ACCOUNT_ASK")
            c.say("directory", "ACCOUNT_ANSWER", req=m["req"], found=1,
                  enabled=1, uid=UID, gid=UID, root=0, home=home,
                  address="x@example.test")
            m = c.question("template", "SPAWN")
            assert (m["uid"], m["gid"]) == (str(UID), str(UID))
            c.say("template", "SPAWN_FAILED", req=m["req"], text="tried")
            assert c.answer("queue").name == "OWNER_REFUSED"
            st = os.stat(mail / home)
            assert st.st_uid == UID and st.st_gid == UID
            assert st.st_mode & 0o777 == 0o700
    assert os.stat(mail / "example.test").st_uid == 0
