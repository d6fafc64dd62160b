/* SPDX-License-Identifier: ISC */
/* Helpers shared by the unit tests. */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct slice
guard_copy(struct slice s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t len = (s.n + page - 1) / page * page;
	char *p;

	p = mmap(NULL, len + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(mprotect(p + len, page, PROT_NONE), 0);
	if (s.n > 0)
		memcpy(p + len - s.n, s.p, s.n);
	return (struct slice){ p + len - s.n, s.n };
}
