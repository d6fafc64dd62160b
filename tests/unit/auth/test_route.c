/* SPDX-License-Identifier: ISC */
#include "auth/route.h"

#include <stdlib.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/changes.h"
#include "conf/conf_server.h"
#include "tests/unit/auth/fake_daemon.h"
#include "tests/unit/auth/world.h"
#include "tests/unit/unit.h"

#define R world.route

static enum addr_kind
find(const char *address)
{
	route_find(world.settings, world.accounts,
	    guard_copy(slice_str(address)), NULL, &R);
	return R.kind;
}

/* Who is the postmaster, as the directory grows? */
START_TEST(postmaster)
{
	struct account c;

	ck_assert_int_eq(find("postmaster"), ADDR_LATER);
	world_domain("x.test", NULL);
	world_domain("y.test", NULL);
	ck_assert_int_eq(find("postmaster@x.test"), ADDR_LATER);
	(void)world_account("y.test@first");
	ck_assert_int_eq(find("postmaster@x.test"), ADDR_ACCOUNT);
	ck_assert_uint_eq(R.account, 1);
	(void)world_account("x.test@boss");
	ck_assert_int_eq(find("abuse@y.test"), ADDR_ACCOUNT);
	ck_assert_uint_eq(R.account, 1);
	world_alias("x.test@postmaster", "boss@x.test");
	ck_assert_int_eq(find("abuse@y.test"), ADDR_ALIAS);
	ck_slice_str(buf_slice(&R.via), "x.test@postmaster");
	ck_assert_int_eq(find("postmaster"), ADDR_ALIAS);
	/* A domain may have one of its own. */
	(void)world_account("y.test@postmaster");
	ck_assert_int_eq(find("PostMaster@y.test"), ADDR_ACCOUNT);
	ck_assert_uint_eq(R.account, 3);
	/* Switched off, mail for it still goes somewhere. */
	ck_assert_int_eq(accounts_find(world.accounts, 3, &c), 0);
	c.is_enabled = false;
	ck_assert_int_eq(change_set_account(world.accounts, &c, &world.why),
	    0);
	ck_assert_int_eq(find("postmaster@y.test"), ADDR_ALIAS);
}
END_TEST

START_TEST(configured_postmaster)
{
	world_domain("x.test", NULL);
	(void)world_account("x.test@a");
	(void)world_account("x.test@b");
	fake_server.postmaster = "B";
	world_configure();
	ck_assert_int_eq(find("abuse@x.test"), ADDR_ACCOUNT);
	ck_assert_uint_eq(R.account, 2);
	fake_server.postmaster = "nobody@x.test";
	world_configure();
	ck_assert_int_eq(find("abuse@x.test"), ADDR_ACCOUNT);
	ck_assert_uint_eq(R.account, 1);
	fake_server.postmaster = "boss@far.away";
	world_configure();
	ck_assert_int_eq(find("abuse+x@x.test"), ADDR_ALIAS);
	ck_slice_str(buf_slice(&R.address), "abuse+x@x.test");
	fake_server.postmaster = "postmaster";
}
END_TEST

START_TEST(delimiter)
{
	world_domain("x.test", NULL);
	(void)world_account("x.test@a");
	(void)world_account("x.test@a-b");
	ck_assert_int_eq(find("a+b@x.test"), ADDR_ACCOUNT);
	ck_assert_int_eq(find("a-b@x.test"), ADDR_ACCOUNT);
	ck_assert_uint_eq(R.account, 2);
	fake_server.recipient_delimiter = "-";
	world_configure();
	ck_assert_int_eq(find("a+b@x.test"), ADDR_UNKNOWN);
	ck_assert_int_eq(find("a-c@x.test"), ADDR_ACCOUNT);
	ck_assert_uint_eq(R.account, 1);
	/* The whole name goes first. */
	ck_assert_int_eq(find("a-b@x.test"), ADDR_ACCOUNT);
	ck_assert_uint_eq(R.account, 2);
	fake_server.recipient_delimiter = "";
	world_configure();
	ck_assert_int_eq(find("a-c@x.test"), ADDR_UNKNOWN);
	fake_server.recipient_delimiter = "+";
}
END_TEST

START_TEST(quota)
{
	struct account c;

	world.conf.quota_messages = 3;
	world_configure();
	world_domain("x.test", NULL);
	(void)world_account("x.test@a");
	accounts_set_usage(world.accounts, 1, (struct usage){ 1000, 2 });
	ck_assert_int_eq(find("a@x.test"), ADDR_ACCOUNT);
	ck_assert(!R.is_over_quota);
	accounts_set_usage(world.accounts, 1, (struct usage){ 1000, 3 });
	(void)find("a@x.test");
	ck_assert(R.is_over_quota);
	ck_assert_int_eq(accounts_find(world.accounts, 1, &c), 0);
	c.quota_messages = 0;
	c.quota_bytes = 1001;
	ck_assert_int_eq(change_set_account(world.accounts, &c, &world.why),
	    0);
	(void)find("a@x.test");
	ck_assert(!R.is_over_quota);
}
END_TEST

START_TEST(routes)
{
	static const char *const lines[] = { "a.test=one", ".a.test=two",
		".b.a.test=three", "*=lmtp:rest" };
	static const char *const relays[] = { ".relay.test", "R.test" };

	world.conf.routes = (struct conf_list){ lines, 4 };
	world.conf.relay_domains = (struct conf_list){ relays, 2 };
	world.conf.smarthost = "smart:587";
	world_configure();
	(void)find("x@a.test");
	ck_slice_str(buf_slice(&R.nexthop), "smtp:one:25");
	(void)find("x@c.a.test");
	ck_slice_str(buf_slice(&R.nexthop), "smtp:two:25");
	(void)find("x@c.b.A.test");
	ck_slice_str(buf_slice(&R.nexthop), "smtp:three:25");
	ck_assert_int_eq(find("x@relay.test"), ADDR_REMOTE);
	ck_assert_int_eq(find("x@a.relay.test"), ADDR_RELAY);
	ck_slice_str(buf_slice(&R.nexthop), "lmtp:rest:24");
	world.conf.routes.n = 0;
	world_configure();
	ck_assert_int_eq(find("x@r.test"), ADDR_RELAY);
	ck_slice_str(buf_slice(&R.nexthop), "mx:r.test");
	ck_assert_int_eq(find("x@else.test"), ADDR_REMOTE);
	ck_slice_str(buf_slice(&R.nexthop), "smtp:smart:587");
	ck_assert_int_eq(find("x@[192.0.2.1]"), ADDR_REMOTE);
	ck_slice_str(buf_slice(&R.nexthop), "smtp:smart:587");
}
END_TEST

/* Anything may be asked; nothing may be read behind its end. */
START_TEST(any_bytes)
{
	static const char alphabet[] = "a.@\"\\+<>[]:%\xc3\xbc\0 X1";
	char text[40];
	unsigned seed = 12345;
	size_t i, n;
	int k;

	world_domain("x.test", NULL);
	(void)world_account("x.test@a");
	world_alias("x.test@", "a@x.test");
	for (k = 0; k < 3000; k++) {
		seed = seed * 1103515245 + 12345;
		n = seed >> 16 & 31;
		for (i = 0; i < n; i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = alphabet[(seed >> 16) %
			    (sizeof alphabet - 1)];
		}
		memcpy(text + n, "@x.test", 7);
		route_find(world.settings, world.accounts,
		    (struct slice){ text, k % 2 == 0 ? n : n + 7 }, NULL, &R);
		ck_assert_int_lt(R.kind, ADDR_KIND_COUNT);
		ck_assert(buf_is_ok(&R.address) && buf_is_ok(&R.nexthop));
	}
}
END_TEST

UNIT_SUITE(route, {
	tcase_add_checked_fixture(tc, world_set_up, world_tear_down);
	tcase_add_test(tc, postmaster);
	tcase_add_test(tc, configured_postmaster);
	tcase_add_test(tc, delimiter);
	tcase_add_test(tc, quota);
	tcase_add_test(tc, routes);
	tcase_add_test(tc, any_bytes);
})
