/* SPDX-License-Identifier: ISC */
/* Key: window (big-endian) and key; value: a record of the two buckets. */
#include "auth/saved_rates.h"

#include <stdlib.h>
#include <string.h>

#include "auth/record.h"
#include "base/clock.h"
#include "sys/log.h"
#include "sys/row.h"

enum {
	RATE_BEGAN = 1, RATE_NOW = 2, RATE_BEFORE = 3,
	BATCH = 512,
	KEY_MAX = RATE_KEY_MAX + 4,
	GONE_MAX = 4 << 20 /* bytes of keys to be deleted */
};

struct saved_rates {
	struct rates *rates;
	struct table_env *env;
	struct table *table;
	struct buf gone; /* keys of rows to delete, packed by sys/row.h */
	int64_t wall_ahead_ms; /* of the boot clock, at start */
	struct table_change changes[BATCH];
	struct buf values[BATCH];
	char keys[BATCH][KEY_MAX];
};

static int64_t
wall_ahead(void)
{
	return clock_wall_us() / 1000 - clock_boot_ms();
}

static struct slice
row_key(const struct rate *e, char room[KEY_MAX])
{
	int i;

	for (i = 0; i < 4; i++)
		room[i] = (char)(e->window_s >> (24 - 8 * i) & 0xff);
	memcpy(room + 4, e->key, e->key_n);
	return (struct slice){ room, 4 + e->key_n };
}

static void
write_changes(struct saved_rates *s, size_t n)
{
	if (n > 0 && table_apply(s->env, s->changes, n, TABLE_LATER) < 0)
		log_warn("event=rates_not_saved why=%s",
		    LOG_S(table_error(s->env)));
}

/* Deletes the rows of what was forgotten. */
static void
write_gone(struct saved_rates *s)
{
	struct slice left = buf_slice(&s->gone), key;
	size_t n = 0;

	while (row_next(&left, &key)) {
		s->changes[n++] = (struct table_change){ .table = s->table,
			.key = key, .is_delete = true };
		if (n == BATCH) {
			write_changes(s, n);
			n = 0;
		}
	}
	write_changes(s, n);
	buf_reset(&s->gone);
}

static void
on_forgotten(void *arg, const struct rate *e)
{
	struct saved_rates *s = arg;
	char room[KEY_MAX];

	if (!e->is_saved)
		return;
	if (s->gone.n + KEY_MAX + 4 > s->gone.max)
		write_gone(s);
	row_add(&s->gone, row_key(e, room));
}

static bool
restore(void *arg, struct slice key, struct slice value)
{
	struct saved_rates *s = arg;
	int64_t now = clock_boot_ms();
	struct rate e = { 0 };
	int i;

	for (i = 0; i < 4 && key.n > 4; i++)
		e.window_s = e.window_s << 8 | (unsigned char)key.p[i];
	e.now = (uint32_t)record_get_u64(value, RATE_NOW, 0);
	e.before = (uint32_t)record_get_u64(value, RATE_BEFORE, 0);
	e.began_ms = (int64_t)record_get_u64(value, RATE_BEGAN, 0) -
	    s->wall_ahead_ms;
	if (e.began_ms > now) /* the clock was set back */
		e.began_ms = now;
	if (key.n <= 4 || !record_is_valid(value) || rate_is_over(&e, now)) {
		if (s->gone.n + key.n + 4 <= s->gone.max)
			row_add(&s->gone, key);
		return true;
	}
	rates_restore(s->rates, &e, slice_from(key, 4));
	return true;
}

int
saved_rates_open(enum table_driver driver, const char *dir, struct rates *r,
    struct buf *why, struct saved_rates **s_r)
{
	struct saved_rates *s = calloc(1, sizeof *s);

	if (s == NULL) {
		buf_add_str(why, "out of memory");
		return -1;
	}
	s->rates = r;
	s->wall_ahead_ms = wall_ahead();
	buf_init(&s->gone, GONE_MAX);
	r->forgotten = on_forgotten;
	r->arg = s;
	if (table_env_open(driver, dir, why, &s->env) == 0 &&
	    table_open(s->env, "rates", why, &s->table) == 0 &&
	    table_walk(s->table, SLICE_NONE, SLICE_NONE, restore, s) == 0) {
		*s_r = s;
		return 0;
	}
	if (why->n == 0 && s->env != NULL)
		buf_add_str(why, table_error(s->env));
	r->forgotten = NULL;
	table_env_close(&s->env);
	buf_fini(&s->gone);
	free(s);
	return -1;
}

bool
saved_rates_write(struct saved_rates *s)
{
	int64_t ahead = wall_ahead();
	struct list *first;
	struct rate *e;
	size_t n = 0, i;

	write_gone(s);
	while (n < BATCH && (first = list_first(&s->rates->dirty)) != NULL) {
		e = LIST_OF(first, struct rate, dirty);
		list_remove(first);
		e->is_saved = true;
		buf_init(&s->values[n], 256);
		record_begin(&s->values[n]);
		record_add_u64(&s->values[n], RATE_BEGAN,
		    (uint64_t)(e->began_ms + ahead));
		record_add_u64(&s->values[n], RATE_NOW, e->now);
		record_add_u64(&s->values[n], RATE_BEFORE, e->before);
		s->changes[n] = (struct table_change){ .table = s->table,
			.key = row_key(e, s->keys[n]),
			.value = buf_slice(&s->values[n]) };
		n++;
	}
	write_changes(s, n);
	for (i = 0; i < n; i++)
		buf_fini(&s->values[i]);
	return n == BATCH;
}

void
saved_rates_close(struct saved_rates **sp)
{
	struct saved_rates *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	while (saved_rates_write(s))
		;
	if (table_flush(s->env) < 0)
		log_warn("event=rates_not_saved why=%s",
		    LOG_S(table_error(s->env)));
	s->rates->forgotten = NULL;
	table_env_close(&s->env);
	buf_fini(&s->gone);
	free(s);
}
