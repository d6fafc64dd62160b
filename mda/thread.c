/* SPDX-License-Identifier: ISC */
/*
 * The ids of a message (RFC 8474), made from what outlives the map.
 *
 * Its thread: a hash of the first message id of its References, else
 * In-Reply-To, else its own Message-ID (5.2 leaves the way to the server): the
 * root of the thread as this message knows it. Zero when there is none of them.
 *
 * Its own: a hash of the name of its first file, which no other ever has. A
 * copy keeps it, as long as there is the map; after that it has a new one.
 */
#include <string.h>

#include "mda/model.h"

/* The value of a field, folded lines and all; SLICE_NONE when not there. */
static struct slice
field(struct slice head, struct slice name)
{
	struct slice line, rest = head;
	const char *from, *end;

	while (slice_split(&rest, '\n', &line)) {
		if (line.n <= 1)
			break;
		if (!slice_has_iprefix(line, name))
			continue;
		from = line.p + name.n;
		end = line.p + line.n;
		while (rest.n > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t') &&
		    slice_split(&rest, '\n', &line))
			end = line.p + line.n;
		return (struct slice){ from, (size_t)(end - from) };
	}
	return SLICE_NONE;
}

static struct slice
first_id(struct slice head, struct slice name)
{
	struct slice value = field(head, name);
	ptrdiff_t from, to;

	from = slice_chr(value, '<');
	if (from < 0)
		return SLICE_NONE;
	value = slice_from(value, (size_t)from);
	to = slice_chr(value, '>');
	return to < 2 ? SLICE_NONE : slice_head(value, (size_t)to + 1);
}

static uint64_t
hash(struct slice s, uint64_t h)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		h = (h ^ (uint8_t)s.p[i]) * 0x100000001b3;
		h ^= h >> 31;
	}
	h *= 0x9e3779b97f4a7c15;
	return h ^ h >> 29;
}

static void
hash_twice(struct slice s, uint8_t id_r[ROW_OBJECT_ID])
{
	uint64_t h[2];

	h[0] = hash(s, 0xcbf29ce484222325);
	h[1] = hash(s, h[0] ^ 0x6c62272e07bb0142);
	memcpy(id_r, h, sizeof h);
}

void
email_of(struct slice file, uint8_t id_r[ROW_OBJECT_ID])
{
	hash_twice(file, id_r);
}

void
thread_of(struct slice head, uint8_t id_r[ROW_OBJECT_ID])
{
	static const char *const names[] = { "References:", "In-Reply-To:",
		"Message-ID:" };
	struct slice id = SLICE_NONE;
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names && id.n == 0; i++)
		id = first_id(head, slice_str(names[i]));
	memset(id_r, 0, ROW_OBJECT_ID);
	if (id.n > 0)
		hash_twice(id, id_r);
}
