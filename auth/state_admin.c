/* SPDX-License-Identifier: ISC */
/*
 * What an administrator asks of state. The arguments are pairs packed by
 * sys/row.h, KEY VALUE KEY VALUE …; those in brackets may be missing:
 *
 *	rate list   [prefix] [after] [limit]   rows: key, window (seconds),
 *	            count; in the order of their keys, at most `limit` (100, up
 *	            to 500) keys; when there is more, a last row has only the
 *	            key "next": the value for `after`
 *	rate clear  key                        a '*' at its end: all that begin
 *	            so
 *
 * Exit codes are those of sysexits.h.
 */
#include "auth/state_admin.h"

#include <string.h>
#include <sysexits.h>

#include "auth/rates.h"
#include "base/clock.h"
#include "base/num.h"
#include "sys/daemon.h"
#include "sys/row.h"

enum { LIST_DEFAULT = 100, LIST_MAX = 500 };

/* The first so many in order, found in one pass without sorting them all. */
struct page {
	const struct rate *v[LIST_MAX + 1];
	size_t n, max;
};

static struct slice
key_of(const struct rate *e)
{
	return (struct slice){ e->key, e->key_n };
}

static int
compare(const struct rate *a, const struct rate *b)
{
	int c = slice_cmp(key_of(a), key_of(b));

	return c != 0 ? c : (a->window_s > b->window_s) -
		(a->window_s < b->window_s);
}

static void
page_add(struct page *p, const struct rate *e)
{
	size_t low = 0, high = p->n, mid;

	if (p->n == p->max && compare(e, p->v[p->n - 1]) > 0)
		return;
	while (low < high) {
		mid = (low + high) / 2;
		if (compare(p->v[mid], e) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (p->n == p->max)
		p->n--;
	memmove(&p->v[low + 1], &p->v[low], (p->n - low) * sizeof *p->v);
	p->v[low] = e;
	p->n++;
}

static void
send_rate(struct ipc_link *l, uint64_t req, const struct rate *e)
{
	struct buf row;

	buf_init(&row, 1024);
	row_pair(&row, "key", key_of(e));
	row_pair_u64(&row, "window", e->window_s);
	row_pair_u64(&row, "count", rate_count(e, clock_boot_ms()));
	daemon_row(l, req, &row);
	buf_fini(&row);
}

/* Windows of one key are never parted by the end of a page. */
static size_t
page_end(const struct page *p, size_t limit)
{
	size_t n = p->n;

	if (n <= limit)
		return n;
	n = limit;
	while (n > 1 && slice_eq(key_of(p->v[n - 1]), key_of(p->v[n])))
		n--;
	return n;
}

static void
rate_list(struct rates *r, struct ipc_link *l, uint64_t req,
    struct slice args)
{
	struct slice prefix = row_get(args, "prefix");
	struct slice after = row_get(args, "after");
	struct slice text = row_get(args, "limit");
	uint64_t limit = LIST_DEFAULT;
	static struct page p;
	struct list *it, *tmp;
	struct rate *e;
	struct buf row;
	size_t i, n;

	if (text.n > 0 && num_parse(text, 1, LIST_MAX, &limit) < 0) {
		daemon_done(l, req, EX_USAGE, "limit: a number from 1 to %d",
		    LIST_MAX);
		return;
	}
	p.n = 0;
	p.max = limit + 1;
	LIST_EACH(it, tmp, &r->lru) {
		e = LIST_OF(it, struct rate, lru);
		if (slice_has_prefix(key_of(e), prefix) &&
		    (after.n == 0 || slice_cmp(key_of(e), after) > 0) &&
		    !rate_is_over(e, clock_boot_ms()))
			page_add(&p, e);
	}
	n = page_end(&p, limit);
	for (i = 0; i < n; i++)
		send_rate(l, req, p.v[i]);
	if (n < p.n) {
		buf_init(&row, 1024);
		row_pair(&row, "next", key_of(p.v[n - 1]));
		daemon_row(l, req, &row);
		buf_fini(&row);
	}
	daemon_done(l, req, EX_OK, "%s", "");
}

static void
rate_clear(struct rates *r, struct ipc_link *l, uint64_t req,
    struct slice args)
{
	struct slice key = row_get(args, "key");
	size_t n;

	if (key.n == 0) {
		daemon_done(l, req, EX_USAGE, "which key? ('*' for all)");
		return;
	}
	n = rates_clear(r, key);
	if (n == 0)
		daemon_done(l, req, EX_UNAVAILABLE, "nothing is counted "
		    "under %.*s", SLICE_FMT(slice_head(key, 200)));
	else
		daemon_done(l, req, EX_OK, "%zu counters cleared", n);
}

static const struct verb {
	const char *name, *keys;
	void (*run)(struct rates *r, struct ipc_link *l, uint64_t req,
	    struct slice args);
} verbs[] = {
	{ "rate list", " prefix after limit ", rate_list },
	{ "rate clear", " key ", rate_clear },
};

/* Whole pairs, of known keys? */
static bool
has_good_args(const struct verb *v, struct slice args)
{
	struct slice key, value, keys, known;
	bool is_known;

	while (row_next(&args, &key)) {
		is_known = false;
		keys = slice_str(v->keys);
		while (slice_split(&keys, ' ', &known))
			is_known |= known.n > 0 && slice_eq(known, key);
		if (!is_known || !row_next(&args, &value))
			return false;
	}
	return args.n == 0;
}

void
state_admin_run(struct rates *r, struct ipc_link *l, uint64_t req,
    struct slice verb, struct slice args)
{
	size_t i;

	for (i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (!slice_eq_str(verb, verbs[i].name))
			continue;
		if (has_good_args(&verbs[i], args))
			verbs[i].run(r, l, req, args);
		else
			daemon_done(l, req, EX_USAGE,
			    "unknown or malformed arguments");
		return;
	}
	daemon_done(l, req, EX_USAGE, "state does not know \"%.*s\"",
	    SLICE_FMT(slice_head(verb, 100)));
}
