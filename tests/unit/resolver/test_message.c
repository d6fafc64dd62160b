/* SPDX-License-Identifier: ISC */
#include "resolver/message.h"

#include "proto/dns.h"
#include "tests/unit/resolver/reply.h"
#include "tests/unit/resolver/text.h"
#include "tests/unit/unit.h"

enum { PLAIN = 1, TCP = 2, EXACT = 4 };

#define CHAIN(a, b) "an " a ".example 60 CNAME " b ".example;"
#define CHAIN10 \
	CHAIN("a", "b") CHAIN("b", "c") CHAIN("c", "d") CHAIN("d", "e") \
	CHAIN("e", "f") CHAIN("f", "g") CHAIN("g", "h") CHAIN("h", "i") \
	CHAIN("i", "j") CHAIN("j", "k")

/* All ask for a.example. want: "canonical ttl: records" */
static const struct {
	const char *name, *type, *reply;
	enum message_verdict verdict;
	const char *want;
	unsigned how;
} cases[] = {
	{ "one address", "A", "an a.example 60 A 192.0.2.1", MESSAGE_RECORDS,
	    "a.example 60: 192.0.2.1" },
	{ "two, the smaller ttl", "A",
	    "an a.example 60 A 192.0.2.1;an A.Example 30 A 192.0.2.2",
	    MESSAGE_RECORDS, "a.example 30: 192.0.2.1, 192.0.2.2" },
	{ "v6", "AAAA", "an a.example 5 AAAA 2001:db8::1", MESSAGE_RECORDS,
	    "a.example 5: 2001:db8::1" },
	{ "mail exchangers", "MX",
	    "an a.example 9 MX 10 MX1.Example;an a.example 9 MX 20 mx2.example;"
	    "ar mx1.example 1 A 192.0.2.1",
	    MESSAGE_RECORDS, "a.example 9: 10 mx1.example, 20 mx2.example" },
	{ "null MX", "MX", "an a.example 9 MX 0 .", MESSAGE_RECORDS,
	    "a.example 9: 0 ." },
	{ "text joined", "TXT",
	    "an a.example 9 TXT v=spf1 - -all;an a.example 9 TXT -",
	    MESSAGE_RECORDS, "a.example 9: \"v=spf1-all\", \"\"" },
	{ "pointer", "PTR", "an a.example 9 PTR Host.Example", MESSAGE_RECORDS,
	    "a.example 9: host.example" },
	{ "TLSA", "TLSA", "an a.example 9 TLSA 3 1 1 00ff10", MESSAGE_RECORDS,
	    "a.example 9: 3 1 1 00ff10" },
	{ "an odd name is escaped", "PTR",
	    "an a.example 9 RAW 12 0361225c00", MESSAGE_RECORDS,
	    "a.example 9: a\\\"\\\\" },
	{ "ttl with the top bit", "A",
	    "an a.example 4000000000 A 192.0.2.1", MESSAGE_RECORDS,
	    "a.example 0: 192.0.2.1" },
	{ "aliases", "A",
	    "an b.example 40 CNAME c.example;an c.example 50 A 192.0.2.1;"
	    "an a.example 60 CNAME b.example",
	    MESSAGE_RECORDS, "c.example 40: 192.0.2.1" },
	{ "records of others are left", "A",
	    "an x.example 1 A 192.0.2.9;an a.example 60 A 192.0.2.1",
	    MESSAGE_RECORDS, "a.example 60: 192.0.2.1" },
	{ "ten aliases", "A", CHAIN10 "an k.example 60 A 192.0.2.1",
	    MESSAGE_RECORDS, "k.example 60: 192.0.2.1" },
	{ "eleven aliases", "A",
	    CHAIN10 CHAIN("k", "l") "an l.example 60 A 192.0.2.1",
	    MESSAGE_LOOP, NULL },
	{ "a circle", "A", CHAIN("a", "b") CHAIN("b", "a"), MESSAGE_LOOP,
	    NULL },
	{ "its own alias", "A", CHAIN("a", "a"), MESSAGE_LOOP, NULL },
	{ "an alias to ask on for", "A", CHAIN("a", "b"), MESSAGE_ALIAS,
	    "b.example 60" },
	{ "alias, no data", "A", CHAIN("a", "b") "ns example 300 SOA 20",
	    MESSAGE_NODATA, "b.example 20" },
	{ "alias, no name", "A",
	    CHAIN("a", "b") "rcode 3;ns example 300 SOA 90", MESSAGE_NXDOMAIN,
	    "b.example 60" },
	{ "no name", "A", "rcode 3;ns example 300 SOA 90", MESSAGE_NXDOMAIN,
	    "a.example 90" },
	{ "no name, SOA of the root", "A", "rcode 3;ns . 50 SOA 90",
	    MESSAGE_NXDOMAIN, "a.example 50" },
	{ "no name, SOA of others", "A", "rcode 3;ns other 300 SOA 90",
	    MESSAGE_NXDOMAIN, "a.example 0" },
	{ "no name, no SOA", "A", "rcode 3", MESSAGE_NXDOMAIN, "a.example 0" },
	{ "no data", "MX", "ns example 10 SOA 90", MESSAGE_NODATA,
	    "a.example 10" },
	{ "no data, no SOA", "MX", "", MESSAGE_NODATA, "a.example 0" },
	{ "no data, of its own knowledge", "MX", "aa;nora", MESSAGE_NODATA,
	    "a.example 0" },
	{ "a server that does not ask", "A", "nora", MESSAGE_FAILED, NULL },
	{ "a referral", "A", "ns example 9 NS ns.example", MESSAGE_FAILED,
	    NULL },
	{ "server failure", "A", "rcode 2", MESSAGE_FAILED, NULL },
	{ "refused", "A", "rcode 5", MESSAGE_FAILED, NULL },
	{ "bogus", "A", "rcode 2;ar . 0 OPT 0 6", MESSAGE_BOGUS, NULL },
	{ "failure for another reason", "A", "rcode 2;ar . 0 OPT 0 22",
	    MESSAGE_FAILED, NULL },
	{ "bogus but answered", "A",
	    "ar . 0 OPT 0 6;an a.example 60 A 192.0.2.1", MESSAGE_RECORDS,
	    "a.example 60: 192.0.2.1" },
	{ "no EDNS", "A", "rcode 1", MESSAGE_NO_EDNS, NULL },
	{ "no EDNS, not even the question", "A", "rcode 1;noq",
	    MESSAGE_NO_EDNS, NULL },
	{ "not implemented", "A", "rcode 4", MESSAGE_NO_EDNS, NULL },
	{ "wrong version", "A", "ar . 0 OPT 1 0", MESSAGE_NO_EDNS, NULL },
	{ "format error without EDNS", "A", "rcode 1", MESSAGE_FAILED, NULL,
	    PLAIN },
	{ "the same without the question", "A", "rcode 1;noq", MESSAGE_FAILED,
	    NULL, PLAIN },
	{ "cut off", "TXT", "tc", MESSAGE_TRUNCATED, NULL },
	{ "cut off by TCP", "TXT", "tc", MESSAGE_FAILED, NULL, TCP },
	{ "another id", "A", "id;an a.example 60 A 192.0.2.1", MESSAGE_OTHER,
	    NULL },
	{ "another name", "A", "qname b.example;an b.example 60 A 192.0.2.1",
	    MESSAGE_OTHER, NULL },
	{ "a longer name", "A", "qname a.example.org", MESSAGE_OTHER, NULL },
	{ "a shorter name", "A", "qname a", MESSAGE_OTHER, NULL },
	{ "another type", "A", "qtype MX;an a.example 60 A 192.0.2.1",
	    MESSAGE_OTHER, NULL },
	{ "no question", "A", "noq;an a.example 60 A 192.0.2.1", MESSAGE_OTHER,
	    NULL },
	{ "a query", "A", "noqr;an a.example 60 A 192.0.2.1", MESSAGE_OTHER,
	    NULL },
	{ "another case", "A", "qname A.example;an a.example 60 A 192.0.2.1",
	    MESSAGE_RECORDS, "a.example 60: 192.0.2.1" },
	{ "another case, minded", "A",
	    "qname A.example;an a.example 60 A 192.0.2.1", MESSAGE_OTHER, NULL,
	    EXACT },
	{ "a short address", "A", "an a.example 60 RAW 1 c00002",
	    MESSAGE_FAILED, NULL },
	{ "a v6 address as A", "A",
	    "an a.example 60 RAW 1 00000000000000000000000000000001",
	    MESSAGE_FAILED, NULL },
	{ "an empty MX", "MX", "an a.example 60 RAW 15 0000", MESSAGE_FAILED,
	    NULL },
	{ "an MX with more", "MX", "an a.example 60 RAW 15 00000000",
	    MESSAGE_FAILED, NULL },
	{ "an empty TXT", "TXT", "an a.example 60 RAW 16 ", MESSAGE_FAILED,
	    NULL },
	{ "a TXT beyond its end", "TXT", "an a.example 60 RAW 16 026161ff",
	    MESSAGE_FAILED, NULL },
	{ "a short TLSA", "TLSA", "an a.example 60 RAW 52 0301",
	    MESSAGE_FAILED, NULL },
	{ "a name that points to itself", "PTR",
	    "an a.example 60 RAW 12 c030", MESSAGE_FAILED, NULL },
	{ "a short SOA", "A", "ns example 60 RAW 6 0000", MESSAGE_FAILED,
	    NULL },
};

static void
make_query(struct message_query *q, const char *type, unsigned how,
    struct buf *wire)
{
	*q = (struct message_query){
		.id = 0x1234,
		.type = (uint16_t)dns_type_by_name(slice_str(type)),
		.name = SLICE("a.example"), .has_edns = (how & PLAIN) == 0,
		.is_tcp = (how & TCP) != 0, .is_exact_case = (how & EXACT) != 0
	};
	buf_init(wire, 600);
	ck_assert_int_eq(message_build(wire, q), 0);
}

START_TEST(answers)
{
	struct buf query, reply, text;
	struct message_answer a;
	enum message_verdict v;
	struct message_query q;

	make_query(&q, cases[_i].type, cases[_i].how, &query);
	buf_init(&reply, 65535);
	reply_make(&reply, buf_slice(&query), cases[_i].reply);
	message_answer_init(&a);
	v = message_parse(guard_copy(buf_slice(&reply)), &q, &a);
	ck_assert_msg(v == cases[_i].verdict, "%s: verdict %d", cases[_i].name,
	    (int)v);
	if (cases[_i].want != NULL) {
		buf_init(&text, 4096);
		buf_addf(&text, "%s %u%s", a.canonical.p, a.ttl,
		    v == MESSAGE_RECORDS ? ": " : "");
		text_records(&text, q.type, buf_slice(&a.records));
		ck_assert_msg(slice_eq_str(buf_slice(&text), cases[_i].want),
		    "%s: %s", cases[_i].name, text.p);
		buf_fini(&text);
	}
	message_answer_fini(&a);
	buf_fini(&reply);
	buf_fini(&query);
}
END_TEST

/* Cut anywhere it is no answer, and nothing is read beyond its end. */
START_TEST(cut_anywhere)
{
	struct buf query, reply;
	struct message_answer a;
	enum message_verdict v;
	struct message_query q;
	size_t k;

	make_query(&q, cases[_i].type, cases[_i].how, &query);
	buf_init(&reply, 65535);
	reply_make(&reply, buf_slice(&query), cases[_i].reply);
	message_answer_init(&a);
	for (k = 0; k < reply.n; k++) {
		v = message_parse(guard_copy(slice_head(buf_slice(&reply), k)),
		    &q, &a);
		ck_assert_msg(v == MESSAGE_OTHER || v == MESSAGE_FAILED ||
		    v == cases[_i].verdict, "%s at %zu: %d", cases[_i].name, k,
		    (int)v);
		ck_assert(v != MESSAGE_RECORDS);
	}
	message_answer_fini(&a);
	buf_fini(&reply);
	buf_fini(&query);
}
END_TEST

START_TEST(queries)
{
	static const char too_long[] =
	    "a23456789012345678901234567890123456789012345678901234567890123"
	    "4.example";
	static const char *const bad[] = { "", "a..b", ".a", "a\\", too_long };
	struct message_query q;
	struct asked asked;
	struct buf wire;
	size_t i;

	make_query(&q, "MX", 0, &wire);
	reply_read_query(buf_slice(&wire), &asked);
	ck_assert_uint_eq(asked.id, 0x1234);
	ck_assert_uint_eq(asked.flags, 0x0120); /* RD, AD */
	ck_assert_uint_eq(asked.type, DNS_MX);
	ck_assert_uint_eq(asked.opt_size, 1232);
	ck_slice_str(buf_slice(&asked.name), "a.example");
	buf_fini(&asked.name);
	buf_reset(&wire);
	q.has_edns = false;
	q.name = SLICE("a/b@c$.Example");
	ck_assert_int_eq(message_build(&wire, &q), 0);
	reply_read_query(buf_slice(&wire), &asked);
	ck_assert_uint_eq(asked.opt_size, 0);
	ck_slice_str(buf_slice(&asked.name), "a/b@c$.Example");
	buf_fini(&asked.name);
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		buf_reset(&wire);
		q.name = slice_str(bad[i]);
		ck_assert_msg(message_build(&wire, &q) == -1, "%s", bad[i]);
		ck_assert_uint_eq(wire.n, 0);
	}
	buf_fini(&wire);
}
END_TEST

/* A name with special characters is found again in the answer. */
START_TEST(odd_names)
{
	struct message_query q = { .id = 1, .type = DNS_A,
		.name = SLICE("a@b$c;d(e).example") };
	struct message_answer a;
	struct buf query, reply;

	buf_init(&query, 600);
	buf_init(&reply, 600);
	ck_assert_int_eq(message_build(&query, &q), 0);
	/* An alias with an escaped dot leads to a name that can be asked. */
	buf_add_slice(&reply, buf_slice(&query));
	reply.p[2] = (char)0x81;
	reply.p[3] = (char)0x80;
	reply.p[7] = 1;
	buf_add(&reply, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6\3x.y\xc0\x17", 18);
	message_answer_init(&a);
	ck_assert_int_eq(message_parse(guard_copy(buf_slice(&reply)), &q, &a),
	    MESSAGE_ALIAS);
	ck_slice_str(buf_slice(&a.canonical), "x\\.y.example");
	q.name = buf_slice(&a.canonical);
	buf_reset(&query);
	ck_assert_int_eq(message_build(&query, &q), 0);
	ck_slice_eq(slice_head(slice_from(buf_slice(&query), 12), 5),
	    SLICE("\3x.y\7"));
	message_answer_fini(&a);
	buf_fini(&query);
	buf_fini(&reply);
}
END_TEST

START_TEST(too_many_records)
{
	struct message_query q;
	struct message_answer a;
	struct buf query, reply;
	int i;

	make_query(&q, "MX", TCP, &query);
	buf_init(&reply, 65535);
	reply_make(&reply, buf_slice(&query), "");
	/* 4,000 records whose names, undone of compression, are too much. */
	for (i = 0; i < 4000; i++)
		buf_add(&reply, "\xc0\x0c\0\x0f\0\1\0\0\0\x3c\0\4\0\1\xc0\x0c",
		    16);
	reply.p[6] = (char)(4000 >> 8);
	reply.p[7] = (char)(4000 & 0xff);
	message_answer_init(&a);
	ck_assert_int_eq(message_parse(buf_slice(&reply), &q, &a),
	    MESSAGE_FAILED);
	message_answer_fini(&a);
	buf_fini(&reply);
	buf_fini(&query);
}
END_TEST

UNIT_SUITE(message, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, answers, 0, n);
	tcase_add_loop_test(tc, cut_anywhere, 0, n);
	tcase_add_test(tc, queries);
	tcase_add_test(tc, odd_names);
	tcase_add_test(tc, too_many_records);
})
