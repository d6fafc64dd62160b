/* SPDX-License-Identifier: ISC */
/*
 * Each case is the story of one question, told in lines:
 *
 *	> 1 udp a.example A   this is now being asked of server 1 (newest)
 *	> -                   nothing is being asked
 *	< ITEMS               the server answers (see reply.h)
 *	! ERRNO               the exchange fails: refused or unreach
 *	+ 2000                so many milliseconds pass
 *	dead 1, alive 1       what is thought of the server's health
 *	gone 1 2              servers 1 to 2 cannot be reached from now on
 *	full                  we have no sockets left
 *	edns, plain           how the newest query was made
 *	= ANSWER              the answer has come (see text.h)
 *	= -                   no answer has come yet
 *
 * There are two servers; the question is for the A records of a.example,
 * within 10 s, 2 s for each try. Server 1 is trusted.
 */
#include "resolver/query.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "resolver/servers.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_loop.h"
#include "tests/unit/resolver/fake_transport.h"
#include "tests/unit/resolver/reply.h"
#include "tests/unit/resolver/text.h"
#include "tests/unit/unit.h"

#define ASKED "> 1 udp a.example A\n"
#define GOOD "< an a.example 60 A 192.0.2.1\n"

static const struct {
	const char *name, *story;
} cases[] = {
	{ "an answer",
	    "= -\n" ASKED "edns\n" GOOD "= ok a.example 60: 192.0.2.1\n> -\n" },
	{ "an answer that is vouched for",
	    ASKED "< ad;an a.example 60 A 192.0.2.1\n"
	    "= ok a.example 60 secure: 192.0.2.1\n" },
	{ "vouched for by one nobody trusts",
	    ASKED "+ 2000\n> 2 udp a.example A\n"
	    "< ad;an a.example 60 A 192.0.2.1\n"
	    "= ok a.example 60: 192.0.2.1\n" },
	{ "bounds of ttl",
	    ASKED "< an a.example 999999 A 192.0.2.1\n"
	    "= ok a.example 86400: 192.0.2.1\n" },
	{ "no such name",
	    ASKED "< rcode 3;ns example 9999 SOA 9999\n"
	    "= nxdomain a.example 900\n" },
	{ "no such name, vouched for",
	    ASKED "< ad;rcode 3;ns example 60 SOA 90\n"
	    "= nxdomain a.example 60 secure\n" },
	{ "no such record",
	    ASKED "< ns example 60 SOA 90\n= nodata a.example 60\n" },
	{ "just in time",
	    ASKED "+ 1999\n" GOOD "= ok a.example 60: 192.0.2.1\n" },
	{ "fail over, then back again",
	    ASKED "+ 2000\n> 2 udp a.example A\n+ 2000\n" ASKED
	    "+ 2000\n> 2 udp a.example A\n+ 1000\n" GOOD
	    "= ok a.example 60: 192.0.2.1\n" },
	{ "nobody answers",
	    ASKED "+ 2000\n> 2 udp a.example A\n+ 2000\n" ASKED
	    "+ 2000\n> 2 udp a.example A\n+ 2000\n" ASKED "+ 1999\n= -\n"
	    "+ 1\n= timeout a.example 5\n> -\ndead 1\nalive 2\n" },
	{ "somebody else's answers are not seen",
	    ASKED "< id;an a.example 60 A 192.0.2.9\n= -\n"
	    "< qname b.example;an b.example 60 A 192.0.2.9\n= -\n"
	    "< qtype MX\n= -\n< noqr\n= -\n" GOOD
	    "= ok a.example 60: 192.0.2.1\n" },
	{ "they do not prolong the wait",
	    ASKED "+ 1500\n< id\n+ 500\n> 2 udp a.example A\n" },
	{ "somebody guesses: TCP",
	    ASKED "< id\n< id\n< id\n< id\n< id\n< id\n< id\n" ASKED
	    "< id\n> 1 tcp a.example A\n" GOOD
	    "= ok a.example 60: 192.0.2.1\n" },
	{ "cut off: TCP",
	    ASKED "< tc;an a.example 60 A 192.0.2.9\n> 1 tcp a.example A\n"
	    "edns\n" GOOD "= ok a.example 60: 192.0.2.1\n" },
	{ "TCP is refused: the next server",
	    ASKED "< tc\n> 1 tcp a.example A\n! refused\n"
	    "> 2 udp a.example A\nalive 1\n" GOOD
	    "= ok a.example 60: 192.0.2.1\n" },
	{ "TCP is refused everywhere",
	    ASKED "< tc\n> 1 tcp a.example A\n! refused\n"
	    "> 2 udp a.example A\n< tc\n> 2 tcp a.example A\n+ 2000\n"
	    "= servfail a.example 5\n" },
	{ "cut off by TCP, another id by TCP",
	    ASKED "< tc\n> 1 tcp a.example A\n< tc\n> 2 udp a.example A\n"
	    "< tc\n> 2 tcp a.example A\n< id\n= servfail a.example 5\n" },
	{ "no EDNS",
	    ASKED "edns\n< rcode 1;noq\n" ASKED "plain\n" GOOD
	    "= ok a.example 60: 192.0.2.1\n" },
	{ "neither with nor without",
	    ASKED "< rcode 1\n" ASKED "plain\n< rcode 1\n"
	    "> 2 udp a.example A\nedns\n< rcode 5\n= servfail a.example 5\n" },
	{ "no EDNS by TCP",
	    ASKED "< tc\n> 1 tcp a.example A\n< rcode 1\n"
	    "> 1 tcp a.example A\nplain\n" GOOD
	    "= ok a.example 60: 192.0.2.1\n" },
	{ "a server fails",
	    ASKED "< rcode 2\n> 2 udp a.example A\n" GOOD
	    "= ok a.example 60: 192.0.2.1\nalive 1\n" },
	{ "all servers fail",
	    ASKED "< rcode 2\n> 2 udp a.example A\n< rcode 5\n"
	    "= servfail a.example 5\n" },
	{ "one fails, one is silent: no second round",
	    ASKED "< rcode 2\n> 2 udp a.example A\n+ 2000\n"
	    "= servfail a.example 5\n" },
	{ "a trusted server says bogus",
	    ASKED "< rcode 2;ar . 0 OPT 0 6\n= bogus a.example 5\n" },
	{ "another server says bogus",
	    ASKED "+ 2000\n> 2 udp a.example A\n< rcode 2;ar . 0 OPT 0 6\n"
	    "= bogus a.example 5\n" },
	{ "garbage",
	    ASKED "< an a.example 60 RAW 1 00\n> 2 udp a.example A\n" GOOD
	    "= ok a.example 60: 192.0.2.1\n" },
	{ "nobody listens there",
	    ASKED "! refused\ndead 1\n> 2 udp a.example A\n" GOOD
	    "= ok a.example 60: 192.0.2.1\n" },
	{ "nobody listens anywhere: no haste",
	    ASKED "! refused\n> 2 udp a.example A\n! refused\n> -\n"
	    "+ 1999\n> -\n+ 1\n> 1 udp a.example A\n! refused\n"
	    "> 2 udp a.example A\n" GOOD "= ok a.example 60: 192.0.2.1\n"
	    "alive 2\n" },
	{ "no way to the first",
	    "gone 1 1\n> 2 udp a.example A\ndead 1\n" GOOD
	    "= ok a.example 60: 192.0.2.1\n" },
	{ "no way to anybody",
	    "gone 1 2\n> -\n+ 9999\n= -\n+ 1\n= timeout a.example 5\n" },
	{ "no way for a while",
	    "gone 1 2\n> -\n+ 1000\ngone 9 9\n> -\n+ 1000\n" ASKED GOOD
	    "= ok a.example 60: 192.0.2.1\n" },
	{ "no sockets are left",
	    "full\n> -\n= busy a.example 0\nalive 1\nalive 2\n" },
	{ "no sockets are left for TCP",
	    ASKED "full\n< tc\n= busy a.example 0\nalive 1\nalive 2\n" },
	{ "aliases within an answer",
	    ASKED "< an a.example 60 CNAME b.example;"
	    "an b.example 30 A 192.0.2.1\n= ok b.example 30: 192.0.2.1\n" },
	{ "aliases to ask on for",
	    ASKED "< an a.example 60 CNAME b.test\n> 1 udp b.test A\n"
	    "< an b.test 40 CNAME C.test\n> 1 udp c.test A\n"
	    "< an c.test 50 A 192.0.2.1\n= ok c.test 40: 192.0.2.1\n" },
	{ "each step vouched for",
	    ASKED "< ad;an a.example 60 CNAME b.test\n> 1 udp b.test A\n"
	    "< ad;an b.test 50 A 192.0.2.1\n"
	    "= ok b.test 50 secure: 192.0.2.1\n" },
	{ "one step not vouched for",
	    ASKED "< an a.example 60 CNAME b.test\n> 1 udp b.test A\n"
	    "< ad;an b.test 50 A 192.0.2.1\n= ok b.test 50: 192.0.2.1\n" },
	{ "an alias to nowhere",
	    ASKED "< an a.example 60 CNAME b.test\n> 1 udp b.test A\n"
	    "< rcode 3;ns test 20 SOA 20\n= nxdomain b.test 20\n" },
	{ "a step goes to the other server",
	    ASKED "< rcode 2\n> 2 udp a.example A\n"
	    "< an a.example 60 CNAME b.test\n> 1 udp b.test A\n"
	    "< rcode 2\n> 2 udp b.test A\n< an b.test 50 A 192.0.2.1\n"
	    "= ok b.test 50: 192.0.2.1\n" },
	{ "a circle across answers",
	    ASKED "< an a.example 60 CNAME b.test\n> 1 udp b.test A\n"
	    "< an b.test 60 CNAME a.example\n> 1 udp a.example A\n"
	    "< an a.example 60 CNAME b.test\n< an b.test 60 CNAME a.example\n"
	    "< an a.example 60 CNAME b.test\n< an b.test 60 CNAME a.example\n"
	    "< an a.example 60 CNAME b.test\n< an b.test 60 CNAME a.example\n"
	    "< an a.example 60 CNAME b.test\n< an b.test 60 CNAME a.example\n"
	    "= -\n< an a.example 60 CNAME b.test\n= loop b.test 5\n> -\n" },
	{ "a circle within an answer",
	    ASKED "< an a.example 60 CNAME b.test;"
	    "an b.test 60 CNAME a.example\n"
	    "= loop b.test 5\n" },
	{ "the time is for all steps together",
	    ASKED "+ 1900\n< an a.example 60 CNAME b.test\n"
	    "> 1 udp b.test A\n+ 2000\n> 2 udp b.test A\n+ 2000\n"
	    "> 1 udp b.test A\n+ 2000\n> 2 udp b.test A\n+ 2000\n"
	    "> 1 udp b.test A\n+ 99\n= -\n+ 1\n= timeout b.test 5\n" },
};

static struct {
	struct loop *loop;
	struct servers *servers;
	struct query_limits limits;
	struct query *query;
	struct buf answer;
} self;

static void
on_done(void *arg, const struct answer *a)
{
	(void)arg;
	ck_assert_uint_eq(self.answer.n, 0);
	text_answer(&self.answer, DNS_A, a);
	query_free(&self.query);
}

static void
start(void)
{
	struct ip trusted;

	log_set_level(LOG_LEVEL_ERROR);
	fake_clock_set(1000000);
	fake_unreachable_from = fake_unreachable_to = 0;
	self.loop = loop_new();
	self.servers = servers_new();
	ck_assert_int_eq(servers_add(self.servers, SLICE("192.0.2.1:1")), 0);
	ck_assert_int_eq(servers_add(self.servers, SLICE("192.0.2.2:2")), 0);
	ck_assert_int_eq(ip_parse(SLICE("192.0.2.1"), &trusted), 0);
	servers_trust(self.servers, &trusted);
	self.limits = (struct query_limits){ 2000, 86400, 900, 5, false };
	buf_init(&self.answer, 65536);
	self.query = query_new(self.loop, self.servers, &self.limits,
	    SLICE("a.example"), DNS_A, clock_boot_ms() + 10000, on_done, NULL);
	ck_assert_ptr_nonnull(self.query);
}

static void
stop(void)
{
	query_free(&self.query);
	ck_assert_uint_eq(fake_n_exchanges, 0);
	ck_assert_uint_eq(fake_loop_timers(self.loop), 0);
	ck_assert_uint_eq(self.servers->refs, 1);
	servers_unref(&self.servers);
	loop_free(&self.loop);
	buf_fini(&self.answer);
}

static void
check_asked(const char *name, struct slice want)
{
	struct exchange *x;
	struct asked asked;
	struct buf text;

	if (slice_eq_str(want, "-")) {
		ck_assert_msg(fake_n_exchanges == 0, "%s: something is asked",
		    name);
		return;
	}
	ck_assert_msg(fake_n_exchanges == 1, "%s: nothing asked, want %.*s",
	    name, SLICE_FMT(want));
	x = fake_latest();
	reply_read_query(buf_slice(&x->query), &asked);
	buf_init(&text, 1000);
	buf_addf(&text, "%u %s %s %s", x->port,
	    x->how == TRANSPORT_TCP ? "tcp" : "udp", asked.name.p,
	    dns_type_name(asked.type));
	ck_assert_msg(slice_eq(buf_slice(&text), want),
	    "%s: asked %s, want %.*s", name, text.p, SLICE_FMT(want));
	buf_fini(&text);
	buf_fini(&asked.name);
}

static void
check_edns(const char *name, bool want)
{
	struct asked asked;

	reply_read_query(buf_slice(&fake_latest()->query), &asked);
	ck_assert_msg((asked.opt_size == 1232) == want, "%s", name);
	buf_fini(&asked.name);
}

static void
check_answer(const char *name, struct slice want)
{
	if (slice_eq_str(want, "-"))
		want = SLICE("");
	ck_assert_msg(slice_eq(buf_slice(&self.answer), want),
	    "%s: answer \"%s\", want \"%.*s\"", name, self.answer.p,
	    SLICE_FMT(want));
}

static void
tell_line(const char *name, struct slice line)
{
	struct slice rest = line, word = SLICE_NONE;
	char items[1024];
	uint64_t v = 0;

	ck_assert(slice_split(&rest, ' ', &word));
	if (num_parse(rest, 0, 1000000, &v) < 0)
		v = 0; /* the line has no number */
	if (slice_eq_str(word, ">")) {
		check_asked(name, rest);
	} else if (slice_eq_str(word, "<")) {
		(void)snprintf(items, sizeof items, "%.*s", SLICE_FMT(rest));
		fake_reply(fake_latest(), items);
	} else if (slice_eq_str(word, "!")) {
		fake_fail(fake_latest(), ECONNREFUSED);
	} else if (slice_eq_str(word, "+")) {
		fake_loop_advance(self.loop, (int64_t)v);
	} else if (slice_eq_str(word, "=")) {
		check_answer(name, rest);
	} else if (slice_eq_str(word, "dead")) {
		ck_assert_msg(server_is_dead(&self.servers->v[v - 1]), "%s",
		    name);
	} else if (slice_eq_str(word, "alive")) {
		ck_assert_msg(!server_is_dead(&self.servers->v[v - 1]), "%s",
		    name);
	} else if (slice_eq_str(word, "full")) {
		fake_unreachable_from = 1;
		fake_unreachable_to = 65535;
		fake_reason = EMFILE;
	} else if (slice_eq_str(word, "gone")) {
		fake_unreachable_from = (unsigned)(rest.p[0] - '0');
		fake_unreachable_to = (unsigned)(rest.p[2] - '0');
	} else {
		check_edns(name, slice_eq_str(word, "edns"));
	}
}

START_TEST(stories)
{
	struct slice story = slice_str(cases[_i].story), line;

	while (slice_split(&story, '\n', &line) && line.n > 0) {
		/* Nothing is asked before the loop runs. */
		if (line.p[0] == '>')
			fake_loop_settle(self.loop);
		tell_line(cases[_i].name, line);
	}
}
END_TEST

/* Each query has an id of its own; with random case, a name of its own. */
START_TEST(hard_to_guess)
{
	unsigned i, ids = 0, names = 0;
	struct asked before, now;

	self.limits.has_random_case = true;
	fake_loop_settle(self.loop);
	reply_read_query(buf_slice(&fake_latest()->query), &before);
	for (i = 0; i < 4; i++) {
		fake_loop_advance(self.loop, 2000);
		reply_read_query(buf_slice(&fake_latest()->query), &now);
		ids += now.id != before.id;
		names += !slice_eq(buf_slice(&now.name),
		    buf_slice(&before.name));
		ck_assert(slice_ieq(buf_slice(&now.name), SLICE("a.example")));
		buf_fini(&before.name);
		before = now;
	}
	buf_fini(&before.name);
	ck_assert_uint_ge(ids, 3);
	ck_assert_uint_ge(names, 2);
	/* The answer must repeat it. */
	fake_reply(fake_latest(),
	    "qname A.EXAMPLE;an a.example 60 A 192.0.2.1");
	fake_reply(fake_latest(),
	    "qname a.example;an a.example 60 A 192.0.2.1");
	fake_reply(fake_latest(), "an A.example 60 A 192.0.2.1");
	ck_slice_str(buf_slice(&self.answer), "ok a.example 60: 192.0.2.1");
}
END_TEST

START_TEST(freed_early)
{
	query_free(&self.query);
	fake_loop_advance(self.loop, 20000);
	ck_assert_uint_eq(self.answer.n, 0);
	ck_assert_uint_eq(fake_begun, 0);
}
END_TEST

UNIT_SUITE(query, {
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_loop_test(tc, stories, 0,
	    (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, hard_to_guess);
	tcase_add_test(tc, freed_early);
})
