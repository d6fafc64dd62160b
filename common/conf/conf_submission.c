/* SPDX-License-Identifier: ISC */
/* Section `submission`. */
#include "conf/conf_submission.h"

static const struct conf_def rows[] = {
	CONF(conf_submission, LIST, listen, "*:587", 0, 32, CONF_RESTART,
	    "Addresses to listen on with STARTTLS."),
	CONF(conf_submission, LIST, listen_tls, "*:465", 0, 32, CONF_RESTART,
	    "Addresses to listen on with TLS from the first byte."),
	CONF(conf_submission, STR, greeting, "ESMTP Veredus", 0, 200, CONF_LIVE,
	    "What the greeting says behind the name of the host."),
	CONF(conf_submission, BOOL, plaintext_auth, "no", 0, 0, CONF_LIVE,
	    "Whether passwords may be sent without TLS. Only for tests "
	    "on one machine."),
	CONF(conf_submission, BOOL, hide_client, "yes", 0, 0, CONF_LIVE,
	    "Whether the trace header leaves out the address of the "
	    "user."),
	CONF(conf_submission, SIZE, message_size, "50M", 65536, 1LL << 40,
	    CONF_LIVE,
	    "Largest message accepted."),
	CONF(conf_submission, INT, recipients, "1000", 100, 100000, CONF_LIVE,
	    "Most recipients of one transaction."),
	CONF(conf_submission, INT, transactions, "1000", 1, 1000000, CONF_LIVE,
	    "Most messages on one connection."),
	CONF(conf_submission, INT, errors, "20", 1, 1000, CONF_LIVE,
	    "After this many refused or wrong commands the connection "
	    "is closed."),
	CONF(conf_submission, TIME, command_timeout, "5m", 1000, 86400000,
	    CONF_LIVE,
	    "How long to wait for a command."),
	CONF(conf_submission, TIME, data_timeout, "3m", 1000, 86400000,
	    CONF_LIVE,
	    "How long to wait for the next piece of a message."),
	CONF(conf_submission, INT, connections, "5000", 1, 1000000, CONF_LIVE,
	    "Most connections of one process at a time."),
	CONF(conf_submission, INT, connections_per_client, "50", 1, 1000000,
	    CONF_LIVE,
	    "Most connections from one client over all processes."),
	CONF(conf_submission, INT, messages_per_hour, "1000", 0, 10000000,
	    CONF_LIVE,
	    "Messages an account may send in an hour; 0 for no limit."),
	CONF(conf_submission, INT, recipients_per_hour, "5000", 0, 100000000,
	    CONF_LIVE,
	    "Recipients an account may send to in an hour; 0 for no "
	    "limit."),
	CONF(conf_submission, INT, hops, "50", 5, 1000, CONF_LIVE,
	    "More Received headers than this is a loop."),
};

CONF_SECTION(conf_submission_section, "submission", false, conf_submission, rows,
    "Mail from users, ports 587 and 465.");
