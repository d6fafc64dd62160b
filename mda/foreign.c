/* SPDX-License-Identifier: ISC */
/* The files of Dovecot and Courier beside a Maildir, read line by line. */
#include "mda/foreign.h"

#include "base/num.h"
#include "mda/folder.h"

static struct slice
without_flags(struct slice name)
{
	ptrdiff_t at = slice_chr(name, ':');

	return at < 0 ? name : slice_head(name, (size_t)at);
}

/* "3 V1 N2 G3 …" */
static int
head_v3(struct slice line, struct foreign_head *h_r)
{
	struct foreign_head h = { 0 };
	struct slice word;
	uint64_t n;

	while (slice_split(&line, ' ', &word)) {
		if (word.n < 2)
			continue;
		if (num_parse(slice_from(word, 1), 0, UINT32_MAX, &n) < 0)
			continue;
		if (word.p[0] == 'V')
			h.uidvalidity = (uint32_t)n;
		else if (word.p[0] == 'N')
			h.uidnext = (uint32_t)n;
	}
	if (h.uidvalidity == 0)
		return -1;
	*h_r = h;
	return 0;
}

/* "1 UIDVALIDITY UIDNEXT": Dovecot's first version, and Courier's. */
static int
head_v1(struct slice line, struct foreign_head *h_r)
{
	struct slice word;
	uint64_t validity, next;

	if (!slice_split(&line, ' ', &word) ||
	    num_parse(word, 1, UINT32_MAX, &validity) < 0 ||
	    !slice_split(&line, ' ', &word) ||
	    num_parse(word, 0, UINT32_MAX, &next) < 0)
		return -1;
	h_r->uidvalidity = (uint32_t)validity;
	h_r->uidnext = (uint32_t)next;
	return 0;
}

int
foreign_uidlist_head(struct slice *text, struct foreign_head *h_r)
{
	struct slice line, version;

	if (!slice_split(text, '\n', &line) ||
	    !slice_split(&line, ' ', &version))
		return -1;
	if (slice_eq_str(version, "3"))
		return head_v3(line, h_r);
	if (slice_eq_str(version, "1"))
		return head_v1(line, h_r);
	return -1;
}

bool
foreign_uidlist_line(struct slice *text, uint32_t *uid_r, struct slice *id_r)
{
	struct slice line, word;
	ptrdiff_t at;
	uint64_t uid;

	while (slice_split(text, '\n', &line)) {
		if (!slice_split(&line, ' ', &word) ||
		    num_parse(word, 1, UINT32_MAX - 1, &uid) < 0)
			continue;
		/* Version 3 has fields (W123, Gguid) and then ":name"; a name
		 * of version 1 has no space before its colon. */
		at = line.n > 0 && line.p[0] == ':' ? 0 :
		    slice_find(line, SLICE(" :"));
		if (at >= 0)
			line = slice_from(line,
			    (size_t)at + (line.p[at] == ' ' ? 2 : 1));
		line = without_flags(line);
		if (line.n == 0 || slice_has(line, '/'))
			continue;
		*uid_r = (uint32_t)uid;
		*id_r = line;
		return true;
	}
	return false;
}

bool
foreign_keyword_line(struct slice *text, unsigned *number_r,
    struct slice *name_r)
{
	struct slice line, word;
	uint64_t number;

	while (slice_split(text, '\n', &line)) {
		if (!slice_split(&line, ' ', &word) ||
		    num_parse(word, 0, 25, &number) < 0 || line.n == 0)
			continue;
		*number_r = (unsigned)number;
		*name_r = line;
		return true;
	}
	return false;
}

void
foreign_subscriptions_begin(struct foreign_subscriptions *s,
    struct slice text)
{
	*s = (struct foreign_subscriptions){ .text = text };
	if (slice_has_prefix(text, SLICE("V\t2\n"))) {
		s->tabs = true;
		s->text = slice_from(text, 4);
	}
}

/* Dovecot's version 2 has UTF-8 levels with tabs between; before that, names
 * were modified UTF-7 with the separator of the namespace. Courier's begin
 * with "INBOX.". */
static bool
name_of(const struct foreign_subscriptions *s, struct slice line,
    struct buf *out)
{
	char separator = s->tabs ? '\t' : slice_has(line, '/') ? '/' : '.';
	size_t i;

	buf_reset(out);
	if (slice_has_prefix(line, SLICE("INBOX.")) && !s->tabs)
		line = slice_from(line, 6);
	if (!s->tabs && separator == '/') {
		struct slice level;

		while (slice_split(&line, '/', &level)) {
			if (out->n > 0)
				buf_add_char(out, '/');
			if (folder_decode(out, level, '\n') < 0)
				return false;
		}
	} else if (!s->tabs) {
		if (folder_decode(out, line, '.') < 0)
			return false;
	} else {
		for (i = 0; i < line.n; i++)
			buf_add_char(out,
			    line.p[i] == '\t' ? '/' : line.p[i]);
	}
	return buf_is_ok(out) && folder_name_fault(buf_slice(out)) == NULL;
}

bool
foreign_subscriptions_next(struct foreign_subscriptions *s, struct buf *out)
{
	struct slice line;

	while (slice_split(&s->text, '\n', &line))
		if (line.n > 0 && name_of(s, line, out))
			return true;
	return false;
}
