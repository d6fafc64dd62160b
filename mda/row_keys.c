/* SPDX-License-Identifier: ISC */
/* The keys of the account map: a kind, then numbers that sort (big-endian). */
#include <string.h>

#include "mda/rows.h"

/* What is left of a key being taken apart. */
struct reader {
	const uint8_t *p;
	size_t n;
	bool bad;
};

static uint64_t
get(struct reader *r, size_t n)
{
	uint64_t v = 0;
	size_t i;

	if (r->bad || r->n < n) {
		r->bad = true;
		return 0;
	}
	for (i = 0; i < n; i++)
		v = v << 8 | r->p[i];
	r->p += n;
	r->n -= n;
	return v;
}

static int
end(const struct reader *r)
{
	return r->bad || r->n != 0 ? -1 : 0;
}

static void
key_add(struct row_key *k, uint64_t v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		k->p[k->n++] = (char)(v >> (8 * (n - 1 - i)));
}

struct slice
row_key_slice(const struct row_key *k)
{
	return (struct slice){ k->p, k->n };
}

struct row_key
row_key_kind(char kind)
{
	return (struct row_key){ 1, { kind } };
}

struct row_key
row_key_mailbox(char kind, uint32_t mailbox)
{
	struct row_key k = row_key_kind(kind);

	key_add(&k, mailbox, 4);
	return k;
}

struct row_key
row_key_message(char kind, uint32_t mailbox, uint32_t uid)
{
	struct row_key k = row_key_mailbox(kind, mailbox);

	key_add(&k, uid, 4);
	return k;
}

struct row_key
row_key_version(char kind, uint64_t version, uint32_t n)
{
	struct row_key k = row_key_kind(kind);

	key_add(&k, version, 8);
	key_add(&k, n, 4);
	return k;
}

struct row_key
row_key_expunged(uint32_t mailbox, uint64_t modseq, uint32_t uid)
{
	struct row_key k = row_key_mailbox('X', mailbox);

	key_add(&k, modseq, 8);
	key_add(&k, uid, 4);
	return k;
}

struct row_key
row_key_keyword(uint32_t mailbox, uint16_t number)
{
	struct row_key k = row_key_mailbox('K', mailbox);

	key_add(&k, number, 2);
	return k;
}

struct row_key
row_key_delivery(const void *id)
{
	struct row_key k = row_key_kind('D');

	memcpy(k.p + k.n, id, ROW_DELIVERY_ID);
	k.n += ROW_DELIVERY_ID;
	return k;
}

struct row_key
row_key_named(char kind, uint32_t number)
{
	struct row_key k = row_key_kind('N');

	key_add(&k, (uint8_t)kind, 1);
	key_add(&k, number, 4);
	return k;
}

/* A key without its kind byte. */
static struct reader
begin_key(struct slice key)
{
	struct reader r = { (const uint8_t *)key.p, key.n, false };

	(void)get(&r, 1);
	return r;
}

int
row_mailbox_of(struct slice key, uint32_t *mailbox_r)
{
	struct reader r = begin_key(key);
	uint32_t mailbox = (uint32_t)get(&r, 4);

	if (end(&r) < 0)
		return -1;
	*mailbox_r = mailbox;
	return 0;
}

int
row_message_of(struct slice key, uint32_t *mailbox_r, uint32_t *uid_r)
{
	struct reader r = begin_key(key);
	uint32_t mailbox = (uint32_t)get(&r, 4);
	uint32_t uid = (uint32_t)get(&r, 4);

	if (end(&r) < 0)
		return -1;
	*mailbox_r = mailbox;
	*uid_r = uid;
	return 0;
}

int
row_version_of(struct slice key, uint64_t *version_r, uint32_t *n_r)
{
	struct reader r = begin_key(key);
	uint64_t version = get(&r, 8);
	uint32_t n = (uint32_t)get(&r, 4);

	if (end(&r) < 0)
		return -1;
	*version_r = version;
	*n_r = n;
	return 0;
}

int
row_expunged_of(struct slice key, uint32_t *mailbox_r, uint64_t *modseq_r,
    uint32_t *uid_r)
{
	struct reader r = begin_key(key);
	uint32_t mailbox = (uint32_t)get(&r, 4);
	uint64_t modseq = get(&r, 8);
	uint32_t uid = (uint32_t)get(&r, 4);

	if (end(&r) < 0)
		return -1;
	*mailbox_r = mailbox;
	*modseq_r = modseq;
	*uid_r = uid;
	return 0;
}

int
row_keyword_of(struct slice key, uint32_t *mailbox_r, uint16_t *number_r)
{
	struct reader r = begin_key(key);
	uint32_t mailbox = (uint32_t)get(&r, 4);
	uint16_t number = (uint16_t)get(&r, 2);

	if (end(&r) < 0)
		return -1;
	*mailbox_r = mailbox;
	*number_r = number;
	return 0;
}

int
row_named_of(struct slice key, char *kind_r, uint32_t *number_r)
{
	struct reader r = begin_key(key);
	char kind = (char)get(&r, 1);
	uint32_t number = (uint32_t)get(&r, 4);

	if (end(&r) < 0)
		return -1;
	*kind_r = kind;
	*number_r = number;
	return 0;
}
