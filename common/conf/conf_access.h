/* SPDX-License-Identifier: ISC */
/* Section `access`: IMAP and POP3. */
#ifndef CONF_CONF_ACCESS_H
#define CONF_CONF_ACCESS_H

#include "sys/conf.h"

struct conf_access {
	struct conf_list imap;
	struct conf_list imaps;
	struct conf_list pop3;
	struct conf_list pop3s;
	bool plaintext_auth;
	int64_t login_timeout;
	int64_t imap_timeout;
	int64_t pop3_timeout;
	int64_t connections;
	int64_t connections_per_client;
	int64_t login_failures;
};

extern const struct conf_section conf_access_section;

#endif
