/* SPDX-License-Identifier: ISC */
#include "proto/ip.h"

#include "tests/unit/unit.h"

/* `text` is what it prints as; NULL when `in` is refused. */
static const struct {
	const char *in, *text, *literal, *reverse;
	bool is_loopback;
} cases[] = {
	{ "192.0.2.1", "192.0.2.1", "[192.0.2.1]", "1.2.0.192.in-addr.arpa",
	    false },
	{ "0.0.0.0", "0.0.0.0", "[0.0.0.0]", "0.0.0.0.in-addr.arpa", false },
	{ "127.9.0.1", "127.9.0.1", "[127.9.0.1]", "1.0.9.127.in-addr.arpa",
	    true },
	{ "2001:DB8::1", "2001:db8::1", "[IPv6:2001:db8::1]",
	    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
	    "ip6.arpa",
	    false },
	{ "::1", "::1", "[IPv6:::1]",
	    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
	    "ip6.arpa",
	    true },
	{ "::ffff:127.0.0.1", "::ffff:127.0.0.1", "[IPv6:::ffff:127.0.0.1]",
	    "1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
	    "ip6.arpa",
	    true },
	{ "", NULL },
	{ "1.2.3", NULL },
	{ "1.2.3.4.5", NULL },
	{ "1.2.3.256", NULL },
	{ "01.2.3.4", NULL },
	{ "0x7f.1", NULL },
	{ "2130706433", NULL },
	{ "1.2.3.4 ", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL },
	{ "::1::", NULL },
	{ "fe80::1%eth0", NULL },
	{ "1111:1111:1111:1111:1111:1111:1111:1111:1111:11", NULL },
};

static const struct {
	const char *in, *text;
} literals[] = {
	{ "[192.0.2.1]", "192.0.2.1" },
	{ "[IPv6:2001:db8::1]", "2001:db8::1" },
	{ "[ipv6:::1]", "::1" },
	{ "[IPv6:192.0.2.1]", NULL },
	{ "[2001:db8::1]", NULL },
	{ "192.0.2.1", NULL },
	{ "[192.0.2.1", NULL },
	{ "[]", NULL },
	{ "[", NULL },
	{ "", NULL },
	{ "[IPv6:]", NULL },
	{ "[IPv4:192.0.2.1]", NULL },
	{ "[192.0.2.1]x", NULL },
};

static void
check_text(void (*add)(struct buf *, const struct ip *), const struct ip *ip,
    const char *want)
{
	struct buf b;

	buf_init(&b, IP_LITERAL_MAX);
	add(&b, ip);
	ck_slice_str(buf_slice(&b), want);
	buf_fini(&b);
}

static void
reverse(struct buf *b, const struct ip *ip)
{
	b->max = 100;
	ip_add_reverse(b, ip, SLICE_NONE);
}

START_TEST(text)
{
	struct slice in = guard_copy(slice_str(cases[_i].in));
	struct ip ip = { .family = IP_NONE }, again;

	if (cases[_i].text == NULL) {
		ck_assert_msg(ip_parse(in, &ip) < 0, "%s", cases[_i].in);
		ck_assert_int_eq(ip.family, IP_NONE);
		return;
	}
	ck_assert_msg(ip_parse(in, &ip) == 0, "%s", cases[_i].in);
	check_text(ip_add, &ip, cases[_i].text);
	check_text(ip_add_literal, &ip, cases[_i].literal);
	check_text(reverse, &ip, cases[_i].reverse);
	ck_assert_int_eq(ip_is_loopback(&ip), cases[_i].is_loopback);
	ck_assert_int_eq(ip_from_bytes(ip_bytes(&ip), &again), 0);
	ck_assert(ip_is_same(&ip, &again));
	ck_assert_int_eq(
	    ip_parse_literal(guard_copy(slice_str(cases[_i].literal)), &again),
	    0);
	ck_assert(ip_is_same(&ip, &again));
}
END_TEST

START_TEST(literal)
{
	struct slice in = guard_copy(slice_str(literals[_i].in));
	struct ip ip = { .family = IP_NONE };
	int rc = ip_parse_literal(in, &ip);

	ck_assert_msg((rc == 0) == (literals[_i].text != NULL), "%s",
	    literals[_i].in);
	if (rc == 0)
		check_text(ip_add, &ip, literals[_i].text);
	else
		ck_assert_int_eq(ip.family, IP_NONE);
}
END_TEST

START_TEST(bytes_and_lists)
{
	struct ip a, b;
	struct buf out;

	ck_assert_int_eq(ip_from_bytes(SLICE("12345"), &a), -1);
	ck_assert_int_eq(ip_from_bytes(SLICE(""), &a), -1);
	ck_assert_int_eq(ip_parse(SLICE("1.2.3.4\0"), &a), -1);
	ck_assert_int_eq(ip_from_bytes(SLICE("\1\2\3\4"), &a), 0);
	ck_assert_int_eq(ip_parse(SLICE("1.2.3.5"), &b), 0);
	ck_assert(!ip_is_same(&a, &b));
	buf_init(&out, 100);
	ip_add_reverse(&out, &a, SLICE("bl.example"));
	ck_slice_str(buf_slice(&out), "4.3.2.1.bl.example");
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(ip, {
	tcase_add_loop_test(tc, text, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_loop_test(tc, literal, 0,
	    (int)(sizeof literals / sizeof *literals));
	tcase_add_test(tc, bytes_and_lists);
})
