/* SPDX-License-Identifier: ISC */
#include "resolver/servers.h"

#include <errno.h>

#include "base/clock.h"
#include "sys/log.h"
#include "tests/fake/fake_clock.h"
#include "tests/unit/unit.h"

static const struct {
	const char *in, *name; /* NULL when refused */
	int family;
	unsigned scope;
} addresses[] = {
	{ "192.0.2.1", "192.0.2.1", AF_INET },
	{ "192.0.2.1:5353", "[192.0.2.1]:5353", AF_INET },
	{ "[192.0.2.1]:53", "192.0.2.1", AF_INET },
	{ "[192.0.2.1]", "192.0.2.1", AF_INET },
	{ " 192.0.2.1\t", "192.0.2.1", AF_INET },
	{ "2001:db8::1", "2001:db8::1", AF_INET6 },
	{ "[2001:db8::1]:5353", "[2001:db8::1]:5353", AF_INET6 },
	{ "::1", "::1", AF_INET6 },
	{ "fe80::1%2", "fe80::1", AF_INET6, 2 },
	{ "[fe80::1%3]:54", "[fe80::1]:54", AF_INET6, 3 },
	{ "", NULL },
	{ "ns.example", NULL },
	{ "192.0.2.1:", NULL },
	{ "192.0.2.1:0", NULL },
	{ "192.0.2.1:65536", NULL },
	{ "192.0.2.1:53x", NULL },
	{ "192.0.2.1%1", NULL },
	{ "[192.0.2.1", NULL },
	{ "[192.0.2.1]x", NULL },
	{ "[192.0.2.1]:", NULL },
	{ "fe80::1%eth0", NULL },
	{ "fe80::1%0", NULL },
	{ "2001:db8::1:53:x", NULL },
};

static const struct {
	const char *name, *text;
	size_t n;
	unsigned bad;
	const char *first, *last;
} files[] = {
	{ "none", "", 1, 0, "127.0.0.1", "127.0.0.1" },
	{ "comments", "# nameserver 192.0.2.9\n;x\n\n", 1, 0, "127.0.0.1",
	    "127.0.0.1" },
	{ "usual", "search example.com\nnameserver 192.0.2.1\n"
	    "nameserver\t2001:db8::1 \noptions edns0 trust-ad\n",
	    2, 0, "192.0.2.1", "2001:db8::1" },
	{ "no line end, CR", "nameserver 192.0.2.1\r\nnameserver 192.0.2.2", 2,
	    0, "192.0.2.1", "192.0.2.2" },
	{ "twice the same", "nameserver 192.0.2.1\nnameserver 192.0.2.1\n", 1,
	    0, "192.0.2.1", "192.0.2.1" },
	{ "a bad one", "nameserver fe80::1%eth0\nnameserver 192.0.2.2\n", 1, 1,
	    "192.0.2.2", "192.0.2.2" },
	{ "only bad ones", "nameserver\nnameserver x\n", 1, 2, "127.0.0.1",
	    "127.0.0.1" },
	{ "not quite the word", "nameservers 192.0.2.1\n", 1, 0, "127.0.0.1",
	    "127.0.0.1" },
};

static struct servers *s;

static void
start(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	fake_clock_set(1000);
	s = servers_new();
}

static void
stop(void)
{
	servers_unref(&s);
}

static void
add(const char *text)
{
	ck_assert_int_eq(servers_add(s, slice_str(text)), 0);
}

START_TEST(address)
{
	int rc = servers_add(s, guard_copy(slice_str(addresses[_i].in)));
	struct server *v = &s->v[0];

	if (addresses[_i].name == NULL) {
		ck_assert_msg(rc == -1 && errno == EINVAL, "%s",
		    addresses[_i].in);
		ck_assert_uint_eq(s->n, 0);
		return;
	}
	ck_assert_msg(rc == 0, "%s", addresses[_i].in);
	ck_assert_str_eq(server_name(v), addresses[_i].name);
	ck_assert_int_eq(v->addr.sa.sa_family, addresses[_i].family);
	if (addresses[_i].family == AF_INET) {
		ck_assert_uint_eq(v->addr_len, sizeof v->addr.in);
		ck_assert_uint_eq(ntohl(v->addr.in.sin_addr.s_addr),
		    0xc0000201);
		ck_assert_uint_eq(ntohs(v->addr.in.sin_port), v->port);
	} else {
		ck_assert_uint_eq(v->addr_len, sizeof v->addr.in6);
		ck_assert_uint_eq(v->addr.in6.sin6_addr.s6_addr[15], 1);
		ck_assert_uint_eq(v->addr.in6.sin6_scope_id,
		    addresses[_i].scope);
		ck_assert_uint_eq(ntohs(v->addr.in6.sin6_port), v->port);
	}
}
END_TEST

START_TEST(resolv_conf)
{
	unsigned bad = servers_add_resolv_conf(s,
	    guard_copy(slice_str(files[_i].text)));

	ck_assert_msg(bad == files[_i].bad, "%s", files[_i].name);
	ck_assert_msg(s->n == files[_i].n, "%s: %zu", files[_i].name, s->n);
	ck_assert_str_eq(server_name(&s->v[0]), files[_i].first);
	ck_assert_str_eq(server_name(&s->v[s->n - 1]), files[_i].last);
}
END_TEST

START_TEST(full)
{
	char text[] = "192.0.2.0";
	int i;

	for (i = 0; i < SERVERS_MAX; i++) {
		text[8] = (char)('1' + i);
		add(text);
	}
	add("192.0.2.1");
	ck_assert_int_eq(servers_add(s, SLICE("192.0.2.9")), -1);
	ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

START_TEST(trust)
{
	struct ip ip;

	add("127.0.0.53");
	add("192.0.2.1:1");
	add("192.0.2.1:2");
	add("::1");
	ck_assert_int_eq(ip_parse(SLICE("192.0.2.1"), &ip), 0);
	servers_trust(s, &ip);
	ck_assert(!s->v[0].is_trusted && s->v[1].is_trusted);
	ck_assert(s->v[2].is_trusted && !s->v[3].is_trusted);
	servers_trust(s, NULL);
	ck_assert(s->v[0].is_trusted && s->v[3].is_trusted);
}
END_TEST

START_TEST(order)
{
	add("192.0.2.1");
	add("192.0.2.2");
	add("192.0.2.3");
	ck_assert_int_eq(servers_pick(s, 0), 0);
	ck_assert_int_eq(servers_pick(s, 1), 1);
	ck_assert_int_eq(servers_pick(s, 5), 1);
	ck_assert_int_eq(servers_pick(s, 3), 2);
	ck_assert_int_eq(servers_pick(s, 7), -1);
}
END_TEST

START_TEST(death_and_return)
{
	int i;

	add("192.0.2.1");
	add("192.0.2.2");
	servers_silent(s, 0, false);
	servers_silent(s, 0, false);
	/* One answer between makes it well again. */
	servers_alive(s, 0);
	servers_silent(s, 0, false);
	servers_silent(s, 0, false);
	ck_assert_int_eq(servers_pick(s, 0), 0);
	servers_silent(s, 0, false);
	ck_assert(server_is_dead(&s->v[0]));
	ck_assert_int_eq(servers_pick(s, 0), 1);
	/* Others that were still waiting for it make it no worse. */
	for (i = 0; i < 50; i++)
		servers_silent(s, 0, false);
	ck_assert_int_eq(servers_pick(s, 2), 0);
	fake_clock_set(1000 + 10000);
	/* One asker tries it, the others go on to the second. */
	ck_assert_int_eq(servers_pick(s, 0), 0);
	ck_assert_int_eq(servers_pick(s, 0), 1);
	servers_silent(s, 0, false);
	ck_assert_int_eq(servers_pick(s, 0), 1);
	fake_clock_set(1000 + 10000 + 19999);
	ck_assert_int_eq(servers_pick(s, 0), 1);
	fake_clock_set(1000 + 10000 + 20000);
	ck_assert_int_eq(servers_pick(s, 0), 0);
	servers_alive(s, 0);
	ck_assert(!server_is_dead(&s->v[0]));
	ck_assert_int_eq(servers_pick(s, 0), 0);
	ck_assert_int_eq(servers_pick(s, 0), 0);
}
END_TEST

START_TEST(all_dead)
{
	int i;

	add("192.0.2.1");
	add("192.0.2.2");
	servers_silent(s, 0, true);
	fake_clock_set(2000);
	servers_silent(s, 1, true);
	/* The one that may come back the soonest, then the other. */
	ck_assert_int_eq(servers_pick(s, 0), 0);
	ck_assert_int_eq(servers_pick(s, 1), 1);
	/* The span is bounded. */
	for (i = 0; i < 40; i++) {
		fake_clock_set(clock_boot_ms() + 300001);
		ck_assert_int_eq(servers_pick(s, 2), 0);
		servers_silent(s, 0, true);
	}
	ck_assert_int_le(s->v[0].dead_until, clock_boot_ms() + 300000);
}
END_TEST

START_TEST(inherited)
{
	struct servers *next = servers_new(), *other;

	add("192.0.2.1");
	add("192.0.2.2");
	servers_silent(s, 1, true);
	s->v[1].is_trusted = true;
	ck_assert_int_eq(servers_add(next, SLICE("192.0.2.2")), 0);
	ck_assert_int_eq(servers_add(next, SLICE("192.0.2.1:54")), 0);
	servers_inherit(next, s);
	ck_assert(server_is_dead(&next->v[0]));
	ck_assert(!next->v[0].is_trusted);
	ck_assert(!server_is_dead(&next->v[1]));
	ck_assert_str_eq(server_name(&next->v[1]), "[192.0.2.1]:54");
	other = servers_ref(next);
	servers_unref(&next);
	ck_assert_ptr_null(next);
	ck_assert_uint_eq(other->n, 2);
	servers_unref(&other);
}
END_TEST

UNIT_SUITE(servers, {
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_loop_test(tc, address, 0,
	    (int)(sizeof addresses / sizeof *addresses));
	tcase_add_loop_test(tc, resolv_conf, 0,
	    (int)(sizeof files / sizeof *files));
	tcase_add_test(tc, full);
	tcase_add_test(tc, trust);
	tcase_add_test(tc, order);
	tcase_add_test(tc, death_and_return);
	tcase_add_test(tc, all_dead);
	tcase_add_test(tc, inherited);
})
