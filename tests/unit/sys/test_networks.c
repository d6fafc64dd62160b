/* SPDX-License-Identifier: ISC */
#include "sys/networks.h"

#include <string.h>

#include "base/buf.h"
#include "sys/conf.h"
#include "sys/sockaddr.h"
#include "tests/unit/unit.h"

static const char *const values[] = { "192.0.2.0/24", "2001:db8::/32",
	"198.51.100.7" };
static const struct conf_list list = { .v = values, .n = 3 };

START_TEST(members)
{
	static const struct {
		const char *address;
		bool want;
	} rows[] = {
		{ "192.0.2.1", true },
		{ "192.0.3.1", false },
		{ "2001:db8:1::1", true },
		{ "2001:db9::1", false },
		{ "198.51.100.7", true },
		{ "::ffff:198.51.100.7", true },
		{ "198.51.100.8", false },
		{ "unix:/x", false },
	};
	struct sockaddr_storage sa;
	struct networks nets;
	struct buf why;
	socklen_t len;
	size_t i;

	buf_init(&why, 1000);
	ck_assert_int_eq(networks_parse(&list, "nets", &nets, &why), 0);
	ck_assert_uint_eq(why.n, 0);
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert_int_eq(sockaddr_parse(slice_str(rows[i].address), 0,
		    &sa, &len), 0);
		ck_assert_msg(networks_has(&nets, (struct sockaddr *)&sa,
		    len) == rows[i].want, "%s", rows[i].address);
	}
	networks_fini(&nets);
	ck_assert(!networks_has(&nets, (struct sockaddr *)&sa, len));
	buf_fini(&why);
}
END_TEST

START_TEST(refused)
{
	const char *const bad[] = { "192.0.2.0/24", "192.0.2.1/24" };
	const struct conf_list bad_list = { .v = bad, .n = 2 };
	struct networks nets;
	struct buf why;

	buf_init(&why, 1000);
	ck_assert_int_eq(networks_parse(&bad_list, "nets", &nets, &why), -1);
	ck_assert_uint_eq(nets.n, 0);
	ck_assert_msg(strstr(why.p, "nets: \"192.0.2.1/24\"") == why.p, "%s",
	    why.p);
	networks_fini(&nets);
	buf_fini(&why);
}
END_TEST

UNIT_SUITE(networks, {
	tcase_add_test(tc, members);
	tcase_add_test(tc, refused);
})
