/* SPDX-License-Identifier: ISC */
/*
 * What an administrator asks of auth. The arguments are pairs packed by
 * sys/row.h, KEY VALUE KEY VALUE …:
 *
 *	password set     account form [form]  a number, and stored forms made by
 *	                 the caller (sys/password.h): one of crypt(3) or
 *	                 argon2id, one of SCRAM keys, or both; they replace
 *	                 what is there
 *	password remove  account
 *	password has     account              row: account, has (yes, no),
 *	                 crypt (its scheme, such as "$y$"), scram (iterations),
 *	                 changed (seconds since 1970)
 *
 * No password comes here in clear, and no stored form goes out. Exit codes are
 * those of sysexits.h.
 */
#include "auth/auth_admin.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "auth/passwords.h"
#include "auth/recent.h"
#include "base/clock.h"
#include "base/num.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/row.h"
#include "sys/scram_keys.h"

struct request {
	struct passwords *p;
	struct ipc_link *l;
	uint64_t req, account;
	struct slice args;
};

static void
done(const struct request *r, int exit, const char *text)
{
	daemon_done(r->l, r->req, (uint8_t)exit, "%s", text);
}

static void
trouble(const struct request *r)
{
	daemon_done(r->l, r->req, EX_IOERR, "the tables cannot be used: %s",
	    passwords_error(r->p));
}

/* The two forms among the arguments. -1 with a sentence said. */
static int
take_forms(const struct request *r, struct slice *crypt, struct slice *scram)
{
	struct slice left = r->args, key, value, *form;

	*crypt = *scram = SLICE_NONE;
	while (row_next(&left, &key) && row_next(&left, &value)) {
		if (!slice_eq_str(key, "form"))
			continue;
		form = stored_kind(value) == STORED_SCRAM ? scram : crypt;
		if (stored_kind(value) == STORED_NONE || form->n > 0) {
			done(r, EX_DATAERR, form->n > 0
				? "two stored forms of one kind"
				: "this is not a stored form of a password");
			return -1;
		}
		*form = value;
	}
	if (crypt->n > 0 || scram->n > 0)
		return 0;
	done(r, EX_USAGE, "no stored form of a password is given");
	return -1;
}

static void
password_set(const struct request *r)
{
	struct slice crypt, scram;

	if (take_forms(r, &crypt, &scram) < 0)
		return;
	if (passwords_put(r->p, r->account, clock_wall(), crypt, scram) < 0) {
		trouble(r);
		return;
	}
	recent_forget(r->account);
	log_info("event=password_set account=%llu",
	    (unsigned long long)r->account);
	done(r, EX_OK, "password set");
}

static void
password_remove(const struct request *r)
{
	if (passwords_remove(r->p, r->account) < 0) {
		trouble(r);
		return;
	}
	recent_forget(r->account);
	log_info("event=password_removed account=%llu",
	    (unsigned long long)r->account);
	done(r, EX_OK, "password removed");
}

/* What may be told of a form: "$y$" of "$y$j9T$…". */
static struct slice
scheme(struct slice form)
{
	ptrdiff_t end = form.n == 0 ? -1 : slice_chr(slice_from(form, 1), '$');

	if (form.n > 0 && (form.p[0] == '!' || form.p[0] == '*'))
		return SLICE("locked");
	if (form.n > 0 && form.p[0] == '{')
		end = slice_chr(form, '}') - 1;
	return end < 0 ? SLICE_NONE : slice_head(form, (size_t)end + 2);
}

static void
password_has(const struct request *r)
{
	struct scram_keys keys;
	struct stored s;
	struct buf row;

	stored_init(&s);
	buf_init(&row, 1024);
	if (passwords_find(r->p, r->account, &s) < 0 && errno != ENOENT) {
		trouble(r);
		stored_fini(&s);
		return;
	}
	row_pair_u64(&row, "account", r->account);
	row_pair_str(&row, "has", stored_form(&s).n > 0 ? "yes" : "no");
	if (s.crypt.n > 0)
		row_pair(&row, "crypt", scheme(buf_slice(&s.crypt)));
	if (scram_keys_parse(buf_slice(&s.scram), &keys) == 0) {
		row_pair_u64(&row, "scram", keys.iterations);
		scram_keys_wipe(&keys);
	}
	if (s.changed != 0)
		row_pair_u64(&row, "changed", (uint64_t)s.changed);
	daemon_row(r->l, r->req, &row);
	done(r, EX_OK, "");
	buf_fini(&row);
	stored_fini(&s);
}

static const struct verb {
	const char *name;
	bool has_forms;
	void (*run)(const struct request *r);
} verbs[] = {
	{ "password set", true, password_set },
	{ "password remove", false, password_remove },
	{ "password has", false, password_has },
};

static bool
has_good_args(const struct verb *v, struct slice args)
{
	struct slice key, value;

	while (row_next(&args, &key)) {
		if (!slice_eq_str(key, "account") &&
		    (!v->has_forms || !slice_eq_str(key, "form")))
			return false;
		if (!row_next(&args, &value))
			return false;
	}
	return args.n == 0;
}

void
auth_admin_run(struct passwords *p, struct ipc_link *l, uint64_t req,
    struct slice verb, struct slice args)
{
	struct request r = { .p = p, .l = l, .req = req, .args = args };
	size_t i;

	for (i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (!slice_eq_str(verb, verbs[i].name))
			continue;
		if (!has_good_args(&verbs[i], args))
			done(&r, EX_USAGE, "unknown or malformed arguments");
		else if (num_parse(row_get(args, "account"), 1, UINT64_MAX,
			&r.account) < 0)
			done(&r, EX_USAGE, "account: the number of one");
		else
			verbs[i].run(&r);
		return;
	}
	daemon_done(l, req, EX_USAGE, "auth does not know \"%.*s\"",
	    SLICE_FMT(slice_head(verb, 100)));
}
