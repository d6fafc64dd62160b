/* SPDX-License-Identifier: ISC */
#include "sys/table_lines.h"

#include "sys/table.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, key;
	struct table_lines l;
	struct buf value;
	unsigned line = 0;

	buf_init(&value, 65536);
	table_lines_init(&l, in);
	while (table_lines_next(&l, &key, &value) == TABLE_LINE_ENTRY) {
		FUZZ_ASSERT(key.n > 0 && key.n <= TABLE_KEY_MAX);
		FUZZ_ASSERT(!slice_has(buf_slice(&value), '\n'));
		FUZZ_ASSERT(l.line > line);
		line = l.line;
		buf_reset(&value);
	}
	buf_fini(&value);
	return 0;
}
