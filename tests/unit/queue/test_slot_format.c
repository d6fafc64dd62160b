/* SPDX-License-Identifier: ISC */
#include "queue/slot_format.h"

#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "tests/unit/unit.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

static struct format_state
full_state(void)
{
	struct format_state st = {
		.generation = 0x1122334455667788, .sequence = 0x99,
		.id = 0xfedcba9876543210, .state = SPOOL_TRIED,
		.flags = SPOOL_DELAY_TOLD | SPOOL_ALONE, .attempts = 7,
		.crashes = 3, .n_rcpts = 1009, .next_s = 1700000000,
		.last_s = -5, .record_crc = 0xdeadbeef, .text_n = 190,
	};
	size_t i;

	memset(st.text, 'x', sizeof st.text);
	for (i = 0; i < sizeof st.marks; i++)
		st.marks[i] = (uint8_t)(i * 7 + 1);
	return st;
}

static struct slice
sector_of(const struct format_state *st)
{
	unsigned char sector[FORMAT_SECTOR];

	format_state_put(st, sector);
	return guard_copy((struct slice){ (char *)sector, sizeof sector });
}

/* A sector changed after sealing, sealed again: what another version of us
 * might have written. */
static void
reseal(char *sector)
{
	uint32_t crc = crc32c(0, sector, 508);
	int i;

	for (i = 0; i < 4; i++)
		sector[508 + i] = (char)(crc >> 8 * i);
}

START_TEST(state_fields)
{
	struct format_state want = full_state(), got;
	struct slice s = sector_of(&want);
	static const struct {
		int at, n;
		uint64_t value;
	} fields[] = {
		{ 0, 4, 0x74735156 }, { 4, 2, 1 }, { 6, 1, 2 }, { 7, 1, 9 },
		{ 8, 8, 0x1122334455667788 }, { 16, 8, 0x99 },
		{ 24, 8, 0xfedcba9876543210 }, { 32, 4, 7 }, { 36, 4, 1009 },
		{ 40, 8, 1700000000 }, { 48, 8, (uint64_t)-5 },
		{ 56, 4, 0xdeadbeef }, { 60, 4, 3 }, { 64, 2, 190 },
		{ 66, 1, 'x' }, { 255, 1, 'x' }, { 256, 1, 1 }, { 257, 1, 8 },
	};
	uint64_t v;
	int i, k;

	for (i = 0; i < N(fields); i++) {
		for (v = 0, k = fields[i].n; k-- > 0;)
			v = v << 8 | (unsigned char)s.p[fields[i].at + k];
		ck_assert_msg(v == fields[i].value, "offset %d: %llx",
		    fields[i].at, (unsigned long long)v);
	}
	ck_assert_int_eq(format_state_get(s, &got), FORMAT_VALID);
	ck_assert_int_eq(memcmp(&want, &got, sizeof got), 0);
}
END_TEST

START_TEST(state_cut)
{
	struct format_state st = full_state();
	struct slice s = sector_of(&st);
	size_t n;

	for (n = 0; n < s.n; n++)
		ck_assert_int_eq(format_state_get(
		    guard_copy(slice_head(s, n)), &st), FORMAT_BAD);
}
END_TEST

START_TEST(state_flipped)
{
	struct format_state st = full_state(), got;
	struct slice s = sector_of(&st);
	char *p = (char *)(uintptr_t)s.p;
	int bit;

	for (bit = 0; bit < FORMAT_SECTOR * 8; bit++) {
		p[bit / 8] ^= (char)(1 << bit % 8);
		ck_assert_int_eq(format_state_get(s, &got), FORMAT_BAD);
		p[bit / 8] ^= (char)(1 << bit % 8);
	}
	ck_assert_int_eq(format_state_get(s, &got), FORMAT_VALID);
}
END_TEST

static const struct {
	const char *name;
	int at;
	char value;
	enum format_sector want;
} altered[] = {
	{ "unchanged", 5, 0, FORMAT_VALID },
	{ "version 0", 4, 0, FORMAT_BAD },
	{ "version 2", 4, 2, FORMAT_NEWER },
	{ "version 257", 5, 1, FORMAT_NEWER },
	{ "other magic", 3, 'T', FORMAT_BAD },
	{ "state 4", 6, 4, FORMAT_BAD },
	{ "state held", 6, 3, FORMAT_VALID },
	{ "unknown flag", 7, 16, FORMAT_BAD },
	{ "text too long", 64, (char)191, FORMAT_BAD },
	{ "text far too long", 65, 1, FORMAT_BAD },
};

START_TEST(state_altered)
{
	struct format_state st = full_state(), got;
	struct slice s = sector_of(&st);
	char *p = (char *)(uintptr_t)s.p;

	p[altered[_i].at] = altered[_i].value;
	reseal(p);
	ck_assert_msg(format_state_get(s, &got) == altered[_i].want, "%s",
	    altered[_i].name);
}
END_TEST

/* What stands in one of the two sectors. */
enum { ZERO, BAD, NEWER, OLD, YOUNG, NEXT };

static void
fill(char *sector, int what)
{
	struct format_state st = full_state();

	memset(sector, 0, FORMAT_SECTOR);
	if (what == ZERO)
		return;
	st.generation = what == NEXT ? 6 : 5;
	st.sequence = what == YOUNG ? 9 : what == NEXT ? 0 : 8;
	format_state_put(&st, (unsigned char *)sector);
	if (what == BAD)
		sector[100] ^= 1;
	if (what == NEWER) {
		sector[4] = 2;
		reseal(sector);
	}
}

static const struct {
	int a, b;
	enum format_sector want;
	int at;
} picks[] = {
	{ ZERO, ZERO, FORMAT_ZERO, -1 },
	{ OLD, ZERO, FORMAT_VALID, 0 },
	{ ZERO, OLD, FORMAT_VALID, 1 },
	{ OLD, BAD, FORMAT_VALID, 0 },
	{ BAD, OLD, FORMAT_VALID, 1 },
	{ OLD, YOUNG, FORMAT_VALID, 1 },
	{ YOUNG, OLD, FORMAT_VALID, 0 },
	{ NEXT, YOUNG, FORMAT_VALID, 0 },
	{ YOUNG, NEXT, FORMAT_VALID, 1 },
	{ OLD, OLD, FORMAT_VALID, 0 },
	{ BAD, BAD, FORMAT_BAD, -1 },
	{ ZERO, BAD, FORMAT_BAD, -1 },
	{ BAD, ZERO, FORMAT_BAD, -1 },
	{ NEWER, OLD, FORMAT_NEWER, -1 },
	{ OLD, NEWER, FORMAT_NEWER, -1 },
	{ BAD, NEWER, FORMAT_NEWER, -1 },
};

START_TEST(state_pick)
{
	char both[2 * FORMAT_SECTOR];
	struct format_state st;
	struct slice s;
	unsigned at = 9;

	fill(both, picks[_i].a);
	fill(both + FORMAT_SECTOR, picks[_i].b);
	s = guard_copy((struct slice){ both, sizeof both });
	ck_assert_int_eq(format_state_pick(s, &at, &st), picks[_i].want);
	if (picks[_i].at >= 0)
		ck_assert_uint_eq(at, (unsigned)picks[_i].at);
	ck_assert_int_eq(format_state_pick(slice_head(s, s.n - 1), &at, &st),
	    FORMAT_BAD);
}
END_TEST

START_TEST(marks)
{
	struct format_state st = { 0 };
	uint32_t i;

	for (i = 0; i < FORMAT_MARKS; i++)
		format_mark_set(&st, i, (uint8_t)(i % 4));
	for (i = 0; i < FORMAT_MARKS; i++)
		ck_assert_uint_eq(format_mark_get(&st, i), i % 4);
	format_mark_set(&st, 5, SPOOL_EXPANDED);
	ck_assert_uint_eq(format_mark_get(&st, 4), 0);
	ck_assert_uint_eq(format_mark_get(&st, 5), SPOOL_EXPANDED);
	ck_assert_uint_eq(format_mark_get(&st, 6), 2);
}
END_TEST

/* ---- the record ---- */

static struct spool_rcpt rcpts[3] = {
	{ .address = SLICE("a@example.org"), .orcpt = SLICE("rfc822;x"),
	    .notify = 5 },
	{ .address = SLICE("b@example.org"), .notify = 0xff },
	{ .address = SLICE("\"c d\"@[192.0.2.1]") },
};
static struct spool_group groups[2] = {
	{ SLICE("list-a@example.net"), 0, 1 },
	{ SLICE(""), 1, 2 },
};
static const struct spool_envelope envelope = {
	.id = 0x1234567890abcdef, .account = 42, .arrival_us = -1,
	.deadline_s = 77, .hold_until_s = 88, .body_size = 5,
	.body_type = 2, .utf8 = 1, .ret = 2, .origin = 3, .priority = -9,
	.envid = SLICE("EN"), .session = SLICE("s1"), .client = SLICE("[::1]"),
	.groups = groups, .n_groups = 2, .rcpts = rcpts, .n_rcpts = 3,
	.n_first = 3,
};

static struct slice
record_of(const struct spool_envelope *e, struct buf *b)
{
	uint64_t size;

	buf_init(b, FORMAT_RECORD_MAX);
	ck_assert_int_eq(format_record_size(e, &size), 0);
	format_record_put(e, 9, false, 0, b);
	ck_assert_uint_eq(b->n, size);
	return guard_copy(buf_slice(b));
}

static void
check_same(const struct spool_envelope *e, const struct spool_envelope *want)
{
	uint32_t i;

	ck_assert(e->id == want->id && e->account == want->account &&
	    e->arrival_us == want->arrival_us &&
	    e->deadline_s == want->deadline_s &&
	    e->hold_until_s == want->hold_until_s &&
	    e->body_size == want->body_size &&
	    e->body_type == want->body_type && e->utf8 == want->utf8 &&
	    e->ret == want->ret && e->origin == want->origin &&
	    e->priority == want->priority);
	ck_slice_eq(e->envid, want->envid);
	ck_slice_eq(e->session, want->session);
	ck_slice_eq(e->client, want->client);
	ck_assert_uint_eq(e->n_groups, want->n_groups);
	ck_assert_uint_eq(e->n_first, want->n_first);
	ck_assert_uint_eq(e->n_rcpts, want->n_rcpts);
	for (i = 0; i < e->n_groups; i++) {
		ck_slice_eq(e->groups[i].sender, want->groups[i].sender);
		ck_assert_uint_eq(e->groups[i].first, want->groups[i].first);
		ck_assert_uint_eq(e->groups[i].n, want->groups[i].n);
	}
	for (i = 0; i < e->n_rcpts; i++) {
		ck_slice_eq(e->rcpts[i].address, want->rcpts[i].address);
		ck_slice_eq(e->rcpts[i].orcpt, want->rcpts[i].orcpt);
		ck_assert_uint_eq(e->rcpts[i].notify, want->rcpts[i].notify);
		ck_assert_uint_eq(e->rcpts[i].group, i == 0 ? 0 : 1);
	}
}

START_TEST(record_round)
{
	struct spool_envelope e;
	struct format_header h;
	struct region mem;
	struct slice s;
	struct buf b;

	region_init(&mem, 65536);
	s = record_of(&envelope, &b);
	ck_assert_int_eq(format_header_get(s, &h), 0);
	ck_assert_uint_eq(h.length, s.n + 5);
	ck_assert_uint_eq(h.generation, 9);
	ck_assert_uint_eq(h.body_outside, 0);
	ck_assert_int_eq(format_envelope_get(s, &h, &mem, &e), 0);
	check_same(&e, &envelope);
	region_fini(&mem);
	buf_fini(&b);
}
END_TEST

/* Offsets of FORMAT's table of the record, one distinct value in each. */
START_TEST(header_fields)
{
	static const struct {
		int at, n;
		uint64_t value;
	} fields[] = {
		{ 0, 4, 0x736d5156 }, { 4, 2, 1 }, { 6, 2, 160 }, { 8, 8, 9 },
		{ 16, 8, 0x1234567890abcdef }, { 40, 8, 5 },
		{ 48, 8, UINT64_MAX }, { 56, 8, 42 }, { 64, 8, 77 },
		{ 72, 8, 88 }, { 80, 1, 2 }, { 81, 1, 1 }, { 82, 1, 2 },
		{ 83, 1, 1 }, { 84, 1, 3 }, { 85, 1, 247 }, { 86, 2, 0 },
		{ 88, 4, 2 }, { 92, 4, 3 }, { 96, 4, 0xabcd1234 },
		{ 160, 2, 2 }, { 162, 1, 'E' },
	};
	struct format_header h;
	struct buf b;
	uint64_t v;
	int i, k;

	buf_init(&b, 4096);
	format_record_put(&envelope, 9, true, 0xabcd1234, &b);
	for (i = 0; i < N(fields); i++) {
		for (v = 0, k = fields[i].n; k-- > 0;)
			v = v << 8 | (unsigned char)b.p[fields[i].at + k];
		ck_assert_msg(v == fields[i].value, "offset %d: %llx",
		    fields[i].at, (unsigned long long)v);
	}
	ck_assert_int_eq(format_header_get(buf_slice(&b), &h), 0);
	ck_assert_uint_eq(h.length, b.n);
	ck_assert_uint_eq(h.body_crc, 0xabcd1234);
	buf_fini(&b);
}
END_TEST

START_TEST(record_cut)
{
	struct spool_envelope e;
	struct format_header h, less;
	struct region mem;
	struct slice s, cut;
	struct buf b;
	size_t n;

	region_init(&mem, 1 << 20);
	s = record_of(&envelope, &b);
	ck_assert_int_eq(format_header_get(s, &h), 0);
	for (n = 0; n < s.n; n++) {
		cut = guard_copy(slice_head(s, n));
		ck_assert_int_eq(format_header_get(cut, &less),
		    n < FORMAT_HEADER ? -1 : 0);
		ck_assert_int_eq(format_envelope_get(cut, &h, &mem, &e), -1);
		/* A header that says it is so short. */
		if (n < FORMAT_HEADER)
			continue;
		less.envelope_n = n - FORMAT_HEADER;
		ck_assert_int_eq(format_envelope_get(cut, &less, &mem, &e),
		    -1);
	}
	/* One byte too many is as wrong as one too few. */
	less = h;
	buf_add_char(&b, 0);
	less.envelope_n++;
	ck_assert_int_eq(format_envelope_get(guard_copy(buf_slice(&b)), &less,
	    &mem, &e), -1);
	region_fini(&mem);
	buf_fini(&b);
}
END_TEST

/* Any one bit: refused, or read without harm; never past the end. */
START_TEST(record_flipped)
{
	struct spool_envelope e;
	struct format_header h;
	struct region mem;
	struct slice s;
	struct buf b;
	size_t bit;
	char *p;

	s = record_of(&envelope, &b);
	p = (char *)(uintptr_t)s.p;
	for (bit = 0; bit < s.n * 8; bit++) {
		p[bit / 8] ^= (char)(1 << bit % 8);
		region_init(&mem, 65536);
		if (format_header_get(s, &h) == 0 &&
		    format_envelope_get(s, &h, &mem, &e) == 0)
			ck_assert_uint_eq(e.n_rcpts, h.n_rcpts);
		region_fini(&mem);
		p[bit / 8] ^= (char)(1 << bit % 8);
	}
	buf_fini(&b);
}
END_TEST

static const struct {
	const char *name;
	int at;
	char value;
} bad_headers[] = {
	{ "magic", 0, 'v' }, { "version 0", 4, 0 }, { "version 2", 4, 2 },
	{ "header length", 6, (char)161 }, { "length", 24, 1 },
	{ "length high", 31, 1 }, { "envelope", 32, 0 }, { "body", 40, 6 },
	{ "body huge", 47, (char)0xff }, { "body type", 80, 3 },
	{ "utf8", 81, 2 }, { "ret", 82, 3 }, { "place", 83, 2 },
	{ "origin", 84, 4 }, { "priority", 85, 10 },
	{ "priority low", 85, (char)246 },
};

START_TEST(header_bad)
{
	struct format_header h;
	struct slice s;
	struct buf b;

	s = record_of(&envelope, &b);
	((char *)(uintptr_t)s.p)[bad_headers[_i].at] = bad_headers[_i].value;
	ck_assert_msg(format_header_get(s, &h) == -1, "%s",
	    bad_headers[_i].name);
	buf_fini(&b);
}
END_TEST

static const struct {
	const char *name;
	struct spool_group groups[2];
	uint32_t n_groups, n_first;
	int want; /* 0 or an errno */
} covers[] = {
	{ "one", { { SLICE("s"), 0, 3 } }, 1, 3, 0 },
	{ "two", { { SLICE("s"), 0, 2 }, { SLICE("t"), 2, 1 } }, 2, 3, 0 },
	{ "none", { { SLICE("s"), 0, 3 } }, 0, 3, EINVAL },
	{ "no recipients", { { SLICE("s"), 0, 0 } }, 1, 0, EINVAL },
	{ "gap", { { SLICE("s"), 0, 1 }, { SLICE("t"), 2, 1 } }, 2, 3,
	    EINVAL },
	{ "overlap", { { SLICE("s"), 0, 2 }, { SLICE("t"), 1, 2 } }, 2, 3,
	    EINVAL },
	{ "short", { { SLICE("s"), 0, 2 } }, 1, 3, EINVAL },
	{ "long", { { SLICE("s"), 0, 4 } }, 1, 3, EINVAL },
	{ "wraps", { { SLICE("s"), 0, 2 }, { SLICE("t"), 2, UINT32_MAX } }, 2,
	    3, EINVAL },
	{ "empty group", { { SLICE("s"), 0, 3 }, { SLICE("t"), 3, 0 } }, 2, 3,
	    EINVAL },
};

START_TEST(groups_cover)
{
	struct spool_envelope e = envelope;
	struct spool_group g[2];
	uint64_t size;
	int got;

	memcpy(g, covers[_i].groups, sizeof g);
	e.groups = g;
	e.n_groups = covers[_i].n_groups;
	e.n_first = covers[_i].n_first;
	errno = 0;
	got = format_record_size(&e, &size);
	ck_assert_msg((got == 0 ? 0 : errno) == covers[_i].want, "%s: %d",
	    covers[_i].name, errno);
}
END_TEST

START_TEST(string_too_long)
{
	static char big[70000];
	struct spool_envelope e = envelope;
	uint64_t size;

	e.envid = (struct slice){ big, 65535 };
	ck_assert_int_eq(format_record_size(&e, &size), 0);
	e.envid.n++;
	ck_assert_int_eq(format_record_size(&e, &size), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	e = envelope;
	e.origin = 4;
	ck_assert_int_eq(format_record_size(&e, &size), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

/* A header that promises more than its bytes can hold takes no memory. */
START_TEST(huge_counts)
{
	struct spool_envelope e;
	struct format_header h;
	struct region mem;
	struct slice s;
	struct buf b;

	s = record_of(&envelope, &b);
	ck_assert_int_eq(format_header_get(s, &h), 0);
	region_init(&mem, SIZE_MAX / 2);
	h.n_rcpts = UINT32_MAX;
	ck_assert_int_eq(format_envelope_get(s, &h, &mem, &e), -1);
	h.n_rcpts = 3;
	h.n_groups = UINT32_MAX;
	ck_assert_int_eq(format_envelope_get(s, &h, &mem, &e), -1);
	ck_assert_uint_eq(mem.used, 0);
	region_fini(&mem);
	buf_fini(&b);
}
END_TEST

/* ---- the journal ---- */

/* A kind that no version has written yet. */
static void
add_note(struct buf *b)
{
	static const char rest[] = "\x10\0\0\0\x03\x02\0\0\0""4.4.1 later";
	uint32_t crc = crc32c(0, rest, sizeof rest - 1);
	int i;

	for (i = 0; i < 4; i++)
		buf_add_char(b, (char)(crc >> (8 * i)));
	buf_add(b, rest, sizeof rest - 1);
}

static struct slice
journal_of(struct buf *b)
{
	static const struct spool_rcpt targets[2] = {
		{ .address = SLICE("t1@example.org"), .orcpt = SLICE("o"),
		    .notify = 3, .kind = 2 },
		{ .address = SLICE("t2"), .kind = 1 },
	};

	buf_init(b, 4096);
	format_expansion_put(7, targets, 2, b);
	format_mark_put(1008, SPOOL_DONE, b);
	add_note(b);
	ck_assert(buf_is_ok(b));
	return guard_copy(buf_slice(b));
}

START_TEST(journal_round)
{
	struct format_journal j;
	struct spool_rcpt t;
	struct slice s;
	struct buf b;
	ssize_t n;

	s = journal_of(&b);
	n = format_journal_next(s, &j);
	ck_assert_int_gt(n, 0);
	ck_assert(j.kind == FORMAT_EXPANSION && j.rcpt == 7 && j.n == 2);
	ck_assert_int_eq(format_target_next(&j.targets, &t), 0);
	ck_slice_str(t.address, "t1@example.org");
	ck_slice_str(t.orcpt, "o");
	ck_assert(t.notify == 3 && t.kind == 2);
	ck_assert_int_eq(format_target_next(&j.targets, &t), 0);
	ck_slice_str(t.address, "t2");
	ck_assert_int_eq(format_target_next(&j.targets, &t), -1);
	s = slice_from(s, (size_t)n);
	n = format_journal_next(s, &j);
	ck_assert_int_gt(n, 0);
	ck_assert(j.kind == FORMAT_MARK && j.rcpt == 1008 &&
	    j.mark == SPOOL_DONE);
	s = slice_from(s, (size_t)n);
	n = format_journal_next(s, &j);
	ck_assert_int_eq(n, (ssize_t)s.n);
	ck_assert(j.kind == FORMAT_NOTE && j.rcpt == 2);
	ck_slice_str(j.text, "4.4.1 later");
	ck_assert_int_eq(format_journal_next(slice_from(s, s.n), &j), 0);
	buf_fini(&b);
}
END_TEST

/* Whole records before the cut, none after it. */
START_TEST(journal_cut)
{
	size_t ends[3], n, at, k, seen, want;
	struct format_journal j;
	struct slice s, cut;
	struct buf b;

	s = journal_of(&b);
	for (at = 0, k = 0; k < 3; k++)
		ends[k] = at +=
		    (size_t)format_journal_next(slice_from(s, at), &j);
	for (n = 0; n <= s.n; n++) {
		cut = guard_copy(slice_head(s, n));
		for (want = 0; want < 3 && ends[want] <= n;)
			want++;
		for (seen = 0, at = 0; format_journal_next(
		    slice_from(cut, at), &j) > 0; seen++)
			at = ends[seen];
		ck_assert_uint_eq(seen, want);
	}
	buf_fini(&b);
}
END_TEST

START_TEST(journal_flipped)
{
	struct format_journal j;
	struct slice s;
	struct buf b;
	size_t n, bit;
	char *p;

	s = journal_of(&b);
	p = (char *)(uintptr_t)s.p;
	n = (size_t)format_journal_next(s, &j);
	for (bit = 0; bit < n * 8; bit++) {
		p[bit / 8] ^= (char)(1 << bit % 8);
		ck_assert_int_le(format_journal_next(s, &j), 0);
		p[bit / 8] ^= (char)(1 << bit % 8);
	}
	buf_fini(&b);
}
END_TEST

START_TEST(journal_zeros)
{
	static const char zeros[64];
	struct format_journal j;
	size_t n;

	for (n = 0; n <= sizeof zeros; n++)
		ck_assert_int_le(format_journal_next(
		    guard_copy((struct slice){ zeros, n }), &j), 0);
}
END_TEST

/* ---- blocks in the tail ---- */

static const size_t block_sizes[] = { 1, 100, 487, 488, 489, 1000, 5000 };

START_TEST(block_round)
{
	static char bytes[5000];
	size_t n = block_sizes[_i], size = format_block_size(n), bit, step;
	struct slice s, got;
	struct buf b;
	char *p;

	memset(bytes, 'j', sizeof bytes);
	ck_assert_uint_eq(size % FORMAT_SECTOR, 0);
	ck_assert(size >= n + 24 && size < n + 24 + FORMAT_SECTOR);
	buf_init(&b, 8192);
	format_block_put((struct slice){ bytes, n }, 7, 3, &b);
	ck_assert_uint_eq(b.n, size);
	s = guard_copy(buf_slice(&b));
	ck_assert_uint_eq(format_block_next(s, 7, 3, &got), size);
	ck_slice_eq(got, ((struct slice){ bytes, n }));
	/* Of another use, or place. */
	ck_assert_uint_eq(format_block_next(s, 6, 3, &got), 0);
	ck_assert_uint_eq(format_block_next(s, 7, 2, &got), 0);
	for (bit = 0; bit < size; bit += FORMAT_SECTOR)
		ck_assert_uint_eq(format_block_next(guard_copy(slice_head(s,
		    bit)), 7, 3, &got), 0);
	p = (char *)(uintptr_t)s.p;
	step = n > 1000 ? 37 : 1;
	for (bit = 0; bit < (24 + n) * 8; bit += step) {
		p[bit / 8] ^= (char)(1 << bit % 8);
		ck_assert_uint_eq(format_block_next(s, 7, 3, &got), 0);
		p[bit / 8] ^= (char)(1 << bit % 8);
	}
	/* Without room nothing is written. */
	buf_fini(&b);
	buf_init(&b, size - 1);
	format_block_put((struct slice){ bytes, n }, 7, 3, &b);
	ck_assert(!buf_is_ok(&b) && b.n == 0);
	buf_fini(&b);
}
END_TEST

/* ---- ids ---- */

START_TEST(ids_round)
{
	struct format_ids want = { 7, 0x8877665544332211 }, got;
	unsigned char sector[FORMAT_SECTOR];
	struct slice s = { (char *)sector, sizeof sector };
	int bit;

	format_ids_put(&want, sector);
	ck_assert_int_eq(format_ids_get(s, &got), FORMAT_VALID);
	ck_assert(got.sequence == 7 && got.reserved == want.reserved);
	ck_assert_int_eq(sector[16], 0x11);
	for (bit = 0; bit < FORMAT_SECTOR * 8; bit++) {
		sector[bit / 8] ^= (unsigned char)(1 << bit % 8);
		ck_assert_int_eq(format_ids_get(s, &got), FORMAT_BAD);
		sector[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (bit = 0; bit < FORMAT_SECTOR; bit++)
		ck_assert_int_eq(format_ids_get(guard_copy(slice_head(s,
		    (size_t)bit)), &got), FORMAT_BAD);
}
END_TEST

UNIT_SUITE(slot_format, {
	tcase_add_test(tc, state_fields);
	tcase_add_test(tc, state_cut);
	tcase_add_test(tc, state_flipped);
	tcase_add_loop_test(tc, state_altered, 0, N(altered));
	tcase_add_loop_test(tc, state_pick, 0, N(picks));
	tcase_add_test(tc, marks);
	tcase_add_test(tc, record_round);
	tcase_add_test(tc, header_fields);
	tcase_add_test(tc, record_cut);
	tcase_add_test(tc, record_flipped);
	tcase_add_loop_test(tc, header_bad, 0, N(bad_headers));
	tcase_add_loop_test(tc, groups_cover, 0, N(covers));
	tcase_add_test(tc, string_too_long);
	tcase_add_test(tc, huge_counts);
	tcase_add_test(tc, journal_round);
	tcase_add_test(tc, journal_cut);
	tcase_add_test(tc, journal_flipped);
	tcase_add_test(tc, journal_zeros);
	tcase_add_loop_test(tc, block_round, 0, N(block_sizes));
	tcase_add_test(tc, ids_round);
})
