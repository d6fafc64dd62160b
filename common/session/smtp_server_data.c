/* SPDX-License-Identifier: ISC */
/*
 * The message's octets: DATA with its dots (RFC 5321 4.1.1.4, 4.5.2), BDAT in
 * chunks (RFC 3030), and the answer at their end. Once a message is refused
 * the rest of it is read and dropped, since the client will not listen before.
 * A bare CR or LF is never a line end; what holds one is refused and the
 * connection closed, for what follows may be somebody else's message.
 */
#include "session/smtp_server.h"

#include <string.h>

#include "session/smtp_server_priv.h"
#include "sys/conn.h"
#include "sys/log.h"

/* How much of a message that is too large is read on, for the sake of telling
 * its client: as much again, and this. */
enum { PATIENCE = 1 << 20 };

static const char *const smuggling[] = {
	[DOT_BARE_CR] = "Bare CR in the message: lines end in CRLF",
	[DOT_BARE_LF] = "Bare LF in the message: lines end in CRLF",
	[DOT_NUL] = "NUL in the message",
};

static void
smuggled(struct smtp_server *s, enum dot_error error)
{
	const struct smtp_answer a = { .code = 550, .enhanced = { 5, 6, 0 },
		.text = slice_str(smuggling[error]) };

	smtp_server_refuse(s, &a);
	/* A NUL too: behind it nobody looks for the others. */
	s->is_smuggled = true;
}

/* Octets of the message, in the clear. */
static void
take(struct smtp_server *s, struct slice bytes)
{
	const struct smtp_server_options *o = s->options;

	s->size += bytes.n;
	if (s->size > o->message_size)
		smtp_server_refuse(s, SMTP_ANSWER(552, 5, 3, 4,
		    "The message is larger than this server takes"));
	if (s->size / 2 > o->message_size + PATIENCE) {
		s->reason = "endless message";
		smtp_reply(s, &s->refusal);
		smtp_close(s);
	}
	if (!s->is_refused)
		smtp_header_feed(s, bytes);
}

static bool
has_room(struct smtp_server *s)
{
	if (s->is_refused || s->policy->is_full == NULL ||
	    !s->policy->is_full(s))
		return true;
	smtp_wait(s, WAIT_ROOM);
	return false;
}

/* ---- the end ---- */

static void
answer_all(struct smtp_server *s, const struct smtp_answer *a)
{
	size_t i;

	for (i = 0; i < s->recipients && s->state != S_CLOSING; i++)
		smtp_reply(s, a);
}

static void
transaction_over(struct smtp_server *s)
{
	bool was_smuggled = s->is_smuggled;

	smtp_reset(s);
	if (s->state == S_CLOSING)
		return;
	smtp_enter(s, S_READY);
	if (!was_smuggled)
		return;
	s->reason = "bare CR or LF";
	smtp_say(s, 421, 4, 7, 0, "Closing the connection");
}

static void
tell_refusal(struct smtp_server *s)
{
	if (s->options->is_lmtp)
		answer_all(s, &s->refusal);
	else
		smtp_reply(s, &s->refusal);
	transaction_over(s);
}

static void
message_complete(struct smtp_server *s)
{
	smtp_enter(s, S_END);
	if (!s->is_refused)
		smtp_header_end(s);
	if (s->is_refused) {
		tell_refusal(s);
		return;
	}
	buf_reset(&s->what);
	if (s->options->is_lmtp) {
		s->answers = region_alloc(&s->mem,
		    s->recipients * sizeof *s->answers);
		if (s->answers == NULL)
			BUG("session %s: no room for answers", s->id);
	}
	smtp_wait(s, WAIT_END);
	s->policy->end(s);
}

void
smtp_end_done(struct smtp_server *s, const struct smtp_answer *a)
{
	bool each = s->options->is_lmtp && s->answered == s->recipients;
	bool is_accepted = false;
	const struct smtp_answer *one;
	size_t i;

	for (i = 0; i < (s->options->is_lmtp ? s->recipients : 1); i++) {
		one = each ? &s->answers[i].answer : a;
		if (s->state == S_CLOSING)
			break;
		if (one->code == 0)
			smtp_say(s, 250, 2, 0, 0, "Ok");
		else
			smtp_reply(s, one);
		is_accepted = is_accepted || one->code < 400;
	}
	s->messages += is_accepted ? 1 : 0;
	s->bytes += is_accepted ? s->size : 0;
	transaction_over(s);
}

/* ---- DATA ---- */

static void
begin_message(struct smtp_server *s)
{
	unsigned flags = s->mail.body == SMTP_BODY_BINARYMIME
	    ? 0 : DOT_REFUSE_NUL;

	dot_decoder_init(&s->dot, flags);
	smtp_header_init(s);
	s->size = 0;
	s->is_last_cr = false;
	s->is_line_open = false;
}

static void
ask_data(struct smtp_server *s, enum smtp_wait wait)
{
	smtp_wait(s, wait);
	if (s->policy->data != NULL)
		s->policy->data(s);
	else
		smtp_server_answer(s, NULL);
}

void
smtp_data(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	(void)cmd;
	if (s->mail.body == SMTP_BODY_BINARYMIME) {
		/* RFC 3030 3. */
		smtp_say(s, 503, 5, 5, 1, "BINARYMIME needs BDAT");
		return;
	}
	ask_data(s, WAIT_DATA);
}

void
smtp_data_done(struct smtp_server *s, const struct smtp_answer *a)
{
	if (a->code >= 400) {
		/* RFC 2033 4.2 does not multiply this one. */
		smtp_reply(s, a);
		transaction_over(s);
		return;
	}
	begin_message(s);
	smtp_enter(s, S_DATA);
	conn_write_str(s->conn, "354 End with <CRLF>.<CRLF>\r\n");
}

bool
smtp_step_data(struct smtp_server *s)
{
	struct slice in = conn_input(s->conn), out;
	enum dot_error error;
	ssize_t n;

	if (in.n == 0 || !has_room(s))
		return false;
	n = dot_decode(&s->dot, in, &out, &error);
	if (n < 0) {
		smuggled(s, error);
		return true;
	}
	if (out.n > 0)
		take(s, out);
	conn_took(s->conn, (size_t)n);
	if (s->state == S_DATA && dot_decoder_is_done(&s->dot)) {
		s->has_progress = true;
		message_complete(s);
	}
	return true;
}

/* ---- BDAT ---- */

static void
begin_chunk(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	s->before = s->state;
	s->chunk_left = cmd->bdat_size;
	s->is_chunk_last = cmd->is_bdat_last;
	smtp_enter(s, S_CHUNK);
}

void
smtp_bdat_refuse(struct smtp_server *s, const struct smtp_cmd *cmd,
    const struct smtp_answer *a)
{
	s->refusal = smtp_keep(s, a);
	s->is_refused = true;
	s->is_out_of_order = true;
	begin_chunk(s, cmd);
}

void
smtp_bdat(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	bool is_first = s->state == S_RCPT;

	s->is_out_of_order = false;
	begin_chunk(s, cmd);
	if (!is_first)
		return;
	begin_message(s);
	ask_data(s, WAIT_CHUNK);
}

void
smtp_chunk_done(struct smtp_server *s, const struct smtp_answer *a)
{
	if (a->code >= 400)
		smtp_server_refuse(s, a);
}

/* As dot_decode() has it, for octets that nobody encoded. */
static int
check_lines(struct smtp_server *s, struct slice in, enum dot_error *error_r)
{
	const char *at = in.p, *end = in.p + in.n, *p;

	if (memchr(at, '\0', in.n) != NULL) {
		*error_r = DOT_NUL;
		return -1;
	}
	while (at < end) {
		*error_r = DOT_BARE_CR;
		if (s->is_last_cr && *at != '\n')
			return -1;
		if (s->is_last_cr)
			at++;
		s->is_line_open = false;
		s->is_last_cr = false;
		p = memchr(at, '\r', (size_t)(end - at));
		if (p == NULL)
			p = end;
		*error_r = DOT_BARE_LF;
		if (memchr(at, '\n', (size_t)(p - at)) != NULL)
			return -1;
		if (p < end) {
			s->is_last_cr = true;
			at = p + 1;
		} else {
			s->is_line_open = at < end;
			at = end;
		}
	}
	return 0;
}

/* A chunk that was wrong as a whole: RFC 3030 2 wants RSET next. */
static void
chunk_refused(struct smtp_server *s)
{
	struct smtp_answer a = s->refusal;

	if (s->is_out_of_order) {
		s->is_refused = false;
		smtp_enter(s, s->before == S_SPOILT && s->is_chunk_last
			? S_READY : s->before);
		smtp_reply(s, &a);
		return;
	}
	if (s->is_chunk_last) {
		smtp_enter(s, S_END);
		tell_refusal(s);
		return;
	}
	smtp_reply(s, &a);
	if (s->state == S_CLOSING)
		return;
	if (s->is_smuggled) {
		s->reason = "bare CR or LF";
		smtp_close(s);
		return;
	}
	smtp_reset(s);
	smtp_enter(s, S_SPOILT);
}

static void
chunk_over(struct smtp_server *s)
{
	s->has_progress = true;
	if (s->is_chunk_last && !s->is_refused) {
		if (s->is_last_cr)
			smuggled(s, DOT_BARE_CR);
		else if (s->is_line_open &&
		    s->mail.body != SMTP_BODY_BINARYMIME)
			take(s, SLICE("\r\n")); /* text ends in a line end */
	}
	if (s->is_refused) {
		chunk_refused(s);
		return;
	}
	if (s->is_chunk_last) {
		message_complete(s);
		return;
	}
	smtp_enter(s, S_BDAT);
	smtp_say(s, 250, 2, 0, 0, "Chunk ok");
}

bool
smtp_step_chunk(struct smtp_server *s)
{
	struct slice in;
	enum dot_error error;

	if (s->chunk_left == 0) {
		chunk_over(s);
		return true;
	}
	in = slice_head(conn_input(s->conn), (size_t)s->chunk_left);
	if (in.n == 0 || !has_room(s))
		return false;
	if (!s->is_smuggled && !s->is_out_of_order &&
	    s->mail.body != SMTP_BODY_BINARYMIME &&
	    check_lines(s, in, &error) < 0)
		smuggled(s, error);
	if (!s->is_out_of_order)
		take(s, in);
	conn_took(s->conn, in.n);
	if (s->state == S_CHUNK)
		s->chunk_left -= in.n;
	return true;
}
