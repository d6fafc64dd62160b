/* SPDX-License-Identifier: ISC */
/* A map from account number to digest and time; bounded. */
#include "auth/recent.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/map.h"

enum { DIGEST = 32, RECENT_MAX = 100000, INPUT_MAX = 8 + 1024 };

struct recent {
	unsigned char digest[DIGEST];
	int64_t until;
};

static struct {
	unsigned char key[DIGEST];
	struct map map;
} self;

int
recent_init(void)
{
	map_init(&self.map);
	return getrandom(self.key, sizeof self.key, 0) == sizeof self.key
	    ? 0 : -1;
}

static void
forget_all(void)
{
	struct recent *e;
	size_t pos = 0;

	while ((e = map_next(&self.map, &pos, NULL)) != NULL) {
		explicit_bzero(e, sizeof *e);
		free(e);
	}
	map_fini(&self.map);
}

void
recent_fini(void)
{
	forget_all();
	explicit_bzero(self.key, sizeof self.key);
}

static int
digest(uint64_t account, struct slice password, unsigned char out[DIGEST])
{
	unsigned char in[INPUT_MAX];
	unsigned n = 0;
	int result;

	if (password.n > sizeof in - sizeof account)
		return -1;
	memcpy(in, &account, sizeof account);
	if (password.n > 0)
		memcpy(in + sizeof account, password.p, password.n);
	result = HMAC(EVP_sha256(), self.key, sizeof self.key, in,
	    sizeof account + password.n, out, &n) != NULL && n == DIGEST
	    ? 0 : -1;
	explicit_bzero(in, sizeof in);
	return result;
}

void
recent_add(uint64_t account, struct slice password, int64_t until_ms)
{
	struct recent *e = map_get(&self.map, map_u64(&account));

	if (e == NULL) {
		if (self.map.n >= RECENT_MAX)
			forget_all();
		e = calloc(1, sizeof *e);
		if (e == NULL ||
		    map_put(&self.map, map_u64(&account), e, NULL) < 0) {
			free(e); /* then the next login is slow */
			return;
		}
	}
	e->until = until_ms;
	if (digest(account, password, e->digest) < 0)
		recent_forget(account);
}

bool
recent_has(uint64_t account, struct slice password, int64_t now_ms)
{
	const struct recent *e = map_get(&self.map, map_u64(&account));
	unsigned char d[DIGEST];

	return e != NULL && now_ms < e->until &&
	    digest(account, password, d) == 0 &&
	    CRYPTO_memcmp(d, e->digest, DIGEST) == 0;
}

void
recent_forget(uint64_t account)
{
	struct recent *e = map_remove(&self.map, map_u64(&account));

	if (e != NULL)
		explicit_bzero(e, sizeof *e);
	free(e);
}

void
recent_expire(int64_t now_ms)
{
	struct recent *e;
	struct slice key;
	size_t pos = 0;

	while ((e = map_next(&self.map, &pos, &key)) != NULL) {
		if (now_ms < e->until)
			continue;
		(void)map_remove(&self.map, key);
		map_back(&pos);
		free(e);
	}
}

size_t
recent_count(void)
{
	return self.map.n;
}
