/* SPDX-License-Identifier: ISC */
/* Internationalized domain names on their way to the DNS and to programs that
 * know ASCII only: RFC 5891 with the mapping of UTS 46. */
#ifndef SYS_IDNA_H
#define SYS_IDNA_H

#include "base/buf.h"
#include "base/slice.h"

/*
 * Appends the A-labels of a domain in UTF-8; one in ASCII as it is. -1: it has
 * none (a label that IDNA does not allow, or too long), or out is full.
 */
int idna_add_ascii(struct buf *out, struct slice domain)
    __attribute__((warn_unused_result));

#endif
