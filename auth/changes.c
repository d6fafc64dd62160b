/* SPDX-License-Identifier: ISC */
/* Domains, aliases, and whether a name is free. Checks first, then one batch. */
#include "auth/changes.h"

#include <errno.h>
#include <sysexits.h>

#include "auth/accounts_priv.h"
#include "auth/batch.h"
#include "auth/canonical.h"
#include "base/clock.h"
#include "sys/log.h"
#include "sys/row.h"

int
change_generation(struct accounts *a)
{
	struct refusal why;
	struct batch b;
	int result;

	refusal_init(&why);
	result = batch_begin(&b, a, &why);
	if (result == 0)
		result = batch_commit(&b, &why);
	if (result < 0)
		log_error("event=generation_not_raised why=%s",
		    LOG_V(buf_slice(&why.text)));
	refusal_fini(&why);
	return result;
}

/* ---- domains ---- */

struct scan {
	struct slice what; /* a domain, or an address */
	struct buf found;
};

static bool
scan_name(void *arg, struct slice key, const struct name *n)
{
	struct scan *s = arg;

	(void)n;
	canonical_address(key, &s->found);
	return false;
}

static bool
scan_alias_of(void *arg, const struct domain *d)
{
	struct scan *s = arg;

	if (!slice_eq(d->alias_of, s->what))
		return true;
	buf_add_slice(&s->found, d->name);
	return false;
}

static int
check_alias_of(struct accounts *a, const struct domain *d,
    struct refusal *why)
{
	struct domain other;

	if (d->alias_of.n == 0)
		return 0;
	if (slice_eq(d->alias_of, d->name))
		return refuse(why, EX_DATAERR,
		    "a domain cannot be an alias of itself");
	if (accounts_find_domain(a, d->alias_of, &other) < 0)
		return errno == ENOENT
		    ? refuse(why, EX_NOHOST, "no such domain: %.*s",
			  SLICE_FMT(d->alias_of))
		    : refuse_trouble(a, why);
	if (other.alias_of.n > 0)
		return refuse(why, EX_DATAERR, "%.*s is itself an alias of "
		    "%.*s", SLICE_FMT(d->alias_of), SLICE_FMT(other.alias_of));
	return 0;
}

static int
put_domain(struct accounts *a, const struct domain *d, struct refusal *why)
{
	struct buf value;
	struct batch b;

	if (batch_begin(&b, a, why) < 0)
		return -1;
	buf_init(&value, 4096);
	domain_write(d, &value);
	batch_put(&b, a->domains, d->name, &value);
	buf_fini(&value);
	batch_put_number(&b, a->meta, SLICE(META_NEXT_DOMAIN), META_VALUE,
	    d->serial + 1);
	if (batch_commit(&b, why) < 0)
		return -1;
	a->next_domain = d->serial + 1;
	return accounts_survey(a) == 0 ? 0 : refuse_trouble(a, why);
}

int
change_add_domain(struct accounts *a, const struct domain *d,
    struct refusal *why)
{
	struct domain made = *d, old;

	if (accounts_find_domain(a, d->name, &old) == 0)
		return refuse(why, EX_CANTCREAT, "domain %.*s exists already",
		    SLICE_FMT(d->name));
	if (errno != ENOENT)
		return refuse_trouble(a, why);
	if (check_alias_of(a, d, why) < 0)
		return -1;
	made.serial = a->next_domain;
	made.created = clock_wall();
	return put_domain(a, &made, why);
}

/* The first name in a domain; empty when there is none. */
static int
find_inhabitant(struct accounts *a, struct slice domain, struct buf *out,
    struct refusal *why)
{
	struct scan s = { .what = domain };
	struct buf prefix;
	int result;

	buf_init(&prefix, CANONICAL_KEY_MAX);
	canonical_key(SLICE_NONE, domain, &prefix);
	buf_init(&s.found, 1024);
	result = accounts_each_name(a, buf_slice(&prefix), SLICE_NONE,
	    scan_name, &s);
	buf_add_slice(out, buf_slice(&s.found));
	buf_fini(&s.found);
	buf_fini(&prefix);
	return result == 0 ? 0 : refuse_trouble(a, why);
}

/* A domain that others hang on cannot go. */
static int
check_domain_free(struct accounts *a, struct slice name, struct refusal *why)
{
	struct scan s = { .what = name };
	struct buf found;
	int result = 0;

	buf_init(&found, 1024);
	buf_init(&s.found, 1024);
	if (find_inhabitant(a, name, &found, why) < 0)
		result = -1;
	else if (found.n > 0)
		result = refuse(why, EX_UNAVAILABLE, "domain %.*s is still in "
		    "use: %s is in it", SLICE_FMT(name), found.p);
	else if (accounts_each_domain(a, SLICE_NONE, scan_alias_of, &s) < 0)
		result = refuse_trouble(a, why);
	else if (s.found.n > 0)
		result = refuse(why, EX_UNAVAILABLE, "domain %.*s is still in "
		    "use: %s is an alias of it", SLICE_FMT(name), s.found.p);
	buf_fini(&s.found);
	buf_fini(&found);
	return result;
}

static int
find_domain(struct accounts *a, struct slice name, struct domain *d,
    struct refusal *why)
{
	if (accounts_find_domain(a, name, d) == 0)
		return 0;
	if (errno != ENOENT)
		return refuse_trouble(a, why);
	return refuse(why, EX_NOHOST, "no such domain: %.*s (add it with "
	    "\"domain add\")", SLICE_FMT(name));
}

int
change_remove_domain(struct accounts *a, struct slice name,
    struct refusal *why)
{
	struct domain d;
	struct batch b;

	if (find_domain(a, name, &d, why) < 0 ||
	    check_domain_free(a, name, why) < 0 ||
	    batch_begin(&b, a, why) < 0)
		return -1;
	batch_delete(&b, a->domains, name);
	if (batch_commit(&b, why) < 0)
		return -1;
	return accounts_survey(a) == 0 ? 0 : refuse_trouble(a, why);
}

/* ---- names ---- */

/* Can this address be given to an account or an alias? */
int
check_name_free(struct accounts *a, struct slice key, struct refusal *why)
{
	struct slice local, name;
	struct domain d;
	struct name n;

	canonical_split(key, &local, &name);
	if (find_domain(a, name, &d, why) < 0)
		return -1;
	if (d.alias_of.n > 0)
		return refuse(why, EX_DATAERR, "%.*s is an alias of domain "
		    "%.*s: use that one", SLICE_FMT(name),
		    SLICE_FMT(d.alias_of));
	if (accounts_find_name(a, key, &n) == 0)
		return refuse(why, EX_CANTCREAT, "%s exists already (%s)",
		    batch_shown(key), n.account != 0 ? "an account" : "an alias");
	return errno == ENOENT ? 0 : refuse_trouble(a, why);
}

/* ---- aliases ---- */

static int
check_targets(struct slice key, struct slice targets, struct refusal *why)
{
	struct buf self;
	struct slice target, left = targets;
	size_t n = 0;
	int result = 0;

	buf_init(&self, 1024);
	canonical_address(key, &self);
	while (row_next(&left, &target) && result == 0) {
		n++;
		if (slice_eq(target, buf_slice(&self)))
			result = refuse(why, EX_DATAERR,
			    "alias %s cannot point to itself", self.p);
	}
	if (result == 0 && (n == 0 || n > ALIAS_TARGETS_MAX))
		result = refuse(why, EX_USAGE, "alias %s needs 1 to %d "
		    "targets", self.p, ALIAS_TARGETS_MAX);
	buf_fini(&self);
	return result;
}

int
change_put_alias(struct accounts *a, struct slice key, struct slice targets,
    struct refusal *why)
{
	struct slice target;
	struct name old;
	struct buf value;
	struct batch b;
	bool is_new = accounts_find_name(a, key, &old) < 0;

	if (check_targets(key, targets, why) < 0 ||
	    ((is_new || old.account != 0) &&
		check_name_free(a, key, why) < 0) ||
	    batch_begin(&b, a, why) < 0)
		return -1;
	buf_init(&value, TABLE_VALUE_MAX);
	record_begin(&value);
	while (row_next(&targets, &target))
		record_add(&value, NAME_TARGET, target);
	batch_put(&b, a->names, key, &value);
	buf_fini(&value);
	if (batch_commit(&b, why) < 0)
		return -1;
	a->n_aliases += is_new;
	return 0;
}

int
change_remove_alias(struct accounts *a, struct slice key,
    struct refusal *why)
{
	struct name old;
	struct batch b;

	if (accounts_find_name(a, key, &old) < 0 && errno != ENOENT)
		return refuse_trouble(a, why);
	if (accounts_find_name(a, key, &old) < 0 || old.account != 0)
		return refuse(why, EX_NOUSER, "no such alias: %s",
		    batch_shown(key));
	if (batch_begin(&b, a, why) < 0)
		return -1;
	batch_delete(&b, a->names, key);
	if (batch_commit(&b, why) < 0)
		return -1;
	a->n_aliases--;
	return 0;
}
