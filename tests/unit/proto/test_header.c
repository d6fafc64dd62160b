/* SPDX-License-Identifier: ISC */
#include "proto/header.h"

#include "proto/limits.h"
#include "tests/unit/unit.h"

/* n: what header_scan returns with more to come, all: with nothing more. */
static const struct {
	const char *name, *in;
	ssize_t n, all;
	enum header_kind kind;
	const char *field, *value;
} cases[] = {
	{ "plain", "A: b\r\nC", 6, 6, HEADER_FIELD, "A", " b" },
	{ "folded", "A: b\r\n c\r\n\td\r\nC", 14, 14, HEADER_FIELD, "A",
	    " b\r\n c\r\n\td" },
	{ "LF", "A: b\n c\nC", 8, 8, HEADER_FIELD, "A", " b\n c" },
	{ "maybe folded", "A: b\r\n", 0, 6, HEADER_FIELD, "A", " b" },
	{ "no end", "A: b", 0, 4, HEADER_FIELD, "A", " b" },
	{ "no end, folded", "A: b\r\n c", 0, 8, HEADER_FIELD, "A",
	    " b\r\n c" },
	{ "blank before colon", "A \t: b\nC", 7, 7, HEADER_FIELD, "A", " b" },
	{ "no value", "A:\nC", 3, 3, HEADER_FIELD, "A", "" },
	{ "blank continuation", "A: b\n \nC", 7, 7, HEADER_FIELD, "A",
	    " b\n " },
	{ "end", "\r\nbody", 2, 2, HEADER_END, "", "" },
	{ "end, LF", "\nbody", 1, 1, HEADER_END, "", "" },
	{ "end, then blank", "\r\n body", 2, 2, HEADER_END, "", "" },
	{ "nothing", "", 0, 0, HEADER_END, "", "" },
	{ "mbox", "From x\r\nA: b\r\n", 8, 8, HEADER_JUNK, "", "" },
	{ "no name", ": b\r\nC", 5, 5, HEADER_JUNK, "", "" },
	{ "blank in name", "A b: c\r\nC", 8, 8, HEADER_JUNK, "", "" },
	{ "8-bit name", "\xc3\xb6: c\r\nC", 7, 7, HEADER_JUNK, "", "" },
	{ "blank first", " b: c\r\nC", 7, 7, HEADER_JUNK, "", "" },
	{ "bare CR", "A: b\rC\n\r\n", 7, 7, HEADER_FIELD, "A", " b\rC" },
};

START_TEST(scan)
{
	struct slice in = guard_copy(slice_str(cases[_i].in));
	struct header_field f;
	ssize_t n = header_scan(in, false, &f);
	size_t k;

	ck_assert_msg(n == cases[_i].n, "%s: %zd", cases[_i].name, n);
	n = header_scan(in, true, &f);
	ck_assert_msg(n == cases[_i].all, "%s: %zd", cases[_i].name, n);
	ck_assert_msg(f.kind == cases[_i].kind, "%s", cases[_i].name);
	ck_slice_str(f.name, cases[_i].field);
	ck_slice_str(f.value, cases[_i].value);
	ck_assert_uint_eq(f.raw.n, (size_t)n);
	/* What is found in a part is not changed by the rest. */
	for (k = 0; k < in.n; k++) {
		n = header_scan(slice_head(in, k), false, &f);
		ck_assert_msg(n == 0 || n == cases[_i].n, "%s %zu",
		    cases[_i].name, k);
	}
}
END_TEST

static const struct slice message = SLICE("From x y\n"
	"Received: one\r\n"
	"Subject: a\r\n"
	" b\r\n"
	"junk\r\n"
	"RECEIVED: two\r\n"
	"\r\n"
	"Received: body\r\n");

START_TEST(iterate)
{
	struct header_field f;
	struct header_iter it;
	struct buf out;

	header_iter_init(&it, guard_copy(message));
	ck_assert(header_iter_next(&it, &f));
	ck_slice_str(f.name, "Received");
	ck_assert(header_iter_next(&it, &f));
	ck_slice_str(f.name, "Subject");
	ck_assert(header_iter_next(&it, &f));
	ck_slice_str(f.value, " two");
	ck_assert(!header_iter_next(&it, &f));
	ck_slice_str(slice_from(message, it.used), "Received: body\r\n");
	ck_assert(!header_iter_next(&it, &f));

	ck_assert_uint_eq(header_length(message), it.used);
	ck_assert_uint_eq(header_count(message, SLICE("received")), 2);
	ck_assert(header_find(message, SLICE("SUBJECT"), &f));
	buf_init(&out, 100);
	header_unfold(&out, f.value);
	ck_slice_str(buf_slice(&out), "a b");
	buf_fini(&out);
	ck_assert(!header_find(message, SLICE("To"), &f));
	ck_assert_uint_eq(header_length(SLICE("A: b\r\n")), 6);
	ck_assert_uint_eq(header_length(SLICE("")), 0);
}
END_TEST

START_TEST(bounded)
{
	struct header_field f;
	struct header_iter it;
	struct buf in;
	size_t n = 0;

	buf_init(&in, 2 * LIMIT_HEADER);
	buf_add_str(&in, "A: ");
	while (in.n < LIMIT_HEADER_FIELD - 1)
		buf_add_char(&in, 'x');
	ck_assert_int_eq(header_scan(buf_slice(&in), false, &f), 0);
	buf_add_char(&in, 'x');
	ck_assert_int_eq(header_scan(buf_slice(&in), false, &f), -1);
	buf_add_str(&in, "\r\n\r\n");
	ck_assert_int_eq(header_scan(buf_slice(&in), true, &f), -1);
	ck_assert_uint_eq(header_length(buf_slice(&in)), 0);
	buf_reset(&in);
	while (in.n < LIMIT_HEADER)
		buf_add_str(&in, "A: 34567\n");
	buf_add_str(&in, "\nbody");
	header_iter_init(&it, buf_slice(&in));
	while (header_iter_next(&it, &f))
		n++;
	ck_assert_uint_eq(n, LIMIT_HEADER / 9);
	buf_fini(&in);
}
END_TEST

static const struct {
	const char *in, *want;
} folds[] = {
	{ " a\r\n b", "a b" }, { " a \n\tb\n  c\r\n", "a \tb  c" },
	{ "a\r\n", "a" }, { " ", "" }, { "", "" }, { "a\r b", "a\r b" },
	{ "\r\n a\r\n \r\n", "a" },
};

START_TEST(unfold)
{
	struct buf out;

	buf_init(&out, 100);
	header_unfold(&out, guard_copy(slice_str(folds[_i].in)));
	ck_slice_str(buf_slice(&out), folds[_i].want);
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(header, {
	tcase_add_loop_test(tc, scan, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, iterate);
	tcase_add_test(tc, bounded);
	tcase_add_loop_test(tc, unfold, 0,
	    (int)(sizeof folds / sizeof *folds));
})
