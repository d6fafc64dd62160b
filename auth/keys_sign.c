/* SPDX-License-Identifier: ISC */
/* The check of what is asked, and OpenSSL's signatures. */
#include "auth/keys_sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "sys/tls_keys.h"

enum { SPACES = 64, RANDOMS = 64, NAMED_CURVE = 3, UNCOMPRESSED = 4 };

enum text_kind { TEXT_OTHER, TEXT_TLS13, TEXT_TLS12 };

static const struct {
	struct slice name;
	const char *openssl;
} digests[] = {
	{ { "SHA256", 6 }, "SHA256" },
	{ { "SHA2-256", 8 }, "SHA256" },
	{ { "SHA384", 6 }, "SHA384" },
	{ { "SHA2-384", 8 }, "SHA384" },
	{ { "SHA512", 6 }, "SHA512" },
	{ { "SHA2-512", 8 }, "SHA512" },
};

/* RFC 8422 5.1.1, 5.4.1: the groups and the length of a point in them. */
static const struct {
	uint16_t group;
	uint8_t point;
} groups[] = { { 23, 65 }, { 24, 97 }, { 25, 133 }, { 29, 32 }, { 30, 56 } };

/* RFC 8446 4.4.3: 64 spaces, the context, NUL, the transcript's hash (SHA-256
 * or SHA-384 in all suites there are). */
static bool
is_certificate_verify(struct slice t)
{
	static const char context[] = "TLS 1.3, server CertificateVerify";
	size_t i;

	if (t.n != SPACES + sizeof context + 32 &&
	    t.n != SPACES + sizeof context + 48)
		return false;
	for (i = 0; i < SPACES; i++)
		if (t.p[i] != ' ')
			return false;
	return memcmp(t.p + SPACES, context, sizeof context) == 0;
}

/* RFC 8422 5.4: both randoms, which are free, then named_curve, the group, and
 * a point of just its length. */
static bool
is_key_exchange(struct slice t)
{
	const unsigned char *p = (const unsigned char *)t.p + RANDOMS;
	size_t i;

	if (t.n < RANDOMS + 4 || p[0] != NAMED_CURVE ||
	    t.n != RANDOMS + 4 + (size_t)p[3])
		return false;
	for (i = 0; i < sizeof groups / sizeof *groups; i++)
		if ((p[1] << 8 | p[2]) == groups[i].group)
			return p[3] == groups[i].point &&
			    (groups[i].group > 25 || p[4] == UNCOMPRESSED);
	return false;
}

static enum text_kind
text_kind(struct slice t)
{
	if (is_certificate_verify(t))
		return TEXT_TLS13;
	return is_key_exchange(t) ? TEXT_TLS12 : TEXT_OTHER;
}

static const char *
digest_of(struct slice name)
{
	size_t i;

	for (i = 0; i < sizeof digests / sizeof *digests; i++)
		if (slice_eq(digests[i].name, name))
			return digests[i].openssl;
	return NULL;
}

static const char *
rsa_refusal(const struct keys_request *r, enum text_kind kind)
{
	switch (r->padding) {
	case KEY_PADDING_PSS:
		return r->salt == KEY_SALT_DIGEST ? NULL : "salt";
	case KEY_PADDING_PKCS1:
		/* RFC 8446 4.2.3: not in TLS 1.3. */
		return kind == TEXT_TLS12 ? NULL : "padding";
	default:
		return "padding";
	}
}

const char *
keys_sign_refusal(const struct keys_request *r, const struct evp_pkey_st *key)
{
	enum text_kind kind = text_kind(r->tbs);

	if (kind == TEXT_OTHER)
		return "not a text of a TLS handshake";
	if (EVP_PKEY_is_a(key, "ED25519"))
		return r->digest.n == 0 && r->padding == KEY_PADDING_NONE
		    ? NULL
		    : "digest";
	if (digest_of(r->digest) == NULL)
		return "digest";
	if (EVP_PKEY_is_a(key, "RSA"))
		return rsa_refusal(r, kind);
	return r->padding == KEY_PADDING_NONE ? NULL : "padding";
}

int
keys_sign(const struct keys_request *r, struct evp_pkey_st *key,
    unsigned char *sig, size_t *n_r)
{
	const char *digest = r->digest.n == 0 ? NULL : digest_of(r->digest);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	int ok;

	ok = ctx != NULL &&
	    EVP_DigestSignInit_ex(ctx, &pctx, digest, NULL, NULL, key, NULL) ==
		1;
	if (ok && r->padding == KEY_PADDING_PSS)
		ok = EVP_PKEY_CTX_set_rsa_padding(pctx,
			 RSA_PKCS1_PSS_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
			RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok &&
	    EVP_DigestSign(ctx, sig, n_r, (const unsigned char *)r->tbs.p,
		r->tbs.n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok ? 0 : -1;
}
