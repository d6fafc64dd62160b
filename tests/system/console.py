# SPDX-License-Identifier: ISC
"""Runs a role's real binary by tests/tools/console and talks to it in the part
of its peers. Needs the built tree in $VEREDUS_BUILD (or the working folder)."""

import os
import queue
import subprocess
import threading
import time
import urllib.parse

BUILD = os.environ.get("VEREDUS_BUILD", os.getcwd())
FILES, THREADS = 4, 8


def escape(value):
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, bytes):
        value = str(value).encode()
    return urllib.parse.quote_from_bytes(value, safe="@.:=+-_/$*,")


class Message(dict):
    """What came: `peer`, `name`, and the fields as text (latin-1 of bytes)."""

    def __init__(self, peer, name, fields):
        super().__init__(fields)
        self.peer, self.name = peer, name


def fields(words):
    pairs = (word.split("=", 1) for word in words)
    return [(k, urllib.parse.unquote(v, encoding="latin-1"))
            for k, v in pairs]


class Console:
    def __init__(self, program, role, folder, *options, sandbox=FILES):
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "tests/tools/console"),
             os.path.join(BUILD, program), role, str(sandbox),
             "-d", str(folder), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.log = []
        # Questions of the role that are answered by themselves: (peer,
        # message) to a function of the Message that gives (answer, fields).
        self.replies = {}
        self.asked = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_log, daemon=True).start()
        self.expect("ready")

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line)

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _next(self, timeout):
        """A line that is no question with a reply of its own."""
        end = time.monotonic() + timeout
        while True:
            line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            assert line is not None, "".join(self.log)
            words = line.split(" ")
            if len(words) < 3 or words[1] != "?":
                return line
            m = Message(words[0], words[2], fields(words[3:]))
            self.asked.append(m)
            reply = self.replies.get((m.peer, m.name))
            if reply is None:
                return line
            answer = reply(m)
            if answer is not None:
                self.say(m.peer, answer[0], req=m["req"], **answer[1])

    def expect(self, start, timeout=20):
        while True:
            line = self._next(timeout)
            if line.startswith(start):
                return line

    def peer(self, name, role, instance=0):
        self.send("peer %s %s %d" % (name, role, instance))

    def drop(self, name):
        self.send("drop " + name)

    def say(self, peer, message, **values):
        self.send(" ".join([peer, message] + [
            "%s=%s" % (k, escape(v)) for k, v in values.items()]))

    def answer(self, peer, timeout=20):
        """The next answer that this peer gets."""
        words = self.expect(peer + " < ", timeout).split(" ")
        return Message(peer, words[2], fields(words[3:]))

    def ask(self, peer, message, **values):
        self.say(peer, message, **values)
        return self.answer(peer)

    def question(self, peer, name, timeout=20):
        """The next thing that the role asks this peer."""
        words = self.expect("%s ? %s " % (peer, name), timeout).split(" ")
        return Message(peer, name, fields(words[3:]))

    def start_admin(self, verb, *pairs):
        self.send("admin %s : %s" % (verb, " ".join(
            "%s=%s" % (k, escape(v)) for k, v in pairs)))

    def end_admin(self, timeout=20):
        """The rows, the exit code, the sentence."""
        rows = []
        while True:
            line = self._next(timeout)
            words = line.split(" ")
            if words[0] == "row":
                rows.append(fields(words[1:]))
            elif words[0] == "done":
                return rows, int(words[1]), " ".join(words[2:])

    def admin(self, verb, *pairs):
        self.start_admin(verb, *pairs)
        return self.end_admin()

    def configure(self, *options):
        self.send("conf " + " ".join(options))
        return self.expect("conf ")

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(20)
        return status

    def __enter__(self):
        return self

    def __exit__(self, *args):
        if self.process.poll() is None:
            self.close()
