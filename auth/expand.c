/* SPDX-License-Identifier: ISC */
/* One step of expansion, and the chain of single targets. */
#include "auth/expand.h"

#include "sys/row.h"

enum { CHAIN_MAX = 10 };

void
expand_find(const struct route_settings *s, struct accounts *a,
    struct slice address, struct route *r)
{
	struct slice target, left;
	struct route next;

	route_find(s, a, address, NULL, r);
	if (r->kind != ADDR_ALIAS)
		return;
	route_init(&next);
	left = buf_slice(&r->targets);
	while (row_next(&left, &target)) {
		route_find(s, a, target, NULL, &next);
		if (next.kind != ADDR_ALIAS ||
		    !slice_eq(buf_slice(&next.via), buf_slice(&r->via)))
			continue;
		r->kind = ADDR_LOOP;
		buf_reset(&r->text);
		buf_addf(&r->text, "%.*s leads back to the same alias",
		    SLICE_FMT(target));
		break;
	}
	route_fini(&next);
}

/* The only target of an alias, or SLICE_NONE. */
static struct slice
only_target(const struct route *r)
{
	struct slice left = buf_slice(&r->targets), target, more;

	if (!row_next(&left, &target) || row_next(&left, &more))
		return SLICE_NONE;
	return target;
}

int
expand_owns(const struct route_settings *s, struct accounts *a,
    uint64_t account, struct slice address, bool *owns_r)
{
	struct buf at;
	struct route r;
	int i, result = 0;

	*owns_r = false;
	route_init(&r);
	buf_init(&at, 1024);
	buf_add_slice(&at, address);
	for (i = 0; i < CHAIN_MAX; i++) {
		route_find(s, a, buf_slice(&at), NULL, &r);
		if (r.kind != ADDR_ALIAS)
			break;
		buf_reset(&at);
		buf_add_slice(&at, only_target(&r));
	}
	if (r.kind == ADDR_LATER)
		result = -1;
	else
		*owns_r = account != 0 && r.account == account &&
		    (r.kind == ADDR_ACCOUNT || r.kind == ADDR_DISABLED);
	buf_fini(&at);
	route_fini(&r);
	return result;
}
