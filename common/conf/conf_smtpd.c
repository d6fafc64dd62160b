/* SPDX-License-Identifier: ISC */
/* Section `smtpd`. */
#include "conf/conf_smtpd.h"

static const struct conf_def rows[] = {
	CONF(conf_smtpd, LIST, listen, "*:25", 0, 32, CONF_RESTART,
	    "Addresses to listen on: address:port, [IPv6]:port, or "
	    "*:port for all."),
	CONF(conf_smtpd, STR, greeting, "ESMTP Veredus", 0, 200, CONF_LIVE,
	    "What the greeting says behind the name of the host."),
	CONF(conf_smtpd, LIST, trusted_networks, "127.0.0.0/8\n::1/128", 0, 256,
	    CONF_LIVE,
	    "Networks (CIDR) whose clients may relay to anywhere "
	    "without logging in."),
	CONF(conf_smtpd, LIST, allow_clients, "", 0, 4096, CONF_LIVE,
	    "Networks that are let in whatever the block lists say."),
	CONF(conf_smtpd, LIST, block_clients, "", 0, 4096, CONF_LIVE,
	    "Networks that are refused with 554 at once."),
	CONF(conf_smtpd, LIST, block_helo, "", 0, 4096, CONF_LIVE,
	    "Names refused in HELO and EHLO; .example.com means all "
	    "names below it."),
	CONF(conf_smtpd, LIST, block_senders, "", 0, 4096, CONF_LIVE,
	    "Senders refused: an address, @domain, or @.domain for all "
	    "below it."),
	CONF(conf_smtpd, LIST, allow_senders, "", 0, 4096, CONF_LIVE,
	    "Senders let in whatever block_senders says."),
	CONF(conf_smtpd, LIST, block_recipients, "", 0, 4096, CONF_LIVE,
	    "Recipients refused: an address or @domain."),
	CONF(conf_smtpd, BOOL, verify, "no", 0, 0, CONF_LIVE,
	    "Whether VRFY tells who exists; if not it answers 252."),
	CONF(conf_smtpd, BOOL, client_names, "yes", 0, 0, CONF_LIVE,
	    "Whether to look up the name of each client (PTR, "
	    "confirmed by its address) for the trace header and the "
	    "log."),
	CONF(conf_smtpd, SIZE, message_size, "50M", 65536, 1LL << 40, CONF_LIVE,
	    "Largest message accepted; told to clients by SIZE."),
	CONF(conf_smtpd, INT, recipients, "1000", 100, 100000, CONF_LIVE,
	    "Most recipients of one transaction; more get 452."),
	CONF(conf_smtpd, INT, transactions, "1000", 1, 1000000, CONF_LIVE,
	    "Most messages on one connection; then 421."),
	CONF(conf_smtpd, INT, errors, "20", 1, 1000, CONF_LIVE,
	    "After this many refused or wrong commands the connection "
	    "is closed."),
	CONF(conf_smtpd, INT, unknown_recipients, "50", 1, 10000, CONF_LIVE,
	    "After this many unknown recipients on one connection it "
	    "is closed."),
	CONF(conf_smtpd, TIME, command_timeout, "5m", 1000, 86400000, CONF_LIVE,
	    "How long to wait for a command (RFC 5321 4.5.3.2.7 asks "
	    "for five minutes)."),
	CONF(conf_smtpd, TIME, data_timeout, "3m", 1000, 86400000, CONF_LIVE,
	    "How long to wait for the next piece of a message."),
	CONF(conf_smtpd, INT, connections, "5000", 1, 1000000, CONF_LIVE,
	    "Most connections of one process at a time."),
	CONF(conf_smtpd, INT, connections_per_client, "50", 1, 1000000,
	    CONF_LIVE,
	    "Most connections from one client (IPv4 address, IPv6 /64) "
	    "over all processes."),
	CONF(conf_smtpd, INT, hops, "50", 5, 1000, CONF_LIVE,
	    "More Received headers than this is a loop: the message is "
	    "refused."),
	CONF(conf_smtpd, SIZE, min_free, "100M", 0, 1LL << 40, CONF_LIVE,
	    "Below this much free disk mail is refused for the moment "
	    "(452)."),
	CONF(conf_smtpd, BOOL, tls, "yes", 0, 0, CONF_LIVE,
	    "Whether to offer STARTTLS when there is a certificate."),
};

CONF_SECTION(conf_smtpd_section, "smtpd", false, conf_smtpd, rows,
    "Mail from other servers, port 25.");
