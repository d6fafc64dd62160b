# SPDX-License-Identifier: ISC
"""Where a run was made: figures without it are worth nothing."""

import datetime
import os
import pathlib
import platform
import re
import subprocess


def run(*argv):
    p = subprocess.run(argv, capture_output=True, text=True)
    return p.stdout.strip() if p.returncode == 0 else ""


def describe(folder, source):
    """A dictionary of strings and numbers; `folder` is where mail will lie."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"model name\s*: (.*)", info)
    memory = int(re.search(r"MemTotal:\s*(\d+)",
                           pathlib.Path("/proc/meminfo").read_text())[1])
    where = run("findmnt", "-no", "FSTYPE,OPTIONS", "-T", str(folder))
    return {
        "date": datetime.datetime.now(datetime.timezone.utc)
                .strftime("%Y-%m-%d %H:%M UTC"),
        "commit": run("git", "-C", str(source), "describe", "--always",
                      "--dirty") or "unknown",
        "processor": cpu[1] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "memory_mb": memory // 1024,
        "kernel": platform.release(),
        "file_system": where,
        "load_before": round(os.getloadavg()[0], 2),
    }
