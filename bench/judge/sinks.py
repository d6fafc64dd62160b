# SPDX-License-Identifier: ISC
"""Remote hosts that take everything: Debian's smtp-sink, which counts."""

import os
import re
import subprocess
import threading

from .servers import testing


class Sink:
    """With `away` only a port on which nobody listens."""

    def __init__(self, packages, away=False):
        self.port, = testing.free_ports(1)
        self.n, self.process = 0, None
        if away:
            return
        # It wants to be somebody else than root.
        self.process = subprocess.Popen(
            packages.inside(["env", "LD_LIBRARY_PATH=/usr/lib/postfix",
                             "smtp-sink", "-c", "-u", "nobody",
                             f"127.0.0.1:{self.port}", "1000"]),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while data := os.read(self.process.stdout.fileno(), 1 << 16):
            found = re.findall(rb"mesg=(\d+)", data)
            if found:
                self.n = int(found[-1])

    def count(self):
        return self.n

    def at(self):
        return f"127.0.0.1:{self.port}"

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
