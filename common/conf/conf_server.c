/* SPDX-License-Identifier: ISC */
/* Section `server`. */
#include "conf/conf_server.h"

static const struct conf_def rows[] = {
	CONF(conf_server, STR, hostname, "", 0, 255, CONF_LIVE,
	    "The name of this server, as it says it in greetings and trace "
	    "headers; empty for the machine's own name."),
	CONF(conf_server, STR, postmaster, "postmaster", 1, 320, CONF_LIVE,
	    "Who gets mail for the postmaster, and bounces that cannot be "
	    "delivered: an address, or a local part of the first domain."),
	CONF(conf_server, STR, state_dir, VD_STATEDIR "/lib/veredus", 1, 1024,
	    CONF_RESTART,
	    "Where tables, queue and counters are kept: one folder for each "
	    "role, each with its own user."),
	CONF(conf_server, STR, run_dir, VD_RUNDIR "/veredus", 1, 90,
	    CONF_RESTART, "Where the control socket and the pid file are."),
	CONF(conf_server, LIST, mail_roots, VD_STATEDIR "/lib/veredus/mail",
	    1, 16, CONF_RESTART,
	    "Folders below which mailboxes may lie; new accounts get a home "
	    "under the first. They are made where they are missing; where the "
	    "server runs as root they must be root's and writable by nobody "
	    "else, so not a /var/mail that other programs share."),
	CONF(conf_server, STR, recipient_delimiter, "+", 0, 1, CONF_LIVE,
	    "What separates a user from a detail in an address: mail for "
	    "user+anything reaches user. Empty turns this off."),
	CONF(conf_server, STR, user, "veredus", 1, 32, CONF_RESTART,
	    "Prefix of the system users of the roles: role smtpd runs as "
	    "veredus-smtpd, and so on."),
	CONF(conf_server, INT, uid_base, "200000", 1000, 4000000000,
	    CONF_RESTART,
	    "Account number N has the uid uid_base + N, so that the kernel "
	    "keeps mailboxes apart."),
	CONF(conf_server, INT, uid_count, "1000000", 1, 4000000000,
	    CONF_RESTART, "How many uids from uid_base on belong to us."),
	CONF(conf_server, STR, shared_uid, "", 0, 32, CONF_RESTART,
	    "One system user for all mailboxes instead of a uid each. Weaker: "
	    "a break-in into one mailbox's process is then kept from the "
	    "others by chroot and Landlock alone."),
	CONF_ONE_OF(conf_server, sandbox, "required", "required|best-effort",
	    CONF_RESTART,
	    "Whether to refuse to start where seccomp or Landlock is missing, "
	    "or to go on and say so in the status."),
	CONF_ONE_OF(conf_server, durability, "auto", "auto|ordered|strict",
	    CONF_RESTART,
	    "What a flush of a file is taken to cover: `ordered` (ext4, XFS) "
	    "or `strict` (only itself); `auto` goes by the file system."),
	CONF(conf_server, STR, log_file, VD_STATEDIR "/log/veredus.log", 0,
	    1024, CONF_LIVE,
	    "The log file, or `stderr` or `syslog`."),
	CONF_ONE_OF(conf_server, log_format, "text", "text|json", CONF_LIVE,
	    "Lines of key=value, or JSON objects."),
	CONF_ONE_OF(conf_server, log_level, "info",
	    "error|warn|info|debug", CONF_LIVE,
	    "How much is logged. `debug` shows protocol lines, with "
	    "credentials starred out."),
	CONF(conf_server, INT, processes, "0", 0, CONF_PROCESSES_MAX,
	    CONF_RESTART,
	    "How many processes each of smtpd, submission, relay, access and "
	    "keys has; 0 for as many as there are cores, at most 4."),
	CONF(conf_server, BOOL, channel_binding, "yes", 0, 0, CONF_LIVE,
	    "Whether users are offered SCRAM-SHA-256-PLUS, which binds a "
	    "login to its TLS connection (RFC 9266). Turn it off where "
	    "clients choose it and then give up, as mutt does with the SASL "
	    "library of Debian 12 over TLS 1.3."),
	CONF(conf_server, LIST, name_servers, "", 0, 8, CONF_LIVE,
	    "Addresses of the name servers to ask ([address]:port for another "
	    "port than 53); empty for those of /etc/resolv.conf."),
	CONF(conf_server, LIST, ca_file, "", 0, 8, CONF_RESTART,
	    "Files with the certificates of authorities trusted when we are "
	    "the client; empty for the system's."),
};

CONF_SECTION(conf_server_section, "server", false, conf_server, rows,
    "The server as a whole.");
