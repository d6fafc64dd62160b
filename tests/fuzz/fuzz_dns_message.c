/* SPDX-License-Identifier: ISC */
/*
 * The input is an answer to a question made from its own question section, so
 * that the fuzzer need not guess id, name and type; the id is what it says.
 */
#include "resolver/message.h"

#include <arpa/nameser.h>
#include <string.h>

#include "proto/dns.h"
#include "proto/dns_name.h"

#include "tests/fuzz/fuzz.h"

static void
check_set(unsigned type, struct slice left)
{
	struct dns_tlsa tlsa;
	struct dns_mx mx;
	struct slice text;
	unsigned n = 0, all = dns_count(left);
	struct ip ip;

	FUZZ_ASSERT(left.n <= DNS_RECORDS_MAX);
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		for (; dns_next_ip(&left, &ip); n++)
			FUZZ_ASSERT((ip.family == IP_V4) == (type == DNS_A));
		break;
	case DNS_MX:
		for (; dns_next_mx(&left, &mx); n++)
			FUZZ_ASSERT(mx.host.n > 0);
		break;
	case DNS_PTR:
		for (; dns_next_ptr(&left, &text); n++)
			FUZZ_ASSERT(text.n > 0);
		break;
	case DNS_TLSA:
		for (; dns_next_tlsa(&left, &tlsa); n++)
			continue;
		break;
	case DNS_TXT:
		for (; dns_next_txt(&left, &text); n++)
			continue;
		break;
	default:
		FUZZ_ASSERT(0);
	}
	FUZZ_ASSERT(n == all && n > 0);
}

static void
check(struct slice in, const struct message_query *q)
{
	struct message_answer a;
	enum message_verdict v;
	struct buf again;

	message_answer_init(&a);
	v = message_parse(in, q, &a);
	FUZZ_ASSERT(a.aliases <= MESSAGE_ALIASES_MAX + 1);
	FUZZ_ASSERT(a.ttl <= 0x7fffffff);
	if (v == MESSAGE_RECORDS)
		check_set(q->type, buf_slice(&a.records));
	if (v == MESSAGE_ALIAS) {
		struct message_query next = { 1, q->type,
			buf_slice(&a.canonical), true, false, false };

		buf_init(&again, 512);
		FUZZ_ASSERT(message_build(&again, &next) == 0);
		buf_fini(&again);
	}
	if (v == MESSAGE_TRUNCATED)
		FUZZ_ASSERT(!q->is_tcp);
	message_answer_fini(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct message_query q = { .name = SLICE("a.example") };
	char name[NS_MAXDNAME];
	int used = -1;

	q.type = DNS_A;
	if (size >= NS_HFIXEDSZ) {
		q.id = (uint16_t)(data[0] << 8 | data[1]);
		used = ns_name_uncompress(data, data + size,
		    data + NS_HFIXEDSZ, name, sizeof name);
	}
	if (used > 0 && size >= NS_HFIXEDSZ + (size_t)used + 4) {
		data += NS_HFIXEDSZ + used;
		q.type = (uint16_t)(data[0] << 8 | data[1]);
		q.name = slice_str(name);
	}
	check(in, &q);
	q.has_edns = q.is_tcp = q.is_exact_case = true;
	check(in, &q);
	return 0;
}
