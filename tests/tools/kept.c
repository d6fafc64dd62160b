/* SPDX-License-Identifier: ISC */
/* Numbers are places in a table; a closed one is not used again. */
#include "tests/tools/kept.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"

enum { KEPT_MAX = 1024, PIECE_MAX = 65536 };

static int kept[KEPT_MAX];
static size_t n_kept;

int
kept_add(int fd)
{
	if (n_kept == KEPT_MAX)
		errx(1, "too many descriptors are kept");
	kept[n_kept] = fd;
	return (int)n_kept++;
}

int
kept_fd(uint64_t number)
{
	return number < n_kept ? kept[number] : -1;
}

static uint64_t
take_number(struct slice *text)
{
	struct slice word = SLICE_NONE;
	uint64_t v;

	(void)slice_split(text, ' ', &word);
	if (num_parse(word, 0, INT64_MAX, &v) < 0)
		errx(64, "not a number: %.*s", SLICE_FMT(word));
	return v;
}

static void
print_hex(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		(void)printf("%02x", (unsigned char)p[i]);
	(void)putchar('\n');
}

void
kept_command(struct slice text)
{
	static char piece[PIECE_MAX];
	uint64_t number = take_number(&text), offset, count;
	struct slice verb = SLICE_NONE;
	int fd = kept_fd(number);
	ssize_t n;

	(void)slice_split(&text, ' ', &verb);
	if (slice_eq_str(verb, "close")) {
		n = close(fd);
		kept[number] = -1;
	} else {
		offset = take_number(&text);
		count = take_number(&text);
		if (count > sizeof piece)
			count = sizeof piece;
		memset(piece, '!', sizeof piece);
		n = slice_eq_str(verb, "read")
		    ? pread(fd, piece, count, (off_t)offset)
		    : pwrite(fd, piece, count, (off_t)offset);
	}
	if (n < 0) {
		(void)printf("kept %llu error=%s\n",
		    (unsigned long long)number, strerror(errno));
	} else {
		(void)printf("kept %llu ok=", (unsigned long long)number);
		if (slice_eq_str(verb, "read"))
			print_hex(piece, (size_t)n);
		else
			(void)printf("%zd\n", n);
	}
	(void)fflush(stdout);
}
