/* SPDX-License-Identifier: ISC */
#include "proto/base64_body.h"

#include "tests/unit/unit.h"

static const struct {
	const char *in, *want;
} decodes[] = {
	{ "", "" },
	{ "YQ==", "a" },
	{ "YWI=", "ab" },
	{ "YWJj", "abc" },
	{ "YWJj\r\nZGVm\r\n", "abcdef" },
	{ "Y W!J*j", "abc" },
	{ "YQ==YWI=", "aab" },
	{ "YQ", "a" },
	{ "YWI", "ab" },
	{ "Y", "" },
	{ "Y=YWJj", "abc" },
	{ "====YWJj", "abc" },
	{ "-_YWJj", "abc" },
	{ "\xff\x80YWJj", "abc" },
};

START_TEST(decode)
{
	struct slice in = guard_copy(slice_str(decodes[_i].in));
	struct base64_decoder d;
	struct buf out;
	size_t cut;

	buf_init(&out, 100);
	for (cut = 0; cut <= in.n; cut++) {
		buf_reset(&out);
		base64_decoder_init(&d);
		base64_body_decode(&d, slice_head(in, cut), &out);
		base64_body_decode(&d, slice_from(in, cut), &out);
		base64_body_decode_end(&d, &out);
		ck_slice_str(buf_slice(&out), decodes[_i].want);
	}
	buf_fini(&out);
}
END_TEST

START_TEST(round_trip)
{
	struct base64_encoder e;
	struct base64_decoder d;
	struct slice in, line, rest;
	struct buf coded, plain;
	char octets[300];
	size_t n, step;

	for (n = 0; n < sizeof octets; n++)
		octets[n] = (char)(n * 7);
	buf_init(&coded, 1000);
	buf_init(&plain, 1000);
	for (n = 0; n <= sizeof octets; n++)
		for (step = 1; step < 140; step += 23) {
			buf_reset(&coded);
			buf_reset(&plain);
			in = (struct slice){ octets, n };
			base64_encoder_init(&e);
			for (; in.n > 0; in = slice_from(in, step))
				base64_body_encode(&e, slice_head(in, step),
				    &coded);
			base64_body_encode_end(&e, &coded);
			base64_decoder_init(&d);
			base64_body_decode(&d, buf_slice(&coded), &plain);
			base64_body_decode_end(&d, &plain);
			ck_slice_eq(buf_slice(&plain),
			    ((struct slice){ octets, n }));
			rest = buf_slice(&coded);
			while (rest.n > 0 && slice_split(&rest, '\n', &line))
				ck_assert_uint_le(line.n, 77);
		}
	buf_fini(&coded);
	buf_fini(&plain);
}
END_TEST

UNIT_SUITE(base64_body, {
	tcase_add_loop_test(tc, decode, 0,
	    (int)(sizeof decodes / sizeof *decodes));
	tcase_add_test(tc, round_trip);
})
