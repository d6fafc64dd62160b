/* SPDX-License-Identifier: ISC */
/*
 * The role's messages: what the others ask about addresses, login names and
 * accounts. It knows no password and no network; what it says comes from its
 * tables (auth/accounts.h) and the configuration. When the tables cannot be
 * read the answer is "later", never "no such user".
 */
#include "auth/directory.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "auth/accounts.h"
#include "auth/announce.h"
#include "auth/canonical.h"
#include "auth/changes.h"
#include "auth/directory_admin.h"
#include "auth/expand.h"
#include "auth/route.h"
#include "auth/system_users.h"
#include "base/clock.h"
#include "base/num.h"
#include "conf/conf_directory.h"
#include "conf/conf_server.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "sys/sandbox.h"

enum { SAVE_MS = 10000, PASSWD_MAX = 4 << 20 };

static struct {
	struct accounts *accounts;
	struct route_settings *settings;
	enum table_driver driver;
	struct route route; /* of the question being answered */
	struct buf address;
	struct loop_timer save;
	uint64_t asked, expanded, logins, unknown;
	struct buf passwd; /* as master gave it last */
	bool has_system_users;
	uint32_t shared_uid, shared_gid; /* 0: each account has its own */
} self;

/* ---- questions about addresses ---- */

static void
on_addr_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct route *r = &self.route;

	(void)fd;
	self.asked++;
	route_find(self.settings, self.accounts, m->ADDR_ASK.address, NULL, r);
	if (r->kind == ADDR_UNKNOWN)
		self.unknown++;
	ipc_send(l, ADDR_ANSWER, -1, .req = m->ADDR_ASK.req,
	    .kind = (uint8_t)r->kind, .over_quota = r->is_over_quota,
	    .account = r->account,
	    .generation = accounts_generation(self.accounts),
	    .address = buf_slice(&r->address),
	    .nexthop = buf_slice(&r->nexthop), .text = buf_slice(&r->text));
}

static void
on_expand_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct route *r = &self.route;
	struct slice left, target;

	(void)fd;
	self.expanded++;
	expand_find(self.settings, self.accounts, m->EXPAND_ASK.address, r);
	left = buf_slice(&r->targets);
	while (r->kind == ADDR_ALIAS && row_next(&left, &target))
		ipc_send(l, EXPAND_ITEM, -1, .req = m->EXPAND_ASK.req,
		    .target = target);
	ipc_send(l, EXPAND_DONE, -1, .req = m->EXPAND_ASK.req,
	    .kind = (uint8_t)r->kind, .text = buf_slice(&r->text));
}

static void
on_owns_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	bool owns;

	(void)fd;
	if (expand_owns(self.settings, self.accounts, m->OWNS_ASK.account,
		m->OWNS_ASK.address, &owns) < 0)
		owns = false;
	ipc_send(l, OWNS_ANSWER, -1, .req = m->OWNS_ASK.req, .yes = owns);
}

/* ---- questions about accounts ---- */

/*
 * These answers know no "later". About a damaged row nothing is said: for the
 * asker the time runs out, which is "later" to him. When the tables as a whole
 * cannot be read we end: the askers see the link close, and the next process
 * recovers the tables (sys/table.h).
 */
static bool
is_missing(void)
{
	int error = errno;

	if (error == ENOENT)
		return true;
	log_error("event=tables_unreadable why=%s", LOG_S(strerror(error)));
	if (error != EBADMSG)
		fatal("event=no_tables");
	return false;
}

static void
on_login_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct account c;

	(void)fd;
	self.logins++;
	buf_reset(&self.address);
	if (route_login(self.accounts, m->LOGIN_ASK.user, &self.address,
		&c) < 0) {
		/* Of nobody's name auth hears the one form too. */
		if (is_missing())
			ipc_send(l, LOGIN_ANSWER, -1, .req = m->LOGIN_ASK.req,
			    .address = buf_slice(&self.address));
		return;
	}
	ipc_send(l, LOGIN_ANSWER, -1, .req = m->LOGIN_ASK.req, .found = 1,
	    .enabled = c.is_enabled, .account = c.number,
	    .address = buf_slice(&self.address));
}

/* `server.shared_uid`, which master tells as UID:GID. */
static int
take_shared(const char *text, uint32_t *uid_r, uint32_t *gid_r,
    struct buf *why)
{
	struct slice left = slice_str(text), uid = SLICE_NONE;
	uint64_t u = 0, g = 0;

	if (text[0] != 0 && (!slice_split(&left, ':', &uid) ||
		num_parse(uid, 1, UINT32_MAX - 1, &u) < 0 ||
		num_parse(left, 1, UINT32_MAX - 1, &g) < 0)) {
		buf_addf(why, "server.shared_uid: no such user: %s", text);
		return -1;
	}
	*uid_r = (uint32_t)u;
	*gid_r = (uint32_t)g;
	return 0;
}

uint32_t
directory_uid(uint64_t number, uint32_t system_uid)
{
	const struct conf_server *s = daemon_server();

	if (system_uid != 0)
		return system_uid;
	if (self.shared_uid != 0)
		return self.shared_uid;
	/* 0 is refused by the broker. */
	return number < (uint64_t)s->uid_count
	    ? (uint32_t)((uint64_t)s->uid_base + number) : 0;
}

static uint32_t
gid_of(const struct account *c)
{
	if (c->system_uid != 0)
		return c->system_gid;
	return self.shared_uid != 0 ? self.shared_gid
				    : directory_uid(c->number, 0);
}

static void
on_account_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	uint64_t bytes, messages;
	struct account c;

	(void)fd;
	if (accounts_find(self.accounts, m->ACCOUNT_ASK.account, &c) < 0) {
		if (is_missing())
			ipc_send(l, ACCOUNT_ANSWER, -1,
			    .req = m->ACCOUNT_ASK.req);
		return;
	}
	route_quota(self.settings, &c, &bytes, &messages);
	buf_reset(&self.address);
	canonical_address(c.key, &self.address);
	ipc_send(l, ACCOUNT_ANSWER, -1, .req = m->ACCOUNT_ASK.req, .found = 1,
	    .enabled = c.is_enabled,
	    .uid = directory_uid(c.number, c.system_uid), .gid = gid_of(&c),
	    .root = c.root,
	    .quota_bytes = bytes, .quota_messages = messages, .home = c.home,
	    .address = buf_slice(&self.address));
}

static void
on_usage(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct account c;

	(void)l;
	(void)fd;
	if (accounts_find(self.accounts, m->USAGE.account, &c) == 0)
		accounts_set_usage(self.accounts, m->USAGE.account,
		    (struct usage){ m->USAGE.bytes, m->USAGE.messages });
}

/* ---- users of this system ---- */

static void
sync_system_users(void)
{
	uint64_t before;

	if (self.accounts == NULL || !self.has_system_users)
		return;
	before = accounts_generation(self.accounts);
	system_users_sync(self.accounts, buf_slice(&self.passwd));
	if (accounts_generation(self.accounts) != before)
		announce_generation(accounts_generation(self.accounts), NULL,
		    NULL);
}

/* Reads what fits; a longer one counts as none. */
static void
on_file(struct slice name, int fd)
{
	ssize_t n = -1;
	char *to;

	if (slice_eq_str(name, "passwd")) {
		if (self.passwd.max == 0)
			buf_init(&self.passwd, PASSWD_MAX);
		buf_release(&self.passwd);
		while ((to = buf_room(&self.passwd, 4096)) != NULL &&
		    (n = read(fd, to, 4096)) > 0)
			buf_grew(&self.passwd, (size_t)n);
		if (to == NULL || n < 0) {
			log_warn("event=passwd_unreadable");
			buf_release(&self.passwd);
		}
		sync_system_users();
	}
	(void)close(fd);
}

/* ---- the role ---- */

static int
configure(const void *values, struct buf *why)
{
	const struct conf_directory *conf = values;
	struct route_settings *fresh;
	uint32_t uid, gid;

	if (take_shared(daemon_server()->shared_uid, &uid, &gid, why) < 0)
		return -1;
	fresh = route_settings_new(conf, daemon_server(), why);
	if (fresh == NULL)
		return -1;
	if (table_driver_find(slice_str(conf->driver), &self.driver) < 0)
		BUG("driver %s", conf->driver);
	route_settings_free(&self.settings);
	self.settings = fresh;
	self.has_system_users = conf->system_users;
	self.shared_uid = uid;
	self.shared_gid = gid;
	/* The same address may go elsewhere now. */
	if (self.accounts != NULL && change_generation(self.accounts) == 0)
		announce_generation(accounts_generation(self.accounts), NULL,
		    NULL);
	return 0;
}

static void
on_save(void *arg)
{
	(void)arg;
	accounts_save_usage(self.accounts);
	loop_timer_set(&self.save, clock_boot_ms() + SAVE_MS);
}

static void
after_jail(void)
{
	struct buf why;

	buf_init(&why, 1024);
	if (self.settings == NULL)
		fatal("event=no_configuration");
	if (accounts_open(self.driver, ".", &why, &self.accounts) < 0)
		fatal("event=no_tables why=%s", LOG_V(buf_slice(&why)));
	buf_fini(&why);
	route_init(&self.route);
	buf_init(&self.address, 1024);
	sync_system_users();
	loop_timer_init(&self.save, daemon_loop(), on_save, NULL);
	loop_timer_set(&self.save, clock_boot_ms() + SAVE_MS);
}

static void
stop(uint32_t grace_ms)
{
	(void)grace_ms;
	loop_timer_clear(&self.save);
	accounts_save_usage(self.accounts);
	accounts_flush(self.accounts);
	daemon_stopped();
}

static void
admin(struct ipc_link *l, uint64_t req, struct slice verb, struct slice args)
{
	if (self.accounts == NULL)
		daemon_done(l, req, 75, "directory is still starting");
	else
		directory_admin_run(self.settings, self.accounts, l, req, verb,
		    args);
	/* There may be a first domain now, or another one. */
	if (slice_has_prefix(verb, SLICE("domain ")))
		sync_system_users();
}

static void
status(struct buf *row)
{
	if (self.accounts == NULL)
		return;
	row_pair_u64(row, "generation", accounts_generation(self.accounts));
	row_pair_u64(row, "domains", accounts_n_domains(self.accounts));
	row_pair_u64(row, "accounts", accounts_count(self.accounts));
	row_pair_u64(row, "aliases", accounts_n_aliases(self.accounts));
	row_pair_u64(row, "asked", self.asked);
	row_pair_u64(row, "unknown", self.unknown);
	row_pair_u64(row, "expanded", self.expanded);
	row_pair_u64(row, "logins", self.logins);
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_ADDR_ASK] = on_addr_ask,
	    [IPC_EXPAND_ASK] = on_expand_ask,
	    [IPC_LOGIN_ASK] = on_login_ask,
	    [IPC_ACCOUNT_ASK] = on_account_ask,
	    [IPC_OWNS_ASK] = on_owns_ask,
	    [IPC_USAGE] = on_usage,
	},
};

const struct role directory_role = {
	.id = ROLE_DIRECTORY,
	.section = &conf_directory_section,
	.has_folder = true,
	.handlers = &handlers,
	.sandbox = SANDBOX_FILES,
	.after_jail = after_jail,
	.configure = configure,
	.file = on_file,
	.stop = stop,
	.admin = admin,
	.status = status,
};
