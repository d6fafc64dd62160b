/* SPDX-License-Identifier: ISC */
/* Record sets, names and addresses, all from the same bytes. */
#include "proto/dns.h"
#include "proto/dns_name.h"

#include "tests/fuzz/fuzz.h"

static void
check_name(struct slice in)
{
	struct slice text;
	struct buf b;

	buf_init(&b, DNS_NAME_TEXT_MAX);
	if (dns_name_add(&b, in) == 0) {
		text = buf_slice(&b);
		FUZZ_ASSERT(dns_name_is_valid(in));
		FUZZ_ASSERT(dns_name_is_same(in, text));
		FUZZ_ASSERT(dns_name_is_within(in, text));
		FUZZ_ASSERT(dns_name_labels(in) > 0);
	} else {
		FUZZ_ASSERT(!dns_name_is_valid(in));
		FUZZ_ASSERT(!dns_name_is_host(in));
	}
	buf_fini(&b);
}

static void
check_ip(struct slice in)
{
	struct ip ip, again;
	struct buf b;

	if (ip_parse(in, &ip) < 0 && ip_parse_literal(in, &ip) < 0)
		return;
	buf_init(&b, 256);
	ip_add(&b, &ip);
	FUZZ_ASSERT(ip_parse(buf_slice(&b), &again) == 0);
	FUZZ_ASSERT(ip_is_same(&ip, &again));
	buf_reset(&b);
	ip_add_reverse(&b, &ip, SLICE_NONE);
	FUZZ_ASSERT(dns_name_is_valid(buf_slice(&b)));
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, left, text;
	struct dns_tlsa tlsa;
	unsigned n = 0;
	struct dns_mx mx;
	struct ip ip;

	for (left = in; dns_next_txt(&left, &text); n++)
		FUZZ_ASSERT(text.n <= 65535);
	FUZZ_ASSERT(left.n == 0 && n == dns_count(in));
	for (left = in; dns_next_mx(&left, &mx);)
		FUZZ_ASSERT(mx.host.n > 0);
	for (left = in; dns_next_tlsa(&left, &tlsa);)
		FUZZ_ASSERT(tlsa.data.n <= left.n + size);
	for (left = in; dns_next_ip(&left, &ip);)
		FUZZ_ASSERT(ip.family != IP_NONE);
	for (left = in; dns_next_ptr(&left, &text);)
		check_name(text);
	check_name(in);
	check_ip(in);
	return 0;
}
