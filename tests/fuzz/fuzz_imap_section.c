/* SPDX-License-Identifier: ISC */
/*
 * Every section of every message lies within it; what is served of a part has
 * the size that BODYSTRUCTURE says; chosen and other fields are all fields.
 */
#include "proto/imap_section.h"

#include "proto/limits.h"
#include "proto/mime.h"
#include "tests/fuzz/fuzz.h"

enum { DEPTH = 4 };

static void
check_fields(struct slice header, struct imap_section s, uint64_t served)
{
	struct slice names[] = { SLICE("content-type"), SLICE("A") };
	struct buf out;
	size_t n;

	buf_init(&out, 2 * header.n + 2);
	s.fields = names;
	s.n_fields = 2;
	s.text = IMAP_SECTION_FIELDS;
	imap_section_fields(&out, &s, header);
	n = out.n;
	s.text = IMAP_SECTION_FIELDS_NOT;
	buf_reset(&out);
	imap_section_fields(&out, &s, header);
	n += out.n;
	FUZZ_ASSERT(buf_is_ok(&out));
	/* The blank line is in both. */
	FUZZ_ASSERT(n == served || n == served + 2);
	buf_fini(&out);
}

static void
check(const struct mime_part *root, struct slice in, struct imap_section s)
{
	struct mime_span span;
	struct imap_serve v;
	struct buf out;
	int t;

	for (t = IMAP_SECTION_ALL; t <= IMAP_SECTION_MIME; t++) {
		s.text = (enum imap_section_text)t;
		if (imap_section_find(root, &s, &span) < 0)
			continue;
		FUZZ_ASSERT(span.offset + span.size <= in.n);
		buf_init(&out, 2 * in.n);
		imap_serve_init(&v, 0, UINT64_MAX);
		imap_serve(&v, slice_head(slice_from(in, span.offset),
		    span.size), &out);
		FUZZ_ASSERT(buf_is_ok(&out) && out.n == span.served);
		buf_fini(&out);
		if (s.text == IMAP_SECTION_FIELDS)
			check_fields(slice_head(slice_from(in, span.offset),
			    span.size), s, span.served);
	}
}

static void
check_all(const struct mime_part *root, struct slice in, uint32_t *parts,
    size_t n)
{
	uint32_t i;

	check(root, in, (struct imap_section){ .parts = parts, .n_parts = n });
	for (i = 1; n < DEPTH && i <= 5; i++) {
		parts[n] = i;
		if (imap_section_part(root, parts, n + 1) == NULL)
			break;
		check_all(root, in, parts, n + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct mime_message m;
	struct mime_parser p;
	uint32_t parts[DEPTH];
	struct region r;
	struct buf text;

	region_init(&r, LIMIT_MIME_MEMORY);
	buf_init(&text, 2 * LIMIT_HEADER_FIELD);
	mime_init(&p, &r, &text);
	mime_feed(&p, in);
	FUZZ_ASSERT(mime_finish(&p, &m) == 0);
	check_all(m.root, in, parts, 0);
	buf_fini(&text);
	region_fini(&r);
	return 0;
}
