/* SPDX-License-Identifier: ISC */
/*
 * SASLprep (RFC 4013): the one form of a name or password that two keyboards
 * may have typed differently. Both what is stored and what a client sends go
 * through it before they are compared or hashed.
 */
#ifndef SYS_SASLPREP_H
#define SYS_SASLPREP_H

#include "base/buf.h"
#include "base/slice.h"

enum { SASLPREP_MAX = 1024 }; /* octets taken in */

/*
 * Adds the prepared form to `out`. ASCII without controls comes out as it
 * went in. Code points that Unicode 3.2 did not know are allowed (queries, RFC
 * 3454 7). -1: not UTF-8, prohibited, nothing left, too long, or no room
 * (out->err). Safe in any thread; leaves no copy behind.
 */
int saslprep(struct slice in, struct buf *out)
    __attribute__((warn_unused_result));

#endif
