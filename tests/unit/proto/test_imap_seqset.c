/* SPDX-License-Identifier: ISC */
#include "proto/imap_seqset.h"

#include <stdlib.h>

#include "proto/limits.h"
#include "tests/unit/unit.h"

/* parsed: as the client wrote it; resolved: with max 10. NULL: malformed. */
static const struct {
	const char *in, *resolved;
	uint64_t count;
	uint32_t max;
} cases[] = {
	{ "1", "1", 1, 1 },
	{ "1:4", "1:4", 4, 4 },
	{ "4:1", "1:4", 4, 4 },
	{ "2,4:7,9,12:*", "2,4:7,9:12", 9, 12 },
	{ "*:4,5:7", "4:10", 7, 7 },
	{ "*", "10", 1, 0 },
	{ "3291:*", "10:3291", 3282, 3291 },
	{ "1,2,3", "1:3", 3, 3 },
	{ "3,2,1", "1:3", 3, 3 },
	{ "1:5,2:3", "1:5", 5, 5 },
	{ "9,7,5,3,1,1", "1,3,5,7,9", 5, 9 },
	{ "4294967295", "4294967295", 1, UINT32_MAX },
	{ "1:4294967295", "1:4294967295", UINT32_MAX, UINT32_MAX },
	{ "4294967295,4294967294,1", "1,4294967294:4294967295", 3, UINT32_MAX },
	{ "$", "$", 0, 0 },
	{ "", NULL, 0, 0 },
	{ "0", NULL, 0, 0 },
	{ "01", NULL, 0, 0 },
	{ "1:0", NULL, 0, 0 },
	{ "4294967296", NULL, 0, 0 },
	{ "1,", NULL, 0, 0 },
	{ ",1", NULL, 0, 0 },
	{ "1,,2", NULL, 0, 0 },
	{ "1:", NULL, 0, 0 },
	{ ":1", NULL, 0, 0 },
	{ "1:2:3", NULL, 0, 0 },
	{ "**", NULL, 0, 0 },
	{ "$,1", NULL, 0, 0 },
	{ "1,$", NULL, 0, 0 },
	{ "1 2", NULL, 0, 0 },
	{ "-1", NULL, 0, 0 },
};

static void
check_text(const struct imap_seqset *set, const char *want)
{
	struct buf out;

	buf_init(&out, 1000);
	imap_seqset_format(&out, set);
	ck_slice_str(buf_slice(&out), want);
	buf_fini(&out);
}

START_TEST(parse)
{
	struct slice in = guard_copy(slice_str(cases[_i].in));
	struct imap_seqset set;
	struct region region;

	region_init(&region, 10000);
	if (cases[_i].resolved == NULL) {
		ck_assert_msg(imap_seqset_parse(in, &region, &set) < 0, "%s",
		    cases[_i].in);
	} else {
		ck_assert_msg(imap_seqset_parse(in, &region, &set) == 0, "%s",
		    cases[_i].in);
		check_text(&set, cases[_i].in);
		ck_assert_uint_eq(imap_seqset_max(&set), cases[_i].max);
		imap_seqset_resolve(&set, 10);
		check_text(&set, cases[_i].resolved);
		ck_assert_uint_eq(imap_seqset_count(&set), cases[_i].count);
	}
	region_fini(&region);
}
END_TEST

START_TEST(star_in_empty_mailbox)
{
	struct imap_seqset set;
	struct region region;

	region_init(&region, 10000);
	ck_assert(imap_seqset_parse(SLICE("1:*,*,3"), &region, &set) == 0);
	ck_assert(set.has_star);
	imap_seqset_resolve(&set, 0);
	check_text(&set, "3");
	region_fini(&region);
}
END_TEST

START_TEST(walk_and_clip)
{
	static const uint32_t want[] = { 2, 3, 4, 9, 4294967295U };
	struct imap_seq_iter it;
	struct imap_seqset set;
	struct region region;
	uint32_t v;
	size_t i;

	region_init(&region, 10000);
	ck_assert(imap_seqset_parse(SLICE("9,4294967295,2:4"), &region, &set) ==
	    0);
	imap_seqset_resolve(&set, 1);
	imap_seq_iter_init(&it, &set);
	for (i = 0; i < 5; i++) {
		ck_assert(imap_seq_iter_next(&it, &v));
		ck_assert_uint_eq(v, want[i]);
		ck_assert(imap_seqset_has(&set, v));
	}
	ck_assert(!imap_seq_iter_next(&it, &v));
	ck_assert(!imap_seq_iter_next(&it, &v));
	ck_assert(!imap_seqset_has(&set, 1));
	ck_assert(!imap_seqset_has(&set, 5));
	imap_seqset_clip(&set, 3, 100);
	check_text(&set, "3:4,9");
	imap_seqset_clip(&set, 5, 8);
	imap_seq_iter_init(&it, &set);
	ck_assert(!imap_seq_iter_next(&it, &v));
	region_fini(&region);
}
END_TEST

START_TEST(too_many_ranges)
{
	struct imap_seqset set;
	struct region region;
	struct buf in;
	int i;

	region_init(&region, 1 << 20);
	buf_init(&in, 1 << 20);
	for (i = 0; i < LIMIT_IMAP_RANGES; i++)
		buf_addf(&in, "%s%d", i > 0 ? "," : "",
		    (i * 7919) % LIMIT_IMAP_RANGES + 1);
	ck_assert(imap_seqset_parse(buf_slice(&in), &region, &set) == 0);
	imap_seqset_resolve(&set, 1);
	check_text(&set, "1:16384");
	buf_add_str(&in, ",1");
	ck_assert(imap_seqset_parse(buf_slice(&in), &region, &set) < 0);
	ck_assert(!region.failed);
	buf_fini(&in);
	region_fini(&region);
}
END_TEST

START_TEST(no_room)
{
	struct imap_seqset set;
	struct region region;

	region_init(&region, 16);
	ck_assert(imap_seqset_parse(SLICE("1,2,3,4,5"), &region, &set) < 0);
	ck_assert(region.failed);
	region_fini(&region);
}
END_TEST

START_TEST(writer_keeps_order)
{
	static const uint32_t in[] = { 1, 2, 3, 5, 4, 6, 7, 4294967295U, 1 };
	struct imap_seq_writer w;
	struct buf out;
	size_t i;

	buf_init(&out, 1000);
	imap_seq_writer_init(&w, &out);
	imap_seq_writer_end(&w);
	ck_slice_str(buf_slice(&out), "");
	for (i = 0; i < sizeof in / sizeof *in; i++)
		imap_seq_writer_add(&w, in[i]);
	imap_seq_writer_end(&w);
	ck_slice_str(buf_slice(&out), "1:3,5,4,6:7,4294967295,1");
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(imap_seqset, {
	tcase_add_loop_test(tc, parse, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, star_in_empty_mailbox);
	tcase_add_test(tc, walk_and_clip);
	tcase_add_test(tc, too_many_ranges);
	tcase_add_test(tc, no_room);
	tcase_add_test(tc, writer_keeps_order);
})
