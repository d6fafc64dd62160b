/* SPDX-License-Identifier: ISC */
/* Folders for tests that need files. */
#include "tests/unit/sys/scratch.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void
scratch_init(struct scratch *s)
{
	const char *top = getenv("TMPDIR");

	(void)snprintf(s->dir, sizeof s->dir, "%s/veredus-test-XXXXXX",
	    top == NULL ? "/tmp" : top);
	ck_assert_ptr_nonnull(mkdtemp(s->dir));
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void
scratch_fini(struct scratch *s)
{
	(void)nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
scratch_write(const struct scratch *s, const char *name, struct slice text)
{
	char path[2 * SCRATCH_PATH];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", s->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text.p, text.n), (ssize_t)text.n);
	ck_assert_int_eq(close(fd), 0);
}
