/* SPDX-License-Identifier: ISC */
/*
 * Rows that nobody waits for: where a body's name is now, bodies that are
 * deleted, what is done with for good. They ride along with the next commit,
 * or have one of their own when there is none for a while. Whoever reads such
 * a row looks here first.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "mda/model.h"

enum { TIDY_MS = 5000, TIDY_MAX = 1000 };

static void
add(struct account *a, struct row_key key, struct slice value)
{
	struct slice k = row_key_slice(&key);
	struct tidy *t = map_get(&a->tidy, k);

	if (t == NULL) {
		t = model_alloc(sizeof *t);
		buf_init(&t->value, STORE_ROW_MAX);
		if (map_put(&a->tidy, k, t, NULL) < 0) {
			free(t);
			return; /* found out again when next looked at */
		}
	}
	buf_reset(&t->value);
	buf_add_slice(&t->value, value);
	t->in_flight = false;
	if (a->tidy.n == TIDY_MAX)
		loop_timer_set(&a->tidy_timer, clock_boot_ms());
	else if (!loop_timer_is_set(&a->tidy_timer))
		loop_timer_set(&a->tidy_timer, clock_boot_ms() + TIDY_MS);
}

void
tidy_put(struct account *a, struct row_key key, struct slice value)
{
	add(a, key, value);
}

void
tidy_del(struct account *a, struct row_key key)
{
	add(a, key, SLICE_NONE);
}

void
mailbox_touch(struct mailbox *m)
{
	struct account *a = m->account;

	m->dirty = true;
	if (!loop_timer_is_set(&a->tidy_timer))
		loop_timer_set(&a->tidy_timer, clock_boot_ms() + TIDY_MS);
}

void
tidy_take(struct account *a, struct txn *t, size_t max)
{
	struct tidy *row;
	struct row_key key;
	struct slice k;
	size_t pos = 0, taken = 0, i;

	loop_timer_clear(&a->tidy_timer);
	/* What the transaction itself says of a row comes later and wins: the
	 * rows of a store_commit are applied in order. So they go first. */
	while (taken < max &&
	    (row = map_next(&a->tidy, &pos, &k)) != NULL) {
		taken++;
		key.n = k.n;
		for (i = 0; i < k.n; i++)
			key.p[i] = k.p[i];
		row->in_flight = true;
		txn_put_first(t, key, buf_slice(&row->value));
	}
}

void
tidy_done(struct account *a, bool ok)
{
	struct tidy *row;
	struct slice k;
	size_t pos = 0;

	while ((row = map_next(&a->tidy, &pos, &k)) != NULL) {
		if (!row->in_flight)
			continue;
		row->in_flight = false;
		if (!ok)
			continue;
		(void)map_remove(&a->tidy, k);
		map_back(&pos);
		buf_fini(&row->value);
		free(row);
	}
	if (!tidy_is_empty(a) && !loop_timer_is_set(&a->tidy_timer))
		loop_timer_set(&a->tidy_timer, clock_boot_ms() + TIDY_MS);
}

bool
tidy_is_empty(const struct account *a)
{
	size_t i;

	for (i = 0; i < a->n_boxes; i++)
		if (a->boxes[i]->dirty)
			return false;
	return a->tidy.n == 0;
}

void
tidy_fini(struct account *a)
{
	struct tidy *row;
	size_t pos = 0;

	while ((row = map_next(&a->tidy, &pos, NULL)) != NULL) {
		buf_fini(&row->value);
		free(row);
	}
	map_fini(&a->tidy);
}

bool
tidy_get(const struct account *a, struct row_key key, struct slice *value_r)
{
	const struct tidy *t = a->tidy.n == 0 ? NULL :
	    map_get(&a->tidy, row_key_slice(&key));

	if (t != NULL)
		*value_r = buf_slice(&t->value);
	return t != NULL;
}

enum store_result
account_row(struct account *a, struct row_key key, struct buf *out)
{
	struct slice value;

	if (!tidy_get(a, key, &value))
		return store_get(a->store, row_key_slice(&key), out);
	buf_add_slice(out, value);
	return value.n == 0 ? STORE_NONE : STORE_OK;
}

enum store_result
account_file(struct account *a, const struct mailbox *m, uint32_t uid,
    struct buf *hold, struct row_file *f_r, struct store_body *b_r)
{
	enum store_result r;

	r = account_row(a, row_key_message('F', m->info.number, uid), hold);
	if (r != STORE_OK)
		return r;
	if (row_get_file(buf_slice(hold), f_r) < 0)
		return STORE_FAILED;
	*b_r = (struct store_body){ .folder = m->folder, .id = f_r->id,
		.place = (enum body_place)f_r->place,
		.letters = f_r->letters };
	return STORE_OK;
}
