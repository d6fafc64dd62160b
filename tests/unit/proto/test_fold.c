/* SPDX-License-Identifier: ISC */
#include "proto/fold.h"

#include "tests/unit/unit.h"

#define A10 "aaaaaaaaaa"
#define A40 A10 A10 A10 A10
#define A70 A40 A10 A10 A10
#define A80 A40 A40

static const struct {
	const char *in, *want;
} cases[] = {
	{ "", "" },
	{ "A: b\r\n", "A: b\r\n" },
	{ "A: b", "A: b" },
	{ "A: " A70 " bcd\r\n", "A: " A70 " bcd\r\n" },
	{ "A: " A70 " bcdef\r\n", "A: " A70 "\r\n\tbcdef\r\n" },
	{ "A: " A70 " bcdef " A70 " g\n", "A: " A70 "\r\n\tbcdef " A70
	  "\r\n\tg\n" },
	{ "A: " A80 "\r\n", "A:\r\n\t" A80 "\r\n" },
	{ A80 "\r\n", A80 "\r\n" },
	{ A80 " b c\r\n", A80 "\r\n\tb c\r\n" },
	{ "short\r\n" A80 " b", "short\r\n" A80 "\r\n\tb" },
	/* No line of blanks, and none lost. */
	{ A70 "          \r\n", A70 "          \r\n" },
	{ A70 "  bcdefgh\r\n", A70 "\r\n\t bcdefgh\r\n" },
	{ "    " A80 "\r\n", "    " A80 "\r\n" },
};

START_TEST(lines)
{
	struct buf out;

	buf_init(&out, 1000);
	buf_add_str(&out, A80 " " A80);
	fold(&out, out.n, "\t");
	buf_reset(&out);
	buf_add_str(&out, cases[_i].in);
	fold(&out, 0, "\t");
	ck_slice_str(buf_slice(&out), cases[_i].want);
	/* Once folded, folded. */
	fold(&out, 0, "\t");
	ck_slice_str(buf_slice(&out), cases[_i].want);
	buf_fini(&out);
}
END_TEST

START_TEST(no_room)
{
	struct buf out;

	buf_init(&out, 83);
	buf_add_str(&out, A80 " bc");
	fold(&out, 0, "\t");
	ck_assert(!buf_is_ok(&out));
	ck_slice_str(buf_slice(&out), A80 " bc");
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(fold, {
	tcase_add_loop_test(tc, lines, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, no_room);
})
