/* SPDX-License-Identifier: ISC */
/* A moment that was read is written so that it reads as the same moment. */
#include "proto/imap_date.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, s;
	struct imap_datetime t, back;
	struct buf out;
	int32_t days;

	(void)!imap_date_parse(in, &days);
	if (imap_datetime_parse(in, &t) < 0)
		return 0;
	buf_init(&out, 100);
	imap_datetime_format(&out, t);
	s = slice_from(slice_head(buf_slice(&out), out.n - 1), 1);
	FUZZ_ASSERT(imap_datetime_parse(s, &back) == 0);
	/* At the ends of the calendar a zone may lead past it. */
	if (t.sec > -62167132800 && t.sec < 253402214400)
		FUZZ_ASSERT(back.sec == t.sec && back.zone == t.zone);
	buf_fini(&out);
	return 0;
}
