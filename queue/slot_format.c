/* SPDX-License-Identifier: ISC */
/*
 * State sectors, records and ids. Offsets stand in the code as they stand in
 * queue/FORMAT; records of the journal are in journal_format.c.
 */
#include "queue/slot_format.h"

#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "queue/bytes.h"

enum { FORMAT_VERSION = 1, CRC_AT = 508, FLAGS_KNOWN = 15, GROUP_MIN = 10,
	RCPT_MIN = 5 };

/* ---- sectors in general ---- */

static void
seal(unsigned char *sector)
{
	bytes_put(sector + CRC_AT, crc32c(0, sector, CRC_AT), 4);
}

/* Magic, version and CRC of a sector. */
static enum format_sector
check_sector(struct slice in, const char *magic)
{
	static const char zeros[FORMAT_SECTOR];

	if (in.n < FORMAT_SECTOR)
		return FORMAT_BAD;
	if (memcmp(in.p, zeros, FORMAT_SECTOR) == 0)
		return FORMAT_ZERO;
	if (memcmp(in.p, magic, 4) != 0 ||
	    bytes_get(in.p + CRC_AT, 4) != crc32c(0, in.p, CRC_AT))
		return FORMAT_BAD;
	if (bytes_get(in.p + 4, 2) > FORMAT_VERSION)
		return FORMAT_NEWER;
	return bytes_get(in.p + 4, 2) == FORMAT_VERSION ? FORMAT_VALID
							: FORMAT_BAD;
}

/* ---- state sectors ---- */

void
format_state_put(const struct format_state *st,
    unsigned char sector[FORMAT_SECTOR])
{
	memset(sector, 0, FORMAT_SECTOR);
	memcpy(sector, "VQst", 4);
	bytes_put(sector + 4, FORMAT_VERSION, 2);
	sector[6] = st->state;
	sector[7] = st->flags;
	bytes_put(sector + 8, st->generation, 8);
	bytes_put(sector + 16, st->sequence, 8);
	bytes_put(sector + 24, st->id, 8);
	bytes_put(sector + 32, st->attempts, 4);
	bytes_put(sector + 36, st->n_rcpts, 4);
	bytes_put(sector + 40, (uint64_t)st->next_s, 8);
	bytes_put(sector + 48, (uint64_t)st->last_s, 8);
	bytes_put(sector + 56, st->record_crc, 4);
	bytes_put(sector + 60, st->crashes, 4);
	bytes_put(sector + 64, st->text_n, 2);
	memcpy(sector + 66, st->text, st->text_n);
	memcpy(sector + 256, st->marks, sizeof st->marks);
	seal(sector);
}

enum format_sector
format_state_get(struct slice in, struct format_state *st_r)
{
	const char *p = in.p;
	enum format_sector verdict = check_sector(in, "VQst");
	struct format_state st = { 0 };

	if (verdict != FORMAT_VALID)
		return verdict;
	st.state = (uint8_t)p[6];
	st.flags = (uint8_t)p[7];
	st.generation = bytes_get(p + 8, 8);
	st.sequence = bytes_get(p + 16, 8);
	st.id = bytes_get(p + 24, 8);
	st.attempts = (uint32_t)bytes_get(p + 32, 4);
	st.n_rcpts = (uint32_t)bytes_get(p + 36, 4);
	st.next_s = (int64_t)bytes_get(p + 40, 8);
	st.last_s = (int64_t)bytes_get(p + 48, 8);
	st.record_crc = (uint32_t)bytes_get(p + 56, 4);
	st.crashes = (uint32_t)bytes_get(p + 60, 4);
	st.text_n = (uint16_t)bytes_get(p + 64, 2);
	if (st.state > SPOOL_HELD || (st.flags & ~FLAGS_KNOWN) != 0 ||
	    st.text_n > SPOOL_TEXT_MAX)
		return FORMAT_BAD;
	memcpy(st.text, p + 66, st.text_n);
	memcpy(st.marks, p + 256, sizeof st.marks);
	*st_r = st;
	return FORMAT_VALID;
}

static bool
is_later(const struct format_state *a, const struct format_state *b)
{
	if (a->generation != b->generation)
		return a->generation > b->generation;
	return a->sequence > b->sequence;
}

enum format_sector
format_state_pick(struct slice both, unsigned *at_r, struct format_state *st_r)
{
	struct format_state st[2];
	enum format_sector v[2];
	unsigned at;

	if (both.n < 2 * FORMAT_SECTOR)
		return FORMAT_BAD;
	v[0] = format_state_get(slice_head(both, FORMAT_SECTOR), &st[0]);
	v[1] = format_state_get(slice_from(both, FORMAT_SECTOR), &st[1]);
	if (v[0] == FORMAT_NEWER || v[1] == FORMAT_NEWER)
		return FORMAT_NEWER;
	if (v[0] == FORMAT_ZERO && v[1] == FORMAT_ZERO)
		return FORMAT_ZERO;
	if (v[0] != FORMAT_VALID && v[1] != FORMAT_VALID)
		return FORMAT_BAD;
	if (v[0] == FORMAT_VALID && v[1] == FORMAT_VALID)
		at = is_later(&st[1], &st[0]) ? 1 : 0;
	else
		at = v[1] == FORMAT_VALID ? 1 : 0;
	*at_r = at;
	*st_r = st[at];
	return FORMAT_VALID;
}

uint8_t
format_mark_get(const struct format_state *st, uint32_t rcpt)
{
	return st->marks[rcpt / 4] >> rcpt % 4 * 2 & 3;
}

void
format_mark_set(struct format_state *st, uint32_t rcpt, uint8_t mark)
{
	unsigned shift = rcpt % 4 * 2;
	unsigned byte = st->marks[rcpt / 4];

	byte = (byte & ~(3U << shift)) | (mark & 3U) << shift;
	st->marks[rcpt / 4] = (uint8_t)byte;
}

/* ---- the record ---- */

/* Do the groups cover recipients 0 to n - 1 in order, none empty? */
static bool
groups_cover(const struct spool_group *groups, uint32_t n_groups, uint32_t n)
{
	uint32_t next = 0, i;

	for (i = 0; i < n_groups; i++) {
		if (groups[i].first != next || groups[i].n == 0 ||
		    groups[i].n > n - next)
			return false;
		next += groups[i].n;
	}
	return next == n && n > 0;
}

static bool
is_in_range(const struct spool_envelope *e)
{
	return e->body_type <= 2 && e->utf8 <= 1 && e->ret <= 2 &&
	    e->origin <= 3 && e->priority >= -9 && e->priority <= 9;
}

/* Adds a string's size to *sum; false when it is too long. */
static bool
add_size(struct slice s, uint64_t *sum)
{
	*sum += 2 + s.n;
	return s.n <= FORMAT_STRING;
}

int
format_record_size(const struct spool_envelope *e, uint64_t *size_r)
{
	uint64_t sum = FORMAT_HEADER;
	bool fits;
	uint32_t i;

	if (!is_in_range(e) ||
	    !groups_cover(e->groups, e->n_groups, e->n_first)) {
		errno = EINVAL;
		return -1;
	}
	fits = add_size(e->envid, &sum) && add_size(e->session, &sum) &&
	    add_size(e->client, &sum);
	for (i = 0; i < e->n_groups && fits; i++, sum += 8)
		fits = add_size(e->groups[i].sender, &sum);
	for (i = 0; i < e->n_first && fits; i++, sum++)
		fits = add_size(e->rcpts[i].address, &sum) &&
		    add_size(e->rcpts[i].orcpt, &sum);
	if (!fits || sum > FORMAT_RECORD_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	*size_r = sum;
	return 0;
}

static void
put_envelope(const struct spool_envelope *e, struct buf *out)
{
	uint32_t i;

	bytes_add_string(out, e->envid);
	bytes_add_string(out, e->session);
	bytes_add_string(out, e->client);
	for (i = 0; i < e->n_groups; i++) {
		bytes_add_string(out, e->groups[i].sender);
		bytes_add(out, e->groups[i].first, 4);
		bytes_add(out, e->groups[i].n, 4);
	}
	for (i = 0; i < e->n_first; i++) {
		bytes_add(out, e->rcpts[i].notify, 1);
		bytes_add_string(out, e->rcpts[i].address);
		bytes_add_string(out, e->rcpts[i].orcpt);
	}
}

void
format_record_put(const struct spool_envelope *e, uint64_t generation,
    bool body_outside, uint32_t body_crc, struct buf *out)
{
	unsigned char h[FORMAT_HEADER] = { 0 };
	size_t start = out->n, envelope;

	buf_add(out, h, sizeof h);
	put_envelope(e, out);
	if (!buf_is_ok(out))
		return;
	envelope = out->n - start - sizeof h;
	memcpy(h, "VQms", 4);
	bytes_put(h + 4, FORMAT_VERSION, 2);
	bytes_put(h + 6, FORMAT_HEADER, 2);
	bytes_put(h + 8, generation, 8);
	bytes_put(h + 16, e->id, 8);
	bytes_put(h + 24, sizeof h + envelope +
	    (body_outside ? 0 : e->body_size), 8);
	bytes_put(h + 32, envelope, 8);
	bytes_put(h + 40, e->body_size, 8);
	bytes_put(h + 48, (uint64_t)e->arrival_us, 8);
	bytes_put(h + 56, e->account, 8);
	bytes_put(h + 64, (uint64_t)e->deadline_s, 8);
	bytes_put(h + 72, (uint64_t)e->hold_until_s, 8);
	h[80] = e->body_type;
	h[81] = e->utf8;
	h[82] = e->ret;
	h[83] = body_outside;
	h[84] = e->origin;
	h[85] = (unsigned char)e->priority;
	bytes_put(h + 88, e->n_groups, 4);
	bytes_put(h + 92, e->n_first, 4);
	bytes_put(h + 96, body_crc, 4);
	memcpy(out->p + start, h, sizeof h);
}

static bool
header_is_sane(const struct format_header *h)
{
	uint64_t inside = h->body_outside ? 0 : h->body_n;

	return h->body_type <= 2 && h->utf8 <= 1 && h->ret <= 2 &&
	    h->body_outside <= 1 && h->origin <= 3 && h->priority >= -9 &&
	    h->priority <= 9 && h->n_rcpts > 0 && h->n_groups > 0 &&
	    h->envelope_n <= FORMAT_RECORD_MAX &&
	    inside <= FORMAT_RECORD_MAX &&
	    h->length == FORMAT_HEADER + h->envelope_n + inside;
}

int
format_header_get(struct slice in, struct format_header *h_r)
{
	const char *p = in.p;
	struct format_header h;

	if (in.n < FORMAT_HEADER || memcmp(p, "VQms", 4) != 0 ||
	    bytes_get(p + 4, 2) != FORMAT_VERSION ||
	    bytes_get(p + 6, 2) != FORMAT_HEADER)
		return -1;
	h = (struct format_header){
		.generation = bytes_get(p + 8, 8),
		.id = bytes_get(p + 16, 8),
		.length = bytes_get(p + 24, 8),
		.envelope_n = bytes_get(p + 32, 8),
		.body_n = bytes_get(p + 40, 8),
		.arrival_us = (int64_t)bytes_get(p + 48, 8),
		.account = bytes_get(p + 56, 8),
		.deadline_s = (int64_t)bytes_get(p + 64, 8),
		.hold_until_s = (int64_t)bytes_get(p + 72, 8),
		.body_type = (uint8_t)p[80],
		.utf8 = (uint8_t)p[81],
		.ret = (uint8_t)p[82],
		.body_outside = (uint8_t)p[83],
		.origin = (uint8_t)p[84],
		.priority = (int8_t)p[85],
		.n_groups = (uint32_t)bytes_get(p + 88, 4),
		.n_rcpts = (uint32_t)bytes_get(p + 92, 4),
		.body_crc = (uint32_t)bytes_get(p + 96, 4),
	};
	if (!header_is_sane(&h))
		return -1;
	*h_r = h;
	return 0;
}

static void
take_groups(struct bytes_reader *r, struct spool_envelope *e)
{
	uint32_t i, k;

	for (i = 0; i < e->n_groups; i++) {
		e->groups[i].sender = bytes_take_string(r);
		e->groups[i].first = (uint32_t)bytes_take(r, 4);
		e->groups[i].n = (uint32_t)bytes_take(r, 4);
	}
	if (r->failed || !groups_cover(e->groups, e->n_groups, e->n_rcpts)) {
		r->failed = true;
		return;
	}
	for (i = 0; i < e->n_groups; i++)
		for (k = 0; k < e->groups[i].n; k++)
			e->rcpts[e->groups[i].first + k].group = i;
}

static void
take_rcpts(struct bytes_reader *r, struct spool_envelope *e)
{
	uint32_t i;

	for (i = 0; i < e->n_rcpts && !r->failed; i++) {
		e->rcpts[i].notify = (uint8_t)bytes_take(r, 1);
		e->rcpts[i].address = bytes_take_string(r);
		e->rcpts[i].orcpt = bytes_take_string(r);
	}
}

/* Can so many groups and recipients stand in so few bytes? Asked before any
 * memory is taken for them. */
static bool
counts_fit(const struct format_header *h)
{
	return (uint64_t)h->n_groups * GROUP_MIN +
	    (uint64_t)h->n_rcpts * RCPT_MIN <= h->envelope_n;
}

int
format_envelope_get(struct slice record, const struct format_header *h,
    struct region *mem, struct spool_envelope *e_r)
{
	struct bytes_reader r = { .failed = false };
	struct spool_envelope e = {
		.id = h->id, .account = h->account, .arrival_us = h->arrival_us,
		.deadline_s = h->deadline_s, .hold_until_s = h->hold_until_s,
		.body_size = h->body_n, .body_type = h->body_type,
		.utf8 = h->utf8, .ret = h->ret, .origin = h->origin,
		.priority = h->priority, .n_groups = h->n_groups,
		.n_rcpts = h->n_rcpts, .n_first = h->n_rcpts,
	};

	errno = EBADMSG;
	if (record.n < FORMAT_HEADER ||
	    record.n - FORMAT_HEADER < h->envelope_n || !counts_fit(h))
		return -1;
	e.groups = region_alloc(mem, e.n_groups * sizeof *e.groups);
	e.rcpts = region_alloc(mem, e.n_rcpts * sizeof *e.rcpts);
	if (e.groups == NULL || e.rcpts == NULL) {
		errno = ENOMEM;
		return -1;
	}
	r.rest = slice_head(slice_from(record, FORMAT_HEADER), h->envelope_n);
	e.envid = bytes_take_string(&r);
	e.session = bytes_take_string(&r);
	e.client = bytes_take_string(&r);
	take_groups(&r, &e);
	take_rcpts(&r, &e);
	if (r.failed || r.rest.n != 0)
		return -1;
	*e_r = e;
	return 0;
}

/* ---- ids ---- */

void
format_ids_put(const struct format_ids *ids,
    unsigned char sector[FORMAT_SECTOR])
{
	memset(sector, 0, FORMAT_SECTOR);
	memcpy(sector, "VQid", 4);
	bytes_put(sector + 4, FORMAT_VERSION, 2);
	bytes_put(sector + 8, ids->sequence, 8);
	bytes_put(sector + 16, ids->reserved, 8);
	seal(sector);
}

enum format_sector
format_ids_get(struct slice in, struct format_ids *ids_r)
{
	enum format_sector verdict = check_sector(in, "VQid");

	if (verdict == FORMAT_VALID)
		*ids_r = (struct format_ids){ bytes_get(in.p + 8, 8),
			bytes_get(in.p + 16, 8) };
	return verdict;
}
