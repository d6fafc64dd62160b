/* SPDX-License-Identifier: ISC */
/* IMAP for bench_mail (RFC 9051, RFC 7888): one command at a time. */
#include "bench/load/mail.h"

#include <string.h>

static void
parse(struct step *step)
{
	step->is_append =
	    slice_has_iprefix(slice_str(step->text), SLICE("APPEND "));
	if (slice_ieq_str(slice_str(step->text), "IDLE"))
		load_die("IDLE is what bench_idle does");
}

static void
ask(struct mail_session *s, const char *text)
{
	imap_add_tag(&mail.out, ++s->tag);
	buf_add_str(&mail.out, text);
	buf_add_str(&mail.out, "\r\n");
	mail_send(s);
}

static void
starttls(struct mail_session *s)
{
	ask(s, "STARTTLS");
}

static void
login(struct mail_session *s)
{
	struct buf user;

	s->has_caps = false; /* what is offered may change now */
	buf_init(&user, 1024);
	mail_user(s, &user);
	imap_add_tag(&mail.out, ++s->tag);
	imap_add_login(&mail.out, buf_slice(&user),
	    slice_str(mail.load.password));
	buf_fini(&user);
	mail_send(s);
}

static void
quit(struct mail_session *s)
{
	ask(s, "LOGOUT");
}

/* ---- APPEND ---- */

static void
send_more(struct mail_session *s)
{
	if (!message_send(&mail.message, s->c, &s->left))
		return;
	s->is_sending = false;
	conn_write_str(s->c, "\r\n");
}

static void
begin_message(struct mail_session *s)
{
	message_add_header(&mail.message, mail.appended++, 0, 0, &mail.out);
	conn_write(s->c, buf_slice(&mail.out));
	buf_reset(&mail.out);
	s->is_sending = true;
	s->left = mail.message.body.n;
	send_more(s);
}

static void
append(struct mail_session *s, const char *text)
{
	imap_add_tag(&mail.out, ++s->tag);
	buf_add_str(&mail.out, text);
	buf_add_str(&mail.out, " {");
	load_add_number(&mail.out, mail.load.size);
	buf_add_str(&mail.out, s->takes_literals ? "+}\r\n" : "}\r\n");
	mail_send(s);
	if (s->takes_literals)
		begin_message(s);
}

static bool
command(struct mail_session *s, const struct step *step)
{
	s->is_asking = step->is_append && !s->has_caps;
	if (s->is_asking)
		ask(s, "CAPABILITY");
	else if (step->is_append)
		append(s, step->text);
	else
		ask(s, step->text);
	return true;
}

/* ---- answers ---- */

static void
on_capabilities(struct mail_session *s, struct slice head)
{
	if (!imap_has_word(head, "CAPABILITY") &&
	    !imap_has_word(head, "[CAPABILITY"))
		return;
	s->has_caps = true;
	s->takes_literals = imap_has_word(head, "LITERAL+") ||
	    (imap_has_word(head, "LITERAL-") && mail.load.size <= 4096);
}

static void
on_tagged(struct mail_session *s, struct slice rest)
{
	if (!imap_is_ok(rest)) {
		mail_refused(s, rest);
		return;
	}
	on_capabilities(s, rest);
	if (s->is_asking) {
		s->has_caps = true;
		(void)command(s, mail_step(s));
	} else if (s->is_sending) {
		mail_broken(s, "an answer before the message was sent");
	} else {
		mail_answered(s);
	}
}

static void
on_greeting(struct mail_session *s, struct slice head)
{
	on_capabilities(s, head);
	if (slice_has_iprefix(head, SLICE("* OK")))
		mail_answered(s);
	else
		mail_refused(s, head);
}

static void
on_response(struct mail_session *s, struct slice head)
{
	struct slice rest;

	if (s->stage == MAIL_GREETING)
		on_greeting(s, head);
	else if (imap_is_tagged(head, s->tag, &rest))
		on_tagged(s, rest);
	else if (head.p[0] == '+' && mail_step(s)->is_append && !s->is_asking &&
	    !s->takes_literals && !s->is_sending)
		begin_message(s);
	else if (head.p[0] != '*')
		mail_broken(s, "no IMAP answer");
	else if (slice_has_iprefix(head, SLICE("* CAPABILITY ")))
		on_capabilities(s, head);
}

static void
read_input(struct mail_session *s)
{
	struct conn *c = s->c;
	struct slice in = conn_input(c), head;
	size_t used = 0;
	ssize_t n;

	for (;;) {
		n = imap_next(&s->reader, slice_from(in, used), &head);
		if (n == 0)
			break;
		used += (size_t)n;
		mail.bytes += (size_t)n;
		if (head.n > 0)
			on_response(s, head);
		if (mail_is_over(s, c))
			return;
	}
	conn_took(c, used);
}

const struct mail_language mail_imap = {
	.logout = "LOGOUT",
	.parse = parse,
	.starttls = starttls,
	.login = login,
	.command = command,
	.quit = quit,
	.read = read_input,
	.drained = send_more,
};
