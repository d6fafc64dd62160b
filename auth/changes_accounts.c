/* SPDX-License-Identifier: ISC */
/* Accounts: their numbers, homes and addresses. Checks first, then one batch. */
#include "auth/changes.h"

#include <errno.h>
#include <sysexits.h>

#include "auth/accounts_priv.h"
#include "auth/batch.h"
#include "auth/canonical.h"
#include "base/clock.h"
#include "sys/row.h"

/* Accounts being added: what the tables do not know yet. */
struct adding {
	struct batch batch;
	struct map keys, homes;
	uint64_t next;
};

static bool
is_home_taken(struct adding *w, struct slice home)
{
	struct accounts *a = w->batch.a;

	if (map_get(&w->homes, home) != NULL)
		return true;
	buf_reset(&a->name);
	return table_get(a->homes, home, &a->name) == 0;
}

/* A home of its own that nobody had: DOMAIN/LOCAL, with ~NUMBER behind it if
 * that belongs, or belonged, to another. */
static void
make_home(struct adding *w, const struct account *c, struct buf *home)
{
	canonical_home(c->key, home);
	if (is_home_taken(w, buf_slice(home)))
		buf_addf(home, "~%llu", (unsigned long long)c->number);
}

/* Relative, without empty names, "." and "..". */
static bool
is_home(struct slice home)
{
	struct slice part;

	if (home.n == 0 || home.n > CANONICAL_HOME_MAX ||
	    home.p[0] == '/' || home.p[home.n - 1] == '/' ||
	    slice_has(home, 0))
		return false;
	while (slice_split(&home, '/', &part))
		if (part.n == 0 || part.n > 255 || slice_eq_str(part, ".") ||
		    slice_eq_str(part, ".."))
			return false;
	return true;
}

static int
choose_home(struct adding *w, const struct account *c, struct buf *home,
    struct refusal *why)
{
	if (c->home.n == 0) {
		make_home(w, c, home);
		return 0;
	}
	if (!is_home(c->home))
		return refuse(why, EX_DATAERR, "home \"%.*s\" is not a path "
		    "below a mail root", SLICE_FMT(c->home));
	if (is_home_taken(w, c->home))
		return refuse(why, EX_CANTCREAT, "home \"%.*s\" belongs, or "
		    "belonged, to another account", SLICE_FMT(c->home));
	buf_add_slice(home, c->home);
	return 0;
}

static int
add_account(struct adding *w, struct account *c, struct refusal *why)
{
	struct accounts *a = w->batch.a;
	unsigned char number[RECORD_KEY];
	struct account row;
	struct buf home, value;

	if (map_get(&w->keys, c->key) != NULL)
		return refuse(why, EX_DATAERR, "%s is there twice",
		    batch_shown(c->key));
	if (check_name_free(a, c->key, why) < 0)
		return -1;
	c->number = w->next++;
	c->created = clock_wall();
	buf_init(&home, CANONICAL_HOME_MAX + 32);
	if (choose_home(w, c, &home, why) < 0) {
		buf_fini(&home);
		return -1;
	}
	row = *c;
	row.home = buf_slice(&home);
	buf_init(&value, 4096);
	account_write(&row, &value);
	batch_put(&w->batch, a->accounts, record_key(number, c->number),
	    &value);
	batch_put_number(&w->batch, a->names, c->key, NAME_ACCOUNT,
	    c->number);
	batch_put_number(&w->batch, a->homes, row.home, HOME_ACCOUNT,
	    c->number);
	if (map_put(&w->keys, c->key, c, NULL) < 0 ||
	    map_put(&w->homes, row.home, c, NULL) < 0)
		w->batch.mem.failed = true;
	buf_fini(&value);
	buf_fini(&home);
	return 0;
}

int
change_add_accounts(struct accounts *a, struct account *v, size_t n,
    struct refusal *why)
{
	struct adding w = { .next = a->next_account };
	int result = 0;
	size_t i;

	if (n > CHANGE_ACCOUNTS_MAX)
		return refuse(why, EX_USAGE, "at most %d accounts at once",
		    CHANGE_ACCOUNTS_MAX);
	if (batch_begin(&w.batch, a, why) < 0)
		return -1;
	map_init(&w.keys);
	map_init(&w.homes);
	for (i = 0; i < n && result == 0; i++)
		result = add_account(&w, &v[i], why);
	map_fini(&w.keys);
	map_fini(&w.homes);
	if (result < 0) {
		batch_fini(&w.batch);
		return -1;
	}
	batch_put_number(&w.batch, a->meta, SLICE(META_NEXT_ACCOUNT),
	    META_VALUE, w.next);
	if (batch_commit(&w.batch, why) < 0)
		return -1;
	a->next_account = w.next;
	a->n_accounts += n;
	return 0;
}

static int
find_account(struct accounts *a, uint64_t number, struct account *out_r,
    struct refusal *why)
{
	if (accounts_find(a, number, out_r) == 0)
		return 0;
	if (errno != ENOENT)
		return refuse_trouble(a, why);
	return refuse(why, EX_NOUSER, "no account has the number %llu",
	    (unsigned long long)number);
}

static void
batch_put_account(struct batch *b, const struct account *c)
{
	unsigned char number[RECORD_KEY];
	struct buf value;

	buf_init(&value, 4096);
	account_write(c, &value);
	batch_put(b, b->a->accounts, record_key(number, c->number), &value);
	buf_fini(&value);
}

int
change_set_account(struct accounts *a, const struct account *account,
    struct refusal *why)
{
	struct account c;
	struct batch b;

	if (find_account(a, account->number, &c, why) < 0 ||
	    batch_begin(&b, a, why) < 0)
		return -1;
	c.is_enabled = account->is_enabled;
	c.quota_bytes = account->quota_bytes;
	c.quota_messages = account->quota_messages;
	batch_put_account(&b, &c);
	return batch_commit(&b, why);
}

struct pointing {
	struct slice key, address;
	struct buf found;
};

static bool
has_target(struct slice targets, struct slice address)
{
	struct slice target;

	while (row_next(&targets, &target))
		if (slice_eq(target, address))
			return true;
	return false;
}

static bool
scan_targets(void *arg, struct slice key, const struct name *n)
{
	struct pointing *p = arg;

	if (n->account != 0 || !has_target(n->targets, p->address))
		return true;
	buf_add_str(&p->found, "alias ");
	canonical_address(key, &p->found);
	return false;
}

static int
check_not_pointed_to(struct accounts *a, struct slice key,
    struct refusal *why)
{
	struct pointing p = { .key = key };
	struct buf address;
	int result = 0;

	buf_init(&address, 1024);
	buf_init(&p.found, 1024);
	canonical_address(key, &address);
	p.address = buf_slice(&address);
	if (accounts_each_name(a, SLICE_NONE, SLICE_NONE, scan_targets,
		&p) < 0)
		result = refuse_trouble(a, why);
	else if (p.found.n > 0)
		result = refuse(why, EX_UNAVAILABLE, "account %s is still in "
		    "use: %s points to it", address.p, p.found.p);
	buf_fini(&p.found);
	buf_fini(&address);
	return result;
}

int
change_rename_account(struct accounts *a, uint64_t number, struct slice key,
    struct refusal *why)
{
	struct account c;
	struct batch b;

	if (check_name_free(a, key, why) < 0 ||
	    find_account(a, number, &c, why) < 0 ||
	    check_not_pointed_to(a, c.key, why) < 0 ||
	    batch_begin(&b, a, why) < 0)
		return -1;
	batch_delete(&b, a->names, c.key);
	batch_put_number(&b, a->names, key, NAME_ACCOUNT, number);
	c.key = key;
	batch_put_account(&b, &c);
	return batch_commit(&b, why);
}

int
change_remove_account(struct accounts *a, uint64_t number,
    struct refusal *why)
{
	unsigned char bytes[RECORD_KEY];
	struct account c;
	struct batch b;

	if (find_account(a, number, &c, why) < 0 ||
	    check_not_pointed_to(a, c.key, why) < 0 ||
	    batch_begin(&b, a, why) < 0)
		return -1;
	batch_delete(&b, a->names, c.key);
	batch_delete(&b, a->accounts, record_key(bytes, number));
	batch_delete(&b, a->usage, record_key(bytes, number));
	if (batch_commit(&b, why) < 0)
		return -1;
	a->n_accounts--;
	accounts_forget_usage(a, number);
	return 0;
}
