/* SPDX-License-Identifier: ISC */
/*
 * APPEND: RFC 9051 6.3.12, 4315 APPENDUID. The message streams into the store
 * while it comes; lines that end in LF alone get their CR, as all mail of ours
 * is served with it. Durable before OK.
 */
#include "mda/imap_session.h"

#include <string.h>

struct append_job {
	bool has_cr;  /* the last byte was CR */
	bool has_nul;
	uint32_t uidvalidity, uid;
};

int
imap_append_start(struct imap_session *s)
{
	struct imap_append *c = &s->cmd.u.append;
	struct append what = { .flags = imap_flags_in(c->flags.system),
		.keywords = c->flags.keywords, .n_keywords = c->flags.n,
		.internaldate = c->has_date ? c->date.sec : 0, .sync = true };
	enum mbox_result r = MBOX_OK;
	struct append_job *job;
	const char *name;

	name = imap_name(s, c->mailbox, 0);
	if (name == NULL)
		return -1;
	job = region_alloc(&s->region, sizeof *job);
	if (job == NULL) {
		(void)imap_bad(s, imap_error_text(IMAP_ERROR_MEMORY));
		return -1;
	}
	s->job = job;
	if (c->has_date && what.internaldate == 0)
		what.internaldate = 1;
	s->writer = append_begin(s->account, slice_str(name), &what, c->size,
	    &r);
	if (s->writer != NULL)
		return 0;
	if (r == MBOX_NONEXISTENT)
		(void)imap_no(s, "TRYCREATE", "There is no such mailbox.");
	else
		(void)imap_failed(s, r, NULL);
	return -1;
}

static void
add(struct imap_session *s, const char *p, size_t n)
{
	if (n > 0)
		append_write(s->writer, (struct slice){ p, n });
}

/* What is between two LFs goes as it is; an LF without CR gets one. */
void
imap_append_bytes(struct imap_session *s, struct slice bytes)
{
	struct append_job *t = s->job;
	const char *p = bytes.p, *from = p, *end = p + bytes.n, *lf;

	t->has_nul = t->has_nul || slice_has(bytes, '\0');
	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (lf > bytes.p ? lf[-1] != '\r' : !t->has_cr) {
			add(s, from, (size_t)(lf - from));
			add(s, "\r", 1);
			from = lf;
		}
		p = lf + 1;
	}
	add(s, from, (size_t)(end - from));
	if (bytes.n > 0)
		t->has_cr = end[-1] == '\r';
}

void
imap_append_drop(struct imap_session *s)
{
	if (s->writer != NULL)
		append_abort(&s->writer);
}

static enum imap_progress
appended(struct imap_session *s)
{
	const struct append_job *t = s->job;
	enum imap_progress p;
	struct buf code;

	if (s->result == MBOX_NONEXISTENT)
		return imap_no(s, "TRYCREATE", "There is no such mailbox.");
	if (s->result != MBOX_OK)
		return imap_failed(s, s->result, NULL);
	if (t->uid == 0)
		return imap_ok(s, NULL, "Appended.");
	buf_init(&code, 64);
	buf_addf(&code, "APPENDUID %lu %lu", (unsigned long)t->uidvalidity,
	    (unsigned long)t->uid);
	p = imap_ok(s, code.p, "Appended.");
	buf_fini(&code);
	return p;
}

static void
on_appended(void *arg, enum mbox_result r, uint32_t uidvalidity, uint32_t uid)
{
	struct imap_session *s = arg;
	struct append_job *t = s->job;

	t->uidvalidity = uidvalidity;
	t->uid = uid;
	imap_on_mailbox(s, r);
}

/* The whole message is there. */
enum imap_progress
imap_run_append(struct imap_session *s)
{
	struct append_job *t = s->job;

	if (s->writer == NULL) /* it ended before its literal */
		return imap_bad(s, imap_error_text(IMAP_ERROR_LITERAL));
	if (t->has_nul) {
		imap_append_drop(s);
		/* RFC 3516 4.4: what is sent as binary but cannot be kept. */
		return imap_no(s, s->cmd.u.append.is_literal8 ?
			"UNKNOWN-CTE" : "CANNOT",
		    "A message cannot hold NUL.");
	}
	s->step = appended;
	imap_wait(s);
	append_end(&s->writer, on_appended, s);
	return IMAP_GOES_ON;
}
