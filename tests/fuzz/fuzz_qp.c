/* SPDX-License-Identifier: ISC */
/* The first octet says where the input is cut. */
#include "proto/qp.h"

#include "proto/base64_body.h"
#include "tests/fuzz/fuzz.h"

static void
decode(struct slice in, size_t cut, struct buf *out)
{
	struct qp_decoder d;

	qp_decoder_init(&d);
	qp_decode(&d, slice_head(in, cut), out);
	qp_decode(&d, slice_from(in, cut), out);
	qp_decode_end(&d, out);
}

static void
check_lines(struct slice coded)
{
	struct slice line;

	while (coded.n > 0 && slice_split(&coded, '\n', &line))
		FUZZ_ASSERT(line.n <= 77);
}

static void
encode(struct slice in, size_t cut, bool is_binary, struct buf *out)
{
	struct qp_encoder e;

	qp_encoder_init(&e, is_binary);
	qp_encode(&e, slice_head(in, cut), out);
	qp_encode(&e, slice_from(in, cut), out);
	qp_encode_end(&e, out);
	check_lines(buf_slice(out));
}

static void
base64(struct slice in, size_t cut, struct buf *coded, struct buf *plain)
{
	struct base64_encoder e;
	struct base64_decoder d;

	base64_encoder_init(&e);
	base64_body_encode(&e, slice_head(in, cut), coded);
	base64_body_encode(&e, slice_from(in, cut), coded);
	base64_body_encode_end(&e, coded);
	check_lines(buf_slice(coded));
	base64_decoder_init(&d);
	base64_body_decode(&d, buf_slice(coded), plain);
	base64_body_decode_end(&d, plain);
	FUZZ_ASSERT(slice_eq(buf_slice(plain), in));
	base64_body_decode(&d, in, coded);
	base64_body_decode_end(&d, coded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct buf a, b;
	size_t cut;
	int binary;

	if (size == 0)
		return 0;
	cut = data[0];
	in = slice_from(in, 1);
	buf_init(&a, 1 << 22);
	buf_init(&b, 1 << 22);
	decode(in, 0, &a);
	decode(in, cut, &b);
	FUZZ_ASSERT(slice_eq(buf_slice(&a), buf_slice(&b)));
	FUZZ_ASSERT(a.n <= in.n);
	for (binary = 0; binary < 2; binary++) {
		buf_reset(&a);
		buf_reset(&b);
		encode(in, cut, binary == 1, &a);
		decode(buf_slice(&a), cut, &b);
		FUZZ_ASSERT(slice_eq(buf_slice(&b), in));
	}
	buf_reset(&a);
	buf_reset(&b);
	base64(in, cut, &a, &b);
	buf_fini(&a);
	buf_fini(&b);
	return 0;
}
