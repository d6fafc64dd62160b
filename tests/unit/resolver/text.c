/* SPDX-License-Identifier: ISC */
#include "tests/unit/resolver/text.h"

#include "resolver/show.h"

void
text_records(struct buf *out, uint16_t type, struct slice records)
{
	while (show_next(out, type, &records))
		if (records.n > 0)
			buf_add_str(out, ", ");
}

void
text_answer(struct buf *out, uint16_t type, const struct answer *a)
{
	buf_addf(out, "%s %.*s %u%s", dns_status_name(a->status),
	    SLICE_FMT(a->canonical), a->ttl, a->is_secure ? " secure" : "");
	if (a->records.n > 0)
		buf_add_str(out, ": ");
	text_records(out, type, a->records);
}
