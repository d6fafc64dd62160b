# SPDX-License-Identifier: ISC
"""Postfix: with its own virtual delivery, and handing to Dovecot by LMTP."""

import shutil

from .dovecot import Dovecot
from .servers import DOMAIN, USER, Server, take_ports

MASTER = """\
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
 -o smtpd_tls_security_level=encrypt
 -o smtpd_sasl_auth_enable=yes
 -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{submissions} inet n - n - - smtpd
 -o smtpd_tls_wrappermode=yes
 -o smtpd_sasl_auth_enable=yes
 -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
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
MAIN = """\
compatibility_level = 3.6
queue_directory = {f}/queue
data_directory = {f}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file_prefixes = {f}
maillog_file = {f}/log
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.{domain}
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {f}/mail
virtual_mailbox_maps = hash:{f}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
virtual_transport = {transport}
transport_maps = {routes}
relay_domains = {sinks}
smtpd_tls_chain_files = {key}, {chain}
smtpd_tls_security_level = may
smtp_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = {f}/dovecot/auth-client
disable_dns_lookups = yes
# TUNING_README: enough processes for all sessions of the bench, no name
# lookups of clients, no pause of new mail before old.
default_process_limit = 1100
smtpd_peername_lookup = no
in_flow_delay = 0
"""


class Postfix(Server):
    name = "postfix"
    needs = ("postfix",)
    notes = ("defaults; default_process_limit 1100, smtpd_peername_lookup no, "
             "in_flow_delay 0 (TUNING_README)")
    transport = "virtual"

    def configure(self):
        p, f = self.packages, self.folder
        uid = p.user("vmail")
        owner, group = p.user("postfix"), p.group("postdrop")
        self.ports = take_ports("smtp", "submission", "submissions")
        self.dovecot = self.companion()
        (f / "conf").mkdir()
        (f / "data").mkdir()
        (f / "mail").mkdir()
        queue = f / "queue"
        queue.mkdir()
        for d in ("active bounce corrupt defer deferred flush hold incoming "
                  "private saved trace public maildrop pid").split():
            (queue / d).mkdir(mode=0o700)
            if d != "pid":
                shutil.chown(queue / d, owner)
        for d, mode in (("public", 0o710), ("maildrop", 0o730)):
            shutil.chown(queue / d, owner, group)
            (queue / d).chmod(mode)
        (queue / "pid").chmod(0o755)
        shutil.chown(f / "data", owner)
        shutil.chown(f / "mail", uid, uid)
        chain, key = self.certificate()
        (f / "mailboxes").write_text("".join(
            f"{USER % i} user{i}/\n" for i in range(self.accounts)))
        routes = "inline:{ %s }" % " ".join(
            "{ sink%d.test = smtp:[127.0.0.1]:%s }" % (i, at.rsplit(":", 1)[1])
            for i, at in enumerate(self.relay_to)) if self.relay_to else ""
        (f / "conf/main.cf").write_text(MAIN.format(
            f=f, uid=uid, domain=DOMAIN, transport=self.transport, chain=chain,
            key=key, routes=routes,
            sinks=" ".join(f"sink{i}.test" for i in range(len(self.relay_to)))))
        (f / "conf/master.cf").write_text(MASTER.format(**self.ports))
        (f / "conf/dynamicmaps.cf").touch()
        (f / "conf/postfix-files").touch()
        p.run("postmap", "-c", f / "conf", f"hash:{f}/mailboxes")

    def companion(self):
        """Dovecot, for AUTH: Postfix has none of its own."""
        return None

    def launch(self):
        if self.dovecot:
            self.dovecot.group = self.group
            self.dovecot.launch()
            self.processes += self.dovecot.processes
        self.popen("/usr/lib/postfix/sbin/master", "-d", "-c",
                   self.folder / "conf")
        self.wait_ready("smtp", b"220")

    def maildir(self, i):
        return self.folder / f"mail/user{i}"


class PostfixDovecot(Postfix):
    """As most of the world has it: Dovecot's LMTP delivers, its auth checks
    passwords."""
    name = "postfix+dovecot"
    needs = Postfix.needs + Dovecot.needs
    notes = Postfix.notes + "; Dovecot in high-performance mode"

    @property
    def transport(self):
        return f"lmtp:unix:{self.folder}/dovecot/lmtp"

    def companion(self):
        d = Dovecot(self.folder, self.packages, self.accounts,
                    sockets_for="postfix")
        d.is_fast = True
        d.configure()
        self.ports.update(d.ports)
        return d

    def maildir(self, i):
        return self.dovecot.maildir(i)
