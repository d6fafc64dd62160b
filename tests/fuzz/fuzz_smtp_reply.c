/* SPDX-License-Identifier: ISC */
#include "proto/smtp_reply.h"

#include "base/utf8.h"
#include "proto/smtp_caps.h"
#include "tests/fuzz/fuzz.h"

/* Whole and octet by octet must end alike. */
static ssize_t
drip(struct slice in, struct buf *text, struct smtp_reply *r)
{
	enum smtp_reply_error error;
	struct smtp_reply_parser p;
	ssize_t n = 0;
	size_t k;

	smtp_reply_init(&p);
	for (k = 0; k <= in.n && n == 0; k++)
		n = smtp_reply_next(&p, slice_head(in, k), text, r, &error);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	enum smtp_reply_error error;
	struct smtp_reply_parser p;
	struct smtp_reply r, r2;
	struct smtp_caps caps;
	struct status s;
	struct buf a, b;
	ssize_t n;

	buf_init(&a, 300);
	buf_init(&b, 300);
	smtp_reply_init(&p);
	n = smtp_reply_next(&p, in, &a, &r, &error);
	FUZZ_ASSERT(n == drip(in, &b, &r2));
	if (n > 0) {
		FUZZ_ASSERT(r.code == r2.code && slice_eq(r.text, r2.text));
		smtp_caps_parse(r.text, &caps);
		s = status_from_reply(r.code, r.enhanced, r.text);
		FUZZ_ASSERT(!enhanced_is_none(s.enhanced));
		buf_reset(&b);
		status_add_text(&b, s.text, 100);
		FUZZ_ASSERT(b.n <= 100 && utf8_is_valid(buf_slice(&b)));
		FUZZ_ASSERT(!slice_has(buf_slice(&b), '\n'));
	}
	smtp_caps_parse(in, &caps);
	buf_fini(&a);
	buf_fini(&b);
	return 0;
}
