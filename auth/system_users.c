/* SPDX-License-Identifier: ISC */
/* passwd(5), and what it means for the tables. */
#include "auth/system_users.h"

#include <errno.h>

#include "auth/accounts.h"
#include "auth/canonical.h"
#include "auth/changes.h"
#include "base/map.h"
#include "base/num.h"
#include "sys/log.h"

enum { UID_MIN = 1000, UID_NOBODY = 65534, NAME_MAX_OCTETS = 64,
	GONE_MAX = 4096 };

/* ---- passwd(5) ---- */

static bool
is_login_shell(struct slice shell)
{
	return !slice_has_suffix(shell, SLICE("/nologin")) &&
	    !slice_has_suffix(shell, SLICE("/false"));
}

/* Names that adduser would make: no address is hidden in them. */
static bool
is_name(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '_' &&
		    (i == 0 || (s.p[i] != '-' && s.p[i] != '.')))
			return false;
	return s.n > 0 && s.n <= NAME_MAX_OCTETS;
}

static bool
parse_line(struct slice line, struct system_user *user_r)
{
	struct slice f[7];
	uint64_t uid, gid;
	size_t n = 0;

	while (n < 7 && slice_split(&line, ':', &f[n]))
		n++;
	/* An empty last field (the shell) means /bin/sh. */
	if (n == 6)
		f[n++] = SLICE("");
	if (n != 7 || line.n > 0 || !is_name(f[0]) ||
	    num_parse(f[2], UID_MIN, UINT32_MAX - 1, &uid) < 0 ||
	    num_parse(f[3], 1, UINT32_MAX - 1, &gid) < 0 ||
	    uid == UID_NOBODY || !is_login_shell(f[6]))
		return false;
	*user_r = (struct system_user){ f[0], (uint32_t)uid, (uint32_t)gid };
	return true;
}

bool
system_users_next(struct slice *passwd, struct system_user *user_r)
{
	struct slice line;

	while (slice_split(passwd, '\n', &line))
		if (parse_line(line, user_r))
			return true;
	return false;
}

/* ---- accounts ---- */

static void
add_user(struct accounts *a, const struct system_user *u, struct slice key)
{
	struct account c = { .key = key, .is_enabled = true,
		.quota_bytes = QUOTA_DEFAULT, .quota_messages = QUOTA_DEFAULT,
		.system_uid = u->uid, .system_gid = u->gid };
	struct refusal why;

	refusal_init(&why);
	if (change_add_accounts(a, &c, 1, &why) == 0)
		log_info("event=system_user_added user=%s uid=%u account=%llu",
		    LOG_V(u->name), u->uid, (unsigned long long)c.number);
	else
		log_warn("event=system_user_not_added user=%s why=%s",
		    LOG_V(u->name), LOG_V(buf_slice(&why.text)));
	refusal_fini(&why);
}

/* Adds who is new; an address that is somebody else's already stays so. */
static void
check_user(struct accounts *a, const struct system_user *u)
{
	struct account c;
	struct name n;
	struct buf key;

	buf_init(&key, CANONICAL_KEY_MAX);
	canonical_key(u->name, accounts_first_domain(a), &key);
	if (accounts_find_name(a, buf_slice(&key), &n) < 0) {
		if (errno == ENOENT)
			add_user(a, u, buf_slice(&key));
	} else if (n.account == 0 || accounts_find(a, n.account, &c) < 0 ||
	    c.system_uid != u->uid) {
		log_debug("event=system_user_hidden user=%s uid=%u",
		    LOG_V(u->name), u->uid);
	}
	buf_fini(&key);
}

struct gone {
	struct map uids; /* of those listed */
	uint64_t accounts[GONE_MAX];
	size_t n;
};

static bool
look_for_gone(void *arg, const struct account *c)
{
	struct gone *g = arg;
	uint64_t uid = c->system_uid;

	if (uid != 0 && c->is_enabled &&
	    map_get(&g->uids, map_u64(&uid)) == NULL)
		g->accounts[g->n++] = c->number;
	return g->n < GONE_MAX;
}

static void
switch_off(struct accounts *a, uint64_t number)
{
	struct account c;
	struct refusal why;

	refusal_init(&why);
	if (accounts_find(a, number, &c) == 0) {
		log_info("event=system_user_gone uid=%u account=%llu",
		    c.system_uid, (unsigned long long)number);
		c.is_enabled = false;
		if (change_set_account(a, &c, &why) < 0)
			log_warn("event=system_user_kept account=%llu why=%s",
			    (unsigned long long)number,
			    LOG_V(buf_slice(&why.text)));
	}
	refusal_fini(&why);
}

void
system_users_sync(struct accounts *a, struct slice passwd)
{
	static struct gone g;
	struct system_user u;
	size_t i, listed = 0;

	if (accounts_first_domain(a).n == 0)
		return;
	map_init(&g.uids);
	g.n = 0;
	while (system_users_next(&passwd, &u)) {
		uint64_t uid = u.uid;

		if (map_put(&g.uids, map_u64(&uid), &g, NULL) < 0)
			fatal("event=no_memory for=system_users");
		check_user(a, &u);
		listed++;
	}
	/* An empty list is a broken file, not the end of everybody. */
	if (listed > 0 && accounts_each(a, 0, look_for_gone, &g) < 0)
		log_warn("event=system_users_not_checked");
	for (i = 0; i < g.n; i++)
		switch_off(a, g.accounts[i]);
	map_fini(&g.uids);
}
