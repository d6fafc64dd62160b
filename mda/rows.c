/* SPDX-License-Identifier: ISC */
/*
 * Encoding and decoding of the map's rows (mda/store.h has the list).
 * A writer appends to a buf, whose error is sticky; a reader carries a `bad`
 * mark that is looked at once, at the end, where also everything must have
 * been used up.
 */
#include "mda/rows.h"

#include <string.h>

struct reader {
	const uint8_t *p;
	size_t n;
	bool bad;
};

/* ---- numbers ---- */

static void
store_be(void *to, uint64_t v, size_t n)
{
	uint8_t *p = to;
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static uint64_t
load_be(const void *from, size_t n)
{
	const uint8_t *p = from;
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static void
put(struct buf *b, uint64_t v, size_t n)
{
	char bytes[8];

	store_be(bytes, v, n);
	buf_add(b, bytes, n);
}

static void
put_slice(struct buf *b, struct slice s, size_t length_bytes)
{
	put(b, s.n, length_bytes);
	buf_add_slice(b, s);
}

static uint64_t
get(struct reader *r, size_t n)
{
	uint64_t v;

	if (r->bad || r->n < n) {
		r->bad = true;
		return 0;
	}
	v = load_be(r->p, n);
	r->p += n;
	r->n -= n;
	return v;
}

static struct slice
get_bytes(struct reader *r, uint64_t n, size_t max)
{
	struct slice s;

	if (r->bad || n > max || n > r->n) {
		r->bad = true;
		return SLICE_NONE;
	}
	s = (struct slice){ (const char *)r->p, (size_t)n };
	r->p += n;
	r->n -= (size_t)n;
	return s;
}

static struct slice
get_slice(struct reader *r, size_t length_bytes, size_t max)
{
	uint64_t n = get(r, length_bytes);

	return get_bytes(r, n, max);
}

static struct reader
begin(struct slice v)
{
	struct reader r = { (const uint8_t *)v.p, v.n, false };

	if (get(&r, 1) != ROW_FORMAT)
		r.bad = true;
	return r;
}

static int
end(const struct reader *r)
{
	return r->bad || r->n != 0 ? -1 : 0;
}

/* ---- values ---- */

void
row_put_version(struct buf *b, const struct row_version *r)
{
	put(b, ROW_FORMAT, 1);
	put(b, r->version, 8);
	put(b, r->uidvalidity, 4);
	put(b, r->next_mailbox, 4);
}

int
row_get_version(struct slice v, struct row_version *r_r)
{
	struct reader r = begin(v);
	struct row_version row = { 0 };

	row.version = get(&r, 8);
	row.uidvalidity = (uint32_t)get(&r, 4);
	row.next_mailbox = (uint32_t)get(&r, 4);
	if (end(&r) < 0)
		return -1;
	*r_r = row;
	return 0;
}

void
row_put_account(struct buf *b, const uint8_t id[ROW_OBJECT_ID])
{
	put(b, ROW_FORMAT, 1);
	buf_add(b, id, ROW_OBJECT_ID);
}

int
row_get_account(struct slice v, uint8_t id_r[ROW_OBJECT_ID])
{
	struct reader r = begin(v);
	struct slice id = get_bytes(&r, ROW_OBJECT_ID, ROW_OBJECT_ID);

	if (end(&r) < 0)
		return -1;
	memcpy(id_r, id.p, ROW_OBJECT_ID);
	return 0;
}

void
row_put_mailbox(struct buf *b, const struct row_mailbox *r)
{
	put(b, ROW_FORMAT, 1);
	put_slice(b, r->name, 2);
	put_slice(b, r->folder, 1);
	put(b, r->uidvalidity, 4);
	put(b, r->uidnext, 4);
	put(b, r->attrs, 4);
	put(b, r->recent_from, 4);
	put(b, r->messages, 4);
	put(b, r->unseen, 4);
	put(b, r->deleted, 4);
	put(b, r->recent, 4);
	put(b, r->size, 8);
	put(b, r->deleted_size, 8);
	put(b, r->highest_modseq, 8);
	put(b, r->stamp, 8);
	put(b, (uint64_t)r->scanned, 8);
	put(b, r->expunge_floor, 8);
	put(b, r->list_reserved, 4);
	put(b, r->list_lines, 4);
	put(b, r->behind ? 1 : 0, 1);
}

int
row_get_mailbox(struct slice v, struct row_mailbox *r_r)
{
	struct reader r = begin(v);
	struct row_mailbox row = { .name = SLICE_NONE };
	uint64_t behind;

	row.name = get_slice(&r, 2, ROW_NAME_MAX);
	row.folder = get_slice(&r, 1, ROW_FOLDER_MAX);
	row.uidvalidity = (uint32_t)get(&r, 4);
	row.uidnext = (uint32_t)get(&r, 4);
	row.attrs = (uint32_t)get(&r, 4);
	row.recent_from = (uint32_t)get(&r, 4);
	row.messages = (uint32_t)get(&r, 4);
	row.unseen = (uint32_t)get(&r, 4);
	row.deleted = (uint32_t)get(&r, 4);
	row.recent = (uint32_t)get(&r, 4);
	row.size = get(&r, 8);
	row.deleted_size = get(&r, 8);
	row.highest_modseq = get(&r, 8);
	row.stamp = get(&r, 8);
	row.scanned = (int64_t)get(&r, 8);
	row.expunge_floor = get(&r, 8);
	row.list_reserved = (uint32_t)get(&r, 4);
	row.list_lines = (uint32_t)get(&r, 4);
	behind = get(&r, 1);
	row.behind = behind == 1;
	if (end(&r) < 0 || behind > 1 || row.name.n == 0 ||
	    row.uidvalidity == 0 || row.uidnext == 0 ||
	    row.unseen > row.messages || row.deleted > row.messages ||
	    row.recent > row.messages || row.deleted_size > row.size ||
	    memchr(row.name.p, 0, row.name.n) != NULL ||
	    slice_has(row.folder, 0) || slice_has(row.folder, '/'))
		return -1;
	*r_r = row;
	return 0;
}

void
row_put_message(struct buf *b, const struct row_message *r)
{
	put(b, ROW_FORMAT, 1);
	put(b, r->modseq, 8);
	put(b, r->keywords, 8);
	put(b, r->size, 8);
	put(b, (uint64_t)r->internaldate, 8);
	put(b, (uint64_t)r->savedate, 8);
	put(b, r->flags, 2);
	buf_add(b, r->email_id, sizeof r->email_id);
	buf_add(b, r->thread_id, sizeof r->thread_id);
}

int
row_get_message(struct slice v, struct row_message *r_r)
{
	struct reader r = begin(v);
	struct row_message row = { 0 };
	struct slice email, thread;

	row.modseq = get(&r, 8);
	row.keywords = get(&r, 8);
	row.size = get(&r, 8);
	row.internaldate = (int64_t)get(&r, 8);
	row.savedate = (int64_t)get(&r, 8);
	row.flags = (uint16_t)get(&r, 2);
	email = get_bytes(&r, sizeof row.email_id, sizeof row.email_id);
	thread = get_bytes(&r, sizeof row.thread_id, sizeof row.thread_id);
	if (end(&r) < 0)
		return -1;
	memcpy(row.email_id, email.p, sizeof row.email_id);
	memcpy(row.thread_id, thread.p, sizeof row.thread_id);
	*r_r = row;
	return 0;
}

void
row_put_file(struct buf *b, const struct row_file *r)
{
	put(b, ROW_FORMAT, 1);
	put_slice(b, r->id, 1);
	put(b, r->place, 1);
	put(b, r->letters, 4);
	put(b, (uint64_t)r->named_ms, 8);
	put(b, r->stored, 8);
}

int
row_get_file(struct slice v, struct row_file *r_r)
{
	struct reader r = begin(v);
	struct row_file row = { .id = SLICE_NONE };

	row.id = get_slice(&r, 1, ROW_ID_MAX);
	row.place = (uint8_t)get(&r, 1);
	row.letters = (uint32_t)get(&r, 4);
	row.named_ms = (int64_t)get(&r, 8);
	row.stored = get(&r, 8);
	if (end(&r) < 0 || row.place > 2 || row.id.n == 0 ||
	    slice_has(row.id, '/') || slice_has(row.id, 0))
		return -1;
	*r_r = row;
	return 0;
}

void
row_put_log(struct buf *b, const struct row_log *r)
{
	put(b, ROW_FORMAT, 1);
	put(b, r->kind, 1);
	put(b, r->mailbox, 4);
	buf_add_slice(b, r->ranges);
}

int
row_get_log(struct slice v, struct row_log *r_r)
{
	struct reader r = begin(v);
	struct row_log row = { 0 };
	uint64_t kind;

	kind = get(&r, 1);
	row.mailbox = (uint32_t)get(&r, 4);
	row.ranges = get_bytes(&r, r.n, v.n);
	if (end(&r) < 0 || kind > ROW_LOG_MAILBOX_GONE ||
	    row.ranges.n % 8 != 0)
		return -1;
	row.kind = (enum row_log_kind)kind;
	*r_r = row;
	return 0;
}

void
row_put_range(struct buf *b, uint32_t first, uint32_t last)
{
	put(b, first, 4);
	put(b, last, 4);
}

bool
row_next_range(struct slice *ranges, uint32_t *first_r, uint32_t *last_r)
{
	if (ranges->n < 8)
		return false;
	*first_r = (uint32_t)load_be(ranges->p, 4);
	*last_r = (uint32_t)load_be(ranges->p + 4, 4);
	*ranges = slice_from(*ranges, 8);
	return true;
}

void
row_put_delivery(struct buf *b, const struct row_delivery *r)
{
	put(b, ROW_FORMAT, 1);
	put(b, (uint64_t)r->arrived, 8);
	put(b, r->mailbox, 4);
	put(b, r->uid, 4);
}

int
row_get_delivery(struct slice v, struct row_delivery *r_r)
{
	struct reader r = begin(v);
	struct row_delivery row = { 0 };

	row.arrived = (int64_t)get(&r, 8);
	row.mailbox = (uint32_t)get(&r, 4);
	row.uid = (uint32_t)get(&r, 4);
	if (end(&r) < 0)
		return -1;
	*r_r = row;
	return 0;
}

void
row_put_work(struct buf *b, const struct row_work *r)
{
	put(b, ROW_FORMAT, 1);
	put(b, r->kind, 1);
	put_slice(b, r->from, 1);
	put_slice(b, r->to, 1);
}

int
row_get_work(struct slice v, struct row_work *r_r)
{
	struct reader r = begin(v);
	struct row_work row = { 0 };
	uint64_t kind;

	kind = get(&r, 1);
	row.from = get_slice(&r, 1, ROW_FOLDER_MAX);
	row.to = get_slice(&r, 1, ROW_FOLDER_MAX);
	if (end(&r) < 0 || kind > ROW_WORK_RENAME ||
	    slice_has(row.from, '/') || slice_has(row.to, '/') ||
	    slice_has(row.from, 0) || slice_has(row.to, 0))
		return -1;
	row.kind = (enum row_work_kind)kind;
	*r_r = row;
	return 0;
}

void
row_put_totals(struct buf *b, const struct row_totals *r)
{
	put(b, ROW_FORMAT, 1);
	put(b, r->bytes, 8);
	put(b, r->messages, 8);
}

int
row_get_totals(struct slice v, struct row_totals *r_r)
{
	struct reader r = begin(v);
	struct row_totals row = { 0 };

	row.bytes = get(&r, 8);
	row.messages = get(&r, 8);
	if (end(&r) < 0)
		return -1;
	*r_r = row;
	return 0;
}

/* Which of the three texts are there stands in a byte before them. */
void
row_put_cache(struct buf *b, const struct row_cache *r)
{
	const struct slice *texts[3] = { &r->envelope, &r->body,
		&r->bodystructure };
	unsigned have = 0, i;

	for (i = 0; i < 3; i++)
		have |= texts[i]->p != NULL ? 1U << i : 0;
	put(b, ROW_FORMAT, 1);
	put(b, r->header, 4);
	put(b, have, 1);
	for (i = 0; i < 3; i++)
		if (texts[i]->p != NULL)
			put_slice(b, *texts[i], 4);
}

int
row_get_cache(struct slice v, struct row_cache *r_r)
{
	struct reader r = begin(v);
	struct row_cache row = { 0 };
	struct slice *texts[3] = { &row.envelope, &row.body,
		&row.bodystructure };
	uint64_t have;
	unsigned i;

	row.header = (uint32_t)get(&r, 4);
	have = get(&r, 1);
	for (i = 0; i < 3; i++)
		if ((have >> i & 1) != 0)
			*texts[i] = get_slice(&r, 4, v.n);
	if (end(&r) < 0 || have > 7)
		return -1;
	*r_r = row;
	return 0;
}

void
row_put_expunged(struct buf *b, uint32_t last)
{
	put(b, ROW_FORMAT, 1);
	put(b, last, 4);
}

int
row_get_expunged(struct slice v, uint32_t *last_r)
{
	struct reader r = begin(v);
	uint32_t last = (uint32_t)get(&r, 4);

	if (end(&r) < 0)
		return -1;
	*last_r = last;
	return 0;
}

void
row_put_text(struct buf *b, struct slice text)
{
	put(b, ROW_FORMAT, 1);
	buf_add_slice(b, text);
}

int
row_get_text(struct slice v, struct slice *text_r)
{
	struct reader r = begin(v);
	struct slice text = get_bytes(&r, r.n, v.n);

	if (end(&r) < 0)
		return -1;
	*text_r = text;
	return 0;
}
