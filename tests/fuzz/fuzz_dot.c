/* SPDX-License-Identifier: ISC */
/*
 * The first octet chooses the size of the blocks. Decoding must not depend on
 * them, and must undo encoding.
 */
#include "proto/dot.h"

#include "base/buf.h"
#include "tests/fuzz/fuzz.h"

/* Octets consumed; *ok_r false when the message was refused. */
static size_t
decode(struct slice in, size_t block, struct buf *out, bool *ok_r)
{
	struct dot_decoder d;
	enum dot_error error;
	struct slice view;
	size_t used = 0;
	ssize_t n;

	dot_decoder_init(&d, 0);
	*ok_r = true;
	while (used < in.n && !dot_decoder_is_done(&d)) {
		n = dot_decode(&d, slice_head(slice_from(in, used), block),
		    &view, &error);
		FUZZ_ASSERT(n != 0 && (n > 0 || *ok_r));
		if (n < 0) {
			*ok_r = false;
			continue;
		}
		buf_add_slice(out, view);
		used += (size_t)n;
	}
	return used;
}

static void
encode(struct slice in, size_t block, struct buf *out)
{
	struct dot_encoder e;
	struct slice view, piece;
	size_t n;

	dot_encoder_init(&e);
	while (in.n > 0) {
		piece = slice_head(in, block);
		n = dot_encode(&e, piece, &view);
		FUZZ_ASSERT(n > 0 || view.n > 0);
		buf_add_slice(out, view);
		in = slice_from(in, n);
	}
	buf_add_slice(out, dot_encode_end(&e));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct buf a, b, c;
	bool ok_a, ok_b;
	size_t block, used;

	if (size == 0)
		return 0;
	block = 1 + data[0];
	in = slice_from(in, 1);
	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	buf_init(&c, 1 << 20);
	used = decode(in, in.n + 1, &a, &ok_a);
	FUZZ_ASSERT(decode(in, block, &b, &ok_b) == used && ok_a == ok_b);
	FUZZ_ASSERT(!ok_a || slice_eq(buf_slice(&a), buf_slice(&b)));
	buf_reset(&a);
	buf_reset(&b);
	encode(in, in.n + 1, &a);
	encode(in, block, &b);
	FUZZ_ASSERT(slice_eq(buf_slice(&a), buf_slice(&b)));
	FUZZ_ASSERT(decode(buf_slice(&a), block, &c, &ok_a) == a.n && ok_a);
	FUZZ_ASSERT(c.n >= in.n);
	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&c);
	return 0;
}
