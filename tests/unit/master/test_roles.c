/* SPDX-License-Identifier: ISC */
/* The privilege table against the message table: no channel without a message,
 * no message without a channel, and what must never be. */
#include "master/roles.h"

#include "conf/conf_sections.h"
#include "conf/conf_server.h"
#include "master/child.h"
#include "sys/daemon.h"
#include "sys/ipc.h"
#include "sys/sandbox.h"
#include "tests/unit/unit.h"

/* Do these two have anything to say to each other? */
static bool
have_messages(enum role_id a, enum role_id b)
{
	int t;

	for (t = 0; t < IPC_TYPE_COUNT; t++)
		if (((ipc_info[t].from & 1U << a) != 0 &&
			(ipc_info[t].to & 1U << b) != 0) ||
		    ((ipc_info[t].from & 1U << b) != 0 &&
			(ipc_info[t].to & 1U << a) != 0))
			return true;
	return false;
}

static bool
is_peer(const struct role_row *a, const struct role_row *b)
{
	unsigned bit = 1U << b->id;

	return (a->peers & bit) != 0;
}

START_TEST(no_channel_without_a_message)
{
	size_t i, k;
	bool linked;

	for (i = 0; i < n_roles; i++) {
		for (k = 0; k < n_roles; k++) {
			if (i == k)
				continue;
			linked = is_peer(&roles[i], &roles[k]);
			ck_assert_msg(linked == is_peer(&roles[k], &roles[i]),
			    "%s and %s disagree", role_name(roles[i].id),
			    role_name(roles[k].id));
			ck_assert_msg(!linked ||
			    have_messages(roles[i].id, roles[k].id),
			    "%s and %s have nothing to say",
			    role_name(roles[i].id), role_name(roles[k].id));
		}
	}
}
END_TEST

/* Whom can this role reach: by the table, and by who is introduced at run
 * time (master to all, the broker's owners to who asks for them). */
static unsigned
reach(enum role_id id)
{
	const struct role_row *row = role_row(id);
	unsigned set = row == NULL ? 0 : row->peers;

	if (id == ROLE_MASTER)
		return RS_CHILDREN | RS_CONTROL;
	if (id == ROLE_CONTROL)
		return RS_MASTER;
	if (id == ROLE_OWNER)
		return RS_BROKER | RS_DELIVERERS | RS_ACCESS;
	if (((RS_BROKER | RS_DELIVERERS | RS_ACCESS) & 1U << id) != 0)
		set |= RS_OWNER;
	return set | RS_MASTER;
}

/* Each sender of a message has somebody to send it to, each receiver somebody
 * to have it from. */
START_TEST(no_message_without_a_channel)
{
	const struct ipc_info *m = &ipc_info[_i];
	unsigned id;

	for (id = 0; id < ROLE_COUNT; id++) {
		if ((m->from & 1U << id) != 0)
			ck_assert_msg((reach((enum role_id)id) & m->to) != 0,
			    "%s: %s reaches no receiver", m->name,
			    role_name((enum role_id)id));
		if ((m->to & 1U << id) != 0)
			ck_assert_msg((reach((enum role_id)id) & m->from) != 0,
			    "%s: %s reaches no sender", m->name,
			    role_name((enum role_id)id));
	}
}
END_TEST

START_TEST(every_role_has_a_row)
{
	unsigned have = 0;
	size_t i;

	for (i = 0; i < n_roles; i++)
		have |= 1U << roles[i].id;
	ck_assert_uint_eq(have, RS_CHILDREN);
}
END_TEST

/* What no change may give up. */
START_TEST(promises)
{
	const struct role_row *r = &roles[_i];
	bool front = (RS_FRONTS & 1U << r->id) != 0;

	if (front) {
		ck_assert_ptr_null(r->folder);
		ck_assert_uint_eq(r->sandbox, SANDBOX_ACCEPT);
	}
	/* Who may open files has no network, and the other way round. */
	if ((r->sandbox & (SANDBOX_ACCEPT | SANDBOX_CONNECT)) != 0)
		ck_assert_uint_eq(r->sandbox &
		    (SANDBOX_FILES | SANDBOX_SPAWN | SANDBOX_HOMES), 0);
	/* Only broker and template are root, with few capabilities. */
	ck_assert_int_eq(r->user == NULL,
	    r->id == ROLE_BROKER || r->id == ROLE_TEMPLATE);
	ck_assert_int_eq(r->caps != 0, r->user == NULL);
	/* A folder is for one role alone. */
	if (r->folder != NULL)
		ck_assert_uint_ne(r->sandbox & SANDBOX_FILES, 0);
	ck_assert_uint_eq(r->peers & (RS_MASTER | RS_CONTROL | RS_OWNER), 0);
}
END_TEST

static unsigned
most_of(const struct role_row *r)
{
	return r->many ? CONF_PROCESSES_MAX : 1;
}

/* As many processes as may be configured: there is room for all of them, and
 * for all their links. */
START_TEST(tables_have_room)
{
	unsigned all = 0, links;
	size_t i, k;

	for (i = 0; i < n_roles; i++) {
		all += most_of(&roles[i]);
		links = 0;
		for (k = 0; k < n_roles; k++)
			if (is_peer(&roles[i], &roles[k]))
				links += most_of(&roles[k]);
		ck_assert_msg(links <= DAEMON_PEERS_MAX, "%s has %u links",
		    role_name(roles[i].id), links);
	}
	ck_assert_uint_le(all, CHILD_COUNT_MAX);
}
END_TEST

UNIT_SUITE(roles, {
	tcase_add_test(tc, tables_have_room);
	tcase_add_test(tc, no_channel_without_a_message);
	tcase_add_loop_test(tc, no_message_without_a_channel, 0,
	    IPC_TYPE_COUNT);
	tcase_add_test(tc, every_role_has_a_row);
	tcase_add_loop_test(tc, promises, 0, (int)n_roles);
})
