/* SPDX-License-Identifier: ISC */
/* Versioned records of tagged fields, and numbers as keys. */
#include "auth/record.h"

#include <errno.h>

enum { HEAD = 3, NUMBER = 8, VALUE_MAX = 65535 };

void
record_begin(struct buf *b)
{
	buf_reset(b);
	buf_add_char(b, RECORD_VERSION);
}

void
record_add(struct buf *b, unsigned char tag, struct slice value)
{
	if (value.n > VALUE_MAX) {
		b->err = b->err == 0 ? ENOBUFS : b->err;
		return;
	}
	buf_add_char(b, (char)tag);
	buf_add_char(b, (char)(value.n & 0xff));
	buf_add_char(b, (char)(value.n >> 8));
	buf_add_slice(b, value);
}

void
record_add_u64(struct buf *b, unsigned char tag, uint64_t value)
{
	char bytes[NUMBER];
	int i;

	for (i = 0; i < NUMBER; i++)
		bytes[i] = (char)(value >> (8 * i) & 0xff);
	record_add(b, tag, (struct slice){ bytes, NUMBER });
}

bool
record_next(struct slice record, size_t *at, unsigned char *tag_r,
    struct slice *value_r)
{
	const unsigned char *p;
	size_t n;

	if (*at == 0)
		*at = 1;
	if (*at > record.n || record.n - *at < HEAD)
		return false;
	p = (const unsigned char *)record.p + *at;
	n = (size_t)p[1] | (size_t)p[2] << 8;
	if (record.n - *at - HEAD < n)
		return false;
	*tag_r = p[0];
	*value_r = (struct slice){ (const char *)p + HEAD, n };
	*at += HEAD + n;
	return true;
}

bool
record_is_valid(struct slice record)
{
	struct slice value;
	unsigned char tag;
	size_t at = 0;

	if (record.n == 0 || record.p[0] != RECORD_VERSION)
		return false;
	while (record_next(record, &at, &tag, &value))
		;
	return at == record.n || record.n == 1;
}

struct slice
record_get(struct slice record, unsigned char tag)
{
	struct slice value;
	unsigned char t;
	size_t at = 0;

	while (record_next(record, &at, &t, &value))
		if (t == tag)
			return value;
	return SLICE_NONE;
}

uint64_t
record_get_u64(struct slice record, unsigned char tag, uint64_t missing)
{
	struct slice v = record_get(record, tag);
	uint64_t number = 0;
	int i;

	if (v.n != NUMBER)
		return missing;
	for (i = NUMBER - 1; i >= 0; i--)
		number = number << 8 | (unsigned char)v.p[i];
	return number;
}

struct slice
record_key(unsigned char key[RECORD_KEY], uint64_t number)
{
	int i;

	for (i = 0; i < RECORD_KEY; i++)
		key[i] = (unsigned char)(number >> (8 * (RECORD_KEY - 1 - i)));
	return (struct slice){ (const char *)key, RECORD_KEY };
}

uint64_t
record_key_number(struct slice key)
{
	uint64_t number = 0;
	size_t i;

	if (key.n != RECORD_KEY)
		return 0;
	for (i = 0; i < RECORD_KEY; i++)
		number = number << 8 | (unsigned char)key.p[i];
	return number;
}
