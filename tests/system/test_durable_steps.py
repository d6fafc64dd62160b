# SPDX-License-Identifier: ISC
"""The real queue process killed at each step that changes what the disk holds
(tests/tools/kill_at.c is preloaded): what it said it took is delivered after
the next start, under the id that it gave, and then not again."""

import os
import queue
import shutil
import time

import pytest

from console import Console
from killing import build_shim

FILES_AND_THREADS = 12
REMOTE, DONE, BIG = 3, 0, 60000
STEPS = range(1, 61)
SHARDS = 6


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    return build_shim(tmp_path_factory.mktemp("shim"))


class Queue(Console):
    def __init__(self, folder):
        self.delivered = []
        super().__init__("queue/queue", "queue", folder / "queue", "-f",
                         f"mail-root:0={folder}/sync",
                         "server.hostname=mail.test", "queue.min_free=0",
                         "queue.retry_min=1s", sandbox=FILES_AND_THREADS)
        self.replies.update({
            ("directory", "ADDR_ASK"): lambda m: ("ADDR_ANSWER", {
                "kind": REMOTE, "address": m["address"],
                "nexthop": "next.test"}),
            ("relay", "DLV_OPEN"): self._deliver})
        self.send("keep")

    def _deliver(self, m):
        self.delivered.append(int(m["id"]))
        self.say("relay", "DLV_RESULT", req=m["req"], index=0, outcome=DONE,
                 code=250, enhanced="2.0.0", text="ok", remote="next.test")
        return "DLV_DONE", {}

    def introduce(self):
        for peer in ("smtpd", "directory", "relay"):
            self.peer(peer, peer)

    def run(self, seconds):
        """Lets it work until nothing is said for so long."""
        while True:
            try:
                self._next(seconds)
            except queue.Empty:
                return

    def run_until(self, ids, seconds=20):
        """Lets it work until it has handed these out; others may follow."""
        end = time.monotonic() + seconds
        while not ids <= set(self.delivered) and time.monotonic() < end:
            self.run(0.1)
        self.run(0.3)

    def take(self, tx, size):
        """The id under which it took a message; None where it did not."""
        m = self.ask("smtpd", "TX_OPEN", tx=tx, size=size, sender="a@b.test")
        id_ = int(m["id"])
        self.say("smtpd", "TX_RCPT", tx=tx, address="c@elsewhere.test")
        if size < BIG:
            self.say("smtpd", "TX_BODY", tx=tx, bytes=b"x" * size)
        else:
            fd = self.ask("smtpd", "TX_FILE", tx=tx)["fd"]
            self.send(f"kept {fd} write 0 {size}")
            self.send(f"kept {fd} close")
        m = self.ask("smtpd", "TX_COMMIT", tx=tx, size=size)
        return id_ if m["outcome"] == str(DONE) else None


def first_life(folder, shim, n):
    """Messages until it dies: the ids that it took, what it handed out, and
    whether it was killed at all."""
    os.environ.update(LD_PRELOAD=str(shim), KILL_AT=str(n))
    taken, q = [], None
    try:
        q = Queue(folder)
    except (AssertionError, OSError, queue.Empty):
        return taken, [], True
    finally:
        del os.environ["LD_PRELOAD"], os.environ["KILL_AT"]
    try:
        q.introduce()
        for tx, size in enumerate((10, 20000, BIG, 10, 20000), 1):
            id_ = q.take(tx, size)
            if id_ is not None:
                taken.append(id_)
        q.run(0.3)
        q.close()
    except (AssertionError, KeyError, OSError, ValueError, queue.Empty):
        pass  # killed
    finally:
        if q.process.poll() is None:
            q.process.kill()
        q.process.wait()
    return taken, q.delivered, q.process.returncode != 0


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A queue folder with its slots made, which alone takes hundreds of
    steps."""
    folder = tmp_path_factory.mktemp("used")
    (folder / "queue").mkdir(mode=0o700)
    (folder / "sync").touch()
    with Queue(folder) as q:
        q.introduce()
        assert q.take(1, 10) is not None
        q.run(0.3)
    return folder


@pytest.mark.parametrize("shard", range(SHARDS))
def test_killed_at_each_step(tmp_path, shim, used, shard):
    kills = 0
    for n in STEPS[shard::SHARDS]:
        folder = tmp_path / str(n)
        shutil.copytree(used, folder)
        taken, handed_out, was_killed = first_life(folder, shim, n)
        kills += was_killed
        with Queue(folder) as q:
            q.introduce()
            q.run_until(set(taken) - set(handed_out))
            assert set(taken) <= set(handed_out + q.delivered), n
            assert len(q.delivered) == len(set(q.delivered)), n
            again = q.delivered
        assert q.process.returncode == 0
        with Queue(folder) as q:
            q.introduce()
            q.run(0.1)
            assert not set(q.delivered) & set(again), n
        shutil.rmtree(folder)
    print(kills, "of", len(STEPS[shard::SHARDS]))
    assert kills >= 3
