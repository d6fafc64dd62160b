/* SPDX-License-Identifier: ISC */
/*
 * The first byte chooses: a name to a folder and back, a folder to a name and
 * back, or pattern LF name against a plain recursive matcher.
 */
#include "proto/imap_mailbox.h"

#include "tests/fuzz/fuzz.h"

static void
check_name(struct slice in, unsigned how)
{
	enum imap_mailbox_error error = IMAP_MAILBOX_NONE;
	struct buf name, folder, back;

	buf_init(&name, 4096);
	buf_init(&folder, 4096);
	buf_init(&back, 4096);
	if (imap_mailbox_parse(&name, in, how, &error) < 0) {
		FUZZ_ASSERT(error != IMAP_MAILBOX_NONE);
	} else if (imap_mailbox_to_folder(&folder, buf_slice(&name), &error) ==
	    0 && folder.n > 0) {
		FUZZ_ASSERT(folder.n <= 255);
		FUZZ_ASSERT(!slice_has(buf_slice(&folder), '/'));
		FUZZ_ASSERT(imap_mailbox_from_folder(&back,
		    buf_slice(&folder), &error) == 0);
		FUZZ_ASSERT(slice_eq(buf_slice(&back), buf_slice(&name)));
	}
	buf_fini(&name);
	buf_fini(&folder);
	buf_fini(&back);
}

static void
check_folder(struct slice in)
{
	enum imap_mailbox_error error;
	struct buf name, back;

	buf_init(&name, 4096);
	buf_init(&back, 4096);
	if (imap_mailbox_from_folder(&name, in, &error) == 0) {
		FUZZ_ASSERT(imap_mailbox_to_folder(&back, buf_slice(&name),
		    &error) == 0);
		FUZZ_ASSERT(slice_eq(buf_slice(&back), in));
	}
	buf_fini(&name);
	buf_fini(&back);
}

static bool
matches(struct slice p, struct slice s)
{
	if (p.n == 0)
		return s.n == 0;
	if (p.p[0] == '*' || p.p[0] == '%')
		return matches(slice_from(p, 1), s) || (s.n > 0 &&
		    (p.p[0] == '*' || s.p[0] != '/') &&
		    matches(p, slice_from(s, 1)));
	return s.n > 0 && p.p[0] == s.p[0] &&
	    matches(slice_from(p, 1), slice_from(s, 1));
}

static void
check_match(struct slice in)
{
	struct slice pattern;

	if (!slice_split(&in, '\n', &pattern))
		return;
	if (pattern.n > 8 || in.n > 12 ||
	    slice_has_prefix(in, SLICE("INBOX"))) {
		(void)imap_mailbox_matches(pattern, in);
		return;
	}
	FUZZ_ASSERT(imap_mailbox_matches(pattern, in) == matches(pattern, in));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };

	if (size == 0)
		return 0;
	in = slice_from(in, 1);
	if ((data[0] & 3) == 0)
		check_folder(in);
	else if ((data[0] & 3) == 1)
		check_match(in);
	else
		check_name(in, data[0] >> 6);
	return 0;
}
