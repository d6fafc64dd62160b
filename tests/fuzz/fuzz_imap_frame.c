/* SPDX-License-Identifier: ISC */
/*
 * The first byte says how the rest is cut into pieces. Whatever comes, each
 * event must make progress, and the cut must not change what was understood.
 */
#include "proto/imap_frame.h"

#include "tests/fuzz/fuzz.h"

static const struct imap_frame_limits limits = {
	.line = 200, .literal = 100, .command = 300, .message = 1000,
	.nonsync = 50, .skip = 500
};

/* A digest of the commands and messages seen, cut into pieces of `step`. */
static uint64_t
run(struct slice in, size_t step, bool refuse)
{
	size_t shown = 0, dropped = 0, i;
	enum imap_frame_what what;
	struct imap_frame_event e;
	struct imap_frame f;
	uint64_t sum = 5381;
	struct slice now;

	imap_frame_init(&f, &limits);
	for (;;) {
		now = slice_from(slice_head(in, shown), dropped);
		what = imap_frame_next(&f, now, &e);
		if (what == IMAP_FRAME_MORE) {
			if (shown == in.n)
				return sum;
			shown = shown + step > in.n ? in.n : shown + step;
			continue;
		}
		if (what == IMAP_FRAME_ERROR && e.is_fatal)
			return sum * 33 + 1;
		FUZZ_ASSERT(e.consumed <= now.n);
		FUZZ_ASSERT(e.text.n <= limits.command);
		dropped += e.consumed;
		if (what == IMAP_FRAME_COMMAND || what == IMAP_FRAME_MESSAGE)
			for (i = 0; i < e.text.n; i++)
				sum = sum * 33 + (unsigned char)e.text.p[i];
		if (what == IMAP_FRAME_ERROR)
			sum = sum * 33 + (uint64_t)e.error;
		if (what == IMAP_FRAME_CONTINUE || what == IMAP_FRAME_MESSAGE)
			sum = sum * 33 + e.n;
		if (refuse && (what == IMAP_FRAME_CONTINUE ||
		    what == IMAP_FRAME_MESSAGE)) {
			imap_frame_refuse(&f);
		} else if (what == IMAP_FRAME_MESSAGE) {
			if (e.n > in.n - dropped)
				return sum;
			dropped += (size_t)e.n;
			shown = shown < dropped ? dropped : shown;
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	bool refuse;
	uint64_t sum;

	if (size < 2)
		return 0;
	refuse = (data[0] & 1) != 0;
	in = slice_from(in, 1);
	sum = run(in, in.n, refuse);
	FUZZ_ASSERT(sum == run(in, 1, refuse));
	FUZZ_ASSERT(sum == run(in, 1 + data[0] / 2, refuse));
	return 0;
}
