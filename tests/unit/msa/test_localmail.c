/* SPDX-License-Identifier: ISC */
/* What local programs write, made into mail. */
#include "msa/localmail.h"

#include "tests/unit/unit.h"

/* LF stands for CRLF in all of them; `rcpts`: what -t finds. */
static const struct {
	const char *name, *in, *out, *rcpts;
} finishes[] = {
	{ "as it is", "To: a@x\nSubject: s\n\nb\n",
	    "To: a@x\nSubject: s\n\nb\n", "R a@x\n" },
	{ "no blind copies", "To: a@x\nBcc: b@x\nResent-Bcc: c@x\n\nb\n",
	    "To: a@x\n\nb\n", "R c@x\n" },
	{ "no header", "just text\n", "\njust text\n", "" },
	{ "only a body", "\ntext\n", "\ntext\n", "" },
	{ "nothing", "", "\n", "" },
	{ "out of a mail folder", "From joe Sat Aug 1\nTo: a@x\nBcc: b@x\n\nb\n",
	    "To: a@x\n\nb\n", "R a@x\nR b@x\n" },
	{ "sent again out of a mail folder",
	    "From joe Sat Aug 1\nTo: a@x\nResent-To: b@x\n\nb\n",
	    "To: a@x\nResent-To: b@x\n\nb\n", "R b@x\n" },
	{ "one such line only", "From joe\nFrom joe\nTo: a@x\n\nb\n",
	    "\nFrom joe\nFrom joe\nTo: a@x\n\nb\n", "" },
	{ "a text that begins so", "From now on\nwe are open\n",
	    "\nFrom now on\nwe are open\n", "" },
	{ "a line that begins so", "From now on", "\nFrom now on", "" },
	{ "such a line in the body", "To: a@x\n\nFrom joe\nX: y\n",
	    "To: a@x\n\nFrom joe\nX: y\n", "R a@x\n" },
};

static void
crlf(struct buf *b, const char *text)
{
	struct localmail r;

	buf_init(b, 65536);
	localmail_init(&r, false);
	localmail_read(&r, slice_str(text), b);
}

START_TEST(finish)
{
	struct buf in, want, out, envelope;
	size_t n = 0;

	crlf(&in, finishes[_i].in);
	crlf(&want, finishes[_i].out);
	buf_init(&out, 65536);
	buf_init(&envelope, 65536);
	ck_assert_int_eq(localmail_finish(buf_slice(&in), true, NULL, &out,
			     &envelope, &n),
	    0);
	ck_assert_msg(slice_eq(buf_slice(&out), buf_slice(&want)),
	    "%s: \"%.*s\"", finishes[_i].name, SLICE_FMT(buf_slice(&out)));
	ck_assert_msg(slice_eq_str(buf_slice(&envelope), finishes[_i].rcpts),
	    "%s: \"%.*s\"", finishes[_i].name,
	    SLICE_FMT(buf_slice(&envelope)));
	buf_fini(&in);
	buf_fini(&want);
	buf_fini(&out);
	buf_fini(&envelope);
}
END_TEST

UNIT_SUITE(localmail, {
	tcase_add_loop_test(tc, finish, 0, sizeof finishes / sizeof *finishes);
})
