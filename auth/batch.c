/* SPDX-License-Identifier: ISC */
/* Refusals, and changes gathered into one transaction. */
#include "auth/batch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "auth/accounts_priv.h"
#include "auth/canonical.h"
#include "auth/changes.h"
#include "sys/log.h"

/* Three rows for an account, and those of meta. */
enum { BATCH_MAX = 3 * CHANGE_ACCOUNTS_MAX + 8, BATCH_MEMORY = 16 << 20,
	SENTENCE_MAX = 1024 };

void
refusal_init(struct refusal *r)
{
	r->exit = 0;
	buf_init(&r->text, SENTENCE_MAX);
}

void
refusal_fini(struct refusal *r)
{
	buf_fini(&r->text);
}

int
refuse(struct refusal *r, int exit, const char *fmt, ...)
{
	char sentence[SENTENCE_MAX];
	va_list ap;

	r->exit = (uint8_t)exit;
	buf_reset(&r->text);
	va_start(ap, fmt);
	/* Cut rather than lost when it quotes something huge. */
	(void)vsnprintf(sentence, sizeof sentence, fmt, ap);
	va_end(ap);
	buf_add_str(&r->text, sentence);
	return -1;
}

int
refuse_trouble(struct accounts *a, struct refusal *why)
{
	return refuse(why, EX_IOERR, "the tables cannot be used: %s",
	    table_error(a->env));
}

/* An address as people know it; in a buffer used again by the next call but
 * three. */
const char *
batch_shown(struct slice key)
{
	static struct buf texts[4];
	static unsigned at;
	struct buf *b = &texts[at++ % 4];

	if (b->max == 0)
		buf_init(b, 1024);
	buf_reset(b);
	canonical_address(key, b);
	return b->p;
}


int
batch_begin(struct batch *b, struct accounts *a, struct refusal *why)
{
	*b = (struct batch){ .a = a };
	region_init(&b->mem, BATCH_MEMORY);
	b->v = calloc(BATCH_MAX, sizeof *b->v);
	if (b->v != NULL)
		return 0;
	return refuse(why, EX_TEMPFAIL, "out of memory");
}

void
batch_fini(struct batch *b)
{
	free(b->v);
	region_fini(&b->mem);
}

static struct table_change *
batch_next(struct batch *b, struct table *t, struct slice key)
{
	struct table_change *c = &b->v[b->n];

	if (b->n == BATCH_MAX)
		BUG("a batch of more than %d changes", BATCH_MAX);
	b->n++;
	*c = (struct table_change){ .table = t,
		.key = region_slice(&b->mem, key) };
	return c;
}

void
batch_put(struct batch *b, struct table *t, struct slice key,
    const struct buf *value)
{
	struct table_change *c = batch_next(b, t, key);

	c->value = region_slice(&b->mem, buf_slice(value));
	if (!buf_is_ok(value))
		b->mem.failed = true;
}

void
batch_delete(struct batch *b, struct table *t, struct slice key)
{
	batch_next(b, t, key)->is_delete = true;
}

void
batch_put_number(struct batch *b, struct table *t, struct slice key,
    unsigned char tag, uint64_t number)
{
	struct buf value;

	buf_init(&value, 64);
	record_begin(&value);
	record_add_u64(&value, tag, number);
	batch_put(b, t, key, &value);
	buf_fini(&value);
}

/* Ends the batch either way. */
int
batch_commit(struct batch *b, struct refusal *why)
{
	struct accounts *a = b->a;
	int result = 0;

	batch_put_number(b, a->meta, SLICE(META_GENERATION), META_VALUE,
	    a->generation + 1);
	if (b->mem.failed)
		result = refuse(why, EX_TEMPFAIL, "out of memory");
	else if (table_apply(a->env, b->v, b->n, TABLE_DURABLE) < 0)
		result = refuse_trouble(a, why);
	else
		a->generation++;
	batch_fini(b);
	return result;
}
