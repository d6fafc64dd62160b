/* SPDX-License-Identifier: ISC */
#include "proto/status.h"

#include "tests/unit/unit.h"

static const struct {
	const char *name;
	int code;
	struct enhanced in;
	enum outcome outcome;
	const char *want;
} replies[] = {
	{ "done", 250, { 2, 1, 5 }, OUTCOME_DONE, "2.1.5" },
	{ "done, none", 250, { 0, 0, 0 }, OUTCOME_DONE, "2.0.0" },
	{ "later", 450, { 4, 7, 1 }, OUTCOME_LATER, "4.7.1" },
	{ "closing", 421, { 0, 0, 0 }, OUTCOME_LATER, "4.3.2" },
	{ "failed", 550, { 5, 1, 1 }, OUTCOME_FAILED, "5.1.1" },
	{ "failed, none", 550, { 0, 0, 0 }, OUTCOME_FAILED, "5.0.0" },
	{ "contradiction", 550, { 4, 2, 2 }, OUTCOME_FAILED, "5.0.0" },
	{ "contradiction 2", 450, { 5, 7, 1 }, OUTCOME_LATER, "4.2.0" },
	{ "null MX", 556, { 0, 0, 0 }, OUTCOME_FAILED, "5.1.10" },
	{ "too many", 550, { 5, 5, 3 }, OUTCOME_LATER, "4.5.3" },
	{ "too large", 552, { 0, 0, 0 }, OUTCOME_FAILED, "5.3.4" },
	{ "not final", 354, { 0, 0, 0 }, OUTCOME_LATER, "4.5.0" },
	{ "none", 0, { 5, 1, 1 }, OUTCOME_LATER, "4.5.0" },
	{ "nonsense", 999, { 0, 0, 0 }, OUTCOME_LATER, "4.5.0" },
};

START_TEST(reply)
{
	struct status s = status_from_reply(replies[_i].code, replies[_i].in,
	    SLICE("text"));
	struct buf out;

	buf_init(&out, 20);
	enhanced_add(&out, s.enhanced);
	ck_assert_msg(s.outcome == replies[_i].outcome, "%s", replies[_i].name);
	ck_slice_str(buf_slice(&out), replies[_i].want);
	ck_slice_str(s.text, "text");
	buf_fini(&out);
}
END_TEST

START_TEST(rcpt_reply)
{
	const struct enhanced none = { 0, 0, 0 }, full = { 5, 2, 2 };

	ck_assert_int_eq(status_from_rcpt_reply(552, none, SLICE("")).outcome,
	    OUTCOME_LATER);
	ck_assert_int_eq(status_from_rcpt_reply(552, full, SLICE("")).outcome,
	    OUTCOME_FAILED);
	ck_assert_int_eq(status_from_rcpt_reply(550, none, SLICE("")).outcome,
	    OUTCOME_FAILED);
}
END_TEST

static const struct {
	const char *in, *rest, *want;
} codes[] = {
	{ "5.1.1 no", "no", "5.1.1" },
	{ "2.0.0", "", "2.0.0" },
	{ "4.999.999   x", "x", "4.999.999" },
	{ "5.1.1no", "5.1.1no", NULL },
	{ "3.1.1 x", "3.1.1 x", NULL },
	{ "5.1000.1 x", "5.1000.1 x", NULL },
	{ "5.1", "5.1", NULL },
	{ "5.1.", "5.1.", NULL },
	{ "5..1 x", "5..1 x", NULL },
	{ "55.1.1", "55.1.1", NULL },
	{ "", "", NULL },
};

START_TEST(take)
{
	struct slice in = guard_copy(slice_str(codes[_i].in));
	struct enhanced e = { 0, 0, 0 };
	struct buf out;
	int rc = enhanced_take(&in, &e);

	ck_assert_msg((rc == 0) == (codes[_i].want != NULL), "%d", _i);
	ck_slice_str(in, codes[_i].rest);
	ck_assert_int_eq(enhanced_is_none(e), rc < 0);
	buf_init(&out, 20);
	enhanced_add(&out, e);
	if (rc == 0)
		ck_slice_str(buf_slice(&out), codes[_i].want);
	buf_fini(&out);
}
END_TEST

static const struct {
	const char *in;
	size_t max;
	const char *want, *ascii;
} texts[] = {
	{ "mailbox full", 99, "mailbox full", "mailbox full" },
	{ "one\r\n\ttwo\x01\x02", 99, "one two ", "one two " },
	{ "two  spaces", 99, "two  spaces", "two  spaces" },
	{ "\r\nX: y", 99, "X: y", "X: y" },
	{ "b\xc3\xbc""cher", 99, "b\xc3\xbc""cher", "b?cher" },
	{ "b\xc3\xbc", 2, "b", "b?" },
	{ "b\xff\xc3", 99, "b??", "b??" },
	{ "a\xc2\x9b""31m", 99, "a 31m", "a?31m" },
	{ "a\xe2\x80\xae""b", 99, "a b", "a?b" },
	{ "12345", 3, "123", "123" },
	{ "", 3, "", "" },
};

START_TEST(sanitise)
{
	struct slice in = guard_copy(slice_str(texts[_i].in));
	struct buf out;

	buf_init(&out, 100);
	status_add_text(&out, in, texts[_i].max);
	ck_slice_str(buf_slice(&out), texts[_i].want);
	buf_reset(&out);
	status_add_ascii(&out, in, texts[_i].max);
	ck_slice_str(buf_slice(&out), texts[_i].ascii);
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(status, {
	tcase_add_loop_test(tc, reply, 0,
	    (int)(sizeof replies / sizeof *replies));
	tcase_add_test(tc, rcpt_reply);
	tcase_add_loop_test(tc, take, 0, (int)(sizeof codes / sizeof *codes));
	tcase_add_loop_test(tc, sanitise, 0,
	    (int)(sizeof texts / sizeof *texts));
})
