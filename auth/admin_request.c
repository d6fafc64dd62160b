/* SPDX-License-Identifier: ISC */
/* Arguments, rows and pages of the directory's verbs. */
#include "auth/admin_request.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "auth/accounts.h"
#include "auth/canonical.h"
#include "auth/route.h"
#include "base/num.h"
#include "proto/address.h"
#include "sys/daemon.h"
#include "sys/row.h"

enum { LIST_DEFAULT = 100, LIST_MAX = 1000 };

void
admin_send(struct admin_request *r)
{
	if (buf_is_ok(&r->row))
		daemon_row(r->l, r->req, &r->row);
	buf_reset(&r->row);
}

void
admin_say(struct admin_request *r, const char *what, struct slice name)
{
	buf_reset(&r->why.text);
	buf_addf(&r->why.text, "%.*s%s%s", SLICE_FMT(name),
	    name.n > 0 ? " " : "", what);
}

/* ---- arguments ---- */

struct slice
admin_arg(const struct admin_request *r, const char *key)
{
	return row_get(r->args, key);
}

/* The lenient parser lets pass what strangers send; nobody means to have an
 * address with spaces or controls without quotes. */
static bool
has_space(const struct address *a)
{
	size_t i;

	for (i = 0; !a->is_quoted && i < a->local.n; i++)
		if ((unsigned char)a->local.p[i] <= ' ' ||
		    a->local.p[i] == 127)
			return true;
	return false;
}

int
admin_take_address(struct admin_request *r, struct slice text, struct buf *key)
{
	struct address in;
	struct buf domain, local;
	int result = 0;

	if (address_parse_lenient(text, &in) < 0 || has_space(&in))
		return refuse(&r->why, EX_DATAERR,
		    "\"%.*s\" is not an address", SLICE_FMT(text));
	buf_init(&domain, CANONICAL_DOMAIN_MAX);
	buf_init(&local, 512);
	address_add_local_text(&local, &in);
	if (in.domain.n == 0)
		buf_add_slice(&domain, accounts_first_domain(r->a));
	else if (canonical_domain(in.domain, &domain) < 0)
		result = refuse(&r->why, EX_DATAERR, "\"%.*s\" is not a "
		    "domain", SLICE_FMT(in.domain));
	if (result == 0 && domain.n == 0)
		result = refuse(&r->why, EX_NOHOST, "there is no domain yet: "
		    "add one with \"domain add\"");
	canonical_key(buf_slice(&local), buf_slice(&domain), key);
	buf_fini(&domain);
	buf_fini(&local);
	return result;
}

/* The address of an account to be. */
int
admin_take_mailbox(struct admin_request *r, struct slice text, struct buf *key)
{
	struct slice local, domain;

	if (admin_take_address(r, text, key) < 0)
		return -1;
	canonical_split(buf_slice(key), &local, &domain);
	if (local.n > 0)
		return 0;
	return refuse(&r->why, EX_DATAERR, "\"%.*s\" has no local part",
	    SLICE_FMT(text));
}

/* Where an alias points to, in its canonical form. */
int
admin_take_target(struct admin_request *r, struct slice text, struct buf *out)
{
	struct address in;
	struct domain d;
	struct buf key, domain;
	int result;

	buf_init(&key, 1024);
	result = admin_take_mailbox(r, text, &key);
	if (result == 0 && address_parse_lenient(text, &in) == 0 &&
	    in.domain.n > 0) {
		/* The local part of an address elsewhere is as written. */
		buf_init(&domain, CANONICAL_DOMAIN_MAX);
		if (canonical_domain(in.domain, &domain) == 0 &&
		    accounts_find_domain(r->a, buf_slice(&domain), &d) < 0) {
			in.domain = buf_slice(&domain);
			address_add(out, &in);
			buf_fini(&domain);
			buf_fini(&key);
			return 0;
		}
		buf_fini(&domain);
	}
	if (result == 0)
		canonical_address(buf_slice(&key), out);
	buf_fini(&key);
	return result;
}

/* The account that `account` names. */
int
admin_take_account(struct admin_request *r, struct account *out_r)
{
	struct slice text = admin_arg(r, "account");
	uint64_t number;
	int result;

	if (text.n == 0)
		return refuse(&r->why, EX_USAGE, "which account?");
	if (num_parse(text, 1, UINT64_MAX, &number) == 0)
		result = accounts_find(r->a, number, out_r);
	else
		result = route_login(r->a, text, NULL, out_r);
	if (result == 0)
		return 0;
	if (errno == ENOENT)
		return refuse(&r->why, EX_NOUSER, "no such account: %.*s",
		    SLICE_FMT(text));
	return refuse(&r->why, EX_IOERR, "the tables cannot be read: %s",
	    strerror(errno));
}

/* A quota, if it is there: "none", "default", a number or a size. */
int
admin_take_quota(struct admin_request *r, struct slice args, const char *key,
    uint64_t *quota)
{
	struct slice text = row_get(args, key);

	if (text.n == 0)
		return 0;
	if (slice_eq_str(text, "none"))
		*quota = 0;
	else if (slice_eq_str(text, "default"))
		*quota = QUOTA_DEFAULT;
	else if (num_parse_size(text, quota) < 0 || *quota > INT64_MAX)
		return refuse(&r->why, EX_DATAERR, "%s: \"%.*s\" is neither "
		    "a number, nor a size such as 10M, nor none, nor default",
		    key, SLICE_FMT(text));
	return 0;
}

/* The number of rows of a list. */
static int
take_limit(struct admin_request *r, size_t *limit_r)
{
	struct slice text = admin_arg(r, "limit");
	uint64_t n = LIST_DEFAULT;

	if (text.n > 0 && num_parse(text, 1, LIST_MAX, &n) < 0)
		return refuse(&r->why, EX_USAGE, "limit: a number from 1 to "
		    "%d", LIST_MAX);
	*limit_r = n;
	return 0;
}

int
admin_take_domain(struct admin_request *r, const char *key, struct buf *out)
{
	struct slice text = admin_arg(r, key);

	if (canonical_domain(text, out) == 0 && out->n > 0 &&
	    out->p[0] != '[')
		return 0;
	return refuse(&r->why, EX_DATAERR, "\"%.*s\" is not a domain",
	    SLICE_FMT(text));
}

/* ---- lists ---- */

/* Is there room for this one? Then it becomes the cursor. */
bool
admin_list_step(struct admin_list *w, struct slice cursor)
{
	if (w->left == 0) {
		w->has_more = true;
		return false;
	}
	w->left--;
	buf_reset(&w->last);
	buf_add_slice(&w->last, cursor);
	return true;
}

int
admin_list_begin(struct admin_list *w, struct admin_request *r)
{
	*w = (struct admin_list){ .r = r };
	buf_init(&w->last, 1024);
	return take_limit(r, &w->left);
}

int
admin_list_end(struct admin_list *w, int walked)
{
	struct admin_request *r = w->r;

	if (w->has_more && walked == 0) {
		row_pair(&r->row, "next", buf_slice(&w->last));
		admin_send(r);
	}
	buf_fini(&w->last);
	if (walked < 0)
		return refuse(&r->why, EX_IOERR,
		    "the tables cannot be read: %s", strerror(errno));
	return 0;
}

/* "example.org@", or nothing. */
static int
take_prefix(struct admin_request *r, struct buf *prefix)
{
	if (admin_arg(r, "domain").n == 0)
		return 0;
	if (admin_take_domain(r, "domain", prefix) < 0)
		return -1;
	buf_add_char(prefix, '@');
	return 0;
}

int
admin_list_names(struct admin_request *r, accounts_name_fn *each)
{
	struct admin_list w;
	struct buf prefix;
	int result = -1;

	buf_init(&prefix, CANONICAL_DOMAIN_MAX + 1);
	if (take_prefix(r, &prefix) == 0 && admin_list_begin(&w, r) == 0)
		result = admin_list_end(&w, accounts_each_name(r->a,
		    buf_slice(&prefix), admin_arg(r, "after"), each, &w));
	buf_fini(&prefix);
	return result;
}
