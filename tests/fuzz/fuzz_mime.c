/* SPDX-License-Identifier: ISC */
/* The tree must not depend on how the message was cut into pieces. */
#include "proto/mime.h"

#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

struct parsed {
	struct region r;
	struct mime_message m;
};

static void
parse(struct parsed *x, struct slice in, size_t step)
{
	struct mime_parser p;
	struct buf text;
	size_t at;

	region_init(&x->r, LIMIT_MIME_MEMORY);
	buf_init(&text, 2 * LIMIT_HEADER_FIELD);
	mime_init(&p, &x->r, &text);
	for (at = 0; at < in.n; at += step)
		mime_feed(&p, slice_head(slice_from(in, at), step));
	FUZZ_ASSERT(mime_finish(&p, &x->m) == 0);
	buf_fini(&text);
}

static void
check_span(const struct mime_span *s, const struct mime_span *in)
{
	FUZZ_ASSERT(s->offset >= in->offset);
	FUZZ_ASSERT(s->offset + s->size <= in->offset + in->size);
	FUZZ_ASSERT(s->served >= s->size && s->served <= 2 * s->size);
	FUZZ_ASSERT(s->lines <= in->lines && s->served - s->size <= s->lines);
}

static void
check(const struct mime_part *p)
{
	const struct mime_part *c;
	uint64_t at = p->body.offset;

	FUZZ_ASSERT(p->header.offset + p->header.size == p->body.offset);
	FUZZ_ASSERT((p->kind == MIME_MULTIPART || p->kind == MIME_MESSAGE) ==
	    (p->child != NULL));
	FUZZ_ASSERT(p->depth < LIMIT_MIME_DEPTH);
	for (c = p->child; c != NULL; c = c->next) {
		FUZZ_ASSERT(c->parent == p && c->header.offset >= at);
		check_span(&c->header, &p->body);
		check_span(&c->body, &p->body);
		check(c);
		at = c->body.offset + c->body.size;
	}
	if (p->kind == MIME_MESSAGE) {
		c = p->child;
		FUZZ_ASSERT(c->next == NULL && c->envelope != NULL);
		FUZZ_ASSERT(c->header.size + c->body.size == p->body.size);
		FUZZ_ASSERT(c->header.served + c->body.served ==
		    p->body.served);
	}
}

static void
check_same(const struct mime_part *a, const struct mime_part *b)
{
	FUZZ_ASSERT(a->kind == b->kind && a->flags == b->flags);
	FUZZ_ASSERT(a->header.size == b->header.size);
	FUZZ_ASSERT(a->body.offset == b->body.offset);
	FUZZ_ASSERT(a->body.served == b->body.served);
	FUZZ_ASSERT(a->body.lines == b->body.lines);
	FUZZ_ASSERT(slice_eq(a->type, b->type));
	for (a = a->child, b = b->child; a != NULL && b != NULL;
	    a = a->next, b = b->next)
		check_same(a, b);
	FUZZ_ASSERT(a == NULL && b == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct parsed a, b;

	parse(&a, in, size + 1);
	FUZZ_ASSERT(a.m.size == size);
	FUZZ_ASSERT(a.m.root->header.size + a.m.root->body.size == size);
	FUZZ_ASSERT(a.m.served == size + a.m.lf_lines);
	check(a.m.root);
	parse(&b, in, size == 0 ? 1 : 1 + data[0] % 7);
	check_same(a.m.root, b.m.root);
	region_fini(&a.r);
	region_fini(&b.r);
	return 0;
}
