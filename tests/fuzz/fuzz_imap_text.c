/* SPDX-License-Identifier: ISC */
/* Folding, fields, previews, and finding that must not depend on the pieces in
 * which the text comes. */
#include "mda/imap_text.h"

#include "base/utf8.h"
#include "mda/imap_preview.h"
#include "tests/fuzz/fuzz.h"

static bool
find(struct slice in, struct slice wanted, size_t step)
{
	struct imap_wanted w = { .text = wanted };
	struct imap_finder f;
	size_t at;

	imap_finder_init(&f, &w, 1);
	imap_finder_begin(&f, SLICE("utf-8"));
	for (at = 0; at < in.n; at += step)
		(void)imap_finder_feed(&f,
		    slice_head(slice_from(in, at), step), &w, 1);
	imap_finder_fini(&f);
	return w.is_found;
}

static void
check_finder(struct slice in)
{
	struct slice key = slice_head(in, 8);
	struct buf folded;

	if (!utf8_is_valid(in) || key.n == 0)
		return;
	buf_init(&folded, SIZE_MAX / 2);
	imap_text_fold(&folded, SLICE_NONE, slice_from(in, key.n / 2));
	key = slice_head(buf_slice(&folded), 6);
	if (key.n > 0 && utf8_is_valid(key)) {
		FUZZ_ASSERT(find(in, key, in.n));
		FUZZ_ASSERT(find(in, key, 1));
		FUZZ_ASSERT(find(in, key, 3));
	}
	buf_fini(&folded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice in = { (const char *)data, n };
	struct buf out;
	size_t i, chars = 0;

	buf_init(&out, SIZE_MAX / 2);
	imap_text_fold(&out, SLICE("iso-8859-1"), in);
	FUZZ_ASSERT(utf8_is_valid(buf_slice(&out)));
	buf_reset(&out);
	imap_text_decode(&out, SLICE("utf-8"), in);
	FUZZ_ASSERT(utf8_is_valid(buf_slice(&out)));
	buf_reset(&out);
	imap_text_field(&out, in);
	buf_reset(&out);
	imap_preview(&out, in);
	FUZZ_ASSERT(utf8_is_valid(buf_slice(&out)));
	for (i = 0; i < out.n; i++)
		chars += ((unsigned char)out.p[i] & 0xc0) != 0x80;
	FUZZ_ASSERT(chars <= 200);
	buf_fini(&out);
	check_finder(in);
	return 0;
}
