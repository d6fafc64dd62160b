/* SPDX-License-Identifier: ISC */
/* The entry point that libFuzzer calls; replay.c calls it for each seed. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input. */
#define FUZZ_ASSERT(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

#endif
