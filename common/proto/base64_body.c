/* SPDX-License-Identifier: ISC */
/* Base 64 as a body's transfer encoding. */
#include "proto/base64_body.h"

#include <string.h>

#include "base/base64.h"

void
base64_encoder_init(struct base64_encoder *e)
{
	e->n_held = 0;
}

static void
encode_line(struct slice octets, struct buf *out)
{
	base64_encode(out, octets);
	buf_add_str(out, "\r\n");
}

void
base64_body_encode(struct base64_encoder *e, struct slice in, struct buf *out)
{
	size_t n;

	while (in.n > 0) {
		n = sizeof e->held - e->n_held;
		n = n < in.n ? n : in.n;
		memcpy(e->held + e->n_held, in.p, n);
		e->n_held += n;
		in = slice_from(in, n);
		if (e->n_held == sizeof e->held) {
			encode_line((struct slice){ e->held, e->n_held }, out);
			e->n_held = 0;
		}
	}
}

void
base64_body_encode_end(struct base64_encoder *e, struct buf *out)
{
	if (e->n_held > 0)
		encode_line((struct slice){ e->held, e->n_held }, out);
	e->n_held = 0;
}

void
base64_decoder_init(struct base64_decoder *d)
{
	*d = (struct base64_decoder){ 0 };
}

/* The value of each character, and 64 for those that have none. */
static const unsigned char values[256] = {
#define X 64
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, 62, X, X, X, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X, X, X, X, X, X,
	X, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X, X, X, X, X,
	X, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
#undef X
};

/* Puts out the whole octets of a group of 2, 3 or 4 characters. */
static void
end_group(struct base64_decoder *d, struct buf *out)
{
	const uint32_t bits = d->bits << (24 - 6 * d->n);
	const char octets[3] = { (char)(bits >> 16 & 0xff),
		(char)(bits >> 8 & 0xff), (char)(bits & 0xff) };

	buf_add(out, octets, d->n > 1 ? d->n - 1 : 0);
	base64_decoder_init(d);
}

void
base64_body_decode(struct base64_decoder *d, struct slice in, struct buf *out)
{
	unsigned char value;
	size_t i;

	for (i = 0; i < in.n; i++) {
		value = values[(unsigned char)in.p[i]];
		if (value < 64) {
			d->bits = d->bits << 6 | value;
			if (++d->n == 4)
				end_group(d, out);
		} else if (in.p[i] == '=' && d->n > 0) {
			end_group(d, out);
		}
	}
}

void
base64_body_decode_end(struct base64_decoder *d, struct buf *out)
{
	if (d->n > 0)
		end_group(d, out);
}
