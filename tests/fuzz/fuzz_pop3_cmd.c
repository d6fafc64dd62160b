/* SPDX-License-Identifier: ISC */
#include "proto/pop3_cmd.h"

#include "proto/limits.h"
#include "proto/line.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, text;
	enum line_error line_error;
	enum pop3_error error;
	struct pop3_cmd cmd;
	struct line line;
	unsigned state;
	ssize_t n;

	line_init(&line, LIMIT_POP3_LINE);
	while ((n = line_next(&line, in, &text, &line_error)) > 0) {
		for (state = 1; state <= POP3_STATE_TRANSACTION; state *= 2) {
			error = pop3_cmd_parse(text, state, &cmd);
			FUZZ_ASSERT(error < POP3_ERROR_COUNT);
			FUZZ_ASSERT((cmd.row == NULL) ==
			    (error == POP3_ERROR_VERB));
			FUZZ_ASSERT(cmd.arg.n <= text.n);
		}
		in = slice_from(in, (size_t)n);
	}
	return 0;
}
