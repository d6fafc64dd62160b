/* SPDX-License-Identifier: ISC */
/*
 * RFC 5802 3: SaltedPassword, ClientKey, StoredKey, ServerKey, and what is
 * made of them. PBKDF2, HMAC and SHA-256 are OpenSSL's.
 */
#include "sys/scram_keys.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.h"
#include "base/num.h"

#define PREFIX SLICE("SCRAM-SHA-256$")
#define DOVECOT_PREFIX SLICE("{SCRAM-SHA-256}")

static int
hmac(const unsigned char *key, size_t key_n, struct slice text,
    unsigned char out[SCRAM_KEY])
{
	unsigned n = 0;

	if (HMAC(EVP_sha256(), key, (int)key_n, (const unsigned char *)text.p,
		text.n, out, &n) == NULL || n != SCRAM_KEY)
		return -1;
	return 0;
}

static int
hash(const unsigned char in[SCRAM_KEY], unsigned char out[SCRAM_KEY])
{
	unsigned n = 0;

	if (EVP_Digest(in, SCRAM_KEY, out, &n, EVP_sha256(), NULL) != 1)
		return -1;
	return n == SCRAM_KEY ? 0 : -1;
}

static struct slice
view(const unsigned char *p, size_t n)
{
	return (struct slice){ (const char *)p, n };
}

/* ClientKey and ServerKey of a password (RFC 5802 3). */
static int
derive(struct slice password, struct slice salt, uint32_t iterations,
    unsigned char client[SCRAM_KEY], unsigned char server[SCRAM_KEY])
{
	unsigned char salted[SCRAM_KEY];
	int rc = -1;

	if (PKCS5_PBKDF2_HMAC(password.p, (int)password.n,
		(const unsigned char *)salt.p, (int)salt.n, (int)iterations,
		EVP_sha256(), SCRAM_KEY, salted) == 1 &&
	    hmac(salted, SCRAM_KEY, SLICE("Client Key"), client) == 0 &&
	    hmac(salted, SCRAM_KEY, SLICE("Server Key"), server) == 0)
		rc = 0;
	explicit_bzero(salted, sizeof salted);
	return rc;
}

int
scram_keys_init(void)
{
	unsigned char client[SCRAM_KEY], server[SCRAM_KEY];

	if (derive(SLICE("x"), SLICE("y"), 1, client, server) < 0)
		return -1;
	return hash(client, server);
}

/* Base 64 of min..max octets to `to`. */
static int
decode(struct slice in, unsigned char *to, size_t min, size_t max,
    size_t *n_r)
{
	struct buf b;
	int rc = -1;

	buf_init(&b, max + 2);
	if (base64_decode(&b, in) == 0 && b.n >= min && b.n <= max) {
		memcpy(to, b.p, b.n);
		*n_r = b.n;
		rc = 0;
	}
	buf_fini_secret(&b);
	return rc;
}

int
scram_keys_parse(struct slice stored, struct scram_keys *keys_r)
{
	struct slice rest, iterations, salt, stored_key;
	struct scram_keys k = { 0 };
	uint64_t count;
	size_t n;
	bool ours;

	ours = slice_has_prefix(stored, PREFIX);
	if (!ours && !slice_has_prefix(stored, DOVECOT_PREFIX))
		return -1;
	rest = slice_from(stored, ours ? PREFIX.n : DOVECOT_PREFIX.n);
	if (!slice_split(&rest, ours ? ':' : ',', &iterations) ||
	    !slice_split(&rest, ours ? '$' : ',', &salt) ||
	    !slice_split(&rest, ours ? ':' : ',', &stored_key))
		return -1;
	if (num_parse(iterations, 1, SCRAM_ITERATIONS_MAX, &count) < 0 ||
	    decode(salt, k.salt, 1, sizeof k.salt, &k.salt_n) < 0 ||
	    decode(stored_key, k.stored_key, SCRAM_KEY, SCRAM_KEY, &n) < 0 ||
	    decode(rest, k.server_key, SCRAM_KEY, SCRAM_KEY, &n) < 0) {
		scram_keys_wipe(&k);
		return -1;
	}
	k.iterations = (uint32_t)count;
	*keys_r = k;
	scram_keys_wipe(&k);
	return 0;
}

void
scram_keys_format(struct buf *out, const struct scram_keys *keys)
{
	buf_add_slice(out, PREFIX);
	buf_addf(out, "%u:", (unsigned)keys->iterations);
	base64_encode(out, view(keys->salt, keys->salt_n));
	buf_add_char(out, '$');
	base64_encode(out, view(keys->stored_key, SCRAM_KEY));
	buf_add_char(out, ':');
	base64_encode(out, view(keys->server_key, SCRAM_KEY));
}

void
scram_keys_wipe(struct scram_keys *keys)
{
	explicit_bzero(keys, sizeof *keys);
}

int
scram_keys_make(struct slice password, uint32_t iterations,
    struct scram_keys *keys_r)
{
	unsigned char client[SCRAM_KEY];
	struct scram_keys *k = keys_r;
	int rc = -1;

	*k = (struct scram_keys){ .iterations = iterations,
		.salt_n = SCRAM_SALT };
	if (getentropy(k->salt, SCRAM_SALT) == 0 &&
	    derive(password, view(k->salt, SCRAM_SALT), iterations, client,
		k->server_key) == 0 &&
	    hash(client, k->stored_key) == 0)
		rc = 0;
	explicit_bzero(client, sizeof client);
	return rc;
}

int
scram_keys_fake(struct slice secret, struct slice name, uint32_t iterations,
    struct scram_keys *keys_r)
{
	const unsigned char *key = (const unsigned char *)secret.p;
	struct scram_keys *k = keys_r;
	unsigned char salt[SCRAM_KEY];

	*k = (struct scram_keys){ .iterations = iterations,
		.salt_n = SCRAM_SALT };
	if (hmac(key, secret.n, name, salt) < 0)
		return -1;
	memcpy(k->salt, salt, SCRAM_SALT);
	/* Keys of nothing: a key whose preimage nobody has. */
	if (getentropy(k->stored_key, SCRAM_KEY) < 0)
		return -1;
	return getentropy(k->server_key, SCRAM_KEY);
}

bool
scram_keys_is_password(const struct scram_keys *keys, struct slice password)
{
	unsigned char client[SCRAM_KEY], server[SCRAM_KEY];
	unsigned char stored[SCRAM_KEY];
	bool right = false;

	if (derive(password, view(keys->salt, keys->salt_n),
		keys->iterations, client, server) == 0 &&
	    hash(client, stored) == 0)
		right = CRYPTO_memcmp(stored, keys->stored_key,
		    SCRAM_KEY) == 0;
	explicit_bzero(client, sizeof client);
	explicit_bzero(server, sizeof server);
	explicit_bzero(stored, sizeof stored);
	return right;
}

int
scram_keys_check(const struct scram_keys *keys, struct slice auth_message,
    struct slice proof, unsigned char signature_r[SCRAM_KEY])
{
	unsigned char client[SCRAM_KEY], stored[SCRAM_KEY];
	int rc = -1;
	size_t i;

	if (proof.n != SCRAM_KEY ||
	    hmac(keys->stored_key, SCRAM_KEY, auth_message, client) < 0)
		return -1;
	/* ClientKey := ClientProof XOR ClientSignature */
	for (i = 0; i < SCRAM_KEY; i++)
		client[i] ^= (unsigned char)proof.p[i];
	if (hash(client, stored) == 0 &&
	    CRYPTO_memcmp(stored, keys->stored_key, SCRAM_KEY) == 0)
		rc = hmac(keys->server_key, SCRAM_KEY, auth_message,
		    signature_r);
	explicit_bzero(client, sizeof client);
	explicit_bzero(stored, sizeof stored);
	return rc;
}

int
scram_client_prove(struct slice password,
    const struct scram_challenge *challenge, unsigned char proof_r[SCRAM_KEY],
    unsigned char signature_r[SCRAM_KEY])
{
	unsigned char client[SCRAM_KEY], server[SCRAM_KEY];
	unsigned char stored[SCRAM_KEY];
	int rc = -1;
	size_t i;

	if (derive(password, challenge->salt, challenge->iterations, client,
		server) == 0 &&
	    hash(client, stored) == 0 &&
	    hmac(stored, SCRAM_KEY, challenge->auth_message, proof_r) == 0 &&
	    hmac(server, SCRAM_KEY, challenge->auth_message,
		signature_r) == 0)
		rc = 0;
	for (i = 0; i < SCRAM_KEY; i++)
		proof_r[i] ^= client[i];
	explicit_bzero(client, sizeof client);
	explicit_bzero(server, sizeof server);
	explicit_bzero(stored, sizeof stored);
	return rc;
}
