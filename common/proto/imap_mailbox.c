/* SPDX-License-Identifier: ISC */
/* RFC 9051 5.1, 6.3.9; 3501 5.1; 6855 3; Maildir++ as Courier defined it. */
#include "proto/imap_mailbox.h"

#include <string.h>

#include "base/utf8.h"
#include "proto/limits.h"
#include "proto/mutf7.h"

static const char *const texts[] = {
#define E(name, text) [IMAP_MAILBOX_##name] = text,
	IMAP_MAILBOX_ERRORS(E)
#undef E
};

static const struct slice inbox = { "INBOX", 5 };

const char *
imap_mailbox_error_text(enum imap_mailbox_error e)
{
	if ((size_t)e >= sizeof texts / sizeof *texts)
		return "The mailbox name is not valid.";
	return texts[e];
}

static int
fail(enum imap_mailbox_error error, enum imap_mailbox_error *error_r)
{
	*error_r = error;
	return -1;
}

/* RFC 6855 3, RFC 5198 2: neither C0, DEL, C1 nor U+2028 and U+2029. */
static bool
has_control(struct slice name)
{
	const unsigned char *p = (const unsigned char *)name.p;
	size_t i;

	for (i = 0; i < name.n; i++) {
		if (p[i] < 0x20 || p[i] == 0x7f)
			return true;
		if (p[i] == 0xc2 && i + 1 < name.n && p[i + 1] < 0xa0)
			return true;
		if (p[i] == 0xe2 && i + 2 < name.n && p[i + 1] == 0x80 &&
		    (p[i + 2] == 0xa8 || p[i + 2] == 0xa9))
			return true;
	}
	return false;
}

static bool
has_empty_level(struct slice name)
{
	return name.p[0] == '/' || name.p[name.n - 1] == '/' ||
	    slice_find(name, SLICE("//")) >= 0;
}

static struct slice
first_level(struct slice name)
{
	ptrdiff_t end = slice_chr(name, '/');

	return end < 0 ? name : slice_head(name, (size_t)end);
}

int
imap_mailbox_check(struct slice name, enum imap_mailbox_error *error_r)
{
	if (name.n == 0)
		return fail(IMAP_MAILBOX_EMPTY, error_r);
	if (name.n > LIMIT_IMAP_MAILBOX)
		return fail(IMAP_MAILBOX_LONG, error_r);
	if (!utf8_is_valid(name))
		return fail(IMAP_MAILBOX_UTF8, error_r);
	if (has_control(name))
		return fail(IMAP_MAILBOX_CONTROL, error_r);
	if (has_empty_level(name))
		return fail(IMAP_MAILBOX_LEVEL, error_r);
	return 0;
}

bool
imap_mailbox_is_inbox(struct slice name)
{
	return slice_eq(name, inbox);
}

/* Appends wire text as UTF-8. */
static int
decode(struct buf *out, struct slice wire, unsigned how,
    enum imap_mailbox_error *error_r)
{
	if (wire.n > LIMIT_IMAP_LINE)
		return fail(IMAP_MAILBOX_LONG, error_r);
	if ((how & IMAP_MAILBOX_IS_UTF8) != 0)
		buf_add_slice(out, wire);
	else if (utf8_has_8bit(wire))
		return fail(IMAP_MAILBOX_EIGHT_BIT, error_r);
	else if (mutf7_decode(out, wire) < 0 && buf_is_ok(out))
		return fail(IMAP_MAILBOX_UTF7, error_r);
	return buf_is_ok(out) ? 0 : fail(IMAP_MAILBOX_LONG, error_r);
}

int
imap_mailbox_parse(struct buf *out, struct slice wire, unsigned how,
    enum imap_mailbox_error *error_r)
{
	bool is_new = (how & IMAP_MAILBOX_IS_NEW) != 0;

	buf_reset(out);
	if (decode(out, wire, how, error_r) < 0)
		return -1;
	if (is_new && out->n > 0 && out->p[out->n - 1] == '/')
		buf_cut(out, out->n - 1);
	if (imap_mailbox_check(buf_slice(out), error_r) < 0)
		return -1;
	if (is_new && (slice_has(buf_slice(out), '*') ||
	    slice_has(buf_slice(out), '%')))
		return fail(IMAP_MAILBOX_WILDCARD, error_r);
	if (slice_ieq(first_level(buf_slice(out)), inbox))
		memcpy(out->p, inbox.p, inbox.n);
	return 0;
}

int
imap_mailbox_to_folder(struct buf *out, struct slice name,
    enum imap_mailbox_error *error_r)
{
	size_t i;

	buf_reset(out);
	if (imap_mailbox_check(name, error_r) < 0)
		return -1;
	if (imap_mailbox_is_inbox(name))
		return 0;
	if (slice_has(name, '.'))
		return fail(IMAP_MAILBOX_DOT, error_r);
	buf_add_char(out, '.');
	if (mutf7_encode(out, name) < 0 || out->n > LIMIT_IMAP_FOLDER)
		return fail(IMAP_MAILBOX_LONG, error_r);
	for (i = 0; i < out->n; i++)
		if (out->p[i] == '/')
			out->p[i] = '.';
	return 0;
}

/* INBOX itself is no subfolder, and other cases of it cannot be asked for. */
static bool
is_reachable(struct slice name)
{
	struct slice first = first_level(name);

	return !slice_ieq(first, inbox) ||
	    (slice_eq(first, inbox) && name.n > first.n);
}

int
imap_mailbox_from_folder(struct buf *out, struct slice folder,
    enum imap_mailbox_error *error_r)
{
	size_t i;

	buf_reset(out);
	if (folder.n < 2 || folder.n > LIMIT_IMAP_FOLDER ||
	    folder.p[0] != '.' || slice_has(folder, '/'))
		return fail(IMAP_MAILBOX_FOLDER, error_r);
	if (mutf7_decode(out, slice_from(folder, 1)) < 0)
		return fail(IMAP_MAILBOX_FOLDER, error_r);
	for (i = 0; i < out->n; i++)
		if (out->p[i] == '.')
			out->p[i] = '/';
	if (imap_mailbox_check(buf_slice(out), error_r) < 0)
		return -1;
	if (!is_reachable(buf_slice(out)))
		return fail(IMAP_MAILBOX_FOLDER, error_r);
	return 0;
}

int
imap_mailbox_pattern(struct buf *out, struct slice reference,
    struct slice pattern, unsigned how, enum imap_mailbox_error *error_r)
{
	buf_reset(out);
	if (decode(out, reference, how, error_r) < 0)
		return -1;
	return decode(out, pattern, how, error_r);
}

/*
 * All places of the pattern that the name read so far can have led to, moved on
 * a byte at a time: no backtracking, so no pattern is slow.
 */
struct places {
	bool live[LIMIT_IMAP_MAILBOX + 1];
	struct slice pattern;
};

static bool
is_wild(char c)
{
	return c == '*' || c == '%';
}

/* A wildcard may stand for nothing. Is any place left? */
static bool
pass_wildcards(struct places *at)
{
	bool any = at->live[at->pattern.n];
	size_t i;

	for (i = 0; i < at->pattern.n; i++) {
		if (!at->live[i])
			continue;
		any = true;
		if (is_wild(at->pattern.p[i]))
			at->live[i + 1] = true;
	}
	return any;
}

static bool
move_on(struct places *at, char c, bool ignore_case)
{
	size_t i;
	char p;

	for (i = at->pattern.n + 1; i-- > 0;) {
		p = i < at->pattern.n ? at->pattern.p[i] : 0;
		at->live[i] = at->live[i] &&
		    (p == '*' || (p == '%' && c != '/'));
		if (i == 0 || !at->live[i - 1])
			continue;
		p = at->pattern.p[i - 1];
		if (!is_wild(p) && (p == c ||
		    (ignore_case && ascii_lower(p) == ascii_lower(c))))
			at->live[i] = true;
	}
	return pass_wildcards(at);
}

bool
imap_mailbox_matches(struct slice pattern, struct slice name)
{
	struct places at;
	bool has_inbox;
	size_t i;

	if (slice_eq_str(pattern, "*"))
		return true;
	if (slice_eq_str(pattern, "%"))
		return !slice_has(name, '/');
	if (pattern.n > LIMIT_IMAP_MAILBOX)
		return false;
	has_inbox = slice_eq(first_level(name), inbox);
	memset(at.live, 0, pattern.n + 1);
	at.pattern = pattern;
	at.live[0] = true;
	if (!pass_wildcards(&at))
		return false;
	for (i = 0; i < name.n; i++)
		if (!move_on(&at, name.p[i], has_inbox && i < inbox.n))
			return false;
	return at.live[pattern.n];
}
