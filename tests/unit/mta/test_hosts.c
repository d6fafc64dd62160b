/* SPDX-License-Identifier: ISC */
/* Next hops and DNS answers to lists of addresses, in order; at the end what
 * was wrong, as outcome and enhanced code. The "random" order takes the last of
 * what is left each time, so that nothing is moved. */
#include "mta/hosts.h"

#include <string.h>

#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_loop.h"
#include "tests/unit/mta/fake_lookup.h"
#include "tests/unit/unit.h"

#define BOTH (HOSTS_IPV4 | HOSTS_IPV6)

static const struct {
	const char *name, *nexthop;
	unsigned families;
	const char *dns, *want;
} cases[] = {
	{ "one", "mx:a.test", BOTH, "a.test MX 10:m.test\n"
	    "m.test A 192.0.2.1", "m.test 192.0.2.1:25" },
	{ "in order of preference", "mx:a.test", BOTH,
	    "a.test MX 20:n.test 10:m.test 5:l.test\nm.test A 192.0.2.1\n"
	    "n.test A 192.0.2.2\nl.test A 192.0.2.3",
	    "l.test 192.0.2.3:25, m.test 192.0.2.1:25, "
	    "n.test 192.0.2.2:25" },
	{ "families take turns", "mx:a.test", BOTH, "a.test MX 10:m.test\n"
	    "m.test A 192.0.2.1 192.0.2.2 192.0.2.3\n"
	    "m.test AAAA 2001:db8::1 2001:db8::2",
	    "m.test 2001:db8::1:25, m.test 192.0.2.1:25, "
	    "m.test 2001:db8::2:25, m.test 192.0.2.2:25, "
	    "m.test 192.0.2.3:25" },
	{ "IPv4 only", "mx:a.test", HOSTS_IPV4, "a.test MX 10:m.test\n"
	    "m.test A 192.0.2.1\nm.test AAAA 2001:db8::1",
	    "m.test 192.0.2.1:25" },
	{ "IPv6 only", "mx:a.test", HOSTS_IPV6, "a.test MX 10:m.test\n"
	    "m.test A 192.0.2.1\nm.test AAAA 2001:db8::1",
	    "m.test 2001:db8::1:25" },
	{ "no MX", "mx:a.test", BOTH, "a.test A 192.0.2.1",
	    "a.test 192.0.2.1:25" },
	{ "neither MX nor address", "mx:a.test", BOTH, "a.test TXT nodata",
	    "failed 5.4.4" },
	{ "no such domain", "mx:a.test", BOTH, "", "failed 5.1.2" },
	{ "null MX", "mx:a.test", BOTH, "a.test MX 0:.\na.test A 192.0.2.1",
	    "failed 5.1.10" },
	{ "MX in trouble", "mx:a.test", BOTH, "a.test MX servfail\n"
	    "a.test A 192.0.2.1", "later 4.4.3" },
	{ "MX timed out", "mx:a.test", BOTH, "a.test MX timeout",
	    "later 4.4.3" },
	{ "MX cannot be asked for", "mx:a.test", BOTH, "a.test MX invalid",
	    "failed 5.1.2" },
	{ "address in trouble", "mx:a.test", BOTH, "a.test MX 10:m.test\n"
	    "m.test A servfail", "later 4.4.3" },
	{ "one family in trouble", "mx:a.test", BOTH, "a.test MX 10:m.test\n"
	    "m.test A 192.0.2.1\nm.test AAAA servfail",
	    "m.test 192.0.2.1:25" },
	{ "the first in trouble", "mx:a.test", BOTH,
	    "a.test MX 10:m.test 20:n.test\nm.test A servfail\n"
	    "n.test A 192.0.2.2", "n.test 192.0.2.2:25, later 4.4.3" },
	{ "MX hosts that do not exist", "mx:a.test", BOTH,
	    "a.test MX 10:m.test 20:n.test", "failed 5.4.4" },
	{ "one of them does not", "mx:a.test", BOTH,
	    "a.test MX 10:m.test 20:n.test\nn.test A 192.0.2.2",
	    "n.test 192.0.2.2:25, failed 5.4.4" },
	/* RFC 5321 5.1: ourselves */
	{ "we are the second", "mx:a.test", BOTH,
	    "a.test MX 10:m.test 20:us.test 30:n.test\nm.test A 192.0.2.1\n"
	    "us.test A 192.0.2.9\nn.test A 192.0.2.2",
	    "m.test 192.0.2.1:25" },
	{ "we are one of equals", "mx:a.test", BOTH,
	    "a.test MX 10:m.test 20:n.test 20:US.test\n"
	    "m.test A 192.0.2.1\nn.test A 192.0.2.2\nus.test A 192.0.2.9",
	    "m.test 192.0.2.1:25" },
	{ "we are the first", "mx:a.test", BOTH,
	    "a.test MX 10:us.test 20:n.test\nn.test A 192.0.2.2",
	    "failed 5.4.6" },
	{ "loopback", "mx:a.test", BOTH, "a.test MX 10:m.test\n"
	    "m.test A 127.0.0.1", "failed 5.4.6" },
	{ "loopback as the second", "mx:a.test", BOTH,
	    "a.test MX 10:m.test 20:n.test 20:o.test\nm.test A 192.0.2.1\n"
	    "n.test A 192.0.2.2\no.test AAAA ::1",
	    "m.test 192.0.2.1:25" },
	{ "loopback by name is meant", "smtp:m.test", BOTH,
	    "m.test A 127.0.0.1", "m.test 127.0.0.1:25" },
	/* no MX asked for */
	{ "a host", "smtp:m.test", BOTH, "m.test MX 10:n.test\n"
	    "m.test A 192.0.2.1", "m.test 192.0.2.1:25" },
	{ "a host and a port", "smtp:m.test:587", BOTH,
	    "m.test A 192.0.2.1", "m.test 192.0.2.1:587" },
	{ "a host that does not exist", "smtp:m.test", BOTH, "",
	    "failed 5.4.4" },
	{ "LMTP", "lmtp:m.test", BOTH, "m.test A 192.0.2.1",
	    "m.test 192.0.2.1:24" },
	{ "an address", "smtp:[2001:db8::1]:26", HOSTS_IPV4, "",
	    "2001:db8::1 2001:db8::1:26" },
	{ "an address literal", "mx:[192.0.2.7]", BOTH, "",
	    "192.0.2.7 192.0.2.7:25" },
	{ "U-labels", "mx:b\xc3\xbc" "cher.test", BOTH,
	    "xn--bcher-kva.test MX 10:m.test\nm.test A 192.0.2.1",
	    "m.test 192.0.2.1:25" },
	{ "labels that cannot be", "mx:a\xe2\x80\xae" "b.test", BOTH, "",
	    "failed 5.1.2" },
	{ "silence", "mx:a.test", BOTH, "a.test MX never", "waits" },
	{ "silence about an address", "mx:a.test", BOTH,
	    "a.test MX 10:m.test 20:n.test\nm.test A never\n"
	    "n.test A 192.0.2.2", "waits" },
	{ "silence about the next", "mx:a.test", BOTH,
	    "a.test MX 10:m.test 20:n.test\nm.test A 192.0.2.1\n"
	    "n.test A never", "m.test 192.0.2.1:25, waits" },
};

static uint32_t
last(uint32_t n)
{
	return n - 1;
}

static void
on_more(void *arg)
{
	unsigned *calls = arg;

	++*calls;
}

static void
separate(struct buf *out)
{
	if (out->n > 0)
		buf_add_str(out, ", ");
}

static void
add_end(struct buf *out, const struct hosts *h)
{
	struct status s;

	if (!hosts_trouble(h, &s))
		return;
	separate(out);
	buf_addf(out, "%s ", s.outcome == OUTCOME_LATER ? "later" : "failed");
	enhanced_add(out, s.enhanced);
}

static void
add_address(struct buf *out, const struct host_address *a)
{
	separate(out);
	buf_addf(out, "%s ", a->host);
	ip_add(out, &a->ip);
	buf_addf(out, ":%u", a->port);
}

static void
collect(struct hosts *h, struct loop *l, struct buf *out)
{
	struct host_address a;
	unsigned waits = 0;

	for (;;) {
		switch (hosts_next(h, &a)) {
		case HOSTS_ADDRESS:
			add_address(out, &a);
			break;
		case HOSTS_WAIT:
			if (++waits == 10) {
				separate(out);
				buf_add_str(out, "waits");
				return;
			}
			fake_loop_settle(l);
			break;
		case HOSTS_END:
			add_end(out, h);
			return;
		}
	}
}

static struct hosts_conf
make_conf(unsigned families, uint32_t (*random)(uint32_t))
{
	return (struct hosts_conf){ .families = families, .port = 25,
		.self = SLICE("us.test"), .random = random };
}

START_TEST(order)
{
	struct hosts_conf conf = make_conf(cases[_i].families, last);
	struct loop *l = loop_new();
	unsigned calls = 0;
	struct nexthop n;
	struct hosts *h;
	struct buf got;

	fake_lookup_know(l, cases[_i].dns);
	ck_assert_int_eq(nexthop_parse(slice_str(cases[_i].nexthop), &n), 0);
	h = hosts_new(&n, &conf, on_more, &calls);
	ck_assert_ptr_nonnull(h);
	buf_init(&got, 4096);
	collect(h, l, &got);
	ck_assert_msg(strcmp(got.p, cases[_i].want) == 0,
	    "%s: \"%s\", want \"%s\"", cases[_i].name, got.p,
	    cases[_i].want);
	hosts_free(&h);
	ck_assert_uint_eq(fake_lookup_open(), 0);
	buf_fini(&got);
	loop_free(&l);
}
END_TEST

static uint32_t state = 1;

static uint32_t
some(uint32_t n)
{
	state = state * 1103515245 + 12345;
	return (state >> 16) % n;
}

/* Equals come in every order, and never before their betters. */
START_TEST(shuffled)
{
	struct hosts_conf conf = make_conf(BOTH, some);
	unsigned i, first[3] = { 0 }, calls = 0;
	struct host_address a;
	struct nexthop n;
	struct hosts *h;
	struct loop *l = loop_new();

	fake_lookup_know(l, "a.test MX 20:z.test 10:a.test 10:b.test "
	    "10:c.test\na.test A 192.0.2.1\nb.test A 192.0.2.2\n"
	    "c.test A 192.0.2.3\nz.test A 192.0.2.4");
	ck_assert_int_eq(nexthop_parse(SLICE("mx:a.test"), &n), 0);
	for (i = 0; i < 300; i++) {
		h = hosts_new(&n, &conf, on_more, &calls);
		while (hosts_next(h, &a) == HOSTS_WAIT)
			fake_loop_settle(l);
		ck_assert_int_lt(a.host[0], 'd');
		first[a.host[0] - 'a']++;
		ck_assert_int_eq(hosts_next(h, &a), HOSTS_ADDRESS);
		ck_assert_int_eq(hosts_next(h, &a), HOSTS_ADDRESS);
		ck_assert_int_eq(hosts_next(h, &a), HOSTS_WAIT);
		fake_loop_settle(l);
		ck_assert_int_eq(hosts_next(h, &a), HOSTS_ADDRESS);
		ck_assert_str_eq(a.host, "z.test");
		hosts_free(&h);
	}
	for (i = 0; i < 3; i++)
		ck_assert_uint_gt(first[i], 50);
	loop_free(&l);
}
END_TEST

/* What is not needed is not asked for. */
START_TEST(lazy)
{
	struct hosts_conf conf = make_conf(BOTH, last);
	struct host_address a;
	unsigned calls = 0;
	struct nexthop n;
	struct hosts *h;
	struct loop *l = loop_new();

	fake_lookup_know(l, "a.test MX 10:m.test 20:n.test\n"
	    "m.test A 192.0.2.1\nn.test A 192.0.2.2");
	ck_assert_int_eq(nexthop_parse(SLICE("mx:a.test"), &n), 0);
	h = hosts_new(&n, &conf, on_more, &calls);
	while (hosts_next(h, &a) == HOSTS_WAIT)
		fake_loop_settle(l);
	ck_assert_uint_eq(fake_lookup_asked(), 3);
	/* Freed while it asks. */
	ck_assert_int_eq(hosts_next(h, &a), HOSTS_WAIT);
	calls = 0;
	hosts_free(&h);
	ck_assert_uint_eq(fake_lookup_open(), 0);
	fake_loop_settle(l);
	ck_assert_uint_eq(calls, 0);
	loop_free(&l);
}
END_TEST

UNIT_SUITE(hosts, {
	tcase_add_loop_test(tc, order, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, shuffled);
	tcase_add_test(tc, lazy);
})
