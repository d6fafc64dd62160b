/* SPDX-License-Identifier: ISC */
/*
 * Message sets (RFC 9051 9 sequence-set): numbers, ranges, `*`, and `$` for the
 * saved search result (RFC 5182). A set as parsed keeps the client's order; a
 * resolved one is ascending, without overlaps and without `*`.
 */
#ifndef PROTO_IMAP_SEQSET_H
#define PROTO_IMAP_SEQSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/region.h"
#include "base/slice.h"

enum { IMAP_SEQ_STAR = 0 }; /* `*` in a set as parsed: 0 is no number */

struct imap_range {
	uint32_t first, last; /* both included */
};

struct imap_seqset {
	struct imap_range *ranges;
	size_t n;
	bool saved;    /* it is `$`; then n is 0 */
	bool has_star; /* `*` stands somewhere in it */
};

/*
 * Parses all of `s`; at most LIMIT_IMAP_RANGES ranges. The ranges live in the
 * region. -1: malformed, or no room (then region->failed is set).
 */
int imap_seqset_parse(struct slice s, struct region *region,
    struct imap_seqset *set_r) __attribute__((warn_unused_result));
/*
 * Puts `max` for `*`, orders and merges, in place. `max` is the number of
 * messages, or the highest UID (UIDNEXT when there is none); where it is 0,
 * ranges with `*` vanish.
 */
void imap_seqset_resolve(struct imap_seqset *set, uint32_t max);
/* Cuts a resolved set to what lies in first..last. */
void imap_seqset_clip(struct imap_seqset *set, uint32_t first, uint32_t last);
/* Is `v` in a resolved set? By halving. */
bool imap_seqset_has(const struct imap_seqset *set, uint32_t v);
/* How many numbers a resolved set holds. */
uint64_t imap_seqset_count(const struct imap_seqset *set);
/* The largest number in it, `*` not counted; 0 when there is none. Needs no
 * resolved set: a message number past EXISTS is answered BAD. */
uint32_t imap_seqset_max(const struct imap_seqset *set);
/* Appends the set as it stands, "1:3,7,*". */
void imap_seqset_format(struct buf *out, const struct imap_seqset *set);

/* Walks the numbers of a resolved set in order. */
struct imap_seq_iter {
	const struct imap_seqset *set;
	size_t i;
	uint64_t next;
};

void imap_seq_iter_init(struct imap_seq_iter *it,
    const struct imap_seqset *set);
/* False at the end. */
bool imap_seq_iter_next(struct imap_seq_iter *it, uint32_t *v_r);

/*
 * Writes numbers as a compact set while they come, for COPYUID, VANISHED and
 * ESEARCH ALL: what ascends by one becomes a range; the order is kept, since
 * the two sets of COPYUID correspond by place (RFC 4315 3). _end writes the
 * last range; a writer that got nothing writes nothing.
 */
struct imap_seq_writer {
	struct buf *out;
	uint32_t first, last; /* 0: no range is open */
	bool any;
};

void imap_seq_writer_init(struct imap_seq_writer *w, struct buf *out);
void imap_seq_writer_add(struct imap_seq_writer *w, uint32_t v);
void imap_seq_writer_end(struct imap_seq_writer *w);

#endif
