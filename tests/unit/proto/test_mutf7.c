/* SPDX-License-Identifier: ISC */
#include "proto/mutf7.h"

#include "tests/unit/unit.h"

static const struct {
	const char *utf8, *mutf7;
} both[] = {
	{ "", "" },
	{ "INBOX/a b", "INBOX/a b" },
	{ "&", "&-" },
	{ "a&b&&", "a&-b&-&-" },
	{ "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8"
	  "\xaa\x9e", "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
	{ "\xe2\x98\xba!", "&Jjo-!" },
	{ "Entw\xc3\xbcrfe", "Entw&APw-rfe" },
	{ "\xc3\xa4&", "&AOQ-&-" },
	{ "&\xc3\xa4", "&-&AOQ-" },
	{ "\xf0\x9f\x98\x80", "&2D3eAA-" },
	{ "a\xf4\x8f\xbf\xbf" "b", "a&2,,f,w-b" },
	{ "\t", "&AAk-" },
	{ "\x7f", "&AH8-" },
};

static const char *const bad[] = {
	"&", "a&", "&Jjo", "&Jjo!", "&U,BTFw-&ZeVnLIqe-", /* RFC 3501 5.1.3 */
	"&AGE-",    /* "a" in base 64 */
	"&ACY-",    /* "&" */
	"&Jjp-",    /* bits left over are not zero */
	"&JjoA-",   /* six zero bits too many */
	"&J-",      /* less than a unit */
	"&2D0-",    /* high surrogate alone */
	"&3gA-",    /* low surrogate alone */
	"&2D0AYQ-", /* high one, then no low one */
	"&Jj/-",    /* the other alphabet */
	"&Jjo=-", "\xc3\xa4", "a\tb", "\x7f",
};

START_TEST(both_ways)
{
	struct slice utf8 = guard_copy(slice_str(both[_i].utf8));
	struct slice mutf7 = guard_copy(slice_str(both[_i].mutf7));
	struct buf out;
	size_t k;

	buf_init(&out, 1000);
	ck_assert(mutf7_encode(&out, utf8) == 0);
	ck_slice_eq(buf_slice(&out), mutf7);
	buf_reset(&out);
	ck_assert(mutf7_decode(&out, mutf7) == 0);
	ck_slice_eq(buf_slice(&out), utf8);
	for (k = 0; k < mutf7.n; k++) {
		struct slice cut = guard_copy(slice_head(mutf7, k));
		struct buf again;

		buf_init(&again, 1000);
		buf_reset(&out);
		if (mutf7_decode(&out, cut) == 0) {
			ck_assert(mutf7_encode(&again, buf_slice(&out)) == 0);
			ck_slice_eq(buf_slice(&again), cut);
		}
		buf_fini(&again);
	}
	for (k = 0; k < utf8.n; k++) {
		buf_reset(&out);
		(void)!mutf7_encode(&out, guard_copy(slice_head(utf8, k)));
	}
	buf_fini(&out);
}
END_TEST

START_TEST(malformed)
{
	struct buf out;

	buf_init(&out, 1000);
	ck_assert_msg(mutf7_decode(&out, guard_copy(slice_str(bad[_i]))) < 0,
	    "%s", bad[_i]);
	buf_fini(&out);
}
END_TEST

START_TEST(not_utf8_and_no_room)
{
	struct buf out;

	buf_init(&out, 4);
	ck_assert(mutf7_encode(&out, SLICE("\xe4")) < 0);
	ck_assert(mutf7_encode(&out, SLICE("\xc3\xa4")) < 0);
	ck_assert(!buf_is_ok(&out));
	buf_reset(&out);
	ck_assert(mutf7_decode(&out, SLICE("abcde")) < 0);
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(mutf7, {
	tcase_add_loop_test(tc, both_ways, 0, sizeof both / sizeof *both);
	tcase_add_loop_test(tc, malformed, 0, sizeof bad / sizeof *bad);
	tcase_add_test(tc, not_utf8_and_no_room);
})
