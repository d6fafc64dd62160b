/* SPDX-License-Identifier: ISC */
/* The counting of clients with a `state` that is slow, late, or gone: what it
 * counted must come back to it, once. */
#include "session/front.h"

#include "sys/loop.h"
#include "tests/unit/session/links.h"
#include "tests/unit/unit.h"

static uint64_t asked;
static unsigned closed, checked;
static bool was_allowed;
static struct front_client client;

static void
on_client_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	ck_assert(slice_eq_str(m->CLIENT_OPEN.key, "k"));
	ck_assert_uint_eq(m->CLIENT_OPEN.limit, 7);
	asked = m->req;
}

static void
on_client_close(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	ck_assert(slice_eq_str(m->CLIENT_CLOSE.key, "k"));
	closed++;
}

static const struct ipc_handlers state = { .by_type = {
	[IPC_CLIENT_OPEN] = on_client_open,
	[IPC_CLIENT_CLOSE] = on_client_close,
} };

static void
answer(bool allowed)
{
	ck_assert_uint_ne(asked, 0);
	ipc_send(links.of_peer, CLIENT_ANSWER, -1, .req = asked,
	    .allowed = allowed, .count = 1);
	links_run();
}

static void
on_checked(struct front_client *c, bool is_allowed)
{
	ck_assert_ptr_eq(c, &client);
	checked++;
	was_allowed = is_allowed;
}

static void
begin(void)
{
	static const struct front_role role = { .id = ROLE_SMTPD };

	links_up(ROLE_SMTPD, ROLE_STATE, &state);
	front_init(links.loop, &role);
	front_open(&client, "smtp", -1);
	client.key[0] = 'k';
	client.key[1] = 0;
	front_check(&client, 7, on_checked);
	links_run();
	ck_assert_uint_eq(checked, 0);
}

/* What the client is told, and what comes back to state when it is gone. */
static void
expect(unsigned n_checked, bool is_allowed, unsigned n_closed)
{
	links_run();
	ck_assert_uint_eq(checked, n_checked);
	ck_assert_int_eq(was_allowed, is_allowed);
	ck_assert_uint_eq(closed, n_closed);
}

START_TEST(counted)
{
	begin();
	answer(true);
	expect(1, true, 0);
	links_wait(10000);
	front_done(&client);
	expect(1, true, 1);
}
END_TEST

START_TEST(refused)
{
	begin();
	answer(false);
	expect(1, false, 0);
	front_done(&client);
	expect(1, false, 0);
}
END_TEST

START_TEST(slow)
{
	begin();
	links_wait(1999);
	expect(0, false, 0);
	links_wait(1);
	expect(1, true, 0);
	answer(true);
	expect(1, true, 0);
	front_done(&client);
	expect(1, true, 1);
}
END_TEST

START_TEST(slow_and_client_gone)
{
	begin();
	links_wait(5000);
	front_done(&client);
	expect(1, true, 0);
	answer(true);
	expect(1, true, 1);
}
END_TEST

START_TEST(slow_and_refused)
{
	begin();
	links_wait(5000);
	answer(false);
	front_done(&client);
	expect(1, true, 0);
}
END_TEST

START_TEST(client_gone_first)
{
	begin();
	front_done(&client);
	links_wait(5000);
	expect(0, false, 0);
	answer(true);
	expect(0, false, 1);
}
END_TEST

START_TEST(state_lost)
{
	begin();
	links_down();
	expect(1, true, 0);
	links_up(ROLE_SMTPD, ROLE_STATE, &state);
	links_wait(5000);
	front_done(&client);
	expect(1, true, 0);
}
END_TEST

/* The next one counts what it was told, not what its predecessor was. */
START_TEST(state_new)
{
	begin();
	answer(true);
	links_down();
	links_up(ROLE_SMTPD, ROLE_STATE, &state);
	front_done(&client);
	expect(1, true, 0);
}
END_TEST

/* Questions to one that does not read must not go on without end. */
START_TEST(state_deaf)
{
	static struct front_client many[5000];
	size_t i;

	begin();
	for (i = 0; i < 5000 && !ipc_is_full(links.to_peer); i++) {
		front_open(&many[i], "smtp", -1);
		front_check(&many[i], 7, on_checked);
		links_run_deaf();
	}
	ck_assert_uint_lt(i, 5000);
	ck_assert_uint_eq(checked, 0);
	front_done(&client);
	front_open(&client, "smtp", -1);
	front_check(&client, 7, on_checked);
	ck_assert_uint_eq(checked, 1);
	ck_assert(was_allowed);
}
END_TEST

UNIT_SUITE(front_count, {
	tcase_add_test(tc, counted);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, slow);
	tcase_add_test(tc, slow_and_client_gone);
	tcase_add_test(tc, slow_and_refused);
	tcase_add_test(tc, client_gone_first);
	tcase_add_test(tc, state_lost);
	tcase_add_test(tc, state_new);
	tcase_add_test(tc, state_deaf);
})
