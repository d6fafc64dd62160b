/* SPDX-License-Identifier: ISC */
/*
 * A client session: the connection, the greeting and what follows it until the
 * session stands, and every way in which it ends. RFC 5321 3.1, 3.2, 4.2,
 * 4.5.3.2 (time-outs); RFC 2033 4.1 (LHLO).
 */
#include "session/smtp_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/limits.h"
#include "session/smtp_client_priv.h"
#include "sys/log.h"

enum {
	QUIT_MS = 5000,	   /* for QUIT to go out and be answered */
	PHASE_TIMES = 4,   /* MAIL to DATA: this often a command's time */
	WHY_MAX = 256
};

static const struct conn_limits limits = {
	.input_max = 2 * LIMIT_SMTP_REPLY,
	.output_high = 65536,
	.output_low = 16384,
};

static void on_unasked(struct smtp_client *c, const struct smtp_reply *r);

#define TIME(field) offsetof(struct smtp_client_conf, field)
#define FOREVER SIZE_MAX

/* By state: how long it may take, how the log calls it, whether QUIT may be
 * said in it, who reads the reply. */
static const struct {
	size_t time; /* offset in struct smtp_client_conf */
	const char *phrase;
	bool may_quit;
	void (*reply)(struct smtp_client *c, const struct smtp_reply *r);
} states[SMTP_CLIENT_STATES] = {
	[SMTP_CLIENT_CONNECT] = { TIME(connect_ms), "connecting", false,
	    on_unasked },
	[SMTP_CLIENT_GREETING] = { TIME(greeting_ms),
	    "waiting for the greeting", true, smtp_hello_on_greeting },
	[SMTP_CLIENT_EHLO] = { TIME(command_ms), "saying EHLO", true,
	    smtp_hello_on_ehlo },
	[SMTP_CLIENT_HELO] = { TIME(command_ms), "saying HELO", true,
	    smtp_hello_on_helo },
	[SMTP_CLIENT_STARTTLS] = { TIME(command_ms), "saying STARTTLS", true,
	    smtp_hello_on_starttls },
	[SMTP_CLIENT_TLS] = { TIME(command_ms), "starting TLS", false,
	    on_unasked },
	[SMTP_CLIENT_AUTH] = { TIME(command_ms), "logging in", true,
	    smtp_auth_on_reply },
	[SMTP_CLIENT_READY] = { FOREVER, "idle", true, on_unasked },
	[SMTP_CLIENT_MAIL] = { TIME(command_ms), "saying MAIL FROM", true,
	    smtp_tx_on_mail },
	[SMTP_CLIENT_RCPT] = { TIME(command_ms), "saying RCPT TO", true,
	    smtp_tx_on_rcpt },
	[SMTP_CLIENT_DATA] = { TIME(command_ms), "saying DATA", true,
	    smtp_tx_on_data },
	[SMTP_CLIENT_BODY] = { TIME(command_ms), "sending the message", false,
	    on_unasked },
	[SMTP_CLIENT_DOT] = { TIME(data_ms),
	    "waiting for the answer to the message", true, smtp_tx_on_dot },
	[SMTP_CLIENT_RSET] = { TIME(command_ms), "saying RSET", true,
	    smtp_tx_on_rset },
	[SMTP_CLIENT_OVER] = { FOREVER, "done", false, on_unasked },
};

/* ---- states ---- */

/* The state that time and words go by: while content goes out, that; once it
 * is out ahead of answers, they come with the one to it. */
static enum smtp_client_state
visible_state(const struct smtp_client *c)
{
	if (c->state == SMTP_CLIENT_DOT && c->tx.send == SMTP_CLIENT_BODY)
		return SMTP_CLIENT_BODY;
	return smtp_tx_is_unknown(c) ? SMTP_CLIENT_DOT : c->state;
}

static bool
is_command_phase(enum smtp_client_state s)
{
	return s == SMTP_CLIENT_MAIL || s == SMTP_CLIENT_RCPT ||
	    s == SMTP_CLIENT_DATA;
}

void
smtp_client_wait(struct smtp_client *c)
{
	enum smtp_client_state s = visible_state(c);
	int64_t time, now = clock_boot_ms(), end;

	if (states[s].time == FOREVER) {
		conn_set_deadline(c->conn, 0);
		return;
	}
	memcpy(&time, (const char *)&c->conf + states[s].time, sizeof time);
	end = now + time;
	if (is_command_phase(c->state) && end > c->phase_end)
		end = c->phase_end;
	conn_set_deadline(c->conn, end);
}

void
smtp_client_content_out(struct smtp_client *c)
{
	int64_t end = clock_boot_ms() + c->conf.data_ms;

	if (c->phase_end < end)
		c->phase_end = end;
	smtp_client_wait(c);
}

void
smtp_client_enter(struct smtp_client *c, enum smtp_client_state state)
{
	if (c->state == SMTP_CLIENT_OVER || state <= SMTP_CLIENT_CONNECT)
		BUG("from state %d to %d", c->state, state);
	if (state == SMTP_CLIENT_MAIL)
		c->phase_end = clock_boot_ms() +
		    PHASE_TIMES * c->conf.command_ms;
	c->state = state;
	smtp_client_wait(c);
}

void
smtp_client_say(struct smtp_client *c, struct slice line)
{
	if (log_is_debug())
		log_debug("event=smtp_said host=%s line=%s",
		    conn_peer(c->conn), LOG_V(line));
	conn_write(c->conn, line);
	conn_write(c->conn, SLICE("\r\n"));
}

/* ---- ends ---- */

static void
close_down(struct smtp_client *c, bool quit)
{
	if (c->conn == NULL)
		return;
	if (quit && states[visible_state(c)].may_quit) {
		smtp_client_say(c, SLICE("QUIT"));
		conn_finish(&c->conn, QUIT_MS);
	} else {
		conn_free(&c->conn);
	}
}

/* Did the connection break where a server's TLS would have broken it? */
static bool
is_tls_to_blame(const struct smtp_client *c, const struct status *status)
{
	if (status->code != 0 || c->conf.is_tls_required)
		return false;
	return c->state == SMTP_CLIENT_STARTTLS ||
	    c->state == SMTP_CLIENT_TLS ||
	    (c->state == SMTP_CLIENT_EHLO && c->was_secured);
}

/* A session's one and only end that it was not asked for. */
static void
end(struct smtp_client *c, const struct status *status, bool quit)
{
	struct smtp_client_end e = { .status = *status };

	if (c->state == SMTP_CLIENT_OVER)
		return;
	e.state = visible_state(c);
	e.is_tls = is_tls_to_blame(c, status);
	e.is_stale = c->state == SMTP_CLIENT_MAIL && c->count > 1 &&
	    !smtp_tx_is_unknown(c);
	/* 1yz and 3yz are no answers to content. */
	e.is_unknown = smtp_tx_is_unknown(c) &&
	    (status->code == 0 || status->code / 100 == 3);
	close_down(c, quit);
	c->state = SMTP_CLIENT_OVER;
	smtp_tx_fini(&c->tx);
	c->events->ended(c->arg, &e);
}

void
smtp_client_end_reply(struct smtp_client *c, const struct smtp_reply *reply)
{
	struct status s =
	    status_from_reply(reply->code, reply->enhanced, reply->text);

	/* 421 says that the server closes. A final "no" to QUIT is no news. */
	if (s.outcome == OUTCOME_DONE)
		s = (struct status){ OUTCOME_LATER, reply->code,
			{ 4, 5, 0 }, reply->text };
	end(c, &s, reply->code != 421);
}

void
smtp_client_end_later(struct smtp_client *c, const struct smtp_reply *reply)
{
	struct status s =
	    status_from_reply(reply->code, reply->enhanced, reply->text);

	s.outcome = OUTCOME_LATER;
	s.enhanced.class = 4;
	end(c, &s, reply->code != 421);
}

void
smtp_client_end_local(struct smtp_client *c, struct enhanced e,
    const char *text)
{
	struct status s = { OUTCOME_LATER, 0, e, SLICE_NONE };

	buf_reset(&c->why);
	buf_addf(&c->why, "%s while %s", text, states[visible_state(c)].phrase);
	s.text = buf_slice(&c->why);
	end(c, &s, false);
}

void
smtp_client_end_protocol(struct smtp_client *c, const struct smtp_reply *reply)
{
	struct status s = { OUTCOME_LATER, reply->code, { 4, 5, 0 },
		reply->text };

	end(c, &s, true);
}

/* ---- events of the connection ---- */

/* Nothing was asked: mostly a 4yz before the connection is closed. */
static void
on_unasked(struct smtp_client *c, const struct smtp_reply *r)
{
	smtp_client_end_protocol(c, r);
}

static void
enter_callback(struct smtp_client *c)
{
	c->entered++;
}

static void
destroy(struct smtp_client *c)
{
	if (c->entered > 0) {
		c->is_gone = true;
		return;
	}
	smtp_auth_fini(&c->auth);
	buf_fini(&c->text);
	buf_fini(&c->helo_name);
	buf_fini(&c->tls_name);
	buf_fini(&c->peer_name);
	buf_fini(&c->why);
	free(c);
}

static void
leave_callback(struct smtp_client *c)
{
	if (--c->entered == 0 && c->is_gone)
		destroy(c);
}

/* True when a reply was there and there may be another. */
static bool
take_reply(struct smtp_client *c)
{
	enum smtp_reply_error error;
	struct smtp_reply r;
	ssize_t n;

	n = smtp_reply_next(&c->parser, conn_input(c->conn), &c->text, &r,
	    &error);
	if (n == 0)
		return false;
	if (n < 0) {
		smtp_client_end_local(c, (struct enhanced){ 4, 5, 0 },
		    error == SMTP_REPLY_TOO_LONG ? "an endless reply"
						 : "what came is not SMTP");
		return false;
	}
	conn_took(c->conn, (size_t)n);
	if (log_is_debug())
		log_debug("event=smtp_heard host=%s code=%d text=%s",
		    conn_peer(c->conn), r.code,
		    r.code == 334 ? "***" : LOG_V(r.text));
	if (r.code == 421)
		smtp_client_end_reply(c, &r);
	else
		states[c->state].reply(c, &r);
	return true;
}

static void
on_input(void *arg)
{
	struct smtp_client *c = arg;

	enter_callback(c);
	while (c->conn != NULL && take_reply(c))
		;
	leave_callback(c);
}

static void
on_drained(void *arg)
{
	struct smtp_client *c = arg;

	enter_callback(c);
	if (c->state == SMTP_CLIENT_CONNECT && c->conf.is_tls_implicit)
		smtp_hello_start_tls(c);
	else if (c->state == SMTP_CLIENT_CONNECT)
		smtp_client_enter(c, SMTP_CLIENT_GREETING);
	else if (c->state > SMTP_CLIENT_READY && c->state < SMTP_CLIENT_RSET)
		smtp_tx_pump(c);
	leave_callback(c);
}

/* RFC 3207 4.2: what was known of the server is void. */
static void
on_secured(void *arg)
{
	struct smtp_client *c = arg;

	enter_callback(c);
	c->caps = (struct smtp_caps){ 0 };
	c->was_secured = true;
	smtp_reply_init(&c->parser);
	if (c->conf.is_tls_implicit)
		smtp_client_enter(c, SMTP_CLIENT_GREETING);
	else
		smtp_hello_begin(c);
	leave_callback(c);
}

static void
on_ended(void *arg, enum conn_end why)
{
	/* RFC 3463: no answer from host; bad connection. */
	const struct enhanced unreachable = { 4, 4, 1 }, lost = { 4, 4, 2 };
	struct smtp_client *c = arg;

	enter_callback(c);
	switch (why) {
	case CONN_EOF:
		smtp_client_end_local(c, lost, "connection closed");
		break;
	case CONN_TIMEOUT:
		if (c->is_unreadable) {
			smtp_client_end_local(c, (struct enhanced){ 4, 3, 0 },
			    "our own copy cannot be read");
			break;
		}
		smtp_client_end_local(c,
		    c->state <= SMTP_CLIENT_GREETING ? unreachable : lost,
		    "time ran out");
		break;
	case CONN_ERROR:
	case CONN_TLS:
		smtp_client_end_local(c,
		    c->state == SMTP_CLIENT_CONNECT ? unreachable : lost,
		    conn_error_text(c->conn));
		break;
	}
	leave_callback(c);
}

static const struct conn_events conn_events = {
	.input = on_input,
	.drained = on_drained,
	.secured = on_secured,
	.ended = on_ended,
};

/* ---- beginning and end ---- */

static void
copy(struct buf *to, const char *from, size_t max)
{
	buf_init(to, max);
	if (from != NULL)
		buf_add_slice(to, slice_head(slice_str(from), max));
}

static struct smtp_client *
make(const struct smtp_client_conf *conf,
    const struct smtp_client_events *events, void *arg)
{
	struct smtp_client *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->conf = *conf;
	c->events = events;
	c->arg = arg;
	c->state = SMTP_CLIENT_CONNECT;
	smtp_reply_init(&c->parser);
	buf_init(&c->text, LIMIT_SMTP_REPLY);
	copy(&c->helo_name, conf->helo_name, LIMIT_DOMAIN);
	copy(&c->tls_name, conf->tls_name, LIMIT_DOMAIN);
	buf_init(&c->peer_name, LIMIT_DOMAIN);
	buf_init(&c->why, WHY_MAX);
	smtp_auth_init(&c->auth, conf->login);
	return c;
}

struct smtp_client *
smtp_client_new(struct loop *l, int fd, const struct smtp_client_conf *conf,
    const struct smtp_client_events *events, void *arg)
{
	struct smtp_client *c = make(conf, events, arg);

	if (c == NULL)
		return NULL;
	c->conn = conn_new(l, fd, &limits, &conn_events, c);
	if (c->conn == NULL) {
		destroy(c);
		errno = ENOMEM;
		return NULL;
	}
	smtp_client_enter(c, SMTP_CLIENT_GREETING);
	return c;
}

struct smtp_client *
smtp_client_connect(struct loop *l, const struct sockaddr *to,
    socklen_t to_len, const struct sockaddr *from, socklen_t from_len,
    const struct smtp_client_conf *conf,
    const struct smtp_client_events *events, void *arg)
{
	struct smtp_client *c = make(conf, events, arg);
	int saved;

	if (c == NULL)
		return NULL;
	c->conn = conn_connect(l, to, to_len, from, from_len, &limits,
	    &conn_events, c);
	if (c->conn == NULL) {
		saved = errno;
		destroy(c);
		errno = saved;
		return NULL;
	}
	smtp_client_wait(c);
	return c;
}

void
smtp_client_set_owner(struct smtp_client *c,
    const struct smtp_client_events *events, void *arg)
{
	c->events = events;
	c->arg = arg;
}

void
smtp_client_free(struct smtp_client **cp)
{
	struct smtp_client *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	conn_free(&c->conn);
	c->state = SMTP_CLIENT_OVER;
	smtp_tx_fini(&c->tx);
	destroy(c);
}

void
smtp_client_quit(struct smtp_client **cp)
{
	struct smtp_client *c = *cp;

	if (c == NULL)
		return;
	close_down(c, true);
	smtp_client_free(cp);
}

bool
smtp_client_is_ready(const struct smtp_client *c)
{
	return c->state == SMTP_CLIENT_READY;
}

const struct smtp_caps *
smtp_client_caps(const struct smtp_client *c)
{
	return &c->caps;
}

unsigned
smtp_client_count(const struct smtp_client *c)
{
	return c->count;
}

const struct conn *
smtp_client_conn(const struct smtp_client *c)
{
	return c->conn;
}
