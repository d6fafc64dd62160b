/* SPDX-License-Identifier: ISC */
/* Handlers of the role `keys`; the work is in keys_store.c and keys_sign.c. */
#include "auth/keys.h"

#include <unistd.h>

#include "auth/keys_sign.h"
#include "auth/keys_store.h"
#include "base/clock.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "sys/sandbox.h"
#include "sys/tls_keys.h"

enum {
	SAID_MAX = 512,
	/* After a reload a handshake may still ask for a key of before. */
	FORGET_MS = 30000,
	/* A front that asks for what it must not could fill the log. */
	REFUSALS_LOGGED_MS = 1000
};

static struct {
	struct keys_store *store;
	struct loop_timer forget;
	uint64_t generation, signatures, refused;
	int64_t refusal_logged;
} self;

static struct keys_store *
store(void)
{
	if (self.store == NULL) {
		keys_store_prepare();
		self.store = keys_store_new();
	}
	return self.store;
}

static void
on_key_fd(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_KEY_FD *k = &m->KEY_FD;
	struct buf said;
	int r;

	buf_init(&said, SAID_MAX);
	r = keys_store_offer(store(), k->key, k->name, k->chain, fd, &said);
	(void)close(fd);
	if (r < 0)
		log_warn("event=key_refused key=%u name=%s why=%s", k->key,
		    LOG_V(k->name), LOG_V(buf_slice(&said)));
	ipc_send(l, KEY_RESULT, -1, .req = k->req, .ok = r == 0,
	    .text = buf_slice(&said));
	buf_fini(&said);
}

static void
on_forget(void *arg)
{
	(void)arg;
	keys_store_forget(self.store);
}

static void
on_cert_end(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	keys_store_use(store());
	self.generation = m->CERT_END.generation;
	log_info("event=keys_loaded generation=%llu keys=%zu",
	    (unsigned long long)self.generation, keys_store_count(self.store));
	if (daemon_loop() == NULL)
		return;
	if (self.forget.loop == NULL)
		loop_timer_init(&self.forget, daemon_loop(), on_forget, NULL);
	loop_timer_set(&self.forget, clock_boot_ms() + FORGET_MS);
}

static void
refuse(struct ipc_link *l, const struct ipc_SIGN_ASK *a, const char *why)
{
	int64_t now = clock_boot_ms();

	self.refused++;
	if (self.refusal_logged == 0 ||
	    now - self.refusal_logged >= REFUSALS_LOGGED_MS) {
		self.refusal_logged = now;
		log_warn("event=sign_refused peer=%s key=%u why=%s "
			 "refused=%llu",
		    ipc_link_name(l), a->key, LOG_S(why),
		    (unsigned long long)self.refused);
	}
	ipc_send(l, SIGN_ANSWER, -1, .req = a->req, .ok = 0);
}

static void
on_sign_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_SIGN_ASK *a = &m->SIGN_ASK;
	struct keys_request r = { a->tbs, a->digest, a->padding, a->salt };
	struct evp_pkey_st *key = keys_store_find(store(), a->key);
	unsigned char sig[TLS_SIGNATURE_MAX];
	size_t n = sizeof sig;
	const char *why = "no such key";

	(void)fd;
	if (key != NULL)
		why = keys_sign_refusal(&r, key);
	if (why == NULL && keys_sign(&r, key, sig, &n) < 0)
		why = "the key does not sign so";
	if (why != NULL) {
		refuse(l, a, why);
		return;
	}
	self.signatures++;
	ipc_send(l, SIGN_ANSWER, -1, .req = a->req, .ok = 1,
	    .signature = (struct slice){ (const char *)sig, n });
}

static void
before_jail(void)
{
	(void)store();
}

static void
status(struct buf *row)
{
	row_pair_u64(row, "generation", self.generation);
	row_pair_u64(row, "keys", keys_store_count(store()));
	row_pair_u64(row, "signatures", self.signatures);
	row_pair_u64(row, "refused", self.refused);
}

const struct ipc_handlers keys_handlers = {
	.by_type = {
		[IPC_KEY_FD] = on_key_fd,
		[IPC_CERT_END] = on_cert_end,
		[IPC_SIGN_ASK] = on_sign_ask,
	},
};

const struct role keys_role = {
	.id = ROLE_KEYS,
	.handlers = &keys_handlers,
	.sandbox = SANDBOX_LOCK_MEMORY,
	.before_jail = before_jail,
	.status = status,
};
