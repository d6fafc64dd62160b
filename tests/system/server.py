# SPDX-License-Identifier: ISC
"""A real server for a test: started from the built tree on free loopback ports
in a temporary folder, as root where the tests run as root (separated, a user
for each role), else as one user."""

import email.utils
import json
import os
import pathlib
import pwd
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time

BUILD = pathlib.Path(os.environ.get("VEREDUS_BUILD", os.getcwd()))
ROOT = os.geteuid() == 0
ROLES = ["smtpd", "submission", "lmtp", "access", "pickup", "relay", "queue",
         "directory", "auth", "keys", "state", "resolver"]
PROGRAMS = {"mta/smtpd": 1, "mta/relay": 1, "msa/submission": 1,
            "msa/pickup": 0, "queue/queue": 1, "mda/lmtp": 1, "mda/access": 1,
            "mda/broker": 1, "mda/owner": 1, "auth/directory": 1,
            "auth/auth": 1, "auth/state": 1, "auth/keys": 1,
            "resolver/resolver": 1}
PORTS = ["smtp", "submission", "submissions", "lmtp", "imap", "imaps", "pop3",
         "pop3s"]


def free_ports(n):
    """Ports that nobody has now, all open at once so that they differ."""
    socks = [socket.socket() for _ in range(n)]
    for s in socks:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in socks]
    for s in socks:
        s.close()
    return ports


def wait_for(what, seconds=20, step=0.05):
    """Calls `what` until it gives something true; returns that."""
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(step)


def make_users():
    if not ROOT:
        return
    for role in ROLES:
        try:
            pwd.getpwnam(f"veredus-{role}")
        except KeyError:
            subprocess.run(["useradd", "--system", "--no-create-home",
                            "--home-dir", "/nonexistent", "--shell",
                            "/usr/sbin/nologin", f"veredus-{role}"], check=True)


def make_certificates(folder):
    """A CA and a certificate for localhost and mail.example.test."""
    run = lambda *a: subprocess.run(a, cwd=folder, check=True,
                                    stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
        "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem", "-addext",
        "basicConstraints=critical,CA:TRUE", "-addext",
        "keyUsage=critical,keyCertSign,cRLSign")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-subj",
        "/CN=mail.example.test", "-keyout", "server.key", "-out", "server.csr")
    (folder / "ext").write_text(
        "subjectAltName=DNS:mail.example.test,DNS:localhost,IP:127.0.0.1\n"
        "basicConstraints=CA:FALSE\n")
    run("openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem",
        "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile",
        "ext", "-out", "server.pem")


def install_programs(folder):
    """All role programs side by side, as an installation has them."""
    folder.mkdir()
    for path in PROGRAMS:
        if (BUILD / path).exists():
            shutil.copy2(BUILD / path, folder)
    return folder


class Server:
    """One server. `options` overrides sections: {"queue": {"retry_min": "1s"}}."""

    def __init__(self, options=None, accounts=("alice", "bob", "carol"),
                 domains=("example.test", "example.net.test"), host="127.0.0.1",
                 ports=None, netns=None, hostname="mail.example.test"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="veredus-test-"))
        self.folder.chmod(0o711)
        self.options = options or {}
        self.host, self.netns, self.hostname = host, netns, hostname
        self.ports = ports or dict(zip(PORTS, free_ports(len(PORTS))))
        self.accounts, self.domains = accounts, domains
        self.password = {a: f"secret-{a}-{os.urandom(4).hex()}" for a in accounts}
        self.process = None
        make_users()
        make_certificates(self.folder)
        self.libexec = install_programs(self.folder / "libexec")
        self.conf = self.folder / "veredus.conf"
        self.log = self.folder / "veredus.log"
        self.write_conf()

    # ---- configuration

    def sections(self):
        f, p, h = self.folder, self.ports, self.host
        s = {
            "server": {"hostname": self.hostname,
                       "postmaster": f"postmaster@{self.domains[0]}",
                       "state_dir": f"{f}/state", "run_dir": f"{f}/run",
                       "mail_roots": [f"{f}/mail"], "log_file": f"{self.log}",
                       "log_level": "debug", "processes": 2},
            'certificate "mail.example.test"': {
                "chain": f"{f}/server.pem", "key": f"{f}/server.key",
                "names": ["localhost"]},
            "smtpd": {"listen": [f"{h}:{p['smtp']}"]},
            "submission": {"listen": [f"{h}:{p['submission']}"],
                           "listen_tls": [f"{h}:{p['submissions']}"]},
            "access": {k: [f"{h}:{p[k]}"]
                       for k in ("imap", "imaps", "pop3", "pop3s")},
            "lmtp": {"listen": [f"{h}:{p['lmtp']}"]},
            "auth": {"failure_delay": "100ms"},
        }
        for name, values in self.options.items():
            s.setdefault(name, {}).update(values)
        return s

    def write_conf(self):
        lines = []
        for name, values in self.sections().items():
            lines.append(name + " {")
            for k, v in values.items():
                if isinstance(v, (list, tuple)):
                    v = "{" + ", ".join(f'"{x}"' for x in v) + "}"
                else:
                    v = f'"{v}"'
                lines.append(f"\t{k} = {v}")
            lines.append("}")
        self.conf.write_text("\n".join(lines) + "\n")

    # ---- life

    def command(self, *args, stdin=None, check=True, prefix=()):
        env = dict(os.environ, VEREDUS_SBINDIR=str(BUILD / "master"))
        p = subprocess.run([*prefix, str(BUILD / "master/veredus"), "-c",
                            str(self.conf), "-L", str(self.libexec), *args],
                           input=stdin, capture_output=True, text=True,
                           env=env, timeout=120)
        if check and p.returncode:
            raise AssertionError(
                f"veredus {' '.join(args)}: {p.returncode}: {p.stderr}{p.stdout}"
                f"\n{self.tail()}")
        return p

    def start(self, preexec_fn=None):
        prefix = ["ip", "netns", "exec", self.netns] if self.netns else []
        self.process = subprocess.Popen(
            [*prefix, str(BUILD / "master/veredusd"), "-c", str(self.conf),
             "-L", str(self.libexec)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(self.folder / "stderr", "ab"),
            preexec_fn=preexec_fn)
        wait_for(self.is_ready, 30)
        if not (self.folder / "made").exists():
            for d in self.domains:
                self.command("domain", "add", d)
            for a in self.accounts:
                self.command("account", "add", f"{a}@{self.domains[0]}",
                             stdin=self.password[a] + "\n")
            (self.folder / "made").touch()
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"veredusd ended with {self.process.returncode}:"
                                 f" {(self.folder / 'stderr').read_text()}\n{self.tail()}")
        p = self.command("status", "--json", check=False)
        if p.returncode:
            return False
        rows = json.loads(p.stdout)
        return len(rows) > 10 and all(r.get("state", "ready") == "ready" for r in rows)

    def status(self):
        return json.loads(self.command("status", "--json").stdout)

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server does not stop\n{self.tail()}")
        finally:
            self.process = None

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        return self.start()

    def remove(self):
        try:
            self.stop()
        finally:
            if not os.environ.get("VEREDUS_KEEP"):
                shutil.rmtree(self.folder, ignore_errors=True)

    def tail(self, n=40):
        if not self.log.exists():
            return ""
        return "".join(self.log.read_text(errors="replace").splitlines(True)[-n:])

    def pids(self, role):
        return [int(r["pid"]) for r in self.status()
                if r["role"].split("[")[0] == role]

    # ---- as a client

    def address(self, user):
        return user if "@" in user else f"{user}@{self.domains[0]}"

    def tls(self):
        return ssl.create_default_context(cafile=self.folder / "ca.pem")

    def smtp(self, service="smtp"):
        return smtplib.SMTP(self.host, self.ports[service], timeout=30,
                            local_hostname="client.test")

    def submission(self, user="alice"):
        c = smtplib.SMTP("localhost", self.ports["submission"], timeout=30,
                         local_hostname="client.test")
        c.starttls(context=self.tls())
        c.login(self.address(user), self.password[user])
        return c

    def imap(self, user="bob", box="INBOX"):
        import imaplib
        c = imaplib.IMAP4_SSL("localhost", self.ports["imaps"],
                              ssl_context=self.tls(), timeout=30)
        c.login(self.address(user), self.password[user])
        if box:
            c.select(box)
        return c

    def pop3(self, user="bob"):
        import poplib
        c = poplib.POP3_SSL("localhost", self.ports["pop3s"],
                            context=self.tls(), timeout=30)
        c.user(self.address(user))
        c.pass_(self.password[user])
        return c

    def messages(self, user="bob", box="INBOX"):
        """Raw messages of a mailbox, by IMAP."""
        c = self.imap(user, None)
        try:
            typ, data = c.select(box)
            if typ != "OK" or data == [b"0"]:
                return []
            typ, data = c.fetch("1:*", "(BODY.PEEK[])")
            return [d[1] for d in data if isinstance(d, tuple)]
        finally:
            c.logout()

    def wait_messages(self, n, user="bob", seconds=30):
        return wait_for(lambda: (m := self.messages(user)) and len(m) >= n and m,
                        seconds, 0.2)

    def maildir(self, user):
        """The Maildir of an account on disk."""
        local, domain = self.address(user).split("@")
        return self.folder / "mail" / domain / local

    def queue(self):
        return json.loads(self.command("queue", "list", "--json").stdout)


def letter(subject="hello", sender="alice@example.test", to="bob@example.test",
           body="Some text.\r\n", headers=()):
    return ("".join(f"{k}: {v}\r\n" for k, v in (
        ("From", f"<{sender}>"), ("To", f"<{to}>"), ("Subject", subject),
        ("Date", email.utils.formatdate()),
        ("Message-ID", email.utils.make_msgid(domain="client.test")), *headers))
        + "\r\n" + body).encode()
