/* SPDX-License-Identifier: ISC */
/* PLAIN messages and base 64 lines. */
#include "proto/sasl.h"

#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	enum sasl_line_error error;
	struct sasl_plain p;
	struct buf out, again;

	(void)sasl_mech_set(in);
	buf_init(&out, LIMIT_SASL_MESSAGE);
	buf_init(&again, (size_t)4 * LIMIT_SASL_MESSAGE);
	if (sasl_plain_parse(in, &p) == 0) {
		sasl_plain_format(&out, &p);
		FUZZ_ASSERT(slice_eq(buf_slice(&out), in));
		buf_reset(&out);
	}
	if (sasl_line_decode(in, true, &out, &error) == 0) {
		sasl_line_encode(&again, buf_slice(&out), true);
		FUZZ_ASSERT(in.n == 0 || slice_eq(buf_slice(&again), in));
	}
	buf_fini(&out);
	buf_fini(&again);
	return 0;
}
