/* SPDX-License-Identifier: ISC */
/*
 * RFC 9051 9 (sequence-set), RFC 5182 2.1 (`$`), RFC 4315 3 (COPYUID order).
 * Sorting is our own heapsort: libc's qsort may allocate, and a client chooses
 * the order.
 */
#include "proto/imap_seqset.h"

#include "base/num.h"
#include "proto/limits.h"

static int
take_number(struct slice *s, uint32_t *v_r, bool *star_r)
{
	uint64_t v;

	if (s->n > 0 && s->p[0] == '*') {
		*s = slice_from(*s, 1);
		*v_r = IMAP_SEQ_STAR;
		*star_r = true;
		return 0;
	}
	if (s->n > 0 && s->p[0] == '0')
		return -1;
	if (num_take(s, UINT32_MAX, &v) < 0)
		return -1;
	*v_r = (uint32_t)v;
	return 0;
}

static int
take_range(struct slice *s, struct imap_range *r, bool *star_r)
{
	if (take_number(s, &r->first, star_r) < 0)
		return -1;
	r->last = r->first;
	if (s->n == 0 || s->p[0] != ':')
		return 0;
	*s = slice_from(*s, 1);
	return take_number(s, &r->last, star_r);
}

int
imap_seqset_parse(struct slice s, struct region *region,
    struct imap_seqset *set_r)
{
	struct imap_seqset set = { NULL, 0, false, false };
	size_t i, max = 1;

	if (slice_eq_str(s, "$")) {
		*set_r = (struct imap_seqset){ .saved = true };
		return 0;
	}
	for (i = 0; i < s.n; i++)
		max += s.p[i] == ',';
	if (max > LIMIT_IMAP_RANGES)
		return -1;
	set.ranges = region_alloc(region, max * sizeof *set.ranges);
	if (set.ranges == NULL)
		return -1;
	while (set.n < max) {
		if (take_range(&s, &set.ranges[set.n], &set.has_star) < 0)
			return -1;
		set.n++;
		if (s.n == 0)
			break;
		if (s.p[0] != ',')
			return -1;
		s = slice_from(s, 1);
	}
	if (set.n < max)
		return -1;
	*set_r = set;
	return 0;
}

static void
swap(struct imap_range *a, struct imap_range *b)
{
	struct imap_range t = *a;

	*a = *b;
	*b = t;
}

static void
sift_down(struct imap_range *r, size_t at, size_t n)
{
	size_t child;

	for (; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && r[child].first < r[child + 1].first)
			child++;
		if (r[at].first >= r[child].first)
			return;
		swap(&r[at], &r[child]);
	}
}

static void
sort(struct imap_range *r, size_t n)
{
	size_t i;

	for (i = 1; i < n && r[i - 1].first <= r[i].first; i++)
		;
	if (i >= n)
		return;
	for (i = n / 2; i-- > 0;)
		sift_down(r, i, n);
	for (i = n; i-- > 1;) {
		swap(&r[0], &r[i]);
		sift_down(r, 0, i);
	}
}

static void
merge(struct imap_seqset *set)
{
	struct imap_range *r = set->ranges;
	size_t i, to = 0;

	for (i = 1; i < set->n; i++) {
		if (r[to].last == UINT32_MAX || r[i].first <= r[to].last + 1) {
			if (r[i].last > r[to].last)
				r[to].last = r[i].last;
		} else {
			r[++to] = r[i];
		}
	}
	if (set->n > 0)
		set->n = to + 1;
}

void
imap_seqset_resolve(struct imap_seqset *set, uint32_t max)
{
	struct imap_range r;
	size_t i, to = 0;

	for (i = 0; i < set->n; i++) {
		r = set->ranges[i];
		if (r.first == IMAP_SEQ_STAR)
			r.first = max;
		if (r.last == IMAP_SEQ_STAR)
			r.last = max;
		if (r.first == 0 || r.last == 0)
			continue;
		if (r.first > r.last)
			r = (struct imap_range){ r.last, r.first };
		set->ranges[to++] = r;
	}
	set->n = to;
	set->has_star = false;
	sort(set->ranges, set->n);
	merge(set);
}

void
imap_seqset_clip(struct imap_seqset *set, uint32_t first, uint32_t last)
{
	struct imap_range r;
	size_t i, to = 0;

	for (i = 0; i < set->n; i++) {
		r = set->ranges[i];
		if (r.last < first || r.first > last)
			continue;
		if (r.first < first)
			r.first = first;
		if (r.last > last)
			r.last = last;
		set->ranges[to++] = r;
	}
	set->n = to;
}

bool
imap_seqset_has(const struct imap_seqset *set, uint32_t v)
{
	size_t low = 0, high = set->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (v < set->ranges[mid].first)
			high = mid;
		else if (v > set->ranges[mid].last)
			low = mid + 1;
		else
			return true;
	}
	return false;
}

uint64_t
imap_seqset_count(const struct imap_seqset *set)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < set->n; i++)
		n += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
	return n;
}

uint32_t
imap_seqset_max(const struct imap_seqset *set)
{
	uint32_t max = 0;
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (set->ranges[i].first > max)
			max = set->ranges[i].first;
		if (set->ranges[i].last > max)
			max = set->ranges[i].last;
	}
	return max;
}

static void
write_number(struct buf *out, uint32_t v)
{
	if (v == IMAP_SEQ_STAR)
		buf_add_char(out, '*');
	else
		buf_addf(out, "%lu", (unsigned long)v);
}

static void
write_range(struct buf *out, struct imap_range r)
{
	write_number(out, r.first);
	if (r.last == r.first)
		return;
	buf_add_char(out, ':');
	write_number(out, r.last);
}

void
imap_seqset_format(struct buf *out, const struct imap_seqset *set)
{
	size_t i;

	if (set->saved)
		buf_add_char(out, '$');
	for (i = 0; i < set->n; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		write_range(out, set->ranges[i]);
	}
}

void
imap_seq_iter_init(struct imap_seq_iter *it, const struct imap_seqset *set)
{
	*it = (struct imap_seq_iter){ set, 0,
		set->n > 0 ? set->ranges[0].first : 0 };
}

bool
imap_seq_iter_next(struct imap_seq_iter *it, uint32_t *v_r)
{
	if (it->i < it->set->n && it->next > it->set->ranges[it->i].last) {
		it->i++;
		if (it->i < it->set->n)
			it->next = it->set->ranges[it->i].first;
	}
	if (it->i >= it->set->n)
		return false;
	*v_r = (uint32_t)it->next++;
	return true;
}

void
imap_seq_writer_init(struct imap_seq_writer *w, struct buf *out)
{
	*w = (struct imap_seq_writer){ .out = out };
}

static void
flush(struct imap_seq_writer *w)
{
	if (w->first == 0)
		return;
	if (w->any)
		buf_add_char(w->out, ',');
	write_range(w->out, (struct imap_range){ w->first, w->last });
	w->any = true;
}

void
imap_seq_writer_add(struct imap_seq_writer *w, uint32_t v)
{
	if (w->first != 0 && w->last != UINT32_MAX && v == w->last + 1) {
		w->last = v;
		return;
	}
	flush(w);
	w->first = w->last = v;
}

void
imap_seq_writer_end(struct imap_seq_writer *w)
{
	flush(w);
	w->first = w->last = 0;
}
