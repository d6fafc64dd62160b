/* SPDX-License-Identifier: ISC */
#include "auth/system_users.h"

#include <stdlib.h>

#include "auth/accounts.h"
#include "tests/unit/auth/world.h"
#include "tests/unit/unit.h"

static const struct {
	const char *text, *want; /* names of those that count */
} files[] = {
	{ "", "" },
	{ "joe:x:1000:1000:Joe:/home/joe:/bin/bash\n", "joe " },
	{ "joe:x:1000:1000:Joe:/home/joe:", "joe " },
	{ "root:x:0:0:root:/root:/bin/bash\n"
	  "daemon:x:999:999::/:/bin/sh\n"
	  "a:x:1000:1000::/:/bin/sh\n"
	  "b:x:1001:1001::/:/usr/sbin/nologin\n"
	  "c:x:1002:1002::/:/bin/false\n"
	  "nobody:x:65534:65534::/:/bin/sh\n"
	  "d.e-f_1:x:4294967294:100::/:/bin/zsh\n", "a d.e-f_1 " },
	{ "no uid:x:1000:1000::/:/bin/sh", "" },
	{ "a@b:x:1000:1000::/:/bin/sh", "" },
	{ ".a:x:1000:1000::/:/bin/sh", "" },
	{ ":x:1000:1000::/:/bin/sh", "" },
	{ "a:x:-1:1000::/:/bin/sh", "" },
	{ "a:x:4294967295:1000::/:/bin/sh", "" },
	{ "a:x:1000:0::/:/bin/sh", "" },
	{ "a:x:1000:1000::/:/bin/sh:more", "" },
	{ "a:x:1000\nb:x:1001:1001::/:/bin/sh\n\n\n", "b " },
	{ "+nis::::::\n", "" },
};

START_TEST(passwd)
{
	struct slice left = guard_copy(slice_str(files[_i].text));
	struct system_user u;
	struct buf names;

	buf_init(&names, 1000);
	while (system_users_next(&left, &u)) {
		buf_add_slice(&names, u.name);
		buf_add_char(&names, ' ');
	}
	ck_slice_str(buf_slice(&names), files[_i].want);
	buf_fini(&names);
}
END_TEST

START_TEST(sync)
{
	static const char both[] = "Joe:x:1000:100::/:/bin/sh\n"
		"info:x:1001:101::/:/bin/sh\njane:x:1002:102::/:/bin/sh\n";
	static const char less[] = "Joe:x:1000:100::/:/bin/sh\n";
	struct account c;
	uint64_t before;

	system_users_sync(world.accounts, slice_str(both));
	ck_assert_uint_eq(accounts_count(world.accounts), 0);
	world_domain("x.test", NULL);
	world_alias("x.test@info", "a@far.away");
	system_users_sync(world.accounts, slice_str(both));
	ck_assert_uint_eq(accounts_count(world.accounts), 2);
	ck_assert_int_eq(accounts_find(world.accounts, 1, &c), 0);
	ck_assert_uint_eq(c.system_uid, 1000);
	ck_assert_uint_eq(c.system_gid, 100);
	ck_slice_str(c.key, "x.test@joe");
	/* Nothing new, nothing changes. */
	before = accounts_generation(world.accounts);
	system_users_sync(world.accounts, slice_str(both));
	system_users_sync(world.accounts, SLICE(""));
	ck_assert_uint_eq(accounts_generation(world.accounts), before);
	system_users_sync(world.accounts, slice_str(less));
	ck_assert_int_eq(accounts_find(world.accounts, 2, &c), 0);
	ck_assert(!c.is_enabled);
	ck_assert_int_eq(accounts_find(world.accounts, 1, &c), 0);
	ck_assert(c.is_enabled);
}
END_TEST

UNIT_SUITE(system_users, {
	tcase_add_checked_fixture(tc, world_set_up, world_tear_down);
	tcase_add_loop_test(tc, passwd, 0, sizeof files / sizeof *files);
	tcase_add_test(tc, sync);
})
