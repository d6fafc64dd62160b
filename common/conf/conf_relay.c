/* SPDX-License-Identifier: ISC */
/* Section `relay`. */
#include "conf/conf_relay.h"

static const struct conf_def rows[] = {
	CONF(conf_relay, STR, helo_name, "", 0, 255, CONF_LIVE,
	    "The name said in EHLO; empty for the name of the server."),
	CONF(conf_relay, STR, bind_address, "", 0, 64, CONF_LIVE,
	    "The IPv4 address to connect from; empty for any."),
	CONF(conf_relay, STR, bind_address6, "", 0, 64, CONF_LIVE,
	    "The IPv6 address to connect from; empty for any."),
	CONF_ONE_OF(conf_relay, ip, "both", "both|ipv4|ipv6", CONF_LIVE,
	    "Which addresses of a host are tried."),
	CONF(conf_relay, INT, port, "25", 1, 65535, CONF_LIVE,
	    "The port of other mail servers. Only tests have another."),
	CONF_ONE_OF(conf_relay, tls, "may", "may|require|none", CONF_LIVE,
	    "STARTTLS where it is offered, in the clear where it fails (may); "
	    "never without (require); or never (none)."),
	CONF(conf_relay, STR, secrets_file, "", 0, 1024, CONF_LIVE,
	    "Logins for smarthosts: a file with lines of HOST[:PORT] USER "
	    "PASSWORD, which nobody but root need be able to read."),
	CONF(conf_relay, BOOL, auth_verified, "yes", 0, 0, CONF_LIVE,
	    "Show a password only to a host whose certificate is valid for "
	    "its name (its address, where that is how it is written). "
	    "SCRAM, which does not show it, is used with any."),
	CONF(conf_relay, TIME, connect_timeout, "30s", 1000, 3600000, CONF_LIVE,
	    "How long a connection may take."),
	CONF(conf_relay, TIME, greeting_timeout, "5m", 1000, 3600000, CONF_LIVE,
	    "How long to wait for the greeting."),
	CONF(conf_relay, TIME, command_timeout, "5m", 1000, 3600000, CONF_LIVE,
	    "How long to wait for the answer to a command."),
	CONF(conf_relay, TIME, data_timeout, "10m", 1000, 3600000, CONF_LIVE,
	    "How long to wait for the answer to the final dot."),
	CONF(conf_relay, TIME, idle_timeout, "2s", 0, 300000, CONF_LIVE,
	    "How long a connection is kept for the next message."),
	CONF(conf_relay, INT, messages_per_connection, "100", 1, 100000,
	    CONF_LIVE,
	    "After this many messages a connection is closed."),
	CONF(conf_relay, INT, recipients, "100", 1, 1000, CONF_LIVE,
	    "Most recipients in one transaction."),
	CONF(conf_relay, INT, addresses, "10", 1, 100, CONF_LIVE,
	    "Most addresses of one destination that are tried in one "
	    "attempt."),
	CONF(conf_relay, TIME, attempt_timeout, "15m", 1000, 86400000,
	    CONF_LIVE,
	    "After this long no further address is tried in one attempt; what "
	    "has begun is finished."),
};

CONF_SECTION(conf_relay_section, "relay", false, conf_relay, rows,
    "Delivery to other hosts.");
