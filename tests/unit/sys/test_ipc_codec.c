/* SPDX-License-Identifier: ISC */
/* Every message of the table: there and back, cut at every length, and what
 * the table itself promises. */
#include "sys/ipc.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static const char text[] = "some\0bytes\nwith everything";

#define FILL_u8(x) ((x) = 0xa5)
#define FILL_u16(x) ((x) = 0xa5c3)
#define FILL_u32(x) ((x) = 0xdeadbeef)
#define FILL_u64(x) ((x) = 0x0123456789abcdefULL)
#define FILL_i64(x) ((x) = -42)
#define FILL_str(x) ((x) = (struct slice){ text, sizeof text - 1 })
#define SAME_int(a, b) ck_assert((a) == (b))
#define SAME_u8 SAME_int
#define SAME_u16 SAME_int
#define SAME_u32 SAME_int
#define SAME_u64 SAME_int
#define SAME_i64 SAME_int
#define SAME_str(a, b) ck_slice_eq(a, b)
#define FILL(N, type, name) FILL_##type(m.N.name);
#define SAME(N, type, name) SAME_##type(got.N.name, m.N.name);

static void
cut_everywhere(struct slice bytes, const char *name)
{
	union ipc_any got;
	size_t n;

	for (n = 0; n < bytes.n; n++)
		ck_assert_msg(ipc_decode(guard_copy(slice_head(bytes, n)),
				  &got) < 0, "%s cut at %zu", name, n);
}

START_TEST(round_trip)
{
	static union ipc_any m, got;
	struct buf b;

	buf_init(&b, IPC_MESSAGE_MAX);
#define M(name_, class, kind, from, to, fd, fields) \
	if (_i == IPC_##name_) { \
		fields(FILL, name_) \
		ipc_encode(&b, IPC_##name_, &m); \
		ck_assert_int_eq(ipc_decode(guard_copy(buf_slice(&b)), \
				     &got), IPC_##name_); \
		fields(SAME, name_) \
	}
	IPC_MESSAGES(M)
#undef M
	cut_everywhere(buf_slice(&b), ipc_info[_i].name);
	buf_add_char(&b, 0);
	ck_assert_msg(ipc_decode(buf_slice(&b), &got) < 0, "%s with a byte "
	    "too many", ipc_info[_i].name);
	buf_fini(&b);
}
END_TEST

START_TEST(unknown_types)
{
	uint16_t type = IPC_TYPE_COUNT;
	union ipc_any got;

	ck_assert_int_lt(ipc_decode((struct slice){ (char *)&type, 2 }, &got),
	    0);
	type = 0xffff;
	ck_assert_int_lt(ipc_decode((struct slice){ (char *)&type, 2 }, &got),
	    0);
	ck_assert_int_lt(ipc_decode(SLICE_NONE, &got), 0);
}
END_TEST

/* What answers goes the other way, in the same class. */
static void
check_answer(const struct ipc_info *answer, const struct ipc_info *ask)
{
	ck_assert_msg(ask->kind == IPC_ASK, "%s asks nothing", ask->name);
	ck_assert_msg(answer->class == ask->class &&
	    (answer->from & ask->to) != 0 && (answer->to & ask->from) != 0,
	    "%s cannot answer %s", answer->name, ask->name);
}

/* Every ASK has an ANSWER from whoever may be asked to whoever may ask; every
 * ANSWER and PART belongs to an ASK, and nothing else does. */
START_TEST(questions_have_answers)
{
	unsigned from, to;
	bool found;
	int i, k;

	for (i = 0; i < IPC_TYPE_COUNT; i++) {
		from = to = 0;
		found = false;
		for (k = 0; k < IPC_TYPE_COUNT; k++) {
			if (ipc_is_answer((enum ipc_type)k, (enum ipc_type)i) &&
			    ipc_info[k].kind == IPC_ANSWER) {
				from |= ipc_info[k].from;
				to |= ipc_info[k].to;
			}
			if (!ipc_is_answer((enum ipc_type)i, (enum ipc_type)k))
				continue;
			found = true;
			check_answer(&ipc_info[i], &ipc_info[k]);
		}
		if (ipc_info[i].kind == IPC_ASK)
			ck_assert_msg((ipc_info[i].to & ~from) == 0 &&
			    (ipc_info[i].from & ~to) == 0,
			    "%s has no answer", ipc_info[i].name);
		ck_assert_msg(found == (ipc_info[i].kind == IPC_ANSWER ||
					   ipc_info[i].kind == IPC_PART),
		    "%s answers %s", ipc_info[i].name,
		    found ? "though it should not" : "nothing");
	}
}
END_TEST

static bool
reaches(unsigned from, unsigned to, unsigned depth)
{
	unsigned waits = ipc_class_waits((enum ipc_class)from), c;

	if ((waits & 1U << to) != 0)
		return true;
	for (c = 0; c < IPC_CLASS_COUNT && depth > 0; c++)
		if ((waits & 1U << c) != 0 && reaches(c, to, depth - 1))
			return true;
	return false;
}

/* No class waits for itself by way of others: nobody waits for ever. */
START_TEST(waits_have_no_cycle)
{
	unsigned c, d;

	for (c = 0; c < IPC_CLASS_COUNT; c++) {
		printf("%s waits for:", ipc_class_name((enum ipc_class)c));
		for (d = 0; d < IPC_CLASS_COUNT; d++)
			if ((ipc_class_waits((enum ipc_class)c) & 1U << d) != 0)
				printf(" %s",
				    ipc_class_name((enum ipc_class)d));
		printf("\n");
		ck_assert_msg(!reaches(c, c, IPC_CLASS_COUNT),
		    "%s waits for itself", ipc_class_name((enum ipc_class)c));
	}
}
END_TEST

UNIT_SUITE(ipc_codec, {
	tcase_add_loop_test(tc, round_trip, 0, IPC_TYPE_COUNT);
	tcase_add_test(tc, unknown_types);
	tcase_add_test(tc, questions_have_answers);
	tcase_add_test(tc, waits_have_no_cycle);
})
