/* SPDX-License-Identifier: ISC */
/* Recovery lists, the files of other servers, folder names. */
#include "mda/folder.h"
#include "mda/foreign.h"
#include "mda/letters.h"
#include "mda/uidlist.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, rest = in, id;
	struct foreign_subscriptions list;
	struct foreign_head foreign;
	struct uidlist_head head;
	struct uidlist_line line;
	struct buf name, folder;
	uint32_t uid;
	unsigned n;

	buf_init(&name, 65536);
	buf_init(&folder, 65536);
	if (uidlist_read_head(&rest, &head) == 0)
		FUZZ_ASSERT(head.uidvalidity != 0);
	while (uidlist_read_line(&rest, &line))
		continue;
	rest = in;
	if (foreign_uidlist_head(&rest, &foreign) == 0)
		FUZZ_ASSERT(foreign.uidvalidity != 0);
	while (foreign_uidlist_line(&rest, &uid, &id))
		FUZZ_ASSERT(uid != 0 && id.n > 0);
	rest = in;
	while (foreign_keyword_line(&rest, &n, &id))
		FUZZ_ASSERT(n < 26);
	foreign_subscriptions_begin(&list, in);
	while (foreign_subscriptions_next(&list, &name))
		FUZZ_ASSERT(folder_name_fault(buf_slice(&name)) == NULL);
	/* A good name has a folder, and the folder that name. */
	buf_reset(&name);
	if (folder_name_fault(in) == NULL && folder_from_name(&folder, in) ==
	    0) {
		FUZZ_ASSERT(folder_to_name(&name, buf_slice(&folder)) == 0);
		FUZZ_ASSERT(slice_eq(buf_slice(&name), in));
	}
	buf_reset(&name);
	(void)!folder_to_name(&name, in);
	(void)letters_parse(in);
	buf_fini(&folder);
	buf_fini(&name);
	return 0;
}
