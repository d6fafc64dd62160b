/* SPDX-License-Identifier: ISC */
/* Opening, finding, walking. Changes are in changes.c. */
#include "auth/accounts.h"

#include <errno.h>
#include <stdlib.h>

#include "auth/accounts_priv.h"
#include "auth/canonical.h"
#include "sys/log.h"
#include "sys/row.h"

enum { SAVE_BATCH = 256 };

/* ---- records ---- */

void
account_write(const struct account *c, struct buf *out)
{
	record_begin(out);
	record_add(out, ACCOUNT_KEY, c->key);
	record_add(out, ACCOUNT_HOME, c->home);
	record_add_u64(out, ACCOUNT_ROOT, c->root);
	record_add_u64(out, ACCOUNT_CREATED, (uint64_t)c->created);
	if (!c->is_enabled)
		record_add_u64(out, ACCOUNT_DISABLED, 1);
	if (c->quota_bytes != QUOTA_DEFAULT)
		record_add_u64(out, ACCOUNT_QUOTA_BYTES, c->quota_bytes);
	if (c->quota_messages != QUOTA_DEFAULT)
		record_add_u64(out, ACCOUNT_QUOTA_MESSAGES, c->quota_messages);
	if (c->system_uid != 0) {
		record_add_u64(out, ACCOUNT_SYSTEM_UID, c->system_uid);
		record_add_u64(out, ACCOUNT_SYSTEM_GID, c->system_gid);
	}
}

int
account_read(struct slice key, struct slice r, struct account *out_r)
{
	*out_r = (struct account){
		.number = record_key_number(key),
		.key = record_get(r, ACCOUNT_KEY),
		.home = record_get(r, ACCOUNT_HOME),
		.root = (uint32_t)record_get_u64(r, ACCOUNT_ROOT, 0),
		.system_uid =
		    (uint32_t)record_get_u64(r, ACCOUNT_SYSTEM_UID, 0),
		.system_gid =
		    (uint32_t)record_get_u64(r, ACCOUNT_SYSTEM_GID, 0),
		.is_enabled = record_get_u64(r, ACCOUNT_DISABLED, 0) == 0,
		.created = (int64_t)record_get_u64(r, ACCOUNT_CREATED, 0),
		.quota_bytes =
		    record_get_u64(r, ACCOUNT_QUOTA_BYTES, QUOTA_DEFAULT),
		.quota_messages =
		    record_get_u64(r, ACCOUNT_QUOTA_MESSAGES, QUOTA_DEFAULT)
	};
	if (record_is_valid(r) && out_r->number != 0 && out_r->key.n > 0 &&
	    out_r->home.n > 0)
		return 0;
	errno = EBADMSG;
	return -1;
}

void
domain_write(const struct domain *d, struct buf *out)
{
	record_begin(out);
	record_add_u64(out, DOMAIN_CREATED, (uint64_t)d->created);
	record_add_u64(out, DOMAIN_SERIAL, d->serial);
	if (d->alias_of.n > 0)
		record_add(out, DOMAIN_ALIAS_OF, d->alias_of);
}

static int
domain_read(struct slice key, struct slice r, struct domain *out_r)
{
	*out_r = (struct domain){
		.name = key,
		.alias_of = record_get(r, DOMAIN_ALIAS_OF),
		.created = (int64_t)record_get_u64(r, DOMAIN_CREATED, 0),
		.serial = record_get_u64(r, DOMAIN_SERIAL, 0)
	};
	if (record_is_valid(r))
		return 0;
	errno = EBADMSG;
	return -1;
}

/* The targets of an alias go into `targets`. */
static int
name_read(struct slice r, struct buf *targets, struct name *out_r)
{
	struct slice value;
	unsigned char tag;
	size_t at = 0;

	buf_reset(targets);
	while (record_next(r, &at, &tag, &value))
		if (tag == NAME_TARGET)
			row_add(targets, value);
	*out_r = (struct name){ record_get_u64(r, NAME_ACCOUNT, 0),
		buf_slice(targets) };
	if (record_is_valid(r) && buf_is_ok(targets) &&
	    (out_r->account != 0 || targets->n > 0))
		return 0;
	errno = EBADMSG;
	return -1;
}

/* ---- finding ---- */

static int
get(struct table *t, struct slice key, struct buf *value)
{
	buf_reset(value);
	if (key.n == 0 || key.n > TABLE_KEY_MAX) {
		errno = ENOENT;
		return -1;
	}
	return table_get(t, key, value);
}

int
accounts_find_domain(struct accounts *a, struct slice name,
    struct domain *out_r)
{
	if (get(a->domains, name, &a->domain) < 0)
		return -1;
	return domain_read(name, buf_slice(&a->domain), out_r);
}

int
accounts_find_name(struct accounts *a, struct slice key, struct name *out_r)
{
	if (get(a->names, key, &a->name) < 0)
		return -1;
	return name_read(buf_slice(&a->name), &a->targets, out_r);
}

int
accounts_find(struct accounts *a, uint64_t number, struct account *out_r)
{
	unsigned char bytes[RECORD_KEY];
	struct slice key = record_key(bytes, number);

	if (get(a->accounts, key, &a->account) < 0)
		return -1;
	return account_read(key, buf_slice(&a->account), out_r);
}

struct first {
	uint64_t number;
};

static bool
take_enabled(void *arg, const struct account *account)
{
	struct first *f = arg;

	if (account->is_enabled)
		f->number = account->number;
	return !account->is_enabled;
}

int
accounts_find_first(struct accounts *a, struct account *out_r)
{
	struct first f = { 0 };

	if (accounts_each(a, 0, take_enabled, &f) < 0)
		return -1;
	if (f.number != 0)
		return accounts_find(a, f.number, out_r);
	errno = ENOENT;
	return -1;
}

uint64_t
accounts_generation(const struct accounts *a)
{
	return a->generation;
}

uint64_t
accounts_next_number(const struct accounts *a)
{
	return a->next_account;
}

struct slice
accounts_first_domain(const struct accounts *a)
{
	return buf_slice(&a->first_domain);
}

size_t
accounts_n_domains(const struct accounts *a)
{
	return a->n_domains;
}

size_t
accounts_count(const struct accounts *a)
{
	return a->n_accounts;
}

size_t
accounts_n_aliases(const struct accounts *a)
{
	return a->n_aliases;
}

/* ---- walks ---- */

/* A record that is not ours is passed over, with a line in the log. */
struct walk {
	struct accounts *a;
	accounts_domain_fn *domain;
	accounts_account_fn *account;
	accounts_name_fn *name;
	void *arg;
	struct buf targets;
};

static bool
damaged(const char *table, struct slice key)
{
	log_error("event=damaged_record table=%s key=%s", table, LOG_V(key));
	return true;
}

static bool
step_domain(void *arg, struct slice key, struct slice value)
{
	struct walk *w = arg;
	struct domain d;

	if (domain_read(key, value, &d) < 0)
		return damaged("domains", key);
	return w->domain(w->arg, &d);
}

static bool
step_account(void *arg, struct slice key, struct slice value)
{
	struct walk *w = arg;
	struct account c;

	if (account_read(key, value, &c) < 0)
		return damaged("accounts", key);
	return w->account(w->arg, &c);
}

static bool
step_name(void *arg, struct slice key, struct slice value)
{
	struct walk *w = arg;
	struct name n;

	if (name_read(value, &w->targets, &n) < 0)
		return damaged("names", key);
	return w->name(w->arg, key, &n);
}

int
accounts_each_domain(struct accounts *a, struct slice after,
    accounts_domain_fn *each, void *arg)
{
	struct walk w = { .a = a, .domain = each, .arg = arg };

	return table_walk(a->domains, SLICE_NONE, after, step_domain, &w);
}

int
accounts_each(struct accounts *a, uint64_t after, accounts_account_fn *each,
    void *arg)
{
	struct walk w = { .a = a, .account = each, .arg = arg };
	unsigned char bytes[RECORD_KEY];

	return table_walk(a->accounts, SLICE_NONE, record_key(bytes, after),
	    step_account, &w);
}

int
accounts_each_name(struct accounts *a, struct slice prefix,
    struct slice after, accounts_name_fn *each, void *arg)
{
	struct walk w = { .a = a, .name = each, .arg = arg };
	int result;

	buf_init(&w.targets, TABLE_VALUE_MAX);
	result = table_walk(a->names, prefix, after, step_name, &w);
	buf_fini(&w.targets);
	return result;
}

/* ---- usage ---- */

static struct usage_entry *
usage_entry(struct accounts *a, uint64_t number)
{
	struct usage_entry *e = map_get(&a->usages, map_u64(&number));

	if (e != NULL)
		return e;
	e = calloc(1, sizeof *e);
	if (e == NULL ||
	    map_put(&a->usages, map_u64(&number), e, NULL) < 0)
		fatal("event=no_memory for=usage");
	e->number = number;
	return e;
}

struct usage
accounts_usage(const struct accounts *a, uint64_t number)
{
	const struct usage_entry *e = map_get(&a->usages, map_u64(&number));

	return e == NULL ? (struct usage){ 0 } : e->usage;
}

void
accounts_set_usage(struct accounts *a, uint64_t number, struct usage u)
{
	struct usage_entry *e = usage_entry(a, number);

	if (e->usage.bytes == u.bytes && e->usage.messages == u.messages)
		return;
	e->usage = u;
	e->is_dirty = true;
}

void
accounts_forget_usage(struct accounts *a, uint64_t number)
{
	free(map_remove(&a->usages, map_u64(&number)));
}

/* Some of the dirty ones, as many as a batch takes. */
static size_t
save_some(struct accounts *a, size_t *pos)
{
	static struct table_change changes[SAVE_BATCH];
	static struct buf values[SAVE_BATCH];
	static unsigned char keys[SAVE_BATCH][RECORD_KEY];
	struct usage_entry *e;
	size_t n = 0, i;

	while (n < SAVE_BATCH &&
	    (e = map_next(&a->usages, pos, NULL)) != NULL) {
		if (!e->is_dirty)
			continue;
		e->is_dirty = false;
		buf_init(&values[n], 256);
		record_begin(&values[n]);
		record_add_u64(&values[n], USAGE_BYTES, e->usage.bytes);
		record_add_u64(&values[n], USAGE_MESSAGES, e->usage.messages);
		changes[n] = (struct table_change){ .table = a->usage,
			.key = record_key(keys[n], e->number),
			.value = buf_slice(&values[n]) };
		n++;
	}
	if (n > 0 && table_apply(a->env, changes, n, TABLE_LATER) < 0)
		log_warn("event=usage_not_saved why=%s",
		    LOG_S(table_error(a->env)));
	for (i = 0; i < n; i++)
		buf_fini(&values[i]);
	return n;
}

void
accounts_save_usage(struct accounts *a)
{
	size_t pos = 0;

	while (save_some(a, &pos) == SAVE_BATCH)
		;
}

void
accounts_flush(struct accounts *a)
{
	if (table_flush(a->env) < 0)
		log_warn("event=usage_not_saved why=%s",
		    LOG_S(table_error(a->env)));
}

static bool
load_usage(void *arg, struct slice key, struct slice value)
{
	uint64_t number = record_key_number(key);

	if (number == 0 || !record_is_valid(value))
		return damaged("usage", key);
	usage_entry(arg, number)->usage = (struct usage){
		record_get_u64(value, USAGE_BYTES, 0),
		record_get_u64(value, USAGE_MESSAGES, 0)
	};
	return true;
}

/* ---- opening ---- */

static bool
survey_domain(void *arg, const struct domain *d)
{
	struct accounts *a = arg;

	a->n_domains++;
	if (d->alias_of.n > 0 ||
	    (a->first_domain.n > 0 && a->first_serial <= d->serial))
		return true;
	buf_reset(&a->first_domain);
	buf_add_slice(&a->first_domain, d->name);
	a->first_serial = d->serial;
	return true;
}

static bool
survey_name(void *arg, struct slice key, const struct name *n)
{
	struct accounts *a = arg;

	(void)key;
	if (n->account != 0)
		a->n_accounts++;
	else
		a->n_aliases++;
	return true;
}

int
accounts_survey(struct accounts *a)
{
	a->n_domains = 0;
	buf_reset(&a->first_domain);
	return accounts_each_domain(a, SLICE_NONE, survey_domain, a);
}

static int
read_meta(struct accounts *a, const char *name, uint64_t *out_r)
{
	if (get(a->meta, slice_str(name), &a->name) < 0) {
		*out_r = 1;
		return errno == ENOENT ? 0 : -1;
	}
	*out_r = record_get_u64(buf_slice(&a->name), META_VALUE, 0);
	if (*out_r != 0 && record_is_valid(buf_slice(&a->name)))
		return 0;
	errno = EBADMSG;
	return -1;
}

static int
open_tables(struct accounts *a, struct buf *why)
{
	const struct {
		const char *name;
		struct table **table;
	} tables[] = {
		{ "domains", &a->domains }, { "names", &a->names },
		{ "accounts", &a->accounts }, { "homes", &a->homes },
		{ "usage", &a->usage }, { "meta", &a->meta },
	};
	size_t i;

	for (i = 0; i < sizeof tables / sizeof *tables; i++)
		if (table_open(a->env, tables[i].name, why,
			tables[i].table) < 0)
			return -1;
	if (read_meta(a, META_GENERATION, &a->generation) == 0 &&
	    read_meta(a, META_NEXT_ACCOUNT, &a->next_account) == 0 &&
	    read_meta(a, META_NEXT_DOMAIN, &a->next_domain) == 0 &&
	    accounts_survey(a) == 0 &&
	    accounts_each_name(a, SLICE_NONE, SLICE_NONE, survey_name, a) ==
		0 &&
	    table_walk(a->usage, SLICE_NONE, SLICE_NONE, load_usage, a) == 0)
		return 0;
	buf_addf(why, "the tables cannot be read: %s", table_error(a->env));
	return -1;
}

int
accounts_open(enum table_driver driver, const char *dir, struct buf *why,
    struct accounts **a_r)
{
	struct accounts *a = calloc(1, sizeof *a);

	if (a == NULL) {
		buf_add_str(why, "out of memory");
		return -1;
	}
	buf_init(&a->domain, TABLE_VALUE_MAX);
	buf_init(&a->name, TABLE_VALUE_MAX);
	buf_init(&a->account, TABLE_VALUE_MAX);
	buf_init(&a->targets, TABLE_VALUE_MAX);
	buf_init(&a->first_domain, CANONICAL_DOMAIN_MAX);
	map_init(&a->usages);
	if (table_env_open(driver, dir, why, &a->env) < 0 ||
	    open_tables(a, why) < 0) {
		accounts_close(&a);
		return -1;
	}
	*a_r = a;
	return 0;
}

void
accounts_close(struct accounts **ap)
{
	struct accounts *a = *ap;
	struct usage_entry *e;
	size_t pos = 0;

	*ap = NULL;
	if (a == NULL)
		return;
	if (a->env != NULL && a->usage != NULL)
		accounts_save_usage(a);
	table_env_close(&a->env);
	while ((e = map_next(&a->usages, &pos, NULL)) != NULL)
		free(e);
	map_fini(&a->usages);
	buf_fini(&a->domain);
	buf_fini(&a->name);
	buf_fini(&a->account);
	buf_fini(&a->targets);
	buf_fini(&a->first_domain);
	free(a);
}
