/* SPDX-License-Identifier: ISC */
#include "proto/imap_body.h"

#include "proto/limits.h"
#include "proto/mime.h"
#include "tests/unit/unit.h"

#define NILS "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
#define ASCII "(\"CHARSET\" \"US-ASCII\")"
#define PLAIN "\"text\" \"plain\" " ASCII " NIL NIL \"7BIT\" "

static const struct {
	const char *name;
	unsigned flags;
	const char *in, *want;
} cases[] = {
	{ "empty", 0, "", "(" PLAIN "0 0)" },
	{ "empty, extended", IMAP_BODY_EXTENDED, "",
	    "(" PLAIN "0 0 NIL NIL NIL NIL)" },
	{ "plain", 0, "A: b\n\nx\ny\n", "(" PLAIN "6 2)" },
	{ "as RFC 3501 7.4.2", 0,
	    "Content-Type: multipart/mixed; boundary=b\n\n"
	    "--b\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\n\nx\n\n--b\n"
	    "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=cc.diff\n"
	    "Content-ID: <960723163407.20117h@cac.washington.edu>\n"
	    "Content-Description: Compiler diff\n"
	    "Content-Transfer-Encoding: BASE64\n\nxxxx\n--b--\n",
	    "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" "
	    "3 1)(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" "
	    "\"cc.diff\") \"<960723163407.20117h@cac.washington.edu>\" "
	    "\"Compiler diff\" \"BASE64\" 4 0) \"mixed\")" },
	{ "multipart, extended", IMAP_BODY_EXTENDED,
	    "Content-Type: multipart/mixed; boundary=b\n"
	    "Content-Disposition: inline\nContent-Language: de\n"
	    "Content-Location: here\n\n--b\n\nx\n--b--\n",
	    "((" PLAIN "1 0 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"b\") "
	    "(\"inline\" NIL) (\"de\") \"here\")" },
	{ "image", IMAP_BODY_EXTENDED,
	    "Content-Type: image/png\nContent-MD5: abc=\n"
	    "Content-Language: de, en\n"
	    "Content-Disposition: attachment; filename=\"a b\"\n\nx\n",
	    "(\"image\" \"png\" NIL NIL NIL \"7BIT\" 3 \"abc=\" "
	    "(\"attachment\" (\"filename\" \"a b\")) (\"de\" \"en\") NIL)" },
	{ "html has no default charset", 0, "Content-Type: text/html\n\nx",
	    "(\"text\" \"html\" NIL NIL NIL \"7BIT\" 1 0)" },
	{ "other parameters", 0, "Content-Type: text/plain; format=flowed\n\n",
	    "(\"text\" \"plain\" (\"format\" \"flowed\" \"CHARSET\" "
	    "\"US-ASCII\") NIL NIL \"7BIT\" 0 0)" },
	{ "RFC 2231", 0,
	    "Content-Type: a/b; x*0=1; x*1=2; y*=utf-8'en'%c3%A4z\n"
	    "\n",
	    "(\"a\" \"b\" (\"x\" \"12\" \"y*\" \"utf-8'en'%C3%A4z\") NIL NIL "
	    "\"7BIT\" 0)" },
	{ "RFC 2231, strange charset", 0, "Content-Type: a/b; y*=u\"8''z\n\n",
	    "(\"a\" \"b\" (\"y\" \"z\") NIL NIL \"7BIT\" 0)" },
	{ "8 bit", 0, "Content-Type: a/b; x=\xc3\xa4\n\n",
	    "(\"a\" \"b\" (\"x\" {2}\r\n\xc3\xa4) NIL NIL \"7BIT\" 0)" },
	{ "message", 0, "Content-Type: message/rfc822\n\nSubject: s\n\nx\n",
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 17 (NIL \"s\" NIL "
	    "NIL NIL NIL NIL NIL NIL NIL) (" PLAIN "3 1) 3)" },
	{ "message, extended", IMAP_BODY_EXTENDED,
	    "Content-Type: message/global\n\n\nx\n",
	    "(\"message\" \"global\" NIL NIL NIL \"7BIT\" 5 " NILS " ("
	    PLAIN "3 1 NIL NIL NIL NIL) 2 NIL NIL NIL NIL)" },
	{ "message/global, rev1", IMAP_BODY_REV1,
	    "Content-Type: message/global\n\n\nx\n",
	    "(\"message\" \"global\" NIL NIL NIL \"7BIT\" 5)" },
	{ "message, encoded", 0, "Content-Type: message/rfc822; x=y\n"
	    "Content-Transfer-Encoding: base64\n\nxxxx",
	    "(\"APPLICATION\" \"OCTET-STREAM\" (\"x\" \"y\") NIL NIL "
	    "\"base64\" 4)" },
	{ "digest", 0, "Content-Type: multipart/digest; boundary=b\n\n"
	    "--b\n\n\nx\n--b--\n",
	    "((\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 3 " NILS " ("
	    PLAIN "1 0) 1) \"digest\")" },
	{ "no boundary found", 0, "Content-Type: multipart/mixed; boundary=b\n"
	    "\ntext\n", "(\"TEXT\" \"PLAIN\" " ASCII " NIL NIL \"7BIT\" 6 1)" },
	{ "quotes in the subtype", 0, "Content-Type: a/b'c\n\n",
	    "(\"a\" \"b'c\" NIL NIL NIL \"7BIT\" 0)" },
};

static void
write_body(struct buf *out, struct slice in, unsigned flags)
{
	struct mime_message m;
	struct mime_parser p;
	struct region r;
	struct buf text;

	region_init(&r, LIMIT_MIME_MEMORY);
	buf_init(&text, 2 * LIMIT_HEADER_FIELD);
	mime_init(&p, &r, &text);
	mime_feed(&p, in);
	ck_assert_int_eq(mime_finish(&p, &m), 0);
	imap_body_write(out, m.root, flags, &text);
	buf_fini(&text);
	region_fini(&r);
}

/* The sizes are those of the served form even of messages stored with LF. */
START_TEST(write)
{
	struct buf out, crlf;
	const char *s;

	buf_init(&out, 10000);
	buf_init(&crlf, 10000);
	write_body(&out, guard_copy(slice_str(cases[_i].in)),
	    cases[_i].flags);
	ck_slice_str(buf_slice(&out), cases[_i].want);
	for (s = cases[_i].in; *s != 0; s++)
		buf_addf(&crlf, *s == '\n' ? "\r%c" : "%c", *s);
	buf_reset(&out);
	write_body(&out, guard_copy(buf_slice(&crlf)), cases[_i].flags);
	ck_slice_str(buf_slice(&out), cases[_i].want);
	buf_fini(&crlf);
	buf_fini(&out);
}
END_TEST

START_TEST(opaque)
{
	struct buf out;

	buf_init(&out, 1000);
	imap_body_write_opaque(&out, 5000000000, 0);
	ck_slice_str(buf_slice(&out), "(\"APPLICATION\" \"OCTET-STREAM\" NIL "
	    "NIL NIL \"7BIT\" 5000000000)");
	buf_reset(&out);
	imap_body_write_opaque(&out, 0, IMAP_BODY_EXTENDED);
	ck_slice_str(buf_slice(&out), "(\"APPLICATION\" \"OCTET-STREAM\" NIL "
	    "NIL NIL \"7BIT\" 0 NIL NIL NIL NIL)");
	buf_fini(&out);
}
END_TEST

START_TEST(little_room)
{
	struct buf out;

	buf_init(&out, 20);
	write_body(&out, SLICE("x"), 0);
	ck_assert(!buf_is_ok(&out));
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(imap_body, {
	tcase_add_loop_test(tc, write, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, opaque);
	tcase_add_test(tc, little_room);
})
