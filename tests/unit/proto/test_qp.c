/* SPDX-License-Identifier: ISC */
#include "proto/qp.h"

#include "tests/unit/unit.h"

#define A10 "aaaaaaaaaa"
#define A70 A10 A10 A10 A10 A10 A10 A10

static const struct {
	const char *in, *want;
	bool is_binary;
} encodes[] = {
	{ "", "" },
	{ "plain text\r\n", "plain text\r\n" },
	{ "a=b", "a=3Db" },
	{ "\xc3\xbc", "=C3=BC" },
	{ "a \r\nb\t\r\n", "a=20\r\nb=09\r\n" },
	{ "a  \r\n", "a =20\r\n" },
	{ "a ", "a=20" },
	{ "a\rb\nc", "a=0Db=0Ac" },
	{ "a\r", "a=0D" },
	{ "a \r", "a =0D" },
	{ "a\r\r\n", "a=0D\r\n" },
	{ "a\r\n", "a=0D=0A", true },
	{ ".\r\na.b\r\n", "=2E\r\na.b\r\n" },
	{ A70 "12345\r\n", A70 "12345\r\n" },
	{ A70 "123456\r\n", A70 "12345=\r\n6\r\n" },
	{ A70 "123=\r\n", A70 "123=\r\n=3D\r\n" },
	{ A70 "12345.\r\n", A70 "12345=\r\n=2E\r\n" },
	{ "--b\r\na-b\r\n", "=2D-b\r\na-b\r\n" },
	{ A70 "12345--b\r\n", A70 "12345=\r\n=2D-b\r\n" },
	{ A70 "1234 -b\r\n", A70 "1234 =\r\n=2Db\r\n" },
	{ A70 "1234 5\r\n", A70 "1234 =\r\n5\r\n" },
};

START_TEST(encode)
{
	struct slice in = guard_copy(slice_str(encodes[_i].in));
	struct qp_encoder e;
	struct buf out;
	size_t cut;

	buf_init(&out, 1000);
	for (cut = 0; cut <= in.n; cut++) {
		buf_reset(&out);
		qp_encoder_init(&e, encodes[_i].is_binary);
		qp_encode(&e, slice_head(in, cut), &out);
		qp_encode(&e, slice_from(in, cut), &out);
		qp_encode_end(&e, &out);
		ck_slice_str(buf_slice(&out), encodes[_i].want);
	}
	buf_fini(&out);
}
END_TEST

static const struct {
	const char *in, *want;
} decodes[] = {
	{ "", "" },
	{ "plain text\r\n", "plain text\r\n" },
	{ "a=3Db=3d", "a=b=" },
	{ "=C3=BC", "\xc3\xbc" },
	{ "a=\r\nb=\nc", "abc" },
	{ "a= \t\r\nb", "ab" },
	{ "a \t\r\nb \nc", "a\r\nb\nc" },
	{ "a b", "a b" },
	{ "a  ", "a" },
	{ "a\rb", "a\rb" },
	{ "a \rb", "a \rb" },
	{ "a \r", "a \r" },
	{ "a=20\r\n", "a \r\n" },
	{ "a=XY", "a=XY" },
	{ "a=4", "a=4" },
	{ "a=4X", "a=4X" },
	{ "a==41", "a=A" },
	{ "a=4=41", "a=4A" },
	{ "a= b", "a= b" },
	{ "a=", "a" },
	{ "a=\r", "a" },
	{ "=0D=0A", "\r\n" },
	{ "\xff", "\xff" },
	{ "a" A70 "                                                          "
	  "                                            b", "a" A70
	  "                                                          "
	  "                                            b" },
};

START_TEST(decode)
{
	struct slice in = guard_copy(slice_str(decodes[_i].in));
	struct qp_decoder d;
	struct buf out;
	size_t cut;

	buf_init(&out, 1000);
	for (cut = 0; cut <= in.n; cut++) {
		buf_reset(&out);
		qp_decoder_init(&d);
		qp_decode(&d, slice_head(in, cut), &out);
		qp_decode(&d, slice_from(in, cut), &out);
		qp_decode_end(&d, &out);
		ck_slice_str(buf_slice(&out), decodes[_i].want);
	}
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(qp, {
	tcase_add_loop_test(tc, encode, 0,
	    (int)(sizeof encodes / sizeof *encodes));
	tcase_add_loop_test(tc, decode, 0,
	    (int)(sizeof decodes / sizeof *decodes));
})
