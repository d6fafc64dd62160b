/* SPDX-License-Identifier: ISC */
/* Section `submission`: mail from users, ports 587 and 465. */
#ifndef CONF_CONF_SUBMISSION_H
#define CONF_CONF_SUBMISSION_H

#include "sys/conf.h"

struct conf_submission {
	struct conf_list listen;
	struct conf_list listen_tls;
	const char *greeting;
	bool plaintext_auth;
	bool hide_client;
	int64_t message_size;
	int64_t recipients;
	int64_t transactions;
	int64_t errors;
	int64_t command_timeout;
	int64_t data_timeout;
	int64_t connections;
	int64_t connections_per_client;
	int64_t messages_per_hour;
	int64_t recipients_per_hour;
	int64_t hops;
};

extern const struct conf_section conf_submission_section;

#endif
