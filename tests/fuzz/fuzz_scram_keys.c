/* SPDX-License-Identifier: ISC */
/* What is read must come out the same when written and read again. */
#include "sys/scram_keys.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct scram_keys keys, again;
	struct buf out;

	if (scram_keys_parse(in, &keys) < 0)
		return 0;
	FUZZ_ASSERT(keys.iterations <= SCRAM_ITERATIONS_MAX);
	FUZZ_ASSERT(keys.salt_n > 0 && keys.salt_n <= SCRAM_SALT_MAX);
	buf_init(&out, 512);
	scram_keys_format(&out, &keys);
	FUZZ_ASSERT(scram_keys_parse(buf_slice(&out), &again) == 0);
	FUZZ_ASSERT(memcmp(&keys, &again, sizeof keys) == 0);
	buf_fini(&out);
	return 0;
}
