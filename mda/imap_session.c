/* SPDX-License-Identifier: ISC */
/*
 * The life of an IMAP session: bytes in, commands framed, parsed, dispatched by
 * verb, one after the other; output bounded by what the connection takes, work
 * cut into slices; the end agreed with `access`. RFC 9051 2 and 3. Relies on
 * `access` for greeting, login, TLS and time-outs.
 */
#include "mda/imap_session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mda/owner.h"
#include "mda/session.h"
#include "proto/limits.h"
#include "sys/log.h"

enum {
	REGION_MAX = 8 << 20,
	SCRATCH_MAX = 16 << 20
};

static struct list sessions = { &sessions, &sessions };

static imap_step *const runs[IMAP_VERB_COUNT] = {
	[IMAP_APPEND] = imap_run_append,
	[IMAP_CAPABILITY] = imap_run_capability,
	[IMAP_CHECK] = imap_run_check,
	[IMAP_CLOSE] = imap_run_close,
	[IMAP_COMPRESS] = imap_run_compress,
	[IMAP_COPY] = imap_run_copy,
	[IMAP_CREATE] = imap_run_create,
	[IMAP_DELETE] = imap_run_delete,
	[IMAP_ENABLE] = imap_run_enable,
	[IMAP_EXAMINE] = imap_run_select,
	[IMAP_EXPUNGE] = imap_run_expunge,
	[IMAP_FETCH] = imap_run_fetch,
	[IMAP_GETQUOTA] = imap_run_getquota,
	[IMAP_GETQUOTAROOT] = imap_run_getquotaroot,
	[IMAP_ID] = imap_run_id,
	[IMAP_IDLE] = imap_run_idle,
	[IMAP_LIST] = imap_run_list,
	[IMAP_LOGOUT] = imap_run_logout,
	[IMAP_LSUB] = imap_run_list,
	[IMAP_MOVE] = imap_run_copy,
	[IMAP_NAMESPACE] = imap_run_namespace,
	[IMAP_NOOP] = imap_run_noop,
	[IMAP_RENAME] = imap_run_rename,
	[IMAP_SEARCH] = imap_run_search,
	[IMAP_SELECT] = imap_run_select,
	[IMAP_SETQUOTA] = imap_run_setquota,
	[IMAP_STATUS] = imap_run_status,
	[IMAP_STORE] = imap_run_store,
	[IMAP_SUBSCRIBE] = imap_run_subscribe,
	[IMAP_UNSELECT] = imap_run_unselect,
	[IMAP_UNSUBSCRIBE] = imap_run_subscribe,
	/* AUTHENTICATE, LOGIN, STARTTLS: no state of ours has them. */
};

void
imap_wait(struct imap_session *s)
{
	channel_wait(&s->io);
}

void
imap_resume(struct imap_session *s)
{
	channel_resume(&s->io);
}

void
imap_flush(struct imap_session *s)
{
	channel_flush(&s->io);
}

bool
imap_must_pause(struct imap_session *s)
{
	return channel_must_pause(&s->io);
}

void
imap_end(struct imap_session *s, const char *bye, const char *why)
{
	if (s->io.is_ended)
		return;
	if (bye != NULL) {
		imap_put(s, "* BYE ");
		imap_put(s, bye);
		imap_put(s, "\r\n");
	}
	channel_end(&s->io, why);
}

/* ---- commands ---- */

void
imap_command_done(struct imap_session *s)
{
	if (s->drop != NULL)
		s->drop(s);
	s->drop = NULL;
	buf_release(&s->scratch);
	buf_release(&s->vanished);
	imap_tree_trim(s);
	region_reset(&s->region);
	s->job = NULL;
	s->step = NULL;
	s->why = NULL;
	s->expunge_seen = false;
	s->cmd.tag = SLICE_NONE;
	s->cmd.row = NULL;
	if (s->uids.cap > 4096)
		buf_release(&s->uids);
	else
		buf_reset(&s->uids);
	s->phase = IMAP_PHASE_READ;
}

static void
run_step(struct imap_session *s)
{
	if (s->step(s) == IMAP_ANSWERED)
		imap_command_done(s);
}

/* The command's bytes go on living in the region. 0, or -1: answered. */
static int
parse(struct imap_session *s, struct slice text)
{
	struct slice copy = region_slice(&s->region, text);

	if (copy.p == NULL || imap_cmd_parse(copy, imap_state(s), &s->region,
	    &s->cmd) < 0) {
		(void)imap_bad(s, imap_error_text(copy.p == NULL ?
			IMAP_ERROR_MEMORY : s->cmd.error));
		imap_command_done(s);
		return -1;
	}
	return 0;
}

static void
dispatch(struct imap_session *s, struct slice text)
{
	imap_step *run;

	if (parse(s, text) < 0)
		return;
	run = runs[s->cmd.row->verb];
	if (run == NULL)
		BUG("no function for %s", s->cmd.row->name);
	s->phase = IMAP_PHASE_WORK;
	s->step = run;
	if ((s->cmd.row->flags & IMAP_CMD_WRITES) != 0 && s->is_read_only) {
		(void)imap_no(s, "READ-ONLY", "The mailbox is read-only.");
		imap_command_done(s);
		return;
	}
	run_step(s);
}

/* An APPEND up to its literal. */
static void
begin_message(struct imap_session *s, const struct imap_frame_event *e)
{
	if (s->phase == IMAP_PHASE_REST) {
		/* RFC 3502 is not offered. */
		imap_append_drop(s);
		(void)imap_no(s, "CANNOT", "One message at a time, please.");
		imap_command_done(s);
		imap_frame_refuse(&s->frame);
		return;
	}
	if (parse(s, e->text) < 0) {
		imap_frame_refuse(&s->frame);
		return;
	}
	if (imap_append_start(s) < 0) {
		imap_command_done(s);
		imap_frame_refuse(&s->frame);
		return;
	}
	if (e->is_sync)
		imap_put(s, "+ OK\r\n");
	s->message_left = e->n;
	s->phase = IMAP_PHASE_MESSAGE;
}

/* Which code a framing error has; the text begins with tag and verb. */
static const char *
frame_code(const struct imap_session *s, const struct imap_frame_event *e)
{
	struct slice text = e->text, word;
	bool is_append = s->phase == IMAP_PHASE_REST;

	if (e->error != IMAP_FRAME_LITERAL_BIG &&
	    e->error != IMAP_FRAME_NONSYNC_BIG)
		return NULL;
	if (slice_split(&text, ' ', &word) && slice_split(&text, ' ', &word))
		is_append = is_append || slice_ieq_str(word, "APPEND");
	return is_append ? "TOOBIG" : "LIMIT";
}

static void
frame_error(struct imap_session *s, const struct imap_frame_event *e)
{
	const char *text = imap_frame_error_text(e->error);
	const char *code = frame_code(s, e);
	struct slice tag;

	if (e->is_fatal) {
		imap_end(s, text, "framing");
		return;
	}
	if (s->phase == IMAP_PHASE_REST) {
		imap_append_drop(s);
	} else {
		tag = imap_cmd_tag(e->text);
		if (tag.p != NULL)
			s->cmd.tag = region_slice(&s->region, tag);
	}
	if (code != NULL)
		(void)imap_no(s, code, text);
	else
		(void)imap_bad(s, text);
	imap_command_done(s);
}

static void
end_append(struct imap_session *s, struct slice rest)
{
	enum imap_error error = IMAP_ERROR_NONE;
	bool more = false;

	if (imap_cmd_append_next(rest, &s->region, &s->cmd.u.append, &more,
	    &error) < 0 || more) {
		imap_append_drop(s);
		(void)imap_bad(s, imap_error_text(error));
		imap_command_done(s);
		return;
	}
	s->phase = IMAP_PHASE_WORK;
	s->step = imap_run_append;
	run_step(s);
}

/* One framing event; false when more bytes are needed. */
static bool
read_command(struct imap_session *s)
{
	struct slice in = channel_input(&s->io);
	struct imap_frame_event e;
	enum imap_frame_what what;

	what = imap_frame_next(&s->frame, in, &e);
	switch (what) {
	case IMAP_FRAME_MORE:
		return false;
	case IMAP_FRAME_CONTINUE:
		imap_put(s, "+ OK\r\n");
		return true;
	case IMAP_FRAME_COMMAND:
		if (s->phase == IMAP_PHASE_REST)
			end_append(s, e.text);
		else
			dispatch(s, e.text);
		break;
	case IMAP_FRAME_MESSAGE:
		begin_message(s, &e);
		break;
	case IMAP_FRAME_SKIP:
		break;
	case IMAP_FRAME_ERROR:
		frame_error(s, &e);
		break;
	}
	channel_took(&s->io, e.consumed);
	return true;
}

/* ---- input in other phases ---- */

static bool
read_message(struct imap_session *s)
{
	struct slice in = channel_input(&s->io);

	if (s->message_left == 0) {
		s->phase = IMAP_PHASE_REST;
		return true;
	}
	if (in.n == 0)
		return false;
	if (in.n > s->message_left)
		in.n = (size_t)s->message_left;
	imap_append_bytes(s, in);
	s->message_left -= in.n;
	channel_took(&s->io, in.n);
	return true;
}

/* Between commands, or in IDLE: stopping has come. */
static bool
may_stop(struct imap_session *s)
{
	if (!s->is_stopping)
		return false;
	imap_end(s, "Server shutting down.", "stop");
	return true;
}

static bool
advance(void *arg)
{
	struct imap_session *s = arg;
	bool did = false;

	if (s->is_telling) {
		imap_tell_rest(s);
		return true;
	}
	switch (s->phase) {
	case IMAP_PHASE_READ:
		did = !may_stop(s) && read_command(s);
		break;
	case IMAP_PHASE_WORK:
		run_step(s);
		return true;
	case IMAP_PHASE_REST:
		did = read_command(s);
		break;
	case IMAP_PHASE_MESSAGE:
		did = read_message(s);
		break;
	case IMAP_PHASE_IDLE:
		did = !may_stop(s) && imap_idle_read(s);
		break;
	}
	if (!did && channel_is_last(&s->io))
		imap_end(s, NULL, "client closed");
	return did;
}

/* ---- begin and end ---- */

static void
session_free(void *arg)
{
	struct imap_session *s = arg;

	if (s->drop != NULL)
		s->drop(s);
	imap_append_drop(s);
	imap_unselect(s);
	log_info("event=imap_end session=%s in=%llu out=%llu",
	    LOG_S(s->io.id), (unsigned long long)s->io.received,
	    (unsigned long long)s->io.sent);
	channel_fini(&s->io);
	loop_timer_clear(&s->idle);
	list_remove(&s->link);
	buf_fini(&s->uids);
	buf_fini(&s->scratch);
	buf_fini(&s->tagged);
	buf_fini(&s->saved);
	buf_fini(&s->vanished);
	buf_fini(&s->deferred);
	region_fini(&s->region);
	free(s);
	owner_idle();
}

static const struct channel_ops ops = {
	.advance = advance, .free = session_free,
};

static const struct imap_frame_limits frame_limits = {
	.line = LIMIT_IMAP_LINE, .literal = LIMIT_IMAP_LITERAL_ARG,
	.command = LIMIT_IMAP_COMMAND, .message = IMAP_MESSAGE_MAX,
	.nonsync = IMAP_MESSAGE_MAX, .skip = 2ULL * IMAP_MESSAGE_MAX,
};

static void
greet(struct imap_session *s, struct slice tag)
{
	if (tag.n == 0)
		return;
	buf_add_slice(&s->io.out, tag);
	imap_put(s, " OK [CAPABILITY ");
	imap_put_capabilities(s);
	imap_put(s, "] Logged in.\r\n");
}

void
imap_session_start(const struct session_start *start)
{
	struct imap_session *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)close(start->stream);
		(void)close(start->control);
		return;
	}
	owner_busy();
	list_add(&sessions, &s->link);
	s->account = owner_account();
	buf_init(&s->uids, SIZE_MAX / 2);
	buf_init(&s->scratch, SCRATCH_MAX);
	buf_init(&s->tagged, SIZE_MAX / 2);
	buf_init(&s->saved, SIZE_MAX / 2);
	buf_init(&s->vanished, SIZE_MAX / 2);
	buf_init(&s->deferred, SIZE_MAX / 2);
	region_init(&s->region, REGION_MAX);
	imap_frame_init(&s->frame, &frame_limits);
	imap_idle_init(s);
	s->cmd.tag = SLICE_NONE;
	if (channel_init(&s->io, start, LIMIT_IMAP_COMMAND + LIMIT_IMAP_LINE,
	    &ops, s) < 0) {
		log_error("event=no_memory for=session");
		session_free(s);
		return;
	}
	log_info("event=imap_start session=%s client=%s tls=%d",
	    LOG_S(s->io.id), LOG_V(start->client), start->tls ? 1 : 0);
	greet(s, start->tag);
	channel_go(&s->io);
}

void
imap_sessions_stop(void)
{
	struct list *it, *tmp;
	struct imap_session *s;

	LIST_EACH(it, tmp, &sessions) {
		s = LIST_OF(it, struct imap_session, link);
		s->is_stopping = true;
		if (s->phase == IMAP_PHASE_MESSAGE ||
		    s->phase == IMAP_PHASE_REST) {
			imap_append_drop(s);
			imap_end(s, "Server shutting down.", "stop");
		}
		channel_go(&s->io);
	}
}
