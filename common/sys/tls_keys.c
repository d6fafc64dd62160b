/* SPDX-License-Identifier: ISC */
/*
 * The provider "veredus-keys": key management and signatures for RSA, EC and
 * Ed25519 keys of which only the public half is here. OpenSSL's own provider
 * does everything else; its objects are used for the public halves.
 *
 * What must stay true: exporting a private half fails, because OpenSSL first
 * tries to sign elsewhere with an exported key; and the property query of the
 * process prefers the default provider, because otherwise ephemeral EC keys
 * would be made here.
 */
#include "sys/tls_keys.h"

#include <openssl/async.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <string.h>

#include "sys/ipc.h"
#include "sys/log.h"

#define PROVIDER "veredus-keys"
#define PROPERTY "provider=" PROVIDER
#define PARAM_NUMBER "veredus-number"
#define PARAM_PUBLIC "veredus-public"

static struct tls_sign *current;

/* ---- keys ---- */

struct key {
	bool has_private; /* number is one that `keys` knows */
	uint32_t number;
	EVP_PKEY *pub;
};

static void *
key_new(void *provctx)
{
	(void)provctx;
	return OPENSSL_zalloc(sizeof(struct key));
}

static void
key_free(void *data)
{
	struct key *k = data;

	if (k == NULL)
		return;
	EVP_PKEY_free(k->pub);
	OPENSSL_free(k);
}

static int
key_has(const void *data, int selection)
{
	const struct key *k = data;

	if (k == NULL || k->pub == NULL)
		return 0;
	return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 ||
	    k->has_private;
}

/* Two keys are the same when their public halves are. */
static int
key_match(const void *a, const void *b, int selection)
{
	const struct key *one = a, *two = b;

	(void)selection;
	return one->pub != NULL && two->pub != NULL &&
	    EVP_PKEY_eq(one->pub, two->pub) == 1;
}

/* A plain public key from another provider: OpenSSL compares it with ours. */
static int
import_public(struct key *k, const char *type, const OSSL_PARAM params[])
{
	EVP_PKEY_CTX *ctx;
	OSSL_PARAM *copy = OSSL_PARAM_dup(params);
	int ok;

	ctx = EVP_PKEY_CTX_new_from_name(NULL, type, "provider=default");
	ok = copy != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &k->pub, EVP_PKEY_PUBLIC_KEY, copy) == 1;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(copy);
	return ok;
}

static int
key_import(void *data, const char *type, const OSSL_PARAM params[])
{
	const OSSL_PARAM *number, *pub;
	struct key *k = data;
	const void *at = NULL;

	number = OSSL_PARAM_locate_const(params, PARAM_NUMBER);
	pub = OSSL_PARAM_locate_const(params, PARAM_PUBLIC);
	if (number == NULL || pub == NULL)
		return import_public(k, type, params);
	if (OSSL_PARAM_get_uint32(number, &k->number) != 1 ||
	    OSSL_PARAM_get_octet_ptr(pub, &at, NULL) != 1)
		return 0;
	memcpy(&k->pub, at, sizeof k->pub);
	k->has_private = EVP_PKEY_up_ref(k->pub) == 1;
	return k->has_private;
}

#define KEY_IMPORT(name) \
	static int key_import_##name(void *data, int selection, \
	    const OSSL_PARAM params[]) \
	{ \
		(void)selection; \
		return key_import(data, #name, params); \
	}
KEY_IMPORT(RSA)
KEY_IMPORT(EC)
KEY_IMPORT(ED25519)

static int
key_export(void *data, int selection, OSSL_CALLBACK *cb, void *arg)
{
	const struct key *k = data;

	if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ||
	    k->pub == NULL)
		return 0;
	return EVP_PKEY_export(k->pub, EVP_PKEY_PUBLIC_KEY, cb, arg);
}

static const OSSL_PARAM *
key_types(int selection)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_uint32(PARAM_NUMBER, NULL),
		OSSL_PARAM_octet_ptr(PARAM_PUBLIC, NULL, 0),
		OSSL_PARAM_END
	};

	(void)selection;
	return types;
}

static int
key_get_params(void *data, OSSL_PARAM params[])
{
	const struct key *k = data;

	return k->pub != NULL && EVP_PKEY_get_params(k->pub, params);
}

static const OSSL_PARAM *
key_gettable(void *provctx)
{
	static const OSSL_PARAM gettable[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL,
		    0),
		OSSL_PARAM_END
	};

	(void)provctx;
	return gettable;
}

#define KEY_OPERATION(name, signature) \
	static const char *key_operation_##name(int operation) \
	{ \
		return operation == OSSL_OP_SIGNATURE ? signature : NULL; \
	}
KEY_OPERATION(RSA, "RSA")
KEY_OPERATION(EC, "ECDSA")
KEY_OPERATION(ED25519, "ED25519")

#define FUNCTION(id, f) \
	{ \
		id, (void (*)(void))(f) \
	}

#define KEY_TABLE(name) \
	static const OSSL_DISPATCH keys_##name[] = { \
		FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new), \
		FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free), \
		FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has), \
		FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match), \
		FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, key_import_##name), \
		FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_types), \
		FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export), \
		FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_types), \
		FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params), \
		FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable), \
		FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, \
		    key_operation_##name), \
		{ 0, NULL } \
	};
KEY_TABLE(RSA)
KEY_TABLE(EC)
KEY_TABLE(ED25519)

/* ---- signatures ---- */

struct signature {
	const struct key *key; /* OpenSSL holds it as long as this */
	enum key_padding padding;
	int salt;
	char digest[32]; /* the longest name OpenSSL gives is shorter */
};

static void *
sign_new(void *provctx, const char *propq)
{
	(void)provctx;
	(void)propq;
	return OPENSSL_zalloc(sizeof(struct signature));
}

static void
sign_free(void *ctx)
{
	OPENSSL_free(ctx);
}

static void *
sign_dup(void *ctx)
{
	return OPENSSL_memdup(ctx, sizeof(struct signature));
}

static int
set_padding(struct signature *s, const OSSL_PARAM *p)
{
	const char *text = NULL;
	int number = 0;

	if (p->data_type == OSSL_PARAM_UTF8_STRING) {
		if (OSSL_PARAM_get_utf8_string_ptr(p, &text) != 1)
			return 0;
		if (strcmp(text, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0)
			number = RSA_PKCS1_PSS_PADDING;
		else if (strcmp(text, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0)
			number = RSA_PKCS1_PADDING;
	} else if (OSSL_PARAM_get_int(p, &number) != 1)
		return 0;
	if (number == RSA_PKCS1_PSS_PADDING)
		s->padding = KEY_PADDING_PSS;
	else if (number == RSA_PKCS1_PADDING)
		s->padding = KEY_PADDING_PKCS1;
	else
		return 0;
	return 1;
}

static int
set_salt(struct signature *s, const OSSL_PARAM *p)
{
	const char *text = NULL;

	if (p->data_type != OSSL_PARAM_UTF8_STRING)
		return OSSL_PARAM_get_int(p, &s->salt);
	if (OSSL_PARAM_get_utf8_string_ptr(p, &text) != 1 ||
	    strcmp(text, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) != 0)
		return 0;
	s->salt = KEY_SALT_DIGEST;
	return 1;
}

static int
sign_set_params(void *ctx, const OSSL_PARAM params[])
{
	struct signature *s = ctx;
	const OSSL_PARAM *p;

	if (params == NULL)
		return 1;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	if (p != NULL && !set_padding(s, p))
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	return p == NULL || set_salt(s, p);
}

static const OSSL_PARAM *
sign_settable(void *ctx, void *provctx)
{
	static const OSSL_PARAM settable[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL,
		    0),
		OSSL_PARAM_END
	};

	(void)ctx;
	(void)provctx;
	return settable;
}

static int
sign_init(void *ctx, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct signature *s = ctx;

	s->key = key;
	s->salt = KEY_SALT_DIGEST;
	s->padding = EVP_PKEY_is_a(s->key->pub, "RSA") ? KEY_PADDING_PKCS1
						       : KEY_PADDING_NONE;
	s->digest[0] = 0;
	if (digest != NULL) {
		if (strlen(digest) >= sizeof s->digest)
			return 0;
		memcpy(s->digest, digest, strlen(digest) + 1);
	}
	return sign_set_params(s, params);
}

static void
on_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	struct tls_sign *op = arg;
	struct slice got = SLICE_NONE;

	(void)type;
	(void)fd; /* SIGN_ANSWER has none */
	op->call = NULL;
	op->state = SIGN_FAILED;
	if (m != NULL && m->SIGN_ANSWER.ok)
		got = m->SIGN_ANSWER.signature;
	if (got.n > 0 && got.n <= sizeof op->signature) {
		memcpy(op->signature, got.p, got.n);
		op->n = got.n;
		op->state = SIGN_DONE;
	}
	op->wake(op->arg);
}

/* Runs in the handshake's fibre, and leaves it while the answer is out. */
static int
ask(struct tls_sign *op, const struct signature *s, struct slice tbs)
{
	struct ipc_link *l = op == NULL ? NULL : op->link();

	/* Outside a fibre nothing may wait: the loop would stand still. */
	if (l == NULL || ASYNC_get_current_job() == NULL) {
		log_warn("event=tls_sign_failed why=%s",
		    l == NULL ? "\"no link to keys\"" : "\"not in a job\"");
		return -1;
	}
	op->state = SIGN_WAITING;
	op->call = ipc_ask(l, SIGN_ASK, -1, TLS_SIGN_TIMEOUT_MS, on_answer, op,
	    .key = s->key->number, .padding = (uint8_t)s->padding,
	    .salt = s->salt, .digest = slice_str(s->digest), .tbs = tbs);
	while (op->state == SIGN_WAITING)
		if (ASYNC_pause_job() != 1)
			return -1;
	return op->state == SIGN_DONE ? 0 : -1;
}

static int
sign_digest(void *ctx, unsigned char *sig, size_t *n, size_t max,
    const unsigned char *tbs, size_t tbs_n)
{
	const struct signature *s = ctx;
	struct tls_sign *op = current;
	int size = EVP_PKEY_get_size(s->key->pub);

	if (size <= 0 || !s->key->has_private)
		return 0;
	if (sig == NULL) {
		*n = (size_t)size;
		return 1;
	}
	if (ask(op, s, (struct slice){ (const char *)tbs, tbs_n }) < 0 ||
	    op->n > max)
		return 0;
	memcpy(sig, op->signature, op->n);
	*n = op->n;
	return 1;
}

static const OSSL_DISPATCH signatures[] = {
	FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, sign_new),
	FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, sign_free),
	FUNCTION(OSSL_FUNC_SIGNATURE_DUPCTX, sign_dup),
	FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, sign_init),
	FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign_digest),
	FUNCTION(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, sign_set_params),
	FUNCTION(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, sign_settable),
	{ 0, NULL }
};

void
tls_sign_enter(struct tls_sign *s)
{
	current = s;
}

void
tls_sign_abort(struct tls_sign *s)
{
	if (s->state != SIGN_WAITING)
		return;
	ipc_call_cancel(&s->call);
	s->state = SIGN_FAILED;
}

/* ---- the provider ---- */

static const OSSL_ALGORITHM key_algorithms[] = {
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTY, keys_RSA, NULL },
	{ "EC:id-ecPublicKey:1.2.840.10045.2.1", PROPERTY, keys_EC, NULL },
	{ "ED25519:1.3.101.112", PROPERTY, keys_ED25519, NULL },
	{ NULL, NULL, NULL, NULL }
};

static const OSSL_ALGORITHM signature_algorithms[] = {
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTY, signatures,
	    NULL },
	{ "ECDSA", PROPERTY, signatures, NULL },
	{ "ED25519:1.3.101.112", PROPERTY, signatures, NULL },
	{ NULL, NULL, NULL, NULL }
};

static const OSSL_ALGORITHM *
query(void *provctx, int operation, int *no_cache)
{
	(void)provctx;
	*no_cache = 0;
	switch (operation) {
	case OSSL_OP_KEYMGMT:
		return key_algorithms;
	case OSSL_OP_SIGNATURE:
		return signature_algorithms;
	default:
		return NULL;
	}
}

static int
provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provctx)
{
	static const OSSL_DISPATCH table[] = {
		FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
		{ 0, NULL }
	};
	static int unused; /* OpenSSL wants a context that is not NULL */

	(void)handle;
	(void)in;
	*out = table;
	*provctx = &unused;
	return 1;
}

int
tls_keys_init(void)
{
	static OSSL_PROVIDER *loaded; /* held as long as the process */

	if (OSSL_PROVIDER_add_builtin(NULL, PROVIDER, provider_init) != 1)
		return -1;
	loaded = OSSL_PROVIDER_load(NULL, PROVIDER);
	return loaded == NULL ? -1 : 0;
}

static const char *
type_name(const EVP_PKEY *pub)
{
	static const char *const types[] = { "RSA", "EC", "ED25519" };
	size_t i;

	for (i = 0; i < sizeof types / sizeof *types; i++)
		if (EVP_PKEY_is_a(pub, types[i]))
			return types[i];
	return NULL;
}

struct evp_pkey_st *
tls_keys_new(uint32_t number, struct x509_st *cert)
{
	EVP_PKEY *pub = X509_get0_pubkey(cert), *key = NULL;
	const char *type = pub == NULL ? NULL : type_name(pub);
	void *at = &pub;
	EVP_PKEY_CTX *ctx;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_uint32(PARAM_NUMBER, &number),
		OSSL_PARAM_construct_octet_ptr(PARAM_PUBLIC, &at, sizeof pub),
		OSSL_PARAM_construct_end()
	};

	if (type == NULL || EVP_PKEY_get_size(pub) > TLS_SIGNATURE_MAX)
		return NULL;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, type, PROPERTY);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}
