/* SPDX-License-Identifier: ISC */
#include "auth/keys_store.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>

#include "tests/tools/pki.h"
#include "tests/unit/unit.h"

/* OpenSSL keeps its own random generator there. */
enum { OWN_RANDOM = 256 };

static struct keys_store *store;
static struct buf said;

/* Offers these bytes as the key; what was said is in `said`. */
static int
offer(uint32_t number, const char *name, struct slice key, struct slice chain)
{
	int fd = pki_fd(key), r;

	buf_fini(&said);
	buf_init(&said, 500);
	r = keys_store_offer(store, number, slice_str(name), chain, fd, &said);
	ck_assert_int_eq(close(fd), 0); /* it stayed ours */
	return r;
}

static void
begin(void)
{
	keys_store_prepare();
	store = keys_store_new();
	buf_init(&said, 500);
}

static bool
is_key(uint32_t number, const struct pki *p)
{
	EVP_PKEY *key = keys_store_find(store, number);
	BIO *in = BIO_new_mem_buf(p->chain.p, (int)p->chain.n);
	X509 *x = PEM_read_bio_X509(in, NULL, NULL, NULL);
	bool is = key != NULL && X509_check_private_key(x, key) == 1;

	X509_free(x);
	BIO_free(in);
	return is;
}

START_TEST(takes_pairs)
{
	static const char *const kinds[] = { "ec:P-256", "ec:P-384",
		"rsa:2048", "ed25519" };
	static const char *const words[] = { "EC key of 256 bits",
		"EC key of 384 bits", "RSA key of 2048 bits",
		"ED25519 key of 256 bits" };
	static struct pki p = { SLICE_NONE, SLICE_NONE };
	size_t i;

	begin();
	for (i = 0; i < 4; i++) {
		pki_free(&p);
		p = pki_make(kinds[i], NULL, 30);
		ck_assert_int_eq(offer((uint32_t)i, "n", p.key, p.chain), 0);
		ck_assert_str_eq(said.p, words[i]);
		ck_assert_ptr_null(keys_store_find(store, (uint32_t)i));
	}
	keys_store_use(store);
	ck_assert_int_eq(keys_store_count(store), 4);
	ck_assert(is_key(3, &p));
	ck_assert_ptr_null(keys_store_find(store, 4));
	/* Key material is in locked memory, and leaves it. */
	ck_assert_int_gt(CRYPTO_secure_used(), OWN_RANDOM);
	keys_store_free(&store);
	ck_assert_int_le(CRYPTO_secure_used(), OWN_RANDOM);
}
END_TEST

START_TEST(says_what_is_wrong)
{
	static char big[70000];
	static struct pki a, b;

	begin();
	a = pki_make("ec:P-256", NULL, 30);
	b = pki_make("ec:P-256", NULL, 30);
	ck_assert_int_eq(offer(1, "n", b.key, a.chain), -1);
	ck_assert_str_eq(said.p, "the key does not belong to the certificate");
	ck_assert_int_eq(offer(1, "n", a.chain, a.chain), -1);
	ck_assert_str_eq(said.p, "the file holds no private key in PEM form");
	ck_assert_int_eq(offer(1, "n", a.key, a.key), -1);
	ck_assert_str_eq(said.p, "there is no certificate in PEM form");
	ck_assert_int_eq(offer(1, "n", SLICE(""), a.chain), -1);
	memset(big, 'x', sizeof big);
	ck_assert_int_eq(offer(1, "n", (struct slice){ big, sizeof big },
			     a.chain),
	    -1);
	ck_assert_msg(strstr(said.p, "larger") != NULL, "%s", said.p);
	pki_free(&a);
	a = pki_make("rsa:1024", NULL, 30);
	ck_assert_int_eq(offer(1, "n", a.key, a.chain), -1);
	ck_assert_str_eq(said.p, "an RSA key of 1024 bits is too short");
	pki_free(&a);
	a = pki_make("ed448", NULL, 30);
	ck_assert_int_eq(offer(1, "n", a.key, a.chain), -1);
	ck_assert_msg(strstr(said.p, "ED448") != NULL, "%s", said.p);
	buf_reset(&said);
	ck_assert_int_eq(keys_store_offer(store, 1, SLICE("n"), a.chain, -1,
			     &said),
	    -1);
	ck_assert_msg(strstr(said.p, "cannot read") != NULL, "%s", said.p);
	/* Good, but. */
	pki_free(&a);
	a = pki_make("ec:P-256", NULL, -3);
	ck_assert_int_eq(offer(1, "n", a.key, a.chain), 0);
	ck_assert_str_eq(said.p,
	    "EC key of 256 bits; its certificate has expired");
	keys_store_use(store);
	ck_assert_int_eq(keys_store_count(store), 1);
	keys_store_free(&store);
	ck_assert_int_le(CRYPTO_secure_used(), OWN_RANDOM);
}
END_TEST

/* It would ask at a terminal if it could. */
START_TEST(no_passphrases)
{
	struct pki a = pki_make("ec:P-256", NULL, 30);
	BIO *in = BIO_new_mem_buf(a.key.p, (int)a.key.n);
	BIO *out = BIO_new(BIO_s_mem());
	EVP_PKEY *key;
	char *p;
	long n;

	begin();
	key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	ck_assert_int_eq(PEM_write_bio_PrivateKey(out, key, EVP_aes_128_cbc(),
			     (const unsigned char *)"geheim", 6, NULL, NULL),
	    1);
	n = BIO_get_mem_data(out, &p);
	ck_assert_int_eq(offer(1, "n", (struct slice){ p, (size_t)n },
			     a.chain),
	    -1);
	ck_assert_msg(strstr(said.p, "passphrase") != NULL, "%s", said.p);
	EVP_PKEY_free(key);
	BIO_free(in);
	BIO_free(out);
	pki_free(&a);
}
END_TEST

START_TEST(generations)
{
	static struct pki a, b, c;

	begin();
	a = pki_make("ec:P-256", NULL, 30);
	b = pki_make("ec:P-256", NULL, 30);
	c = pki_make("ec:P-256", NULL, 30);
	ck_assert_int_eq(offer(1, "a", a.key, a.chain), 0);
	ck_assert_int_eq(offer(2, "b", b.key, b.chain), 0);
	keys_store_use(store);
	/* The second time: a's file is broken, b moved to 3, c is new. */
	ck_assert_int_eq(offer(1, "a", c.key, a.chain), -1);
	ck_assert_str_eq(said.p, "the key does not belong to the certificate; "
				 "the earlier key stays");
	ck_assert_int_eq(offer(3, "b", b.key, b.chain), 0);
	ck_assert_int_eq(offer(4, "c", c.key, c.chain), 0);
	ck_assert_ptr_null(keys_store_find(store, 4)); /* not before the end */
	keys_store_use(store);
	ck_assert_int_eq(keys_store_count(store), 3);
	ck_assert(is_key(1, &a) && is_key(3, &b) && is_key(4, &c));
	ck_assert(is_key(2, &b)); /* for handshakes under way */
	keys_store_forget(store);
	ck_assert_ptr_null(keys_store_find(store, 2));
	ck_assert(is_key(1, &a));
	/* By name, though the number is another's now. */
	ck_assert_int_eq(offer(1, "c", SLICE("x"), c.chain), -1);
	/* A bad one that was never good is just not there. */
	ck_assert_int_eq(offer(9, "d", SLICE("x"), c.chain), -1);
	keys_store_use(store);
	ck_assert_int_eq(keys_store_count(store), 1);
	ck_assert(is_key(1, &c));
	/* The same number twice: the later one. */
	ck_assert_int_eq(offer(1, "a", a.key, a.chain), 0);
	ck_assert_int_eq(offer(1, "b", b.key, b.chain), 0);
	keys_store_use(store);
	ck_assert(is_key(1, &b));
	keys_store_use(store);
	keys_store_use(store);
	ck_assert_ptr_null(keys_store_find(store, 1));
	keys_store_free(&store);
	ck_assert_int_le(CRYPTO_secure_used(), OWN_RANDOM);
}
END_TEST

UNIT_SUITE(keys_store, {
	tcase_add_test(tc, takes_pairs);
	tcase_add_test(tc, says_what_is_wrong);
	tcase_add_test(tc, no_passphrases);
	tcase_add_test(tc, generations);
})
