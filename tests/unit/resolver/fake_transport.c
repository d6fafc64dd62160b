/* SPDX-License-Identifier: ISC */
#include "tests/unit/resolver/fake_transport.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/resolver/reply.h"
#include "tests/unit/unit.h"

struct exchange *fake_exchanges[FAKE_EXCHANGES_MAX];
size_t fake_n_exchanges;
unsigned fake_begun, fake_unreachable_from, fake_unreachable_to;
int fake_reason = ENETUNREACH;

struct exchange *
exchange_new(struct loop *l, enum transport how, const struct sockaddr *to,
    socklen_t to_len, struct slice query, const struct exchange_events *events,
    void *arg)
{
	const struct sockaddr_in *in = (const void *)to;
	struct exchange *x;

	(void)l;
	ck_assert_uint_eq(to_len, sizeof *in);
	if (ntohs(in->sin_port) >= fake_unreachable_from &&
	    ntohs(in->sin_port) <= fake_unreachable_to) {
		errno = fake_reason;
		return NULL;
	}
	x = calloc(1, sizeof *x);
	ck_assert_ptr_nonnull(x);
	ck_assert_uint_lt(fake_n_exchanges, FAKE_EXCHANGES_MAX);
	x->how = how;
	x->port = ntohs(in->sin_port);
	x->events = events;
	x->arg = arg;
	buf_init(&x->query, 65535);
	buf_add_slice(&x->query, query);
	fake_exchanges[fake_n_exchanges++] = x;
	fake_begun++;
	return x;
}

void
exchange_free(struct exchange **xp)
{
	struct exchange *x = *xp;
	size_t i;

	*xp = NULL;
	if (x == NULL)
		return;
	for (i = 0; i < fake_n_exchanges && fake_exchanges[i] != x; i++)
		continue;
	ck_assert_uint_lt(i, fake_n_exchanges);
	for (fake_n_exchanges--; i < fake_n_exchanges; i++)
		fake_exchanges[i] = fake_exchanges[i + 1];
	buf_fini(&x->query);
	free(x);
}

struct exchange *
fake_latest(void)
{
	ck_assert_msg(fake_n_exchanges > 0, "nothing is asked");
	return fake_exchanges[fake_n_exchanges - 1];
}

void
fake_reply(struct exchange *x, const char *items)
{
	struct buf b;

	buf_init(&b, 65535);
	reply_make(&b, buf_slice(&x->query), items);
	x->events->received(x->arg, guard_copy(buf_slice(&b)));
	buf_fini(&b);
}

void
fake_fail(struct exchange *x, int error)
{
	x->events->failed(x->arg, error);
}
