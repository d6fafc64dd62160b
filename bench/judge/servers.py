# SPDX-License-Identifier: ISC
"""What a judged server is: a private instance in a folder of its own, on
loopback ports of its own, in a control group of its own."""

import pathlib
import signal
import socket
import subprocess
import sys
import time

from .meter import Group, NoGroup

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/system"))
import server as testing  # noqa: E402

DOMAIN = "bench.test"
PASSWORD = "bench-password"
USER = "user%d@" + DOMAIN
HASH = []


def password_hash():
    """One for all users of all servers: SHA-512, the 5,000 rounds that crypt
    has by default."""
    if not HASH:
        HASH.append(subprocess.run(
            ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD,
            capture_output=True, text=True, check=True).stdout.strip())
    return HASH[0]


class Server:
    """`accounts` mailboxes, user0 to userN-1. `relay_to`: addresses of sinks,
    of which sinkI.test goes to number I."""
    name = needs = notes = None

    def __init__(self, folder, packages, accounts, relay_to=()):
        self.folder = pathlib.Path(folder) / self.name
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o711)
        self.packages, self.accounts, self.relay_to = packages, accounts, relay_to
        self.ports, self.processes, self.group = {}, [], None

    def at(self, service):
        return f"127.0.0.1:{self.ports[service]}"

    def maildir(self, i):
        raise NotImplementedError

    def start(self):
        self.configure()
        self.begin()

    def begin(self):
        if self.group is None:
            self.group = (Group if testing.ROOT else NoGroup)(self.name)
        began = time.monotonic()
        self.launch()
        self.seconds_to_start = time.monotonic() - began

    def restart(self):
        self.stop()
        self.begin()

    def stop(self):
        for p in self.processes:
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
        for p in self.processes:
            try:
                p.wait(30)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.processes = []
        if self.group is not None:
            self.group.empty()

    def remove(self):
        """After stop(): what is not in its folder."""
        if self.group is not None:
            self.group.remove()

    # ---- for peers

    def popen(self, *argv):
        with open(self.folder / "stderr", "ab") as err:
            self.processes.append(subprocess.Popen(
                self.packages.inside(argv), stdin=subprocess.DEVNULL,
                stdout=err, stderr=err, start_new_session=True,
                preexec_fn=self.group.enter))

    def wait_ready(self, service, greeting, seconds=60):
        end = time.monotonic() + seconds
        while True:
            for p in self.processes:
                if p.poll() is not None:
                    raise RuntimeError(f"{self.name} ended: {self.tail()}")
            try:
                with socket.create_connection(
                        ("127.0.0.1", self.ports[service]), 5) as s:
                    if s.recv(100).startswith(greeting):
                        return
            except OSError:
                pass
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name} is not ready: {self.tail()}")
            time.sleep(0.02)

    def tail(self):
        return "".join(p.read_text(errors="replace")[-3000:]
                       for p in (self.folder / "stderr", self.folder / "log")
                       if p.exists())

    def certificate(self):
        """Paths of a chain and its key."""
        if not (self.folder / "server.pem").exists():
            testing.make_certificates(self.folder)
        return self.folder / "server.pem", self.folder / "server.key"


def take_ports(*names):
    return dict(zip(names, testing.free_ports(len(names))))


class Veredus(Server):
    name = "veredus"
    notes = ("defaults, root, every role separated; limits per client and "
             "account lifted")

    def configure(self):
        routes = [f"sink{i}.test=smtp:{at}"
                  for i, at in enumerate(self.relay_to)]
        self.inner = testing.Server(
            {"server": {"log_level": "info", "processes": 0},
             "access": {"connections_per_client": 1000000},
             "submission": {"connections_per_client": 1000000,
                            "messages_per_hour": 10**6,
                            "recipients_per_hour": 10**6},
             "directory": {"routes": routes}},
            accounts=(), domains=(DOMAIN,))
        self.ports = self.inner.ports

    def start(self):
        super().start()
        users = "".join(f"{USER % i}:{password_hash()}\n"
                        for i in range(self.accounts))
        self.inner.command("account", "import", "-", stdin=users)

    def launch(self):
        self.inner.start(preexec_fn=self.group.enter)

    def maildir(self, i):
        return self.inner.folder / "mail" / DOMAIN / f"user{i}"

    def stop(self):
        self.inner.stop()
        super().stop()

    def remove(self):
        self.inner.remove()
        super().remove()
