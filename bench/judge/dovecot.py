# SPDX-License-Identifier: ISC
"""Dovecot: by default, in its high-performance mode, and hibernating."""

import shutil

from .servers import USER, Server, password_hash, take_ports

CONF = """\
protocols = imap pop3 lmtp
listen = 127.0.0.1
base_dir = {f}/run
state_dir = {f}/state
log_path = {f}/log
instance_name = bench
default_internal_user = dovecot
default_internal_group = dovecot
default_login_user = dovenull
mail_location = maildir:{f}/mail/%n
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = 1
auth_mechanisms = plain login
disable_plaintext_auth = no
passdb {{
  driver = passwd-file
  args = username_format=%u {f}/users
}}
userdb {{
  driver = {userdb}
}}
{cache}
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
# One client has all connections here; thousands of sessions need thousands of
# processes.
mail_max_userip_connections = 0
default_process_limit = 12000
default_client_limit = 40000
default_vsz_limit = 0
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
  {login}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
  {login}
}}
service imap {{
  process_limit = 12000
  {imap_service}
}}
service pop3 {{
  process_limit = 2000
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
  {lmtp_socket}
}}
service auth {{
  client_limit = 40000
  {auth_socket}
}}
service stats {{
  client_limit = 40000
}}
service anvil {{
  client_limit = 40000
}}
{more}
protocol imap {{
  mail_max_userip_connections = 0
  imap_hibernate_timeout = {hibernate}
}}
"""
# "LoginProcess", high-performance mode: login processes serve many clients and
# stay; so do mail processes (service_count), as all mail has one uid here.
FAST_LOGIN = """\
service_count = 0
  process_min_avail = 2
  process_limit = 2
  client_limit = 40000"""
# "Authentication caching": as ours remembers passwords that were right.
CACHE = "auth_cache_size = 10 M"
FAST_IMAP = "service_count = 200\n  process_min_avail = 2"
HIBERNATE_IMAP = """\
unix_listener imap-master {
    user = dovecot
  }"""
HIBERNATE = """\
service imap-hibernate {
  unix_listener imap-hibernate {
    mode = 0666
  }
}
"""


class Dovecot(Server):
    name = "dovecot"
    needs = ("dovecot-core", "dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd")
    notes = "defaults; process and client limits raised"
    is_fast = False
    hibernates = False

    def __init__(self, folder, packages, accounts, relay_to=(),
                 sockets_for=None):
        super().__init__(folder, packages, accounts, relay_to)
        self.sockets_for = sockets_for

    def configure(self):
        p, f = self.packages, self.folder
        uid = p.user("vmail")
        p.user("dovecot")
        p.user("dovenull")
        self.ports = take_ports("imap", "imaps", "pop3", "pop3s", "lmtp")
        (f / "mail").mkdir(exist_ok=True)
        shutil.chown(f / "mail", uid, uid)
        # Hibernating processes watch by inotify, of which a user has 128.
        own_uid = self.hibernates
        lines = []
        for i in range(self.accounts):
            u = 100000 + i if own_uid else uid
            lines.append(f"{USER % i}:{{CRYPT}}{password_hash()}:{u}:{u}::"
                         f"{f}/mail/user{i}::\n")
            if own_uid:
                home = f / f"mail/user{i}"
                home.mkdir()
                shutil.chown(home, u, u)
        (f / "users").write_text("".join(lines))
        for d in ("run", "state"):
            (f / d).mkdir()
        chain, key = self.certificate()
        lmtp_socket = auth_socket = ""
        if self.sockets_for:
            lmtp_socket = (f"unix_listener {f}/lmtp {{\n    mode = 0600\n"
                           f"    user = {self.sockets_for}\n  }}")
            auth_socket = (f"unix_listener {f}/auth-client {{\n    mode = 0600\n"
                           f"    user = {self.sockets_for}\n  }}")
        (f / "dovecot.conf").write_text(CONF.format(
            f=f, uid=uid, chain=chain, key=key, **self.ports,
            userdb="passwd-file\n  args = username_format=%u " + str(f / "users"),
            cache=CACHE if self.is_fast else "",
            login=FAST_LOGIN if self.is_fast else "",
            imap_service=(HIBERNATE_IMAP if self.hibernates else
                          FAST_IMAP if self.is_fast else ""),
            more=HIBERNATE if self.hibernates else "",
            hibernate="2s" if self.hibernates else "0",
            lmtp_socket=lmtp_socket, auth_socket=auth_socket))

    def launch(self):
        self.popen("/usr/sbin/dovecot", "-F", "-c", self.folder / "dovecot.conf")
        self.wait_ready("imap", b"* OK")

    def maildir(self, i):
        return self.folder / f"mail/user{i}"


class DovecotFast(Dovecot):
    name = "dovecot-fast"
    notes = ("high-performance mode: login service_count 0, "
             "process_min_avail 2; imap service_count 200; auth_cache_size 10M")
    is_fast = True


class DovecotHibernate(Dovecot):
    name = "dovecot-hibernate"
    notes = "high-performance logins, imap_hibernate_timeout 2s, a uid per user"
    is_fast = True
    hibernates = True
