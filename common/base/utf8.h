/* SPDX-License-Identifier: ISC */
/* UTF-8 (RFC 3629): shortest form, no surrogates, at most U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

bool utf8_is_valid(struct slice s);
/* Has it any byte above 127? */
bool utf8_has_8bit(struct slice s);
/*
 * Length of the first character of `s`, its code point in *cp_r; 0 when `s` is
 * empty or does not begin with a whole well-formed character.
 */
size_t utf8_next(struct slice s, uint32_t *cp_r);
/* Appends one code point; one that has no UTF-8 form as U+FFFD. */
void utf8_add(struct buf *out, uint32_t cp);

#endif
