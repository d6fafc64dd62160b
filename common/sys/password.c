/* SPDX-License-Identifier: ISC */
/*
 * crypt(3) by libxcrypt, argon2 by libsodium, SCRAM keys by scram_keys. A
 * table maps the beginning of a stored form to who checks it.
 */
#include "sys/password.h"

#include <crypt.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/base64.h"
#include "sys/scram_keys.h"

typedef enum password_result check_fn(const struct buf *password,
    const struct buf *stored);

static check_fn check_argon2, check_crypt, check_scram;

static const struct {
	const char *prefix;
	check_fn *check;
} checks[] = {
	{ "$argon2", check_argon2 },
	{ "$", check_crypt },
	{ "SCRAM-SHA-256$", check_scram },
	{ "{SCRAM-SHA-256}", check_scram },
};

/* Dovecot's names of forms that say themselves what they are. */
static const char *const schemes[] = {
	"{CRYPT}", "{BLF-CRYPT}", "{SHA512-CRYPT}", "{SHA256-CRYPT}",
	"{MD5-CRYPT}", "{ARGON2I}", "{ARGON2ID}",
};

int
password_init(void)
{
	if (sodium_init() < 0)
		return -1;
	return scram_keys_init();
}

/* For libraries that want a NUL behind it. -1: no memory, or beyond max. */
static int
copy(struct slice s, size_t max, struct buf *to)
{
	buf_init(to, max);
	buf_add_slice(to, s);
	return buf_is_ok(to) ? 0 : -1;
}

static enum password_result
check_crypt(const struct buf *password, const struct buf *stored)
{
	struct crypt_data *data;
	enum password_result result = PASSWORD_WRONG;
	const char *got;
	int salt = crypt_checksalt(stored->p);

	if (salt == CRYPT_SALT_INVALID || salt == CRYPT_SALT_METHOD_DISABLED)
		return PASSWORD_BAD_FORM;
	data = calloc(1, sizeof *data);
	if (data == NULL)
		return PASSWORD_NO_MEMORY;
	errno = 0;
	got = crypt_r(password->p, stored->p, data);
	if (got == NULL || got[0] == '*')
		result = errno == ENOMEM ? PASSWORD_NO_MEMORY
					 : PASSWORD_BAD_FORM;
	else if (strlen(got) == stored->n &&
	    CRYPTO_memcmp(got, stored->p, stored->n) == 0)
		result = PASSWORD_RIGHT;
	explicit_bzero(data, sizeof *data);
	free(data);
	return result;
}

static enum password_result
check_argon2(const struct buf *password, const struct buf *stored)
{
	if (stored->n >= crypto_pwhash_STRBYTES)
		return PASSWORD_BAD_FORM;
	errno = 0;
	if (crypto_pwhash_str_verify(stored->p, password->p,
		password->n) == 0)
		return PASSWORD_RIGHT;
	if (errno == ENOMEM)
		return PASSWORD_NO_MEMORY;
	/* It does not tell a malformed form from a wrong password; this
	 * parses the same text. */
	if (crypto_pwhash_str_needs_rehash(stored->p, 1, 8192) < 0)
		return PASSWORD_BAD_FORM;
	return PASSWORD_WRONG;
}

static enum password_result
check_scram(const struct buf *password, const struct buf *stored)
{
	enum password_result result = PASSWORD_WRONG;
	struct scram_keys keys;

	if (scram_keys_parse(buf_slice(stored), &keys) < 0)
		return PASSWORD_BAD_FORM;
	if (scram_keys_is_password(&keys, buf_slice(password)))
		result = PASSWORD_RIGHT;
	scram_keys_wipe(&keys);
	return result;
}

static struct slice
without_scheme(struct slice stored)
{
	struct slice scheme;
	size_t i;

	for (i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		scheme = slice_str(schemes[i]);
		if (slice_has_iprefix(stored, scheme))
			return slice_from(stored, scheme.n);
	}
	return stored;
}

static check_fn *
find_check(struct slice stored)
{
	size_t i;

	if (slice_has(stored, '\0') || stored.n > PASSWORD_STORED_MAX)
		return NULL;
	for (i = 0; i < sizeof checks / sizeof *checks; i++)
		if (slice_has_prefix(stored, slice_str(checks[i].prefix)))
			return checks[i].check;
	return NULL;
}

static bool
is_locked(struct slice stored)
{
	return stored.n > 0 && (stored.p[0] == '!' || stored.p[0] == '*');
}

/* crypt_checksalt looks at no more than the setting: behind it there must be
 * a hash. */
static bool
has_hash(struct slice stored)
{
	unsigned fields = 0;
	size_t i;

	for (i = 0; i < stored.n; i++)
		fields += stored.p[i] == '$';
	return fields >= 3 && stored.p[stored.n - 1] != '$';
}

bool
password_form_is_usable(struct slice stored)
{
	struct scram_keys keys;
	check_fn *check;
	bool is_usable;
	struct buf s;
	int salt;

	stored = without_scheme(stored);
	if (is_locked(stored))
		return stored.n <= PASSWORD_STORED_MAX;
	check = find_check(stored);
	if (check == NULL || copy(stored, PASSWORD_STORED_MAX, &s) < 0)
		return false;
	if (check == check_scram) {
		is_usable = scram_keys_parse(stored, &keys) == 0;
		scram_keys_wipe(&keys);
	} else if (check == check_argon2) {
		is_usable = s.n < crypto_pwhash_STRBYTES &&
		    crypto_pwhash_str_needs_rehash(s.p, 1, 8192) >= 0;
	} else {
		salt = crypt_checksalt(s.p);
		is_usable = has_hash(stored) && (salt == CRYPT_SALT_OK ||
		    salt == CRYPT_SALT_METHOD_LEGACY);
	}
	buf_fini_secret(&s);
	return is_usable;
}

enum password_result
password_check(struct slice password, struct slice stored)
{
	enum password_result result = PASSWORD_WRONG;
	struct buf p, s;
	check_fn *check;

	stored = without_scheme(stored);
	if (is_locked(stored))
		return PASSWORD_WRONG;
	check = find_check(stored);
	if (check == NULL)
		return PASSWORD_BAD_FORM;
	if (password.n > PASSWORD_MAX || slice_has(password, '\0'))
		return PASSWORD_WRONG;
	if (copy(password, PASSWORD_MAX, &p) < 0)
		return PASSWORD_NO_MEMORY;
	if (copy(stored, PASSWORD_STORED_MAX, &s) < 0)
		result = PASSWORD_NO_MEMORY;
	else
		result = check(&p, &s);
	buf_fini_secret(&s);
	buf_fini_secret(&p);
	return result;
}

/* The value or its default; 0 when it is out of bounds. */
static unsigned
bounded(unsigned value, unsigned otherwise, unsigned min, unsigned max)
{
	if (value == 0)
		return otherwise;
	return value >= min && value <= max ? value : 0;
}

/* What yescrypt wants to know: "$y$j9T$SALT". */
static int
yescrypt_setting(const struct password_policy *policy,
    char out[CRYPT_GENSALT_OUTPUT_SIZE])
{
	unsigned cost = bounded(policy->yescrypt_cost, 5, 1, 11);
	char random[32];

	/* Our own random bytes: libxcrypt would open /dev/urandom where
	 * there is no getrandom, and a jail has none. */
	if (cost == 0 || getentropy(random, sizeof random) < 0 ||
	    crypt_gensalt_rn("$y$", cost, random, sizeof random, out,
		CRYPT_GENSALT_OUTPUT_SIZE) == NULL) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static int
make_yescrypt(const struct buf *password,
    const struct password_policy *policy, struct buf *out)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data;
	const char *got;
	int rc = -1;

	if (yescrypt_setting(policy, setting) < 0)
		return -1;
	data = calloc(1, sizeof *data);
	if (data == NULL)
		return -1;
	got = crypt_r(password->p, setting, data);
	if (got != NULL && got[0] != '*') {
		buf_add_str(out, got);
		rc = 0;
	}
	explicit_bzero(data, sizeof *data);
	free(data);
	return rc;
}

static int
argon2_costs(const struct password_policy *policy,
    unsigned long long *passes_r, size_t *memory_r)
{
	unsigned passes = bounded(policy->argon2_passes, 2, 1, 20);
	unsigned mib = bounded(policy->argon2_mib, 64, 8, 1024);

	errno = EINVAL;
	*passes_r = passes;
	*memory_r = (size_t)mib << 20;
	return passes == 0 || mib == 0 ? -1 : 0;
}

static int
make_argon2id(const struct buf *password,
    const struct password_policy *policy, struct buf *out)
{
	char form[crypto_pwhash_STRBYTES];
	unsigned long long passes;
	size_t memory;

	if (argon2_costs(policy, &passes, &memory) < 0)
		return -1;
	if (crypto_pwhash_str_alg(form, password->p, password->n, passes,
		memory, crypto_pwhash_ALG_ARGON2ID13) < 0) {
		errno = ENOMEM;
		return -1;
	}
	buf_add_str(out, form);
	return 0;
}

static unsigned
scram_iterations(const struct password_policy *policy)
{
	return bounded(policy->scram_iterations, SCRAM_ITERATIONS,
	    SCRAM_ITERATIONS_MIN, SCRAM_ITERATIONS_MAX);
}

static int
make_scram(const struct buf *password, const struct password_policy *policy,
    struct buf *out)
{
	unsigned iterations = scram_iterations(policy);
	struct scram_keys keys;

	errno = EINVAL;
	if (iterations == 0)
		return -1;
	errno = ENOMEM;
	if (scram_keys_make(buf_slice(password), iterations, &keys) < 0)
		return -1;
	scram_keys_format(out, &keys);
	scram_keys_wipe(&keys);
	return 0;
}

int
password_make(struct slice password, const struct password_policy *policy,
    struct buf *out)
{
	struct buf p;
	int rc = -1;

	errno = EINVAL;
	if (password.n == 0 || password.n > PASSWORD_MAX ||
	    slice_has(password, '\0'))
		return -1;
	errno = ENOMEM;
	if (copy(password, PASSWORD_MAX, &p) < 0)
		return -1;
	switch (policy->scheme) {
	case PASSWORD_YESCRYPT:
		rc = make_yescrypt(&p, policy, out);
		break;
	case PASSWORD_ARGON2ID:
		rc = make_argon2id(&p, policy, out);
		break;
	case PASSWORD_SCRAM:
		rc = make_scram(&p, policy, out);
		break;
	}
	buf_fini_secret(&p);
	if (rc == 0 && !buf_is_ok(out)) {
		errno = out->err;
		rc = -1;
	}
	return rc;
}

int
password_make_dummy(const struct password_policy *policy, struct buf *out)
{
	unsigned char random[32];
	struct buf text;
	int rc = -1;

	if (getentropy(random, sizeof random) < 0)
		return -1;
	buf_init(&text, 2 * sizeof random);
	hex_encode(&text, (struct slice){ (char *)random, sizeof random });
	if (buf_is_ok(&text))
		rc = password_make(buf_slice(&text), policy, out);
	explicit_bzero(random, sizeof random);
	buf_fini_secret(&text);
	return rc;
}

/* "$y$j9T$SALT": what stands before the salt says all costs. */
static bool
is_current_yescrypt(struct slice stored, const struct password_policy *policy)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct slice want;
	ptrdiff_t salt;

	if (yescrypt_setting(policy, setting) < 0)
		return false;
	want = slice_from(slice_str(setting), sizeof "$y$" - 1);
	salt = slice_chr(want, '$');
	if (salt < 0)
		return false;
	want = slice_head(slice_str(setting), sizeof "$y$" + (size_t)salt);
	return slice_has_prefix(stored, want);
}

static bool
is_current_argon2id(struct slice stored, const struct password_policy *policy)
{
	unsigned long long passes;
	struct buf form;
	size_t memory;
	bool current;

	if (argon2_costs(policy, &passes, &memory) < 0 ||
	    !slice_has_prefix(stored, SLICE("$argon2id$")) ||
	    copy(stored, crypto_pwhash_STRBYTES - 1, &form) < 0)
		return false;
	current =
	    crypto_pwhash_str_needs_rehash(form.p, passes, memory) == 0;
	buf_fini_secret(&form);
	return current;
}

static bool
is_current_scram(struct slice stored, const struct password_policy *policy)
{
	struct scram_keys keys;
	bool current;

	if (scram_keys_parse(stored, &keys) < 0)
		return false;
	current = keys.iterations == scram_iterations(policy);
	scram_keys_wipe(&keys);
	return current;
}

bool
password_is_current(struct slice stored, const struct password_policy *policy)
{
	stored = without_scheme(stored);
	switch (policy->scheme) {
	case PASSWORD_YESCRYPT:
		return is_current_yescrypt(stored, policy);
	case PASSWORD_ARGON2ID:
		return is_current_argon2id(stored, policy);
	case PASSWORD_SCRAM:
		return is_current_scram(stored, policy);
	}
	return false;
}
