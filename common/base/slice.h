/* SPDX-License-Identifier: ISC */
/*
 * A borrowed view of bytes. It may hold NUL, is never freed, and is valid only
 * as long as the memory it points into; whoever must keep it copies it
 * (region_slice, buf_add_slice). Comparison ignoring case is ASCII only.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>

struct slice {
	const char *p;
	size_t n;
};

/* A slice of a string literal, usable in initialisers of static tables. */
#define SLICE(lit) ((struct slice){ "" lit, sizeof(lit) - 1 })
#define SLICE_NONE ((struct slice){ NULL, 0 })
/* printf's "%.*s" takes an int: longer slices are cut there. */
#define SLICE_FMT(s) (int)((s).n > 4096 ? 4096 : (s).n), (s).p ? (s).p : ""

/* The view of a NUL-terminated string; NULL gives SLICE_NONE. */
struct slice slice_str(const char *s);
/* The bytes from offset `from` on (none when past the end). */
struct slice slice_from(struct slice s, size_t from);
/* The first `n` bytes, or all when there are fewer. */
struct slice slice_head(struct slice s, size_t n);
/* Without spaces and tabs at both ends. */
struct slice slice_trim(struct slice s);

bool slice_eq(struct slice a, struct slice b);
bool slice_ieq(struct slice a, struct slice b);
bool slice_eq_str(struct slice a, const char *b);
bool slice_ieq_str(struct slice a, const char *b);
bool slice_has_prefix(struct slice s, struct slice prefix);
bool slice_has_iprefix(struct slice s, struct slice prefix);
bool slice_has_suffix(struct slice s, struct slice suffix);
/* Does the byte `c` stand anywhere in it? */
bool slice_has(struct slice s, char c);
/* Byte order as memcmp, the shorter first: <0, 0, >0. */
int slice_cmp(struct slice a, struct slice b);
int slice_icmp(struct slice a, struct slice b);
/* Index of the first (last) `c`, or -1. */
ptrdiff_t slice_chr(struct slice s, char c);
ptrdiff_t slice_rchr(struct slice s, char c);
/* Index of the first `needle`, or -1; an empty needle is found at 0. */
ptrdiff_t slice_find(struct slice s, struct slice needle);
ptrdiff_t slice_ifind(struct slice s, struct slice needle);
/*
 * Takes the bytes up to the next `c` off the front of *s (and the `c`).
 * False when *s was used up; the last piece needs no `c` behind it.
 */
bool slice_split(struct slice *s, char c, struct slice *piece_r);

/* ASCII classes that do not depend on the locale. */
bool ascii_is_alpha(char c);
bool ascii_is_digit(char c);
bool ascii_is_alnum(char c);
char ascii_lower(char c);
char ascii_upper(char c);

#endif
