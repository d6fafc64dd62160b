/* SPDX-License-Identifier: ISC */
/* Section `directory`: domains, accounts, aliases and routes. */
#ifndef CONF_CONF_DIRECTORY_H
#define CONF_CONF_DIRECTORY_H

#include "sys/conf.h"

struct conf_directory {
	const char *driver;
	const char *catch_all;
	const char *smarthost;
	struct conf_list relay_domains;
	struct conf_list routes;
	bool system_users;
	int64_t quota_bytes;
	int64_t quota_messages;
};

extern const struct conf_section conf_directory_section;

#endif
