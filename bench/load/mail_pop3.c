/* SPDX-License-Identifier: ISC */
/*
 * POP3 for bench_mail (RFC 1939, RFC 2595). Answers of many lines are searched
 * for their end only: the LF before them stays in the input for that.
 */
#include "bench/load/mail.h"

#include <string.h>

#include "base/num.h"

static bool
is_command(const char *text, const char *name, bool has_argument)
{
	struct slice s = slice_str(text);

	if (!has_argument)
		return slice_ieq_str(s, name);
	return slice_has_iprefix(s, slice_str(name)) && s.n > strlen(name) &&
	    s.p[strlen(name)] == ' ';
}

static void
parse(struct step *step)
{
	static bool is_announced;
	const char *t = step->text;

	step->announces = is_command(t, "STAT", false) ||
	    is_command(t, "LIST", false);
	step->is_long = is_command(t, "LIST", false) ||
	    is_command(t, "UIDL", false) || is_command(t, "CAPA", false) ||
	    is_command(t, "RETR", true) || is_command(t, "TOP", true);
	step->is_each = slice_has_suffix(slice_str(t), SLICE(" *"));
	is_announced = is_announced || step->announces;
	if (step->is_each && !is_announced)
		load_die("%s needs STAT or LIST before it", t);
}

static void
starttls(struct mail_session *s)
{
	buf_add_str(&mail.out, "STLS\r\n");
	mail_send(s);
}

static void
login(struct mail_session *s)
{
	s->has_user = false;
	buf_add_str(&mail.out, "USER ");
	mail_user(s, &mail.out);
	buf_add_str(&mail.out, "\r\n");
	mail_send(s);
}

static void
password(struct mail_session *s)
{
	int64_t began_us = s->sent_us;

	s->has_user = true;
	buf_add_str(&mail.out, "PASS ");
	buf_add_str(&mail.out, mail.load.password);
	buf_add_str(&mail.out, "\r\n");
	mail_send(s);
	s->sent_us = began_us; /* both are one login */
}

static bool
command(struct mail_session *s, const struct step *step)
{
	struct slice text = slice_str(step->text);

	if (step->is_each && s->message == s->announced) {
		s->message = 0;
		return false;
	}
	buf_add_slice(&mail.out,
	    slice_head(text, text.n - (step->is_each ? 1 : 0)));
	if (step->is_each)
		load_add_number(&mail.out, ++s->message);
	buf_add_str(&mail.out, "\r\n");
	mail_send(s);
	return true;
}

static void
quit(struct mail_session *s)
{
	buf_add_str(&mail.out, "QUIT\r\n");
	mail_send(s);
}

/* ---- answers ---- */

/* "+OK 3 1200" */
static void
on_stat(struct mail_session *s, struct slice line)
{
	struct slice rest = slice_from(line, 4);

	if (num_take(&rest, UINT32_MAX, &s->announced) < 0)
		s->announced = 0;
}

static void
on_line(struct mail_session *s, struct slice line)
{
	const struct step *step = mail_step(s);

	if (slice_has_iprefix(line, SLICE("-ERR"))) {
		mail_refused(s, line);
	} else if (!slice_has_iprefix(line, SLICE("+OK"))) {
		mail_broken(s, "no POP3 answer");
	} else if (s->stage == MAIL_LOGIN && !s->has_user) {
		password(s);
	} else if (s->stage == MAIL_SCRIPT && step->is_long) {
		s->is_body = true;
		s->lines = 0;
	} else {
		if (s->stage == MAIL_SCRIPT && step->announces)
			on_stat(s, line);
		mail_answered(s);
	}
}

static size_t
count_lines(struct slice s)
{
	const char *p = s.p, *end = s.p + s.n;
	size_t n = 0;

	while (p < end) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			break;
		p++;
		n++;
	}
	return n;
}

/* Bytes of a long answer that can go; is_body is off at its end. */
static size_t
pass_body(struct mail_session *s, struct slice in)
{
	static const struct slice end = { "\n.\r\n", 4 };
	const char *at = memmem(in.p, in.n, end.p, end.n);
	size_t n = in.n < end.n ? 0 : in.n - (end.n - 1);

	if (at != NULL)
		n = (size_t)(at - in.p);
	if (mail_step(s)->announces)
		s->lines += count_lines(slice_head(in, n));
	if (at == NULL)
		return n;
	s->is_body = false;
	return n + end.n;
}

static void
end_body(struct mail_session *s)
{
	if (mail_step(s)->announces)
		s->announced = s->lines;
	mail_answered(s);
}

/* Takes a line or a piece. False when there is none, or no more to do. */
static bool
take(struct mail_session *s)
{
	struct conn *c = s->c;
	struct slice in = conn_input(c), line;
	const char *end;
	size_t n;

	if (s->is_body) {
		n = pass_body(s, in);
		mail.bytes += n;
		conn_took(c, n);
		if (s->is_body)
			return false;
		end_body(s);
		return !mail_is_over(s, c);
	}
	end = in.n == 0 ? NULL : memchr(in.p, '\n', in.n);
	if (end == NULL)
		return false;
	n = (size_t)(end - in.p) + 1;
	line = slice_head(in, n - (n > 1 && end[-1] == '\r' ? 2 : 1));
	on_line(s, line);
	if (mail_is_over(s, c))
		return false;
	if (s->is_body)
		n--;
	mail.bytes += n;
	conn_took(c, n);
	return true;
}

static void
read_input(struct mail_session *s)
{
	struct conn *c = s->c;

	while (take(s))
		;
	if (!mail_is_over(s, c) && !s->is_body && conn_input(c).n > 8192)
		mail_broken(s, "an answer without an end");
}

const struct mail_language mail_pop3 = {
	.logout = "QUIT",
	.parse = parse,
	.starttls = starttls,
	.login = login,
	.command = command,
	.quit = quit,
	.read = read_input,
};
