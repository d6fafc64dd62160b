# SPDX-License-Identifier: ISC
"""Debian packages that are unpacked, never installed: installing an MTA
removes the machine's own and starts services. A server out of them runs in a
mount namespace of its own, in which they lie over /usr, and over /etc a copy
of the user table with the users they want. The machine sees nothing of it."""

import pathlib
import shutil
import subprocess

ENTER = ('mount --make-rprivate / && '
         'mount -t overlay -o lowerdir="$1/usr:/usr" overlay /usr && '
         'mount -t overlay -o lowerdir="$2:/etc" overlay /etc && '
         'shift 2 && exec "$@"')


class Packages:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.root = self.folder / "root"
        self.etc = self.folder / "etc"
        self.debs = self.folder / "debs"
        self.etc.mkdir(parents=True, exist_ok=True)
        (self.root / "usr").mkdir(parents=True, exist_ok=True)
        self.debs.mkdir(exist_ok=True)
        for name in ("passwd", "group"):
            shutil.copy(f"/etc/{name}", self.etc)
        self.next_id = 64000
        self.fetched = set()

    def fetch(self, *names):
        """Downloads and unpacks packages, and those they need that the
        machine lacks."""
        names = [n for n in names if n not in self.fetched]
        if not names:
            return
        self.fetched.update(names)
        plan = subprocess.run(
            ["apt-get", "install", "-s", "-q", "--no-install-recommends",
             *names], capture_output=True, text=True)
        if plan.returncode:
            subprocess.run(["apt-get", "update", "-qq"], capture_output=True)
            plan = subprocess.run(
                ["apt-get", "install", "-s", "-q", "--no-install-recommends",
                 *names], capture_output=True, text=True)
        needed = {line.split()[1] for line in plan.stdout.splitlines()
                  if line.startswith("Inst ")} | set(names)
        for name in sorted(needed):
            if not list(self.debs.glob(f"{name}_*.deb")):
                subprocess.run(["apt-get", "download", "-qq", name],
                               cwd=self.debs, check=True,
                               capture_output=True, timeout=300)
            deb, = self.debs.glob(f"{name}_*.deb")
            subprocess.run(["dpkg", "-x", deb, self.root], check=True)

    def user(self, name, home="/nonexistent"):
        """A user (and group) that exists in the namespace only; its id."""
        with open(self.etc / "passwd") as f:
            for line in f:
                if line.startswith(name + ":"):
                    return int(line.split(":")[2])
        self.next_id += 1
        with open(self.etc / "passwd", "a") as f:
            f.write(f"{name}:x:{self.next_id}:{self.next_id}::{home}:/bin/false\n")
        self.group(name, self.next_id)
        return self.next_id

    def group(self, name, number=None):
        with open(self.etc / "group") as f:
            for line in f:
                if line.startswith(name + ":"):
                    return int(line.split(":")[2])
        if number is None:
            self.next_id += 1
            number = self.next_id
        with open(self.etc / "group", "a") as f:
            f.write(f"{name}:x:{number}:\n")
        return number

    def inside(self, argv):
        """The command that runs `argv` among the packages."""
        return ["unshare", "-m", "sh", "-c", ENTER, "sh", str(self.root),
                str(self.etc), *map(str, argv)]

    def run(self, *argv, **more):
        return subprocess.run(self.inside(argv), check=True,
                              capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=300, **more)

    def version(self, name):
        deb = next(self.debs.glob(f"{name}_*.deb"), None)
        return deb.name.split("_")[1].replace("%3a", ":") if deb else "?"
