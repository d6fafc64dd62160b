/* SPDX-License-Identifier: ISC */
/* Length-prefixed lists of strings. */
#include "sys/row.h"

#include <stdio.h>
#include <string.h>

void
row_add(struct buf *b, struct slice item)
{
	uint32_t n = (uint32_t)item.n;

	buf_add(b, &n, sizeof n);
	buf_add_slice(b, item);
}

void
row_add_str(struct buf *b, const char *item)
{
	row_add(b, slice_str(item));
}

void
row_pair(struct buf *b, const char *key, struct slice value)
{
	row_add_str(b, key);
	row_add(b, value);
}

void
row_pair_str(struct buf *b, const char *key, const char *value)
{
	row_pair(b, key, slice_str(value));
}

void
row_pair_u64(struct buf *b, const char *key, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	row_pair_str(b, key, text);
}

bool
row_next(struct slice *list, struct slice *item_r)
{
	uint32_t n;

	if (list->n < sizeof n)
		return false;
	memcpy(&n, list->p, sizeof n);
	if (n > list->n - sizeof n)
		return false;
	*item_r = (struct slice){ list->p + sizeof n, n };
	*list = slice_from(*list, sizeof n + n);
	return true;
}

struct slice
row_get(struct slice row, const char *key)
{
	struct slice k, v;

	while (row_next(&row, &k) && row_next(&row, &v))
		if (slice_eq_str(k, key))
			return v;
	return SLICE_NONE;
}
