/* SPDX-License-Identifier: ISC */
#include "sys/sockaddr.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "tests/unit/unit.h"

/* want NULL: refused. */
static const struct {
	const char *in, *want;
} texts[] = {
	{ "192.0.2.1:25", "192.0.2.1:25" },
	{ "192.0.2.1", "192.0.2.1:7" },
	{ "[2001:db8::1]:25", "[2001:db8::1]:25" },
	{ "[::1]", "[::1]:7" },
	{ "::1", "[::1]:7" },
	{ "2001:DB8:0:0::1", "[2001:db8::1]:7" },
	{ "[::ffff:192.0.2.1]:25", "192.0.2.1:25" },
	{ "*", "[::]:7" },
	{ "*:465", "[::]:465" },
	{ "127.0.0.1:0", "127.0.0.1:0" },
	{ "unix:/run/lmtp", "unix:/run/lmtp" },
	{ "/run/lmtp", "unix:/run/lmtp" },
	{ "", NULL },
	{ ":25", NULL },
	{ "192.0.2.1:", NULL },
	{ "192.0.2.1:65536", NULL },
	{ "192.0.2.1:+5", NULL },
	{ "192.0.2:25", NULL },
	{ "192.0.2.1.:25", NULL },
	{ "[192.0.2.1]:25", NULL },
	{ "[192.0.2.1]", NULL },
	{ "[::1", NULL },
	{ "[::1]25", NULL },
	{ "[::1]:", NULL },
	{ "[]", NULL },
	{ "[]:25", NULL },
	{ "fe80::1%eth0", NULL },
	{ "mail.example:25", NULL },
	{ "unix:run", NULL },
	{ "unix:", NULL },
	{ "/", NULL },
};

START_TEST(parses)
{
	struct slice in = guard_copy(slice_str(texts[_i].in));
	struct sockaddr_storage ss;
	char text[SOCKADDR_TEXT_MAX];
	socklen_t len;
	int r;

	r = sockaddr_parse(in, 7, &ss, &len);
	ck_assert_msg((r == 0) == (texts[_i].want != NULL), "%s", texts[_i].in);
	if (r == 0)
		ck_assert_str_eq(sockaddr_format_port(
				     (struct sockaddr *)&ss, len, text),
		    texts[_i].want);
}
END_TEST

static socklen_t
make(const char *text, struct sockaddr_storage *ss)
{
	socklen_t len;

	ck_assert_int_eq(sockaddr_parse(slice_str(text), 7, ss, &len), 0);
	return len;
}

static const struct {
	const char *in, *key;
} keys[] = {
	{ "192.0.2.1:25", "192.0.2.1" },
	{ "[::ffff:192.0.2.1]:25", "192.0.2.1" },
	{ "[2001:db8:1:2:3:4:5:6]:25", "2001:db8:1:2::/64" },
	{ "[2001:db8:1:2:ffff::]:25", "2001:db8:1:2::/64" },
	{ "[1111:2222:3333:4444:5555:6666:7777:8888]:1",
	    "1111:2222:3333:4444::/64" },
	{ "unix:/run/x", "unix" },
};

START_TEST(counts_clients)
{
	struct sockaddr_storage ss;
	char key[SOCKADDR_KEY_MAX];
	socklen_t len = make(keys[_i].in, &ss);

	ck_assert_str_eq(sockaddr_client_key((struct sockaddr *)&ss, len, key),
	    keys[_i].key);
}
END_TEST

/* has: -1 when the network is refused. */
static const struct {
	const char *net, *addr;
	int has;
} nets[] = {
	{ "192.0.2.0/24", "192.0.2.255", 1 },
	{ "192.0.2.0/24", "192.0.3.0", 0 },
	{ "192.0.2.128/25", "192.0.2.127", 0 },
	{ "192.0.2.128/25", "192.0.2.128", 1 },
	{ "10.0.0.0/9", "10.127.0.1", 1 },
	{ "10.0.0.0/9", "10.128.0.1", 0 },
	{ "192.0.2.1", "192.0.2.1", 1 },
	{ "192.0.2.1", "192.0.2.2", 0 },
	{ "0.0.0.0/0", "203.0.113.9", 1 },
	{ "0.0.0.0/0", "::1", 0 },
	{ "::/0", "::1", 1 },
	{ "::/0", "192.0.2.1", 0 },
	{ "2001:db8::/33", "2001:db8:7fff::", 1 },
	{ "2001:db8::/33", "2001:db8:8000::", 0 },
	{ "[::1]", "::1", 1 },
	{ "[2001:db8::]/32", "2001:db8::9", 1 },
	{ "::ffff:192.0.2.0/120", "192.0.2.9", 1 },
	{ "192.0.2.0/24", "::ffff:192.0.2.9", 1 },
	{ "192.0.2.1/24", "192.0.2.1", -1 },
	{ "2001:db8::1/64", "::1", -1 },
	{ "192.0.2.0/33", "::1", -1 },
	{ "192.0.2.0/", "::1", -1 },
	{ "192.0.2.0/-1", "::1", -1 },
	{ "::/129", "::1", -1 },
	{ "[192.0.2.1]", "::1", -1 },
	{ "", "::1", -1 },
	{ "/8", "::1", -1 },
};

START_TEST(matches_networks)
{
	struct slice in = guard_copy(slice_str(nets[_i].net));
	struct sockaddr_storage ss;
	struct cidr net;
	socklen_t len = make(nets[_i].addr, &ss);
	int got;

	got = cidr_parse(in, &net) < 0
	    ? -1
	    : cidr_has(&net, (struct sockaddr *)&ss, len);
	ck_assert_msg(got == nets[_i].has, "%s %s: %d", nets[_i].net,
	    nets[_i].addr, got);
}
END_TEST

START_TEST(small_things)
{
	struct sockaddr_storage ss;
	char text[SOCKADDR_TEXT_MAX];
	socklen_t len = make("[::ffff:127.0.0.9]:1", &ss);

	ck_assert(sockaddr_is_loopback((struct sockaddr *)&ss, len));
	sockaddr_unmap(&ss, &len);
	ck_assert_int_eq(ss.ss_family, AF_INET);
	sockaddr_set_port(&ss, 99);
	ck_assert_int_eq(sockaddr_port((struct sockaddr *)&ss, len), 99);
	ck_assert_str_eq(sockaddr_format((struct sockaddr *)&ss, len, text),
	    "127.0.0.9");
	len = make("::2", &ss);
	ck_assert(!sockaddr_is_loopback((struct sockaddr *)&ss, len));
	ck_assert_str_eq(sockaddr_format((struct sockaddr *)&ss, 0, text),
	    "unknown");
	/* An unnamed UNIX socket: what accept() gives. */
	ss.ss_family = AF_UNIX;
	ck_assert_str_eq(sockaddr_format((struct sockaddr *)&ss, 2, text),
	    "unix");
	ck_assert_str_eq(sockaddr_format_port((struct sockaddr *)&ss, 2, text),
	    "unix");
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

UNIT_SUITE(sockaddr, {
	tcase_add_loop_test(tc, parses, 0, COUNT(texts));
	tcase_add_loop_test(tc, counts_clients, 0, COUNT(keys));
	tcase_add_loop_test(tc, matches_networks, 0, COUNT(nets));
	tcase_add_test(tc, small_things);
})
