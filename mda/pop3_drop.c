/* SPDX-License-Identifier: ISC */
/*
 * The commands of POP3's TRANSACTION state over the snapshot: RFC 1939 5 to 7,
 * 2449 CAPA, RESP-CODES and PIPELINING, 3206 SYS codes. A unique id is
 * UIDVALIDITY and UID, so it is the same in every session.
 */
#include "mda/pop3_session.h"

#include <stdlib.h>
#include <string.h>

enum { READ_SIZE = 65536 };

/* The message of the command, or NULL: answered. */
static struct pop3_message *
find(struct pop3_session *s)
{
	struct pop3_message *m;

	if (s->cmd.number == 0 || s->cmd.number > s->n) {
		(void)pop3_err(s, NULL, "There is no such message.");
		return NULL;
	}
	m = &s->v[s->cmd.number - 1];
	if (m->is_deleted) {
		(void)pop3_err(s, NULL, "The message is deleted.");
		return NULL;
	}
	return m;
}

static void
put_totals(struct pop3_session *s, const char *format)
{
	uint64_t size = 0;
	unsigned long n = 0;
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		if (s->v[i].is_deleted)
			continue;
		n++;
		size += s->v[i].size;
	}
	buf_addf(&s->io.out, "+OK %lu", n);
	pop3_put(s, format);
	buf_addf(&s->io.out, "%llu", (unsigned long long)size);
}

static enum pop3_progress
stat_run(struct pop3_session *s)
{
	put_totals(s, " ");
	pop3_put(s, "\r\n");
	return POP3_ANSWERED;
}

/* ---- LIST, UIDL ---- */

static void
put_row(struct pop3_session *s, uint32_t at)
{
	const struct mbox_info *info = mailbox_info(s->mailbox);

	if (s->cmd.row->verb == POP3_UIDL)
		buf_addf(&s->io.out, "%lu %lx.%lx\r\n",
		    (unsigned long)at + 1, (unsigned long)info->uidvalidity,
		    (unsigned long)s->v[at].uid);
	else
		buf_addf(&s->io.out, "%lu %llu\r\n", (unsigned long)at + 1,
		    (unsigned long long)s->v[at].size);
}

static enum pop3_progress
list_on(struct pop3_session *s)
{
	while (s->at < s->n) {
		if (!s->v[s->at].is_deleted)
			put_row(s, s->at);
		s->at++;
		channel_flush(&s->io);
		if (channel_must_pause(&s->io))
			return POP3_GOES_ON;
	}
	pop3_put(s, ".\r\n");
	return POP3_ANSWERED;
}

static enum pop3_progress
list_run(struct pop3_session *s)
{
	if (s->cmd.number == 0) {
		if (s->cmd.row->verb == POP3_LIST) {
			put_totals(s, " messages (");
			pop3_put(s, " octets)\r\n");
		} else {
			(void)pop3_ok(s, "Unique ids follow.");
		}
		s->at = 0;
		s->step = list_on;
		return POP3_GOES_ON;
	}
	if (find(s) == NULL)
		return POP3_ANSWERED;
	pop3_put(s, "+OK ");
	put_row(s, s->cmd.number - 1);
	return POP3_ANSWERED;
}

/* ---- RETR, TOP ---- */

static void
put_dotted(struct pop3_session *s, struct slice in)
{
	struct slice out;
	size_t n;

	while (in.n > 0) {
		n = dot_encode(&s->dot, in, &out);
		buf_add_slice(&s->io.out, out);
		in = slice_from(in, n);
	}
}

/* How many of the bytes TOP still sends: the header, the empty line, and so
 * many lines. */
static size_t
top_length(struct pop3_session *s, struct slice in)
{
	const char *lf;
	size_t at = 0, n;
	bool is_empty;

	while (at < in.n && (s->in_header || s->lines > 0)) {
		lf = memchr(in.p + at, '\n', in.n - at);
		n = lf == NULL ? in.n - at : (size_t)(lf - in.p) + 1 - at;
		/* A line may be cut between pieces: only its start counts. */
		is_empty = s->at_line_start && lf != NULL &&
		    (n == 1 || (n == 2 && in.p[at] == '\r'));
		s->at_line_start = lf != NULL ||
		    (s->at_line_start && n == 1 && in.p[at] == '\r');
		at += n;
		if (lf == NULL)
			break;
		if (!s->in_header)
			s->lines--;
		else if (is_empty)
			s->in_header = false;
	}
	return at;
}

static enum pop3_progress
message_end(struct pop3_session *s)
{
	buf_add_slice(&s->io.out, dot_encode_end(&s->dot));
	if (s->cmd.row->verb == POP3_RETR)
		s->v[s->cmd.number - 1].is_read = true;
	return POP3_ANSWERED;
}

static void
on_bytes(void *arg, enum mbox_result r, struct slice bytes)
{
	struct pop3_session *s = arg;
	size_t n;

	s->result = r;
	if (r == MBOX_OK && s->offset == 0)
		(void)pop3_ok(s, "The message follows.");
	if (r == MBOX_OK) {
		n = s->cmd.row->verb == POP3_TOP ? top_length(s, bytes) :
		    bytes.n;
		put_dotted(s, slice_head(bytes, n));
		s->offset += bytes.n;
		/* The whole of it, or all that was asked for. */
		if (n < bytes.n || bytes.n < READ_SIZE ||
		    (s->cmd.row->verb == POP3_TOP && !s->in_header &&
		    s->lines == 0))
			s->offset = UINT64_MAX;
	}
	channel_resume(&s->io);
}

static enum pop3_progress
message_on(struct pop3_session *s)
{
	if (s->result != MBOX_OK && s->offset > 0) {
		/* There is no way to say so in the middle of a message. */
		channel_end(&s->io, "message lost while it was sent");
		return POP3_ANSWERED;
	}
	if (s->result == MBOX_NONEXISTENT)
		return pop3_err(s, NULL, "The message is gone.");
	if (s->result != MBOX_OK)
		return pop3_err(s, "SYS/TEMP", "The message cannot be read.");
	if (s->offset == UINT64_MAX)
		return message_end(s);
	channel_wait(&s->io);
	mailbox_read(s->mailbox, s->v[s->cmd.number - 1].uid, s->offset,
	    READ_SIZE, on_bytes, s);
	return POP3_GOES_ON;
}

static enum pop3_progress
message_run(struct pop3_session *s)
{
	if (find(s) == NULL)
		return POP3_ANSWERED;
	s->offset = 0;
	s->lines = s->cmd.lines;
	s->in_header = s->at_line_start = true;
	s->result = MBOX_OK;
	dot_encoder_init(&s->dot);
	s->step = message_on;
	return POP3_GOES_ON;
}

/* ---- DELE, RSET, NOOP, CAPA ---- */

static enum pop3_progress
dele_run(struct pop3_session *s)
{
	struct pop3_message *m = find(s);

	if (m == NULL)
		return POP3_ANSWERED;
	m->is_deleted = true;
	return pop3_ok(s, "Marked to be deleted.");
}

static enum pop3_progress
rset_run(struct pop3_session *s)
{
	uint32_t i;

	for (i = 0; i < s->n; i++)
		s->v[i].is_deleted = false;
	return pop3_ok(s, "No message is marked.");
}

static enum pop3_progress
noop_run(struct pop3_session *s)
{
	return pop3_ok(s, "Done.");
}

static enum pop3_progress
capa_run(struct pop3_session *s)
{
	pop3_put(s, "+OK Capabilities follow.\r\nTOP\r\nUIDL\r\n"
	    "RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
	    "EXPIRE NEVER\r\nIMPLEMENTATION Veredus\r\n.\r\n");
	return POP3_ANSWERED;
}

/* ---- QUIT ---- */

static enum pop3_progress
quit_end(struct pop3_session *s)
{
	if (s->result == MBOX_OK)
		(void)pop3_ok(s, "Goodbye.");
	else
		(void)pop3_err(s, "SYS/TEMP",
		    "The messages were not deleted.");
	channel_end(&s->io, "quit");
	return POP3_ANSWERED;
}

static void
on_done(void *arg, enum mbox_result r)
{
	struct pop3_session *s = arg;

	s->result = r;
	channel_resume(&s->io);
}

/* UIDs into s->uids: the deleted ones, or those that were read and stay. */
static size_t
collect(struct pop3_session *s, bool deleted)
{
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (s->v[i].is_deleted == deleted &&
		    (deleted || s->v[i].is_read))
			s->uids[n++] = s->v[i].uid;
	return n;
}

/* RFC 1939 6: durable before +OK. */
static enum pop3_progress
quit_delete(struct pop3_session *s)
{
	size_t n = collect(s, true);

	s->result = MBOX_OK;
	s->step = quit_end;
	if (n == 0)
		return POP3_GOES_ON;
	channel_wait(&s->io);
	mailbox_expunge(s->mailbox, s->uids, n, true, on_done, s);
	return POP3_GOES_ON;
}

static void
on_stored(void *arg, enum mbox_result r, const uint32_t *modified, size_t n)
{
	(void)modified;
	(void)n;
	on_done(arg, r);
}

static enum pop3_progress
quit_run(struct pop3_session *s)
{
	static const struct flag_change seen = { .op = FLAGS_ADD,
		.flags = FLAG_SEEN };
	size_t n;

	s->uids = calloc((size_t)s->n + 1, sizeof *s->uids);
	if (s->uids == NULL) {
		s->result = MBOX_LATER;
		return quit_end(s);
	}
	s->step = quit_delete;
	n = collect(s, false);
	if (n == 0)
		return POP3_GOES_ON;
	channel_wait(&s->io);
	mailbox_store(s->mailbox, s->uids, n, &seen, on_stored, s);
	return POP3_GOES_ON;
}

pop3_step *
pop3_command(enum pop3_verb verb)
{
	static pop3_step *const steps[POP3_VERB_COUNT] = {
		[POP3_CAPA] = capa_run, [POP3_DELE] = dele_run,
		[POP3_LIST] = list_run, [POP3_NOOP] = noop_run,
		[POP3_QUIT] = quit_run, [POP3_RETR] = message_run,
		[POP3_RSET] = rset_run, [POP3_STAT] = stat_run,
		[POP3_TOP] = message_run, [POP3_UIDL] = list_run,
	};

	return steps[verb];
}
