/* SPDX-License-Identifier: ISC */
/* Section `relay`: delivery to other hosts. */
#ifndef CONF_CONF_RELAY_H
#define CONF_CONF_RELAY_H

#include "sys/conf.h"

struct conf_relay {
	const char *helo_name;
	const char *bind_address;
	const char *bind_address6;
	const char *ip;
	int64_t port;
	const char *tls;
	const char *secrets_file;
	bool auth_verified;
	int64_t connect_timeout;
	int64_t greeting_timeout;
	int64_t command_timeout;
	int64_t data_timeout;
	int64_t idle_timeout;
	int64_t messages_per_connection;
	int64_t recipients;
	int64_t addresses;
	int64_t attempt_timeout;
};

extern const struct conf_section conf_relay_section;

#endif
