/* SPDX-License-Identifier: ISC */
/* The output is never longer than the input, and decodes without complaint. */
#include "proto/encoded_word.h"

#include "tests/fuzz/fuzz.h"

static int
convert(void *arg, struct slice charset, struct slice in, struct buf *out)
{
	(void)arg;
	buf_add_slice(out, in);
	return charset.n % 2 == 0 ? 0 : -1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct buf out, bytes;

	buf_init(&out, size);
	buf_init(&bytes, size);
	encoded_word_decode(&out, in, &bytes, convert, NULL);
	FUZZ_ASSERT(buf_is_ok(&out));
	buf_fini(&bytes);
	buf_fini(&out);
	return 0;
}
