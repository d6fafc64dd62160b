/* SPDX-License-Identifier: ISC */
/* Section `access`. */
#include "conf/conf_access.h"

static const struct conf_def rows[] = {
	CONF(conf_access, LIST, imap, "*:143", 0, 32, CONF_RESTART,
	    "Addresses to listen on for IMAP with STARTTLS."),
	CONF(conf_access, LIST, imaps, "*:993", 0, 32, CONF_RESTART,
	    "Addresses to listen on for IMAP with TLS from the first "
	    "byte."),
	CONF(conf_access, LIST, pop3, "*:110", 0, 32, CONF_RESTART,
	    "Addresses to listen on for POP3 with STLS."),
	CONF(conf_access, LIST, pop3s, "*:995", 0, 32, CONF_RESTART,
	    "Addresses to listen on for POP3 with TLS from the first "
	    "byte."),
	CONF(conf_access, BOOL, plaintext_auth, "no", 0, 0, CONF_LIVE,
	    "Whether passwords may be sent without TLS. Only for tests "
	    "on one machine."),
	CONF(conf_access, TIME, login_timeout, "3m", 1000, 86400000, CONF_LIVE,
	    "How long a client may take to log in."),
	CONF(conf_access, TIME, imap_timeout, "30m", 1800000, 86400000,
	    CONF_LIVE,
	    "How long an IMAP client may be silent (RFC 9051 5.4: at "
	    "least 30 minutes)."),
	CONF(conf_access, TIME, pop3_timeout, "10m", 600000, 86400000,
	    CONF_LIVE,
	    "How long a POP3 client may be silent (RFC 1939 3: at "
	    "least 10 minutes)."),
	CONF(conf_access, INT, connections, "20000", 1, 1000000, CONF_LIVE,
	    "Most connections of one process at a time."),
	CONF(conf_access, INT, connections_per_client, "200", 1, 1000000,
	    CONF_LIVE,
	    "Most connections from one client over all processes."),
	CONF(conf_access, INT, login_failures, "5", 1, 100, CONF_LIVE,
	    "After this many wrong passwords the connection is closed."),
};

CONF_SECTION(conf_access_section, "access", false, conf_access, rows,
    "IMAP and POP3.");
