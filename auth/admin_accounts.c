/* SPDX-License-Identifier: ISC */
/* Verbs about accounts. */
#include "auth/admin_verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "auth/admin_request.h"
#include "auth/canonical.h"
#include "auth/directory_admin.h"
#include "auth/route.h"
#include "base/num.h"
#include "sys/row.h"

static void
add_quota(struct buf *row, const char *key, uint64_t own, uint64_t effective)
{
	char text[48];

	if (effective == 0)
		(void)snprintf(text, sizeof text, "none");
	else
		(void)snprintf(text, sizeof text, "%llu",
		    (unsigned long long)effective);
	row_pair_str(row, key, text);
	if (own == QUOTA_DEFAULT) {
		(void)snprintf(text, sizeof text, "%s-default", key);
		row_pair_str(row, text, "yes");
	}
}

static void
send_account(struct admin_request *r, const struct account *c)
{
	struct usage used = accounts_usage(r->a, c->number);
	uint64_t bytes, messages;
	struct buf address;

	buf_init(&address, 1024);
	canonical_address(c->key, &address);
	route_quota(r->s, c, &bytes, &messages);
	row_pair_u64(&r->row, "number", c->number);
	row_pair(&r->row, "address", buf_slice(&address));
	row_pair_str(&r->row, "enabled", c->is_enabled ? "yes" : "no");
	row_pair_u64(&r->row, "uid", directory_uid(c->number, c->system_uid));
	row_pair_u64(&r->row, "root", c->root);
	row_pair(&r->row, "home", c->home);
	add_quota(&r->row, "quota-bytes", c->quota_bytes, bytes);
	add_quota(&r->row, "quota-messages", c->quota_messages, messages);
	row_pair_u64(&r->row, "used-bytes", used.bytes);
	row_pair_u64(&r->row, "used-messages", used.messages);
	row_pair_u64(&r->row, "created", (uint64_t)c->created);
	admin_send(r);
	buf_fini(&address);
}

/* An account to be, from its pairs; `key` and the views of `args` hold what
 * it is made of. */
static int
take_new_account(struct admin_request *r, struct slice args, struct account *c,
    struct buf *key)
{
	struct slice enabled = row_get(args, "enabled");
	struct slice root = row_get(args, "root");
	uint64_t number = 0;

	*c = (struct account){ .is_enabled = !slice_ieq_str(enabled, "no"),
		.quota_bytes = QUOTA_DEFAULT,
		.quota_messages = QUOTA_DEFAULT,
		.home = row_get(args, "home") };
	if (enabled.n > 0 && !slice_ieq_str(enabled, "no") &&
	    !slice_ieq_str(enabled, "yes"))
		return refuse(&r->why, EX_DATAERR, "enabled: yes or no");
	if (root.n > 0 && num_parse(root, 0, 15, &number) < 0)
		return refuse(&r->why, EX_DATAERR, "root: the number of a "
		    "mail root, from 0");
	c->root = (uint32_t)number;
	if (admin_take_quota(r, args, "quota-bytes", &c->quota_bytes) < 0 ||
	    admin_take_quota(r, args, "quota-messages", &c->quota_messages) < 0 ||
	    admin_take_mailbox(r, row_get(args, "address"), key) < 0)
		return -1;
	c->key = buf_slice(key);
	return 0;
}

/* Is there a uid for as many more? */
static int
check_uids(struct admin_request *r, size_t n)
{
	if (directory_uid(accounts_next_number(r->a) + n - 1, 0) != 0)
		return 0;
	return refuse(&r->why, EX_UNAVAILABLE, "no uids are left: raise "
	    "server.uid_count");
}

int
verb_account_add(struct admin_request *r)
{
	struct account c, made;
	struct buf key;
	int result;

	buf_init(&key, 1024);
	result = take_new_account(r, r->args, &c, &key);
	if (result == 0)
		result = check_uids(r, 1);
	if (result == 0)
		result = change_add_accounts(r->a, &c, 1, &r->why);
	if (result == 0) {
		r->has_changed = true;
		if (accounts_find(r->a, c.number, &made) == 0)
			send_account(r, &made);
		admin_say(r, "account added", SLICE_NONE);
	}
	buf_fini(&key);
	return result;
}

/* All accounts of an import, or the first that cannot be. */
static int
take_import(struct admin_request *r, struct account *v, struct buf *keys,
    size_t *n_r)
{
	struct slice left = r->args, k, value;
	size_t n = 0;

	while (row_next(&left, &k) && row_next(&left, &value)) {
		if (n == CHANGE_ACCOUNTS_MAX)
			return refuse(&r->why, EX_USAGE, "at most %d accounts "
			    "at once", CHANGE_ACCOUNTS_MAX);
		buf_init(&keys[n], 1024);
		n++;
		*n_r = n;
		if (take_new_account(r, value, &v[n - 1], &keys[n - 1]) < 0)
			return -1;
	}
	if (n == 0)
		return refuse(&r->why, EX_USAGE, "no accounts to import");
	return check_uids(r, n);
}

static void
send_imported(struct admin_request *r, const struct account *v, size_t n)
{
	struct buf address;
	size_t i;

	buf_init(&address, 1024);
	for (i = 0; i < n; i++) {
		buf_reset(&address);
		canonical_address(v[i].key, &address);
		row_pair_u64(&r->row, "number", v[i].number);
		row_pair(&r->row, "address", buf_slice(&address));
		admin_send(r);
	}
	buf_fini(&address);
	buf_reset(&r->why.text);
	buf_addf(&r->why.text, "%zu accounts added", n);
}

int
verb_account_import(struct admin_request *r)
{
	struct account *v = calloc(CHANGE_ACCOUNTS_MAX, sizeof *v);
	struct buf *keys = calloc(CHANGE_ACCOUNTS_MAX, sizeof *keys);
	size_t n = 0, i;
	int result;

	if (v == NULL || keys == NULL)
		result = refuse(&r->why, EX_TEMPFAIL, "out of memory");
	else
		result = take_import(r, v, keys, &n);
	if (result == 0)
		result = change_add_accounts(r->a, v, n, &r->why);
	if (result == 0) {
		r->has_changed = true;
		send_imported(r, v, n);
	}
	for (i = 0; i < n; i++)
		buf_fini(&keys[i]);
	free(keys);
	free(v);
	return result;
}

int
verb_account_show(struct admin_request *r)
{
	struct account c;

	if (admin_take_account(r, &c) < 0)
		return -1;
	send_account(r, &c);
	return 0;
}

static bool
list_name(void *arg_, struct slice key, const struct name *n)
{
	struct admin_list *w = arg_;
	struct account c;

	if (n->account == 0)
		return true;
	if (!admin_list_step(w, key))
		return false;
	if (accounts_find(w->r->a, n->account, &c) == 0)
		send_account(w->r, &c);
	return true;
}

int
verb_account_list(struct admin_request *r)
{
	return admin_list_names(r, list_name);
}

static int
set_account(struct admin_request *r, const struct account *c, const char *what)
{
	struct buf address;
	int result;

	buf_init(&address, 1024);
	canonical_address(c->key, &address);
	result = change_set_account(r->a, c, &r->why);
	if (result == 0) {
		r->has_changed = true;
		admin_say(r, what, buf_slice(&address));
	}
	buf_fini(&address);
	return result;
}

int
verb_account_enable(struct admin_request *r)
{
	struct account c;

	if (admin_take_account(r, &c) < 0)
		return -1;
	c.is_enabled = true;
	return set_account(r, &c, "enabled");
}

int
verb_account_disable(struct admin_request *r)
{
	struct account c;

	if (admin_take_account(r, &c) < 0)
		return -1;
	c.is_enabled = false;
	return set_account(r, &c, "disabled");
}

int
verb_account_quota(struct admin_request *r)
{
	struct account c;

	if (admin_take_account(r, &c) < 0 ||
	    admin_take_quota(r, r->args, "quota-bytes", &c.quota_bytes) < 0 ||
	    admin_take_quota(r, r->args, "quota-messages", &c.quota_messages) < 0)
		return -1;
	return set_account(r, &c, "has its quota");
}

int
verb_account_rename(struct admin_request *r)
{
	struct account c;
	struct buf key;
	int result;

	buf_init(&key, 1024);
	result = admin_take_mailbox(r, admin_arg(r, "address"), &key);
	if (result == 0)
		result = admin_take_account(r, &c);
	if (result == 0)
		result = change_rename_account(r->a, c.number,
		    buf_slice(&key), &r->why);
	if (result == 0) {
		r->has_changed = true;
		admin_say(r, "account renamed", SLICE_NONE);
	}
	buf_fini(&key);
	return result;
}

int
verb_account_remove(struct admin_request *r)
{
	struct account c;
	struct buf home;
	uint64_t number;
	int result;

	if (admin_take_account(r, &c) < 0)
		return -1;
	number = c.number;
	buf_init(&home, 1024);
	buf_add_slice(&home, c.home);
	result = change_remove_account(r->a, number, &r->why);
	if (result == 0) {
		r->has_changed = true;
		row_pair_u64(&r->row, "number", number);
		row_pair(&r->row, "home", buf_slice(&home));
		admin_send(r);
		admin_say(r, "account removed; its mail stays on disk", SLICE_NONE);
	}
	buf_fini(&home);
	return result;
}
