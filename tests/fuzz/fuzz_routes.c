/* SPDX-License-Identifier: ISC */
#include "auth/routes.h"

#include "tests/fuzz/fuzz.h"

/* What came out means itself. */
static void
check_target(struct slice target)
{
	struct buf a, b, why;

	buf_init(&a, 400);
	buf_init(&b, 400);
	buf_init(&why, 8192);
	if (routes_parse_target(target, &a, &why) == 0) {
		FUZZ_ASSERT(a.n > 0 && why.n == 0 && buf_is_ok(&a));
		FUZZ_ASSERT(routes_parse_target(buf_slice(&a), &b, &why) == 0);
		FUZZ_ASSERT(slice_eq(buf_slice(&a), buf_slice(&b)));
	} else {
		FUZZ_ASSERT(a.n == 0 && why.n > 0);
	}
	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&why);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct route_line line;
	struct buf why;

	buf_init(&why, 8192);
	check_target(in);
	if (routes_parse_line(in, &line, &why) == 0) {
		FUZZ_ASSERT(line.domain.n > 0 && why.n == 0);
		FUZZ_ASSERT(routes_check_pattern(line.domain, &why) == 0);
		check_target(line.target);
	}
	buf_fini(&why);
	return 0;
}
