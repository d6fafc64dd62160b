# SPDX-License-Identifier: ISC
"""Postfix's programs for the tests: its Debian package, fetched and unpacked
into a folder, never installed; and a whole instance of it in that folder."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

from server import ROOT, wait_for

USER, GROUP = "veredus-postfix", "veredus-postdrop"
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Package:
    """The unpacked package; `ok` is False where it cannot be had."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="veredus-postfix-"))
        self.folder.chmod(0o711)
        self.fetch()
        found = list(self.folder.glob("*.deb"))
        self.ok = bool(found)
        if self.ok:
            subprocess.run(["dpkg", "-x", found[0], self.folder / "root"], check=True)
        self.lib = self.folder / "root/usr/lib/postfix"
        self.env = dict(os.environ, LD_LIBRARY_PATH=str(self.lib))

    def fetch(self):
        given = os.environ.get("VEREDUS_POSTFIX_DEB")
        if given:
            shutil.copy(given, self.folder)
            return
        for prepare in (None, ["apt-get", "update", "-qq"]):
            if prepare and ROOT:
                subprocess.run(prepare, capture_output=True, timeout=120)
            p = subprocess.run(["apt-get", "download", "-qq", "postfix"],
                               cwd=self.folder, capture_output=True, timeout=120)
            if p.returncode == 0:
                return

    def sbin(self, name):
        return str(self.folder / "root/usr/sbin" / name)

    def run(self, name, *args, timeout=90):
        p = subprocess.run([self.sbin(name), *map(str, args)], env=self.env,
                           capture_output=True, text=True, timeout=timeout)
        assert p.returncode == 0, p.stdout + p.stderr
        return p

    def popen(self, name, *args, cwd=None):
        return subprocess.Popen([self.sbin(name), *map(str, args)], env=self.env,
                                cwd=cwd, stdin=subprocess.DEVNULL)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Sink:
    """smtp-sink, which keeps each message in a file."""

    def __init__(self, package, port, *options):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sink-", dir=package.folder))
        if ROOT:  # it insists on being somebody else then
            options = ("-u", "nobody", *options)
            shutil.chown(self.folder, "nobody")
        self.process = package.popen("smtp-sink", "-d", "m.", *options,
                                     f"127.0.0.1:{port}", 100, cwd=self.folder)

    def messages(self):
        """Each with the envelope in front, in fields that begin with X-."""
        return [p.read_bytes() for p in self.folder.iterdir()]

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Postfix:
    """An instance on a port of its own. Mail for remote.test it keeps in a
    Maildir; `transport` is a list of its transport table's lines."""

    def __init__(self, package, port, certificate, transport):
        self.package, self.port = package, port
        f = self.folder = package.folder / "instance"
        self.conf, self.queue = f / "conf", f / "queue"
        self.log, self.box = f / "log", f / "mail/box"
        self.process = None
        self.make_users()
        uid, gid = pwd.getpwnam(USER)[2:4]
        for d in (f, self.conf, self.queue, f / "data", f / "mail"):
            d.mkdir()
        for d in ("active bounce corrupt defer deferred flush hold incoming "
                  "private saved trace public maildrop pid").split():
            (self.queue / d).mkdir(mode=0o700)
            if d != "pid":
                shutil.chown(self.queue / d, USER)
        for d, mode in (("public", 0o710), ("maildrop", 0o730)):
            shutil.chown(self.queue / d, USER, GROUP)
            (self.queue / d).chmod(mode)
        (self.queue / "pid").chmod(0o755)
        shutil.chown(f / "data", USER)
        shutil.chown(f / "mail", USER)
        chain, key = certificate
        (self.conf / "both.pem").write_bytes(key.read_bytes() + chain.read_bytes())
        (self.conf / "both.pem").chmod(0o600)
        (self.conf / "master.cf").write_text(MASTER.format(port=port))
        (self.conf / "dynamicmaps.cf").touch()
        (self.conf / "postfix-files").touch()
        (self.conf / "main.cf").write_text(f"""\
compatibility_level = 3.6
queue_directory = {self.queue}
data_directory = {f}/data
command_directory = {package.folder}/root/usr/sbin
daemon_directory = {package.lib}/sbin
shlib_directory = {package.lib}
meta_directory = {self.conf}
mail_owner = {USER}
setgid_group = {GROUP}
import_environment = MAIL_CONFIG TZ LANG=C LD_LIBRARY_PATH
maillog_file_prefixes = {f}
maillog_file = {self.log}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.remote.test
mydomain = remote.test
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
disable_dns_lookups = yes
virtual_mailbox_domains = remote.test
virtual_mailbox_base = {f}/mail
virtual_mailbox_maps = inline:{{ {{ user@remote.test = box/ }} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
relay_domains = example.test
transport_maps = inline:{{ {" ".join("{ %s }" % t for t in transport)} }}
smtpd_tls_chain_files = {self.conf}/both.pem
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
smtp_tls_security_level = encrypt
smtp_tls_loglevel = 1
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
""")

    @staticmethod
    def make_users():
        subprocess.run(["groupadd", "--system", "-f", GROUP], check=True)
        if subprocess.run(["getent", "passwd", USER], capture_output=True).returncode:
            subprocess.run(["useradd", "--system", "--user-group", "--no-create-home",
                            "--home-dir", "/nonexistent", "--shell",
                            "/usr/sbin/nologin", USER], check=True)

    def start(self):
        self.err = self.folder / "stderr"
        with open(self.err, "ab") as err:
            self.process = subprocess.Popen(
                [str(self.package.lib / "sbin/master"), "-d", "-c", str(self.conf)],
                env=dict(self.package.env, MAIL_CONFIG=str(self.conf)),
                stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                start_new_session=True)
        def ready():
            assert self.process.poll() is None, self.tail()
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                    return s.recv(3) == b"220"
            except OSError:
                return False
        wait_for(ready, 30, 0.1)
        return self

    def tail(self):
        return "".join(p.read_text(errors="replace")[-4000:]
                       for p in (self.err, self.log) if p.exists())

    def messages(self):
        return [p.read_bytes() for p in (self.box / "new").glob("*")]

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        # Its last children take a moment to end.
        wait_for(lambda: subprocess.run(["pgrep", "-u", USER],
                                        capture_output=True).returncode, 20)
        subprocess.run(["userdel", USER], capture_output=True)
        subprocess.run(["groupdel", GROUP], capture_output=True)
