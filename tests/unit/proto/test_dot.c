/* SPDX-License-Identifier: ISC */
#include "proto/dot.h"

#include <string.h>

#include "base/buf.h"
#include "tests/unit/unit.h"

#define Z(s) { "" s, sizeof(s) - 1 }

/* want == NULL: refused with `error`. rest: what stands behind the end, or
 * NULL when there is no end. */
static const struct {
	const char *name;
	struct slice in;
	const char *want, *rest;
	enum dot_error error;
	unsigned flags;
} cases[] = {
	{ "empty message", Z(".\r\n"), "", "" },
	{ "one line", Z("a\r\n.\r\nQUIT\r\n"), "a\r\n", "QUIT\r\n" },
	{ "lines", Z("a\r\n\r\nb\r\n.\r\n"), "a\r\n\r\nb\r\n", "" },
	{ "stuffed", Z("..\r\n..a\r\n.b\r\n.\r\n"), ".\r\n.a\r\nb\r\n", "" },
	{ "dots inside", Z("a.\r\na.b\r\n...\r\n.\r\n"), "a.\r\na.b\r\n..\r\n",
	    "" },
	{ "no end", Z("a\r\n."), "a\r\n", NULL },
	{ "no end 2", Z("a\r\n.\r"), "a\r\n", NULL },
	{ "CR at the end", Z("a\r"), "a\r", NULL },
	{ "nothing", Z(""), "", NULL },
	{ "NUL passes", Z("a\0b\r\n.\r\n"), "a", "" },
	{ "NUL refused", Z("a\0b\r\n.\r\nX"), NULL, "X", DOT_NUL,
	    DOT_REFUSE_NUL },
	{ "bare LF", Z("a\nb\r\n.\r\nX"), NULL, "X", DOT_BARE_LF },
	{ "bare CR", Z("a\rb\r\n.\r\nX"), NULL, "X", DOT_BARE_CR },
	{ "LF.LF", Z("a\r\n\n.\nMAIL\r\n.\r\nX"), NULL, "X", DOT_BARE_LF },
	{ "LF.CRLF", Z("a\n.\r\nMAIL\r\n.\r\nX"), NULL, "X", DOT_BARE_LF },
	{ "CRLF.LF", Z("a\r\n.\nMAIL\r\n.\r\nX"), NULL, "X", DOT_BARE_LF },
	{ "CRLF.CR", Z("a\r\n.\rMAIL\r\n.\r\nX"), NULL, "X", DOT_BARE_CR },
	{ "CR.CR", Z("a\r.\rMAIL\r\n.\r\nX"), NULL, "X", DOT_BARE_CR },
	{ "CRCRLF", Z("a\r\r\n.\r\nX"), NULL, "X", DOT_BARE_CR },
	{ "LF first", Z("\n.\r\nb\r\n.\r\nX"), NULL, "X", DOT_BARE_LF },
	{ "refused, no end", Z("a\nb\r\n..\r\n"), NULL, NULL, DOT_BARE_LF },
};

/* Feeds [at, in.n) in pieces; returns false when refused. */
struct feed {
	struct dot_decoder d;
	struct buf out;
	bool is_refused;
	enum dot_error error;
	size_t used;
};

static void
feed(struct feed *f, struct slice piece)
{
	enum dot_error error;
	struct slice out;
	ssize_t n = 1;

	while (piece.n > 0 && !dot_decoder_is_done(&f->d)) {
		n = dot_decode(&f->d, piece, &out, &error);
		ck_assert(n != 0);
		if (n < 0) {
			ck_assert(!f->is_refused);
			f->is_refused = true;
			f->error = error;
			continue;
		}
		if (out.n > 0)
			ck_assert(out.p >= piece.p &&
			    out.p + out.n <= piece.p + n);
		ck_assert(!f->is_refused || out.n == 0);
		buf_add_slice(&f->out, out);
		f->used += (size_t)n;
		piece = slice_from(piece, (size_t)n);
	}
}

static void
check(int i, size_t cut1, size_t cut2)
{
	struct slice in = guard_copy(cases[i].in);
	struct feed f = { .used = 0 };

	dot_decoder_init(&f.d, cases[i].flags);
	buf_init(&f.out, 1000);
	feed(&f, slice_head(in, cut1));
	feed(&f, slice_head(slice_from(in, cut1), cut2));
	feed(&f, slice_from(slice_from(in, cut1), cut2));
	ck_assert_msg(f.is_refused == (cases[i].want == NULL), "%s %zu %zu",
	    cases[i].name, cut1, cut2);
	if (f.is_refused)
		ck_assert_msg(f.error == cases[i].error, "%s %zu %zu: %d",
		    cases[i].name, cut1, cut2, (int)f.error);
	else
		ck_assert_msg(slice_has_prefix(buf_slice(&f.out),
		    slice_str(cases[i].want)) &&
		    (f.out.n == strlen(cases[i].want) || i == 9), "%s %zu %zu",
		    cases[i].name, cut1, cut2);
	ck_assert_msg(dot_decoder_is_done(&f.d) == (cases[i].rest != NULL),
	    "%s %zu %zu", cases[i].name, cut1, cut2);
	if (cases[i].rest != NULL)
		ck_slice_str(slice_from(in, f.used), cases[i].rest);
	buf_fini(&f.out);
}

START_TEST(decode_every_split)
{
	size_t a, b, n = cases[_i].in.n;

	for (a = 0; a <= n; a++)
		for (b = 0; b <= n - a; b++)
			check(_i, a, b);
}
END_TEST

START_TEST(decode_bytewise)
{
	struct slice in = cases[_i].in;
	struct feed f = { .used = 0 };
	size_t k;

	dot_decoder_init(&f.d, cases[_i].flags);
	buf_init(&f.out, 1000);
	for (k = 0; k < in.n; k++)
		feed(&f, guard_copy((struct slice){ in.p + k, 1 }));
	ck_assert_msg(f.is_refused == (cases[_i].want == NULL), "%s",
	    cases[_i].name);
	ck_assert(dot_decoder_is_done(&f.d) == (cases[_i].rest != NULL));
	buf_fini(&f.out);
}
END_TEST

/* A message of plain lines comes out in one view. */
START_TEST(decode_one_view)
{
	const struct slice in = SLICE("one\r\ntwo\r\nthree\r\n");
	struct dot_decoder d;
	enum dot_error error;
	struct slice out;

	dot_decoder_init(&d, DOT_REFUSE_NUL);
	ck_assert_int_eq(dot_decode(&d, in, &out, &error), (ssize_t)in.n);
	ck_assert(out.p == in.p && out.n == in.n);
}
END_TEST

static const struct {
	const char *in, *want;
} encodes[] = {
	{ "", ".\r\n" },
	{ "a\r\n", "a\r\n.\r\n" },
	{ "a", "a\r\n.\r\n" },
	{ "a\r", "a\r\n.\r\n" },
	{ ".\r\n", "..\r\n.\r\n" },
	{ "a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n" },
	{ "a.b\r\n", "a.b\r\n.\r\n" },
	{ "a\nb\n", "a\r\nb\r\n.\r\n" },
	{ "a\n.\nb", "a\r\n..\r\nb\r\n.\r\n" },
	{ "\n\n", "\r\n\r\n.\r\n" },
	{ "a\rb\r\n", "a b\r\n.\r\n" },
	{ "a\r\r\n.\r\n", "a \r\n..\r\n.\r\n" },
	{ "\r.\r\n", " .\r\n.\r\n" },
	{ "\r\r", " \r\n.\r\n" },
};

static void
encode_piece(struct dot_encoder *e, struct slice piece, struct buf *out)
{
	struct slice got;
	size_t n;

	while (piece.n > 0) {
		n = dot_encode(e, piece, &got);
		ck_assert(n > 0 || got.n > 0);
		buf_add_slice(out, got);
		piece = slice_from(piece, n);
	}
}

START_TEST(encode_every_split)
{
	struct slice in = guard_copy(slice_str(encodes[_i].in));
	struct dot_encoder e;
	struct buf out;
	size_t a, b;

	buf_init(&out, 100);
	for (a = 0; a <= in.n; a++)
		for (b = a; b <= in.n; b++) {
			dot_encoder_init(&e);
			buf_reset(&out);
			encode_piece(&e, slice_head(in, a), &out);
			encode_piece(&e, slice_from(slice_head(in, b), a),
			    &out);
			encode_piece(&e, slice_from(in, b), &out);
			buf_add_slice(&out, dot_encode_end(&e));
			ck_slice_str(buf_slice(&out), encodes[_i].want);
		}
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(dot, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, decode_every_split, 0, n);
	tcase_add_loop_test(tc, decode_bytewise, 0, n);
	tcase_add_test(tc, decode_one_view);
	tcase_add_loop_test(tc, encode_every_split, 0,
	    (int)(sizeof encodes / sizeof *encodes));
})
