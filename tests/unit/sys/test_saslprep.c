/* SPDX-License-Identifier: ISC */
#include "sys/saslprep.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *name, *in, *want; /* NULL: refused */
} cases[] = {
	/* RFC 4013 3 */
	{ "SOFT HYPHEN", "I\xc2\xadX", "IX" },
	{ "no transformation", "user", "user" },
	{ "case preserved", "USER", "USER" },
	{ "output is NFKC, 1", "\xc2\xaa", "a" },
	{ "output is NFKC, 2", "\xe2\x85\xa8", "IX" },
	{ "prohibited", "\x07", NULL },
	{ "bidirectional", "\xd8\xa7\x31", NULL },
	/* others */
	{ "composed", "e\xcc\x81", "\xc3\xa9" },
	{ "no-break space", "a\xc2\xa0" "b", "a b" },
	{ "ideographic space", "\xe3\x80\x80x", " x" },
	{ "zero width joiner", "a\xe2\x80\x8d" "b", "ab" },
	{ "right to left", "\xd8\xa7\xd8\xa8", "\xd8\xa7\xd8\xa8" },
	{ "right, digit, right", "\xd8\xa7\x31\xd8\xa8",
	    "\xd8\xa7\x31\xd8\xa8" },
	{ "right and left", "\xd8\xa7" "a\xd8\xa8", NULL },
	{ "empty", "", NULL },
	{ "nothing left", "\xc2\xad", NULL },
	{ "DEL", "a\x7f", NULL },
	{ "C1", "a\xc2\x80", NULL },
	{ "private use", "\xee\x80\x80", NULL },
	{ "private plane", "\xf4\x8f\xbf\xbd", NULL },
	{ "non-character", "\xef\xbf\xbe", NULL },
	{ "non-character, plane 2", "\xf0\xaf\xbf\xbf", NULL },
	{ "tag", "a\xf3\xa0\x80\xa0", NULL },
	{ "replacement", "\xef\xbf\xbd", NULL },
	{ "bidi mark", "a\xe2\x80\x8e", NULL },
	{ "not UTF-8", "a\xff", NULL },
	{ "cut", "a\xe2\x80", NULL },
	{ "latin-1", "caf\xe9", NULL },
	{ "emoji", "\xf0\x9f\x94\x91 key", "\xf0\x9f\x94\x91 key" },
	/* U+FDFA becomes 18 code points */
	{ "long expansion, RTL", "\xef\xb7\xba",
	    "\xd8\xb5\xd9\x84\xd9\x89 \xd8\xa7\xd9\x84\xd9\x84\xd9\x87 "
	    "\xd8\xb9\xd9\x84\xd9\x8a\xd9\x87 "
	    "\xd9\x88\xd8\xb3\xd9\x84\xd9\x85" },
};

START_TEST(table)
{
	struct slice in = guard_copy(slice_str(cases[_i].in));
	struct buf out;
	int rc;

	buf_init(&out, 100);
	rc = saslprep(in, &out);
	ck_assert_msg(rc == (cases[_i].want == NULL ? -1 : 0), "%s",
	    cases[_i].name);
	if (rc == 0)
		ck_slice_str(buf_slice(&out), cases[_i].want);
	else
		ck_assert_uint_eq(out.n, 0);
	buf_fini(&out);
}
END_TEST

START_TEST(again_is_same)
{
	struct buf once, twice;

	if (cases[_i].want == NULL)
		return;
	buf_init(&once, 100);
	buf_init(&twice, 100);
	ck_assert_int_eq(saslprep(slice_str(cases[_i].in), &once), 0);
	ck_assert_int_eq(saslprep(buf_slice(&once), &twice), 0);
	ck_slice_eq(buf_slice(&once), buf_slice(&twice));
	buf_fini(&once);
	buf_fini(&twice);
}
END_TEST

START_TEST(limits)
{
	char text[3 * SASLPREP_MAX];
	struct buf out;
	size_t i;

	memset(text, 'x', sizeof text);
	buf_init(&out, 1 << 20);
	ck_assert_int_eq(saslprep((struct slice){ text, SASLPREP_MAX },
			     &out), 0);
	ck_assert_int_eq(saslprep((struct slice){ text, SASLPREP_MAX + 1 },
			     &out), -1);
	/* The most that NFKC can make of it: 18 for one of three octets. */
	for (i = 0; i + 3 <= SASLPREP_MAX; i += 3)
		memcpy(text + i, "\xef\xb7\xba", 3);
	ck_assert_int_eq(saslprep((struct slice){ text, i }, &out), 0);
	buf_fini(&out);
	buf_init(&out, 3);
	ck_assert_int_eq(saslprep(SLICE("four"), &out), -1);
	ck_assert_int_ne(out.err, 0);
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(saslprep, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, table, 0, n);
	tcase_add_loop_test(tc, again_is_same, 0, n);
	tcase_add_test(tc, limits);
})
