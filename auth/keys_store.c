/* SPDX-License-Identifier: ISC */
/* Private keys: reading, checking, generations. */
#include "auth/keys_store.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "sys/log.h"
#include "sys/tls_keys.h"

enum {
	FILE_MAX = 65536,
	SECURE_HEAP = 2 << 20, /* about a thousand RSA keys */
	SECURE_UNIT = 32,
	RSA_BITS_MIN = 2048
};

struct key {
	uint64_t number;
	EVP_PKEY *pkey;
	struct buf name;
};

struct keys_store {
	/* number -> struct key */
	struct map next, current, previous;
};

void
keys_store_prepare(void)
{
	static OSSL_PROVIDER *standard; /* held as long as the process */
	unsigned char byte;
	int locked;

	if (standard != NULL)
		return;
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG |
		    OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
		NULL) != 1)
		fatal("event=keys_init_failed");
	standard = OSSL_PROVIDER_load(NULL, "default");
	if (standard == NULL || RAND_bytes(&byte, 1) != 1)
		fatal("event=keys_init_failed");
	locked = CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_UNIT);
	if (locked == 0)
		fatal("event=keys_init_failed why=\"no secure heap\"");
	if (locked != 1)
		log_warn("event=keys_not_locked text=\"keys may be swapped "
			 "out: the limit of locked memory is too low\"");
}

static void
set_clear(struct map *m)
{
	struct slice number;
	struct key *k;
	size_t pos = 0;

	while ((k = map_next(m, &pos, &number)) != NULL) {
		EVP_PKEY_free(k->pkey);
		buf_fini(&k->name);
		free(k);
	}
	map_fini(m);
	map_init(m);
}

struct keys_store *
keys_store_new(void)
{
	struct keys_store *s = calloc(1, sizeof *s);

	if (s == NULL)
		fatal("event=no_memory for=keys");
	map_init(&s->next);
	map_init(&s->current);
	map_init(&s->previous);
	return s;
}

void
keys_store_free(struct keys_store **sp)
{
	struct keys_store *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	set_clear(&s->next);
	set_clear(&s->current);
	set_clear(&s->previous);
	map_fini(&s->next);
	map_fini(&s->current);
	map_fini(&s->previous);
	free(s);
}

/* ---- reading ---- */

static int
no_passphrase(char *out, int size, int writing, void *asked)
{
	(void)out;
	(void)size;
	(void)writing;
	if (asked != NULL)
		*(bool *)asked = true;
	return -1;
}

/* The whole file into `p`; its length, or -1 with the reason said. */
static ssize_t
read_file(int fd, char *p, struct buf *said)
{
	ssize_t n;
	size_t got = 0;

	for (;;) {
		n = pread(fd, p + got, FILE_MAX - got, (off_t)got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			buf_addf(said, "cannot read the key: %s",
			    strerror(errno));
		if (n <= 0)
			return n < 0 ? -1 : (ssize_t)got;
		got += (size_t)n;
		if (got < FILE_MAX)
			continue;
		buf_addf(said, "the key file is larger than %d bytes",
		    FILE_MAX - 1);
		return -1;
	}
}

static EVP_PKEY *
parse_key(const char *p, size_t n, struct buf *said)
{
	bool asked = false;
	EVP_PKEY *pkey = NULL;
	BIO *in = BIO_new_mem_buf(p, (int)n);

	if (in != NULL)
		pkey = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, &asked);
	BIO_free(in);
	if (pkey == NULL && asked)
		buf_add_str(said, "the key is protected by a passphrase; store "
				  "it without one, readable by root alone");
	else if (pkey == NULL)
		buf_add_str(said, "the file holds no private key in PEM form");
	return pkey;
}

static EVP_PKEY *
read_key(int fd, struct buf *said)
{
	char *p = OPENSSL_secure_malloc(FILE_MAX);
	EVP_PKEY *pkey = NULL;
	ssize_t n;

	if (p == NULL) {
		buf_add_str(said, "no room for another key");
		return NULL;
	}
	n = read_file(fd, p, said);
	if (n >= 0)
		pkey = parse_key(p, (size_t)n, said);
	OPENSSL_secure_clear_free(p, FILE_MAX);
	return pkey;
}

static X509 *
parse_cert(struct slice chain)
{
	BIO *in = BIO_new_mem_buf(chain.p, (int)chain.n);
	X509 *cert = NULL;

	if (in != NULL)
		cert = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
	BIO_free(in);
	return cert;
}

/* Is it a kind and size of key that TLS takes here? */
static int
check_kind(const EVP_PKEY *pkey, struct buf *said)
{
	int bits = EVP_PKEY_get_bits(pkey);

	if (!EVP_PKEY_is_a(pkey, "RSA") && !EVP_PKEY_is_a(pkey, "EC") &&
	    !EVP_PKEY_is_a(pkey, "ED25519")) {
		buf_addf(said, "a key of kind %s is of no use for TLS here; "
			       "use EC, RSA or Ed25519",
		    EVP_PKEY_get0_type_name(pkey));
		return -1;
	}
	if (EVP_PKEY_is_a(pkey, "RSA") &&
	    (bits < RSA_BITS_MIN || bits > TLS_SIGNATURE_MAX * 8)) {
		buf_addf(said, "an RSA key of %d bits is too %s", bits,
		    bits < RSA_BITS_MIN ? "short" : "long");
		return -1;
	}
	return 0;
}

static int
check_pair(EVP_PKEY *pkey, struct slice chain, struct buf *said)
{
	X509 *cert = parse_cert(chain);
	int r = -1;

	if (cert == NULL)
		buf_add_str(said, "there is no certificate in PEM form");
	else if (check_kind(pkey, said) < 0)
		; /* said */
	else if (X509_check_private_key(cert, pkey) != 1)
		buf_add_str(said, "the key does not belong to the certificate");
	else {
		r = 0;
		buf_addf(said, "%s key of %d bits",
		    EVP_PKEY_get0_type_name(pkey), EVP_PKEY_get_bits(pkey));
		if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
			buf_add_str(said, "; its certificate has expired");
		else if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
			buf_add_str(said, "; its certificate is not valid yet");
	}
	X509_free(cert);
	return r;
}

/* ---- generations ---- */

static void
set_put(struct map *m, uint32_t number, struct slice name, EVP_PKEY *pkey)
{
	struct key *k = calloc(1, sizeof *k), *old;
	void *gone = NULL;

	if (k == NULL)
		fatal("event=no_memory for=keys");
	k->number = number;
	k->pkey = pkey;
	buf_init(&k->name, name.n);
	buf_add_slice(&k->name, name);
	if (!buf_is_ok(&k->name) ||
	    map_put(m, map_u64(&k->number), k, &gone) < 0)
		fatal("event=no_memory for=keys");
	old = gone;
	if (old == NULL)
		return;
	EVP_PKEY_free(old->pkey);
	buf_fini(&old->name);
	free(old);
}

static struct key *
set_get(const struct map *m, uint32_t number)
{
	uint64_t key = number;

	return map_get(m, map_u64(&key));
}

static const struct key *
current_by_name(const struct keys_store *s, uint32_t number,
    struct slice name)
{
	const struct key *k;
	struct slice key;
	size_t pos = 0;

	if (name.n == 0)
		return set_get(&s->current, number);
	while ((k = map_next(&s->current, &pos, &key)) != NULL)
		if (slice_eq(buf_slice(&k->name), name))
			return k;
	return NULL;
}

static void
keep_old(struct keys_store *s, uint32_t number, struct slice name,
    struct buf *said)
{
	const struct key *old = current_by_name(s, number, name);

	if (old == NULL || EVP_PKEY_up_ref(old->pkey) != 1)
		return;
	set_put(&s->next, number, name, old->pkey);
	buf_add_str(said, "; the earlier key stays");
}

int
keys_store_offer(struct keys_store *s, uint32_t number, struct slice name,
    struct slice chain, int fd, struct buf *said)
{
	EVP_PKEY *pkey = read_key(fd, said);
	int r;

	r = pkey == NULL ? -1 : check_pair(pkey, chain, said);
	ERR_clear_error();
	if (r == 0) {
		set_put(&s->next, number, name, pkey);
		return 0;
	}
	EVP_PKEY_free(pkey);
	keep_old(s, number, name, said);
	return -1;
}

void
keys_store_use(struct keys_store *s)
{
	set_clear(&s->previous);
	map_fini(&s->previous);
	s->previous = s->current;
	s->current = s->next;
	map_init(&s->next);
}

void
keys_store_forget(struct keys_store *s)
{
	set_clear(&s->previous);
}

struct evp_pkey_st *
keys_store_find(const struct keys_store *s, uint32_t number)
{
	const struct key *k = set_get(&s->current, number);

	if (k == NULL)
		k = set_get(&s->previous, number);
	return k == NULL ? NULL : k->pkey;
}

size_t
keys_store_count(const struct keys_store *s)
{
	return s->current.n;
}
