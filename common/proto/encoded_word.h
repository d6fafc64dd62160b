/* SPDX-License-Identifier: ISC */
/*
 * Decodes the encoded words of header fields (RFC 2047, RFC 2231 5). Character
 * sets are the caller's: this layer has no iconv. Lenient in what is a word:
 * blanks or question marks within one, no blanks around it and any length are
 * fine, and a character may be cut in two by a word's end.
 */
#ifndef PROTO_ENCODED_WORD_H
#define PROTO_ENCODED_WORD_H

#include "base/buf.h"
#include "base/slice.h"

/*
 * Appends `in`, which is in `charset`, to `out` as UTF-8. 0, or -1 for a
 * character set it does not know; then what it appended is taken back. For
 * octets above 127 that stand outside of encoded words `charset` is empty.
 */
typedef int encoded_word_convert(
    void *arg, struct slice charset, struct slice in, struct buf *out);

/*
 * Appends the text of an unstructured field or phrase with its encoded words
 * decoded and its line ends taken out. Words that cannot be converted and raw
 * octets that convert refuses stay as they are. `bytes` is scratch with room
 * for in.n; where it is too small out->err is set.
 */
void encoded_word_decode(struct buf *out, struct slice in, struct buf *bytes,
    encoded_word_convert *convert, void *arg);

#endif
