/* SPDX-License-Identifier: ISC */
/* The whole privilege picture, as a table: one row per role. */
#ifndef MASTER_ROLES_H
#define MASTER_ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/role.h"

struct conf_section;

struct role_row {
	enum role_id id;
	const char *program;   /* in libexec */
	const char *user;      /* behind the configured prefix; NULL: root */
	const char *folder;    /* below state_dir, its root; NULL: empty one */
	unsigned sandbox;      /* SANDBOX_* */
	uint64_t caps;         /* capabilities kept (root roles only), a mask */
	bool many;             /* runs as server.processes processes */
	unsigned peers;        /* RS_*: who it may talk to */
	uint32_t descriptors;  /* RLIMIT_NOFILE */
	const struct conf_section *section;
	unsigned stop_phase;   /* 0 stops first */
};

extern const struct role_row roles[];
extern const size_t n_roles;

/* The row of a role that master starts, or NULL. */
const struct role_row *role_row(enum role_id id);

#endif
