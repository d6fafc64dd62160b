/* SPDX-License-Identifier: ISC */
#include "proto/mime_downgrade.h"

#include "base/utf8.h"
#include "proto/limits.h"
#include "proto/mime.h"
#include "tests/unit/unit.h"

#define CTE "Content-Transfer-Encoding: "
#define TYPE "Content-Type: "
#define V "MIME-Version: 1.0\r\n"
#define QP CTE "quoted-printable\r\n"
#define B64 CTE "base64\r\n"
#define UNKNOWN TYPE "text/plain; charset=unknown-8bit\r\n"
#define MIXED(b) TYPE "multipart/mixed; boundary=" b "\r\n"

static const struct {
	const char *name, *in, *want;
} cases[] = {
	{ "untagged", "A: b\r\n\r\nx \xe4\r\n", "A: b\r\n" V UNKNOWN QP
	    "\r\nx =E4\r\n" },
	{ "no header", "\r\n\xe4", V UNKNOWN QP "\r\n=E4" },
	{ "tagged", V TYPE "text/html; charset=utf-8\r\n" CTE "8bit\r\nA: b\r\n"
	    "\r\n\xc3\xa4=\r\n",
	    V TYPE "text/html; charset=utf-8\r\n" QP "A: b\r\n\r\n"
	    "=C3=A4=3D\r\n" },
	{ "version but no type", V "\r\n\xe4\r\n", V UNKNOWN QP "\r\n=E4\r\n" },
	{ "labelled 7bit", V TYPE "text/plain; charset=x\r\n" CTE "7bit\r\n\r\n"
	    "\xe4", V TYPE "text/plain; charset=x\r\n" QP "\r\n=E4" },
	{ "label folded and repeated", V TYPE "text/plain\r\n" CTE "\r\n 8bit"
	    "\r\n" CTE "7bit\r\n\r\n\xe4", V TYPE "text/plain\r\n" QP
	    "\r\n=E4" },
	{ "no text", V TYPE "image/png\r\n" CTE "8bit\r\n\r\n\x89PNG\r\n",
	    V TYPE "image/png\r\n" B64 "\r\niVBORw0K\r\n" },
	{ "quoted-printable with raw octets", V TYPE "text/plain\r\n" QP
	    "\r\na=3D\xe4=\r\nb\r\n",
	    V TYPE "text/plain\r\n" QP "\r\na=3D=E4b\r\n" },
	{ "base64 with raw octets", V TYPE "text/plain\r\n" B64
	    "\r\nYW\xe4-Jj\r\n", V TYPE "text/plain\r\n" B64
	    "\r\nYWJj\r\n" },
	{ "multipart", V CTE "8bit\r\n" MIXED("b") "\r\npre\r\n--b\r\n\r\n\xe4"
	    "\r\n\r\n--b\r\n" TYPE "text/plain\r\n" CTE "8bit\r\n\r\nx\r\n"
	    "--b\r\n" TYPE "image/png\r\n\r\n\xff\r\n--b--\r\nepi\r\n",
	    V CTE "7bit\r\n" MIXED("b") "\r\npre\r\n--b\r\n" UNKNOWN QP
	    "\r\n=E4\r\n\r\n--b\r\n" TYPE "text/plain\r\n" CTE "7bit\r\n\r\n"
	    "x\r\n--b\r\n" TYPE "image/png\r\n" B64 "\r\n/w==\r\n--b--\r\n"
	    "epi\r\n" },
	{ "multipart without version", MIXED("b") "\r\n--b\r\n\r\n\xe4\r\n"
	    "--b--\r\n", MIXED("b") V "\r\n--b\r\n" UNKNOWN QP "\r\n=E4\r\n"
	    "--b--\r\n" },
	{ "preamble and epilogue", V MIXED("b") "\r\npre\r\n\xe4\r\n--b\r\n\r\n"
	    "x\r\n--b--\r\nepi\r\n\xe4",
	    V MIXED("b") "\r\npre\r\n\r\n--b\r\n\r\nx\r\n--b--\r\nepi\r\n" },
	{ "message", V TYPE "message/rfc822\r\n" CTE "8bit\r\n\r\nA: b\r\n\r\n"
	    "\xe4\r\n", V TYPE "message/rfc822\r\n" CTE "7bit\r\n\r\nA: b\r\n"
	    V UNKNOWN QP "\r\n=E4\r\n" },
	{ "message and text", V MIXED("b") "\r\n--b\r\n" TYPE
	    "message/rfc822\r\n\r\nA: b\r\n\r\nx\r\n--b\r\n\r\n\xe4\r\n--b--",
	    V MIXED("b") "\r\n--b\r\n" TYPE "message/rfc822\r\n\r\nA: b\r\n"
	    "\r\nx\r\n--b\r\n" UNKNOWN QP "\r\n=E4\r\n--b--" },
	{ "beside a signature", V MIXED("a") "\r\n--a\r\n" TYPE
	    "multipart/signed; boundary=b\r\n" CTE "8bit\r\n\r\n--b\r\n"
	    CTE "8bit\r\n\r\nx \r\n--b--\r\n--a\r\n\r\n\xe4\r\n--a--",
	    V MIXED("a") "\r\n--a\r\n" TYPE "multipart/signed; boundary=b\r\n"
	    CTE "7bit\r\n\r\n--b\r\n" CTE "8bit\r\n\r\nx \r\n--b--\r\n--a\r\n"
	    UNKNOWN QP "\r\n=E4\r\n--a--" },
	{ "long line, binary", V CTE "8bit\r\n" TYPE "text/plain\r\n\r\n"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaa\xe4--b\r\n", V QP TYPE "text/plain\r\n\r\n"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaa=\r\n=E4--b\r\n" },
};

struct collected {
	struct buf out;
	int calls, fail_at;
};

static int
collect(void *arg, struct slice bytes)
{
	struct collected *c = arg;

	if (c->calls++ == c->fail_at)
		return -1;
	buf_add_slice(&c->out, bytes);
	return 0;
}

static void
parse(struct mime_message *m, struct region *r, struct slice in)
{
	struct mime_parser p;
	struct buf text;

	region_init(r, LIMIT_MIME_MEMORY);
	buf_init(&text, 2 * LIMIT_HEADER_FIELD);
	mime_init(&p, r, &text);
	mime_feed(&p, in);
	ck_assert_int_eq(mime_finish(&p, m), 0);
	buf_fini(&text);
}

/* What mime_downgrade() returned. */
static int
downgrade(struct slice in, struct collected *c, int fail_at)
{
	struct mime_message m;
	struct buf scratch;
	struct region r;
	int result;

	*c = (struct collected){ .fail_at = fail_at };
	buf_init(&c->out, 1 << 22);
	buf_init(&scratch, MIME_DOWNGRADE_SCRATCH);
	parse(&m, &r, in);
	result = mime_downgrade(in, m.root, collect, c, &scratch);
	buf_fini(&scratch);
	region_fini(&r);
	return result;
}

START_TEST(convert)
{
	struct slice in = guard_copy(slice_str(cases[_i].in));
	struct collected c;

	ck_assert_int_eq(downgrade(in, &c, -1), 0);
	ck_assert_msg(slice_eq_str(buf_slice(&c.out), cases[_i].want),
	    "%s:\n%s\nwant:\n%s", cases[_i].name, c.out.p, cases[_i].want);
	buf_fini(&c.out);
}
END_TEST

static const struct {
	const char *name, *in;
	enum mime_downgrade want;
} verdicts[] = {
	{ "empty", "", MIME_DOWNGRADE_NOT_NEEDED },
	{ "plain", "A: b\r\n" CTE "8bit\r\n\r\nx\r\n",
	    MIME_DOWNGRADE_NOT_NEEDED },
	{ "body", "A: b\r\n\r\n\xe4", MIME_DOWNGRADE_POSSIBLE },
	{ "header", "A: \xe4\r\n\r\n", MIME_DOWNGRADE_HEADER },
	{ "header and body", "A: \xe4\r\n\r\n\xe4", MIME_DOWNGRADE_HEADER },
	{ "header of a part", MIXED("b") "\r\n--b\r\nA: \xe4\r\n\r\n--b--",
	    MIME_DOWNGRADE_HEADER },
	{ "header within a message", TYPE "message/rfc822\r\n\r\nA: \xe4\r\n",
	    MIME_DOWNGRADE_HEADER },
	{ "signed", TYPE "multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xe4"
	    "\r\n--b--", MIME_DOWNGRADE_SEALED },
	{ "encrypted, deep", TYPE "multipart/encrypted; boundary=b\r\n\r\n--b"
	    "\r\n" TYPE "message/rfc822\r\n\r\n\r\n\xe4\r\n--b--",
	    MIME_DOWNGRADE_SEALED },
	{ "signed, without 8 bits", TYPE "multipart/signed; boundary=b\r\n\r\n"
	    "--b\r\n" CTE "8bit\r\n\r\nx\r\n--b--", MIME_DOWNGRADE_NOT_NEEDED },
	{ "multipart without boundaries", MIXED("b") "\r\n\xe4",
	    MIME_DOWNGRADE_STRUCTURE },
	{ "delivery status", TYPE "message/delivery-status\r\n\r\n\xe4",
	    MIME_DOWNGRADE_STRUCTURE },
	{ "global delivery status", TYPE "message/global-delivery-status\r\n"
	    "\r\n\xe4", MIME_DOWNGRADE_POSSIBLE },
	{ "partial", TYPE "message/partial\r\n\r\n\xe4",
	    MIME_DOWNGRADE_STRUCTURE },
	{ "8-bit boundary", TYPE "multipart/mixed; boundary*=utf-8''%e4\r\n\r\n"
	    "--\xe4\r\n\r\nx\r\n--\xe4--\r\n", MIME_DOWNGRADE_STRUCTURE },
	{ "unknown encoding", CTE "x-uu\r\n\r\n\xe4", MIME_DOWNGRADE_ENCODING },
};

START_TEST(verdict)
{
	struct slice in = guard_copy(slice_str(verdicts[_i].in));
	struct mime_message m;
	struct collected c;
	struct region r;

	parse(&m, &r, in);
	ck_assert_msg(mime_downgrade_check(m.root) == verdicts[_i].want,
	    "%s", verdicts[_i].name);
	region_fini(&r);
	if (verdicts[_i].want == MIME_DOWNGRADE_POSSIBLE)
		return;
	ck_assert_int_eq(downgrade(in, &c, -1), -1);
	ck_assert_uint_eq(c.out.n, 0);
	buf_fini(&c.out);
}
END_TEST

/* NULs and long lines: base64, in lines; text as text. */
START_TEST(binary)
{
	struct collected c;
	struct buf in;
	int i;

	buf_init(&in, 1 << 22);
	buf_add_str(&in, V TYPE "text/plain\r\n\r\n");
	buf_add(&in, "\xe4\0", 2);
	ck_assert_int_eq(downgrade(buf_slice(&in), &c, -1), 0);
	ck_slice_str(buf_slice(&c.out), V TYPE "text/plain\r\n" B64 "\r\n"
	    "5AA=\r\n");
	buf_fini(&c.out);
	buf_reset(&in);
	buf_add_str(&in, V MIXED("b") "\r\n--b\r\n" TYPE "a/b\r\n" CTE
	    "binary\r\n\r\n");
	for (i = 0; i < 1000; i++)
		buf_add_char(&in, 'x');
	buf_add_str(&in, "\r\n--b\r\n\r\n\xe4\r\n--b--\r\n");
	ck_assert_int_eq(downgrade(buf_slice(&in), &c, -1), 0);
	ck_assert_int_ge(slice_find(buf_slice(&c.out), SLICE(TYPE "a/b\r\n" B64
	    "\r\neHh4")), 0);
	buf_fini(&c.out);
	buf_fini(&in);
}
END_TEST

/* Bodies larger than the scratch go through it in pieces. */
START_TEST(large)
{
	static const char *const types[] = { "text/plain", "image/png" };
	struct collected c;
	struct buf in;
	int i, t;

	buf_init(&in, 1 << 22);
	for (t = 0; t < 2; t++) {
		buf_reset(&in);
		buf_addf(&in, V TYPE "%s\r\n\r\n", types[t]);
		for (i = 0; i < 60000; i++)
			buf_add_str(&in, "\xe4\xf6\xfc\r\n");
		ck_assert_int_eq(downgrade(buf_slice(&in), &c, -1), 0);
		ck_assert_int_gt(c.calls, 3);
		ck_assert(!utf8_has_8bit(buf_slice(&c.out)));
		buf_fini(&c.out);
		for (i = 0; i < 4; i++) {
			ck_assert_int_eq(downgrade(buf_slice(&in), &c, i), -1);
			ck_assert_int_eq(c.calls, i + 1);
			buf_fini(&c.out);
		}
	}
	buf_fini(&in);
}
END_TEST

UNIT_SUITE(mime_downgrade, {
	tcase_add_loop_test(tc, convert, 0,
	    (int)(sizeof cases / sizeof *cases));
	tcase_add_loop_test(tc, verdict, 0,
	    (int)(sizeof verdicts / sizeof *verdicts));
	tcase_add_test(tc, binary);
	tcase_add_test(tc, large);
})
