# SPDX-License-Identifier: ISC
"""What a descriptor from the queue is worth to a hostile peer that keeps every
one that it was ever given: smtpd's write-only ones for bodies, relay's
read-only ones. No revoke exists, so none may ever belong to another message."""

import contextlib
import os
import pathlib
import time

import pytest

from console import Console
from server import wait_for

FILES_AND_THREADS = 12
REMOTE = 3                     # enum addr_kind
DONE, LATER = 0, 1             # enum outcome
BIG = 60000                    # above IPC_BODY_MAX


@contextlib.contextmanager
def queue(tmp_path):
    folder = tmp_path / "queue"
    folder.mkdir(mode=0o700)
    (tmp_path / "sync").touch()
    with Console("queue/queue", "queue", folder, "-f",
                 f"mail-root:0={tmp_path}/sync", "server.hostname=mail.test",
                 "queue.min_free=0", sandbox=FILES_AND_THREADS) as c:
        c.send("keep")
        c.folder = folder
        c.serial = 0
        c.replies[("directory", "ADDR_ASK")] = lambda m: ("ADDR_ANSWER", {
            "kind": REMOTE, "address": m["address"], "nexthop": "next.test"})
        for peer in ("smtpd", "directory", "relay"):
            c.peer(peer, peer)
        yield c
    assert c.process.returncode == 0, "".join(c.log)


# ---- one message

def open_tx(c):
    """A transaction with a recipient; its number and the message's id."""
    c.serial += 1
    m = c.ask("smtpd", "TX_OPEN", tx=c.serial, size=BIG, sender="a@remote.test",
              session="s", client="192.0.2.1")
    assert m["outcome"] == str(DONE), m
    c.say("smtpd", "TX_RCPT", tx=c.serial, address="b@elsewhere.test")
    return c.serial, int(m["id"])


def body_file(c, tx):
    """The number under which the writer's descriptor is kept."""
    m = c.ask("smtpd", "TX_FILE", tx=tx)
    assert m.name == "TX_FILE_FD", m
    return int(m["fd"])


def kept(c, number, what):
    """b"…" that was read, the count that was written, or the error's text."""
    c.send(f"kept {number} {what}")
    how, value = c.expect(f"kept {number} ").split(" ", 2)[2].split("=", 1)
    if how == "error":
        return value
    return bytes.fromhex(value) if what.startswith("read") else int(value)


def path_of(c, id_):
    """The body's file, wherever it is, seen from outside."""
    found = [p for p in c.folder.rglob(f"*{id_:016x}*") if p.is_file()]
    return found[0] if found else None


def fill(c, id_, data):
    """As the writer would, byte for byte (kept can only write '!')."""
    path_of(c, id_).write_bytes(data)


def commit(c, tx, size):
    return c.ask("smtpd", "TX_COMMIT", tx=tx, size=size)


def message(c, data):
    """In by an honest smtpd that gives its descriptor up. Its number, its id."""
    tx, id_ = open_tx(c)
    writer = body_file(c, tx)
    fill(c, id_, data)
    kept(c, writer, "close")
    m = commit(c, tx, len(data))
    assert m["outcome"] == str(DONE), m
    return id_


def delivered(c, finish=True):
    """What relay is given: the number of its descriptor, how to be done."""
    opened = c.question("relay", "DLV_OPEN")
    index = c.question("relay", "DLV_RCPT")["index"]
    fd = int(c.question("relay", "DLV_FILE")["fd"])
    c.question("relay", "DLV_END")

    def done():
        c.say("relay", "DLV_RESULT", req=opened["req"], index=index,
              outcome=DONE, code=250, enhanced="2.0.0", text="ok",
              remote="next.test")
        c.say("relay", "DLV_DONE", req=opened["req"])
    if finish:
        done()
    return fd, done


def letters(n):
    """A body that is told from every other by each of its lines."""
    return (b"%08d" % n + b"x" * 22 + b"\r\n") * (BIG // 32)


def gone(c, id_):
    return wait_for(lambda: path_of(c, id_) is None, 10)


# ---- writers

def test_writer_cannot_read(tmp_path):
    with queue(tmp_path) as c:
        tx, id_ = open_tx(c)
        writer = body_file(c, tx)
        fill(c, id_, letters(1))
        assert kept(c, writer, f"read 0 {BIG}") == "Bad file descriptor"
        assert kept(c, writer, "write 0 5") == 5
        pid = c.process.pid
        modes = [pathlib.Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
                 for fd in os.listdir(f"/proc/{pid}/fd")
                 if os.readlink(f"/proc/{pid}/fd/{fd}") == str(path_of(c, id_))]
        assert len(modes) == 1
        flags = int(modes[0].split("flags:\t")[1].split()[0], 8)
        assert flags & os.O_ACCMODE == os.O_WRONLY


def test_writer_kept_across_the_commit(tmp_path):
    with queue(tmp_path) as c:
        tx, id_ = open_tx(c)
        writer = body_file(c, tx)
        fill(c, id_, letters(1))
        m = commit(c, tx, BIG)
        assert (m["outcome"], m["code"]) == (str(LATER), "451"), m
        assert path_of(c, id_) is None, "nothing of it stays"
        assert any("event=not_queued" in line for line in c.log)
        # What is written then goes nowhere.
        assert kept(c, writer, f"write 0 {BIG}") == BIG
        for n in range(2, 5):
            message(c, letters(n))
            fd, _ = delivered(c)
            assert kept(c, fd, f"read 0 {BIG}") == letters(n)


def test_second_writer_of_one_transaction(tmp_path):
    """It is the same file, and both must be closed."""
    with queue(tmp_path) as c:
        tx, id_ = open_tx(c)
        first, second = body_file(c, tx), body_file(c, tx)
        fill(c, id_, letters(1))
        kept(c, first, "close")
        assert commit(c, tx, BIG)["outcome"] == str(LATER)
        assert kept(c, second, "write 0 5") == 5


def test_writer_of_an_aborted_transaction(tmp_path):
    with queue(tmp_path) as c:
        tx, id_ = open_tx(c)
        writer = body_file(c, tx)
        fill(c, id_, letters(1))
        c.say("smtpd", "TX_ABORT", tx=tx)
        gone(c, id_)
        for n in range(2, 12):
            message(c, letters(n))
            kept(c, writer, f"write 0 {BIG}")
            fd, _ = delivered(c)
            assert kept(c, fd, f"read 0 {BIG}") == letters(n)


@pytest.mark.parametrize("told", [BIG - 1, BIG + 1, 0, 1 << 62])
def test_size_that_is_not_so(tmp_path, told):
    with queue(tmp_path) as c:
        tx, id_ = open_tx(c)
        writer = body_file(c, tx)
        fill(c, id_, letters(1))
        kept(c, writer, "close")
        m = commit(c, tx, told)
        assert m["outcome"] == str(LATER), m
        assert path_of(c, id_) is None


def test_hole(tmp_path):
    """A file of terabytes that takes no room is not read to its end."""
    with queue(tmp_path) as c:
        tx, id_ = open_tx(c)
        writer = body_file(c, tx)
        assert kept(c, writer, f"write {1 << 42} 1") == 1
        kept(c, writer, "close")
        start = time.monotonic()
        m = commit(c, tx, BIG)
        assert m["outcome"] == str(LATER), m
        assert time.monotonic() - start < 5
        assert path_of(c, id_) is None


# ---- readers

def test_reader_cannot_write(tmp_path):
    with queue(tmp_path) as c:
        message(c, letters(1))
        fd, done = delivered(c, finish=False)
        assert kept(c, fd, f"read 0 {BIG}") == letters(1)
        assert kept(c, fd, "write 0 5") == "Bad file descriptor"
        done()


def test_readers_that_are_kept(tmp_path):
    """Long after, each shows its own message or nothing, and no other."""
    with queue(tmp_path) as c:
        readers = []
        for n in range(15):
            id_ = message(c, letters(n))
            fd, _ = delivered(c)
            readers.append((n, fd))
            gone(c, id_)
            for old, number in readers[-8:]:
                assert kept(c, number, f"read 0 {BIG}") in (letters(old), b"")
        for old, number in readers:
            got = kept(c, number, f"read 0 {BIG + 1000}")
            assert got in (letters(old), b""), old


def test_writers_and_readers_are_never_one_file(tmp_path):
    """The inode of a kept descriptor is not given to a later message."""
    with queue(tmp_path) as c:
        seen = {}
        for n in range(10):
            tx, id_ = open_tx(c)
            writer = body_file(c, tx)
            fill(c, id_, letters(n))
            inode = path_of(c, id_).stat().st_ino
            assert seen.setdefault(inode, id_) == id_
            if n % 2:
                c.say("smtpd", "TX_ABORT", tx=tx)   # and the writer is kept
                gone(c, id_)
                continue
            kept(c, writer, "close")
            assert commit(c, tx, BIG)["outcome"] == str(DONE)
            delivered(c)                            # and the reader is kept
            gone(c, id_)


def test_small_messages_have_no_descriptor(tmp_path):
    """They travel as bytes: nobody but the queue ever opens a slot, which is
    used again."""
    with queue(tmp_path) as c:
        for n in range(5):
            tx, _ = open_tx(c)
            c.say("smtpd", "TX_BODY", tx=tx, bytes=b"%d\r\n" % n)
            assert commit(c, tx, 3)["outcome"] == str(DONE)
            opened = c.question("relay", "DLV_OPEN")
            index = c.question("relay", "DLV_RCPT")["index"]
            body = c.question("relay", "DLV_BODY")
            assert "fd" not in body and body["bytes"] == "%d\r\n" % n
            c.say("relay", "DLV_RESULT", req=opened["req"], index=index,
                  outcome=DONE, code=250, text="ok")
            c.say("relay", "DLV_DONE", req=opened["req"])
        pid = c.process.pid
        paths = [os.readlink(f"/proc/{pid}/fd/{fd}")
                 for fd in os.listdir(f"/proc/{pid}/fd")]
        assert not any(str(c.folder) in p for p in paths)
