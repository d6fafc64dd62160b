/* SPDX-License-Identifier: ISC */
/* Section `directory`. */
#include "conf/conf_directory.h"

static const struct conf_def rows[] = {
	CONF_ONE_OF(conf_directory, driver, "bdb", "bdb|lmdb", CONF_RESTART,
	    "How the tables are kept."),
	CONF(conf_directory, STR, catch_all, "", 0, 320, CONF_LIVE,
	    "Where mail for unknown users of our domains goes; empty "
	    "refuses it. A domain may have its own."),
	CONF(conf_directory, STR, smarthost, "", 0, 320, CONF_LIVE,
	    "Host (host, host:port, [address]:port) that gets all mail "
	    "for elsewhere; empty sends by MX."),
	CONF(conf_directory, LIST, relay_domains, "", 0, 4096, CONF_LIVE,
	    "Domains that we are a backup MX for."),
	CONF(conf_directory, LIST, routes, "", 0, 4096, CONF_LIVE,
	    "Where mail for a domain goes: domain=host:port, "
	    ".domain=lmtp:host:port, domain=mx:other.domain."),
	CONF(conf_directory, BOOL, system_users, "no", 0, 0, CONF_RESTART,
	    "Whether users of this system have mailboxes in the first "
	    "domain."),
	CONF(conf_directory, SIZE, quota_bytes, "0", 0, 1LL << 50, CONF_LIVE,
	    "Quota of accounts that have none of their own; 0 for none."),
	CONF(conf_directory, INT, quota_messages, "0", 0, 1000000000, CONF_LIVE,
	    "The same as a number of messages."),
};

CONF_SECTION(conf_directory_section, "directory", false, conf_directory, rows,
    "Domains, accounts, aliases and routes.");
