/* SPDX-License-Identifier: ISC */
#include "proto/dns_name.h"

#include "tests/unit/unit.h"

#define L63 "a23456789012345678901234567890123456789012345678901234567890123"

/* `text`: its normal form, NULL when it cannot be asked for. */
static const struct {
	const char *in, *text;
	bool is_host;
	unsigned labels;
} cases[] = {
	{ "example.com", "example.com", true, 2 },
	{ "Example.COM.", "example.com", false, 2 },
	{ "x", "x", true, 1 },
	{ "a-b.example", "a-b.example", true, 2 },
	{ "-a.example", "-a.example", false, 2 },
	{ "a-.example", "a-.example", false, 2 },
	{ "_25._tcp.mx.example", "_25._tcp.mx.example", false, 4 },
	{ "1.2.3.4", "1.2.3.4", false, 4 },
	{ "3com.example1", "3com.example1", true, 2 },
	{ "1.0/25.2.0.192.in-addr.arpa", "1.0/25.2.0.192.in-addr.arpa", false,
	    7 },
	{ "strong+tag=x._spf.example", "strong+tag=x._spf.example", false, 3 },
	{ L63 ".example", L63 ".example", true, 2 },
	{ L63 "x.example", NULL, false, 2 },
	{ L63 "." L63 "." L63 ".a2345678901234567890123456789012345678901234567"
	      "89012345678901",
	    L63 "." L63 "." L63 ".a23456789012345678901234567890123456789012345"
		"6789012345678901",
	    true, 4 },
	{ L63 "." L63 "." L63 "." L63, NULL, false, 4 },
	{ "", NULL, false, 0 },
	{ ".", NULL, false, 0 },
	{ "..", NULL, false, 1 },
	{ "a..b", NULL, false, 3 },
	{ ".a", NULL, false, 2 },
	{ "a..", NULL, false, 2 },
	{ "a b.example", NULL, false, 2 },
	{ "a\\.b.example", NULL, false, 3 },
	{ "b\xc3\xbc""cher.example", NULL, false, 2 },
	{ "a\x7f.example", NULL, false, 2 },
	{ "a\n.example", NULL, false, 2 },
};

static const struct {
	const char *name, *zone;
	bool is_within, is_same;
} pairs[] = {
	{ "mx.example.com", "example.com", true, false },
	{ "EXAMPLE.com.", "example.COM", true, true },
	{ "example.com", "mx.example.com", false, false },
	{ "badexample.com", "example.com", false, false },
	{ "a.b.c.example.com", "example.com.", true, false },
	{ "example.com", ".", true, false },
	{ ".", ".", true, true },
	{ "example.com", "", false, false },
	{ "x\\.example.com", "example.com", false, false },
	{ "x\\\\.example.com", "example.com", true, false },
	{ "", "", false, true },
};

START_TEST(forms)
{
	struct slice in = guard_copy(slice_str(cases[_i].in));
	const char *want = cases[_i].text;
	struct buf b;
	int rc;

	buf_init(&b, DNS_NAME_TEXT_MAX);
	rc = dns_name_add(&b, in);
	ck_assert_msg(dns_name_is_valid(in) == (want != NULL), "%s",
	    cases[_i].in);
	ck_assert_msg(rc == (want != NULL ? 0 : -1), "%s", cases[_i].in);
	ck_slice_str(buf_slice(&b), want != NULL ? want : "");
	ck_assert_msg(dns_name_is_host(in) == cases[_i].is_host, "%s",
	    cases[_i].in);
	if (want != NULL)
		ck_assert_uint_eq(dns_name_labels(in), cases[_i].labels);
	buf_fini(&b);
}
END_TEST

START_TEST(relations)
{
	struct slice name = guard_copy(slice_str(pairs[_i].name));
	struct slice zone = guard_copy(slice_str(pairs[_i].zone));

	ck_assert_msg(
	    dns_name_is_within(name, zone) == pairs[_i].is_within,
	    "%s in %s", pairs[_i].name, pairs[_i].zone);
	ck_assert_msg(dns_name_is_same(name, zone) == pairs[_i].is_same,
	    "%s and %s", pairs[_i].name, pairs[_i].zone);
}
END_TEST

START_TEST(others)
{
	struct buf b;

	buf_init(&b, 100);
	dns_name_add_tlsa(&b, 25, SLICE("mx.example."));
	ck_slice_str(buf_slice(&b), "_25._tcp.mx.example");
	buf_reset(&b);
	ck_assert_int_eq(dns_name_add(&b, SLICE("a\0b.example")), -1);
	b.max = 3;
	ck_assert_int_eq(dns_name_add(&b, SLICE("a.example")), -1);
	ck_assert_uint_eq(b.n, 0);
	ck_assert_uint_eq(dns_name_labels(SLICE(".")), 0);
	buf_fini(&b);
}
END_TEST

UNIT_SUITE(dns_name, {
	tcase_add_loop_test(tc, forms, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_loop_test(tc, relations, 0,
	    (int)(sizeof pairs / sizeof *pairs));
	tcase_add_test(tc, others);
})
