/* SPDX-License-Identifier: ISC */
/* Section `lmtp`: LMTP for another mail server that delivers into our mailboxes (RFC 2033). */
#ifndef CONF_CONF_LMTP_H
#define CONF_CONF_LMTP_H

#include "sys/conf.h"

struct conf_lmtp {
	struct conf_list listen;
	struct conf_list trusted_networks;
	int64_t message_size;
	int64_t recipients;
	int64_t command_timeout;
	int64_t data_timeout;
	int64_t connections;
};

extern const struct conf_section conf_lmtp_section;

#endif
