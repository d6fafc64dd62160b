/* SPDX-License-Identifier: ISC */
#include "sys/table_lines.h"

#include <string.h>

#include "sys/table.h"
#include "tests/unit/unit.h"

static const struct {
	const char *name, *in, *want; /* "key=value;" or "!line error" */
} cases[] = {
	{ "empty", "", "" },
	{ "one", "a b\n", "a=b;" },
	{ "no newline", "a b", "a=b;" },
	{ "CRLF", "a b\r\nc d\r\n", "a=b;c=d;" },
	{ "tabs, spaces", "a\t b  c \t\n", "a=b  c;" },
	{ "key alone", "a\nb \n", "a=;b=;" },
	{ "comments", "# x\na b # no comment\n  # x\n\nc d\n#",
	    "a=b # no comment;c=d;" },
	{ "continued", "a b\n c\n\td\ne f\n", "a=b c d;e=f;" },
	{ "continued key", "a\n b\n", "a=b;" },
	{ "continued over comments", "a b\n\n# x\n  # y\n c\n", "a=b c;" },
	{ "white first", " a b\n", "!1 white space before the first key" },
	{ "white first, later", "#\n\n a b\n",
	    "!3 white space before the first key" },
	{ "line numbers", "a b\n c\n\n#\nd e\n\n f\n", "a=b c;d=e f;" },
};

static void
run(struct slice in, struct buf *got)
{
	enum table_line what;
	struct table_lines l;
	struct slice key;
	struct buf value;

	buf_init(&value, TABLE_TEXT_MAX);
	table_lines_init(&l, in);
	for (;;) {
		buf_reset(&value);
		what = table_lines_next(&l, &key, &value);
		if (what != TABLE_LINE_ENTRY)
			break;
		buf_add_slice(got, key);
		buf_add_char(got, '=');
		buf_add_slice(got, buf_slice(&value));
		buf_add_char(got, ';');
	}
	if (what == TABLE_LINE_BAD)
		buf_addf(got, "!%u %s", l.line, l.error);
	buf_fini(&value);
}

START_TEST(table)
{
	struct buf got;

	buf_init(&got, 4096);
	run(guard_copy(slice_str(cases[_i].in)), &got);
	ck_assert_msg(slice_eq_str(buf_slice(&got), cases[_i].want),
	    "%s: \"%s\"", cases[_i].name, got.p);
	buf_fini(&got);
}
END_TEST

START_TEST(every_cut)
{
	struct buf got;
	size_t k;

	buf_init(&got, 65536);
	for (k = 0; k <= strlen(cases[_i].in); k++)
		run(guard_copy(slice_head(slice_str(cases[_i].in), k)), &got);
	ck_assert(buf_is_ok(&got));
	buf_fini(&got);
}
END_TEST

START_TEST(limits)
{
	char text[TABLE_KEY_MAX + 10];
	struct table_lines l;
	struct slice key;
	struct buf value;

	memset(text, 'k', sizeof text);
	text[TABLE_KEY_MAX] = ' ';
	buf_init(&value, 100);
	table_lines_init(&l, (struct slice){ text, sizeof text });
	ck_assert_int_eq(table_lines_next(&l, &key, &value),
	    TABLE_LINE_ENTRY);
	text[TABLE_KEY_MAX] = 'k';
	text[TABLE_KEY_MAX + 1] = ' ';
	table_lines_init(&l, (struct slice){ text, sizeof text });
	ck_assert_int_eq(table_lines_next(&l, &key, &value), TABLE_LINE_BAD);
	table_lines_init(&l, SLICE("a b\0c\n"));
	ck_assert_int_eq(table_lines_next(&l, &key, &value), TABLE_LINE_BAD);
	table_lines_init(&l, SLICE("a\0 b\n"));
	ck_assert_int_eq(table_lines_next(&l, &key, &value), TABLE_LINE_BAD);
	buf_fini(&value);
	buf_init(&value, 3);
	table_lines_init(&l, SLICE("a long\n"));
	ck_assert_int_eq(table_lines_next(&l, &key, &value), TABLE_LINE_BAD);
	ck_assert_int_ne(value.err, 0);
	buf_fini(&value);
}
END_TEST

UNIT_SUITE(table_lines, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, table, 0, n);
	tcase_add_loop_test(tc, every_cut, 0, n);
	tcase_add_test(tc, limits);
})
