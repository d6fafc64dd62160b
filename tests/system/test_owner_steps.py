# SPDX-License-Identifier: ISC
"""The process of a mailbox's owner killed at each step that changes what the
disk holds, in the middle of each kind of change: what was acknowledged is there
once, the rest whole or not at all, and no UID ever names a second message."""

import contextlib
import dataclasses
import imaplib
import poplib
import re
import smtplib
import time

import pytest

from killing import Steps
from server import Server, wait_for

BROKEN = (OSError, EOFError, imaplib.IMAP4.error, poplib.error_proto,
          smtplib.SMTPException)
USER, ADDRESS = "bob", "bob@example.test"
STEPS_MAX = 200
SYSTEM = frozenset(("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"))
KEPT = ("kept-1", "kept-2", "kept-3")


@dataclasses.dataclass(frozen=True)
class Mail:
    mark: str
    flags: frozenset


@dataclasses.dataclass
class Box:
    name: str
    validity: int
    next: int
    mails: dict  # by UID

    def marks(self):
        return sorted(m.mark for m in self.mails.values())


class Bob:
    """His account, and all that was ever seen in it."""

    def __init__(self, server, steps):
        self.server, self.steps = server, steps
        self.c = self.boxes = None
        self.given = {}  # UIDVALIDITY and UID to mark
        self.texts = {}
        self.serial = 0

    def client(self):
        if self.c is None:
            self.c = wait_for(self._login)
        return self.c

    def _login(self):
        try:
            return self.server.imap(USER, None)
        except BROKEN:
            return None

    def leave(self):
        c, self.c = self.c, None
        if c is not None:
            with contextlib.suppress(*BROKEN):
                c.logout()

    def ask(self, command, *args):
        """A command of imaplib; raises for everything but OK."""
        answer, data = getattr(self.client(), command)(*args)
        if answer != "OK":
            raise imaplib.IMAP4.error(f"{command}: {answer} {data}")
        return data

    def new_mark(self):
        self.serial += 1
        return f"mark-{self.serial}"

    def text(self, mark):
        text = (f"From: a@remote.test\r\nTo: {ADDRESS}\r\nSubject: {mark}\r\n"
                f"Message-ID: <{mark}@remote.test>\r\n\r\n"
                + f"a line of {mark}\r\n" * 300 + "the end\r\n").encode()
        self.texts[mark] = text
        return text

    def add(self, box, n, flags=r"(\Seen)"):
        """New messages, undisturbed: marks by UID."""
        made = {}
        for _ in range(n):
            mark = self.new_mark()
            data = self.ask("append", box, flags, None, self.text(mark))
            made[int(re.search(rb"APPENDUID \d+ (\d+)", data[0])[1])] = mark
        return made

    def remove_all(self, box, kept=()):
        """Messages of a box but those, and another box with all it has."""
        if box != "INBOX":
            with contextlib.suppress(imaplib.IMAP4.error):
                self.ask("delete", box)
                self.boxes.pop(box, None)
            return
        self.ask("select", "INBOX")
        uids = [str(u) for u, m in self.boxes["INBOX"].mails.items()
                if m.mark not in kept]
        if uids:
            self.ask("uid", "STORE", ",".join(uids), "+FLAGS", r"(\Deleted)")
            self.ask("expunge")

    # ---- looking at everything

    def _look_at(self, name):
        c = self.client()
        self.ask("select", f'"{name}"', True)
        box = Box(name, int(c.response("UIDVALIDITY")[1][0]),
                  int(c.response("UIDNEXT")[1][0]), {})
        for item in c.fetch("1:*", "(UID FLAGS BODY.PEEK[])")[1]:
            if not isinstance(item, tuple):
                continue
            uid = int(re.search(rb"UID (\d+)", item[0])[1])
            flags = re.search(rb"FLAGS \(([^)]*)\)", item[0])[1].decode().split()
            mark = re.search(rb"^Subject: (\S+)\r$", item[1], re.M)[1].decode()
            assert item[1].endswith(self.texts[mark]), "not whole"
            assert uid < box.next
            assert self.given.setdefault((box.validity, uid), mark) == mark, \
                "a UID for two messages"
            assert uid not in box.mails
            box.mails[uid] = Mail(mark, frozenset(flags) - {"\\Recent"})
        return box

    def look(self):
        """All boxes by name, after what holds whatever happened."""
        names = []
        for line in self.ask("list"):
            flags, name = re.fullmatch(rb'\(([^)]*)\) \S+ "?([^"]*)"?', line).groups()
            if b"\\Noselect" not in flags and b"\\NonExistent" not in flags:
                names.append(name.decode())
        boxes = {name: self._look_at(name) for name in names}
        was = {b.validity: b for b in (self.boxes or {}).values()}
        assert len({b.validity for b in boxes.values()}) == len(boxes)
        for box in boxes.values():
            old = was.get(box.validity)
            if old is not None:
                assert box.next >= old.next
                assert all(uid >= old.next for uid in box.mails if uid not in old.mails)
            elif self.boxes and box.name in self.boxes:
                raise AssertionError(f"{box.name} has another UIDVALIDITY")
        self.boxes = boxes
        return boxes

    def wait_quiet(self):
        """Until what is done after the answer is done too, or it is killed."""
        done = -1
        while not self.steps.killed and done != self.steps.done:
            done = self.steps.done
            time.sleep(0.03)


@pytest.fixture(scope="module")
def bob():
    s = Server({"queue": {"retry_min": "1s", "retry_max": "1s"},
                "mailbox": {"owners": "1"}})
    try:
        steps = Steps(s, "owner")
        s.start()
        b = Bob(s, steps)
        for name in ("Archive", "Drafts", "Junk", "Sent", "Trash"):
            b.ask("delete", name)  # there is less to look at
        for mark in KEPT:
            b.ask("append", "INBOX", r"(\Flagged $Kept)", None, b.text(mark))
        b.look()
        yield b
    finally:
        s.remove()


def try_each_step(bob, prepare, act, check):
    """`prepare` undisturbed gives what `act` and `check` are called with; `act`
    is killed at step 1, 2, 3 ... until it runs through."""
    for n in range(1, STEPS_MAX):
        made = prepare(bob)
        before = bob.look()
        bob.ask("select", "INBOX")
        bob.steps.arm(n)
        try:
            act(bob, made)
            is_done = True
        except BROKEN:
            is_done = False
        bob.wait_quiet()
        bob.steps.disarm()
        killed = bob.steps.killed
        assert is_done or killed, f"step {n}: refused"
        if killed:
            bob.leave()
        after = bob.look()
        try:
            check(made, before, after, is_done)
        except AssertionError as e:
            raise AssertionError(f"step {n}, done: {is_done}\n{before}\n{after}") from e
        if not killed:
            print(n - 1, "kills")
            assert n > 3
            return
    raise AssertionError("it does not come to its end")


def same_but(before, after, *boxes, uids=()):
    """What else is there is as it was."""
    for name, box in before.items():
        if name not in boxes:
            assert after[name].mails == box.mails, name
    for name in boxes:
        if name in before and name in after:
            for uid, mail in before[name].mails.items():
                if uid not in uids:
                    assert after[name].mails[uid] == mail, (name, uid)


def copies(after, mark):
    return [(name, m) for name, box in after.items()
            for m in box.mails.values() if m.mark == mark]


# ---- messages come

def is_there_once(after, mark, is_done, flags=frozenset()):
    found = copies(after, mark)
    assert len(found) <= 1 and (found or not is_done)
    for box, mail in found:
        assert box == "INBOX"
        # Found as a file, which has no place for all keywords.
        assert mail.flags == flags or not is_done and mail.flags == flags & SYSTEM


def only_kept(bob):
    bob.client()
    bob.remove_all("INBOX", KEPT)
    return bob.new_mark()


def test_append(bob):
    def act(bob, mark):
        bob.ask("append", "INBOX", r"(\Draft $Own)", None, bob.text(mark))

    def check(mark, before, after, is_done):
        same_but(before, after, "INBOX")
        is_there_once(after, mark, is_done, frozenset(("\\Draft", "$Own")))

    try_each_step(bob, only_kept, act, check)


def test_lmtp(bob):
    def act(bob, mark):
        with smtplib.LMTP(bob.server.host, bob.server.ports["lmtp"],
                          local_hostname="client.test", timeout=30) as c:
            c.sendmail("a@remote.test", [ADDRESS], bob.text(mark))

    def check(mark, before, after, is_done):
        same_but(before, after, "INBOX")
        is_there_once(after, mark, is_done)

    try_each_step(bob, only_kept, act, check)


def test_smtp(bob):
    """The queue has said 250 and brings it again."""
    def act(bob, mark):
        with bob.server.smtp() as c:
            c.sendmail("a@remote.test", [ADDRESS], bob.text(mark))
        wait_for(lambda: bob.server.queue() == [] or
                 bob.steps.killed and bob.server.command("queue", "flush") and False)

    def check(mark, before, after, is_done):
        same_but(before, after, "INBOX")
        assert is_done
        is_there_once(after, mark, True)

    try_each_step(bob, only_kept, act, check)


# ---- and are changed

def three_more(bob, flags=r"(\Seen $Three)"):
    only_kept(bob)
    bob.remove_all("There")
    bob.ask("create", "There")
    made = bob.add("INBOX", 3, flags)
    bob.ask("select", "INBOX")
    return made


def uid_set(made):
    return ",".join(map(str, made))


def test_copy(bob):
    def act(bob, made):
        bob.ask("uid", "COPY", uid_set(made), "There")

    def check(made, before, after, is_done):
        same_but(before, after, "There")
        copied = after["There"].mails.values()
        want = [before["INBOX"].mails[uid] for uid in made]
        assert list(copied) == want or not copied and not is_done

    try_each_step(bob, three_more, act, check)


def test_move(bob):
    def act(bob, made):
        bob.ask("uid", "MOVE", uid_set(made), "There")

    def check(made, before, after, is_done):
        same_but(before, after, "INBOX", "There", uids=made)
        marks = sorted(made.values())
        here = sorted(set(after["INBOX"].marks()) - set(KEPT))
        assert (here, after["There"].marks()) in \
            [([], marks)] + [(marks, [])] * (not is_done)
        for mark in marks:
            assert [m.flags for _, m in copies(after, mark)] == [{"\\Seen", "$Three"}]

    try_each_step(bob, three_more, act, check)


def test_store(bob):
    def act(bob, made):
        bob.ask("uid", "STORE", uid_set(made), "+FLAGS", r"(\Answered \Flagged $More)")
        bob.ask("uid", "STORE", uid_set(made), "-FLAGS", r"($Three)")

    def check(made, before, after, is_done):
        same_but(before, after, "INBOX", uids=made)
        one = {"\\Seen", "$Three", "\\Answered", "\\Flagged", "$More"}
        for uid in made:
            flags = after["INBOX"].mails[uid].flags
            assert flags == one - {"$Three"} or \
                not is_done and flags in ({"\\Seen", "$Three"}, one)

    try_each_step(bob, three_more, act, check)


def test_expunge(bob):
    def prepare(bob):
        return three_more(bob, r"(\Deleted)")

    def act(bob, made):
        bob.ask("expunge")

    def check(made, before, after, is_done):
        same_but(before, after, "INBOX", uids=made)
        assert not is_done or after["INBOX"].marks() == list(KEPT)

    try_each_step(bob, prepare, act, check)


def test_pop3(bob):
    def prepare(bob):
        made = three_more(bob)
        c = bob.server.pop3(USER)
        for i in range(4, 7):
            c.dele(i)
        return c, made

    def act(_, made):
        made[0].quit()

    def check(made, before, after, is_done):
        same_but(before, after, "INBOX", uids=made[1])
        assert not is_done or after["INBOX"].marks() == list(KEPT)

    try_each_step(bob, prepare, act, check)


# ---- folders

def test_create(bob):
    def prepare(bob):
        for name in ("New/Leaf", "New"):
            bob.remove_all(name)

    def act(bob, _):
        bob.ask("create", "New/Leaf")

    def check(_, before, after, is_done):
        same_but(before, after)
        assert "New/Leaf" in after or not is_done

    try_each_step(bob, prepare, act, check)


def tree(bob):
    for name in ("To/Deep/Sub", "To/Deep", "To", "From/Sub", "From"):
        bob.remove_all(name)
    bob.ask("create", "From/Sub")
    bob.add("From", 2)
    bob.add("From/Sub", 1)


def test_rename(bob):
    def act(bob, _):
        bob.ask("rename", "From", "To/Deep")

    def check(_, before, after, is_done):
        names = set(after) - set(before) | set(after) & {"From", "From/Sub"}
        assert names - {"To"} in [{"To/Deep", "To/Deep/Sub"}] + \
            [{"From", "From/Sub"}] * (not is_done)
        for name in names - {"To"}:
            old = before[name.replace("To/Deep", "From")]
            assert (after[name].validity, after[name].mails) == (old.validity, old.mails)
        same_but({n: b for n, b in before.items() if not n.startswith("From")}, after)

    try_each_step(bob, tree, act, check)


def test_rename_inbox(bob):
    def prepare(bob):
        if "Old" in bob.boxes:
            bob.ask("select", "Old")
            bob.ask("uid", "MOVE", "1:*", "INBOX")
            bob.remove_all("Old")

    def act(bob, _):
        bob.ask("rename", "INBOX", "Old")

    def check(_, before, after, is_done):
        same_but(before, after, "INBOX", uids=before["INBOX"].mails)
        was = list(before["INBOX"].mails.values())
        here = list(after["INBOX"].mails.values())
        there = list(after["Old"].mails.values()) if "Old" in after else []
        assert (here, there) in [([], was)] + [(was, [])] * (not is_done)

    only_kept(bob)
    try_each_step(bob, prepare, act, check)
    prepare(bob)
    bob.look()


def test_delete(bob):
    def prepare(bob):
        bob.remove_all("Doomed")
        bob.ask("create", "Doomed")
        bob.add("Doomed", 2)

    def act(bob, _):
        bob.ask("delete", "Doomed")

    def check(_, before, after, is_done):
        same_but({n: b for n, b in before.items() if n != "Doomed"}, after)
        assert "Doomed" not in after or \
            not is_done and after["Doomed"] == before["Doomed"]

    try_each_step(bob, prepare, act, check)


# ---- the end of a process, and what all that left behind

def test_end(bob):
    """With `owners = 1`, his process ends when somebody else's starts."""
    def prepare(bob):
        made = three_more(bob)
        bob.ask("uid", "STORE", uid_set(made), "+FLAGS", r"(\Answered)")
        bob.ask("uid", "COPY", uid_set(made), "There")
        return made

    def act(bob, _):
        bob.leave()
        bob.server.imap("alice").logout()
        wait_for(lambda: bob.steps.killed or bob.steps.done)

    def check(_, before, after, is_done):
        assert {n: b.mails for n, b in after.items()} == \
            {n: b.mails for n, b in before.items()}

    try_each_step(bob, prepare, act, check)


def test_ready_too_soon(bob):
    """The process says that it is ready before the template says that it is."""
    bob.leave()
    bob.server.imap("alice").logout()
    bob.steps.delay_messages(0.5)
    began = time.monotonic()
    try:
        bob.look()
    finally:
        bob.steps.delay_messages(0)
    assert 0.4 < time.monotonic() - began < 5


def test_strays(bob):
    """What lies in tmp/ is removed when it is old enough."""
    root = bob.server.maildir(USER)
    strays = lambda: [p for p in root.rglob("*") if p.parent.name == "tmp"]
    assert strays()
    bob.leave()
    bob.steps.put_clock_ahead(40 * 3600)

    def are_gone():
        bob.server.imap("alice").logout()  # and a new process for bob
        bob.look()
        bob.leave()
        return not strays()

    wait_for(are_gone)


def test_log(bob):
    text = bob.server.log.read_text(errors="replace")
    for event in ("corrupt", "map_damaged", "map_row_damaged", "bug",
                  "sandbox_refused", "forbidden_call", "owner_crashed",
                  "stray_message"):
        assert f" event={event} " not in text, event
    assert set(re.findall(r"event=died .*signal=(\d+)", text)) <= {"9"}
