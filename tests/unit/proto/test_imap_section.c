/* SPDX-License-Identifier: ISC */
#include "proto/imap_section.h"

#include "base/num.h"
#include "proto/limits.h"
#include "proto/mime.h"
#include "tests/unit/unit.h"

/* The example of RFC 9051 6.4.5.1, as far as it is needed. */
static const char mail[] =
    "Subject: outer\r\nTo: x\r\n"
    "Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    "pre\r\n"
    "--a\r\nA: 1\r\n\r\nplain\r\n"
    "--a\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: inner\r\n\r\nsolo\r\n"
    "--a\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\n\r\none\r\n--b\r\nB: 2\r\n\r\ntwo\r\n--b--\r\n"
    "--a\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    "--c\r\nC: 3\r\n\r\nthree\r\n--c--\r\n"
    "--a\r\nContent-Type: message/rfc822\r\n\r\n"
    "Content-Type: message/rfc822\r\n\r\nSubject: deep\r\n\r\ndeeper\r\n"
    "--a--\r\nepi\r\n";
static const char plain[] = "Subject: s\r\n\r\nbody\r\n";

/* The part numbers come first, then a letter: - H T M. */
static const struct {
	const char *in, *spec, *want;
} cases[] = {
	{ plain, "-", plain },
	{ plain, "H", "Subject: s\r\n\r\n" },
	{ plain, "T", "body\r\n" },
	{ plain, "M", NULL },
	{ plain, "1-", "body\r\n" },
	{ plain, "1M", "Subject: s\r\n\r\n" },
	{ plain, "1H", NULL },
	{ plain, "1T", NULL },
	{ plain, "2-", NULL },
	{ plain, "0-", NULL },
	{ plain, "1.1-", NULL },
	{ "", "-", "" },
	{ "", "1-", "" },
	{ mail, "-", mail },
	{ mail, "H", "Subject: outer\r\nTo: x\r\n"
	    "Content-Type: multipart/mixed; boundary=a\r\n\r\n" },
	{ mail, "1-", "plain" },
	{ mail, "1M", "A: 1\r\n\r\n" },
	{ mail, "1H", NULL },
	{ mail, "1.1-", NULL },
	{ mail, "2-", "Subject: inner\r\n\r\nsolo" },
	{ mail, "2M", "Content-Type: message/rfc822\r\n\r\n" },
	{ mail, "2H", "Subject: inner\r\n\r\n" },
	{ mail, "2T", "solo" },
	{ mail, "2.1-", "solo" },
	{ mail, "2.1M", "Subject: inner\r\n\r\n" },
	{ mail, "2.2-", NULL },
	{ mail, "2.1.1-", NULL },
	{ mail, "3H", "Subject: many\r\n"
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n" },
	{ mail, "3.1-", "one" },
	{ mail, "3.1M", "\r\n" },
	{ mail, "3.2-", "two" },
	{ mail, "3.2M", "B: 2\r\n\r\n" },
	{ mail, "3.3-", NULL },
	{ mail, "4-", "--c\r\nC: 3\r\n\r\nthree\r\n--c--" },
	{ mail, "4H", NULL },
	{ mail, "4.1-", "three" },
	{ mail, "4.1M", "C: 3\r\n\r\n" },
	{ mail, "5.1-", "Subject: deep\r\n\r\ndeeper" },
	{ mail, "5.1H", "Subject: deep\r\n\r\n" },
	{ mail, "5.1T", "deeper" },
	{ mail, "5.1.1-", "deeper" },
	{ mail, "5.1.1M", "Subject: deep\r\n\r\n" },
	{ mail, "6-", NULL },
};

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

static void
read_spec(const char *spec, struct imap_section *s, uint32_t *parts)
{
	struct slice in = slice_str(spec);
	uint64_t n;

	*s = (struct imap_section){ .parts = parts };
	while (num_take(&in, UINT32_MAX, &n) == 0) {
		parts[s->n_parts++] = (uint32_t)n;
		if (in.p[0] == '.')
			in = slice_from(in, 1);
	}
	s->text = in.p[0] == 'H' ? IMAP_SECTION_HEADER :
	    in.p[0] == 'T'	 ? IMAP_SECTION_TEXT :
	    in.p[0] == 'M'	 ? IMAP_SECTION_MIME :
				   IMAP_SECTION_ALL;
}

START_TEST(find)
{
	struct slice in = slice_str(cases[_i].in);
	struct imap_section s;
	struct mime_message m;
	struct mime_span span;
	uint32_t parts[8];
	struct region r;

	parse(&m, &r, in);
	read_spec(cases[_i].spec, &s, parts);
	if (imap_section_find(m.root, &s, &span) < 0) {
		ck_assert_msg(cases[_i].want == NULL, "%s", cases[_i].spec);
	} else {
		ck_assert_msg(cases[_i].want != NULL, "%s", cases[_i].spec);
		ck_slice_str(slice_head(slice_from(in, span.offset),
		    span.size), cases[_i].want);
		ck_assert_uint_eq(span.served, span.size);
	}
	region_fini(&r);
}
END_TEST

#define HEADER "Subject: s\r\nTo: a,\r\n b\r\njunk\r\nX: y\r\nTO : c\r\n\r\n"

static const struct {
	const char *name, *header, *fields; /* separated by commas; -: NOT */
	const char *want;
} filters[] = {
	{ "one", HEADER, "SUBJECT", "Subject: s\r\n\r\n" },
	{ "folded, repeated", HEADER, "to", "To: a,\r\n b\r\nTO : c\r\n\r\n" },
	{ "order of the header", HEADER, "x,subject",
	    "Subject: s\r\nX: y\r\n\r\n" },
	{ "none", HEADER, "y", "\r\n" },
	{ "not", HEADER, "-to,x", "Subject: s\r\njunk\r\n\r\n" },
	{ "not any", HEADER, "-q", HEADER },
	{ "empty name", HEADER, "", "\r\n" },
	{ "no blank line", "A: b\r\nC: d\r\n", "c", "C: d\r\n" },
	{ "no line end", "A: b\r\nC: d", "c", "C: d" },
	{ "no header", "", "c", "" },
	{ "blank line only", "\r\n", "c", "\r\n" },
	{ "LF", "A: b\n c\nC: d\n\n", "a", "A: b\r\n c\r\n\r\n" },
};

START_TEST(filter)
{
	struct slice header = guard_copy(slice_str(filters[_i].header));
	struct slice list = slice_str(filters[_i].fields), fields[8];
	struct imap_section s = { .text = IMAP_SECTION_FIELDS,
		.fields = fields };
	struct buf out;

	if (slice_has_prefix(list, SLICE("-"))) {
		s.text = IMAP_SECTION_FIELDS_NOT;
		list = slice_from(list, 1);
	}
	while (slice_split(&list, ',', &fields[s.n_fields]))
		s.n_fields++;
	buf_init(&out, 1000);
	imap_section_fields(&out, &s, header);
	ck_slice_str(buf_slice(&out), filters[_i].want);
	buf_fini(&out);
}
END_TEST

START_TEST(clip)
{
	static const struct {
		uint64_t size, offset, length, want_offset, want_length;
	} c[] = {
		{ 10, 0, 4, 0, 4 }, { 10, 8, 4, 8, 2 }, { 10, 10, 1, 10, 0 },
		{ 10, 11, 1, 10, 0 }, { 0, 0, 1, 0, 0 },
		{ 10, UINT64_MAX, UINT64_MAX, 10, 0 },
		{ 10, 1, UINT64_MAX, 1, 9 },
	};
	uint64_t offset, length;
	size_t i;

	for (i = 0; i < sizeof c / sizeof *c; i++) {
		offset = c[i].offset;
		length = c[i].length;
		imap_section_clip(c[i].size, &offset, &length);
		ck_assert_uint_eq(offset, c[i].want_offset);
		ck_assert_uint_eq(length, c[i].want_length);
	}
}
END_TEST

/* Every range of the served form, with the stored form cut everywhere. */
START_TEST(serve)
{
	struct slice in = guard_copy(slice_str("a\nb\r\n\n\rc\r\r\nd\r"));
	struct slice want = slice_str("a\r\nb\r\n\r\n\rc\r\r\nd\r");
	size_t from, n, cut;
	struct imap_serve v;
	struct buf out;

	buf_init(&out, 1000);
	for (from = 0; from <= want.n + 1; from++)
		for (n = 1; n <= want.n + 1; n++)
			for (cut = 0; cut <= in.n; cut++) {
				imap_serve_init(&v, from, n);
				buf_reset(&out);
				imap_serve(&v, slice_head(in, cut), &out);
				imap_serve(&v, slice_from(in, cut), &out);
				ck_slice_eq(buf_slice(&out), slice_head(
				    slice_from(want, from), n));
			}
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(imap_section, {
	tcase_add_loop_test(tc, find, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_loop_test(tc, filter, 0,
	    (int)(sizeof filters / sizeof *filters));
	tcase_add_test(tc, clip);
	tcase_add_test(tc, serve);
})
