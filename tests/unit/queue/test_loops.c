/* SPDX-License-Identifier: ISC */
/* Aliases that lead to each other: somebody gets the mail, or its sender hears
 * of it. */
#include <string.h>

#include "tests/unit/queue/play.h"
#include "tests/unit/unit.h"

#define BEA "owner:8 <ann@a.example> bea@a.example\n"

static const char town[] = "ann@a.example account 7\n"
    "bea@a.example account 8\n"
    "postmaster@a.example account 1\n"
    "round@a.example alias back@a.example\n"
    "back@a.example alias round@a.example\n"
    "c1@a.example alias c2@a.example\n"
    "c2@a.example alias c3@a.example\n"
    "c3@a.example alias c1@a.example\n"
    "one@a.example alias bea@a.example\n"
    "two@a.example alias one@a.example\n"
    "three@a.example alias two@a.example one@a.example\n"
    "exit@a.example alias round@a.example bea@a.example\n"
    "odd@a.example muddle account 8\n";

static const struct {
	const char *to[4];
	const char *tried;   /* of all but the notice */
	const char *failed;  /* named in a notice, or NULL: there is none */
} stories[] = {
	{ { "round@a.example", "back@a.example" }, NULL, "5.4.6" },
	{ { "c1@a.example", "c2@a.example", "c3@a.example" }, NULL, "5.4.6" },
	{ { "c1@a.example", "c3@a.example" }, NULL, "5.4.6" },
	{ { "bea@a.example", "one@a.example", "two@a.example",
	    "three@a.example" }, BEA, NULL },
	{ { "three@a.example", "two@a.example", "one@a.example",
	    "bea@a.example" }, BEA, NULL },
	{ { "two@a.example", "three@a.example" }, BEA, NULL },
	{ { "round@a.example", "back@a.example", "bea@a.example" }, BEA,
	    "5.4.6" },
	{ { "exit@a.example", "bea@a.example" }, BEA, "5.4.6" },
};

START_TEST(nobody_is_left_out)
{
	struct play_letter l = { .sender = "ann@a.example" };
	const char *tried;
	int i;

	for (i = 0; i < 4; i++)
		l.to[i].address = stories[_i].to[i];
	play_town(town);
	play_start();
	play_send(&l);
	play_pass(SECOND);
	tried = play_tried();
	if (stories[_i].tried != NULL)
		play_has(tried, stories[_i].tried);
	/* Once only. */
	ck_assert_uint_eq(play_count_logged("event=delivered"),
	    (stories[_i].tried != NULL) + (stories[_i].failed != NULL));
	if (stories[_i].failed != NULL)
		play_has(play_notice(), stories[_i].failed);
	else
		play_expect(play_notice(), "");
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
}
END_TEST

static void
first_half(void)
{
	play_town("round@a.example alias back@a.example\n"
	    "back@a.example silence\n");
	play_send_one("ann@a.example", "round@a.example");
}

static void
second_half(void)
{
	play_town(town);
	play_pass(HOUR);
	play_has(play_notice(), "5.4.6");
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
}

/* Whose target a recipient is, is known after a new start too. */
START_TEST(interrupted)
{
	play_town(town);
	play_life(first_half);
	play_life(second_half);
}
END_TEST

/* An answer to something else does no harm. */
START_TEST(muddled_answer)
{
	play_town(town);
	play_start();
	play_send_one("ann@a.example", "odd@a.example");
	play_pass(SECOND);
	ck_assert(play_logged("event=delivered") ||
	    play_logged("event=deferred"));
	play_pass(HOUR);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, nobody_is_left_out, 0,
	    (int)(sizeof stories / sizeof *stories));
	tcase_add_test(tc, interrupted);
	tcase_add_test(tc, muddled_answer);
}

PLAY_SUITE(loops, add_tests)
