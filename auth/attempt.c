/* SPDX-License-Identifier: ISC */
/*
 * Is it right? From the name that a client gave to the answer: directory says
 * whose it is, state how often it was wrong, a worker whether it is the
 * password, the broker that the ticket is known. Nothing secret is logged, and
 * of a name that nobody has not even the name: people type passwords there.
 */
#include "auth/exchange_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "auth/hashing.h"
#include "auth/passwords.h"
#include "auth/recent.h"
#include "base/clock.h"
#include "proto/limits.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/saslprep.h"

enum {
	ASK_MS = 5000, /* for directory, state, broker */
	TICKET_VALID_MS = 10000,
	FAILURE_WINDOW_S = 600,
	RATE_KEY_MAX = 600
};

/* ---- failures ---- */

static void
ignore_rate(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)arg;
	(void)type;
	(void)m;
	(void)fd;
}

static void
client_key(const struct exchange *x, struct buf *out)
{
	buf_add_str(out, "auth:client:");
	buf_add_slice(out, buf_slice(&x->client));
}

/* The name in one form: the address that directory takes it for, or what was
 * typed. */
static void
whose(const struct exchange *x, struct buf *out)
{
	struct slice name = x->address.n > 0 ? buf_slice(&x->address)
					     : buf_slice(&x->name);
	size_t i;

	for (i = 0; i < name.n; i++)
		buf_add_char(out, ascii_lower(name.p[i]));
}

/* A client and an account, or a name that nobody has: of that only a hash, for
 * people type passwords there. */
static void
pair_key(const struct exchange *x, struct buf *out)
{
	struct buf name;

	buf_add_str(out, "auth:pair:");
	buf_add_slice(out, buf_slice(&x->client));
	if (x->is_found) {
		buf_addf(out, ":%llu", (unsigned long long)x->account);
		return;
	}
	buf_init(&name, SASLPREP_MAX + 1024);
	whose(x, &name);
	buf_addf(out, ":?%016llx",
	    (unsigned long long)map_hash(buf_slice(&name)));
	buf_fini_secret(&name);
}

static void
count_failure(const struct exchange *x)
{
	struct ipc_link *state = daemon_peer(ROLE_STATE);
	struct buf key;

	if (state == NULL)
		return;
	buf_init(&key, RATE_KEY_MAX);
	client_key(x, &key);
	(void)ipc_ask(state, RATE_ASK, -1, ASK_MS, ignore_rate, NULL,
	    .cost = 1, .limit = UINT32_MAX, .window_s = FAILURE_WINDOW_S,
	    .key = buf_slice(&key));
	buf_reset(&key);
	pair_key(x, &key);
	(void)ipc_ask(state, RATE_ASK, -1, ASK_MS, ignore_rate, NULL,
	    .cost = 1, .limit = UINT32_MAX, .window_s = FAILURE_WINDOW_S,
	    .key = buf_slice(&key));
	buf_fini(&key);
}

/* Counted from the question, so that what came between does not show. */
static void
hold(struct exchange *x, enum auth_result result)
{
	int64_t delay = exchanges.conf.failure_delay;
	uint32_t random;

	if (getrandom(&random, sizeof random, 0) != sizeof random)
		random = 0;
	x->state = AT_HELD;
	x->held = result;
	loop_timer_set(&x->timer, x->began + delay +
	    (delay > 0 ? (int64_t)(random % (uint32_t)(delay / 4 + 1)) : 0));
}

static void
fail(struct exchange *x)
{
	exchanges.failed++;
	count_failure(x);
	exchange_log(x, "auth_failed", "");
	hold(x, AUTH_FAILED);
}

/* ---- success ---- */

static void
on_ticket_ok(void *arg, int type, const union ipc_any *m, int fd)
{
	struct exchange *x = arg;

	(void)type;
	(void)fd;
	x->calls[0] = NULL;
	if (m == NULL) {
		exchange_finish_later(x, "broker");
		return;
	}
	exchanges.good++;
	exchange_log(x, "auth_ok", "");
	exchange_finish(x, AUTH_OK);
}

static void
ask_ticket(struct exchange *x)
{
	struct ipc_link *broker = daemon_peer(ROLE_BROKER);

	if (broker == NULL ||
	    getrandom(x->ticket, TICKET_SIZE, 0) != TICKET_SIZE) {
		exchange_finish_later(x, "broker");
		return;
	}
	x->state = AT_TICKET;
	x->calls[0] = ipc_ask(broker, TICKET, -1, ASK_MS, on_ticket_ok, x,
	    .account = x->account, .instance = x->instance,
	    .valid_ms = TICKET_VALID_MS,
	    .ticket = { x->ticket, TICKET_SIZE });
}

/* Who proved itself may go by its own name only. */
static bool
is_own_authzid(const struct exchange *x)
{
	struct slice authzid = buf_slice(&x->sasl.authzid);

	return authzid.n == 0 ||
	    slice_ieq(authzid, buf_slice(&x->sasl.name)) ||
	    slice_ieq(authzid, buf_slice(&x->address));
}

/* The password, or the proof, was right. */
static bool
may_enter(struct exchange *x)
{
	if (!is_own_authzid(x)) {
		fail(x);
		return false;
	}
	if (x->is_enabled)
		return true;
	exchange_log(x, "auth_disabled", "");
	exchange_finish(x, AUTH_DISABLED);
	return false;
}

void
attempt_grant(struct exchange *x)
{
	loop_timer_clear(&x->timer);
	if (x->front == ROLE_ACCESS) {
		ask_ticket(x);
		return;
	}
	exchanges.good++;
	exchange_log(x, "auth_ok", "");
	exchange_finish(x, AUTH_OK);
}

/* ---- passwords ---- */

/* A check takes a while, and an administrator may have changed the password
 * meanwhile. `now`: what is stored now, empty for none. */
static bool
is_unchanged(const struct check *c, struct stored *now)
{
	if (passwords_find(exchanges.passwords, c->account, now) < 0)
		return false;
	return slice_eq(buf_slice(&now->crypt), buf_slice(&c->stored.crypt)) &&
	    slice_eq(buf_slice(&now->scram), buf_slice(&c->stored.scram));
}

static void
keep_fresh(const struct check *c, int64_t changed)
{
	if (passwords_put(exchanges.passwords, c->account, changed,
		buf_slice(&c->fresh.crypt), buf_slice(&c->fresh.scram)) == 0)
		log_info("event=password_renewed account=%llu",
		    (unsigned long long)c->account);
	else
		log_warn("event=password_not_renewed account=%llu",
		    (unsigned long long)c->account);
}

static void
password_right(struct exchange *x)
{
	if (may_enter(x))
		attempt_grant(x);
}

static void on_checked(void *arg, const struct check *c);

static void
start_check(struct exchange *x, struct slice password,
    const struct stored *stored)
{
	uint64_t *key = malloc(sizeof x->key);

	if (key == NULL) {
		exchange_finish_later(x, "memory");
		return;
	}
	memcpy(key, x->key, sizeof x->key);
	x->state = AT_HASHING;
	if (hashing_check(x->account, password, stored,
		(size_t)exchanges.conf.queue, on_checked, key) == 0)
		return;
	free(key);
	exchange_finish_later(x, "queue");
}

static void
checked(struct exchange *x, const struct check *c, bool is_same,
    const struct stored *now)
{
	switch (c->result) {
	case PASSWORD_RIGHT:
		if (c->account == 0) {
			fail(x);
			return;
		}
		if (!is_same) {
			start_check(x, buf_slice(&c->password), now);
			return;
		}
		if (exchanges.conf.remember > 0)
			recent_add(c->account, buf_slice(&c->password),
			    clock_boot_ms() + exchanges.conf.remember);
		password_right(x);
		return;
	case PASSWORD_BAD_FORM:
		log_error("event=password_form_unusable account=%llu",
		    (unsigned long long)x->account);
		fail(x);
		return;
	case PASSWORD_WRONG:
		fail(x);
		return;
	case PASSWORD_NO_MEMORY:
		exchange_finish_later(x, "memory");
		return;
	}
}

/* Also when the exchange is gone meanwhile. */
static void
on_checked(void *arg, const struct check *c)
{
	uint64_t *key = arg;
	struct exchange *x = exchange_find(key);
	struct stored now;
	bool is_same;

	free(key);
	stored_init(&now);
	is_same = is_unchanged(c, &now);
	if (c->has_fresh && is_same)
		keep_fresh(c, now.changed);
	if (x != NULL && x->state == AT_HASHING)
		checked(x, c, is_same, &now);
	stored_fini(&now);
}

/* A damaged row is one account that has to wait; when the tables are lost the
 * next process recovers them. */
static void
tables_trouble(struct exchange *x, int error)
{
	log_error("event=tables_unreadable account=%llu why=%s",
	    (unsigned long long)x->account, LOG_S(strerror(error)));
	if (error == EIO)
		fatal("event=no_tables");
	exchange_finish_later(x, "tables");
}

/* The name is known, or known to be nobody's; the password is in x->sasl. */
static void
check_password(struct exchange *x)
{
	struct stored stored;
	struct buf password;
	bool is_usable;

	stored_init(&stored);
	buf_init(&password, SASLPREP_MAX);
	is_usable = saslprep(buf_slice(&x->sasl.password), &password) == 0 &&
	    password.n <= PASSWORD_MAX && x->is_found;
	if (is_usable && recent_has(x->account, buf_slice(&password),
		clock_boot_ms())) {
		exchanges.remembered++;
		password_right(x);
	} else if (!is_usable) {
		/* The same work for nobody. */
		start_check(x, SLICE("x"), NULL);
	} else if (passwords_find(exchanges.passwords, x->account,
		&stored) == 0) {
		start_check(x, buf_slice(&password), &stored);
	} else if (errno == ENOENT) {
		start_check(x, buf_slice(&password), NULL);
	} else {
		tables_trouble(x, errno);
	}
	buf_fini_secret(&password);
	stored_fini(&stored);
}

/* ---- SCRAM ---- */

/*
 * Keys that nobody has, always the same ones for all ways to write one name:
 * somebody's would be too.
 */
static int
fake_keys(struct exchange *x)
{
	struct buf name;
	int result;

	buf_init(&name, SASLPREP_MAX + 1024);
	whose(x, &name);
	result = scram_keys_fake(passwords_secret(exchanges.passwords),
	    buf_slice(&name), SCRAM_ITERATIONS, &x->keys);
	buf_fini_secret(&name);
	return result;
}

/* The keys of the account, or such as nobody has. */
static int
find_keys(struct exchange *x)
{
	struct stored stored;
	int result = 0;

	stored_init(&stored);
	if (x->is_found &&
	    passwords_find(exchanges.passwords, x->account, &stored) < 0 &&
	    errno != ENOENT)
		result = -1;
	x->has_keys = result == 0 && stored.scram.n > 0 &&
	    scram_keys_parse(buf_slice(&stored.scram), &x->keys) == 0;
	stored_fini(&stored);
	if (result == 0 && !x->has_keys && fake_keys(x) < 0)
		errno = ENOMEM;
	else if (result == 0)
		return 0;
	return -1;
}

static void
give_keys(struct exchange *x)
{
	struct buf out;

	if (find_keys(x) < 0) {
		tables_trouble(x, errno);
		return;
	}
	x->state = AT_SASL;
	buf_init(&out, LIMIT_SASL_MESSAGE);
	exchange_step(x, sasl_server_keys(&x->sasl,
	    (struct slice){ (const char *)x->keys.salt, x->keys.salt_n },
	    x->keys.iterations, &out), &out);
	buf_fini_secret(&out);
}

void
attempt_check_proof(struct exchange *x, struct buf *out)
{
	unsigned char signature[SCRAM_KEY];

	if (scram_keys_check(&x->keys, buf_slice(&x->sasl.auth_message),
		buf_slice(&x->sasl.proof), signature) < 0 || !x->has_keys) {
		fail(x);
		return;
	}
	if (!may_enter(x))
		return;
	exchange_step(x, sasl_server_proved(&x->sasl,
	    (struct slice){ (const char *)signature, sizeof signature }, out),
	    out);
}

/* ---- who, and how often ---- */

static void
slow_down(struct exchange *x)
{
	exchanges.slowed++;
	exchange_log(x, "auth_slowed", "");
	hold(x, AUTH_SLOW_DOWN);
}

static void
rates_known(struct exchange *x)
{
	if (x->is_slowed)
		slow_down(x);
	else if (x->goal == GOAL_PASSWORD)
		check_password(x);
	else
		give_keys(x);
}

static void
take_rate(struct exchange *x, unsigned which, const union ipc_any *m)
{
	x->calls[which] = NULL;
	/* Without an answer nobody is locked out: failures are slow. */
	if (m != NULL && !m->RATE_ANSWER.allowed)
		x->is_slowed = true;
	if (--x->open_calls == 0)
		rates_known(x);
}

static void
on_client_rate(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)type;
	(void)fd;
	take_rate(arg, 0, m);
}

static void
on_pair_rate(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)type;
	(void)fd;
	take_rate(arg, 1, m);
}

static void
ask_rates(struct exchange *x)
{
	struct ipc_link *state = daemon_peer(ROLE_STATE);
	struct buf key;

	x->is_slowed = false;
	if (state == NULL) {
		rates_known(x);
		return;
	}
	x->state = AT_RATES;
	x->open_calls = 2;
	buf_init(&key, RATE_KEY_MAX);
	client_key(x, &key);
	x->calls[0] = ipc_ask(state, RATE_ASK, -1, ASK_MS, on_client_rate, x,
	    .limit = (uint32_t)exchanges.conf.failures_per_client,
	    .window_s = FAILURE_WINDOW_S, .key = buf_slice(&key));
	buf_reset(&key);
	pair_key(x, &key);
	x->calls[1] = ipc_ask(state, RATE_ASK, -1, ASK_MS, on_pair_rate, x,
	    .limit = (uint32_t)exchanges.conf.failures_per_account,
	    .window_s = FAILURE_WINDOW_S, .key = buf_slice(&key));
	buf_fini(&key);
}

static void
on_login(void *arg, int type, const union ipc_any *m, int fd)
{
	struct exchange *x = arg;

	(void)type;
	(void)fd;
	x->calls[0] = NULL;
	if (m == NULL) {
		exchange_finish_later(x, "directory");
		return;
	}
	x->is_found = m->LOGIN_ANSWER.found != 0 &&
	    m->LOGIN_ANSWER.account != 0;
	x->is_enabled = m->LOGIN_ANSWER.enabled != 0;
	x->account = x->is_found ? m->LOGIN_ANSWER.account : 0;
	buf_reset(&x->address);
	buf_add_slice(&x->address, m->LOGIN_ANSWER.address);
	ask_rates(x);
}

void
attempt_identify(struct exchange *x)
{
	struct ipc_link *directory = daemon_peer(ROLE_DIRECTORY);

	buf_reset(&x->name);
	if (saslprep(buf_slice(&x->sasl.name), &x->name) < 0)
		buf_reset(&x->name);
	if (directory == NULL) {
		exchange_finish_later(x, "directory");
		return;
	}
	x->state = AT_LOOKUP;
	x->calls[0] = ipc_ask(directory, LOGIN_ASK, -1, ASK_MS, on_login, x,
	    .user = buf_slice(&x->name));
}
