/* SPDX-License-Identifier: ISC */
/*
 * The bytes of the queue's files, exactly as queue/FORMAT says: state sectors,
 * the record (header and envelope), journal records, the ids sector. Pure: no
 * I/O, no globals. Decoders take any bytes and refuse what no encoder wrote.
 */
#ifndef QUEUE_SLOT_FORMAT_H
#define QUEUE_SLOT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/region.h"
#include "base/slice.h"
#include "queue/spool.h"

enum {
	FORMAT_SECTOR = 512,
	FORMAT_RECORD = 1024,  /* offset of the record in a slot */
	FORMAT_HEADER = 160,   /* its first bytes */
	FORMAT_MARKS = 1008,   /* recipients marked in the state sector */
	FORMAT_INSIDE = 32768, /* larger bodies are files of their own */
	FORMAT_STRING = 65535, /* longest string of an envelope */
	/* Longest record (one-off slots), longest journal record. */
	FORMAT_RECORD_MAX = 64 << 20,
	FORMAT_JOURNAL_MAX = 16 << 20
};

/* ---- state sectors ---- */

struct format_state {
	uint64_t generation, sequence, id;
	uint8_t state, flags; /* enum spool_state, SPOOL_DELAY_TOLD … */
	uint32_t attempts, crashes, n_rcpts;
	int64_t next_s, last_s;
	uint32_t record_crc;
	uint16_t text_n;
	char text[SPOOL_TEXT_MAX];
	uint8_t marks[FORMAT_MARKS / 4];
};

enum format_sector {
	FORMAT_VALID,
	FORMAT_ZERO,  /* 512 zeros */
	FORMAT_NEWER, /* whole, but of a later version */
	FORMAT_BAD
};

/* Fills one sector. Text beyond SPOOL_TEXT_MAX is a BUG of the caller. */
void format_state_put(const struct format_state *st,
    unsigned char sector[FORMAT_SECTOR]);
/* `in` shorter than a sector is FORMAT_BAD. *st_r is set only when valid. */
enum format_sector format_state_get(struct slice in,
    struct format_state *st_r);
/*
 * Which of the two sectors at the front of a slot counts: valid with *at_r 0
 * or 1 and its state; FORMAT_ZERO when both are zero; FORMAT_NEWER when one
 * is of a later version; FORMAT_BAD when there is nothing to go by.
 */
enum format_sector format_state_pick(struct slice both, unsigned *at_r,
    struct format_state *st_r);

/* `rcpt` below FORMAT_MARKS. */
uint8_t format_mark_get(const struct format_state *st, uint32_t rcpt);
void format_mark_set(struct format_state *st, uint32_t rcpt, uint8_t mark);

/* ---- the record ---- */

struct format_header {
	uint64_t generation, id, length, envelope_n, body_n, account;
	int64_t arrival_us, deadline_s, hold_until_s;
	uint8_t body_type, utf8, ret, body_outside, origin;
	int8_t priority;
	uint32_t n_groups, n_rcpts, body_crc;
};

/*
 * Bytes of header and envelope; -1 with EMSGSIZE (a string or the whole is too
 * long) or EINVAL (no recipients, groups that do not cover them in order, a
 * field out of range).
 */
int format_record_size(const struct spool_envelope *e, uint64_t *size_r)
    __attribute__((warn_unused_result));
/*
 * Appends header and envelope of `e`, for which format_record_size said 0. The
 * body follows when it is inside. Only the first e->n_first recipients are
 * written.
 */
void format_record_put(const struct spool_envelope *e, uint64_t generation,
    bool body_outside, uint32_t body_crc, struct buf *out);
/* 0; -1 when the bytes are no header of version 1. */
int format_header_get(struct slice in, struct format_header *h_r)
    __attribute__((warn_unused_result));
/*
 * `record`: the whole record, or at least header and envelope. Strings are
 * views into it, arrays come from the region. 0; -1 with EBADMSG or ENOMEM.
 */
int format_envelope_get(struct slice record, const struct format_header *h,
    struct region *mem, struct spool_envelope *e_r)
    __attribute__((warn_unused_result));

/* ---- the journal ---- */

enum format_journal_kind {
	FORMAT_EXPANSION = 1,
	FORMAT_MARK = 2,
	FORMAT_NOTE = 3 /* read over: no version has written one yet */
};

struct format_journal {
	uint8_t kind; /* enum format_journal_kind */
	uint8_t mark;
	uint32_t rcpt, n;   /* n: targets of an expansion */
	struct slice targets; /* for format_target_next */
	struct slice text;
};

/* Append one record; out->err tells when it did not fit, or EMSGSIZE. */
void format_expansion_put(uint32_t rcpt, const struct spool_rcpt *targets,
    uint32_t n, struct buf *out);
void format_mark_put(uint32_t rcpt, uint8_t mark, struct buf *out);
/* > 0: bytes taken, *r_r is set; 0: nothing more, or cut short; -1: damaged.
 * What follows a 0 or -1 does not count. */
ssize_t format_journal_next(struct slice in, struct format_journal *r_r);
/* The next target of an expansion, off the front of *rest. -1 at the end. */
int format_target_next(struct slice *rest, struct spool_rcpt *target_r)
    __attribute__((warn_unused_result));

/*
 * A block of whole journal records in the tail of a slot: sectors, appended to
 * `out`. `index`: how many blocks of this use of the slot stand before it.
 */
void format_block_put(struct slice records, uint64_t generation,
    uint32_t index, struct buf *out);
/* > 0: bytes taken (whole sectors), *records_r is a view; 0: no such block. */
size_t format_block_next(struct slice in, uint64_t generation, uint32_t index,
    struct slice *records_r);
/* Bytes of a block for `n` bytes of records. */
size_t format_block_size(size_t n);

/* ---- ids ---- */

struct format_ids {
	uint64_t sequence, reserved;
};

void format_ids_put(const struct format_ids *ids,
    unsigned char sector[FORMAT_SECTOR]);
enum format_sector format_ids_get(struct slice in, struct format_ids *ids_r);

#endif
