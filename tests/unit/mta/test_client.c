/* SPDX-License-Identifier: ISC */
#include "mta/client.h"

#include "conf/conf_smtpd.h"
#include "sys/sockaddr.h"
#include "tests/unit/unit.h"

static const char *const trusted[] = { "127.0.0.0/8", "2001:db8::/32" };
static const char *const allowed[] = { "192.0.2.7" };
static const char *const blocked[] = { "192.0.2.0/24", "127.0.0.1" };
static const char *const wrong[] = { "192.0.2.1/24" };

static const struct conf_smtpd conf = {
	.trusted_networks = { trusted, 2 }, .allow_clients = { allowed, 1 },
	.block_clients = { blocked, 2 },
};

static const struct {
	const char *address;
	enum client_kind want;
} rows[] = {
	{ "127.0.0.1", CLIENT_TRUSTED }, { "192.0.2.7", CLIENT_ALLOWED },
	{ "192.0.2.8", CLIENT_BLOCKED }, { "192.0.3.8", CLIENT_STRANGER },
	{ "2001:db8::1", CLIENT_TRUSTED }, { "2001:db9::1", CLIENT_STRANGER },
};

START_TEST(kinds)
{
	struct sockaddr_storage ss;
	struct buf why;
	socklen_t len;

	buf_init(&why, 1000);
	ck_assert_int_eq(client_configure(&conf, &why), 0);
	ck_assert_int_eq(sockaddr_parse(slice_str(rows[_i].address), 25, &ss,
			     &len), 0);
	ck_assert_int_eq(client_kind((struct sockaddr *)&ss, len),
	    rows[_i].want);
	buf_fini(&why);
}
END_TEST

START_TEST(refused)
{
	static const struct conf_smtpd bad = {
		.block_clients = { wrong, 1 },
	};
	struct buf why;

	buf_init(&why, 1000);
	ck_assert_int_eq(client_configure(&bad, &why), -1);
	ck_assert(slice_has_prefix(buf_slice(&why), SLICE("block_clients")));
	buf_fini(&why);
}
END_TEST

UNIT_SUITE(client, {
	tcase_add_loop_test(tc, kinds, 0,
	    (int)(sizeof rows / sizeof *rows));
	tcase_add_test(tc, refused);
})
