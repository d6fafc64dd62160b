/* SPDX-License-Identifier: ISC */
/* Verbs about aliases. */
#include "auth/admin_verbs.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "auth/admin_request.h"
#include "auth/canonical.h"
#include "sys/row.h"

static bool
has_item(struct slice list, struct slice item)
{
	struct slice each;

	while (row_next(&list, &each))
		if (slice_eq(each, item))
			return true;
	return false;
}

/* The targets among the arguments, canonical, none twice. */
static int
take_targets(struct admin_request *r, struct buf *out)
{
	struct slice left = r->args, key, value;
	struct buf target;
	int result = 0;

	buf_init(&target, 1024);
	while (result == 0 && row_next(&left, &key) &&
	    row_next(&left, &value)) {
		if (!slice_eq_str(key, "target"))
			continue;
		buf_reset(&target);
		result = admin_take_target(r, value, &target);
		if (result == 0 &&
		    !has_item(buf_slice(out), buf_slice(&target)))
			row_add(out, buf_slice(&target));
	}
	buf_fini(&target);
	return result;
}

/* What an alias has now, without those in `but`. */
static int
old_targets(struct admin_request *r, struct slice key, struct slice but,
    struct buf *out)
{
	struct slice target;
	struct name n;

	if (accounts_find_name(r->a, key, &n) < 0)
		return errno == ENOENT ? 0 : refuse(&r->why, EX_IOERR,
		    "the tables cannot be read: %s", strerror(errno));
	while (row_next(&n.targets, &target))
		if (!has_item(but, target))
			row_add(out, target);
	return 0;
}

int
verb_alias_add(struct admin_request *r)
{
	struct buf key, fresh, all;
	int result;

	buf_init(&key, 1024);
	buf_init(&fresh, TABLE_VALUE_MAX);
	buf_init(&all, TABLE_VALUE_MAX);
	result = admin_take_address(r, admin_arg(r, "alias"), &key);
	if (result == 0)
		result = take_targets(r, &fresh);
	if (result == 0 && fresh.n == 0)
		result = refuse(&r->why, EX_USAGE, "where shall it point?");
	if (result == 0)
		result = old_targets(r, buf_slice(&key), buf_slice(&fresh),
		    &all);
	buf_add_slice(&all, buf_slice(&fresh));
	if (result == 0)
		result = change_put_alias(r->a, buf_slice(&key),
		    buf_slice(&all), &r->why);
	if (result == 0) {
		r->has_changed = true;
		admin_say(r, "alias added", SLICE_NONE);
	}
	buf_fini(&key);
	buf_fini(&fresh);
	buf_fini(&all);
	return result;
}

int
verb_alias_remove(struct admin_request *r)
{
	struct buf key, gone, left;
	int result;

	buf_init(&key, 1024);
	buf_init(&gone, TABLE_VALUE_MAX);
	buf_init(&left, TABLE_VALUE_MAX);
	result = admin_take_address(r, admin_arg(r, "alias"), &key);
	if (result == 0)
		result = take_targets(r, &gone);
	if (result == 0 && gone.n > 0)
		result = old_targets(r, buf_slice(&key), buf_slice(&gone),
		    &left);
	if (result == 0 && left.n > 0)
		result = change_put_alias(r->a, buf_slice(&key),
		    buf_slice(&left), &r->why);
	else if (result == 0)
		result = change_remove_alias(r->a, buf_slice(&key), &r->why);
	if (result == 0) {
		r->has_changed = true;
		admin_say(r, left.n > 0 ? "target removed" : "alias removed",
		    SLICE_NONE);
	}
	buf_fini(&key);
	buf_fini(&gone);
	buf_fini(&left);
	return result;
}

static bool
list_alias(void *arg_, struct slice key, const struct name *n)
{
	struct admin_list *w = arg_;
	struct slice targets = n->targets, target;
	struct admin_request *r = w->r;
	struct buf address;

	if (n->account != 0)
		return true;
	if (!admin_list_step(w, key))
		return false;
	buf_init(&address, 1024);
	canonical_address(key, &address);
	row_pair(&r->row, "alias", buf_slice(&address));
	while (row_next(&targets, &target)) {
		/* Long ones go on in another row of the same alias. */
		if (r->row.n + target.n + 64 > ADMIN_ROW_MAX) {
			admin_send(r);
			row_pair(&r->row, "alias", buf_slice(&address));
		}
		row_pair(&r->row, "target", target);
	}
	admin_send(r);
	buf_fini(&address);
	return true;
}

int
verb_alias_list(struct admin_request *r)
{
	return admin_list_names(r, list_alias);
}
