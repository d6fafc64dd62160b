/* SPDX-License-Identifier: ISC */
#include "auth/keys_sign.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "sys/tls_keys.h"
#include "tests/tools/pki.h"
#include "tests/unit/unit.h"

enum kind { K_RSA, K_EC, K_ED };

static EVP_PKEY *
key_of(enum kind kind)
{
	static const char *const names[] = { "rsa:2048", "ec:P-256",
		"ed25519" };
	static EVP_PKEY *made[3];
	struct pki p;
	BIO *in;

	if (made[kind] != NULL)
		return made[kind];
	p = pki_make(names[kind], NULL, 30);
	in = BIO_new_mem_buf(p.key.p, (int)p.key.n);
	made[kind] = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(made[kind]);
	BIO_free(in);
	pki_free(&p);
	return made[kind];
}

/* ---- texts ---- */

static struct buf text;

static struct slice
verify_text(const char *context, size_t hash)
{
	size_t i;

	buf_init(&text, 4096);
	for (i = 0; i < 64; i++)
		buf_add_char(&text, ' ');
	buf_add(&text, context, strlen(context) + 1);
	for (i = 0; i < hash; i++)
		buf_add_char(&text, (char)(i * 7));
	return buf_slice(&text);
}

static struct slice
exchange_text(int type, int group, int told, int point, int first)
{
	int i;

	buf_init(&text, 4096);
	for (i = 0; i < 64; i++)
		buf_add_char(&text, (char)(i * 3));
	buf_add_char(&text, (char)type);
	buf_add_char(&text, (char)(group >> 8));
	buf_add_char(&text, (char)group);
	buf_add_char(&text, (char)told);
	for (i = 0; i < point; i++)
		buf_add_char(&text, (char)(i == 0 ? first : i));
	return buf_slice(&text);
}

#define SERVER "TLS 1.3, server CertificateVerify"
#define CLIENT "TLS 1.3, client CertificateVerify"

/* Texts by number; only the good ones may be signed. */
static struct slice
text_number(int i)
{
	switch (i) {
	case 0: return verify_text(SERVER, 32);
	case 1: return verify_text(SERVER, 48);
	case 2: return exchange_text(3, 23, 65, 65, 4);
	case 3: return exchange_text(3, 24, 97, 97, 4);
	case 4: return exchange_text(3, 29, 32, 32, 9);
	case 5: return exchange_text(3, 30, 56, 56, 9);
	case 6: return exchange_text(3, 25, 133, 133, 4);
	/* the bad ones */
	case 7: return verify_text(CLIENT, 32);
	case 8: return verify_text(SERVER, 31);
	case 9: return verify_text(SERVER, 64);
	case 10: return verify_text(SERVER, 0);
	case 11: return exchange_text(3, 23, 65, 64, 4);
	case 12: return exchange_text(3, 23, 65, 66, 4);
	case 13: return exchange_text(3, 23, 32, 32, 4);
	case 14: return exchange_text(3, 23, 65, 65, 2);
	case 15: return exchange_text(3, 22, 65, 65, 4);
	case 16: return exchange_text(1, 23, 65, 65, 4);
	case 17: return exchange_text(3, 29, 32, 0, 0);
	case 18: return slice_head(exchange_text(3, 29, 32, 32, 0), 67);
	case 19: return slice_head(exchange_text(3, 29, 32, 32, 0), 64);
	case 20: return SLICE("");
	case 21: return SLICE("from:x@example.org; a text to be signed");
	default: return SLICE_NONE;
	}
}
enum { TEXTS_GOOD = 7, TEXTS = 22 };

START_TEST(knows_handshakes)
{
	struct keys_request r = { guard_copy(text_number(_i)),
		SLICE("SHA256"), KEY_PADDING_NONE, 0 };
	const char *why = keys_sign_refusal(&r, key_of(K_EC));

	ck_assert_msg((why == NULL) == (_i < TEXTS_GOOD), "%d: %s", _i, why);
}
END_TEST

/* One byte changed in the fixed part of a good text. */
START_TEST(every_byte_counts)
{
	struct keys_request r = { verify_text(SERVER, 32), SLICE("SHA256"),
		KEY_PADDING_NONE, 0 };

	text.p[_i] ^= 1;
	ck_assert_ptr_nonnull(keys_sign_refusal(&r, key_of(K_EC)));
}
END_TEST

static const struct {
	enum kind kind;
	int text;
	const char *digest;
	unsigned padding;
	int64_t salt;
	bool good;
} asked[] = {
	{ K_RSA, 0, "SHA256", KEY_PADDING_PSS, -1, true },
	{ K_RSA, 0, "SHA2-384", KEY_PADDING_PSS, -1, true },
	{ K_RSA, 0, "SHA512", KEY_PADDING_PSS, -1, true },
	{ K_RSA, 2, "SHA256", KEY_PADDING_PSS, -1, true },
	{ K_RSA, 2, "SHA256", KEY_PADDING_PKCS1, 0, true },
	{ K_RSA, 0, "SHA256", KEY_PADDING_PKCS1, 0, false },
	{ K_RSA, 0, "SHA256", KEY_PADDING_PSS, 0, false },
	{ K_RSA, 0, "SHA256", KEY_PADDING_PSS, 20, false },
	{ K_RSA, 2, "SHA256", KEY_PADDING_NONE, 0, false },
	{ K_RSA, 2, "SHA256", 7, 0, false },
	{ K_RSA, 2, "SHA1", KEY_PADDING_PKCS1, 0, false },
	{ K_RSA, 2, "MD5-SHA1", KEY_PADDING_PKCS1, 0, false },
	{ K_RSA, 2, "", KEY_PADDING_PKCS1, 0, false },
	{ K_EC, 0, "SHA256", KEY_PADDING_NONE, 0, true },
	{ K_EC, 2, "SHA384", KEY_PADDING_NONE, -1, true },
	{ K_EC, 2, "", KEY_PADDING_NONE, 0, false },
	{ K_EC, 2, "SHA224", KEY_PADDING_NONE, 0, false },
	{ K_EC, 2, "SHA256", KEY_PADDING_PSS, -1, false },
	{ K_ED, 0, "", KEY_PADDING_NONE, 0, true },
	{ K_ED, 4, "", KEY_PADDING_NONE, 0, true },
	{ K_ED, 0, "SHA256", KEY_PADDING_NONE, 0, false },
	{ K_ED, 0, "", KEY_PADDING_PKCS1, 0, false },
	{ K_ED, 21, "", KEY_PADDING_NONE, 0, false },
};

static bool
is_valid(const struct keys_request *r, EVP_PKEY *key, const unsigned char *sig,
    size_t n)
{
	char digest[32];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	int ok;

	(void)snprintf(digest, sizeof digest, "%.*s", SLICE_FMT(r->digest));
	ok = EVP_DigestVerifyInit_ex(ctx, &pctx, digest[0] ? digest : NULL,
	    NULL, NULL, key, NULL);
	if (ok == 1 && r->padding == KEY_PADDING_PSS)
		ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) *
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
			RSA_PSS_SALTLEN_DIGEST);
	if (ok == 1)
		ok = EVP_DigestVerify(ctx, sig, n,
		    (const unsigned char *)r->tbs.p, r->tbs.n);
	EVP_MD_CTX_free(ctx);
	return ok == 1;
}

START_TEST(signs_what_it_may)
{
	struct keys_request r = { text_number(asked[_i].text),
		slice_str(asked[_i].digest), asked[_i].padding,
		asked[_i].salt };
	EVP_PKEY *key = key_of(asked[_i].kind);
	const char *why = keys_sign_refusal(&r, key);
	unsigned char sig[TLS_SIGNATURE_MAX];
	size_t n = sizeof sig;

	ck_assert_msg((why == NULL) == asked[_i].good, "%d: %s", _i, why);
	if (why != NULL)
		return;
	ck_assert_int_eq(keys_sign(&r, key, sig, &n), 0);
	ck_assert(is_valid(&r, key, sig, n));
	n = 10; /* no room: an error, not more */
	ck_assert_int_eq(keys_sign(&r, key, sig, &n), -1);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

UNIT_SUITE(keys_sign, {
	tcase_add_loop_test(tc, knows_handshakes, 0, TEXTS);
	tcase_add_loop_test(tc, every_byte_counts, 0, 64 + sizeof SERVER);
	tcase_add_loop_test(tc, signs_what_it_may, 0, COUNT(asked));
})
