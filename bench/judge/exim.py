# SPDX-License-Identifier: ISC
"""Exim, with its own delivery into Maildirs."""

import shutil

from .servers import DOMAIN, Server, take_ports

CONF = """\
primary_hostname = mail.{domain}
spool_directory = {f}/spool
log_file_path = {f}/%slog
pid_file_path = {f}/exim.pid
domainlist local = {domain}
daemon_smtp_ports = {smtp}
local_interfaces = 127.0.0.1
acl_smtp_rcpt = check
never_users = root
host_lookup =
rfc1413_query_timeout = 0s
# Its specification, chapter 3 and 14: a split spool, no limit of sessions and
# of deliveries under load.
split_spool_directory = true
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
smtp_reserve_hosts =
remote_max_parallel = 20
begin acl
check:
  accept domains = +local
         verify = recipient
  accept hosts = 127.0.0.0/8
  deny message = relay not permitted
begin routers
sinks:
  driver = manualroute
  domains = !+local
  transport = remote
  self = send
  route_list = {routes}
users:
  driver = accept
  domains = +local
  local_parts = dbm;{f}/users.db
  transport = maildir
begin transports
remote:
  driver = smtp
  allow_localhost
  hosts_try_dane =
maildir:
  driver = appendfile
  maildir_format
  directory = {f}/mail/$local_part_data
  create_directory
  user = {uid}
  group = {uid}
  mode = 0600
begin retry
* * F,2h,15m
"""


class Exim(Server):
    name = "exim"
    needs = ("exim4-daemon-light", "exim4-base")
    notes = ("defaults; split_spool_directory, smtp_accept_max 0, "
             "smtp_accept_queue_per_connection 0")

    def configure(self):
        p, f = self.packages, self.folder
        uid, own = p.user("vmail"), p.user("Debian-exim")
        self.ports = take_ports("smtp")
        for d, u in (("mail", uid), ("spool", own)):
            (f / d).mkdir()
            shutil.chown(f / d, u, u)
        shutil.chown(f, own, own)
        (f / "users").write_text("".join(
            f"user{i}: user{i}\n" for i in range(self.accounts)))
        p.run("exim_dbmbuild", f / "users", f / "users.db")
        routes = "; ".join(f"sink{i}.test 127.0.0.1::{at.rsplit(':', 1)[1]} byname"
                           for i, at in enumerate(self.relay_to)) or "* 127.0.0.1"
        conf = p.etc / "exim4"
        conf.mkdir(exist_ok=True)
        (conf / "exim4.conf").write_text(CONF.format(
            f=f, uid=uid, domain=DOMAIN, routes=routes, **self.ports))

    def launch(self):
        self.popen("/usr/sbin/exim4", "-bdf", "-q30m")
        self.wait_ready("smtp", b"220")

    def maildir(self, i):
        return self.folder / f"mail/user{i}"
