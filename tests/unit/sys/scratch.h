/* SPDX-License-Identifier: ISC */
/* A folder for a test's files, gone with the test. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include "base/slice.h"

enum { SCRATCH_PATH = 256 };

struct scratch {
	char dir[SCRATCH_PATH];
};

/* Below $TMPDIR or /tmp. */
void scratch_init(struct scratch *s);
void scratch_fini(struct scratch *s);
/* Writes a whole file in it. */
void scratch_write(const struct scratch *s, const char *name,
    struct slice text);

#endif
