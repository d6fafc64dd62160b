/* SPDX-License-Identifier: ISC */
/*
 * Prints the MIME tree of a message, one part per line, for comparison with
 * other parsers: depth, kind, type, encoding, offset and size of the header and
 * of the body as stored, served size and lines of the body. With -b, -e it
 * prints BODYSTRUCTURE or ENVELOPE instead.
 *	mime_dump [-b | -e] < message
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/imap_body.h"
#include "proto/imap_envelope.h"
#include "proto/limits.h"
#include "proto/mime.h"

static const char *const kinds[] = {
	[MIME_LEAF] = "leaf",
	[MIME_MULTIPART] = "multipart",
	[MIME_MESSAGE] = "message",
	[MIME_OPAQUE] = "opaque",
};

static void
print(const struct mime_part *p)
{
	const struct mime_part *child;

	(void)printf("%u %s %.*s/%.*s %.*s %" PRIu64 "+%" PRIu64 " %" PRIu64
	    "+%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", p->depth, kinds[p->kind],
	    SLICE_FMT(p->type), SLICE_FMT(p->subtype),
	    SLICE_FMT(p->encoding_name.p == NULL ? SLICE("-") :
						   p->encoding_name),
	    p->header.offset, p->header.size, p->body.offset, p->body.size,
	    p->body.served, p->body.lines);
	for (child = p->child; child != NULL; child = child->next)
		print(child);
}

static void
print_response(const struct mime_part *root, bool is_body, struct buf *text)
{
	struct buf out;

	buf_init(&out, 64 << 20);
	if (is_body)
		imap_body_write(&out, root, IMAP_BODY_EXTENDED, text);
	else
		imap_envelope_write(&out, root->envelope, text);
	(void)fwrite(out.p, 1, out.n, stdout);
	(void)putchar('\n');
	buf_fini(&out);
}

int
main(int argc, char **argv)
{
	static char piece[65536];
	const char *mode = argc > 1 ? argv[1] : "";
	struct mime_message m;
	struct mime_parser p;
	struct region r;
	struct buf text;
	size_t n;

	region_init(&r, LIMIT_MIME_MEMORY);
	buf_init(&text, 2 * LIMIT_HEADER);
	mime_init(&p, &r, &text);
	do {
		n = fread(piece, 1, sizeof piece, stdin);
		mime_feed(&p, (struct slice){ piece, n });
	} while (n > 0);
	if (mime_finish(&p, &m) < 0)
		return 1;
	if (*mode == 0)
		print(m.root);
	else
		print_response(m.root, strcmp(mode, "-b") == 0, &text);
	buf_fini(&text);
	region_fini(&r);
	return 0;
}
