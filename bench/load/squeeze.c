/* SPDX-License-Identifier: ISC */
/* Two raw deflate streams; ours is small, for there are many of them. */
#define ZLIB_CONST
#include "bench/load/squeeze.h"

#include <stdlib.h>
#include <zlib.h>

#include "bench/load/load.h"

enum { WINDOW = 9, MEMORY = 1, PIECE = 4096 };

struct squeeze {
	z_stream in, out;
};

struct squeeze *
squeeze_new(void)
{
	struct squeeze *z = calloc(1, sizeof *z);

	if (z == NULL || inflateInit2(&z->in, -MAX_WBITS) != Z_OK ||
	    deflateInit2(&z->out, Z_BEST_SPEED, Z_DEFLATED, -WINDOW, MEMORY,
		Z_DEFAULT_STRATEGY) != Z_OK)
		load_die("no memory for DEFLATE");
	return z;
}

void
squeeze_free(struct squeeze **zp)
{
	struct squeeze *z = *zp;

	*zp = NULL;
	if (z == NULL)
		return;
	(void)inflateEnd(&z->in);
	(void)deflateEnd(&z->out);
	free(z);
}

void
squeeze_out(struct squeeze *z, struct slice plain, struct buf *wire)
{
	unsigned char piece[PIECE];

	z->out.next_in = (const unsigned char *)plain.p;
	z->out.avail_in = (unsigned)plain.n;
	do {
		z->out.next_out = piece;
		z->out.avail_out = sizeof piece;
		(void)deflate(&z->out, Z_SYNC_FLUSH);
		buf_add(wire, piece, sizeof piece - z->out.avail_out);
	} while (z->out.avail_out == 0);
}

int
squeeze_in(struct squeeze *z, struct slice wire, struct buf *plain)
{
	unsigned char piece[PIECE];
	int result;

	z->in.next_in = (const unsigned char *)wire.p;
	z->in.avail_in = (unsigned)wire.n;
	do {
		z->in.next_out = piece;
		z->in.avail_out = sizeof piece;
		result = inflate(&z->in, Z_SYNC_FLUSH);
		if (result != Z_OK && result != Z_BUF_ERROR)
			return -1;
		buf_add(plain, piece, sizeof piece - z->in.avail_out);
	} while (z->in.avail_out == 0);
	return buf_is_ok(plain) ? 0 : -1;
}
