/* SPDX-License-Identifier: ISC */
/* Base 32 without padding: five bits a character, leading zeros left out. */
#include "base/queue_id.h"

#include <string.h>

static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

static size_t
format(uint64_t id, char text[QUEUE_ID_MAX])
{
	size_t at = QUEUE_ID_MAX;

	do {
		text[--at] = letters[id & 31];
		id >>= 5;
	} while (id != 0);
	return at;
}

void
queue_id_add(struct buf *out, uint64_t id)
{
	char text[QUEUE_ID_MAX];
	size_t at = format(id, text);

	buf_add(out, text + at, sizeof text - at);
}

const char *
queue_id_text(uint64_t id)
{
	static char ring[8][QUEUE_ID_MAX + 1];
	static unsigned turn;
	char *text = ring[turn++ % 8];

	text[QUEUE_ID_MAX] = 0;
	return text + format(id, text);
}

/* People write O for 0, and I or L for 1. -1 when it is none of ours. */
static int
value_of(char c)
{
	const char *at;

	c = ascii_lower(c);
	if (c == 'o')
		return 0;
	if (c == 'i' || c == 'l')
		return 1;
	at = c == 0 ? NULL : strchr(letters, c);
	return at == NULL ? -1 : (int)(at - letters);
}

int
queue_id_parse(struct slice text, uint64_t *id_r)
{
	uint64_t id = 0;
	size_t i;
	int v;

	if (text.n == 0 || text.n > QUEUE_ID_MAX)
		return -1;
	for (i = 0; i < text.n; i++) {
		v = value_of(text.p[i]);
		if (v < 0 || id > UINT64_MAX >> 5)
			return -1;
		id = id << 5 | (uint64_t)v;
	}
	*id_r = id;
	return 0;
}
