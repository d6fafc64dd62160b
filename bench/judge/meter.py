# SPDX-License-Identifier: ISC
"""What a server costs: processor time of its control group, system calls by
perf, memory by the sum of its processes' proportional set sizes.

Processor time is read around every run. Calls and memory are taken in a run
of their own, whose rate does not count: counting costs time, too."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path("/sys/fs/cgroup")
UNIFIED = (ROOT / "cgroup.controllers").exists()


def enter_namespace():
    """Goes on in a mount namespace of its own, with what perf wants mounted
    there: the machine itself sees none of it."""
    if os.environ.get("VEREDUS_BENCH_NAMESPACE") == str(os.getpid()):
        mount("tracefs", "/sys/kernel/tracing")
        if not UNIFIED:
            mount("cgroup", "/mnt", "-o", "perf_event")
        return
    os.environ["VEREDUS_BENCH_NAMESPACE"] = str(os.getpid())
    os.execvp("unshare", ["unshare", "-m", *sys.orig_argv])


def mount(kind, where, *more):
    subprocess.run(["mount", "-t", kind, *more, "none", where],
                   capture_output=True)


class Group:
    """A control group: of version 2, or of version 1 with cpuacct and, for
    perf, perf_event."""

    def __init__(self, name):
        self.name = f"veredus-bench-{os.getpid()}-{name}"
        bases = [ROOT] if UNIFIED else [ROOT / "cpuacct", pathlib.Path("/mnt")]
        self.paths = [b / self.name for b in bases
                      if (b / "cgroup.procs").exists()]
        self.path = self.paths[0]
        for p in self.paths:
            p.mkdir()

    def enter(self):
        """Moves the calling process in: for preexec_fn."""
        for p in self.paths:
            (p / "cgroup.procs").write_text("0")

    def pids(self):
        return [int(p) for p in (self.path / "cgroup.procs").read_text().split()]

    def cpu(self):
        """Processor seconds used so far, user and system."""
        if UNIFIED:
            text = (self.path / "cpu.stat").read_text()
            return int(re.search(r"usage_usec (\d+)", text)[1]) / 1e6
        return int((self.path / "cpuacct.usage").read_text()) / 1e9

    def pss_kb(self):
        return sum(pss_kb(p) for p in self.pids())

    def empty(self, seconds=10):
        """Waits for the last process, and ends what stays."""
        limit = time.monotonic() + seconds
        while self.pids() and time.monotonic() < limit:
            time.sleep(0.05)
        while self.pids():
            for p in self.pids():
                try:
                    os.kill(p, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)

    def remove(self):
        for p in self.paths:
            p.rmdir()


def pss_kb(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            for line in f:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except (OSError, ProcessLookupError):
        pass
    return 0


class NoGroup:
    """For who may not make groups: nothing is measured."""
    def __init__(self, name):
        self.name = name

    def enter(self):
        pass

    def pids(self):
        return []

    def cpu(self):
        return 0

    def pss_kb(self):
        return 0

    def empty(self):
        pass

    def remove(self):
        pass


class Peak(threading.Thread):
    """The highest sum of PSS of a group, sampled every 100 ms."""

    def __init__(self, group):
        super().__init__(daemon=True)
        self.group, self.kb, self.over = group, 0, threading.Event()

    def sample(self):
        self.kb = max(self.kb, self.group.pss_kb())

    def run(self):
        while not self.over.wait(0.1):
            self.sample()

    def stop(self):
        self.over.set()
        self.join()
        self.sample()
        return self.kb


class Calls:
    """System calls of a group's processes, by perf's tracepoint. stop() gives
    None where there is no perf."""

    def __init__(self, group):
        self.process = None
        if not shutil.which("perf"):
            return
        self.out = tempfile.NamedTemporaryFile("r")
        self.process = subprocess.Popen(
            ["perf", "stat", "-a", "-x,", "-e", "raw_syscalls:sys_enter", "-G",
             group.name, "-o", self.out.name],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)

    def stop(self):
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        for line in self.out:
            if "sys_enter" in line and line.split(",")[0].isdigit():
                return int(line.split(",")[0])
        return None
