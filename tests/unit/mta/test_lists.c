/* SPDX-License-Identifier: ISC */
#include "mta/lists.h"

#include "conf/conf_smtpd.h"
#include "proto/address.h"
#include "tests/unit/unit.h"

#define LIST(v_) { .v = (v_), .n = sizeof(v_) / sizeof *(v_) }

static const char *const helo[] = { "bad.test", ".dyn.test" };
static const char *const block[] = { "Evil@x.test", "@spam.test",
	"@.many.test", "@allowed.test" };
static const char *const allow[] = { "good@allowed.test" };
static const char *const rcpts[] = { "closed@here.test" };

static const struct conf_smtpd conf = {
	.block_helo = LIST(helo), .block_senders = LIST(block),
	.allow_senders = LIST(allow), .block_recipients = LIST(rcpts),
};

static const struct {
	const char *address;
	bool is_blocked;
} senders[] = {
	{ "evil@x.test", true }, { "EVIL@X.test", true },
	{ "good@x.test", false }, { "a@spam.test", true },
	{ "a@SPAM.test", true }, { "a@sub.spam.test", false },
	{ "a@many.test", false }, { "a@sub.many.test", true },
	{ "a@b.c.many.test", true }, { "a@notmany.test", false },
	{ "good@allowed.test", false }, { "bad@allowed.test", true },
};

static void
take(void)
{
	struct buf why;

	buf_init(&why, 1000);
	ck_assert_int_eq(lists_configure(&conf, &why), 0);
	buf_fini(&why);
}

START_TEST(sender)
{
	struct address a;

	take();
	ck_assert_int_eq(address_parse_lenient(
			     slice_str(senders[_i].address), &a), 0);
	ck_assert_msg(lists_is_blocked_sender(&a) == senders[_i].is_blocked,
	    "%s", senders[_i].address);
}
END_TEST

START_TEST(others)
{
	struct address null = { 0 }, a;

	take();
	ck_assert(!lists_is_blocked_sender(&null));
	ck_assert(lists_is_blocked_helo(SLICE("BAD.test")));
	ck_assert(!lists_is_blocked_helo(SLICE("sub.bad.test")));
	ck_assert(!lists_is_blocked_helo(SLICE("dyn.test")));
	ck_assert(lists_is_blocked_helo(SLICE("a.b.dyn.test")));
	ck_assert(!lists_is_blocked_helo(SLICE("[192.0.2.1]")));
	ck_assert_int_eq(address_parse_lenient(SLICE("Closed@here.test"),
			     &a), 0);
	ck_assert(lists_is_blocked_recipient(&a));
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "@", "nodomain", "", "a b@c.test" };
	static const struct conf_smtpd one[] = {
		{ .block_senders = { &bad[0], 1 } },
		{ .block_senders = { &bad[1], 1 } },
		{ .allow_senders = { &bad[2], 1 } },
		{ .block_recipients = { &bad[1], 1 } },
	};
	struct buf why;

	take();
	buf_init(&why, 1000);
	ck_assert_int_eq(lists_configure(&one[_i], &why), -1);
	ck_assert_uint_gt(why.n, 0);
	/* What was there before still holds. */
	ck_assert(lists_is_blocked_helo(SLICE("bad.test")));
	buf_fini(&why);
}
END_TEST

UNIT_SUITE(lists, {
	tcase_add_loop_test(tc, sender, 0,
	    (int)(sizeof senders / sizeof *senders));
	tcase_add_test(tc, others);
	tcase_add_loop_test(tc, refused, 0, 4);
})
