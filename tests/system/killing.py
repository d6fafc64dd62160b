# SPDX-License-Identifier: ISC
"""Real programs killed at chosen steps: tests/tools/kill_at.c is preloaded."""

import mmap
import pathlib
import shutil
import struct
import subprocess

SOURCE = pathlib.Path(__file__).parents[1] / "tools/kill_at.c"
# veredusd starts its programs with an empty environment.
STARTER = """
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	(void)argc;
	setenv("LD_PRELOAD", SHIM, 1);
	setenv("KILL_FILE", KILL_FILE, 1);
	execv(PROGRAM, argv);
	return 75;
}
"""


def build_shim(folder):
    out = folder / "kill_at.so"
    subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", out, SOURCE],
                   check=True)
    return out


class Steps:
    """The steps of all processes forked by a role program of a server that is
    not started yet."""

    KILL_AT, STEPS, KILLED, AHEAD, LATE = range(5)

    def __init__(self, server, program):
        folder = server.folder / "killing"
        folder.mkdir(mode=0o711)
        told = folder / "told"
        told.write_bytes(bytes(40))
        with open(told, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 40)
        real = folder / program
        shutil.move(server.libexec / program, real)
        subprocess.run(["cc", f'-DSHIM="{build_shim(folder)}"', f'-DKILL_FILE="{told}"',
                        f'-DPROGRAM="{real}"', "-o", server.libexec / program,
                        "-x", "c", "-"], input=STARTER.encode(), check=True)

    def _get(self, at):
        return struct.unpack_from("q", self.map, 8 * at)[0]

    def _set(self, at, value):
        struct.pack_into("q", self.map, 8 * at, value)

    def arm(self, n):
        """The n-th step from now is not done any more."""
        self.disarm()
        self._set(self.STEPS, 0)
        self._set(self.KILLED, 0)
        self._set(self.KILL_AT, n)

    def disarm(self):
        self._set(self.KILL_AT, 0)

    @property
    def done(self):
        return self._get(self.STEPS)

    @property
    def killed(self):
        return self._get(self.KILLED) != 0

    def put_clock_ahead(self, seconds):
        self._set(self.AHEAD, seconds)

    def delay_messages(self, seconds):
        """Of the program itself, not of what it forks."""
        self._set(self.LATE, int(seconds * 1000000))
