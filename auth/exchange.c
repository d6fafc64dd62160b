/* SPDX-License-Identifier: ISC */
/*
 * The exchanges of all fronts, and the client's side of each: its messages in,
 * challenges and the answer out. Whatever comes back for one (from directory,
 * state, broker, a worker) finds it by its key, or that it is gone.
 */
#include "auth/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "auth/exchange_priv.h"
#include "auth/hashing.h"
#include "base/base64.h"
#include "base/clock.h"
#include "proto/limits.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/row.h"
#include "sys/saslprep.h"
#include "sys/sockaddr.h"

enum {
	EXCHANGES_MAX = 20000, /* of all fronts */
	IDLE_MS = 180000,      /* for the client's next message */
	NONCE_RANDOM = 18,
	CLIENT_MAX = 64, SERVICE_MAX = 16
};

struct exchanges exchanges;

/* ---- life ---- */

static struct slice
key_slice(const uint64_t key[2])
{
	return (struct slice){ (const char *)key, 2 * sizeof *key };
}

struct exchange *
exchange_find(const uint64_t key[2])
{
	return map_get(&exchanges.map, key_slice(key));
}

void
exchange_free(struct exchange *x)
{
	(void)map_remove(&exchanges.map, key_slice(x->key));
	list_remove(&x->link);
	ipc_call_cancel(&x->calls[0]);
	ipc_call_cancel(&x->calls[1]);
	loop_timer_clear(&x->timer);
	sasl_server_fini(&x->sasl);
	scram_keys_wipe(&x->keys);
	buf_fini_secret(&x->binding);
	buf_fini(&x->client);
	buf_fini(&x->service);
	buf_fini_secret(&x->name);
	buf_fini(&x->address);
	explicit_bzero(x->ticket, sizeof x->ticket);
	free(x);
}

static void
send_answer(uint64_t serial, const struct ipc_AUTH_ANSWER *a)
{
	struct ipc_link *l = ipc_link_find(serial);

	if (l != NULL)
		ipc_send_raw(l, IPC_AUTH_ANSWER, a, -1);
}

/* The last answer of an exchange. */
void
exchange_finish(struct exchange *x, enum auth_result result)
{
	struct ipc_AUTH_ANSWER a = { .req = x->req,
		.result = (uint8_t)result };

	if (result == AUTH_OK) {
		a.account = x->account;
		a.address = buf_slice(&x->address);
		if (x->front == ROLE_ACCESS)
			a.ticket = (struct slice){ x->ticket, TICKET_SIZE };
	}
	if (result == AUTH_LATER)
		exchanges.later++;
	send_answer(x->key[0], &a);
	exchange_free(x);
}

void
exchange_log(const struct exchange *x, const char *event, const char *why)
{
	if (x->is_found)
		log_info("event=%s service=%s client=%s mech=%s account=%llu "
		    "user=%s%s%s", event, LOG_V(buf_slice(&x->service)),
		    LOG_V(buf_slice(&x->client)), sasl_mech_name(x->mech),
		    (unsigned long long)x->account,
		    LOG_V(buf_slice(&x->address)), why[0] == 0 ? "" : " why=",
		    why);
	else
		log_info("event=%s service=%s client=%s mech=%s "
		    "user=unknown%s%s", event, LOG_V(buf_slice(&x->service)),
		    LOG_V(buf_slice(&x->client)), sasl_mech_name(x->mech),
		    why[0] == 0 ? "" : " why=", why);
}

void
exchange_finish_later(struct exchange *x, const char *why)
{
	log_warn("event=auth_later service=%s client=%s why=%s",
	    LOG_V(buf_slice(&x->service)), LOG_V(buf_slice(&x->client)), why);
	exchange_finish(x, AUTH_LATER);
}

/* The client took too long, or an answer was held back long enough. */
static void
on_timer(void *arg)
{
	struct exchange *x = arg;

	if (x->state == AT_HELD)
		exchange_finish(x, x->held);
	else
		exchange_free(x);
}

/* ---- messages of the client ---- */

static void
send_challenge(struct exchange *x, const struct buf *out)
{
	struct ipc_AUTH_ANSWER a = { .req = x->req, .result = AUTH_CONTINUE,
		.challenge = buf_slice(out) };

	x->state = AT_SASL;
	x->req = 0;
	loop_timer_set(&x->timer, clock_boot_ms() + IDLE_MS);
	send_answer(x->key[0], &a);
}

static void
finish_malformed(struct exchange *x)
{
	exchanges.malformed++;
	exchange_log(x, "auth_malformed",
	    x->mech >= SASL_SCRAM_SHA_256 ? scram_error_name(x->sasl.error)
					  : "");
	exchange_finish(x, AUTH_MALFORMED);
}

/* What the mechanism wants next. *x may be gone afterwards. */
void
exchange_step(struct exchange *x, enum sasl_step step, struct buf *out)
{
	switch (step) {
	case SASL_CHALLENGE:
		if (buf_is_ok(out))
			send_challenge(x, out);
		else
			exchange_finish_later(x, "memory");
		return;
	case SASL_PASSWORD:
		x->goal = GOAL_PASSWORD;
		attempt_identify(x);
		return;
	case SASL_KEYS:
		x->goal = GOAL_KEYS;
		attempt_identify(x);
		return;
	case SASL_PROOF:
		attempt_check_proof(x, out);
		return;
	case SASL_DONE:
		attempt_grant(x);
		return;
	case SASL_REFUSED:
		finish_malformed(x);
		return;
	}
}

static void
feed(struct exchange *x, struct slice message)
{
	struct buf out;

	x->began = clock_boot_ms();
	loop_timer_clear(&x->timer);
	buf_init(&out, LIMIT_SASL_MESSAGE);
	exchange_step(x, sasl_server_feed(&x->sasl, message, &out), &out);
	buf_fini_secret(&out);
}

static void
begin(struct exchange *x)
{
	struct buf out;

	x->began = clock_boot_ms();
	buf_init(&out, LIMIT_SASL_MESSAGE);
	exchange_step(x, sasl_server_start(&x->sasl, &out), &out);
	buf_fini_secret(&out);
}

/* Under what the client is counted: an address, or the /64 of one. */
static void
take_client(struct exchange *x, struct slice text)
{
	char key[SOCKADDR_KEY_MAX];
	struct sockaddr_storage sa;
	socklen_t len;

	if (sockaddr_parse(text, 0, &sa, &len) == 0 &&
	    sa.ss_family != AF_UNIX)
		buf_add_str(&x->client, sockaddr_client_key(
		    (const struct sockaddr *)&sa, len, key));
	else
		buf_add_slice(&x->client, slice_head(text, CLIENT_MAX));
}

static int
init_sasl(struct exchange *x, const struct ipc_AUTH_START *s)
{
	char random[NONCE_RANDOM];
	struct sasl_channel channel = { 0 };
	struct buf nonce;

	if (getrandom(random, sizeof random, 0) != sizeof random)
		return -1;
	buf_add_slice(&x->binding, s->binding);
	channel.exporter = buf_slice(&x->binding);
	buf_init(&nonce, 64);
	base64_encode(&nonce, (struct slice){ random, sizeof random });
	sasl_server_init(&x->sasl, (enum sasl_mech)s->mech, &channel,
	    buf_slice(&nonce));
	buf_fini(&nonce);
	return buf_is_ok(&x->binding) ? 0 : -1;
}

static struct exchange *
exchange_new(struct ipc_link *l, const struct ipc_AUTH_START *s)
{
	struct exchange *x = calloc(1, sizeof *x);

	if (x == NULL)
		return NULL;
	x->key[0] = ipc_link_serial(l);
	x->key[1] = s->exchange;
	if (map_put(&exchanges.map, key_slice(x->key), x, NULL) < 0) {
		free(x);
		return NULL;
	}
	list_add(&exchanges.all, &x->link);
	x->req = s->req;
	x->front = ipc_link_peer(l);
	x->instance = ipc_link_instance(l);
	x->mech = (enum sasl_mech)s->mech;
	buf_init(&x->binding, LIMIT_SASL_BINDING);
	buf_init(&x->client, SOCKADDR_TEXT_MAX);
	buf_init(&x->service, SERVICE_MAX);
	buf_init(&x->name, SASLPREP_MAX);
	buf_init(&x->address, 1024);
	buf_add_slice(&x->service, slice_head(s->service, SERVICE_MAX));
	take_client(x, s->client);
	loop_timer_init(&x->timer, exchanges.loop, on_timer, x);
	if (init_sasl(x, s) == 0)
		return x;
	exchange_free(x);
	return NULL;
}

void
exchange_on_start(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_AUTH_START *s = &m->AUTH_START;
	uint64_t key[2] = { ipc_link_serial(l), s->exchange };
	struct exchange *x = exchange_find(key);

	(void)fd;
	if (x != NULL) /* a number used again: the old one is over */
		exchange_free(x);
	if (s->mech >= SASL_MECHS || s->binding.n > LIMIT_SASL_BINDING) {
		ipc_send(l, AUTH_ANSWER, -1, .req = s->req,
		    .result = AUTH_MALFORMED);
		return;
	}
	x = exchanges.map.n < EXCHANGES_MAX && !daemon_is_stopping()
	    ? exchange_new(l, s) : NULL;
	if (x == NULL) {
		exchanges.later++;
		ipc_send(l, AUTH_ANSWER, -1, .req = s->req,
		    .result = AUTH_LATER);
		return;
	}
	if (s->has_initial)
		feed(x, s->initial);
	else
		begin(x);
}

void
exchange_on_more(struct ipc_link *l, const union ipc_any *m, int fd)
{
	uint64_t key[2] = { ipc_link_serial(l), m->AUTH_MORE.exchange };
	struct exchange *x = exchange_find(key);

	(void)fd;
	if (x == NULL || x->state != AT_SASL || x->req != 0) {
		/* Timed out here, or a message too many. */
		ipc_send(l, AUTH_ANSWER, -1, .req = m->AUTH_MORE.req,
		    .result = x == NULL ? AUTH_LATER : AUTH_MALFORMED);
		return;
	}
	x->req = m->AUTH_MORE.req;
	feed(x, m->AUTH_MORE.response);
}

void
exchange_on_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	uint64_t key[2] = { ipc_link_serial(l), m->AUTH_ABORT.exchange };
	struct exchange *x = exchange_find(key);

	(void)fd;
	if (x != NULL)
		exchange_free(x);
}

void
exchanges_drop(const struct ipc_link *l)
{
	uint64_t serial = ipc_link_serial(l);
	struct list *it, *tmp;
	struct exchange *x;

	LIST_EACH(it, tmp, &exchanges.all) {
		x = LIST_OF(it, struct exchange, link);
		if (x->key[0] == serial)
			exchange_free(x);
	}
}

/* ---- the role ---- */

void
exchanges_init(struct loop *l, struct passwords *p)
{
	exchanges.loop = l;
	exchanges.passwords = p;
	map_init(&exchanges.map);
	list_init(&exchanges.all);
}

void
exchanges_configure(const struct conf_auth *conf)
{
	exchanges.conf = *conf;
}

void
exchanges_fini(void)
{
	struct list *it, *tmp;

	LIST_EACH(it, tmp, &exchanges.all)
		exchange_free(LIST_OF(it, struct exchange, link));
	map_fini(&exchanges.map);
}

void
exchanges_status(struct buf *row)
{
	row_pair_u64(row, "good", exchanges.good);
	row_pair_u64(row, "failed", exchanges.failed);
	row_pair_u64(row, "slowed", exchanges.slowed);
	row_pair_u64(row, "malformed", exchanges.malformed);
	row_pair_u64(row, "later", exchanges.later);
	row_pair_u64(row, "remembered", exchanges.remembered);
	row_pair_u64(row, "in_work", exchanges.map.n);
	row_pair_u64(row, "hashing", hashing_pending());
}
