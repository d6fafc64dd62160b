/* SPDX-License-Identifier: ISC */
/* A small directory for tests, in a folder of its own. */
#ifndef TESTS_AUTH_WORLD_H
#define TESTS_AUTH_WORLD_H

#include "auth/accounts.h"
#include "auth/changes.h"
#include "auth/route.h"
#include "conf/conf_directory.h"
#include "tests/unit/sys/scratch.h"

struct world {
	struct scratch scratch;
	struct accounts *accounts;
	struct route_settings *settings;
	struct conf_directory conf;
	struct refusal why;
	struct route route;
};

extern struct world world;

/* Fixtures: an empty directory; closes and removes it. */
void world_set_up(void);
void world_tear_down(void);
/* Closes and opens it again. */
void world_reopen(void);
/* Takes world.conf over. */
void world_configure(void);

/* Each must succeed. */
void world_domain(const char *name, const char *alias_of);
uint64_t world_account(const char *key);
/* `targets` separated by blanks. */
void world_alias(const char *key, const char *targets);

#endif
