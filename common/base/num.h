/* SPDX-License-Identifier: ISC */
/* Numbers from text, whole and bounded: no sign tricks, no overflow. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdint.h>

#include "base/slice.h"

/*
 * Decimal digits only (at least one, leading zeros allowed), all of `s`, value
 * within min..max. 0 with *out set, or -1 with *out untouched.
 */
int num_parse(struct slice s, uint64_t min, uint64_t max, uint64_t *out)
    __attribute__((warn_unused_result));
/* The same with an optional leading '-'. */
int num_parse_signed(struct slice s, int64_t min, int64_t max, int64_t *out)
    __attribute__((warn_unused_result));
/* Hexadecimal digits of either case, at most 16. */
int num_parse_hex(struct slice s, uint64_t *out)
    __attribute__((warn_unused_result));
/* Decimal digits at the front of *s, taken off it. -1 when none or > max. */
int num_take(struct slice *s, uint64_t max, uint64_t *out)
    __attribute__((warn_unused_result));
/* "10M", "2G", "512": bytes, with the suffixes K M G T (powers of 1024). */
int num_parse_size(struct slice s, uint64_t *out)
    __attribute__((warn_unused_result));
/* "30s", "5m", "2h", "5d", "1w", "90" (seconds), "250ms": milliseconds. */
int num_parse_duration(struct slice s, uint64_t *ms_out)
    __attribute__((warn_unused_result));

#endif
