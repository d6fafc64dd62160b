/* SPDX-License-Identifier: ISC */
#include "proto/imap_search.h"

#include "base/buf.h"
#include "tests/unit/unit.h"

/*
 * A tree as text: AND(…) and OR(…), a leading ! for NOT, days from..to, flags
 * +set-unset. Before it: r and the return bits, c and the charset, n and the
 * needs.
 */
static const struct {
	const char *in, *want; /* NULL: the error */
	enum imap_error error;
} cases[] = {
	{ " ALL", "all" },
	{ " answered", "+1-0" },
	{ " DELETED", "+4-0" },
	{ " DRAFT", "+16-0" },
	{ " FLAGGED", "+2-0" },
	{ " SEEN", "+8-0" },
	{ " RECENT", "+32-0" },
	{ " UNANSWERED", "+0-1" },
	{ " UNDELETED", "+0-4" },
	{ " UNDRAFT", "+0-16" },
	{ " UNFLAGGED", "+0-2" },
	{ " UNSEEN", "+0-8" },
	{ " NEW", "+32-8" },
	{ " OLD", "+0-32" },
	{ " KEYWORD $Junk", "kw $Junk" },
	{ " UNKEYWORD $Junk", "!kw $Junk" },
	{ " NOT UNKEYWORD $Junk", "kw $Junk" },
	{ " BCC a", "n4 Bcc:a" },
	{ " CC a", "n4 Cc:a" },
	{ " FROM \"a b\"", "n4 From:a b" },
	{ " TO {3}\r\na\r\n", "n4 To:a\r\n" },
	{ " SUBJECT \"\"", "n4 Subject:" },
	{ " HEADER X-Foo bar", "n4 X-Foo:bar" },
	{ " HEADER \"X-Foo\" \"\"", "n4 X-Foo:" },
	{ " BODY x", "n8 body x" },
	{ " TEXT x", "n12 text x" },
	{ " BEFORE 3-Jan-1970", "internal ..2" },
	{ " ON \"3-Jan-1970\"", "internal 2..3" },
	{ " SINCE 3-Jan-1970", "internal 2.." },
	{ " SENTBEFORE 3-Jan-1970", "n4 sent ..2" },
	{ " SENTON 3-Jan-1970", "n4 sent 2..3" },
	{ " SENTSINCE 3-Jan-1970", "n4 sent 2.." },
	{ " SAVEDBEFORE 3-Jan-1970", "saved ..2" },
	{ " SAVEDON 3-Jan-1970", "saved 2..3" },
	{ " SAVEDSINCE 3-Jan-1970", "saved 2.." },
	{ " SAVEDATESUPPORTED", "savedate?" },
	{ " LARGER 0", "larger 0" },
	{ " SMALLER 9223372036854775807", "smaller 9223372036854775807" },
	{ " OLDER 3600", "older 3600" },
	{ " YOUNGER 1", "younger 1" },
	{ " MODSEQ 620162338", "n16 modseq 620162338" },
	{ " MODSEQ \"/flags/\\\\draft\" all 620162338",
	    "n16 modseq 620162338" },
	{ " EMAILID M6d99ac3275bb4e", "emailid M6d99ac3275bb4e" },
	{ " THREADID T64b478a75b7ea9", "threadid T64b478a75b7ea9" },
	{ " UID 1:*", "uid 1:*" },
	{ " UID $", "n2 uid $" },
	{ " 1,3:5", "n1 seq 1,3:5" },
	{ " *", "n1 seq *" },
	{ " $ SEEN", "n2 AND(seq $ +8-0)" },
	{ " NOT SEEN", "!+8-0" },
	{ " NOT NOT SEEN", "+8-0" },
	{ " SEEN FLAGGED 1", "n1 AND(+8-0 +2-0 seq 1)" },
	{ " (SEEN)", "+8-0" },
	{ " NOT (SEEN FLAGGED)", "!AND(+8-0 +2-0)" },
	{ " NOT ((NOT SEEN))", "+8-0" },
	{ " OR SEEN FLAGGED", "OR(+8-0 +2-0)" },
	{ " OR OR SEEN FLAGGED DRAFT", "OR(+8-0 +2-0 +16-0)" },
	{ " OR SEEN OR FLAGGED DRAFT", "OR(+8-0 +2-0 +16-0)" },
	{ " OR SEEN NOT OR FLAGGED DRAFT", "OR(+8-0 !OR(+2-0 +16-0))" },
	{ " OR (SEEN DRAFT) FLAGGED DELETED",
	    "AND(OR(AND(+8-0 +16-0) +2-0) +4-0)" },
	{ " CHARSET UTF-8 TEXT \"\xc3\xa4\"", "cUTF-8 n12 text \xc3\xa4" },
	{ " CHARSET \"x\" ALL", "cx all" },
	{ " RETURN () ALL", "r4 all" },
	{ " RETURN (MIN MAX COUNT) ALL", "r11 all" },
	{ " RETURN (SAVE) CHARSET UTF-8 ALL", "r16 cUTF-8 all" },
	{ " return (ALL FOO) ALL", NULL, IMAP_ERROR_SEARCH_RETURN },
	{ " RETURN (PARTIAL 500:1) ALL", "r32(1:500) all" },
	{ " RETURN (PARTIAL -1:-100 MIN) ALL", "r33(-1:-100) all" },
	{ " RETURN (PARTIAL 1:500 ALL) ALL", NULL, IMAP_ERROR_SEARCH_RETURN },
	{ " RETURN (PARTIAL 1:5 PARTIAL 1:5) ALL", NULL,
	    IMAP_ERROR_SEARCH_RETURN },
	{ " RETURN (PARTIAL 1:-5) ALL", NULL, IMAP_ERROR_PARTIAL_RANGE },
	{ " RETURN (PARTIAL -1:5) ALL", NULL, IMAP_ERROR_PARTIAL_RANGE },
	{ " RETURN (PARTIAL 1) ALL", NULL, IMAP_ERROR_PARTIAL_RANGE },
	{ " RETURN (PARTIAL 1:*) ALL", NULL, IMAP_ERROR_NUMBER },
	{ " RETURN (UPDATE) ALL", NULL, IMAP_ERROR_SEARCH_RETURN },
	{ " RETURN (MIN)", NULL, IMAP_ERROR_MISSING },
	{ " RETURN MIN ALL", NULL, IMAP_ERROR_OPEN },
	{ "", NULL, IMAP_ERROR_MISSING },
	{ " ", NULL, IMAP_ERROR_MISSING },
	{ " FOO", NULL, IMAP_ERROR_SEARCH_KEY },
	{ " ORANGE", NULL, IMAP_ERROR_SEARCH_KEY },
	{ " OR SEEN", NULL, IMAP_ERROR_MISSING },
	{ " NOT", NULL, IMAP_ERROR_SEARCH_KEY },
	{ " ()", NULL, IMAP_ERROR_SEARCH_KEY },
	{ " (SEEN", NULL, IMAP_ERROR_MISSING },
	{ " SEEN)", NULL, IMAP_ERROR_TRAILING },
	{ " SEEN ", NULL, IMAP_ERROR_MISSING },
	{ " FROM", NULL, IMAP_ERROR_MISSING },
	{ " FROM (a)", NULL, IMAP_ERROR_STRING },
	{ " HEADER a", NULL, IMAP_ERROR_MISSING },
	{ " ON 31-Feb-2000", NULL, IMAP_ERROR_DATE },
	{ " LARGER x", NULL, IMAP_ERROR_NUMBER },
	{ " OLDER 0", NULL, IMAP_ERROR_NUMBER },
	{ " MODSEQ \"flags\" all 1", NULL, IMAP_ERROR_SEARCH_KEY },
	{ " MODSEQ \"/flags/a\" some 1", NULL, IMAP_ERROR_SEARCH_KEY },
	{ " UID a", NULL, IMAP_ERROR_SEQSET },
	{ " 1:", NULL, IMAP_ERROR_SEQSET },
	{ " EMAILID (a)", NULL, IMAP_ERROR_OBJECTID },
	{ " CHARSET UTF-8", NULL, IMAP_ERROR_MISSING },
};

static void
dump_days(struct buf *out, const char *what,
    const struct imap_search_node *node)
{
	buf_addf(out, "%s ", what);
	if (node->u.days.from != INT32_MIN)
		buf_addf(out, "%d", (int)node->u.days.from);
	buf_add_str(out, "..");
	if (node->u.days.to != INT32_MAX)
		buf_addf(out, "%d", (int)node->u.days.to);
}

static void
dump_number(struct buf *out, const char *what,
    const struct imap_search_node *node)
{
	buf_addf(out, "%s %llu", what, (unsigned long long)node->u.number);
}

static void
dump_set(struct buf *out, const char *what,
    const struct imap_search_node *node)
{
	buf_addf(out, "%s ", what);
	imap_seqset_format(out, &node->u.set);
}

static void
dump_text(struct buf *out, const char *what,
    const struct imap_search_node *node)
{
	buf_add_str(out, what);
	buf_add_slice(out, node->u.string.text);
}

static void dump(struct buf *out, const struct imap_search_node *node);

static void
dump_group(struct buf *out, const char *what,
    const struct imap_search_node *node)
{
	const struct imap_search_node *child;

	buf_addf(out, "%s(", what);
	for (child = node->child; child != NULL; child = child->next) {
		dump(out, child);
		if (child->next != NULL)
			buf_add_char(out, ' ');
	}
	buf_add_char(out, ')');
}

static void
dump(struct buf *out, const struct imap_search_node *node)
{
	if (node->negate)
		buf_add_char(out, '!');
	switch (node->op) {
	case IMAP_SEARCH_AND:
		dump_group(out, "AND", node);
		break;
	case IMAP_SEARCH_OR:
		dump_group(out, "OR", node);
		break;
	case IMAP_SEARCH_ALL:
		buf_add_str(out, "all");
		break;
	case IMAP_SEARCH_SEQ:
		dump_set(out, "seq", node);
		break;
	case IMAP_SEARCH_UID:
		dump_set(out, "uid", node);
		break;
	case IMAP_SEARCH_FLAGS:
		buf_addf(out, "+%u-%u", node->u.flags.set,
		    node->u.flags.unset);
		break;
	case IMAP_SEARCH_KEYWORD:
		dump_text(out, "kw ", node);
		break;
	case IMAP_SEARCH_HEADER:
		buf_add_slice(out, node->u.string.field);
		dump_text(out, ":", node);
		break;
	case IMAP_SEARCH_BODY:
		dump_text(out, "body ", node);
		break;
	case IMAP_SEARCH_TEXT:
		dump_text(out, "text ", node);
		break;
	case IMAP_SEARCH_INTERNAL:
		dump_days(out, "internal", node);
		break;
	case IMAP_SEARCH_SENT:
		dump_days(out, "sent", node);
		break;
	case IMAP_SEARCH_SAVED:
		dump_days(out, "saved", node);
		break;
	case IMAP_SEARCH_SAVEDATESUPPORTED:
		buf_add_str(out, "savedate?");
		break;
	case IMAP_SEARCH_LARGER:
		dump_number(out, "larger", node);
		break;
	case IMAP_SEARCH_SMALLER:
		dump_number(out, "smaller", node);
		break;
	case IMAP_SEARCH_OLDER:
		dump_number(out, "older", node);
		break;
	case IMAP_SEARCH_YOUNGER:
		dump_number(out, "younger", node);
		break;
	case IMAP_SEARCH_MODSEQ:
		dump_number(out, "modseq", node);
		break;
	case IMAP_SEARCH_EMAILID:
		dump_text(out, "emailid ", node);
		break;
	case IMAP_SEARCH_THREADID:
		dump_text(out, "threadid ", node);
		break;
	}
}

static void
dump_search(struct buf *out, const struct imap_search *s)
{
	const char *minus = s->partial.from_end ? "-" : "";

	if (s->has_return)
		buf_addf(out, "r%u", s->returns);
	if ((s->returns & IMAP_RETURN_PARTIAL) != 0)
		buf_addf(out, "(%s%u:%s%u)", minus, s->partial.first, minus,
		    s->partial.last);
	if (s->has_return)
		buf_add_char(out, ' ');
	if (s->charset.p != NULL)
		buf_addf(out, "c%.*s ", SLICE_FMT(s->charset));
	if (s->needs != 0)
		buf_addf(out, "n%u ", s->needs);
	dump(out, s->root);
}

static void
check(struct slice in, int i, bool is_whole)
{
	struct imap_search s;
	struct region region;
	struct imap_cur c;
	struct buf out;
	int n;

	region_init(&region, 100000);
	buf_init(&out, 10000);
	imap_cur_init(&c, in, &region);
	n = imap_take_search(&c, &s);
	ck_assert((n < 0) == (c.error != IMAP_ERROR_NONE));
	if (n == 0)
		dump_search(&out, &s);
	if (is_whole && cases[i].want != NULL) {
		ck_assert_msg(n == 0, "%s: %s", cases[i].in,
		    imap_error_text(c.error));
		ck_slice_str(buf_slice(&out), cases[i].want);
	} else if (is_whole) {
		ck_assert_msg(n < 0 && c.error == cases[i].error, "%s: %s",
		    cases[i].in, imap_error_text(c.error));
	}
	buf_fini(&out);
	region_fini(&region);
}

START_TEST(search)
{
	struct slice in = slice_str(cases[_i].in);
	size_t k;

	for (k = 0; k <= in.n; k++)
		check(guard_copy(slice_head(in, k)), _i, k == in.n);
}
END_TEST

/* The same thing `n` times, then the end. */
static void
check_many(const char *first, const char *each, const char *last, int n,
    size_t room, enum imap_error error)
{
	struct imap_search s;
	struct region region;
	struct imap_cur c;
	struct buf in;
	int i;

	region_init(&region, room);
	buf_init(&in, 100000);
	buf_add_str(&in, first);
	for (i = 0; i < n; i++)
		buf_add_str(&in, each);
	buf_add_str(&in, last);
	imap_cur_init(&c, buf_slice(&in), &region);
	ck_assert((imap_take_search(&c, &s) < 0) == (error != 0));
	ck_assert_msg(c.error == error, "%s: %s", each,
	    imap_error_text(c.error));
	buf_fini(&in);
	region_fini(&region);
}

START_TEST(limits)
{
	const size_t room = 1 << 20;

	check_many(" ", "(", "ALL)", 40, room, IMAP_ERROR_NESTING);
	check_many(" ", "(", "ALL)", 31, room, IMAP_ERROR_MISSING);
	check_many(" ", "OR ALL ", "ALL", 1000, room, 0);
	check_many(" ", "OR ", "ALL", 1000, room, IMAP_ERROR_MISSING);
	check_many(" ", "OR ALL ", "ALL", 1024, room, IMAP_ERROR_TOO_MANY);
	check_many(" ", "NOT ", "ALL", 10000, room, 0);
	check_many(" ", "NOT OR ALL ", "ALL", 31, room, 0);
	check_many(" ", "NOT OR ALL ", "ALL", 40, room, IMAP_ERROR_NESTING);
	check_many(" ALL", " SEEN", "", 1022, room, 0);
	check_many(" ALL", " SEEN", "", 1024, room, IMAP_ERROR_TOO_MANY);
	check_many(" ALL", " SEEN", "", 100, 1000, IMAP_ERROR_MEMORY);
}
END_TEST

UNIT_SUITE(imap_search, {
	tcase_add_loop_test(tc, search, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, limits);
})
