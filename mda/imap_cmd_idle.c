/* SPDX-License-Identifier: ISC */
/*
 * IDLE: RFC 9051 6.3.13, 2177. What the model announces is told at once; what
 * other programs do in the folder is looked for now and then.
 */
#include "mda/imap_session.h"

#include "base/clock.h"
#include "mda/owner.h"
#include "proto/limits.h"

enum {
	/* How often something is said, if there is nothing to say. */
	IDLE_WORD_MS = 120 * 1000
};

static void
on_idle(void *arg)
{
	struct imap_session *s = arg;

	if (s->phase != IMAP_PHASE_IDLE || s->io.is_ended)
		return;
	loop_timer_set(&s->idle, clock_boot_ms() + owner_poll_ms());
	if (s->io.is_waiting)
		return; /* the folder is still being read from last time */
	/* A word now and then keeps the address translators on the way from
	 * forgetting the connection. */
	if (clock_boot_ms() >= s->next_word) {
		s->next_word = clock_boot_ms() + IDLE_WORD_MS;
		imap_untagged_ok(s, NULL, "Still here.");
	}
	if (s->view == NULL) {
		channel_go(&s->io);
		return;
	}
	imap_wait(s);
	mailbox_refresh(s->mailbox, imap_on_mailbox, s);
}

void
imap_idle_init(struct imap_session *s)
{
	loop_timer_init(&s->idle, owner_loop(), on_idle, s);
}

static enum imap_progress
idle_start(struct imap_session *s)
{
	imap_put(s, "+ idling\r\n");
	s->phase = IMAP_PHASE_IDLE;
	s->next_word = clock_boot_ms() + IDLE_WORD_MS;
	loop_timer_set(&s->idle, clock_boot_ms() + owner_poll_ms());
	return IMAP_GOES_ON;
}

enum imap_progress
imap_run_idle(struct imap_session *s)
{
	s->step = idle_start;
	if (s->view == NULL)
		return IMAP_GOES_ON;
	imap_wait(s);
	mailbox_refresh(s->mailbox, imap_on_mailbox, s);
	return IMAP_GOES_ON;
}

/* RFC 9051 6.3.13: anything but DONE is an error. */
bool
imap_idle_read(struct imap_session *s)
{
	struct slice in = channel_input(&s->io), line;
	ptrdiff_t lf = slice_chr(in, '\n');

	if (s->view != NULL && view_has_changes(s->view, true) &&
	    !imap_sync(s, true, false))
		return true;
	if (lf < 0 && in.n < LIMIT_IMAP_LINE)
		return false;
	line = lf < 0 ? in : slice_head(in, (size_t)lf);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (slice_ieq_str(line, "DONE"))
		(void)imap_ok(s, NULL, "Idle completed.");
	else
		(void)imap_bad(s, "DONE is expected here.");
	loop_timer_clear(&s->idle);
	imap_command_done(s);
	channel_took(&s->io, lf < 0 ? in.n : (size_t)lf + 1);
	return true;
}

void
imap_news(struct imap_session *s)
{
	if (s->phase == IMAP_PHASE_IDLE)
		channel_go(&s->io);
}
