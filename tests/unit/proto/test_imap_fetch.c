/* SPDX-License-Identifier: ISC */
#include "proto/imap_fetch.h"

#include "base/buf.h"
#include "tests/unit/unit.h"

/* Items are written down as their echo, with `!` before what is no PEEK when
 * the whole fetch sets \Seen, +offset.length and `?` for LAZY. */
static const struct {
	const char *in, *want; /* NULL: the error */
	enum imap_error error;
	const char *rest;
} cases[] = {
	{ "FLAGS", "FLAGS", 0, "" },
	{ "flags x", "FLAGS", 0, " x" },
	{ "(FLAGS UID FLAGS RFC822.SIZE)", "FLAGS UID RFC822.SIZE", 0, "" },
	{ "(INTERNALDATE ENVELOPE BODY BODYSTRUCTURE)",
	    "INTERNALDATE ENVELOPE BODY BODYSTRUCTURE", 0, "" },
	{ "(MODSEQ SAVEDATE EMAILID THREADID)",
	    "MODSEQ SAVEDATE EMAILID THREADID", 0, "" },
	{ "PREVIEW", "PREVIEW", 0, "" },
	{ "(PREVIEW (LAZY) UID)", "PREVIEW? UID", 0, "" },
	{ "PREVIEW (lazy)", "PREVIEW?", 0, "" },
	{ "PREVIEW (CHANGEDSINCE 1)", "PREVIEW", 0, " (CHANGEDSINCE 1)" },
	{ "(PREVIEW (HARD))", NULL, IMAP_ERROR_FETCH_ITEM, NULL },
	{ "BODY[]", "!BODY[]", 0, "" },
	{ "BODY.PEEK[]", "BODY[]", 0, "" },
	{ "body[header]", "!BODY[HEADER]", 0, "" },
	{ "BODY.PEEK[TEXT]<0.2048>", "BODY[TEXT]<0>+0.2048", 0, "" },
	{ "BODY[]<9223372036854775807.1>",
	    "!BODY[]<9223372036854775807>+9223372036854775807.1", 0, "" },
	{ "BODY[1]", "!BODY[1]", 0, "" },
	{ "BODY[1.20.300]", "!BODY[1.20.300]", 0, "" },
	{ "BODY[1.2.HEADER]", "!BODY[1.2.HEADER]", 0, "" },
	{ "BODY[4294967295.mime]", "!BODY[4294967295.MIME]", 0, "" },
	{ "BODY.PEEK[HEADER.FIELDS (From \"To\" {2}\r\nCc)]",
	    "BODY[HEADER.FIELDS (From To Cc)]", 0, "" },
	{ "BODY.PEEK[HEADER.FIELDS.NOT (X-A)]<1.2>",
	    "BODY[HEADER.FIELDS.NOT (X-A)]<1>+1.2", 0, "" },
	{ "BODY[3.HEADER.FIELDS (a]b \"a\\\"(\\\\b\")]",
	    "!BODY[3.HEADER.FIELDS (a]b \"a\\\"(\\\\b\")]", 0, "" },
	{ "RFC822", "!RFC822", 0, "" },
	{ "RFC822.HEADER", "RFC822.HEADER", 0, "" },
	{ "RFC822.TEXT", "!RFC822.TEXT", 0, "" },
	{ "BINARY[1.2]<3.4>", "!BINARY[1.2]<3>+3.4", 0, "" },
	{ "BINARY.PEEK[]", "BINARY[]", 0, "" },
	{ "BINARY.SIZE[2]", "BINARY.SIZE[2]", 0, "" },
	{ "BINARY.SIZE[2]<1.2>", "BINARY.SIZE[2]", 0, "<1.2>" },
	{ "BINARY[HEADER]", NULL, IMAP_ERROR_SECTION, NULL },
	{ "BINARY[1.MIME]", NULL, IMAP_ERROR_SECTION, NULL },
	{ "BINARY", NULL, IMAP_ERROR_FETCH_ITEM, NULL },
	{ "BODY.PEEK", NULL, IMAP_ERROR_FETCH_ITEM, NULL },
	{ "RFC822[]", NULL, IMAP_ERROR_FETCH_ITEM, NULL },
	{ "FLAGS[]", "FLAGS", 0, "[]" },
	{ "BODY[", NULL, IMAP_ERROR_MISSING, NULL },
	{ "BODY[0]", NULL, IMAP_ERROR_NUMBER, NULL },
	{ "BODY[1.]", NULL, IMAP_ERROR_SECTION, NULL },
	{ "BODY[1..2]", NULL, IMAP_ERROR_SECTION, NULL },
	{ "BODY[MIME]", NULL, IMAP_ERROR_SECTION, NULL },
	{ "BODY[HEADER.FIELDS]", NULL, IMAP_ERROR_SPACE, NULL },
	{ "BODY[HEADER.FIELDS ()]", NULL, IMAP_ERROR_SECTION, NULL },
	{ "BODY[HEADER.FIELDS (\"a b\")]", NULL, IMAP_ERROR_SECTION, NULL },
	{ "BODY[HEADER.FIELDS (\"\")]", NULL, IMAP_ERROR_SECTION, NULL },
	{ "BODY[HEADER.FIELDS ({4}\r\na\r\nb)]", NULL, IMAP_ERROR_SECTION,
	    NULL },
	{ "BODY[TEXT", NULL, IMAP_ERROR_SECTION, NULL },
	{ "BODY[FOO]", NULL, IMAP_ERROR_SECTION, NULL },
	{ "BODY[]<0>", NULL, IMAP_ERROR_PARTIAL, NULL },
	{ "BODY[]<0.0>", NULL, IMAP_ERROR_NUMBER, NULL },
	{ "BODY[]<0.1", NULL, IMAP_ERROR_PARTIAL, NULL },
	{ "BODY[]<-1.1>", NULL, IMAP_ERROR_NUMBER, NULL },
	{ "(FLAGS ALL)", NULL, IMAP_ERROR_FETCH_ITEM, NULL },
	{ "()", NULL, IMAP_ERROR_FETCH_ITEM, NULL },
	{ "(FLAGS", NULL, IMAP_ERROR_MISSING, NULL },
	{ "FOO", NULL, IMAP_ERROR_FETCH_ITEM, NULL },
	{ "", NULL, IMAP_ERROR_MISSING, NULL },
};

static void
dump(struct buf *out, const struct imap_fetch *f)
{
	const struct imap_fetch_item *item;
	struct list *it;

	for (it = f->items.next; it != &f->items; it = it->next) {
		item = LIST_OF(it, struct imap_fetch_item, node);
		buf_addf(out, "%s%s%.*s%s", out->n > 0 ? " " : "",
		    f->sets_seen ? "!" : "", SLICE_FMT(item->echo),
		    item->is_lazy ? "?" : "");
		if (item->is_partial)
			buf_addf(out, "+%llu.%llu",
			    (unsigned long long)item->offset,
			    (unsigned long long)item->length);
	}
}

static void
check(struct slice in, int i, bool is_whole)
{
	struct region region;
	struct imap_fetch f;
	struct imap_cur c;
	struct buf out;
	int n;

	region_init(&region, 100000);
	buf_init(&out, 10000);
	imap_cur_init(&c, in, &region);
	n = imap_take_fetch(&c, &f);
	ck_assert((n < 0) == (c.error != IMAP_ERROR_NONE));
	if (n == 0)
		dump(&out, &f);
	if (is_whole && cases[i].want != NULL) {
		ck_assert_msg(n == 0, "%s: %s", cases[i].in,
		    imap_error_text(c.error));
		ck_slice_str(buf_slice(&out), cases[i].want);
		ck_slice_str(imap_rest(&c), cases[i].rest);
	} else if (is_whole) {
		ck_assert_msg(n < 0 && c.error == cases[i].error, "%s: %s",
		    cases[i].in, imap_error_text(c.error));
	}
	buf_fini(&out);
	region_fini(&region);
}

START_TEST(fetch)
{
	struct slice in = slice_str(cases[_i].in);
	size_t k;

	for (k = 0; k <= in.n; k++)
		check(guard_copy(slice_head(in, k)), _i, k == in.n);
}
END_TEST

static const struct {
	const char *in, *want;
} macros[] = {
	{ "FAST", "MODSEQ UID FLAGS INTERNALDATE RFC822.SIZE" },
	{ "all", "MODSEQ UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE" },
	{ "Full", "MODSEQ UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY" },
	{ "(FLAGS UID)", "MODSEQ FLAGS UID" },
};

START_TEST(macro_and_added)
{
	struct region region;
	struct imap_fetch f;
	struct imap_cur c;
	struct buf out;

	region_init(&region, 100000);
	buf_init(&out, 10000);
	imap_cur_init(&c, slice_str(macros[_i].in), &region);
	ck_assert(imap_take_fetch(&c, &f) == 0);
	ck_assert(imap_fetch_add_first(&c, &f, IMAP_FETCH_UID) == 0);
	ck_assert(imap_fetch_add_first(&c, &f, IMAP_FETCH_MODSEQ) == 0);
	dump(&out, &f);
	ck_slice_str(buf_slice(&out), macros[_i].want);
	ck_assert(imap_fetch_add_first(&c, &f, IMAP_FETCH_SECTION) < 0);
	buf_fini(&out);
	region_fini(&region);
}
END_TEST

/* The same thing `n` times between two ends. */
static void
check_many(const char *first, const char *each, const char *last, int n,
    size_t room, enum imap_error error)
{
	struct region region;
	struct imap_fetch f;
	struct imap_cur c;
	struct buf in;
	int i;

	region_init(&region, room);
	buf_init(&in, 100000);
	buf_add_str(&in, first);
	for (i = 0; i < n; i++)
		buf_add_str(&in, each + (i == 0));
	buf_add_str(&in, last);
	imap_cur_init(&c, buf_slice(&in), &region);
	ck_assert((imap_take_fetch(&c, &f) < 0) == (error != 0));
	ck_assert(c.error == error);
	buf_fini(&in);
	region_fini(&region);
}

START_TEST(limits)
{
	check_many("(", " BODY[]", ")", 256, 1 << 20, 0);
	check_many("(", " BODY[]", ")", 257, 1 << 20, IMAP_ERROR_TOO_MANY);
	check_many("(", " BODY[]", ")", 250, 10000, IMAP_ERROR_MEMORY);
	check_many("BODY[HEADER.FIELDS (", " a", ")]", 256, 1 << 20, 0);
	check_many("BODY[HEADER.FIELDS (", " a", ")]", 257, 1 << 20,
	    IMAP_ERROR_TOO_MANY);
	check_many("BODY[HEADER.FIELDS (", " a", ")]", 256, 4096,
	    IMAP_ERROR_MEMORY);
	check_many("BODY[", ".1", "]", 64, 1 << 20, 0);
	check_many("BODY[", ".1", "]", 65, 1 << 20, IMAP_ERROR_SECTION);
}
END_TEST

UNIT_SUITE(imap_fetch, {
	tcase_add_loop_test(tc, fetch, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(tc, macro_and_added, 0,
	    sizeof macros / sizeof *macros);
	tcase_add_test(tc, limits);
})
