/* SPDX-License-Identifier: ISC */
/*
 * Messages are written with LF; each is parsed as it stands and with CRLF, the
 * served sizes of both must be those of the latter. Trees are shown as
 * `kind type/subtype header-size "body" lines`, children in brackets.
 */
#include "proto/mime.h"

#include <stdio.h>
#include <string.h>

#include "proto/limits.h"
#include "tests/unit/unit.h"

#define MIXED(b) "Content-Type: multipart/mixed; boundary=" b "\n\n"

static const struct {
	const char *name, *in, *want;
} cases[] = {
	{ "empty", "", "L text/plain 0 \"\" 0" },
	{ "header only", "A: b\n", "L text/plain 6 \"\" 0" },
	{ "no line end", "A: b", "L text/plain 4 \"\" 0" },
	{ "blank line only", "\n", "L text/plain 2 \"\" 0" },
	{ "blank line and body", "\nx\ny", "L text/plain 2 \"x.y\" 1" },
	{ "plain", "A: b\n\nx\ny\n", "L text/plain 8 \"x.y.\" 2" },
	{ "type", "Content-Type: TEXT/Html (x); charset=x\n\nx",
	    "L TEXT/Html 42 \"x\" 0" },
	{ "malformed type", "Content-Type: text\n\nx",
	    "L text/plain 22 \"x\" 0" },
	{ "malformed type, slashes", "content-type: a/b/c\n\nx",
	    "L text/plain 23 \"x\" 0" },
	{ "first type counts", "Content-Type: a/b\nContent-Type: c/d\n\n",
	    "L a/b 40 \"\" 0" },
	{ "folded type", "Content-Type:\n a/\n b\n\n", "L a/b 26 \"\" 0" },

	{ "multipart", MIXED("b") "--b\n\nx\n--b\nContent-Type: a/b\n\ny\nz\n\n"
	    "--b--\n",
	    "M multipart/mixed 45 \"--b..x.--b.Content-Type: a/b..y.z..--b--."
	    "\" 10 [L text/plain 2 \"x\" 0; L a/b 21 \"y.z.\" 2]" },
	{ "preamble and epilogue", MIXED("b") "pre\n--b\n\nx\n--b--\nepi\n",
	    "M multipart/mixed 45 \"pre.--b..x.--b--.epi.\" 6 "
	    "[L text/plain 2 \"x\" 0]" },
	{ "boundary again in the epilogue",
	    MIXED("b") "--b\n\nx\n--b--\n--b\n\ny\n--b--\n",
	    "M multipart/mixed 45 \"--b..x.--b--.--b..y.--b--.\" 8 "
	    "[L text/plain 2 \"x\" 0]" },
	{ "no final boundary", MIXED("b") "--b\n\nx\ny\n",
	    "M multipart/mixed 45 \"--b..x.y.\" 4 "
	    "[L text/plain 2 \"x.y.\" 2]" },
	{ "unterminated final boundary", MIXED("b") "--b\n\nx\n--b--",
	    "M multipart/mixed 45 \"--b..x.--b--\" 3 "
	    "[L text/plain 2 \"x\" 0]" },
	{ "blanks behind", MIXED("b") "--b \t\n\nx\n--b-- \n",
	    "M multipart/mixed 45 \"--b \t..x.--b-- .\" 4 "
	    "[L text/plain 2 \"x\" 0]" },
	{ "not boundaries", MIXED("b") "--b\n\n--bb\n -b\n--b-\n--b---\n-b\n"
	    "--B\n--\n-\n--b--\n",
	    "M multipart/mixed 45 \"--b..--bb. -b.--b-.--b---.-b.--B.--.-."
	    "--b--.\" 11 [L text/plain 2 "
	    "\"--bb. -b.--b-.--b---.-b.--B.--.-\" 7]" },
	{ "quoted boundary", MIXED("\"a b \"") "--a b\n\nx\n--a b--\n",
	    "M multipart/mixed 50 \"--a b..x.--a b--.\" 4 "
	    "[L text/plain 2 \"x\" 0]" },
	{ "boundary in pieces",
	    "Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n\n"
	    "--ab\n\nx\n--ab--\n",
	    "M multipart/mixed 61 \"--ab..x.--ab--.\" 4 "
	    "[L text/plain 2 \"x\" 0]" },
	{ "boundary of dashes", MIXED("--") "----\n\nx\n------\n",
	    "M multipart/mixed 46 \"----..x.------.\" 4 "
	    "[L text/plain 2 \"x\" 0]" },
	{ "no boundary parameter", "Content-Type: multipart/mixed\n\n--b\n\nx",
	    "O multipart/mixed 33 \"--b..x\" 2" },
	{ "boundary not found", MIXED("b") "text\n",
	    "O multipart/mixed 45 \"text.\" 1" },
	{ "only the final one", MIXED("b") "text\n--b--\n",
	    "O multipart/mixed 45 \"text.--b--.\" 2" },
	{ "empty multipart", MIXED("b"), "O multipart/mixed 45 \"\" 0" },

	{ "empty parts", MIXED("b") "--b\n--b\n\n--b\n\n\n--b\nA: b\n--b--\n",
	    "M multipart/mixed 45 \"--b.--b..--b...--b.A: b.--b--.\" 9 "
	    "[L text/plain 0 \"\" 0; L text/plain 2 \"\" 0; "
	    "L text/plain 2 \"\" 0; L text/plain 6 \"\" 0]" },
	{ "boundary ends a header",
	    MIXED("b") "--b\nContent-Type: a/b\n--b--\n",
	    "M multipart/mixed 45 \"--b.Content-Type: a/b.--b--.\" 3 "
	    "[L a/b 19 \"\" 0]" },
	{ "boundary in a folded field",
	    MIXED("b") "--b\nContent-Type: a/\n b\n--b\n\nx",
	    "M multipart/mixed 45 \"--b.Content-Type: a/. b.--b..x\" 5 "
	    "[L a/b 22 \"\" 0; L text/plain 2 \"x\" 0]" },
	{ "ends in a header", MIXED("b") "--b\nContent-Type: a/b",
	    "M multipart/mixed 45 \"--b.Content-Type: a/b\" 1 "
	    "[L a/b 17 \"\" 0]" },
	{ "ends at a boundary", MIXED("b") "--b\n",
	    "M multipart/mixed 45 \"--b.\" 1 [L text/plain 0 \"\" 0]" },

	{ "nested", MIXED("a") "--a\n" MIXED("b") "--b\n\nx\n--b--\n--a\n\ny\n"
	    "--a--\n",
	    "M multipart/mixed 45 \"--a.Content-Type: multipart/mixed; "
	    "boundary=b..--b..x.--b--.--a..y.--a--.\" 11 "
	    "[M multipart/mixed 45 \"--b..x.--b--\" 3 "
	    "[L text/plain 2 \"x\" 0]; L text/plain 2 \"y\" 0]" },
	{ "outer boundary ends the inner",
	    MIXED("a") "--a\n" MIXED("b") "--b\n\nx\n--a\n\ny\n--b\n--a--\n",
	    "M multipart/mixed 45 \"--a.Content-Type: multipart/mixed; "
	    "boundary=b..--b..x.--a..y.--b.--a--.\" 11 "
	    "[M multipart/mixed 45 \"--b..x\" 2 [L text/plain 2 \"x\" 0]; "
	    "L text/plain 2 \"y.--b\" 1]" },
	{ "same boundary", MIXED("a") "--a\n" MIXED("a") "--a\n\nx\n--a--\n"
	    "--a\n\ny\n--a--\n",
	    "M multipart/mixed 45 \"--a.Content-Type: multipart/mixed; "
	    "boundary=a..--a..x.--a--.--a..y.--a--.\" 11 "
	    "[M multipart/mixed 45 \"--a..x.--a--\" 3 "
	    "[L text/plain 2 \"x\" 0]; L text/plain 2 \"y\" 0]" },
	{ "prefix, inner longer", MIXED("a") "--a\n" MIXED("ab") "--ab\n\nx\n"
	    "--ab--\n--a\n\ny\n--a--\n",
	    "M multipart/mixed 45 \"--a.Content-Type: multipart/mixed; "
	    "boundary=ab..--ab..x.--ab--.--a..y.--a--.\" 11 "
	    "[M multipart/mixed 46 \"--ab..x.--ab--\" 3 "
	    "[L text/plain 2 \"x\" 0]; L text/plain 2 \"y\" 0]" },
	{ "prefix, inner shorter", MIXED("ab") "--ab\n" MIXED("a") "--a\n\nx\n"
	    "--a--\n--ab\n\ny\n--ab--\n",
	    "M multipart/mixed 46 \"--ab.Content-Type: multipart/mixed; "
	    "boundary=a..--a..x.--a--.--ab..y.--ab--.\" 11 "
	    "[M multipart/mixed 45 \"--a..x.--a--\" 3 "
	    "[L text/plain 2 \"x\" 0]; L text/plain 2 \"y\" 0]" },

	{ "message", "Content-Type: message/rfc822\n\nSubject: s\n\nx\n",
	    "R message/rfc822 32 \"Subject: s..x.\" 3 "
	    "[L text/plain 14 \"x.\" 1]" },
	{ "message, empty", "Content-Type: message/global\n\n",
	    "R message/global 32 \"\" 0 [L text/plain 0 \"\" 0]" },
	{ "message, encoded", "Content-Transfer-Encoding: base64\n"
	    "Content-Type: message/rfc822\n\nU3Vi\n",
	    "O message/rfc822 67 \"U3Vi.\" 1" },
	{ "message within", MIXED("b") "--b\nContent-Type: message/rfc822\n\n"
	    "S: s\n\nx\n--b\n\ny\n--b--\n",
	    "M multipart/mixed 45 \"--b.Content-Type: message/rfc822..S: s.."
	    "x.--b..y.--b--.\" 10 [R message/rfc822 32 \"S: s..x\" 2 "
	    "[L text/plain 8 \"x\" 0]; L text/plain 2 \"y\" 0]" },
	{ "message within, cut in its header",
	    MIXED("b") "--b\nContent-Type: message/rfc822\n\nS: s\n--b--\n",
	    "M multipart/mixed 45 \"--b.Content-Type: message/rfc822..S: s."
	    "--b--.\" 5 [R message/rfc822 32 \"S: s.\" 1 "
	    "[L text/plain 6 \"\" 0]]" },
	{ "message within, no body at all",
	    MIXED("b") "--b\nContent-Type: message/rfc822\n--b--\n",
	    "M multipart/mixed 45 \"--b.Content-Type: message/rfc822.--b--."
	    "\" 3 [R message/rfc822 30 \"\" 0 [L text/plain 0 \"\" 0]]" },
	{ "multipart in a message, boundaries inside out",
	    MIXED("a") "--a\nContent-Type: message/rfc822\n\n" MIXED("b")
	    "--b\n\nx\n--a--\n",
	    "M multipart/mixed 45 \"--a.Content-Type: message/rfc822.."
	    "Content-Type: multipart/mixed; boundary=b..--b..x.--a--.\" 9 "
	    "[R message/rfc822 32 \"Content-Type: multipart/mixed; "
	    "boundary=b..--b..x\" 4 [M multipart/mixed 45 \"--b..x\" 2 "
	    "[L text/plain 2 \"x\" 0]]]" },
	{ "digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\n"
	    "S: s\n\nx\n--b\nContent-Type: text/plain\n\ny\n--b--\n",
	    "M multipart/digest 46 \"--b..S: s..x.--b.Content-Type: "
	    "text/plain..y.--b--.\" 10 [R message/rfc822 2 \"S: s..x\" 2 "
	    "[L text/plain 8 \"x\" 0]; L text/plain 28 \"y\" 0]" },
	{ "bare CR is no line end", "A: b\n\nx\r--b\ry\n",
	    "L text/plain 8 \"x\r--b\ry.\" 1" },
};

static const char kinds[] = "LMRO";

static void
add_text(struct buf *out, struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == '\n')
			buf_add_char(out, '.');
		else if (s.p[i] != '\r' || i + 1 == s.n || s.p[i + 1] != '\n')
			buf_add_char(out, s.p[i]);
}

static void
show(struct buf *out, struct slice in, const struct mime_part *part)
{
	const struct mime_part *child;

	buf_addf(out, "%c %.*s/%.*s %u \"", kinds[part->kind],
	    SLICE_FMT(part->type), SLICE_FMT(part->subtype),
	    (unsigned)part->header.served);
	ck_assert_uint_le(part->body.offset + part->body.size, in.n);
	add_text(out, slice_head(slice_from(in, part->body.offset),
	    part->body.size));
	buf_addf(out, "\" %u", (unsigned)part->body.lines);
	if (part->child != NULL)
		buf_add_str(out, " [");
	for (child = part->child; child != NULL; child = child->next) {
		show(out, in, child);
		buf_add_str(out, child->next == NULL ? "]" : "; ");
	}
}

/* Feeds in pieces that end at `a`, `b` and then every `step` bytes. */
static void
parse(struct slice in, size_t a, size_t b, size_t step, struct buf *out)
{
	struct mime_message m;
	struct mime_parser p;
	struct region r;
	struct buf text;
	size_t at = 0, end;

	region_init(&r, LIMIT_MIME_MEMORY);
	buf_init(&text, 2 * LIMIT_HEADER_FIELD);
	mime_init(&p, &r, &text);
	while (at < in.n) {
		end = at < a ? a : at < b ? b : at + step;
		end = end > in.n ? in.n : end;
		mime_feed(&p, slice_head(slice_from(in, at), end - at));
		at = end;
	}
	ck_assert_int_eq(mime_finish(&p, &m), 0);
	ck_assert_uint_eq(m.size, in.n);
	ck_assert_uint_eq(m.served, in.n + m.lf_lines);
	ck_assert_uint_eq(m.root->body.offset + m.root->body.size, in.n);
	ck_assert_uint_eq(m.root->header.served + m.root->body.served,
	    m.served);
	buf_reset(out);
	show(out, in, m.root);
	buf_fini(&text);
	region_fini(&r);
}

static struct slice
with_crlf(const char *s, struct buf *b)
{
	buf_reset(b);
	for (; *s != 0; s++) {
		if (*s == '\n')
			buf_add_char(b, '\r');
		buf_add_char(b, *s);
	}
	return guard_copy(buf_slice(b));
}

START_TEST(whole)
{
	struct slice lf = guard_copy(slice_str(cases[_i].in)), crlf;
	struct buf out, b;

	buf_init(&out, 10000);
	buf_init(&b, 10000);
	crlf = with_crlf(cases[_i].in, &b);
	parse(crlf, 0, 0, crlf.n, &out);
	ck_assert_msg(slice_eq_str(buf_slice(&out), cases[_i].want),
	    "%s: %s\nwant: %s", cases[_i].name, out.p, cases[_i].want);
	parse(lf, 0, 0, lf.n, &out);
	ck_slice_str(buf_slice(&out), cases[_i].want);
	buf_fini(&b);
	buf_fini(&out);
}
END_TEST

START_TEST(in_pieces)
{
	struct slice crlf;
	struct buf out, b;
	size_t i;

	buf_init(&out, 10000);
	buf_init(&b, 10000);
	crlf = with_crlf(cases[_i].in, &b);
	for (i = 1; i < 4; i++) {
		parse(crlf, 0, 0, i, &out);
		ck_slice_str(buf_slice(&out), cases[_i].want);
	}
	for (i = 1; i < crlf.n; i++) {
		parse(crlf, i, i + 2, crlf.n, &out);
		ck_slice_str(buf_slice(&out), cases[_i].want);
	}
	buf_fini(&b);
	buf_fini(&out);
}
END_TEST

struct parsed {
	struct region r;
	struct mime_message m;
};

static void
parse_all(struct parsed *x, struct slice in)
{
	struct mime_parser p;
	struct buf text;

	region_init(&x->r, LIMIT_MIME_MEMORY);
	buf_init(&text, 2 * LIMIT_HEADER_FIELD);
	mime_init(&p, &x->r, &text);
	mime_feed(&p, in);
	ck_assert_int_eq(mime_finish(&p, &x->m), 0);
	buf_fini(&text);
}

START_TEST(fields)
{
	struct parsed x;
	const struct mime_part *p;

	parse_all(&x, SLICE("MIME-Version: 1.0\r\n"
	    "Content-Type: image/png;\r\n name=\"a b\"\r\n"
	    "Content-Transfer-Encoding: (x) Base64\r\n"
	    "Content-ID: <a@b>\r\nContent-Description: a\r\n  b \r\n"
	    "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n"
	    "Content-Language: de, (x) en-GB\r\n"
	    "Content-Location: http://a/\r\n b\r\n"
	    "Content-Disposition: Attachment; filename*=utf-8''%c3%a4\r\n"
	    "Subject: s\r\nFrom: a@b\r\n\r\n"));
	p = x.m.root;
	ck_slice_str(p->type, "image");
	ck_slice_str(mime_param_find(p->params, "NAME")->value, "a b");
	ck_assert_int_eq(p->encoding, MIME_BASE64);
	ck_slice_str(p->encoding_name, "Base64");
	ck_slice_str(p->id, "<a@b>");
	ck_slice_str(p->description, "a  b");
	ck_slice_str(p->md5, "Q2hlY2sgSW50ZWdyaXR5IQ==");
	ck_slice_str(p->languages->text, "de");
	ck_slice_str(p->languages->next->text, "en-GB");
	ck_assert_ptr_eq(p->languages->next->next, NULL);
	ck_slice_str(p->location, "http://a/b");
	ck_slice_str(p->disposition, "Attachment");
	ck_slice_str(p->disposition_params->value, "\xc3\xa4");
	ck_slice_str(p->envelope->value[RFC822_SUBJECT], "s");
	ck_slice_str(p->envelope->value[RFC822_FROM], "a@b");
	ck_assert_uint_eq(p->flags, MIME_HAS_TYPE | MIME_HAS_VERSION);
	ck_assert_uint_eq(x.m.lf_lines, 0);
	region_fini(&x.r);
}
END_TEST

static const struct {
	const char *name, *field;
	const char *disposition, *filename;
} dispositions[] = {
	{ "plain", "inline", "inline", NULL },
	{ "none", "", NULL, NULL },
	{ "parameter only", "filename=x", "attachment", "x" },
	{ "nothing but", "; filename=x", NULL, NULL },
	{ "both", "inline; filename=x", "inline", "x" },
};

START_TEST(disposition)
{
	const struct mime_param *name;
	struct parsed x;
	struct buf in;

	buf_init(&in, 1000);
	buf_addf(&in, "Content-Disposition: %s\r\n\r\n",
	    dispositions[_i].field);
	parse_all(&x, buf_slice(&in));
	ck_assert_int_eq(x.m.root->disposition.p == NULL,
	    dispositions[_i].disposition == NULL);
	ck_slice_str(x.m.root->disposition, dispositions[_i].disposition);
	name = mime_param_find(x.m.root->disposition_params, "filename");
	ck_assert_int_eq(name == NULL, dispositions[_i].filename == NULL);
	if (name != NULL)
		ck_slice_str(name->value, dispositions[_i].filename);
	region_fini(&x.r);
	buf_fini(&in);
}
END_TEST

START_TEST(envelopes)
{
	struct parsed x;
	struct mime_part *p;

	parse_all(&x, SLICE("Subject: outer\r\n"
	    "Content-Type: multipart/digest; boundary=b\r\n\r\n"
	    "--b\r\nSubject: header of a part\r\n\r\n"
	    "Subject: inner\r\n\r\n--b--"));
	ck_slice_str(x.m.root->envelope->value[RFC822_SUBJECT], "outer");
	p = x.m.root->child;
	ck_assert_ptr_eq(p->envelope, NULL);
	ck_slice_str(p->child->envelope->value[RFC822_SUBJECT], "inner");
	ck_assert_uint_eq(p->child->depth, 2);
	region_fini(&x.r);
}
END_TEST

START_TEST(flags)
{
	struct parsed x;
	struct mime_part *p;
	struct buf in;
	int i;

	buf_init(&in, 10000);
	buf_add_str(&in, "Subject: \xc3\xa4\r\n"
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	    "pre \xff\r\n--b\r\n\r\nabcdefghijk\x80\r\n--b\r\n\r\nx\r\n--b\r\n"
	    "\r\n");
	for (i = 0; i < 999; i++)
		buf_add_char(&in, 'x');
	buf_add_str(&in, "\r\n--b\r\n\r\n");
	buf_add(&in, "\0", 1);
	buf_add_str(&in, "\r\n--b--\r\n");
	parse_all(&x, buf_slice(&in));
	ck_assert(x.m.has_nul);
	p = x.m.root;
	ck_assert_uint_eq(p->flags,
	    MIME_HEADER_8BIT | MIME_BODY_8BIT | MIME_HAS_TYPE);
	p = p->child;
	ck_assert_uint_eq(p->flags, MIME_BODY_8BIT);
	p = p->next;
	ck_assert_uint_eq(p->flags, 0);
	p = p->next;
	ck_assert_uint_eq(p->flags, MIME_BODY_LONG);
	p = p->next;
	ck_assert_uint_eq(p->flags, MIME_BODY_NUL);
	region_fini(&x.r);
	buf_fini(&in);
}
END_TEST

START_TEST(mixed_line_ends)
{
	struct parsed x;

	parse_all(&x, SLICE("A: b\nC: d\r\n\nx\ny\r\nz"));
	ck_assert_uint_eq(x.m.lf_lines, 3);
	ck_assert_uint_eq(x.m.served, x.m.size + 3);
	ck_assert_uint_eq(x.m.root->header.size, 12);
	ck_assert_uint_eq(x.m.root->header.served, 14);
	ck_assert_uint_eq(x.m.root->body.served, 7);
	region_fini(&x.r);
}
END_TEST

/* What is deeper than the limit is one part that nobody looks into. */
START_TEST(too_deep)
{
	const struct mime_part *p;
	struct parsed x;
	struct buf in;
	unsigned i;

	buf_init(&in, 1 << 20);
	for (i = 0; i < 1000; i++)
		buf_addf(&in, "Content-Type: multipart/mixed; boundary=b%u\n\n"
		    "--b%u\n", i, i);
	parse_all(&x, buf_slice(&in));
	for (p = x.m.root, i = 0; p->child != NULL; p = p->child)
		i++;
	ck_assert_uint_eq(i, LIMIT_MIME_DEPTH - 1);
	ck_assert_int_eq(p->kind, MIME_OPAQUE);
	ck_assert_uint_eq(p->body.offset + p->body.size, in.n);
	region_fini(&x.r);
	buf_reset(&in);
	for (i = 0; i < 1000; i++)
		buf_addf(&in, "Content-Type: message/rfc822\n\n");
	parse_all(&x, buf_slice(&in));
	for (p = x.m.root, i = 0; p->child != NULL; p = p->child)
		i++;
	ck_assert_uint_eq(i, LIMIT_MIME_DEPTH - 1);
	ck_assert_int_eq(p->kind, MIME_OPAQUE);
	region_fini(&x.r);
	buf_fini(&in);
}
END_TEST

START_TEST(too_many)
{
	const struct mime_part *p;
	struct parsed x;
	struct buf in;
	unsigned i;

	buf_init(&in, 1 << 20);
	buf_add_str(&in, MIXED("b"));
	for (i = 0; i < 5000; i++)
		buf_add_str(&in, "--b\nContent-Type: a/b\n\nx\n");
	buf_add_str(&in, "--b--\n");
	parse_all(&x, buf_slice(&in));
	for (p = x.m.root->child, i = 1; p->next != NULL; p = p->next) {
		ck_assert_int_eq(p->kind, MIME_LEAF);
		i++;
	}
	ck_assert_uint_eq(i, LIMIT_MIME_PARTS - 1);
	ck_assert_int_eq(p->kind, MIME_OPAQUE);
	ck_slice_str(p->type, "a");
	ck_assert_uint_eq(p->body.offset + p->body.size, in.n);
	region_fini(&x.r);
	buf_fini(&in);
}
END_TEST

START_TEST(big_header)
{
	struct parsed x;
	struct buf in;
	size_t i;

	buf_init(&in, 1 << 20);
	buf_add_str(&in, "Subject: s\n");
	for (i = 0; i < LIMIT_HEADER / 8; i++)
		buf_add_str(&in, "Aa: bcd\n");
	buf_add_str(&in, "To: x\n" MIXED("b") "--b\n\nx\n--b--\n");
	parse_all(&x, buf_slice(&in));
	ck_assert_int_eq(x.m.root->kind, MIME_OPAQUE);
	ck_slice_str(x.m.root->envelope->value[RFC822_SUBJECT], "s");
	ck_assert_ptr_eq(x.m.root->envelope->value[RFC822_TO].p, NULL);
	ck_assert_uint_eq(x.m.root->body.lines, 4);
	region_fini(&x.r);
	buf_fini(&in);
}
END_TEST

/* A field longer than the limit is cut; the next one is read all the same. */
START_TEST(big_field)
{
	struct parsed x;
	struct buf in;
	size_t i;
	int folded;

	buf_init(&in, 1 << 20);
	for (folded = 0; folded < 2; folded++) {
		buf_reset(&in);
		buf_add_str(&in, "Subject: s");
		for (i = 0; i < LIMIT_HEADER_FIELD / 4; i++)
			buf_add_str(&in, folded ? "\r\n x" : "yyyyy");
		buf_add_str(&in, "\r\nTo: x\r\n\r\n");
		parse_all(&x, buf_slice(&in));
		ck_assert_uint_gt(
		    x.m.root->envelope->value[RFC822_SUBJECT].n,
		    LIMIT_HEADER_FIELD / 4);
		ck_slice_str(x.m.root->envelope->value[RFC822_TO], "x");
		region_fini(&x.r);
	}
	buf_fini(&in);
}
END_TEST

/* Little memory costs structure, none is refused. */
START_TEST(little_memory)
{
	struct mime_message m;
	struct mime_parser p;
	struct region r;
	struct buf text;

	buf_init(&text, 2 * LIMIT_HEADER_FIELD);
	region_init(&r, 10000);
	mime_init(&p, &r, &text);
	mime_feed(&p, SLICE(MIXED("b") "--b\n\nx\n--b--\n"));
	ck_assert_int_eq(mime_finish(&p, &m), 0);
	ck_assert_int_eq(m.root->kind, MIME_OPAQUE);
	region_fini(&r);
	region_init(&r, 100);
	mime_init(&p, &r, &text);
	mime_feed(&p, SLICE("A: b\n\nx"));
	ck_assert_int_eq(mime_finish(&p, &m), -1);
	region_fini(&r);
	buf_fini(&text);
}
END_TEST

UNIT_SUITE(mime, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, whole, 0, n);
	tcase_add_loop_test(tc, in_pieces, 0, n);
	tcase_add_test(tc, fields);
	tcase_add_loop_test(tc, disposition, 0, 5);
	tcase_add_test(tc, envelopes);
	tcase_add_test(tc, flags);
	tcase_add_test(tc, mixed_line_ends);
	tcase_add_test(tc, too_deep);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, big_header);
	tcase_add_test(tc, big_field);
	tcase_add_test(tc, little_memory);
})
