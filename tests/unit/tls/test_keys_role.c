/* SPDX-License-Identifier: ISC */
/* The program itself, in its sandbox: keys come in before the jail and, with a
 * reload, inside it. */
#include "auth/keys.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/loop.h"
#include "sys/sandbox.h"
#include "sys/tls_keys.h"
#include "tests/tools/fake_master.h"
#include "tests/tools/pki.h"
#include "tests/unit/unit.h"

static struct loop *loop;
static struct fake_master *master;
static bool is_ready;

static struct {
	int n, ok;
	size_t length;
	char text[200];
} got;

static void
on_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	struct slice text;

	(void)arg;
	(void)fd;
	ck_assert_ptr_nonnull(m);
	got.n++;
	if (type == IPC_KEY_RESULT) {
		got.ok = m->KEY_RESULT.ok;
		text = m->KEY_RESULT.text;
		(void)snprintf(got.text, sizeof got.text, "%.*s",
		    SLICE_FMT(text));
	} else {
		got.ok = m->SIGN_ANSWER.ok;
		got.length = m->SIGN_ANSWER.signature.n;
	}
}

static void
wait_answer(void)
{
	int n = got.n;

	while (got.n == n)
		loop_turn(loop, true);
}

static void
give_key(uint32_t number, const char *kind)
{
	struct pki p = pki_make(kind, NULL, 30);
	int fd = pki_fd(p.key);

	(void)ipc_ask(fake_master_link(master), KEY_FD, fd, 5000, on_answer,
	    NULL, .key = number, .name = slice_str(kind), .chain = p.chain);
	wait_answer();
	ck_assert_msg(got.ok, "%s", got.text);
	(void)close(fd);
	pki_free(&p);
}

static void
ask(struct ipc_link *front, uint32_t key, unsigned padding, const char *digest)
{
	char tbs[64 + 34 + 32];

	memset(tbs, ' ', 64);
	memcpy(tbs + 64, "TLS 1.3, server CertificateVerify", 34);
	memset(tbs + 98, 7, 32);
	(void)ipc_ask(front, SIGN_ASK, -1, 5000, on_answer, NULL, .key = key,
	    .padding = (uint8_t)padding, .salt = KEY_SALT_DIGEST,
	    .digest = slice_str(digest), .tbs = { tbs, sizeof tbs });
	wait_answer();
}

static void
on_ready(void)
{
	is_ready = true;
}

START_TEST(runs_in_its_sandbox)
{
	static const struct ipc_handlers none = { 0 };
	struct ipc_link *front;

	if (access("./auth/keys", X_OK) < 0)
		return; /* not run from the build folder */
	loop = loop_new();
	master = fake_master_start(loop, "./auth/keys", ROLE_KEYS,
	    SANDBOX_LOCK_MEMORY);
	give_key(1, "ec:P-256");
	ipc_send(fake_master_link(master), CERT_END, -1, .generation = 1);
	fake_master_go(master, on_ready);
	while (!is_ready)
		loop_turn(loop, true);
	front = fake_master_peer(master, ROLE_SMTPD, &none);
	ask(front, 1, KEY_PADDING_NONE, "SHA256");
	ck_assert(got.ok);
	ck_assert_uint_gt(got.length, 64);
	ask(front, 2, KEY_PADDING_PSS, "SHA256");
	ck_assert(!got.ok);
	/* In the jail now. */
	give_key(2, "rsa:2048");
	give_key(3, "ed25519");
	ipc_send(fake_master_link(master), CERT_END, -1, .generation = 2);
	ask(front, 2, KEY_PADDING_PSS, "SHA256");
	ck_assert(got.ok);
	ck_assert_uint_eq(got.length, 256);
	ask(front, 3, KEY_PADDING_NONE, "");
	ck_assert(got.ok);
	ck_assert_uint_eq(got.length, 64);
	ask(front, 1, KEY_PADDING_NONE, "SHA256");
	ck_assert(got.ok); /* for handshakes under way */
	ck_assert_int_eq(fake_master_stop(&master), 0);
}
END_TEST

UNIT_SUITE(keys_role, {
	tcase_add_test(tc, runs_in_its_sandbox);
})
