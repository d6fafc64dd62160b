/* SPDX-License-Identifier: ISC */
#include "mda/rows.h"

#include <string.h>

#include "tests/unit/unit.h"

/* Each row as bytes; must be refused when cut or longer, and read back. */
typedef int decode(struct slice v);

static int
get_version(struct slice v)
{
	struct row_version r;

	if (row_get_version(v, &r) < 0)
		return -1;
	ck_assert_uint_eq(r.version, 1ULL << 40);
	ck_assert_uint_eq(r.uidvalidity, 7);
	ck_assert_uint_eq(r.next_mailbox, UINT32_MAX);
	return 0;
}

static int
get_mailbox(struct slice v)
{
	struct row_mailbox r;

	if (row_get_mailbox(v, &r) < 0)
		return -1;
	ck_slice_str(r.name, "Lists/c");
	ck_slice_str(r.folder, ".Lists.c");
	ck_assert_uint_eq(r.uidvalidity, 1);
	ck_assert_uint_eq(r.uidnext, 2);
	ck_assert_uint_eq(r.attrs, 3);
	ck_assert_uint_eq(r.recent_from, 4);
	ck_assert_uint_eq(r.messages, 50);
	ck_assert_uint_eq(r.unseen, 6);
	ck_assert_uint_eq(r.deleted, 7);
	ck_assert_uint_eq(r.recent, 8);
	ck_assert_uint_eq(r.size, 900);
	ck_assert_uint_eq(r.deleted_size, 10);
	ck_assert_uint_eq(r.highest_modseq, 11);
	ck_assert_uint_eq(r.stamp, 12);
	ck_assert_int_eq(r.scanned, -13);
	ck_assert_uint_eq(r.expunge_floor, 14);
	ck_assert_uint_eq(r.list_reserved, 15);
	ck_assert_uint_eq(r.list_lines, 16);
	ck_assert(r.behind);
	return 0;
}

static int
get_message(struct slice v)
{
	struct row_message r;

	if (row_get_message(v, &r) < 0)
		return -1;
	ck_assert_uint_eq(r.modseq, 1);
	ck_assert_uint_eq(r.keywords, 2);
	ck_assert_uint_eq(r.size, 3);
	ck_assert_int_eq(r.internaldate, -4);
	ck_assert_int_eq(r.savedate, 5);
	ck_assert_uint_eq(r.flags, 6);
	ck_assert_mem_eq(r.email_id, "0123456789abcdef", 16);
	return 0;
}

static int
get_file(struct slice v)
{
	struct row_file r;

	if (row_get_file(v, &r) < 0)
		return -1;
	ck_slice_str(r.id, "1.a,S=2");
	ck_assert_uint_eq(r.place, 2);
	ck_assert_uint_eq(r.letters, 0xffffffff);
	ck_assert_int_eq(r.named_ms, 5);
	ck_assert_uint_eq(r.stored, 6);
	return 0;
}

static int
get_cache(struct slice v)
{
	struct row_cache r;

	if (row_get_cache(v, &r) < 0)
		return -1;
	ck_assert_uint_eq(r.header, 99);
	ck_slice_str(r.envelope, "(NIL)");
	ck_assert_ptr_null(r.body.p);
	ck_assert_ptr_nonnull(r.bodystructure.p);
	ck_assert_uint_eq(r.bodystructure.n, 0);
	return 0;
}

static int
get_work(struct slice v)
{
	struct row_work r;

	if (row_get_work(v, &r) < 0)
		return -1;
	ck_assert_int_eq(r.kind, ROW_WORK_RENAME);
	ck_slice_str(r.from, ".a");
	ck_slice_str(r.to, ".b");
	return 0;
}

static int
get_delivery(struct slice v)
{
	struct row_delivery r;

	if (row_get_delivery(v, &r) < 0)
		return -1;
	ck_assert_int_eq(r.arrived, 1);
	ck_assert_uint_eq(r.mailbox, 2);
	ck_assert_uint_eq(r.uid, 3);
	return 0;
}

static int
get_totals(struct slice v)
{
	struct row_totals r;

	if (row_get_totals(v, &r) < 0)
		return -1;
	ck_assert_uint_eq(r.bytes, 1);
	ck_assert_uint_eq(r.messages, 2);
	return 0;
}

static int
get_expunged(struct slice v)
{
	uint32_t last;

	if (row_get_expunged(v, &last) < 0)
		return -1;
	ck_assert_uint_eq(last, 77);
	return 0;
}

static int
get_account(struct slice v)
{
	uint8_t id[ROW_OBJECT_ID];

	if (row_get_account(v, id) < 0)
		return -1;
	ck_assert_mem_eq(id, "0123456789abcdef", 16);
	return 0;
}

static void
try(const struct buf *b, decode *get)
{
	struct slice whole = guard_copy(buf_slice(b));
	char longer[512];
	size_t n;

	ck_assert_int_eq(get(whole), 0);
	for (n = 0; n < whole.n; n++)
		ck_assert_int_eq(get(guard_copy(slice_head(whole, n))), -1);
	ck_assert_uint_lt(whole.n, sizeof longer);
	memcpy(longer, whole.p, whole.n);
	longer[whole.n] = 0;
	ck_assert_int_eq(get((struct slice){ longer, whole.n + 1 }), -1);
	longer[0]++;
	ck_assert_int_eq(get((struct slice){ longer, whole.n }), -1);
}

#define TRY(put, row, get) \
	do { \
		struct buf b_; \
		buf_init(&b_, 4096); \
		put(&b_, row); \
		try(&b_, get); \
		buf_fini(&b_); \
	} while (0)

START_TEST(values)
{
	TRY(row_put_version, (&(struct row_version){ 1ULL << 40, 7,
		UINT32_MAX }), get_version);
	TRY(row_put_account, (const uint8_t *)"0123456789abcdef",
	    get_account);
	TRY(row_put_mailbox, (&(struct row_mailbox){
		.name = SLICE("Lists/c"), .folder = SLICE(".Lists.c"),
		.uidvalidity = 1, .uidnext = 2, .attrs = 3,
		.recent_from = 4, .messages = 50, .unseen = 6, .deleted = 7,
		.recent = 8, .size = 900, .deleted_size = 10,
		.highest_modseq = 11, .stamp = 12, .scanned = -13,
		.expunge_floor = 14, .list_reserved = 15, .list_lines = 16,
		.behind = true }), get_mailbox);
	TRY(row_put_message, (&(struct row_message){ 1, 2, 3, -4, 5, 6,
		"0123456789abcdef", "" }), get_message);
	TRY(row_put_file, (&(struct row_file){ SLICE("1.a,S=2"), 2,
		0xffffffff, 5, 6 }), get_file);
	TRY(row_put_cache, (&(struct row_cache){ 99, SLICE("(NIL)"),
		SLICE_NONE, SLICE("") }), get_cache);
	TRY(row_put_work, (&(struct row_work){ ROW_WORK_RENAME, SLICE(".a"),
		SLICE(".b") }), get_work);
	TRY(row_put_delivery, (&(struct row_delivery){ 1, 2, 3 }),
	    get_delivery);
	TRY(row_put_totals, (&(struct row_totals){ 1, 2 }), get_totals);
	TRY(row_put_expunged, 77, get_expunged);
}
END_TEST

START_TEST(nonsense)
{
	struct row_mailbox m = { .name = SLICE("x"), .uidvalidity = 1,
		.uidnext = 1 }, bad;
	struct row_mailbox r;
	struct row_file f;
	struct row_work w;
	struct buf b;
	int i;

	for (i = 0; i < 8; i++) {
		bad = m;
		switch (i) {
		case 0: bad.name = SLICE(""); break;
		case 1: bad.uidvalidity = 0; break;
		case 2: bad.uidnext = 0; break;
		case 3: bad.unseen = 1; break;
		case 4: bad.deleted_size = 1; break;
		case 5: bad.folder = SLICE("../x"); break;
		case 6: bad.recent = 1; break;
		case 7: bad.name = SLICE("a\0b"); break;
		}
		buf_init(&b, 4096);
		row_put_mailbox(&b, &bad);
		ck_assert_int_eq(row_get_mailbox(buf_slice(&b), &r), -1);
		buf_fini(&b);
	}
	buf_init(&b, 4096);
	row_put_file(&b, &(struct row_file){ .id = SLICE("../../etc/x") });
	ck_assert_int_eq(row_get_file(buf_slice(&b), &f), -1);
	buf_reset(&b);
	row_put_work(&b, &(struct row_work){ .from = SLICE("a/b") });
	ck_assert_int_eq(row_get_work(buf_slice(&b), &w), -1);
	buf_fini(&b);
}
END_TEST

START_TEST(logs)
{
	struct row_log r;
	uint32_t first, last;
	struct buf b, ranges;

	buf_init(&ranges, 100);
	buf_init(&b, 200);
	row_put_range(&ranges, 1, 5);
	row_put_range(&ranges, 9, 9);
	row_put_log(&b, &(struct row_log){ ROW_LOG_EXPUNGED, 3,
		buf_slice(&ranges) });
	ck_assert_int_eq(row_get_log(buf_slice(&b), &r), 0);
	ck_assert_int_eq(r.kind, ROW_LOG_EXPUNGED);
	ck_assert_uint_eq(r.mailbox, 3);
	ck_assert(row_next_range(&r.ranges, &first, &last));
	ck_assert_uint_eq(last, 5);
	ck_assert(row_next_range(&r.ranges, &first, &last));
	ck_assert_uint_eq(first, 9);
	ck_assert(!row_next_range(&r.ranges, &first, &last));
	b.n--;
	ck_assert_int_eq(row_get_log(buf_slice(&b), &r), -1);
	buf_fini(&b);
	buf_fini(&ranges);
}
END_TEST

START_TEST(keys)
{
	struct row_key a = row_key_message('M', 1, 255);
	struct row_key b = row_key_message('M', 1, 256);
	struct row_key c = row_key_mailbox('M', 2), e;
	uint32_t mailbox, uid, n;
	uint64_t version;
	uint16_t number;
	char kind;

	/* Numbers sort. */
	ck_assert_int_lt(slice_cmp(row_key_slice(&a), row_key_slice(&b)), 0);
	ck_assert_int_lt(slice_cmp(row_key_slice(&b), row_key_slice(&c)), 0);
	ck_assert_int_eq(row_message_of(row_key_slice(&b), &mailbox, &uid),
	    0);
	ck_assert_uint_eq(uid, 256);
	ck_assert_int_eq(row_message_of(row_key_slice(&c), &mailbox, &uid),
	    -1);
	ck_assert_int_eq(row_mailbox_of(row_key_slice(&c), &mailbox), 0);
	ck_assert_uint_eq(mailbox, 2);
	e = row_key_expunged(3, 1ULL << 50, 4);
	ck_assert_int_eq(row_expunged_of(row_key_slice(&e), &mailbox,
		&version, &uid), 0);
	ck_assert_uint_eq(version, 1ULL << 50);
	e = row_key_version('L', 5, 6);
	ck_assert_int_eq(row_version_of(row_key_slice(&e), &version, &n), 0);
	ck_assert_uint_eq(n, 6);
	e = row_key_keyword(3, 63);
	ck_assert_int_eq(row_keyword_of(row_key_slice(&e), &mailbox,
		&number), 0);
	ck_assert_uint_eq(number, 63);
	e = row_key_named('S', 9);
	ck_assert_int_eq(row_named_of(row_key_slice(&e), &kind, &n), 0);
	ck_assert_int_eq(kind, 'S');
	ck_assert_uint_eq(n, 9);
}
END_TEST

UNIT_SUITE(rows, {
	tcase_add_test(tc, values);
	tcase_add_test(tc, nonsense);
	tcase_add_test(tc, logs);
	tcase_add_test(tc, keys);
})
