/* SPDX-License-Identifier: ISC */
#include "proto/imap_frame.h"

#include <string.h>

#include "base/buf.h"
#include "tests/unit/unit.h"

static const struct imap_frame_limits limits = {
	.line = 60, .literal = 40, .command = 100, .message = 1000,
	.nonsync = 30, .skip = 500
};

/*
 * What a session would do with `in`, written down: [text] a command, +n a
 * continuation, M<text> a message (its bytes are taken), E an error with its
 * number and the tag, ! a fatal one. `refuse`: every CONTINUE and
 * MESSAGE is refused.
 */
static const struct {
	const char *name, *in, *want;
	bool refuse;
} cases[] = {
	{ "plain", "a NOOP\r\nb NOOP\r\n", "[a NOOP][b NOOP]" },
	{ "empty line", "\r\n", "[]" },
	{ "sync literal", "a LOGIN {3}\r\nfoo bar\r\n",
	    "+3[a LOGIN {3}\r\nfoo bar]" },
	{ "two sync literals", "a LOGIN {3}\r\nfoo {3}\r\nbar\r\nb NOOP\r\n",
	    "+3+3[a LOGIN {3}\r\nfoo {3}\r\nbar][b NOOP]" },
	{ "non-sync literals", "a LOGIN {3+}\r\nfoo {3+}\r\nb\r\n\r\n",
	    "[a LOGIN {3+}\r\nfoo {3+}\r\nb\r\n]" },
	{ "literal with CRLF and NUL shape", "a X {4+}\r\n{9}\r\r\n",
	    "[a X {4+}\r\n{9}\r]" },
	{ "empty literal", "a X {0}\r\n\r\n", "+0[a X {0}\r\n]" },
	{ "not a literal", "a X {}\r\na X {+}\r\na X {a}\r\na X 3}\r\n",
	    "[a X {}][a X {+}][a X {a}][a X 3}]" },
	{ "append", "a APPEND box {5}\r\nhello\r\nb NOOP\r\n",
	    "M<a APPEND box {5}>[][b NOOP]" },
	{ "append, all options",
	    "a append box (\\Seen) \"d\" ~{5+}\r\nhello\r\n",
	    "M<a append box (\\Seen) \"d\" ~{5+}>[]" },
	{ "append, mailbox is a literal",
	    "a APPEND {3}\r\nbox {5+}\r\nhello\r\n",
	    "+3M<a APPEND {3}\r\nbox {5+}>[]" },
	{ "append, message may be large and with line ends",
	    "a APPEND box {51}\r\n\r\n345678\r\n12345678\n012345678901234567890"
	    "123456789\r\n\r\n", "M<a APPEND box {51}>[]" },
	{ "append utf8", "a APPEND box UTF8 (~{5+}\r\nhello)\r\n",
	    "M<a APPEND box UTF8 (~{5+}>[)]" },
	{ "multiappend", "a APPEND b {1+}\r\nx (\\Seen) {2}\r\nyz\r\n",
	    "M<a APPEND b {1+}>M< (\\Seen) {2}>[]" },
	{ "append without message", "a APPEND\r\na APPEND box\r\n",
	    "[a APPEND][a APPEND box]" },
	{ "bare LF", "a NOOP\nb NOOP\r\n", "E2<a>[b NOOP]" },
	{ "LF alone", "\nb NOOP\r\n", "E2<>[b NOOP]" },
	{ "bare CR", "a NO\rOP\r\nb NOOP\r\n", "E1<a>[b NOOP]" },
	{ "line too long",
	    "a 345678901234567890123456789012345678901234567890123456789\r\n"
	    "b NOOP\r\n", "E0<a>[b NOOP]" },
	{ "line just fits",
	    "a 34567890123456789012345678901234567890123456789012345678\r\n"
	    "b NOOP\r\n",
	    "[a 34567890123456789012345678901234567890123456789012345678]"
	    "[b NOOP]" },
	{ "line far too long, with a literal at its end",
	    "a 345678901234567890123456789012345678901234567890123456789 "
	    "345678901234567890123456789012345678901234567890123456789 "
	    "345678901234567890123456789012345678901234567890123456789 {3+}"
	    "\r\nx\r\ny\r\nb NOOP\r\n", "E0<a>[b NOOP]" },
	{ "second line too long",
	    "a X {3+}\r\nfoo"
	    "345678901234567890123456789012345678901234567890123456789012\r\n"
	    "b NOOP\r\n", "E0<a>[b NOOP]" },
	{ "command too long",
	    "a X {30+}\r\n012345678901234567890123456789 {30+}\r\n"
	    "012345678901234567890123456789 {30+}\r\n"
	    "012345678901234567890123456789\r\nb NOOP\r\n",
	    "E4<a>[b NOOP]" },
	{ "sync literal too big", "a X {41}\r\nb NOOP\r\n",
	    "E3<a>[b NOOP]" },
	{ "sync literal of absurd size",
	    "a X {99999999999999999999}\r\nb NOOP\r\n", "E3<a>[b NOOP]" },
	{ "non-sync literal too big",
	    "a X {31+}\r\n0123456789012345678901234567890 {3+}\r\nfoo\r\n"
	    "b NOOP\r\n", "E4<a>[b NOOP]" },
	{ "non-sync too big, then a sync one",
	    "a X {31+}\r\n0123456789012345678901234567890 {3}\r\nb NOOP\r\n",
	    "E4<a>[b NOOP]" },
	{ "non-sync message too big",
	    "a APPEND b {31+}\r\n0123456789\r\n23456789012345678 0\r\n"
	    "b NOOP\r\n", "E4<a>[b NOOP]" },
	{ "non-sync literal beyond skipping", "a X {501+}\r\nb NOOP\r\n",
	    "!4" },
	{ "absurd non-sync literal", "a X {99999999999999999999+}\r\n", "!4" },
	{ "skipped line ends in one beyond skipping",
	    "a NOOP\nb X\r\na\rb {501+}\r\n", "E2<a>[b X]E1<a\rb>!4" },
	{ "message too big", "a APPEND b {1001}\r\nb NOOP\r\n",
	    "E3<a>[b NOOP]" },
	{ "refuse a sync literal", "a LOGIN {3}\r\nb NOOP\r\n",
	    "+3[b NOOP]", true },
	{ "refuse the second", "a X {1+}\r\nx {3}\r\nb NOOP\r\n",
	    "+3[b NOOP]", true },
	{ "refuse a message", "a APPEND b {3}\r\nb NOOP\r\n",
	    "M<a APPEND b {3}>[b NOOP]", true },
	{ "refuse a non-sync message",
	    "a APPEND b {5+}\r\nhello {3+}\r\nfoo\r\nb NOOP\r\n",
	    "M<a APPEND b {5+}>[b NOOP]", true },
	{ "refuse an empty non-sync message",
	    "a APPEND b {0+}\r\n\r\nb NOOP\r\n",
	    "M<a APPEND b {0+}>[b NOOP]", true },
};

/* The client's side: how much of `in` the server has, and what it dropped. */
struct feed {
	struct slice in;
	size_t shown, dropped, step;
	struct buf log;
};

static struct slice
window(const struct feed *feed)
{
	return slice_from(slice_head(feed->in, feed->shown), feed->dropped);
}

static void
take(struct feed *feed, uint64_t n)
{
	feed->dropped += (size_t)n;
	ck_assert(feed->dropped <= feed->in.n);
	if (feed->shown < feed->dropped)
		feed->shown = feed->dropped;
}

static void
note_error(struct feed *feed, const struct imap_frame_event *e)
{
	struct slice text = e->text, tag;

	if (e->is_fatal) {
		buf_addf(&feed->log, "!%d", (int)e->error);
		return;
	}
	if (!slice_split(&text, ' ', &tag))
		tag = SLICE_NONE;
	buf_addf(&feed->log, "E%d<%.*s>", (int)e->error, SLICE_FMT(tag));
}

static bool
step(struct imap_frame *f, struct feed *feed, bool refuse)
{
	struct slice in = window(feed);
	enum imap_frame_what what;
	struct imap_frame_event e;

	what = imap_frame_next(f, in, &e);
	switch (what) {
	case IMAP_FRAME_MORE:
		if (feed->shown == feed->in.n)
			return false;
		feed->shown += feed->step;
		if (feed->shown > feed->in.n)
			feed->shown = feed->in.n;
		return true;
	case IMAP_FRAME_CONTINUE:
		buf_addf(&feed->log, "+%d", (int)e.n);
		break;
	case IMAP_FRAME_COMMAND:
		buf_addf(&feed->log, "[%.*s]", SLICE_FMT(e.text));
		break;
	case IMAP_FRAME_MESSAGE:
		buf_addf(&feed->log, "M<%.*s>", SLICE_FMT(e.text));
		ck_assert(e.is_sync ==
		    !slice_has_suffix(e.text, SLICE("+}")));
		break;
	case IMAP_FRAME_SKIP:
		ck_assert(e.consumed > 0);
		break;
	case IMAP_FRAME_ERROR:
		note_error(feed, &e);
		break;
	}
	ck_assert(e.consumed <= in.n);
	take(feed, e.consumed);
	if (refuse &&
	    (what == IMAP_FRAME_CONTINUE || what == IMAP_FRAME_MESSAGE))
		imap_frame_refuse(f);
	else if (what == IMAP_FRAME_MESSAGE)
		take(feed, e.n);
	return !e.is_fatal;
}

static void
check(int i, size_t first, size_t by)
{
	struct feed feed = { guard_copy(slice_str(cases[i].in)), first, 0, by,
		{ 0 } };
	struct imap_frame f;

	buf_init(&feed.log, 10000);
	imap_frame_init(&f, &limits);
	while (step(&f, &feed, cases[i].refuse))
		;
	ck_assert_msg(slice_eq_str(buf_slice(&feed.log), cases[i].want),
	    "%s (%zu then by %zu): %s", cases[i].name, first, by, feed.log.p);
	buf_fini(&feed.log);
}

START_TEST(whole)
{
	check(_i, strlen(cases[_i].in), 1);
}
END_TEST

START_TEST(byte_by_byte)
{
	check(_i, 0, 1);
}
END_TEST

START_TEST(at_every_split)
{
	size_t k;

	for (k = 0; k < strlen(cases[_i].in); k++)
		check(_i, k, 10000);
}
END_TEST

START_TEST(dead_stays_dead)
{
	struct imap_frame_event e;
	struct imap_frame f;

	imap_frame_init(&f, &limits);
	ck_assert(imap_frame_next(&f, SLICE("a {600+}\r\n"), &e) ==
	    IMAP_FRAME_ERROR && e.is_fatal);
	ck_assert(imap_frame_next(&f, SLICE("a NOOP\r\n"), &e) ==
	    IMAP_FRAME_ERROR && e.is_fatal && e.consumed == 0);
}
END_TEST

START_TEST(every_error_has_a_sentence)
{
	int i;

	for (i = 0; i < IMAP_FRAME_ERROR_COUNT; i++)
		ck_assert(slice_has_suffix(slice_str(imap_frame_error_text(
		    (enum imap_frame_error)i)), SLICE(".")));
	ck_assert_ptr_nonnull(imap_frame_error_text(IMAP_FRAME_ERROR_COUNT));
}
END_TEST

UNIT_SUITE(imap_frame, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, whole, 0, n);
	tcase_add_loop_test(tc, byte_by_byte, 0, n);
	tcase_add_loop_test(tc, at_every_split, 0, n);
	tcase_add_test(tc, dead_stays_dead);
	tcase_add_test(tc, every_error_has_a_sentence);
})
