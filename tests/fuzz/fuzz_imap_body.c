/* SPDX-License-Identifier: ISC */
/*
 * Whatever the message, ENVELOPE, BODY and BODYSTRUCTURE must be one well
 * formed list: balanced, no NUL, 8-bit octets and line ends in literals only.
 */
#include "proto/imap_body.h"

#include "base/num.h"
#include "proto/imap_envelope.h"
#include "proto/limits.h"
#include "proto/mime.h"
#include "tests/fuzz/fuzz.h"

static void
skip_quoted(struct slice *s)
{
	for (; s->n > 0 && s->p[0] != '"'; *s = slice_from(*s, 1)) {
		FUZZ_ASSERT((unsigned char)s->p[0] < 128 && s->p[0] != 0);
		FUZZ_ASSERT(s->p[0] != '\r' && s->p[0] != '\n');
		if (s->p[0] == '\\')
			*s = slice_from(*s, 1);
	}
	FUZZ_ASSERT(s->n > 0);
	*s = slice_from(*s, 1);
}

static void
skip_literal(struct slice *s)
{
	uint64_t n;

	FUZZ_ASSERT(num_take(s, s->n, &n) == 0);
	FUZZ_ASSERT(slice_has_prefix(*s, SLICE("}\r\n")) && n <= s->n - 3);
	FUZZ_ASSERT(!slice_has(slice_head(slice_from(*s, 3), n), 0));
	*s = slice_from(*s, 3 + n);
}

static void
check(struct buf *out)
{
	struct slice s = buf_slice(out);
	int depth = 0;
	char c;

	FUZZ_ASSERT(buf_is_ok(out));
	while (s.n > 0) {
		c = s.p[0];
		s = slice_from(s, 1);
		depth += c == '(' ? 1 : c == ')' ? -1 : 0;
		FUZZ_ASSERT(depth > 0 || s.n == 0);
		if (c == '"')
			skip_quoted(&s);
		else if (c == '{')
			skip_literal(&s);
		else
			FUZZ_ASSERT(ascii_is_alnum(c) ||
			    slice_has(SLICE("() "), c));
	}
	FUZZ_ASSERT(depth == 0);
	buf_reset(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct mime_message m;
	struct mime_parser p;
	struct buf text, out;
	struct region r;

	region_init(&r, LIMIT_MIME_MEMORY);
	buf_init(&text, 2 * LIMIT_HEADER);
	buf_init(&out, 64 << 20);
	mime_init(&p, &r, &text);
	mime_feed(&p, in);
	FUZZ_ASSERT(mime_finish(&p, &m) == 0);
	imap_body_write(&out, m.root, 0, &text);
	check(&out);
	imap_body_write(&out, m.root, IMAP_BODY_EXTENDED, &text);
	check(&out);
	FUZZ_ASSERT(imap_envelope_of_header(&out, in, &r, &text) == 0);
	check(&out);
	buf_fini(&out);
	buf_fini(&text);
	region_fini(&r);
	return 0;
}
