/* SPDX-License-Identifier: ISC */
/* The administrator's requests, and their answers as rows. */
#include "resolver/admin.h"

#include <stdlib.h>

#include "resolver/lookups.h"
#include "resolver/show.h"
#include "sys/daemon.h"
#include "sys/row.h"

enum { EXIT_USAGE = 64, EXIT_NONE = 1, EXIT_LATER = 75 };

struct request {
	struct lookup_waiter waiter;
	uint64_t link_serial, req;
	uint16_t type;
};

static void
add_rows(struct ipc_link *l, const struct request *r, const struct answer *a)
{
	struct slice left = a->records;
	struct buf row, text;

	buf_init(&row, IPC_MESSAGE_MAX - 256);
	buf_init(&text, IPC_MESSAGE_MAX - 2048);
	while (show_next(&text, r->type, &left)) {
		row_pair(&row, "name", a->canonical);
		row_pair_u64(&row, "ttl", a->ttl);
		row_pair_str(&row, "type", dns_type_name(r->type));
		row_pair(&row, "data", buf_slice(&text));
		row_pair_str(&row, "secure", a->is_secure ? "yes" : "no");
		daemon_row(l, r->req, &row);
		buf_reset(&row);
		buf_reset(&text);
	}
	buf_fini(&row);
	buf_fini(&text);
}

static int
exit_code(enum dns_status status)
{
	if (status == DNS_OK)
		return 0;
	if (status == DNS_INVALID)
		return EXIT_USAGE;
	return dns_status_is_later(status) ? EXIT_LATER : EXIT_NONE;
}

static void
on_answer(struct lookup_waiter *w, const struct answer *a)
{
	struct request *r = LIST_OF(w, struct request, waiter);
	struct ipc_link *l = ipc_link_find(r->link_serial);

	if (l != NULL) {
		add_rows(l, r, a);
		daemon_done(l, r->req, (uint8_t)exit_code(a->status), "%s%s",
		    a->status == DNS_OK ? "" : dns_status_name(a->status),
		    a->status != DNS_OK && a->is_secure ? " (secure)" : "");
	}
	free(r);
}

static void
run_lookup(struct lookups *ls, struct ipc_link *l, uint64_t req,
    struct slice args)
{
	struct slice type = row_get(args, "type");
	struct slice name = row_get(args, "name");
	struct request *r;

	if (name.n == 0 || dns_type_by_name(type) == 0) {
		daemon_done(l, req, EXIT_USAGE, "usage: dns lookup "
		    "A|AAAA|MX|PTR|TLSA|TXT NAME");
		return;
	}
	r = calloc(1, sizeof *r);
	if (r == NULL) {
		daemon_done(l, req, EXIT_LATER, "out of memory");
		return;
	}
	r->waiter.done = on_answer;
	r->link_serial = ipc_link_serial(l);
	r->req = req;
	r->type = (uint16_t)dns_type_by_name(type);
	lookups_ask(ls, name, r->type, &r->waiter);
}

void
admin_run(struct lookups *ls, struct ipc_link *l, uint64_t req,
    struct slice verb, struct slice args)
{
	size_t n = ls->cache.n;

	if (slice_eq_str(verb, "dns lookup")) {
		run_lookup(ls, l, req, args);
	} else if (slice_eq_str(verb, "dns flush")) {
		cache_clear(&ls->cache);
		daemon_done(l, req, 0, "%zu answers forgotten", n);
	} else {
		daemon_done(l, req, EXIT_USAGE, "resolver does not know "
		    "\"%.*s\"", SLICE_FMT(verb));
	}
}
