/* SPDX-License-Identifier: ISC */
/* The administrator's command: what its subcommands share. */
#ifndef MASTER_VEREDUS_H
#define MASTER_VEREDUS_H

#include <stdbool.h>

#include "base/buf.h"
#include "conf/conf_server.h"
#include "master/config.h"
#include "master/ctl.h"

struct veredus {
	const char *file;         /* the configuration's */
	const char *libexec;      /* programs of the roles, for maintenance */
	bool json;
	struct config *config;
	struct conf_server server;
	struct region mem;
	struct ctl *ctl;
	long maintenance;         /* pid of a veredusd that we started */
};

/* A subcommand: argv[0] is its last word. Returns the exit status. */
typedef int veredus_command(struct veredus *v, int argc, char **argv);

int veredus_main(int argc, char **argv);

/* Says what is wrong, on standard error, as "veredus: …". Returns `status`. */
int veredus_fail(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Reads the configuration; 0, or the exit status after saying why not. */
int veredus_read_config(struct veredus *v) __attribute__((warn_unused_result));
/*
 * Connects. offline: when the server is stopped, starts the roles that keep
 * accounts for the time of this command. 0, or the exit status.
 */
int veredus_connect(struct veredus *v, bool offline)
    __attribute__((warn_unused_result));
/*
 * Runs a verb and prints rows (as a table or JSON) and the text of the answer;
 * with paging, until there is no next page. The exit status.
 */
int veredus_run(struct veredus *v, const char *verb, struct slice args);

veredus_command cmd_account_add, cmd_account_passwd, cmd_account_import,
    cmd_trace, cmd_doctor, cmd_config_check, cmd_config_show, cmd_status;

#endif
