/* SPDX-License-Identifier: ISC */
/* Handshakes with the private keys in another process. The client is either a
 * connection of ours or OpenSSL itself, driven by hand. */
#include "sys/tls.h"

#include <errno.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sys/conn.h"
#include "sys/ipc.h"
#include "sys/loop.h"
#include "sys/tls_tickets.h"
#include "tests/tools/keys_child.h"
#include "tests/tools/pki.h"
#include "tests/unit/unit.h"

/* Objects of the tests are static: they are never freed, and the leak checker
 * shall see what the code under test loses. */

/* Connections of ours and what they were told. */
struct end {
	struct conn *c;
	struct buf got;
	int inputs, secured, drained, ended;
	enum conn_end why;
	char text[80];
	bool free_when_secured, echo, hold;
};

static struct loop *loop;
static struct keys_child keys;
static struct ipc_link *link_to_keys;
static struct tls_server *server;
static const struct conn_limits limits = { 65536, 65536, 16384 };

static void
on_input(void *arg)
{
	struct end *e = arg;
	struct slice in = conn_input(e->c);

	e->inputs++;
	if (e->hold)
		return;
	buf_add_slice(&e->got, in);
	if (e->echo)
		conn_write(e->c, in);
	conn_took(e->c, in.n);
}

static void
on_secured(void *arg)
{
	struct end *e = arg;

	e->secured++;
	if (e->free_when_secured)
		conn_free(&e->c);
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct end *e = arg;

	e->ended++;
	e->why = why;
	(void)snprintf(e->text, sizeof e->text, "%s", conn_error_text(e->c));
}

static void
on_drained(void *arg)
{
	((struct end *)arg)->drained++;
}

static const struct conn_events events = {
	.input = on_input,
	.secured = on_secured,
	.drained = on_drained,
	.ended = on_ended,
};

static struct ipc_link *
sign_link(void)
{
	return link_to_keys;
}

static void
on_lost(struct ipc_link *l)
{
	(void)l;
	link_to_keys = NULL;
}

static void
turns(int n)
{
	while (n-- > 0)
		loop_turn(loop, false);
}

/* Turns until *value >= want, three seconds at most. */
static void
until(const int *value, int want)
{
	int64_t end = clock_boot_ms() + 3000;

	while (*value < want && clock_boot_ms() < end) {
		loop_turn(loop, false);
		usleep(200);
	}
	ck_assert_int_ge(*value, want);
}

/* The key process, a link to it, a server without certificates. */
static void
begin(void)
{
	static const struct ipc_handlers front = { .lost = on_lost };

	keys_child_start(&keys);
	loop = loop_new();
	link_to_keys = ipc_link_new(loop, keys.fronts[0], ROLE_SMTPD,
	    ROLE_KEYS, 0, &front);
	server = tls_server_new(sign_link);
	ck_assert(!tls_server_is_usable(server));
}

static void
add_cert(uint32_t number, const char *kind, const char *names)
{
	struct pki p = pki_make(kind, names, 30);
	struct buf why;
	int fd = pki_fd(p.key), r;

	buf_init(&why, 500);
	r = keys_child_load(&keys, number, fd, p.chain);
	ck_assert_int_eq(r, 0);
	r = tls_server_add(server, number, SLICE_NONE, p.chain, &why);
	ck_assert_msg(r == 0, "%s", why.p);
	(void)close(fd);
	pki_free(&p);
}

static void
use_certs(void)
{
	keys_child_use(&keys);
	tls_server_use(server);
	ck_assert(tls_server_is_usable(server));
}

static void
end_init(struct end *e, int fd)
{
	buf_fini(&e->got); /* of an earlier use; all are static */
	*e = (struct end){ 0 };
	buf_init(&e->got, 64 << 20);
	e->c = conn_new(loop, fd, &limits, &events, e);
	ck_assert_ptr_nonnull(e->c);
}

/* A connection under way to TLS, and the other end of its socket. */
static int
accept_tls(struct end *e)
{
	int sv[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			     sv),
	    0);
	end_init(e, sv[0]);
	conn_start_tls_server(e->c, server);
	return sv[1];
}

/* ---- OpenSSL as the client ---- */

static SSL_CTX *
raw_context(int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	ck_assert_ptr_nonnull(ctx);
	(void)SSL_CTX_set_max_proto_version(ctx, version);
	(void)SSL_CTX_set_session_cache_mode(ctx,
	    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	return ctx;
}

static SSL *
raw_new(SSL_CTX *ctx, int fd, const char *sni)
{
	SSL *ssl = SSL_new(ctx);

	ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
	if (sni != NULL)
		(void)SSL_set_tlsext_host_name(ssl, sni);
	SSL_set_connect_state(ssl);
	return ssl;
}

/* Drives both sides until the client is through, or its end has failed. */
static int
raw_shake(SSL *ssl, const struct end *e)
{
	int64_t end = clock_boot_ms() + 3000;
	int r = -1;

	while (clock_boot_ms() < end && e->ended == 0) {
		r = SSL_do_handshake(ssl);
		if (r == 1 && e->secured > 0)
			return 0;
		if (r < 0 && SSL_get_error(ssl, r) != SSL_ERROR_WANT_READ)
			break;
		loop_turn(loop, false);
		usleep(100);
	}
	return -1;
}

static int
raw_read(SSL *ssl, char *p, int n)
{
	int64_t end = clock_boot_ms() + 3000;
	int r = -1;

	while (clock_boot_ms() < end) {
		r = SSL_read(ssl, p, n);
		if (r > 0 || SSL_get_error(ssl, r) != SSL_ERROR_WANT_READ)
			return r;
		loop_turn(loop, false);
		usleep(100);
	}
	return -1;
}

static const struct {
	const char *kind;
	int version;
	const char *groups, *sigalgs;
	const char *suites12;
} shakes[] = {
	{ "rsa:2048", TLS1_3_VERSION, NULL, NULL, NULL },
	{ "rsa:2048", TLS1_3_VERSION, "P-256", "rsa_pss_rsae_sha512", NULL },
	{ "rsa:2048", TLS1_2_VERSION, NULL, NULL, NULL },
	{ "rsa:2048", TLS1_2_VERSION, "P-256", "RSA+SHA256", NULL },
	{ "rsa:2048", TLS1_2_VERSION, NULL, "RSA+SHA384", NULL },
	{ "rsa:2048", TLS1_2_VERSION, NULL, "rsa_pss_rsae_sha256", NULL },
	{ "rsa:2048", TLS1_2_VERSION, "P-384", "rsa_pss_rsae_sha384",
	    "ECDHE-RSA-CHACHA20-POLY1305" },
	{ "rsa:3072", TLS1_3_VERSION, "X448", NULL, NULL },
	{ "ec:P-256", TLS1_3_VERSION, NULL, NULL, NULL },
	{ "ec:P-256", TLS1_3_VERSION, "P-256", NULL, NULL },
	{ "ec:P-256", TLS1_3_VERSION, "P-384", NULL, NULL },
	{ "ec:P-256", TLS1_2_VERSION, NULL, NULL, NULL },
	{ "ec:P-256", TLS1_2_VERSION, "P-256", NULL, NULL },
	{ "ec:P-256", TLS1_2_VERSION, "P-521:P-256", "ECDSA+SHA512", NULL },
	{ "ec:P-384", TLS1_3_VERSION, "P-256", NULL, NULL },
	{ "ec:P-384", TLS1_2_VERSION, "P-384", NULL, NULL },
	{ "ed25519", TLS1_3_VERSION, NULL, NULL, NULL },
	{ "ed25519", TLS1_3_VERSION, "P-256", NULL, NULL },
	{ "ed25519", TLS1_2_VERSION, NULL, NULL, NULL },
	{ "ed25519", TLS1_2_VERSION, "P-256", NULL, NULL },
};

START_TEST(shakes_hands)
{
	static SSL_CTX *ctx;
	static struct end e;
	char b[64];
	static SSL *ssl;
	int fd;

	begin();
	add_cert(7, shakes[_i].kind, "mail.test");
	use_certs();
	ctx = raw_context(shakes[_i].version);
	if (shakes[_i].groups != NULL)
		ck_assert_int_eq(SSL_CTX_set1_groups_list(ctx,
				     shakes[_i].groups),
		    1);
	if (shakes[_i].sigalgs != NULL)
		ck_assert_int_eq(SSL_CTX_set1_sigalgs_list(ctx,
				     shakes[_i].sigalgs),
		    1);
	if (shakes[_i].suites12 != NULL)
		(void)SSL_CTX_set_cipher_list(ctx, shakes[_i].suites12);
	fd = accept_tls(&e);
	e.echo = true;
	ssl = raw_new(ctx, fd, "mail.test");
	ck_assert(!conn_is_tls(e.c));
	ck_assert_msg(raw_shake(ssl, &e) == 0, "%s %x %s: %s",
	    shakes[_i].kind, shakes[_i].version,
	    shakes[_i].groups ? shakes[_i].groups : "", e.text);
	ck_assert(conn_is_tls(e.c));
	ck_assert_str_eq(conn_tls_version(e.c), SSL_get_version(ssl));
	ck_assert_str_eq(conn_tls_cipher(e.c), SSL_get_cipher_name(ssl));
	ck_assert_str_eq(conn_tls_sni(e.c), "mail.test");
	ck_assert_int_eq(SSL_write(ssl, "ping", 4), 4);
	ck_assert_int_eq(raw_read(ssl, b, sizeof b), 4);
	/* A proper end, both ways. */
	ck_assert_int_eq(SSL_shutdown(ssl), 0);
	until(&e.ended, 1);
	ck_assert_int_eq(e.why, CONN_EOF);
	conn_finish(&e.c, 1000);
	turns(3);
	ck_assert_int_eq(SSL_shutdown(ssl), 1);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	(void)close(fd);
	keys_child_stop(&keys);
}
END_TEST

/* What must not be negotiated. */
static const struct {
	int min, max;
	const char *suites;
} refused[] = {
	{ TLS1_1_VERSION, TLS1_1_VERSION, "DEFAULT:@SECLEVEL=0" },
	{ TLS1_2_VERSION, TLS1_2_VERSION, "kRSA:@SECLEVEL=0" },
	{ TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256" },
};

START_TEST(refuses_the_old)
{
	static SSL_CTX *ctx;
	static struct end e;
	static SSL *ssl;
	int fd;

	begin();
	add_cert(1, "rsa:2048", NULL);
	use_certs();
	ctx = raw_context(refused[_i].max);
	(void)SSL_CTX_set_min_proto_version(ctx, refused[_i].min);
	ck_assert_int_eq(SSL_CTX_set_cipher_list(ctx, refused[_i].suites), 1);
	fd = accept_tls(&e);
	ssl = raw_new(ctx, fd, NULL);
	ck_assert_int_eq(raw_shake(ssl, &e), -1);
	until(&e.ended, 1);
	ck_assert_int_eq(e.why, CONN_TLS);
	ck_assert_int_eq(e.secured, 0);
	ck_assert_str_ne(e.text, "unknown");
	/* The client is told by an alert. */
	ck_assert_int_eq(SSL_do_handshake(ssl), -1);
	ck_assert_int_eq(SSL_get_error(ssl, -1), SSL_ERROR_SSL);
	conn_free(&e.c);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	keys_child_stop(&keys);
}
END_TEST

static const char *
peer_name(const SSL *ssl)
{
	static char text[256];
	GENERAL_NAMES *alt;
	X509 *x = SSL_get0_peer_certificate(ssl);

	text[0] = 0;
	alt = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	if (alt != NULL)
		(void)snprintf(text, sizeof text, "%s",
		    (const char *)ASN1_STRING_get0_data(
			sk_GENERAL_NAME_value(alt, 0)->d.dNSName));
	GENERAL_NAMES_free(alt);
	return text;
}

/* The first name of the certificate and the kind of its key by SNI. */
static const struct {
	const char *sni, *sigalgs, *want, *type;
} choices[] = {
	{ NULL, NULL, "first.test", "EC" },
	{ "first.test", NULL, "first.test", "EC" },
	{ "elsewhere.test", NULL, "first.test", "EC" },
	{ "first.test", "rsa_pss_rsae_sha256", "first.test", "RSA" },
	{ NULL, "rsa_pss_rsae_sha256", "first.test", "RSA" },
	{ "second.test", NULL, "second.test", "ED25519" },
	{ "SECOND.test", NULL, "second.test", "ED25519" },
	{ "a.wild.test", NULL, "*.wild.test", "EC" },
	{ "b.wild.test", NULL, "*.wild.test", "EC" },
	{ "a.b.wild.test", NULL, "first.test", "EC" },
	{ "wild.test", NULL, "first.test", "EC" },
	{ "exact.wild.test", NULL, "exact.wild.test", "EC" },
	{ "more.test", NULL, "second.test", "ED25519" },
};

START_TEST(chooses_by_name)
{
	static struct pki p;
	static struct end e;
	static SSL_CTX *ctx;
	static SSL *ssl;
	static struct buf why;
	int fd;

	begin();
	add_cert(1, "ec:P-256", "first.test");
	if (choices[_i].sigalgs != NULL) /* making it takes its time */
		add_cert(2, "rsa:2048", "first.test");
	add_cert(3, "ec:P-256", "*.wild.test");
	add_cert(4, "ec:P-256", "exact.wild.test");
	p = pki_make("ed25519", "second.test", 30);
	fd = pki_fd(p.key);
	ck_assert_int_eq(keys_child_load(&keys, 5, fd, p.chain), 0);
	buf_init(&why, 100);
	ck_assert_int_eq(tls_server_add(server, 5, SLICE("More.test\nx.test"),
			     p.chain, &why),
	    0);
	use_certs();
	ctx = raw_context(TLS1_3_VERSION);
	if (choices[_i].sigalgs != NULL)
		(void)SSL_CTX_set1_sigalgs_list(ctx, choices[_i].sigalgs);
	fd = accept_tls(&e);
	ssl = raw_new(ctx, fd, choices[_i].sni);
	ck_assert_msg(raw_shake(ssl, &e) == 0, "%d: %s", _i, e.text);
	ck_assert_str_eq(peer_name(ssl), choices[_i].want);
	ck_assert_str_eq(EVP_PKEY_get0_type_name(X509_get0_pubkey(
			     SSL_get0_peer_certificate(ssl))),
	    choices[_i].type);
	conn_free(&e.c);
	keys_child_stop(&keys);
}
END_TEST

/* New certificates for new handshakes; those under way keep the old ones. */
START_TEST(changes_certificates)
{
	static struct end old, e;
	static SSL_CTX *ctx;
	static SSL *ssl, *ssl2;
	int fd;

	begin();
	add_cert(1, "ec:P-256", "old.test");
	use_certs();
	ctx = raw_context(TLS1_3_VERSION);
	fd = accept_tls(&old);
	ssl = raw_new(ctx, fd, NULL);
	add_cert(2, "ec:P-256", "new.test");
	use_certs();
	fd = accept_tls(&e);
	ssl2 = raw_new(ctx, fd, NULL);
	ck_assert_int_eq(raw_shake(ssl2, &e), 0);
	ck_assert_str_eq(peer_name(ssl2), "new.test");
	ck_assert_int_eq(raw_shake(ssl, &old), 0);
	ck_assert_str_eq(peer_name(ssl), "old.test");
	conn_free(&e.c);
	conn_free(&old.c);
	/* An empty set is one, too. */
	tls_server_use(server);
	ck_assert(!tls_server_is_usable(server));
	(void)accept_tls(&e);
	ck_assert_int_eq(e.ended, 0);
	until(&e.ended, 1);
	ck_assert_int_eq(e.why, CONN_TLS);
	ck_assert_str_eq(e.text, "no certificate");
	conn_free(&e.c);
	keys_child_stop(&keys);
}
END_TEST

START_TEST(refuses_bad_certificates)
{
	static struct pki small, pss;
	static struct buf why;

	begin();
	buf_init(&why, 500);
	ck_assert_int_eq(tls_server_add(server, 1, SLICE_NONE,
			     SLICE("hello"), &why),
	    -1);
	ck_assert_str_eq(why.p, "no certificate in PEM form");
	buf_reset(&why);
	small = pki_make("rsa:1024", NULL, 30);
	ck_assert_int_eq(tls_server_add(server, 1, SLICE_NONE, small.chain,
			     &why),
	    -1);
	ck_assert_str_eq(why.p, "not acceptable: ee key too small");
	buf_reset(&why);
	pss = pki_make("ed448", NULL, 30);
	ck_assert_int_eq(tls_server_add(server, 1, SLICE_NONE, pss.chain,
			     &why),
	    -1);
	ck_assert_msg(strstr(why.p, "Ed25519") != NULL, "%s", why.p);
	tls_server_use(server);
	ck_assert(!tls_server_is_usable(server));
	keys_child_stop(&keys);
}
END_TEST

/* ---- our own client ---- */

static void
connect_both(struct tls_client *client, const char *name, struct end *s,
    struct end *c)
{
	int fd = accept_tls(s);

	end_init(c, fd);
	conn_start_tls_client(c->c, client, name);
	until(&c->secured, 1);
	until(&s->secured, 1);
}

START_TEST(own_client)
{
	static char block[1 << 20];
	unsigned char a[32], b[32];
	static struct tls_client *client;
	static struct end s, c;
	size_t i;
	int fd;

	begin();
	add_cert(1, "ec:P-256", "mail.test");
	use_certs();
	fd = tls_tickets_create();
	tls_server_tickets(server, fd);
	client = tls_client_new();
	connect_both(client, "mail.test", &s, &c);
	ck_assert_str_eq(conn_tls_version(c.c), "TLSv1.3");
	ck_assert_str_eq(conn_tls_sni(s.c), "mail.test");
	ck_assert(!conn_tls_is_resumed(c.c));
	ck_assert(!conn_tls_is_verified(c.c));
	ck_assert_int_eq(conn_tls_exporter(s.c, a), 0);
	ck_assert_int_eq(conn_tls_exporter(c.c, b), 0);
	ck_assert_mem_eq(a, b, 32);
	/* Much both ways, through all marks and record borders. */
	for (i = 0; i < sizeof block; i++)
		block[i] = (char)(i * 31 >> 3);
	s.echo = true;
	conn_write(c.c, (struct slice){ block, sizeof block });
	for (i = 0; i < 20000 && c.got.n < sizeof block; i++)
		loop_turn(loop, false);
	ck_assert_int_eq(c.got.n, sizeof block);
	ck_assert_int_eq(memcmp(c.got.p, block, sizeof block), 0);
	conn_finish(&c.c, 1000);
	until(&s.ended, 1);
	ck_assert_int_eq(s.why, CONN_EOF);
	conn_free(&s.c);
	/* Resumed, again and again, and without a name not at all. */
	for (i = 0; i < 3; i++) {
		connect_both(client, "mail.test", &s, &c);
		ck_assert(conn_tls_is_resumed(c.c));
		ck_assert(conn_tls_is_resumed(s.c));
		conn_write_str(s.c, "hello");
		until(&c.inputs, 1); /* the ticket is in, too */
		conn_free(&c.c);
		conn_free(&s.c);
	}
	connect_both(client, NULL, &s, &c);
	ck_assert(!conn_tls_is_resumed(c.c));
	ck_assert_str_eq(conn_tls_sni(c.c), "");
	conn_free(&c.c);
	conn_free(&s.c);
	connect_both(client, "127.0.0.1", &s, &c);
	ck_assert_str_eq(conn_tls_sni(s.c), "");
	conn_free(&c.c);
	tls_client_free(&client);
	conn_free(&s.c);
	tls_server_free(&server);
	keys_child_stop(&keys);
}
END_TEST

/* A chain that is good proves nothing without somebody it must be for. */
static const struct {
	const char *names, *peer;
	bool is_verified;
} identities[] = {
	{ "mail.test", "mail.test", true },
	{ "mail.test", "other.test", false },
	{ "mail.test", NULL, false },
	{ "mail.test", "", false },
	{ "mail.test", "127.0.0.1", false },
	{ "mail.test", "::1", false },
	{ "DNS.test,IP:127.0.0.1", "127.0.0.1", true },
	{ "mail.test,IP:127.0.0.1", "127.0.0.2", false },
	{ "mail.test,IP:2001:db8::1", "2001:db8::1", true },
	{ "mail.test,IP:2001:db8::1", "2001:db8::2", false },
	/* Not a name that looks like the address. */
	{ "127.0.0.1", "127.0.0.1", false },
};

START_TEST(client_verifies_an_identity)
{
	static struct pki p;
	static struct tls_client *client;
	static struct end s, c;
	static struct buf why;

	begin();
	p = pki_make("ec:P-256", identities[_i].names, 30);
	ck_assert_int_eq(keys_child_load(&keys, 1, pki_fd(p.key), p.chain), 0);
	buf_init(&why, 500);
	ck_assert_int_eq(tls_server_add(server, 1, SLICE_NONE, p.chain, &why),
	    0);
	use_certs();
	client = tls_client_new();
	ck_assert_int_eq(tls_client_trust(client, pki_fd(p.chain), &why), 0);
	connect_both(client, identities[_i].peer, &s, &c);
	ck_assert_int_eq(conn_tls_is_verified(c.c),
	    identities[_i].is_verified);
	conn_free(&c.c);
	conn_free(&s.c);
	keys_child_stop(&keys);
}
END_TEST

START_TEST(client_verifies_for_the_log)
{
	static struct pki p;
	static struct tls_client *client;
	static struct end s, c;
	static struct buf why;
	int fd;

	begin();
	p = pki_make("ec:P-256", "mail.test", 30);
	fd = pki_fd(p.key);
	ck_assert_int_eq(keys_child_load(&keys, 1, fd, p.chain), 0);
	buf_init(&why, 500);
	ck_assert_int_eq(tls_server_add(server, 1, SLICE_NONE, p.chain, &why),
	    0);
	use_certs();
	client = tls_client_new();
	fd = pki_fd(SLICE("no certificate here\n"));
	ck_assert_int_eq(tls_client_trust(client, fd, &why), -1);
	fd = pki_fd(p.chain);
	ck_assert_int_eq(tls_client_trust(client, fd, &why), 0);
	connect_both(client, "mail.test", &s, &c);
	ck_assert(conn_tls_is_verified(c.c));
	ck_assert(!conn_tls_is_verified(s.c));
	conn_free(&c.c);
	conn_free(&s.c);
	connect_both(client, "other.test", &s, &c);
	ck_assert(!conn_tls_is_verified(c.c));
	conn_free(&c.c);
	conn_free(&s.c);
	keys_child_stop(&keys);
}
END_TEST

/* STARTTLS: what was queued goes out in clear before, what came in clear is
 * gone after (RFC 3207 6). */
START_TEST(starts_in_the_middle)
{
	static struct tls_client *client;
	static struct end s, c;
	int sv[2];

	begin();
	add_cert(1, "ec:P-256", "mail.test");
	use_certs();
	client = tls_client_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			     sv),
	    0);
	end_init(&s, sv[0]);
	end_init(&c, sv[1]);
	s.hold = true;
	conn_write_str(c.c, "STARTTLS\r\nRSET\r\n");
	until(&s.inputs, 1);
	conn_took(s.c, 10);
	conn_write_str(s.c, "220 ready\r\n");
	conn_start_tls_server(s.c, server);
	ck_assert_int_eq(conn_input(s.c).n, 0);
	conn_write_str(s.c, "under TLS");
	until(&c.inputs, 1);
	ck_slice_str(buf_slice(&c.got), "220 ready\r\n");
	buf_reset(&c.got);
	s.hold = false;
	conn_start_tls_client(c.c, client, "mail.test");
	conn_write_str(c.c, "EHLO x\r\n");
	until(&s.inputs, 2);
	ck_slice_str(buf_slice(&s.got), "EHLO x\r\n");
	until(&c.inputs, 2);
	ck_slice_str(buf_slice(&c.got), "under TLS");
	conn_free(&s.c);
	conn_free(&c.c);
	keys_child_stop(&keys);
}
END_TEST

/* Input over the limit waits inside TLS, where no socket shows it. */
START_TEST(limits_hold_under_tls)
{
	static char block[200000];
	static struct tls_client *client;
	static struct end s, c;
	int i;

	begin();
	add_cert(1, "ec:P-256", "mail.test");
	use_certs();
	client = tls_client_new();
	connect_both(client, "mail.test", &s, &c);
	conn_pause(s.c);
	memset(block, 'x', sizeof block);
	conn_write(c.c, (struct slice){ block, sizeof block });
	for (i = 0; i < 200; i++)
		loop_turn(loop, false);
	ck_assert_int_eq(conn_input(s.c).n, limits.input_max);
	ck_assert_int_eq(s.inputs, 0);
	if (_i == 1) { /* taken while nothing is offered */
		conn_took(s.c, limits.input_max);
		turns(50);
		ck_assert_int_eq(conn_input(s.c).n, limits.input_max);
		s.got.n = 0;
	}
	conn_resume(s.c);
	turns(200);
	ck_assert_int_eq(s.got.n,
	    sizeof block - (_i == 1 ? limits.input_max : 0));
	conn_free(&c.c);
	until(&s.ended, 1);
	ck_assert_int_eq(s.why, CONN_EOF);
	conn_free(&s.c);
	keys_child_stop(&keys);
}
END_TEST

/* Written to the brim, never over it: it is the sealing that makes it full,
 * and who sees that must be told when there is room again. */
START_TEST(sealing_makes_it_full)
{
	static char block[65536];
	static struct tls_client *client;
	static struct end s, c;
	int i;

	begin();
	add_cert(1, "ec:P-256", "mail.test");
	use_certs();
	client = tls_client_new();
	connect_both(client, "mail.test", &s, &c);
	c.hold = true;
	for (i = 0; i < 1000 && !conn_is_full(s.c); i++) {
		conn_write(s.c, (struct slice){ block,
				    limits.output_high - conn_unsent(s.c) });
		ck_assert(!conn_is_full(s.c));
		turns(2);
	}
	ck_assert(conn_is_full(s.c));
	s.drained = 0;
	c.hold = false;
	conn_took(c.c, conn_input(c.c).n);
	until(&s.drained, 1);
	ck_assert(!conn_is_full(s.c));
	conn_free(&c.c);
	conn_free(&s.c);
	keys_child_stop(&keys);
}
END_TEST

static const struct {
	const char *name, *bytes;
} junk[] = {
	{ "plain text", "EHLO client.example\r\nMAIL FROM:<>\r\n" },
	{ "http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n" },
	{ "broken record", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00" },
};

START_TEST(survives_junk)
{
	static struct end e;
	int fd;

	begin();
	add_cert(1, "ec:P-256", "mail.test");
	use_certs();
	fd = accept_tls(&e);
	ck_assert_int_gt(send(fd, junk[_i].bytes,
			     _i == 2 ? 10 : strlen(junk[_i].bytes), 0),
	    0);
	until(&e.ended, 1);
	ck_assert_int_eq(e.why, CONN_TLS);
	conn_free(&e.c);
	/* Closing at once is no failure of TLS's making, but no success. */
	fd = accept_tls(&e);
	(void)close(fd);
	until(&e.ended, 1);
	ck_assert_int_eq(e.why, CONN_TLS);
	ck_assert_str_eq(e.text, "closed during the handshake");
	conn_finish(&e.c, 100);
	fd = accept_tls(&e);
	conn_set_deadline(e.c, clock_boot_ms() + 20);
	until(&e.ended, 1);
	ck_assert_int_eq(e.why, CONN_TIMEOUT);
	conn_free(&e.c);
	keys_child_stop(&keys);
}
END_TEST

/* ---- when keys is slow, gone, or forgets ---- */

/* A handshake brought to where the server waits for its signature. */
static SSL *
hold_one(SSL_CTX *ctx, struct end *e, int *fd_r)
{
	int fd = accept_tls(e);
	SSL *ssl = raw_new(ctx, fd, "mail.test");

	(void)SSL_do_handshake(ssl);
	turns(2);
	ck_assert_int_eq(e->secured + e->ended, 0);
	if (fd_r != NULL)
		*fd_r = fd;
	return ssl;
}

START_TEST(keys_dies)
{
	static struct end e;
	static SSL_CTX *ctx;
	static SSL *ssl;
	int fd;

	begin();
	add_cert(1, "ec:P-256", "mail.test");
	use_certs();
	ctx = raw_context(TLS1_3_VERSION);
	(void)kill(keys.pid, SIGSTOP);
	ssl = hold_one(ctx, &e, NULL);
	keys_child_stop(&keys);
	until(&e.ended, 1);
	ck_assert_int_eq(e.why, CONN_TLS);
	ck_assert_str_eq(e.text, "no signature from keys");
	ck_assert_int_eq(SSL_do_handshake(ssl), -1);
	ck_assert_int_eq(SSL_get_error(ssl, -1), SSL_ERROR_SSL);
	conn_free(&e.c);
	SSL_free(ssl);
	/* The next ones fail at once, until a new link is there. */
	ck_assert_ptr_null(link_to_keys);
	fd = accept_tls(&e);
	ssl = raw_new(ctx, fd, NULL);
	ck_assert_int_eq(raw_shake(ssl, &e), -1);
	until(&e.ended, 1);
	conn_free(&e.c);
	link_to_keys = ipc_link_new(loop, keys.fronts[1], ROLE_SMTPD,
	    ROLE_KEYS, 1, &(struct ipc_handlers){ .lost = on_lost });
	turns(3);
	ck_assert_ptr_null(link_to_keys);
}
END_TEST

START_TEST(keys_has_no_such_key)
{
	static struct pki p;
	static struct buf why;
	static SSL_CTX *ctx;
	static struct end e;
	static SSL *ssl;
	int fd;

	begin();
	p = pki_make("ec:P-256", "mail.test", 30);
	buf_init(&why, 100);
	ck_assert_int_eq(tls_server_add(server, 99, SLICE_NONE, p.chain, &why),
	    0);
	use_certs();
	ctx = raw_context(TLS1_3_VERSION);
	fd = accept_tls(&e);
	ssl = raw_new(ctx, fd, NULL);
	ck_assert_int_eq(raw_shake(ssl, &e), -1);
	until(&e.ended, 1);
	ck_assert_str_eq(e.text, "no signature from keys");
	conn_free(&e.c);
	keys_child_stop(&keys);
}
END_TEST

START_TEST(peer_leaves_while_held)
{
	static struct end e;
	static SSL_CTX *ctx;
	static SSL *ssl;
	int fd;

	begin();
	add_cert(1, "rsa:2048", "mail.test");
	use_certs();
	ctx = raw_context(TLS1_3_VERSION);
	(void)kill(keys.pid, SIGSTOP);
	ssl = hold_one(ctx, &e, &fd);
	(void)close(fd);
	turns(3);
	ck_assert_int_eq(e.ended, 0); /* not read meanwhile */
	(void)kill(keys.pid, SIGCONT);
	until(&e.ended, 1);
	ck_assert_int_eq(e.secured, 0);
	turns(3);
	ck_assert_int_eq(e.ended, 1);
	conn_free(&e.c);
	SSL_free(ssl);
	keys_child_stop(&keys);
}
END_TEST

/* Bytes of the heap in use. */
static size_t
in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* Closing while the signature is out loses no fibre, and the late answer finds
 * nobody. */
START_TEST(freed_while_held)
{
	size_t before = 0, grown;
	static struct end e;
	static SSL_CTX *ctx;
	static SSL *ssl;
	int fd, i, round;

	begin();
	add_cert(1, "ec:P-256", "mail.test");
	use_certs();
	ctx = raw_context(TLS1_3_VERSION);
	for (round = 0; round < 3; round++) {
		(void)kill(keys.pid, SIGSTOP);
		for (i = 0; i < 40; i++) {
			ssl = hold_one(ctx, &e, &fd);
			if (i % 2 == 0)
				conn_free(&e.c);
			else
				conn_finish(&e.c, 1000);
			ck_assert_ptr_null(e.c);
			SSL_free(ssl);
			(void)close(fd);
			buf_fini(&e.got);
		}
		(void)kill(keys.pid, SIGCONT);
		usleep(50000);
		turns(10);
		if (round == 0)
			before = in_use();
	}
	grown = in_use() > before ? in_use() - before : 0;
#ifndef WITH_SANITIZERS
	ck_assert_msg(grown < (size_t)80 * 1000, "%zu bytes", grown);
#endif
	(void)grown;
	fd = accept_tls(&e);
	ssl = raw_new(ctx, fd, NULL);
	ck_assert_int_eq(raw_shake(ssl, &e), 0);
	conn_free(&e.c);
	keys_child_stop(&keys);
}
END_TEST

/* More handshakes than fibres: the rest stand in line, some of them leave it,
 * and nobody is forgotten. */
START_TEST(more_than_fibres)
{
	enum { MANY = 200 };
	static struct end e[MANY];
	static SSL *ssl[MANY];
	int i, done = 0, left = 0;
	int64_t end;
	static SSL_CTX *ctx;

	begin();
	add_cert(1, "ec:P-256", "mail.test");
	use_certs();
	ctx = raw_context(TLS1_3_VERSION);
	(void)kill(keys.pid, SIGSTOP);
	for (i = 0; i < MANY; i++)
		ssl[i] = hold_one(ctx, &e[i], NULL);
	for (i = 0; i < MANY; i += 3) {
		conn_free(&e[i].c);
		left++;
	}
	(void)kill(keys.pid, SIGCONT);
	end = clock_boot_ms() + 10000;
	while (done < MANY - left && clock_boot_ms() < end) {
		loop_turn(loop, false);
		done = 0;
		for (i = 0; i < MANY; i++) {
			if (e[i].c == NULL)
				continue;
			ck_assert_int_eq(e[i].ended, 0);
			(void)SSL_do_handshake(ssl[i]);
			done += e[i].secured;
		}
	}
	ck_assert_int_eq(done, MANY - left);
	keys_child_stop(&keys);
}
END_TEST

START_TEST(freed_when_secured)
{
	static struct end e;
	static SSL_CTX *ctx;
	static SSL *ssl;
	int fd;

	begin();
	add_cert(1, "ec:P-256", "mail.test");
	use_certs();
	ctx = raw_context(TLS1_3_VERSION);
	fd = accept_tls(&e);
	e.free_when_secured = true;
	ssl = raw_new(ctx, fd, NULL);
	(void)SSL_do_handshake(ssl);
	while (e.secured == 0) {
		loop_turn(loop, false);
		(void)SSL_do_handshake(ssl);
	}
	turns(3);
	ck_assert_ptr_null(e.c);
	keys_child_stop(&keys);
}
END_TEST

/* ---- tickets ---- */

static SSL_SESSION *session;

static int
on_session(SSL *ssl, SSL_SESSION *s)
{
	(void)ssl;
	SSL_SESSION_free(session);
	session = s;
	return 1;
}

/* One connection with the latest session; says whether it was resumed. */
static bool
visit(SSL_CTX *ctx)
{
	static struct end e;
	bool resumed;
	char b[8];
	SSL *ssl;
	int fd = accept_tls(&e);

	ssl = raw_new(ctx, fd, "mail.test");
	if (session != NULL)
		(void)SSL_set_session(ssl, session);
	ck_assert_int_eq(raw_shake(ssl, &e), 0);
	conn_write_str(e.c, "hi");
	ck_assert_int_eq(raw_read(ssl, b, sizeof b), 2);
	resumed = SSL_session_reused(ssl);
	ck_assert(resumed == conn_tls_is_resumed(e.c));
	/* A ticket renewed in TLS 1.2 goes past the callback. */
	if (SSL_version(ssl) == TLS1_2_VERSION) {
		SSL_SESSION_free(session);
		session = SSL_get1_session(ssl);
	}
	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	(void)close(fd);
	conn_free(&e.c);
	return resumed;
}

START_TEST(tickets_rotate)
{
	static SSL_CTX *ctx;
	static SSL_SESSION *old;
	int fd, i;

	begin();
	add_cert(1, "ec:P-256", "mail.test");
	use_certs();
	ctx = raw_context(_i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	/* Without keys no tickets. */
	ck_assert(!visit(ctx));
	ck_assert(!visit(ctx));
	fd = tls_tickets_create();
	tls_server_tickets(server, fd);
	ck_assert(!visit(ctx));
	for (i = 0; i < 12; i++) {
		ck_assert_msg(visit(ctx), "visit %d", i);
		if (i % 3 == 0)
			ck_assert_int_eq(tls_tickets_rotate(fd), 0);
	}
	/* New certificates do not spoil them. */
	add_cert(2, "ec:P-256", "mail.test");
	use_certs();
	ck_assert(visit(ctx));
	/* Too old: a full handshake, no failure. */
	old = SSL_SESSION_dup(session);
	for (i = 0; i < TLS_TICKETS_KEYS; i++)
		ck_assert_int_eq(tls_tickets_rotate(fd), 0);
	SSL_SESSION_free(session);
	session = old;
	ck_assert(!visit(ctx));
	ck_assert(visit(ctx));
	keys_child_stop(&keys);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

UNIT_SUITE(tls, {
	tcase_add_loop_test(tc, shakes_hands, 0, COUNT(shakes));
	tcase_add_loop_test(tc, refuses_the_old, 0, COUNT(refused));
	tcase_add_loop_test(tc, chooses_by_name, 0, COUNT(choices));
	tcase_add_test(tc, changes_certificates);
	tcase_add_test(tc, refuses_bad_certificates);
	tcase_add_test(tc, own_client);
	tcase_add_loop_test(tc, client_verifies_an_identity, 0,
	    sizeof identities / sizeof *identities);
	tcase_add_test(tc, client_verifies_for_the_log);
	tcase_add_test(tc, starts_in_the_middle);
	tcase_add_loop_test(tc, limits_hold_under_tls, 0, 2);
	tcase_add_test(tc, sealing_makes_it_full);
	tcase_add_loop_test(tc, survives_junk, 0, COUNT(junk));
	tcase_add_test(tc, keys_dies);
	tcase_add_test(tc, keys_has_no_such_key);
	tcase_add_test(tc, peer_leaves_while_held);
	tcase_add_test(tc, freed_while_held);
	tcase_add_test(tc, more_than_fibres);
	tcase_add_test(tc, freed_when_secured);
	tcase_add_loop_test(tc, tickets_rotate, 0, 2);
})
