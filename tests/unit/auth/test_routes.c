/* SPDX-License-Identifier: ISC */
#include "auth/routes.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static const struct {
	const char *in, *want; /* NULL: refused */
} targets[] = {
	{ "host", "smtp:host:25" },
	{ "Mx.Example.Net", "smtp:mx.example.net:25" },
	{ "host:2525", "smtp:host:2525" },
	{ "smtp:host", "smtp:host:25" },
	{ "SMTP:host:1", "smtp:host:1" },
	{ "lmtp:host", "lmtp:host:24" },
	{ "lmtp:host:65535", "lmtp:host:65535" },
	{ "192.0.2.1", "smtp:192.0.2.1:25" },
	{ "192.0.2.1:26", "smtp:192.0.2.1:26" },
	{ "[192.0.2.1]", "smtp:192.0.2.1:25" },
	{ "[192.0.2.1]:26", "smtp:192.0.2.1:26" },
	{ "2001:db8::1", "smtp:[2001:db8::1]:25" },
	{ "[2001:DB8::1]", "smtp:[2001:db8::1]:25" },
	{ "[2001:db8::1]:26", "smtp:[2001:db8::1]:26" },
	{ "lmtp:[::1]:24", "lmtp:[::1]:24" },
	{ "mx:Example.Org", "mx:example.org" },
	{ "", NULL },
	{ ":", NULL },
	{ ":25", NULL },
	{ "host:", NULL },
	{ "host:0", NULL },
	{ "host:65536", NULL },
	{ "host:25x", NULL },
	{ "host:25:26", NULL },
	{ "[host]", NULL },
	{ "[host]:25", NULL },
	{ "[::1", NULL },
	{ "[::1]x", NULL },
	{ "[::1]:", NULL },
	{ "[]", NULL },
	{ "[", NULL },
	{ "mx:", NULL },
	{ "mx:host:25", NULL },
	{ "mx:[192.0.2.1]", NULL },
	{ "lmtp:", NULL },
	{ "lmtp:smtp:host", NULL },
	{ "a b", NULL },
	{ "-bad-", NULL },
};

START_TEST(target)
{
	struct slice in = guard_copy(slice_str(targets[_i].in));
	const char *want = targets[_i].want;
	struct buf out, why;

	buf_init(&out, 400);
	buf_init(&why, 400);
	ck_assert_msg(routes_parse_target(in, &out, &why) ==
	    (want == NULL ? -1 : 0), "%s gives %s %s", targets[_i].in, out.p,
	    why.p);
	ck_slice_str(buf_slice(&out), want == NULL ? "" : want);
	ck_assert_int_eq(why.n > 0, want == NULL);
	buf_fini(&out);
	buf_fini(&why);
}
END_TEST

static const struct {
	const char *in, *domain, *target; /* NULL: refused */
} lines[] = {
	{ "a.test=b", "a.test", "b" },
	{ " a.test = b ", "a.test", "b" },
	{ ".a.test=b", ".a.test", "b" },
	{ "*=b", "*", "b" },
	{ "a.test=", "a.test", "" },
	{ "a=b=c", "a", "b=c" },
	{ "", NULL, NULL },
	{ "a.test", NULL, NULL },
	{ "=b", NULL, NULL },
	{ ".=b", NULL, NULL },
	{ "..a=b", NULL, NULL },
	{ "*.a=b", NULL, NULL },
	{ "-=b", NULL, NULL },
};

START_TEST(line)
{
	struct slice in = guard_copy(slice_str(lines[_i].in));
	struct route_line l;
	struct buf why;

	buf_init(&why, 400);
	if (lines[_i].domain == NULL) {
		ck_assert_int_eq(routes_parse_line(in, &l, &why), -1);
		ck_assert_uint_gt(why.n, 0);
	} else {
		ck_assert_int_eq(routes_parse_line(in, &l, &why), 0);
		ck_slice_str(l.domain, lines[_i].domain);
		ck_slice_str(l.target, lines[_i].target);
	}
	buf_fini(&why);
}
END_TEST

UNIT_SUITE(routes, {
	tcase_add_loop_test(tc, target, 0,
	    sizeof targets / sizeof *targets);
	tcase_add_loop_test(tc, line, 0, sizeof lines / sizeof *lines);
})
