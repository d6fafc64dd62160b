/* SPDX-License-Identifier: ISC */
/* A selected session: what the framer hands out is parsed, whatever it is. */
#include "proto/imap_cmd.h"

#include "proto/imap_frame.h"
#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

static const struct imap_frame_limits limits = {
	.line = LIMIT_IMAP_LINE, .literal = LIMIT_IMAP_LITERAL_ARG,
	.command = LIMIT_IMAP_COMMAND, .message = 1000000,
	.nonsync = LIMIT_IMAP_NONSYNC, .skip = 1000000
};

static void
parse(struct slice text, enum imap_frame_what what)
{
	struct imap_append again;
	enum imap_error error;
	struct region region;
	struct imap_cmd cmd;
	bool more;
	int n;

	region_init(&region, 1 << 20);
	n = imap_cmd_parse(text, IMAP_STATE_SELECTED, &region, &cmd);
	FUZZ_ASSERT((n < 0) == (cmd.error != IMAP_ERROR_NONE));
	FUZZ_ASSERT(n < 0 || (cmd.tag.n > 0 && cmd.row != NULL));
	if (n == 0)
		FUZZ_ASSERT((cmd.row->verb == IMAP_APPEND) ==
		    (what == IMAP_FRAME_MESSAGE));
	again.is_utf8 = false;
	(void)!imap_cmd_append_next(text, &region, &again, &more, &error);
	region_fini(&region);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	enum imap_frame_what what;
	struct imap_frame_event e;
	struct imap_frame f;

	imap_frame_init(&f, &limits);
	for (;;) {
		what = imap_frame_next(&f, in, &e);
		if (what == IMAP_FRAME_MORE ||
		    (what == IMAP_FRAME_ERROR && e.is_fatal))
			break;
		if (what == IMAP_FRAME_COMMAND || what == IMAP_FRAME_MESSAGE)
			parse(e.text, what);
		in = slice_from(in, e.consumed);
		if (what == IMAP_FRAME_MESSAGE)
			imap_frame_refuse(&f);
	}
	return 0;
}
