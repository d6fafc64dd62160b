/* SPDX-License-Identifier: ISC */
/* COMPRESS=DEFLATE (RFC 4978) from the client's side. */
#ifndef BENCH_SQUEEZE_H
#define BENCH_SQUEEZE_H

#include "base/buf.h"
#include "base/slice.h"

struct squeeze;

/* Exits without memory: small windows on our side, any on the server's. */
struct squeeze *squeeze_new(void);
void squeeze_free(struct squeeze **z);
/* Appends `plain` squeezed, with all of it to be read at once. */
void squeeze_out(struct squeeze *z, struct slice plain, struct buf *wire);
/* Appends what `wire` holds. 0, or -1 when it is malformed or too much. */
int squeeze_in(struct squeeze *z, struct slice wire, struct buf *plain)
    __attribute__((warn_unused_result));

#endif
