/* SPDX-License-Identifier: ISC */
/* Section `server`: what every role is told. */
#ifndef CONF_CONF_SERVER_H
#define CONF_CONF_SERVER_H

#include "sys/conf.h"

/* Of server.processes. Tables of links and of children have room for it
 * (tests/unit/master/test_roles.c). */
enum { CONF_PROCESSES_MAX = 64 };

struct conf_server {
	const char *hostname;
	const char *postmaster;
	const char *state_dir;
	const char *run_dir;
	struct conf_list mail_roots;
	const char *recipient_delimiter;
	const char *user;
	int64_t uid_base;
	int64_t uid_count;
	const char *shared_uid;
	const char *sandbox;
	const char *durability;
	const char *log_file;
	const char *log_format;
	const char *log_level;
	int64_t processes;
	bool channel_binding;
	struct conf_list name_servers;
	struct conf_list ca_file;
};

extern const struct conf_section conf_server_section;

#endif
