/* SPDX-License-Identifier: ISC */
/* Section `smtpd`: mail from other servers, port 25. */
#ifndef CONF_CONF_SMTPD_H
#define CONF_CONF_SMTPD_H

#include "sys/conf.h"

struct conf_smtpd {
	struct conf_list listen;
	const char *greeting;
	struct conf_list trusted_networks;
	struct conf_list allow_clients;
	struct conf_list block_clients;
	struct conf_list block_helo;
	struct conf_list block_senders;
	struct conf_list allow_senders;
	struct conf_list block_recipients;
	bool verify;
	bool client_names;
	int64_t message_size;
	int64_t recipients;
	int64_t transactions;
	int64_t errors;
	int64_t unknown_recipients;
	int64_t command_timeout;
	int64_t data_timeout;
	int64_t connections;
	int64_t connections_per_client;
	int64_t hops;
	int64_t min_free;
	bool tls;
};

extern const struct conf_section conf_smtpd_section;

#endif
