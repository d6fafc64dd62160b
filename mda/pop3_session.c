/* SPDX-License-Identifier: ISC */
/*
 * The life of a POP3 session behind the login (RFC 1939 5, 6): opens INBOX,
 * takes its snapshot, reads commands line by line. `access` has done greeting,
 * TLS and USER/PASS or AUTH, and watches the time.
 */
#include "mda/pop3_session.h"

#include <stdlib.h>
#include <unistd.h>

#include "mda/owner.h"
#include "mda/session.h"
#include "proto/limits.h"
#include "sys/log.h"

static struct list sessions = { &sessions, &sessions };

void
pop3_put(struct pop3_session *s, const char *text)
{
	buf_add_str(&s->io.out, text);
}

enum pop3_progress
pop3_ok(struct pop3_session *s, const char *text)
{
	buf_addf(&s->io.out, "+OK %s\r\n", text);
	return POP3_ANSWERED;
}

enum pop3_progress
pop3_err(struct pop3_session *s, const char *code, const char *text)
{
	if (code != NULL)
		buf_addf(&s->io.out, "-ERR [%s] %s\r\n", code, text);
	else
		buf_addf(&s->io.out, "-ERR %s\r\n", text);
	return POP3_ANSWERED;
}

/* ---- the snapshot ---- */

static int
take_snapshot(struct pop3_session *s)
{
	static const struct view_events none;
	const struct message *msg;
	uint32_t seq, count;

	/* Read-only, so that \Recent is left to IMAP sessions. */
	s->view = view_new(s->mailbox, true, &none, s);
	if (s->view == NULL)
		return -1;
	count = view_count(s->view);
	s->v = calloc((size_t)count + 1, sizeof *s->v);
	if (s->v == NULL)
		return -1;
	for (seq = 1; seq <= count; seq++) {
		msg = view_message(s->view, seq);
		if (msg != NULL)
			s->v[s->n++] = (struct pop3_message){
				.uid = msg->uid, .size = msg->size };
	}
	/* The snapshot is what counts from here on. */
	view_free(&s->view);
	return 0;
}

static enum pop3_progress
opened(struct pop3_session *s)
{
	uint64_t size = 0;
	uint32_t i;

	if (s->result != MBOX_OK || take_snapshot(s) < 0) {
		(void)pop3_err(s, "SYS/TEMP", "The mailbox cannot be opened.");
		channel_end(&s->io, "mailbox not opened");
		return POP3_ANSWERED;
	}
	for (i = 0; i < s->n; i++)
		size += s->v[i].size;
	buf_addf(&s->io.out, "+OK %lu messages (%llu octets).\r\n",
	    (unsigned long)s->n, (unsigned long long)size);
	return POP3_ANSWERED;
}

static void
on_opened(void *arg, enum mbox_result r, struct mailbox *m)
{
	struct pop3_session *s = arg;

	s->result = r;
	s->mailbox = m;
	channel_resume(&s->io);
}

static enum pop3_progress
open_inbox(struct pop3_session *s)
{
	s->step = opened;
	channel_wait(&s->io);
	mailbox_open(s->account, SLICE("INBOX"), on_opened, s);
	return POP3_GOES_ON;
}

/* ---- commands ---- */

static void
run_step(struct pop3_session *s)
{
	if (s->step(s) == POP3_ANSWERED)
		s->step = NULL;
}

static void
dispatch(struct pop3_session *s, struct slice line)
{
	enum pop3_error error;

	error = pop3_cmd_parse(line, POP3_STATE_TRANSACTION, &s->cmd);
	s->step = error != POP3_ERROR_NONE ? NULL :
	    pop3_command(s->cmd.row->verb);
	if (error != POP3_ERROR_NONE)
		(void)pop3_err(s, NULL, pop3_error_text(error));
	else if (s->step == NULL)
		(void)pop3_err(s, NULL, "This command is not offered.");
	else
		run_step(s);
}

static bool
read_command(struct pop3_session *s)
{
	struct slice in = channel_input(&s->io), line;
	enum line_error error;
	ssize_t n;

	if (s->is_stopping) {
		(void)pop3_err(s, "SYS/TEMP", "Server shutting down.");
		channel_end(&s->io, "stop");
		return false;
	}
	n = line_next(&s->line, in, &line, &error);
	if (n < 0) {
		(void)pop3_err(s, NULL, error == LINE_TOO_LONG ?
			"The line is too long." :
			"Lines end in CR and LF.");
		channel_end(&s->io, "framing");
		return false;
	}
	if (n == 0)
		return false;
	dispatch(s, line);
	channel_took(&s->io, (size_t)n);
	return true;
}

static bool
advance(void *arg)
{
	struct pop3_session *s = arg;

	if (s->step != NULL) {
		run_step(s);
		return true;
	}
	if (read_command(s))
		return true;
	/* Without QUIT nothing is deleted (RFC 1939 6). */
	if (channel_is_last(&s->io))
		channel_end(&s->io, "client closed");
	return false;
}

/* ---- begin and end ---- */

static void
session_free(void *arg)
{
	struct pop3_session *s = arg;

	log_info("event=pop3_end session=%s in=%llu out=%llu",
	    LOG_S(s->io.id), (unsigned long long)s->io.received,
	    (unsigned long long)s->io.sent);
	channel_fini(&s->io);
	if (s->view != NULL)
		view_free(&s->view);
	if (s->mailbox != NULL)
		mailbox_close(&s->mailbox);
	list_remove(&s->link);
	free(s->v);
	free(s->uids);
	free(s);
	owner_idle();
}

static const struct channel_ops ops = {
	.advance = advance, .free = session_free,
};

void
pop3_session_start(const struct session_start *start)
{
	struct pop3_session *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)close(start->stream);
		(void)close(start->control);
		return;
	}
	owner_busy();
	list_add(&sessions, &s->link);
	s->account = owner_account();
	line_init(&s->line, LIMIT_POP3_LINE);
	if (channel_init(&s->io, start, LIMIT_POP3_LINE + 1024, &ops, s) < 0) {
		log_error("event=no_memory for=session");
		session_free(s);
		return;
	}
	log_info("event=pop3_start session=%s client=%s tls=%d",
	    LOG_S(s->io.id), LOG_V(start->client), start->tls ? 1 : 0);
	s->step = open_inbox;
	channel_go(&s->io);
}

void
pop3_sessions_stop(void)
{
	struct list *it, *tmp;
	struct pop3_session *s;

	LIST_EACH(it, tmp, &sessions) {
		s = LIST_OF(it, struct pop3_session, link);
		s->is_stopping = true;
		channel_go(&s->io);
	}
}
