/* SPDX-License-Identifier: ISC */
/* What is written is one token that reads back as what went in. */
#include "proto/imap_write.h"

#include "base/utf8.h"
#include "proto/imap_mailbox.h"
#include "tests/fuzz/fuzz.h"

static void
check_mailbox(struct slice in, bool utf8, struct region *region)
{
	enum imap_mailbox_error error;
	struct buf out, name;
	struct imap_cur c;
	struct slice s;

	buf_init(&out, 1 << 16);
	buf_init(&name, 1 << 16);
	imap_write_mailbox(&out, in, utf8);
	imap_cur_init(&c, buf_slice(&out), region);
	FUZZ_ASSERT(imap_take_mailbox(&c, &s) == 0 && imap_is_end(&c));
	FUZZ_ASSERT(imap_mailbox_parse(&name, s,
	    utf8 ? IMAP_MAILBOX_IS_UTF8 : 0, &error) == 0);
	if (slice_ieq_str(slice_head(in, 5), "INBOX"))
		FUZZ_ASSERT(slice_ieq(buf_slice(&name), in));
	else
		FUZZ_ASSERT(slice_eq(buf_slice(&name), in));
	buf_fini(&out);
	buf_fini(&name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, s;
	enum imap_mailbox_error error;
	struct region region;
	struct imap_cur c;
	struct buf out;
	bool utf8;

	if (size == 0)
		return 0;
	utf8 = (data[0] & 1) != 0;
	in = slice_from(in, 1);
	region_init(&region, 1 << 18);
	buf_init(&out, 1 << 16);
	imap_write_astring(&out, in, utf8);
	imap_cur_init(&c, buf_slice(&out), &region);
	FUZZ_ASSERT(imap_take_astring(&c, &s) == 0 && imap_is_end(&c));
	FUZZ_ASSERT(slice_has(in, 0) ? s.n == in.n : slice_eq(s, in));
	buf_reset(&out);
	imap_write_text(&out, in, utf8);
	FUZZ_ASSERT(out.n > 0 && !slice_has(buf_slice(&out), '\n'));
	FUZZ_ASSERT(utf8_is_valid(buf_slice(&out)));
	if (imap_mailbox_check(in, &error) == 0)
		check_mailbox(in, utf8, &region);
	buf_fini(&out);
	region_fini(&region);
	return 0;
}
