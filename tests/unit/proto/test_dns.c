/* SPDX-License-Identifier: ISC */
#include "proto/dns.h"

#include "tests/unit/unit.h"

static struct buf set;

static void
start(void)
{
	buf_init(&set, DNS_RECORDS_MAX);
}

static void
stop(void)
{
	buf_fini(&set);
}

START_TEST(mx)
{
	struct slice left, whole;
	struct dns_mx got;
	size_t k;

	dns_add_mx(&set, 10, SLICE("mx1.example"));
	dns_add_mx(&set, 65535, SLICE("."));
	ck_assert(buf_is_ok(&set));
	whole = left = guard_copy(buf_slice(&set));
	ck_assert_uint_eq(dns_count(left), 2);
	ck_assert(dns_next_mx(&left, &got));
	ck_assert_uint_eq(got.preference, 10);
	ck_slice_str(got.host, "mx1.example");
	ck_assert(dns_next_mx(&left, &got));
	ck_assert_uint_eq(got.preference, 65535);
	ck_slice_str(got.host, ".");
	ck_assert(!dns_next_mx(&left, &got));
	ck_assert_uint_eq(left.n, 0);
	/* Cut anywhere, only whole records come out. */
	for (k = 0; k < whole.n; k++) {
		left = guard_copy(slice_head(whole, k));
		ck_assert_uint_eq(dns_count(left), k >= 15);
		ck_assert_int_eq(dns_next_mx(&left, &got), k >= 15);
		ck_assert(!dns_next_mx(&left, &got));
		ck_assert_uint_eq(left.n, 0);
	}
}
END_TEST

START_TEST(null_mx)
{
	ck_assert(!dns_is_null_mx(SLICE_NONE));
	dns_add_mx(&set, 0, SLICE("."));
	ck_assert(dns_is_null_mx(buf_slice(&set)));
	/* RFC 7505 3: beside others it is not a null MX. */
	dns_add_mx(&set, 10, SLICE("mx.example"));
	ck_assert(!dns_is_null_mx(buf_slice(&set)));
	buf_reset(&set);
	dns_add_mx(&set, 0, SLICE("mx.example"));
	ck_assert(!dns_is_null_mx(buf_slice(&set)));
}
END_TEST

START_TEST(addresses)
{
	struct slice left;
	struct ip a, b, got;

	ck_assert_int_eq(ip_parse(SLICE("192.0.2.1"), &a), 0);
	ck_assert_int_eq(ip_parse(SLICE("2001:db8::1"), &b), 0);
	dns_add_ip(&set, &a);
	dns_add_ip(&set, &b);
	left = guard_copy(buf_slice(&set));
	ck_assert(dns_next_ip(&left, &got));
	ck_assert(ip_is_same(&got, &a));
	ck_assert(dns_next_ip(&left, &got));
	ck_assert(ip_is_same(&got, &b));
	ck_assert(!dns_next_ip(&left, &got));
	/* A record of 5 bytes is no address. */
	left = SLICE("\0\5abcde\0\4abcd");
	ck_assert(!dns_next_ip(&left, &got));
	ck_assert_uint_eq(left.n, 0);
}
END_TEST

START_TEST(others)
{
	struct dns_tlsa in = { 3, 1, 1, SLICE("\0\1\2") }, tlsa;
	struct slice left, got;

	dns_add_tlsa(&set, &in);
	dns_add_txt(&set, SLICE("v=spf1 -all"));
	dns_add_txt(&set, SLICE(""));
	dns_add_ptr(&set, SLICE("host.example"));
	left = guard_copy(buf_slice(&set));
	ck_assert(dns_next_tlsa(&left, &tlsa));
	ck_assert_uint_eq(tlsa.usage, 3);
	ck_assert_uint_eq(tlsa.selector, 1);
	ck_assert_uint_eq(tlsa.matching, 1);
	ck_slice_eq(tlsa.data, in.data);
	ck_assert(dns_next_txt(&left, &got));
	ck_slice_str(got, "v=spf1 -all");
	ck_assert(dns_next_txt(&left, &got));
	ck_slice_str(got, "");
	ck_assert(dns_next_ptr(&left, &got));
	ck_slice_str(got, "host.example");
	ck_assert(!dns_next_ptr(&left, &got));
}
END_TEST

START_TEST(too_much)
{
	static char big[65536];
	struct slice left;

	dns_add_txt(&set, (struct slice){ big, sizeof big });
	ck_assert(!buf_is_ok(&set));
	buf_reset(&set);
	dns_add_txt(&set, (struct slice){ big, 40000 });
	ck_assert(buf_is_ok(&set));
	dns_add_txt(&set, (struct slice){ big, 10000 });
	ck_assert(!buf_is_ok(&set));
	left = buf_slice(&set);
	ck_assert_uint_eq(dns_count(left), 1);
}
END_TEST

START_TEST(names)
{
	unsigned i;

	for (i = 0; i < DNS_STATUS_COUNT; i++)
		ck_assert_ptr_nonnull(dns_status_name(i));
	ck_assert_str_eq(dns_status_name(DNS_STATUS_COUNT), "?");
	ck_assert(dns_status_is_later(255));
	ck_assert(dns_status_is_later(DNS_SERVFAIL));
	ck_assert(!dns_status_is_later(DNS_NXDOMAIN));
	ck_assert(!dns_status_is_later(DNS_OK));
	ck_assert_str_eq(dns_type_name(DNS_MX), "MX");
	ck_assert_ptr_null(dns_type_name(255));
	ck_assert_uint_eq(dns_type_by_name(SLICE("tlsa")), DNS_TLSA);
	ck_assert_uint_eq(dns_type_by_name(SLICE("ANY")), 0);
}
END_TEST

UNIT_SUITE(dns, {
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, mx);
	tcase_add_test(tc, null_mx);
	tcase_add_test(tc, addresses);
	tcase_add_test(tc, others);
	tcase_add_test(tc, too_much);
	tcase_add_test(tc, names);
})
