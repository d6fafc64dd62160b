/* SPDX-License-Identifier: ISC */
/*
 * The way of a question. In one round each server is asked once, in the order
 * of servers_pick(); who does not answer in time or answers nonsense is passed
 * over. When the round is over and somebody did answer, though to no use, that
 * is the outcome; when nobody did, the next round begins, until the deadline.
 * RFC 1035 7, RFC 2181 4 (answers from where they were asked), RFC 5452 9.
 */
#include "resolver/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "resolver/message.h"
#include "resolver/servers.h"
#include "resolver/transport.h"
#include "sys/log.h"
#include "sys/loop.h"

enum {
	/* Datagrams that are not the answer, from the right address and port:
	 * somebody guesses. Then TCP, which cannot be guessed into. */
	STRAYS_MAX = 8,
	/* How long a server that takes no EDNS is spared it. */
	PLAIN_MS = 3600000,
	NAME_MAX_TEXT = 1025 /* with escapes, as libresolv writes names */
};

struct query {
	struct loop *loop;
	struct servers *servers;
	const struct query_limits *limits;
	struct buf name;  /* asked for now: an alias's target later on */
	struct buf asked; /* the name as it stands in the query sent last */
	uint16_t type;
	int64_t deadline;
	struct loop_timer timer;
	query_done *done;
	void *arg;

	/* of the chain so far */
	unsigned aliases;
	uint32_t ttl;
	bool is_secure;

	/* of this round */
	unsigned passed;   /* servers that were asked */
	unsigned useless;  /* those among them that answered to no use */
	bool is_bogus;
	int64_t round_ends;

	/* of this try; exchange is NULL between tries */
	struct exchange *exchange;
	enum transport how;
	int server;
	unsigned strays;
	struct message_query message;
	struct message_answer answer;
};

static void ask_next(struct query *q);

static uint64_t
random_bits(void)
{
	uint64_t bits;

	if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
		BUG("no random numbers");
	return bits;
}

/* ---- the end ---- */

static void
finish(struct query *q, enum dns_status status)
{
	struct answer a = { .status = status, .is_secure = q->is_secure,
		.ttl = q->ttl, .canonical = buf_slice(&q->name) };
	uint32_t most = q->limits->max_negative_ttl;

	exchange_free(&q->exchange);
	loop_timer_clear(&q->timer);
	if (status == DNS_OK) {
		a.records = buf_slice(&q->answer.records);
		most = q->limits->max_ttl;
	}
	if (dns_status_is_later(status)) {
		a.is_secure = false;
		/* What failed for want of our own means may work at once. */
		a.ttl = status == DNS_BUSY ? 0 : q->limits->failure_ttl;
	} else if (a.ttl > most) {
		a.ttl = most;
	}
	q->done(q->arg, &a);
}

/* What it comes to when nothing better was heard. */
static enum dns_status
outcome(const struct query *q)
{
	if (q->is_bogus)
		return DNS_BOGUS;
	return q->useless != 0 ? DNS_SERVFAIL : DNS_TIMEOUT;
}

/* ---- asking ---- */

/* RFC 5452 4.3 counts what can be guessed; each letter's case adds a bit. */
static void
vary_case(struct buf *name)
{
	uint64_t bits = 0;
	size_t i;

	for (i = 0; i < name->n; i++) {
		if (i % 64 == 0)
			bits = random_bits();
		if ((bits >> i % 64 & 1) != 0)
			name->p[i] = ascii_upper(name->p[i]);
	}
}

static void on_received(void *arg, struct slice bytes);
static void on_failed(void *arg, int error);

static const struct exchange_events exchange_events = {
	.received = on_received,
	.failed = on_failed
};

/* Sends the question to q->server. -1 with errno when that could not even be
 * begun. */
static int
ask(struct query *q, enum transport how)
{
	const struct server *to = &q->servers->v[q->server];
	int64_t now = clock_boot_ms(), ends = now + q->limits->try_ms;
	struct buf wire;

	exchange_free(&q->exchange);
	buf_reset(&q->asked);
	buf_add_slice(&q->asked, buf_slice(&q->name));
	if (q->limits->has_random_case)
		vary_case(&q->asked);
	q->how = how;
	q->strays = 0;
	q->message = (struct message_query){
		.id = (uint16_t)random_bits(), .type = q->type,
		.name = buf_slice(&q->asked),
		.has_edns = to->plain_until <= now,
		.is_tcp = how == TRANSPORT_TCP,
		.is_exact_case = q->limits->has_random_case
	};
	buf_init(&wire, MESSAGE_UDP_MAX);
	errno = EINVAL; /* of message_build: no server can be asked this */
	if (message_build(&wire, &q->message) == 0)
		q->exchange = exchange_new(q->loop, how, &to->addr.sa,
		    to->addr_len, buf_slice(&wire), &exchange_events, q);
	buf_fini(&wire);
	if (q->exchange == NULL)
		return -1;
	loop_timer_set(&q->timer, ends < q->deadline ? ends : q->deadline);
	return 0;
}

static void
pass_over(struct query *q)
{
	q->passed |= 1U << q->server;
	exchange_free(&q->exchange);
}

/* The server answered, but to no use; or it has no TCP when that is needed. */
static void
pass_useless(struct query *q)
{
	q->useless |= 1U << q->server;
	pass_over(q);
	ask_next(q);
}

static void
begin_round(struct query *q)
{
	q->passed = q->useless = 0;
	q->is_bogus = false;
	q->round_ends = clock_boot_ms() + q->limits->try_ms;
}

/* Is it for want of something of our own that nobody could be asked? */
static bool
is_our_fault(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ||
	    error == ENOBUFS || error == EAGAIN || error == EINVAL;
}

/*
 * Asks the next server of this round. At its end: somebody answered, then it
 * is decided; else wait for what is left of the round (all were refused at
 * once) and begin another.
 */
static void
ask_next(struct query *q)
{
	int64_t now = clock_boot_ms();

	if (now >= q->deadline) {
		finish(q, outcome(q));
		return;
	}
	while ((q->server = servers_pick(q->servers, q->passed)) >= 0) {
		if (ask(q, TRANSPORT_UDP) == 0)
			return;
		if (is_our_fault(errno)) {
			finish(q, DNS_BUSY);
			return;
		}
		servers_silent(q->servers, q->server, true);
		pass_over(q);
	}
	if (q->useless != 0)
		finish(q, outcome(q));
	else
		loop_timer_set(&q->timer, q->round_ends < q->deadline ?
			q->round_ends : q->deadline);
}

/* ---- what comes back ---- */

/* A try, a pause between two rounds, or the wait for the loop is over. */
static void
on_timer(void *arg)
{
	struct query *q = arg;

	if (q->exchange == NULL) {
		begin_round(q);
		ask_next(q);
	} else if (q->how == TRANSPORT_TCP) {
		pass_useless(q);
	} else {
		servers_silent(q->servers, q->server, false);
		pass_over(q);
		ask_next(q);
	}
}

static void
on_failed(void *arg, int error)
{
	struct query *q = arg;

	if (log_is_debug())
		log_debug("event=dns_failed server=%s error=%s",
		    server_name(&q->servers->v[q->server]),
		    LOG_S(strerror(error)));
	if (q->how == TRANSPORT_TCP) {
		pass_useless(q);
		return;
	}
	servers_silent(q->servers, q->server, true);
	pass_over(q);
	ask_next(q);
}

static void
ask_by_tcp(struct query *q)
{
	if (ask(q, TRANSPORT_TCP) < 0)
		pass_useless(q);
}

static void
ask_without_edns(struct query *q)
{
	q->servers->v[q->server].plain_until = clock_boot_ms() + PLAIN_MS;
	if (ask(q, q->how) < 0)
		pass_useless(q);
}

static void
on_stray(struct query *q)
{
	if (q->how == TRANSPORT_TCP)
		pass_useless(q);
	else if (++q->strays >= STRAYS_MAX)
		ask_by_tcp(q);
}

/* Goes on with the target of the aliases (RFC 1034 3.6.2, 5.2.2). */
static void
follow(struct query *q)
{
	exchange_free(&q->exchange);
	begin_round(q);
	ask_next(q);
}

/* Adds what this step says to what the steps before it said. */
static void
join_step(struct query *q)
{
	const struct message_answer *a = &q->answer;

	q->aliases += a->aliases;
	if (a->ttl < q->ttl)
		q->ttl = a->ttl;
	q->is_secure = q->is_secure && a->has_ad &&
	    q->servers->v[q->server].is_trusted;
	buf_reset(&q->name);
	buf_add_slice(&q->name, buf_slice(&a->canonical));
}

static void
conclude(struct query *q, enum message_verdict v)
{
	join_step(q);
	if (!buf_is_ok(&q->name))
		finish(q, DNS_BUSY);
	else if (v == MESSAGE_LOOP || q->aliases > MESSAGE_ALIASES_MAX)
		finish(q, DNS_LOOP);
	else if (v == MESSAGE_ALIAS)
		follow(q);
	else if (v == MESSAGE_RECORDS)
		finish(q, DNS_OK);
	else
		finish(q, v == MESSAGE_NODATA ? DNS_NODATA : DNS_NXDOMAIN);
}

static void
on_received(void *arg, struct slice bytes)
{
	struct query *q = arg;
	enum message_verdict v = message_parse(bytes, &q->message, &q->answer);

	if (v != MESSAGE_OTHER)
		servers_alive(q->servers, q->server);
	switch (v) {
	case MESSAGE_OTHER:
		on_stray(q);
		break;
	case MESSAGE_TRUNCATED:
		ask_by_tcp(q);
		break;
	case MESSAGE_NO_EDNS:
		ask_without_edns(q);
		break;
	case MESSAGE_BOGUS:
		q->is_bogus = true;
		/* No other server may overrule one that we trust. */
		if (q->servers->v[q->server].is_trusted)
			finish(q, DNS_BOGUS);
		else
			pass_useless(q);
		break;
	case MESSAGE_FAILED:
		pass_useless(q);
		break;
	case MESSAGE_RECORDS:
	case MESSAGE_NXDOMAIN:
	case MESSAGE_NODATA:
	case MESSAGE_ALIAS:
	case MESSAGE_LOOP:
		conclude(q, v);
		break;
	}
}

struct query *
query_new(struct loop *l, struct servers *servers,
    const struct query_limits *limits, struct slice name, uint16_t type,
    int64_t deadline, query_done *done, void *arg)
{
	struct query *q = calloc(1, sizeof *q);

	if (q == NULL)
		return NULL;
	q->loop = l;
	q->servers = servers_ref(servers);
	q->limits = limits;
	q->type = type;
	q->deadline = deadline;
	q->done = done;
	q->arg = arg;
	q->ttl = UINT32_MAX;
	q->is_secure = true;
	buf_init(&q->name, NAME_MAX_TEXT);
	buf_init(&q->asked, NAME_MAX_TEXT);
	message_answer_init(&q->answer);
	loop_timer_init(&q->timer, l, on_timer, q);
	buf_add_slice(&q->name, name);
	if (!buf_is_ok(&q->name)) {
		query_free(&q);
		return NULL;
	}
	/* The first round begins from the loop. */
	loop_timer_set(&q->timer, clock_boot_ms());
	return q;
}

void
query_free(struct query **qp)
{
	struct query *q = *qp;

	*qp = NULL;
	if (q == NULL)
		return;
	exchange_free(&q->exchange);
	loop_timer_clear(&q->timer);
	servers_unref(&q->servers);
	buf_fini(&q->name);
	buf_fini(&q->asked);
	message_answer_fini(&q->answer);
	free(q);
}
