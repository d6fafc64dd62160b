/* SPDX-License-Identifier: ISC */
#include "tests/unit/auth/world.h"

#include "conf/conf_server.h"
#include "sys/row.h"
#include "tests/unit/auth/fake_daemon.h"
#include "tests/unit/unit.h"

struct world world;

static void
open_all(void)
{
	struct buf why;

	buf_init(&why, 1024);
	ck_assert_msg(accounts_open(TABLE_LMDB, world.scratch.dir, &why,
	    &world.accounts) == 0, "%s", why.p);
	buf_fini(&why);
}

void
world_configure(void)
{
	struct buf why;

	buf_init(&why, 1024);
	route_settings_free(&world.settings);
	world.settings = route_settings_new(&world.conf, &fake_server, &why);
	ck_assert_msg(world.settings != NULL, "%s", why.p);
	buf_fini(&why);
}

void
world_set_up(void)
{
	scratch_init(&world.scratch);
	refusal_init(&world.why);
	route_init(&world.route);
	world.conf = (struct conf_directory){ .catch_all = "",
		.smarthost = "" };
	open_all();
	world_configure();
}

void
world_tear_down(void)
{
	accounts_close(&world.accounts);
	route_settings_free(&world.settings);
	route_fini(&world.route);
	refusal_fini(&world.why);
	scratch_fini(&world.scratch);
}

void
world_reopen(void)
{
	accounts_close(&world.accounts);
	open_all();
}

#define MUST(call) ck_assert_msg((call) == 0, "%s", world.why.text.p)

void
world_domain(const char *name, const char *alias_of)
{
	struct domain d = { .name = slice_str(name),
		.alias_of = slice_str(alias_of) };

	MUST(change_add_domain(world.accounts, &d, &world.why));
}

uint64_t
world_account(const char *key)
{
	struct account c = { .key = slice_str(key), .is_enabled = true,
		.quota_bytes = QUOTA_DEFAULT,
		.quota_messages = QUOTA_DEFAULT };

	MUST(change_add_accounts(world.accounts, &c, 1, &world.why));
	return c.number;
}

void
world_alias(const char *key, const char *targets)
{
	struct slice left = slice_str(targets), target;
	struct buf list;

	buf_init(&list, 65536);
	while (slice_split(&left, ' ', &target))
		row_add(&list, target);
	MUST(change_put_alias(world.accounts, slice_str(key),
	    buf_slice(&list), &world.why));
	buf_fini(&list);
}
