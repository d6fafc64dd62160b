/* SPDX-License-Identifier: ISC */
#include "proto/domain.h"

#include "tests/unit/unit.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static const struct {
	const char *in;
	bool ascii, utf8;
} names[] = {
	{ "example.test", true, true },
	{ "localhost", true, true },
	{ "a-b.xn--nxasmq6b.test", true, true },
	{ "1.2.3.4", true, true },
	{ "", false, false },
	{ ".", false, false },
	{ "example.test.", false, false },
	{ ".example.test", false, false },
	{ "a..b", false, false },
	{ "-a.test", false, false },
	{ "a-.test", false, false },
	{ "a_b.test", false, false },
	{ "a b.test", false, false },
	{ L63 ".test", true, true },
	{ L63 "x.test", false, false },
	{ L63 "." L63 "." L63 "." L63, true, true },
	{ L63 "." L63 "." L63 "." L63 ".a", false, false },
	{ "b\xc3\xbc""cher.test", false, true },
	{ "b\xc3.test", false, false },
	{ "a\xe3\x80\x82""b.test", false, false }, /* ideographic stop */
	{ "a\xc2\x85.test", false, false },
	{ "b\xc3\xbc_.test", false, false },
};

START_TEST(name)
{
	struct slice in = guard_copy(slice_str(names[_i].in));

	ck_assert_msg(domain_is_valid(in) == names[_i].ascii, "%d", _i);
	ck_assert_msg(domain_is_valid_utf8(in) == names[_i].utf8, "%d", _i);
}
END_TEST

static const struct {
	const char *in, *ip, *canonical;
	enum domain_family family;
} literals[] = {
	{ "[192.0.2.1]", "192.0.2.1", "[192.0.2.1]", DOMAIN_IPV4 },
	{ "[IPv6:2001:DB8::1]", "2001:DB8::1", "[IPv6:2001:db8::1]",
	    DOMAIN_IPV6 },
	{ "[ipv6:::ffff:192.0.2.1]", "::ffff:192.0.2.1",
	    "[IPv6:::ffff:192.0.2.1]", DOMAIN_IPV6 },
	{ "[]", NULL, NULL, 0 },
	{ "[", NULL, NULL, 0 },
	{ "192.0.2.1", NULL, NULL, 0 },
	{ "[192.0.2.256]", NULL, NULL, 0 },
	{ "[192.0.2]", NULL, NULL, 0 },
	{ "[2001:db8::1]", NULL, NULL, 0 },
	{ "[IPv6:192.0.2.1]", NULL, NULL, 0 },
	{ "[IPv6:1::2::3]", NULL, NULL, 0 },
	{ "[IPv6:]", NULL, NULL, 0 },
	{ "[x400:c=de]", NULL, NULL, 0 },
	{ "[IPv6:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]", NULL,
	    NULL, 0 },
};

START_TEST(literal)
{
	struct slice in = guard_copy(slice_str(literals[_i].in));
	struct domain_literal got = { 0, SLICE_NONE };
	struct buf out;
	int rc = domain_parse_literal(in, &got);

	ck_assert_msg((rc == 0) == (literals[_i].ip != NULL), "%d", _i);
	if (rc < 0)
		return;
	ck_slice_str(got.ip, literals[_i].ip);
	ck_assert_int_eq(got.family, literals[_i].family);
	buf_init(&out, 100);
	domain_add(&out, in);
	ck_slice_str(buf_slice(&out), literals[_i].canonical);
	buf_fini(&out);
}
END_TEST

START_TEST(lower_case)
{
	struct buf out;

	buf_init(&out, 100);
	domain_add(&out, SLICE("MX.Example.TEST"));
	ck_slice_str(buf_slice(&out), "mx.example.test");
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(domain, {
	tcase_add_loop_test(tc, name, 0, (int)(sizeof names / sizeof *names));
	tcase_add_loop_test(tc, literal, 0,
	    (int)(sizeof literals / sizeof *literals));
	tcase_add_test(tc, lower_case);
})
