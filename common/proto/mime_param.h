/* SPDX-License-Identifier: ISC */
/*
 * Parameters of Content-Type and Content-Disposition (RFC 2045 5.1, RFC 2183),
 * with the continuations and character sets of RFC 2231 put together. Lenient:
 * values without quotes may have blanks and specials in them, semicolons may be
 * missing between parameters, quotes may stay unclosed.
 */
#ifndef PROTO_MIME_PARAM_H
#define PROTO_MIME_PARAM_H

#include <stdbool.h>

#include "base/region.h"
#include "base/slice.h"
#include "proto/rfc822.h"

struct mime_param {
	struct mime_param *next;
	struct slice name;		/* as written, without the asterisks */
	struct slice value;		/* decoded bytes, in `charset` */
	struct slice charset, language; /* of name*=; empty when not given */
	bool is_extended;		/* was written as name*= or name*0*= */
};

/*
 * Parses what stands behind "type/subtype" in an unfolded value, in the order
 * of the field. At most LIMIT_MIME_PARAMS are read, the rest is ignored. The
 * slices point into `in` and the region. 0 with *list_r (NULL when there are
 * none), or -1 when the region gave no memory.
 */
int mime_params_parse(struct region *r, struct slice in,
    struct mime_param **list_r) __attribute__((warn_unused_result));
/* The first parameter of that name, ignoring case, or NULL. */
const struct mime_param *mime_param_find(
    const struct mime_param *list, const char *name);
/*
 * Takes a token (RFC 2045 5.1, but with 8-bit octets) off the front, comments
 * and blanks before it skipped. Empty when there is none.
 */
struct slice mime_take_token(struct rfc822_scan *s);

#endif
