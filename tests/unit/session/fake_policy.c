/* SPDX-License-Identifier: ISC */
#include "tests/unit/session/fake_policy.h"

#include <string.h>

static struct fake *
of(struct smtp_server *s)
{
	return smtp_server_data(s);
}

static void
note(struct fake *f, const char *what, struct slice text)
{
	buf_addf(&f->notes, "%s%.*s", what, SLICE_FMT(text));
}

static void
note_address(struct fake *f, const char *what, const struct address *a)
{
	struct buf text;

	buf_init(&text, 1000);
	address_add(&text, a);
	buf_addf(&f->notes, "%s<%s> ", what, text.n == 0 ? "" : text.p);
	buf_fini(&text);
}

static void
give(struct fake *f)
{
	bool each = f->answers_each && f->answer == NULL;
	size_t i;

	if (f->has_answer) {
		f->answers_each = false;
		f->has_answer = false;
		if (f->is_challenge)
			smtp_server_challenge(f->smtp, f->challenge);
		else if (each)
			for (i = 0; i < f->n_rcpts; i++)
				smtp_server_answer_rcpt(f->smtp, i,
				    f->rcpts[i].deny
					? SMTP_ANSWER(452, 4, 2, 2, "full")
					: SMTP_ANSWER(250, 2, 1, 5, "there"));
		else
			smtp_server_answer(f->smtp, f->answer);
	}
	if (f->wants_room) {
		f->wants_room = false;
		smtp_server_room(f->smtp);
	}
}

static void
on_later(void *arg)
{
	give(arg);
}

static void
answer(struct fake *f, const struct smtp_answer *a)
{
	f->has_answer = true;
	f->is_challenge = false;
	f->answer = a;
	if (f->is_async)
		loop_later_ask(&f->later);
	else if (!f->is_mute)
		give(f);
}

static void
challenge(struct fake *f, struct slice text)
{
	f->has_answer = true;
	f->is_challenge = true;
	f->challenge = text;
	if (f->is_async)
		loop_later_ask(&f->later);
	else if (!f->is_mute)
		give(f);
}

static const struct smtp_answer *
by_name(struct slice name)
{
	if (slice_eq_str(name, "deny"))
		return SMTP_ANSWER(550, 5, 1, 1, "No");
	if (slice_eq_str(name, "defer"))
		return SMTP_ANSWER(451, 4, 3, 0, "Not now");
	if (slice_eq_str(name, "drop"))
		return SMTP_ANSWER(421, 4, 7, 0, "Go");
	return NULL;
}

static void
connected(struct smtp_server *s)
{
	of(s)->smtp = s;
	answer(of(s), NULL);
}

static void
greeted(struct smtp_server *s, struct slice name)
{
	answer(of(s), by_name(name));
}

static void
mail(struct smtp_server *s, const struct smtp_mail *m)
{
	struct fake *f = of(s);

	f->spoil = f->nope = false;
	f->n_rcpts = 0;
	f->is_open = true;
	note_address(f, "M", &m->from);
	f->spoil = slice_eq_str(m->from.local, "spoil");
	f->nope = slice_eq_str(m->from.local, "nope");
	answer(f, by_name(m->from.local));
}

static void
rcpt(struct smtp_server *s, const struct smtp_rcpt *r)
{
	struct fake *f = of(s);
	const struct smtp_answer *no = by_name(r->to.local);

	note_address(f, "R", &r->to);
	if (no == NULL)
		f->rcpts[f->n_rcpts++].deny =
		    slice_eq_str(r->to.local, "full");
	answer(f, no);
}

static void
data(struct smtp_server *s)
{
	struct fake *f = of(s);

	note(f, "D ", SLICE_NONE);
	answer(f, slice_eq_str(smtp_server_mail(s)->from.local, "nodata")
		? SMTP_ANSWER(452, 4, 3, 1, "Full") : NULL);
}

static void
body(struct smtp_server *s, struct slice bytes)
{
	struct fake *f = of(s);

	buf_add_slice(&f->body, bytes);
	if (f->spoil)
		smtp_server_refuse(s, SMTP_ANSWER(554, 5, 7, 1, "Spam"));
}

static bool
is_full(struct smtp_server *s)
{
	struct fake *f = of(s);

	f->was_full = f->is_narrow && !f->was_full;
	if (f->was_full) {
		f->wants_room = true;
		loop_later_ask(&f->later);
	}
	return f->was_full;
}

static void
end(struct smtp_server *s)
{
	struct fake *f = of(s);
	size_t i;

	note(f, "B\"", SLICE_NONE);
	for (i = 0; i < f->body.n; i++) {
		if (f->body.p[i] == '\n')
			continue;
		buf_add_char(&f->notes,
		    f->body.p[i] == '\r' ? '|' : f->body.p[i]);
	}
	note(f, "\" ", SLICE_NONE);
	f->answers_each = smtp_server_options(s)->is_lmtp;
	answer(f, f->nope ? SMTP_ANSWER(550, 5, 6, 0, "Bad") : NULL);
}

static void
reset(struct smtp_server *s)
{
	struct fake *f = of(s);

	note(f, "X ", SLICE_NONE);
	f->is_unclean = f->is_unclean || !f->is_open;
	f->is_open = false;
	f->answers_each = false;
	buf_reset(&f->body);
}

static void
auth(struct smtp_server *s, enum sasl_mech mech, bool has_initial,
    struct slice initial)
{
	struct fake *f = of(s);

	note(f, "A ", SLICE_NONE);
	if (mech == SASL_LOGIN)
		challenge(f, SLICE("Username:"));
	else if (!has_initial)
		challenge(f, SLICE_NONE);
	else
		answer(f, slice_eq(initial, SLICE("\0joe\0secret")) ? NULL
			: SMTP_ANSWER(535, 5, 7, 8, "Wrong"));
}

static void
auth_more(struct smtp_server *s, struct slice message)
{
	struct fake *f = of(s);

	if (slice_eq_str(message, "joe"))
		challenge(f, SLICE("Password:"));
	else
		answer(f, slice_eq_str(message, "secret") ||
			slice_eq(message, SLICE("\0joe\0secret")) ? NULL
			: SMTP_ANSWER(535, 5, 7, 8, "Wrong"));
}

static void
auth_abort(struct smtp_server *s)
{
	note(of(s), "a ", SLICE_NONE);
}

static void
closed(struct smtp_server *s)
{
	struct fake *f = of(s);

	f->is_unclean = f->is_unclean || f->is_open || f->is_closed;
	f->is_closed = true;
	loop_later_remove(&f->later);
}

const struct smtp_policy fake_policy = {
	.connected = connected, .greeted = greeted, .mail = mail,
	.rcpt = rcpt, .data = data, .body = body, .is_full = is_full,
	.end = end, .reset = reset, .auth = auth, .auth_more = auth_more,
	.auth_abort = auth_abort, .closed = closed,
};

void
fake_init(struct fake *f, struct loop *l)
{
	memset(f, 0, sizeof *f);
	buf_init(&f->notes, 1 << 20);
	buf_init(&f->body, 1 << 22);
	loop_later_init(&f->later, l, on_later, f);
}

void
fake_fini(struct fake *f)
{
	loop_later_remove(&f->later);
	buf_fini(&f->notes);
	buf_fini(&f->body);
}
