/* SPDX-License-Identifier: ISC */
/*
 * The login: a SASL exchange (RFC 4422) between the client and `auth`, which
 * alone looks into it, then the broker's introduction to the owner, whom only
 * the ticket names. What passes here is a password at worst: it is kept no
 * longer than the call, wiped, and never logged.
 */
#include "mda/access_client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_server.h"
#include "mda/tickets.h"
#include "proto/limits.h"
#include "proto/scram.h"
#include "proto/status.h"
#include "sys/auth_result.h"
#include "sys/conn.h"
#include "sys/daemon.h"
#include "sys/log.h"

struct access_login {
	struct access_client *client;
	struct ipc_call *call; /* of auth or the broker */
	uint64_t auth;         /* the link's serial: the exchange is there */
	uint64_t exchange;
	enum sasl_mech mech;
	bool is_open;   /* auth has not said its last word */
	bool is_proved; /* success was sent with data; an empty line is due */
	bool is_noted;  /* the message that holds the name was seen */
	struct buf user; /* as far as known: for the log */
	char ticket[TICKET_SIZE];
	int stream;
};

static uint64_t last_exchange;

/* ---- life ---- */

void
access_login_end(struct access_client *c)
{
	struct access_login *g = c->login;
	struct ipc_link *auth;

	c->login = NULL;
	if (g == NULL)
		return;
	ipc_call_cancel(&g->call);
	auth = g->is_open ? ipc_link_find(g->auth) : NULL;
	if (auth != NULL)
		ipc_send(auth, AUTH_ABORT, -1, .exchange = g->exchange);
	if (g->stream >= 0)
		(void)close(g->stream);
	buf_fini(&g->user);
	explicit_bzero(g, sizeof *g);
	free(g);
}

static void
refuse(struct access_client *c, enum access_refusal why, struct slice text)
{
	access_login_end(c);
	if (c->state != ACCESS_COMMANDS)
		access_client_enter(c, ACCESS_COMMANDS);
	c->protocol->refuse(c, why, text);
}

static void
log_failed(const struct access_client *c, const char *why)
{
	const struct access_login *g = c->login;

	log_info("event=login_failed session=%s service=%s client=%s user=%s "
		 "tls=%s mech=%s why=%s",
	    c->front.id, c->front.service, conn_peer(c->conn),
	    LOG_V(buf_slice(&g->user)),
	    conn_is_tls(c->conn) ? conn_tls_version(c->conn) : "no",
	    sasl_mech_name(g->mech), why);
}

/* Wrong passwords, and what else costs the client one of its tries. */
static void
refuse_and_count(struct access_client *c, enum access_refusal why,
    const char *word)
{
	log_failed(c, word);
	refuse(c, why, SLICE_NONE);
	access_client_failure(c);
}

/* ---- the broker ---- */

static void
refused_by_broker(struct access_client *c, const struct ipc_SESSION_REFUSED *r)
{
	log_failed(c, r->outcome == OUTCOME_FAILED ? "mailbox_refused"
						   : "mailbox_later");
	refuse(c, r->outcome == OUTCOME_FAILED ? ACCESS_NO_OWNER_FAILED
					       : ACCESS_NO_OWNER_LATER,
	    r->text);
}

static void
log_login(const struct access_client *c)
{
	const struct access_login *g = c->login;

	log_info("event=login session=%s service=%s client=%s user=%s tls=%s "
		 "mech=%s",
	    c->front.id, c->front.service, conn_peer(c->conn),
	    LOG_V(buf_slice(&g->user)),
	    conn_is_tls(c->conn) ? conn_tls_version(c->conn) : "no",
	    sasl_mech_name(g->mech));
}

static void
on_session(void *arg, int type, const union ipc_any *m, int fd)
{
	struct access_client *c = arg;
	struct access_login *g = c->login;
	int stream = g->stream;

	if (type == IPC_SESSION_STREAM) {
		if (stream >= 0)
			(void)close(stream);
		g->stream = fd;
		return;
	}
	g->call = NULL;
	if (type == IPC_SESSION_LINK && stream >= 0) {
		log_login(c);
		g->stream = -1;
		access_client_carry(c, stream, fd);
	} else if (type == IPC_SESSION_REFUSED) {
		refused_by_broker(c, &m->SESSION_REFUSED);
	} else {
		if (fd >= 0)
			(void)close(fd);
		log_failed(c, "no_broker");
		refuse(c, ACCESS_NO_OWNER_LATER, SLICE_NONE);
	}
	access_client_settle(c);
}

static void
open_session(struct access_client *c)
{
	struct access_login *g = c->login;
	struct ipc_link *broker = daemon_peer(ROLE_BROKER);

	if (broker == NULL) {
		log_failed(c, "no_broker");
		refuse(c, ACCESS_NO_OWNER_LATER, SLICE_NONE);
		return;
	}
	if (c->state != ACCESS_ASKING)
		access_client_enter(c, ACCESS_ASKING);
	g->call = ipc_ask(broker, SESSION_OPEN, -1, ACCESS_OPEN_MS, on_session,
	    c, .tls = conn_is_tls(c->conn),
	    .ticket = { g->ticket, sizeof g->ticket },
	    .service = slice_str(c->protocol->name),
	    .tag = c->protocol->tag(c),
	    .client = slice_str(conn_peer(c->conn)),
	    .session = slice_str(c->front.id));
	explicit_bzero(g->ticket, sizeof g->ticket);
}

/* ---- auth ---- */

static void
challenge(struct access_client *c, struct slice message)
{
	access_client_enter(c, ACCESS_EXCHANGE);
	c->protocol->challenge(c, message);
}

static void
succeed(struct access_client *c, const struct ipc_AUTH_ANSWER *a)
{
	struct access_login *g = c->login;

	if (a->ticket.n != sizeof g->ticket) {
		log_error("event=bad_ticket session=%s size=%zu", c->front.id,
		    a->ticket.n);
		log_failed(c, "no_ticket");
		refuse(c, ACCESS_NO_LATER, SLICE_NONE);
		return;
	}
	memcpy(g->ticket, a->ticket.p, sizeof g->ticket);
	buf_reset(&g->user);
	buf_add_slice(&g->user, a->address);
	/* Neither protocol can send data with its success: it is a challenge
	 * and its answer empty (RFC 4422 5, 9051 6.2.2, 5034 4). */
	g->is_proved = a->challenge.n > 0;
	if (g->is_proved)
		challenge(c, a->challenge);
	else
		open_session(c);
}

static void
judge(struct access_client *c, const struct ipc_AUTH_ANSWER *a)
{
	switch ((enum auth_result)a->result) {
	case AUTH_OK:
		succeed(c, a);
		return;
	case AUTH_CONTINUE:
		challenge(c, a->challenge);
		return;
	case AUTH_FAILED:
		refuse_and_count(c, ACCESS_NO_WRONG, "wrong");
		return;
	case AUTH_MALFORMED:
		refuse_and_count(c, ACCESS_NO_MALFORMED, "malformed");
		return;
	case AUTH_DISABLED:
		refuse_and_count(c, ACCESS_NO_DISABLED, "disabled");
		return;
	case AUTH_SLOW_DOWN:
		refuse_and_count(c, ACCESS_NO_SLOW_DOWN, "slow_down");
		return;
	case AUTH_LATER:
	case AUTH_RESULT_COUNT:
		break;
	}
	log_failed(c, "auth_later");
	refuse(c, ACCESS_NO_LATER, SLICE_NONE);
}

static void
on_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	struct access_client *c = arg;

	(void)type;
	(void)fd;
	c->login->call = NULL;
	c->login->is_open = m == NULL || m->AUTH_ANSWER.result == AUTH_CONTINUE;
	if (m == NULL) {
		log_failed(c, "no_auth");
		refuse(c, ACCESS_NO_LATER, SLICE_NONE);
	} else {
		judge(c, &m->AUTH_ANSWER);
	}
	access_client_settle(c);
}

/* ---- the client's messages ---- */

/* Who it wants to be, for the log of a failure; auth's word counts. */
static void
note_user(struct access_login *g, struct slice message)
{
	struct scram_client_first scram;
	enum scram_error error;
	struct sasl_plain plain;

	/* Never a later one: that may be the password. */
	if (g->is_noted)
		return;
	g->is_noted = true;
	switch (g->mech) {
	case SASL_PLAIN:
		if (sasl_plain_parse(message, &plain) == 0)
			buf_add_slice(&g->user, plain.name);
		break;
	case SASL_LOGIN:
		buf_add_slice(&g->user, message);
		break;
	case SASL_SCRAM_SHA_256:
	case SASL_SCRAM_SHA_256_PLUS:
		if (scram_client_first_parse(message, &scram, &error) == 0 &&
		    scram_name_decode(scram.name, &g->user) < 0)
			buf_reset(&g->user);
		break;
	}
}

static struct access_login *
login_new(struct access_client *c, enum sasl_mech mech)
{
	struct access_login *g = calloc(1, sizeof *g);

	if (g == NULL)
		return NULL;
	g->client = c;
	g->mech = mech;
	g->stream = -1;
	g->exchange = ++last_exchange;
	buf_init(&g->user, LIMIT_SASL_NAME);
	return g;
}

void
access_login_start(struct access_client *c, enum sasl_mech mech,
    bool has_initial, struct slice initial)
{
	struct ipc_link *auth = daemon_peer(ROLE_AUTH);
	unsigned char exporter[32];
	struct slice binding = SLICE("");
	struct access_login *g;

	g = auth == NULL ? NULL : login_new(c, mech);
	if (g == NULL) {
		log_warn("event=login_failed session=%s service=%s client=%s "
			 "why=no_auth",
		    c->front.id, c->front.service, conn_peer(c->conn));
		c->protocol->refuse(c, ACCESS_NO_LATER, SLICE_NONE);
		return;
	}
	c->login = g;
	if (has_initial)
		note_user(g, initial);
	/* Also for those without -PLUS: the flag `y` is a lie then; but not
	 * where -PLUS is not offered. */
	if (daemon_server()->channel_binding && conn_is_tls(c->conn) &&
	    conn_tls_exporter(c->conn, exporter) == 0)
		binding = (struct slice){ (const char *)exporter,
			sizeof exporter };
	access_client_enter(c, ACCESS_ASKING);
	g->auth = ipc_link_serial(auth);
	g->is_open = true;
	g->call = ipc_ask(auth, AUTH_START, -1, ACCESS_AUTH_MS, on_answer, c,
	    .exchange = g->exchange, .mech = (uint8_t)mech,
	    .tls = conn_is_tls(c->conn), .has_initial = has_initial,
	    .service = slice_str(c->protocol->name),
	    .client = slice_str(conn_peer(c->conn)), .initial = initial,
	    .binding = binding);
}

void
access_login_password(struct access_client *c, struct slice user,
    struct slice password)
{
	struct sasl_plain plain = { SLICE(""), user, password };
	struct buf message;

	if (access_client_mechs(c) == 0) {
		c->protocol->refuse(c, ACCESS_NO_PLAINTEXT, SLICE_NONE);
		access_client_error(c);
		return;
	}
	buf_init(&message, LIMIT_SASL_NAME + LIMIT_SASL_PASSWORD + 2);
	if (sasl_is_name(user) && sasl_is_password(password)) {
		sasl_plain_format(&message, &plain);
		access_login_start(c, SASL_PLAIN, true, buf_slice(&message));
	} else {
		/* Nobody has such a name or such a password. */
		c->login = login_new(c, SASL_PLAIN);
		if (c->login != NULL)
			refuse_and_count(c, ACCESS_NO_WRONG, "impossible");
		else
			c->protocol->refuse(c, ACCESS_NO_LATER, SLICE_NONE);
	}
	buf_fini_secret(&message);
}

void
access_login_command(struct access_client *c, struct slice mechanism,
    struct slice initial)
{
	unsigned mechs = access_client_mechs(c);
	enum sasl_line_error error;
	enum sasl_mech mech;
	struct buf message;

	if (mechs == 0) {
		c->protocol->refuse(c, ACCESS_NO_PLAINTEXT, SLICE_NONE);
		access_client_error(c);
		return;
	}
	if (sasl_mech_find(mechanism, &mech) < 0 ||
	    (mechs & 1U << mech) == 0) {
		c->protocol->refuse(c, ACCESS_NO_MECHANISM, SLICE_NONE);
		access_client_error(c);
		return;
	}
	buf_init(&message, LIMIT_SASL_MESSAGE);
	/* The parsers give "=" as an empty message. */
	if (initial.n > 0 &&
	    sasl_line_decode(initial, false, &message, &error) < 0) {
		c->protocol->refuse(c, ACCESS_NO_MALFORMED, SLICE_NONE);
		access_client_error(c);
	} else {
		access_login_start(c, mech, initial.p != NULL,
		    buf_slice(&message));
	}
	buf_fini_secret(&message);
}

static void
send_more(struct access_client *c, struct slice message)
{
	struct access_login *g = c->login;
	struct ipc_link *auth = ipc_link_find(g->auth);

	if (auth == NULL) {
		log_failed(c, "no_auth");
		refuse(c, ACCESS_NO_LATER, SLICE_NONE);
		return;
	}
	note_user(g, message);
	access_client_enter(c, ACCESS_ASKING);
	g->call = ipc_ask(auth, AUTH_MORE, -1, ACCESS_AUTH_MS, on_answer, c,
	    .exchange = g->exchange, .response = message);
}

void
access_login_line(struct access_client *c, struct slice line)
{
	enum sasl_line_error error = SASL_LINE_MALFORMED;
	struct buf message;
	int result;

	buf_init(&message, LIMIT_SASL_MESSAGE);
	result = sasl_line_decode(line, false, &message, &error);
	if (result == 0 && c->login->is_proved && message.n > 0)
		result = -1;
	if (result < 0) {
		refuse(c, error == SASL_LINE_CANCELLED ? ACCESS_NO_CANCELLED
						       : ACCESS_NO_MALFORMED,
		    SLICE_NONE);
		access_client_error(c);
	} else if (c->login->is_proved) {
		open_session(c);
	} else {
		send_more(c, buf_slice(&message));
	}
	buf_fini_secret(&message);
}
