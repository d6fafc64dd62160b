/* SPDX-License-Identifier: ISC */
/* Asking the directory about addresses, and what is remembered of it. */
#include "session/recipients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/session/asked.h"
#include "tests/unit/unit.h"

static struct buf calls; /* "NAME kind account over address; …" */

static void
on_done(void *arg, const struct recipient *r)
{
	buf_addf(&calls, "%s%s %d %llu %d %.*s", calls.n > 0 ? "; " : "",
	    (const char *)arg, r->kind, (unsigned long long)r->account,
	    r->is_over_quota, SLICE_FMT(r->address));
}

static const char *
called(void)
{
	static char text[1000];

	asked_settle();
	(void)snprintf(text, sizeof text, "%s", calls.n == 0 ? "" : calls.p);
	buf_reset(&calls);
	return text;
}

static char names[8][2] = { "0", "1", "2", "3", "4", "5", "6", "7" };

static struct recipient_ask *
ask(unsigned i, const char *address)
{
	return recipients_ask(slice_str(address), on_done, names[i]);
}

static void
answer_of(unsigned n, uint8_t kind, uint64_t generation)
{
	ipc_send(asked_end(ROLE_DIRECTORY), ADDR_ANSWER, -1,
	    .req = asked_req(n), .kind = kind, .account = n + 70,
	    .over_quota = n % 2, .generation = generation,
	    .address = SLICE("the@one.example"));
}

static void
setup(void)
{
	asked_begin();
	asked_handle(IPC_GENERATION, recipients_on_generation);
	asked_bring(ROLE_DIRECTORY);
	buf_init(&calls, 10000);
	recipients_forget();
}

/* Each kind and for how long it is kept: seconds, 0 not at all. */
static const struct {
	enum addr_kind kind;
	int keep_s;
} kinds[] = {
	{ ADDR_ACCOUNT, 30 }, { ADDR_ALIAS, 30 }, { ADDR_RELAY, 30 },
	{ ADDR_REMOTE, 30 }, { ADDR_UNKNOWN, 2 }, { ADDR_DISABLED, 2 },
	{ ADDR_INVALID, 0 }, { ADDR_LATER, 0 }, { ADDR_LOOP, 0 },
};

START_TEST(asked_and_remembered)
{
	char want[100];
	int i;

	(void)snprintf(want, sizeof want, "0 %d 70 0 the@one.example",
	    kinds[_i].kind);
	ck_assert_ptr_nonnull(ask(0, "bob@a.example"));
	ck_assert_str_eq(asked_told(), "who bob@a.example");
	ck_assert_str_eq(called(), "");
	answer_of(0, (uint8_t)kinds[_i].kind, 1);
	ck_assert_str_eq(called(), want);
	/* Again and again until its time is over. */
	for (i = 0; i < kinds[_i].keep_s; i++) {
		ck_assert_ptr_null(ask(0, "bob@a.example"));
		ck_assert_str_eq(called(), want);
		asked_pass(1000);
	}
	ck_assert_uint_eq(asked_count(), 1);
	ck_assert_uint_eq(recipients_cached(), kinds[_i].keep_s > 0);
	ck_assert_uint_eq(recipients_hits(), (unsigned)kinds[_i].keep_s);
	ck_assert_ptr_nonnull(ask(0, "bob@a.example"));
	ck_assert_str_eq(asked_told(), "who bob@a.example");
	answer_of(1, ADDR_UNKNOWN, 1);
	ck_assert_str_eq(called(), "0 4 71 1 the@one.example");
}
END_TEST

START_TEST(no_kind_that_there_is)
{
	ck_assert_ptr_nonnull(ask(0, "bob@a.example"));
	asked_settle();
	answer_of(0, ADDR_KIND_COUNT, 1);
	ck_assert_str_eq(called(), "0 7 0 0 ");
	ck_assert_uint_eq(recipients_cached(), 0);
}
END_TEST

START_TEST(several_at_once)
{
	ck_assert_ptr_nonnull(ask(0, "a@a.example"));
	ck_assert_ptr_nonnull(ask(1, "b@a.example"));
	ck_assert_ptr_nonnull(ask(2, "c@a.example"));
	ck_assert_ptr_nonnull(ask(3, "a@a.example"));
	ck_assert_str_eq(asked_told(), "who a@a.example; who b@a.example; "
	    "who c@a.example; who a@a.example");
	answer_of(2, ADDR_UNKNOWN, 1);
	ck_assert_str_eq(called(), "2 4 72 0 the@one.example");
	answer_of(0, ADDR_ACCOUNT, 1);
	answer_of(3, ADDR_ACCOUNT, 1);
	ck_assert_str_eq(called(), "0 0 70 0 the@one.example; "
	    "3 0 73 1 the@one.example");
	answer_of(1, ADDR_LATER, 1);
	ck_assert_str_eq(called(), "1 7 71 1 the@one.example");
	ck_assert_uint_eq(recipients_cached(), 2);
}
END_TEST

START_TEST(asker_goes_away)
{
	struct recipient_ask *one = ask(0, "a@a.example"),
	    *two = ask(1, "b@a.example"), *none = NULL;

	asked_settle();
	recipients_cancel(&none);
	recipients_cancel(&one);
	ck_assert_ptr_null(one);
	answer_of(0, ADDR_ACCOUNT, 1);
	answer_of(1, ADDR_ACCOUNT, 1);
	ck_assert_str_eq(called(), "1 0 71 1 the@one.example");
	/* What came is remembered all the same. */
	ck_assert_ptr_null(ask(2, "a@a.example"));
	ck_assert_str_eq(called(), "2 0 70 0 the@one.example");
	(void)two;
	two = ask(3, "c@a.example");
	asked_settle();
	recipients_cancel(&two);
	asked_lose(ROLE_DIRECTORY);
	ck_assert_str_eq(called(), "");
}
END_TEST

START_TEST(directory_away)
{
	asked_lose(ROLE_DIRECTORY);
	ck_assert_ptr_null(ask(0, "a@a.example"));
	ck_assert_str_eq(called(), "0 7 0 0 ");
	asked_bring(ROLE_DIRECTORY);
	ck_assert_ptr_nonnull(ask(1, "a@a.example"));
	ck_assert_ptr_nonnull(ask(2, "b@a.example"));
	asked_settle();
	asked_lose(ROLE_DIRECTORY);
	ck_assert_str_eq(called(), "1 7 0 0 ; 2 7 0 0 ");
	ck_assert_uint_eq(recipients_cached(), 0);
}
END_TEST

START_TEST(silent_directory)
{
	ck_assert_ptr_nonnull(ask(0, "a@a.example"));
	asked_pass(9000);
	ck_assert_str_eq(called(), "");
	asked_pass(1000);
	ck_assert_str_eq(called(), "0 7 0 0 ");
	answer_of(0, ADDR_ACCOUNT, 1);
	ck_assert_str_eq(called(), "");
}
END_TEST

/* ---- the tables change ---- */

static void
on_heard(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)m;
	(void)fd;
	*(bool *)arg = type == IPC_GENERATION_OK;
}

static void
tell_generation(uint64_t generation)
{
	bool is_heard = false;

	(void)ipc_ask(asked_end(ROLE_DIRECTORY), GENERATION, -1, 0, on_heard,
	    &is_heard, .generation = generation);
	asked_settle();
	ck_assert(is_heard);
}

START_TEST(generation_forgets)
{
	ck_assert_ptr_nonnull(ask(0, "a@a.example"));
	ck_assert_ptr_nonnull(ask(1, "b@a.example"));
	asked_settle();
	answer_of(0, ADDR_UNKNOWN, 1);
	ck_assert_str_eq(called(), "0 4 70 0 the@one.example");
	tell_generation(2);
	ck_assert_uint_eq(recipients_cached(), 0);
	ck_assert_ptr_nonnull(ask(2, "a@a.example"));
	asked_settle();
	answer_of(2, ADDR_ACCOUNT, 2);
	ck_assert_str_eq(called(), "2 0 72 0 the@one.example");
	/* Read from the tables of before: told, not kept. */
	answer_of(1, ADDR_UNKNOWN, 1);
	ck_assert_str_eq(called(), "1 4 71 1 the@one.example");
	ck_assert_uint_eq(recipients_cached(), 1);
	/* A new directory counts from the beginning. */
	recipients_forget();
	ck_assert_uint_eq(recipients_cached(), 0);
	ck_assert_ptr_nonnull(ask(3, "b@a.example"));
	asked_settle();
	answer_of(3, ADDR_ACCOUNT, 1);
	ck_assert_str_eq(called(), "3 0 73 1 the@one.example");
	ck_assert_uint_eq(recipients_cached(), 1);
}
END_TEST

START_TEST(memory_is_bounded)
{
	char address[40];
	unsigned i;

	for (i = 0; i < 10500; i++) {
		(void)snprintf(address, sizeof address, "u%u@a.example", i);
		ck_assert_ptr_nonnull(ask(0, address));
		if (i % 100 == 99)
			asked_settle();
		if (i % 100 == 99) {
			unsigned k;

			for (k = i - 99; k <= i; k++)
				answer_of(k, ADDR_ACCOUNT, 1);
			(void)called();
			(void)asked_told();
		}
		ck_assert_uint_le(recipients_cached(), 10000);
	}
	ck_assert_uint_eq(recipients_cached(), 500);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, asked_and_remembered, 0,
	    sizeof kinds / sizeof *kinds);
	tcase_add_test(tc, no_kind_that_there_is);
	tcase_add_test(tc, several_at_once);
	tcase_add_test(tc, asker_goes_away);
	tcase_add_test(tc, directory_away);
	tcase_add_test(tc, silent_directory);
	tcase_add_test(tc, generation_forgets);
	tcase_add_test(tc, memory_is_bounded);
}

UNIT_SUITE(recipients, tcase_add_checked_fixture(tc, setup, NULL);
	add_tests(tc);)
