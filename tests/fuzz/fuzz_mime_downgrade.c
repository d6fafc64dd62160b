/* SPDX-License-Identifier: ISC */
/*
 * What comes out has 7 bits, the same structure, and the same content in every
 * leaf that was not encoded before.
 */
#include "proto/mime_downgrade.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "proto/limits.h"
#include "proto/mime.h"
#include "proto/qp.h"
#include "tests/fuzz/fuzz.h"

static int
collect(void *arg, struct slice bytes)
{
	FUZZ_ASSERT(bytes.n > 0);
	buf_add_slice(arg, bytes);
	return 0;
}

static void
parse(struct mime_message *m, struct region *r, struct slice in)
{
	struct mime_parser p;
	struct buf text;

	region_init(r, LIMIT_MIME_MEMORY);
	buf_init(&text, 2 * LIMIT_HEADER_FIELD);
	mime_init(&p, r, &text);
	mime_feed(&p, in);
	FUZZ_ASSERT(mime_finish(&p, m) == 0);
	buf_fini(&text);
}

static struct slice
body(struct slice message, const struct mime_part *p)
{
	return slice_head(slice_from(message, p->body.offset), p->body.size);
}

static void
decode_base64(struct slice in, struct buf *out)
{
	struct buf text;
	size_t i;

	buf_init(&text, in.n);
	for (i = 0; i < in.n; i++)
		if (in.p[i] != '\r' && in.p[i] != '\n')
			buf_add_char(&text, in.p[i]);
	FUZZ_ASSERT(base64_decode(out, buf_slice(&text)) == 0);
	buf_fini(&text);
}

static void
check_body(const struct mime_part *old, const struct mime_part *new,
    struct slice was, struct slice is)
{
	struct qp_decoder d;
	struct buf out;

	if (old->encoding > MIME_BINARY)
		return;
	buf_init(&out, 2 * is.n + 100);
	if (new->encoding == MIME_QUOTED_PRINTABLE) {
		qp_decoder_init(&d);
		qp_decode(&d, is, &out);
		qp_decode_end(&d, &out);
	} else if (new->encoding == MIME_BASE64) {
		decode_base64(is, &out);
	} else {
		buf_add_slice(&out, is);
	}
	FUZZ_ASSERT(buf_is_ok(&out) && slice_eq(buf_slice(&out), was));
	buf_fini(&out);
}

static void
check_same(const struct mime_part *old, const struct mime_part *new,
    struct slice was, struct slice is)
{
	FUZZ_ASSERT(old->kind == new->kind);
	FUZZ_ASSERT(slice_eq(old->type, new->type));
	FUZZ_ASSERT(slice_eq(old->subtype, new->subtype));
	if (old->child == NULL)
		check_body(old, new, body(was, old), body(is, new));
	old = old->child;
	new = new->child;
	for (; old != NULL && new != NULL; old = old->next, new = new->next)
		check_same(old, new, was, is);
	FUZZ_ASSERT(old == NULL && new == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct mime_message old, new;
	struct region r_old, r_new;
	struct buf out, scratch;

	parse(&old, &r_old, in);
	if (mime_downgrade_check(old.root) == MIME_DOWNGRADE_POSSIBLE) {
		buf_init(&out, 16 << 20);
		buf_init(&scratch, MIME_DOWNGRADE_SCRATCH);
		FUZZ_ASSERT(mime_downgrade(in, old.root, collect, &out,
		    &scratch) == 0);
		FUZZ_ASSERT(!utf8_has_8bit(buf_slice(&out)));
		parse(&new, &r_new, buf_slice(&out));
		FUZZ_ASSERT(mime_downgrade_check(new.root) ==
		    MIME_DOWNGRADE_NOT_NEEDED);
		check_same(old.root, new.root, in, buf_slice(&out));
		region_fini(&r_new);
		buf_fini(&scratch);
		buf_fini(&out);
	}
	region_fini(&r_old);
	return 0;
}
