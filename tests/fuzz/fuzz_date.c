/* SPDX-License-Identifier: ISC */
#include "proto/date.h"

#include "tests/fuzz/fuzz.h"

/* What is written is read as the same. */
static void
check(struct date d)
{
	struct date again;
	struct buf out;
	int rc;

	buf_init(&out, 200);
	date_add(&out, d);
	rc = date_parse(buf_slice(&out), &again);
	FUZZ_ASSERT(rc == 0 && again.offset == d.offset);
	FUZZ_ASSERT(again.time == d.time);
	buf_reset(&out);
	date_add_imap(&out, d);
	rc = date_parse_imap(buf_slice(&out), &again);
	FUZZ_ASSERT(rc == 0 && again.time == d.time);
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct date d;
	int64_t day;

	/* The first and last days of the calendar depend on the zone. */
	if (date_parse(in, &d) == 0 && date_day(d) > -719162 &&
	    date_day(d) < 2932896)
		check(d);
	if (date_parse_imap(in, &d) == 0 && date_day(d) > -719162 &&
	    date_day(d) < 2932896)
		check(d);
	if (date_parse_imap_day(in, &day) == 0)
		FUZZ_ASSERT(day >= -719162 && day <= 2932896);
	return 0;
}
