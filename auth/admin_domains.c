/* SPDX-License-Identifier: ISC */
/* Verbs about domains. */
#include "auth/admin_verbs.h"

#include "auth/admin_request.h"
#include "auth/canonical.h"
#include "sys/row.h"

int
verb_domain_add(struct admin_request *r)
{
	struct buf name, alias_of;
	struct domain d = { 0 };
	int result;

	buf_init(&name, CANONICAL_DOMAIN_MAX);
	buf_init(&alias_of, CANONICAL_DOMAIN_MAX);
	result = admin_take_domain(r, "name", &name);
	if (result == 0 && admin_arg(r, "alias-of").n > 0)
		result = admin_take_domain(r, "alias-of", &alias_of);
	d.name = buf_slice(&name);
	d.alias_of = buf_slice(&alias_of);
	if (result == 0)
		result = change_add_domain(r->a, &d, &r->why);
	if (result == 0) {
		r->has_changed = true;
		admin_say(r, "added", d.name);
	}
	buf_fini(&name);
	buf_fini(&alias_of);
	return result;
}

static bool
list_domain(void *arg_, const struct domain *d)
{
	struct admin_list *w = arg_;
	struct admin_request *r = w->r;

	if (!admin_list_step(w, d->name))
		return false;
	row_pair(&r->row, "domain", d->name);
	if (d->alias_of.n > 0)
		row_pair(&r->row, "alias-of", d->alias_of);
	row_pair_u64(&r->row, "created", (uint64_t)d->created);
	admin_send(r);
	return true;
}

int
verb_domain_list(struct admin_request *r)
{
	struct admin_list w;

	if (admin_list_begin(&w, r) < 0)
		return -1;
	return admin_list_end(&w, accounts_each_domain(r->a, admin_arg(r, "after"),
	    list_domain, &w));
}

int
verb_domain_remove(struct admin_request *r)
{
	struct buf name;
	int result;

	buf_init(&name, CANONICAL_DOMAIN_MAX);
	result = admin_take_domain(r, "name", &name);
	if (result == 0)
		result = change_remove_domain(r->a, buf_slice(&name), &r->why);
	if (result == 0) {
		r->has_changed = true;
		admin_say(r, "removed", buf_slice(&name));
	}
	buf_fini(&name);
	return result;
}
