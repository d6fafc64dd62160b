/* SPDX-License-Identifier: ISC */
/* Section `lmtp`. */
#include "conf/conf_lmtp.h"

static const struct conf_def rows[] = {
	CONF(conf_lmtp, LIST, listen, "127.0.0.1:24", 0, 32, CONF_RESTART,
	    "Addresses to listen on; a path beginning with / is a UNIX "
	    "socket. Never 25 (RFC 2033 5)."),
	CONF(conf_lmtp, LIST, trusted_networks, "127.0.0.0/8\n::1/128", 0, 256,
	    CONF_LIVE,
	    "Networks whose clients may use it."),
	CONF(conf_lmtp, SIZE, message_size, "50M", 65536, 1LL << 40, CONF_LIVE,
	    "Largest message accepted."),
	CONF(conf_lmtp, INT, recipients, "1000", 100, 100000, CONF_LIVE,
	    "Most recipients of one transaction."),
	CONF(conf_lmtp, TIME, command_timeout, "5m", 1000, 86400000, CONF_LIVE,
	    "How long to wait for a command."),
	CONF(conf_lmtp, TIME, data_timeout, "3m", 1000, 86400000, CONF_LIVE,
	    "How long to wait for the next piece of a message."),
	CONF(conf_lmtp, INT, connections, "1000", 1, 1000000, CONF_LIVE,
	    "Most connections at a time."),
};

CONF_SECTION(conf_lmtp_section, "lmtp", false, conf_lmtp, rows,
    "LMTP for another mail server that delivers into our mailboxes (RFC 2033).");
