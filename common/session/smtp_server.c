/* SPDX-License-Identifier: ISC */
/*
 * The loop of a session: it takes lines and octets while nothing is waited
 * for, so pipelining (RFC 2920) is what happens when nothing is. Replies are
 * gathered by the connection and leave once a turn. Answers of the policy are
 * noted when they come and looked at by run() alone, so that nothing here is
 * ever entered twice.
 */
#include "session/smtp_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/limits.h"
#include "proto/received.h"
#include "session/smtp_server_priv.h"
#include "sys/conn.h"
#include "sys/log.h"

enum {
	INPUT_MAX = 65536,
	OUTPUT_HIGH = 65536,
	OUTPUT_LOW = 8192,
	NAMES_MAX = 4096,
	WHAT_MAX = 2048,
	TEXT_MAX = 2048,
	MEM_MIN = 16384,
	HANDSHAKE_MS = 60000,
	FINISH_MS = 10000 /* for the last reply to leave */
};

/* ---- states ---- */

/* Which states may follow; every state may also be followed by S_CLOSING. */
static const struct {
	enum smtp_state state;
	unsigned next;
	const char *name;
} states[] = {
	{ S_TLS, S_GREET | S_HELO, "handshake" },
	{ S_GREET, S_HELO, "greeting" },
	{ S_HELO, S_READY | S_TLS | S_CHUNK, "before HELO" },
	{ S_READY, S_MAIL | S_AUTH | S_TLS | S_CHUNK, "ready" },
	{ S_MAIL, S_READY | S_RCPT | S_CHUNK, "after MAIL" },
	{ S_RCPT, S_READY | S_DATA | S_CHUNK, "after RCPT" },
	{ S_BDAT, S_READY | S_CHUNK, "between chunks" },
	{ S_SPOILT, S_READY | S_CHUNK, "behind a refused chunk" },
	{ S_AUTH, S_READY, "in AUTH" },
	{ S_DATA, S_END, "in DATA" },
	{ S_CHUNK, S_COMMAND | S_END, "in BDAT" },
	{ S_END, S_READY, "behind the message" },
	{ S_CLOSING, 0, "closing" },
};

static size_t
state_index(enum smtp_state state)
{
	return (size_t)__builtin_ctz((unsigned)state);
}

void
smtp_enter(struct smtp_server *s, enum smtp_state state)
{
	unsigned next = states[state_index(s->state)].next | S_CLOSING;

	if (state == s->state || s->state == S_CLOSING)
		return;
	if ((next & (unsigned)state) == 0)
		BUG("session %s: from %s to %s", s->id,
		    states[state_index(s->state)].name,
		    states[state_index(state)].name);
	s->state = state;
}

void
smtp_wait(struct smtp_server *s, enum smtp_wait wait)
{
	if (s->wait != WAIT_NONE)
		BUG("session %s waits twice", s->id);
	s->wait = wait;
}

/* ---- replies ---- */

static void
log_rejected(struct smtp_server *s, const struct smtp_answer *a)
{
	const struct smtp_mail *m = &s->mail;

	/* event=rejected: a command or message was refused for now (4xx) or
	 * for good (5xx). verb; arg: what it was about; code; text. */
	log_info("event=rejected session=%s client=%s helo=%s verb=%s arg=%s "
	    "from=%s%s%s code=%d enhanced=%u.%u.%u text=%s",
	    s->id, conn_peer(s->conn), LOG_V(s->helo),
	    smtp_verb_name(s->verb).p, LOG_V(buf_slice(&s->what)),
	    LOG_V(m->from.local), m->from.domain.n > 0 ? "@" : "",
	    m->from.domain.n > 0 ? LOG_V(m->from.domain) : "", a->code,
	    a->enhanced.class, a->enhanced.subject, a->enhanced.detail,
	    LOG_V(a->text));
}

static void
write_reply(struct smtp_server *s, const struct smtp_answer *a)
{
	if (enhanced_is_none(a->enhanced))
		conn_writef(s->conn, "%d %.*s\r\n", a->code,
		    SLICE_FMT(a->text));
	else
		conn_writef(s->conn, "%d %u.%u.%u %.*s\r\n", a->code,
		    a->enhanced.class, a->enhanced.subject,
		    a->enhanced.detail, SLICE_FMT(a->text));
	if (log_is_debug())
		log_debug("event=smtp session=%s out=\"%d %.*s\"", s->id,
		    a->code, SLICE_FMT(a->text));
}

void
smtp_reply(struct smtp_server *s, const struct smtp_answer *a)
{
	write_reply(s, a);
	if (a->code >= 400)
		log_rejected(s, a);
	if (a->code == 421 || a->is_last) {
		s->reason = "refused";
		smtp_close(s);
		return;
	}
	if (a->code >= 500 && ++s->errors > s->options->errors) {
		s->reason = "too many errors";
		write_reply(s, SMTP_ANSWER(421, 4, 7, 0,
		    "Too many errors, closing the connection"));
		smtp_close(s);
	}
}

void
smtp_say(struct smtp_server *s, int code, unsigned a, unsigned b, unsigned c,
    const char *text)
{
	const struct smtp_answer answer = { .code = code,
		.enhanced = { (uint16_t)a, (uint16_t)b, (uint16_t)c },
		.text = slice_str(text) };

	smtp_reply(s, &answer);
}

void
smtp_close(struct smtp_server *s)
{
	smtp_enter(s, S_CLOSING);
}

/* ---- the transaction ---- */

void
smtp_reset(struct smtp_server *s)
{
	bool was_begun = s->is_begun;

	s->is_begun = false;
	if (was_begun && s->policy->reset != NULL)
		s->policy->reset(s);
	smtp_header_fini(s);
	region_reset(&s->mem);
	s->mail = (struct smtp_mail){ 0 };
	s->recipients = s->answered = s->told = 0;
	s->answers = NULL;
	s->size = 0;
	s->is_refused = s->is_smuggled = false;
}

struct smtp_answer
smtp_keep(struct smtp_server *s, const struct smtp_answer *a)
{
	struct smtp_answer kept = *a;

	kept.text = region_slice(&s->mem, slice_head(a->text, TEXT_MAX));
	if (kept.text.p == NULL)
		kept.text = SLICE("Refused");
	return kept;
}

/* ---- the policy's answers ---- */

static void
connected_done(struct smtp_server *s, const struct smtp_answer *a)
{
	const struct smtp_server_options *o = s->options;

	if (a->code >= 400) {
		smtp_reply(s, a);
		smtp_close(s);
		return;
	}
	conn_writef(s->conn, "220 %s%s%s\r\n", o->hostname,
	    o->greeting[0] == '\0' ? "" : " ", o->greeting);
	s->has_progress = true;
	smtp_enter(s, S_HELO);
}

static void
no_answer_due(struct smtp_server *s, const struct smtp_answer *a)
{
	BUG("session %s: answer %d to nothing", s->id, a->code);
}

static void (*const done[WAIT_COUNT])(struct smtp_server *s,
    const struct smtp_answer *a) = {
	[WAIT_NONE] = no_answer_due,
	[WAIT_CONNECTED] = connected_done,
	[WAIT_GREETED] = smtp_greeted_done,
	[WAIT_MAIL] = smtp_mail_done,
	[WAIT_RCPT] = smtp_rcpt_done,
	[WAIT_DATA] = smtp_data_done,
	[WAIT_CHUNK] = smtp_chunk_done,
	[WAIT_END] = smtp_end_done,
	[WAIT_VERIFY] = smtp_verify_done,
	[WAIT_AUTH] = smtp_auth_done,
	[WAIT_ROOM] = no_answer_due,
};

static void
take_answer(struct smtp_server *s)
{
	enum smtp_wait wait = s->wait;
	struct smtp_answer a = s->given;

	a.text = buf_slice(&s->given_text);
	s->is_given = false;
	s->wait = WAIT_NONE;
	s->has_progress = true;
	done[wait](s, &a);
}

void
smtp_server_answer(struct smtp_server *s, const struct smtp_answer *a)
{
	if (s->wait == WAIT_NONE || s->wait == WAIT_ROOM || s->is_given)
		BUG("session %s was asked nothing", s->id);
	s->given = a == NULL ? (struct smtp_answer){ 0 } : *a;
	buf_reset(&s->given_text);
	buf_add_slice(&s->given_text, slice_head(s->given.text, TEXT_MAX));
	s->is_given = true;
	loop_later_ask(&s->later);
}

void
smtp_server_challenge(struct smtp_server *s, struct slice message)
{
	if (s->wait != WAIT_AUTH || s->is_given)
		BUG("session %s is not in AUTH", s->id);
	s->given = (struct smtp_answer){ .code = 334 };
	buf_reset(&s->given_text);
	buf_add_slice(&s->given_text, message);
	s->is_given = true;
	loop_later_ask(&s->later);
}

void
smtp_server_answer_rcpt(struct smtp_server *s, size_t i,
    const struct smtp_answer *a)
{
	if (s->wait != WAIT_END || i >= s->recipients ||
	    s->answers[i].is_given)
		BUG("session %s: no answer for recipient %zu", s->id, i);
	s->answers[i].answer = smtp_keep(s, a);
	s->answers[i].is_given = true;
	if (++s->answered == s->recipients)
		smtp_server_answer(s, NULL);
}

void
smtp_server_refuse(struct smtp_server *s, const struct smtp_answer *a)
{
	if (s->is_refused || (s->state & S_TRANSACTION) == 0)
		return;
	s->is_refused = true;
	s->refusal = smtp_keep(s, a);
	smtp_server_room(s);
}

void
smtp_server_room(struct smtp_server *s)
{
	if (s->wait != WAIT_ROOM)
		return;
	s->wait = WAIT_NONE;
	loop_later_ask(&s->later);
}

/* ---- input ---- */

static void
bad_line(struct smtp_server *s, enum line_error error)
{
	s->verb = SMTP_VERBS;
	if (error == LINE_TOO_LONG) {
		s->is_skipping = true;
		smtp_auth_drop(s);
		smtp_say(s, 500, 5, 5, 6, "Line too long");
		return;
	}
	/* Whoever ends lines otherwise than with CRLF speaks to a server that
	 * sees other lines than we do (RFC 5321 2.3.8): no more of it. */
	s->reason = "bare CR or LF";
	smtp_say(s, 500, 5, 5, 2, error == LINE_BARE_LF
		? "Line ends in a bare LF" : "Bare CR in a line");
	smtp_close(s);
}

/* Drops what is left of an overlong line. False: more of it is to come. */
static bool
skip_line(struct smtp_server *s)
{
	struct slice in = conn_input(s->conn);
	ptrdiff_t lf = slice_chr(in, '\n');

	conn_took(s->conn, lf < 0 ? in.n : (size_t)lf + 1);
	line_init(&s->line, s->line.max);
	s->is_skipping = lf < 0;
	return lf >= 0;
}

static bool
step_line(struct smtp_server *s)
{
	enum line_error error;
	struct slice line;
	ssize_t n;

	if (s->is_skipping && !skip_line(s))
		return false;
	/* An initial response may be as long as any other (RFC 4954 4). */
	s->line.max = s->options->mechs != 0 ? LIMIT_SMTP_AUTH_LINE + 2
					     : LIMIT_SMTP_COMMAND;
	n = line_next(&s->line, conn_input(s->conn), &line, &error);
	if (n == 0)
		return false;
	s->has_progress = true;
	if (n < 0) {
		bad_line(s, error);
		return s->state != S_CLOSING;
	}
	if (s->state == S_AUTH)
		smtp_auth_line(s, line);
	else
		smtp_run_line(s, line);
	conn_took(s->conn, (size_t)n);
	return true;
}

static void
say_stopping(struct smtp_server *s)
{
	s->reason = "server stops";
	smtp_say(s, 421, 4, 3, 2, "The server is being stopped, try again");
}

static bool
step(struct smtp_server *s)
{
	if (s->wait != WAIT_NONE || conn_is_full(s->conn))
		return false;
	if (s->is_stopping &&
	    (s->state & (S_BDAT | S_DATA | S_CHUNK | S_END | S_TLS)) == 0) {
		say_stopping(s);
		return false;
	}
	switch (s->state) {
	case S_GREET:
		smtp_wait(s, WAIT_CONNECTED);
		if (s->policy->connected != NULL)
			s->policy->connected(s);
		else
			smtp_server_answer(s, NULL);
		return true;
	case S_DATA:
		return smtp_step_data(s);
	case S_CHUNK:
		return smtp_step_chunk(s);
	case S_TLS:
	case S_END:
	case S_CLOSING:
		return false;
	case S_HELO:
	case S_READY:
	case S_MAIL:
	case S_RCPT:
	case S_BDAT:
	case S_SPOILT:
	case S_AUTH:
		break;
	}
	return step_line(s);
}

/* ---- life ---- */

static void
destroy(struct smtp_server *s, bool at_once)
{
	smtp_auth_drop(s);
	smtp_reset(s);
	if (s->policy->closed != NULL)
		s->policy->closed(s);
	/* event=disconnect: why; messages accepted, octets of them, refused
	 * commands, how long it was. */
	log_info("event=disconnect session=%s client=%s reason=%s "
	    "messages=%llu bytes=%llu errors=%llu seconds=%lld",
	    s->id, conn_peer(s->conn), LOG_S(s->reason),
	    (unsigned long long)s->messages, (unsigned long long)s->bytes,
	    (unsigned long long)s->errors,
	    (long long)(clock_boot_ms() - s->began) / 1000);
	loop_later_remove(&s->later);
	if (at_once)
		conn_free(&s->conn);
	else
		conn_finish(&s->conn, FINISH_MS);
	region_fini(&s->names);
	region_fini(&s->mem);
	buf_fini(&s->what);
	buf_fini_secret(&s->given_text);
	free(s->id);
	free(s);
}

static void
set_deadline(struct smtp_server *s)
{
	const struct smtp_server_options *o = s->options;
	int64_t now = clock_boot_ms();

	if (s->wait != WAIT_NONE)
		s->deadline = 0;
	else if (s->state == S_TLS)
		s->deadline = now + HANDSHAKE_MS;
	else if ((s->state & (S_DATA | S_CHUNK)) != 0)
		s->deadline = now + o->data_ms;
	else if (s->has_progress || s->deadline == 0)
		s->deadline = now + o->command_ms;
	s->has_progress = false;
	conn_set_deadline(s->conn, s->deadline);
}

static void
run(struct smtp_server *s)
{
	bool more = true;

	s->is_running = true;
	while (more && s->state != S_CLOSING) {
		if (s->is_given)
			take_answer(s);
		else
			more = step(s) || s->is_given;
	}
	s->is_running = false;
	if (s->state == S_CLOSING) {
		destroy(s, false);
		return;
	}
	if (s->wait != WAIT_NONE || conn_is_full(s->conn))
		conn_pause(s->conn);
	else
		conn_resume(s->conn);
	set_deadline(s);
}

static void
on_input(void *arg)
{
	run(arg);
}

static void
on_later(void *arg)
{
	run(arg);
}

static void
on_secured(void *arg)
{
	struct smtp_server *s = arg;

	log_debug("event=tls session=%s version=%s cipher=%s", s->id,
	    conn_tls_version(s->conn), conn_tls_cipher(s->conn));
	smtp_enter(s, s->is_new ? S_GREET : S_HELO);
	s->is_new = false;
	s->has_progress = true;
	run(s);
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct smtp_server *s = arg;

	switch (why) {
	case CONN_EOF:
		s->reason = "closed by the client";
		break;
	case CONN_TIMEOUT:
		s->reason = "timed out";
		if (s->state != S_TLS)
			conn_writef(s->conn, "421 4.4.2 %s Timed out %s\r\n",
			    s->options->hostname,
			    states[state_index(s->state)].name);
		break;
	case CONN_ERROR:
	case CONN_TLS:
		s->reason = conn_error_text(s->conn);
		break;
	}
	destroy(s, false);
}

static const struct conn_events events = {
	.input = on_input,
	.drained = on_later,
	.secured = on_secured,
	.ended = on_ended,
};

static void
begin(struct smtp_server *s, unsigned start)
{
	/* event=connect: a client is there. */
	log_info("event=connect session=%s client=%s port=%u tls=%s", s->id,
	    conn_peer(s->conn), conn_peer_port(s->conn),
	    (start & SMTP_SERVER_TLS_FIRST) != 0 ? "yes" : "no");
	s->state = S_GREET;
	s->is_new = (start & SMTP_SERVER_TLS_FIRST) != 0;
	if ((start & SMTP_SERVER_TLS_FIRST) == 0) {
		loop_later_ask(&s->later);
	} else if (smtp_tls(s) == NULL) {
		s->reason = "no certificate";
		s->state = S_CLOSING;
		loop_later_ask(&s->later);
	} else {
		s->state = S_TLS;
		conn_start_tls_server(s->conn, smtp_tls(s));
		set_deadline(s);
	}
}

struct smtp_server *
smtp_server_new(struct loop *l, int fd, const char *id,
    const struct smtp_server_options *o, const struct smtp_policy *p,
    void *data, unsigned start)
{
	static const struct conn_limits limits = { INPUT_MAX, OUTPUT_HIGH,
		OUTPUT_LOW };
	struct smtp_server *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->id = strdup(id);
	s->conn = s->id == NULL ? NULL
				: conn_new(l, fd, &limits, &events, s);
	if (s->conn == NULL) {
		free(s->id);
		free(s);
		return NULL;
	}
	s->loop = l;
	s->options = o;
	s->policy = p;
	s->data = data;
	s->began = clock_boot_ms();
	s->reason = "";
	s->verb = SMTP_VERBS;
	loop_later_init(&s->later, l, on_later, s);
	line_init(&s->line, LIMIT_SMTP_COMMAND);
	region_init(&s->names, NAMES_MAX);
	region_init(&s->mem, MEM_MIN);
	buf_init(&s->what, WHAT_MAX);
	buf_init(&s->given_text, LIMIT_SMTP_AUTH_LINE);
	begin(s, start);
	return s;
}

void
smtp_server_stop(struct smtp_server *s)
{
	s->is_stopping = true;
	loop_later_ask(&s->later);
}

void
smtp_server_abort(struct smtp_server *s)
{
	s->reason = "aborted";
	if (s->is_running)
		smtp_close(s);
	else
		destroy(s, true);
}

/* ---- what is known ---- */

void *
smtp_server_data(const struct smtp_server *s)
{
	return s->data;
}

struct conn *
smtp_server_conn(const struct smtp_server *s)
{
	return s->conn;
}

const char *
smtp_server_id(const struct smtp_server *s)
{
	return s->id;
}

const struct smtp_server_options *
smtp_server_options(const struct smtp_server *s)
{
	return s->options;
}

struct slice
smtp_server_helo(const struct smtp_server *s)
{
	return s->helo;
}

unsigned
smtp_server_with(const struct smtp_server *s)
{
	return (s->options->is_lmtp ? RECEIVED_LMTP : 0U) |
	    (s->is_esmtp ? RECEIVED_ESMTP : 0U) |
	    (conn_is_tls(s->conn) ? RECEIVED_TLS : 0U) |
	    (s->is_authenticated ? RECEIVED_AUTH : 0U) |
	    ((s->mail.given & SMTP_PARAM_SMTPUTF8) != 0 ? RECEIVED_UTF8 : 0U);
}

bool
smtp_server_is_authenticated(const struct smtp_server *s)
{
	return s->is_authenticated;
}

const struct smtp_mail *
smtp_server_mail(const struct smtp_server *s)
{
	return &s->mail;
}

size_t
smtp_server_recipients(const struct smtp_server *s)
{
	return s->recipients;
}

uint64_t
smtp_server_size(const struct smtp_server *s)
{
	return s->size;
}

bool
smtp_server_is_idle(const struct smtp_server *s)
{
	return s->wait == WAIT_NONE && (s->state & (S_HELO | S_READY)) != 0;
}
