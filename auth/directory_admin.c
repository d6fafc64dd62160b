/* SPDX-License-Identifier: ISC */
/*
 * What an administrator asks of the directory. The arguments are pairs packed
 * by sys/row.h, KEY VALUE KEY VALUE …; those in brackets may be missing, those
 * with … may be repeated. An unknown key is an error.
 *
 *	domain add       name [alias-of]
 *	domain list      [after] [limit]      rows: domain, alias-of, created
 *	domain remove    name
 *	account add      address [home] [root] [quota-bytes] [quota-messages]
 *	                 [enabled]            row: as account show
 *	account import   account…             each a packed list of the pairs
 *	                 of account add; all or none; rows: number, address
 *	account show     account              row: number, address, enabled,
 *	                 uid, root, home, quota-bytes, quota-messages,
 *	                 used-bytes, used-messages, created
 *	account list     [domain] [after] [limit]     rows: as account show
 *	account enable   account
 *	account disable  account
 *	account quota    account [quota-bytes] [quota-messages]
 *	account rename   account address      number and home stay
 *	account remove   account              row: number (its password is
 *	                 kept by auth; its mail stays on disk)
 *	alias add        alias target…        joins targets to an alias
 *	alias list       [domain] [after] [limit]     rows: alias, target…
 *	alias remove     alias [target…]      all of it, or those targets
 *	address test     address              rows: step, detail; at last kind,
 *	                 address, account, nexthop, over-quota, text
 *
 * `account` is an address, a local part in the first domain, or a number. A
 * quota is a number, a size (10M), "none" or "default". An alias with nothing
 * before the @ is the domain's catch-all. A list gives at most `limit`
 * (100, up to 1000) rows; when there is more, a last row has only the key
 * "next": the value for `after`. Exit codes are those of sysexits.h. A change
 * is answered when the fronts have forgotten what they knew (auth/announce.h).
 */
#include "auth/directory_admin.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "auth/accounts.h"
#include "auth/admin_request.h"
#include "auth/admin_verbs.h"
#include "auth/announce.h"
#include "auth/expand.h"
#include "auth/route.h"
#include "sys/daemon.h"
#include "sys/row.h"

/* ---- what would happen ---- */

static void
on_step(void *arg_, const char *what, struct slice detail)
{
	struct admin_request *r = arg_;

	row_pair_str(&r->row, "step", what);
	row_pair(&r->row, "detail", detail);
	admin_send(r);
}

static int
address_test(struct admin_request *r)
{
	static const char *const kinds[ADDR_KIND_COUNT] = {
		[ADDR_ACCOUNT] = "account", [ADDR_ALIAS] = "alias",
		[ADDR_RELAY] = "relay", [ADDR_REMOTE] = "remote",
		[ADDR_UNKNOWN] = "unknown", [ADDR_DISABLED] = "disabled",
		[ADDR_INVALID] = "invalid", [ADDR_LATER] = "later",
		[ADDR_LOOP] = "loop",
	};
	const struct route_trace trace = { on_step, r };
	struct slice text = admin_arg(r, "address"), targets, target;
	struct route found;

	route_init(&found);
	route_find(r->s, r->a, text, &trace, &found);
	if (found.kind == ADDR_ALIAS)
		expand_find(r->s, r->a, text, &found);
	row_pair_str(&r->row, "kind", kinds[found.kind]);
	row_pair(&r->row, "address", buf_slice(&found.address));
	if (found.account != 0) {
		row_pair_u64(&r->row, "account", found.account);
		row_pair_str(&r->row, "over-quota",
		    found.is_over_quota ? "yes" : "no");
	}
	if (found.nexthop.n > 0)
		row_pair(&r->row, "nexthop", buf_slice(&found.nexthop));
	targets = buf_slice(&found.targets);
	while (row_next(&targets, &target) &&
	    r->row.n + target.n + 1024 < ADMIN_ROW_MAX)
		row_pair(&r->row, "target", target);
	if (found.text.n > 0)
		row_pair(&r->row, "text", buf_slice(&found.text));
	admin_send(r);
	route_fini(&found);
	return 0;
}

/* ---- dispatch ---- */

static const struct verb {
	const char *name;
	const char *keys; /* what it takes, a space behind each */
	int (*run)(struct admin_request *r);
} verbs[] = {
	{ "domain add", "name alias-of ", verb_domain_add },
	{ "domain list", "after limit ", verb_domain_list },
	{ "domain remove", "name ", verb_domain_remove },
	{ "account add", "address home root quota-bytes quota-messages "
	    "enabled ", verb_account_add },
	{ "account import", "account ", verb_account_import },
	{ "account show", "account ", verb_account_show },
	{ "account list", "domain after limit ", verb_account_list },
	{ "account enable", "account ", verb_account_enable },
	{ "account disable", "account ", verb_account_disable },
	{ "account quota", "account quota-bytes quota-messages ",
	    verb_account_quota },
	{ "account rename", "account address ", verb_account_rename },
	{ "account remove", "account ", verb_account_remove },
	{ "alias add", "alias target ", verb_alias_add },
	{ "alias list", "domain after limit ", verb_alias_list },
	{ "alias remove", "alias target ", verb_alias_remove },
	{ "address test", "address ", address_test },
};

/* Whole pairs, of known keys? */
static int
check_args(struct admin_request *r, const char *keys)
{
	struct slice left = r->args, known, key, value, each;

	while (row_next(&left, &key)) {
		known = slice_str(keys);
		while (slice_split(&known, ' ', &each))
			if (slice_eq(each, key))
				break;
		if (each.n == 0 || !slice_eq(each, key))
			return refuse(&r->why, EX_USAGE,
			    "unknown argument \"%.*s\"", SLICE_FMT(key));
		if (!row_next(&left, &value))
			return refuse(&r->why, EX_USAGE,
			    "\"%.*s\" has no value", SLICE_FMT(key));
	}
	if (left.n > 0)
		return refuse(&r->why, EX_USAGE, "malformed arguments");
	return 0;
}

/* A change that the fronts are being told of. */
struct pending {
	uint64_t serial, req;
	char *text;
};

static void
on_announced(void *arg_)
{
	struct pending *p = arg_;
	struct ipc_link *l = ipc_link_find(p->serial);

	if (l != NULL)
		daemon_done(l, p->req, EX_OK, "%s", p->text);
	free(p->text);
	free(p);
}

static void
announce_then_done(struct admin_request *r)
{
	struct pending *p = calloc(1, sizeof *p);
	char *text = strdup(r->why.text.p);

	if (p == NULL || text == NULL) {
		free(p);
		free(text);
		announce_generation(accounts_generation(r->a), NULL, NULL);
		daemon_done(r->l, r->req, EX_OK, "%s", r->why.text.p);
		return;
	}
	*p = (struct pending){ ipc_link_serial(r->l), r->req, text };
	announce_generation(accounts_generation(r->a), on_announced, p);
}

void
directory_admin_run(const struct route_settings *s, struct accounts *a,
    struct ipc_link *l, uint64_t req, struct slice verb, struct slice args)
{
	struct admin_request r = { .s = s, .a = a, .l = l, .req = req,
		.args = args };
	const struct verb *v = NULL;
	size_t i;

	refusal_init(&r.why);
	buf_init(&r.row, ADMIN_ROW_MAX);
	for (i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (slice_eq_str(verb, verbs[i].name))
			v = &verbs[i];
	if (v == NULL)
		(void)refuse(&r.why, EX_USAGE, "directory does not know "
		    "\"%.*s\"", SLICE_FMT(verb));
	else if (check_args(&r, v->keys) == 0 && v->run(&r) == 0)
		r.why.exit = EX_OK;
	if (r.has_changed)
		announce_then_done(&r);
	else
		daemon_done(l, req, r.why.exit, "%s", r.why.text.p);
	refusal_fini(&r.why);
	buf_fini(&r.row);
}
