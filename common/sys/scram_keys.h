/* SPDX-License-Identifier: ISC */
/*
 * What SCRAM-SHA-256 computes (RFC 5802 3, RFC 7677) and how a server keeps
 * it: SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY (the form of RFC 5803,
 * also PostgreSQL's). Safe in any thread once password_init() or
 * scram_keys_init() has run.
 */
#ifndef SYS_SCRAM_KEYS_H
#define SYS_SCRAM_KEYS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	SCRAM_KEY = 32,	     /* octets of a key, proof, signature */
	SCRAM_SALT = 16,     /* of the salts we make */
	SCRAM_SALT_MAX = 64, /* of the salts we read */
	/*
	 * The client does this work at each login (a server only when it sees
	 * a password), so it is as much as clients accept: Cyrus SASL refuses
	 * above 65,536, others above 100,000. It costs about what yescrypt
	 * costs here, 25 ms; the 4,096 of RFC 7677 is of 2015, and OWASP's
	 * 600,000 would lock clients out.
	 */
	SCRAM_ITERATIONS = 65536,
	SCRAM_ITERATIONS_MIN = 4096,  /* of keys we make (RFC 7677 3) */
	SCRAM_ITERATIONS_MAX = 1000000 /* of keys we read */
};

/* Holds secrets: wipe with scram_keys_wipe(). */
struct scram_keys {
	uint32_t iterations;
	size_t salt_n;
	unsigned char salt[SCRAM_SALT_MAX];
	unsigned char stored_key[SCRAM_KEY], server_key[SCRAM_KEY];
};

/* Before the jail: lets OpenSSL read its configuration. */
int scram_keys_init(void) __attribute__((warn_unused_result));

/* From the stored form (also Dovecot's, {SCRAM-SHA-256}I,SALT,STORED,SERVER).
 * -1: malformed, or iterations or salt out of bounds. */
int scram_keys_parse(struct slice stored, struct scram_keys *keys_r)
    __attribute__((warn_unused_result));
void scram_keys_format(struct buf *out, const struct scram_keys *keys);
void scram_keys_wipe(struct scram_keys *keys);

/* From a prepared password, with a new salt. Slow. -1: no random, no memory. */
int scram_keys_make(struct slice password, uint32_t iterations,
    struct scram_keys *keys_r) __attribute__((warn_unused_result));
/*
 * Keys for a user who does not exist, always the same for the same `secret`
 * (random, of this server) and name, so that a stranger sees a salt like any
 * other. No proof fits them. Fast.
 */
int scram_keys_fake(struct slice secret, struct slice name,
    uint32_t iterations, struct scram_keys *keys_r)
    __attribute__((warn_unused_result));
/* Is this the password the keys were made of? Slow. Constant-time compare. */
bool scram_keys_is_password(const struct scram_keys *keys,
    struct slice password);

/*
 * The server: is the proof (SCRAM_KEY octets) right for this AuthMessage? Then
 * *signature_r is the server's. Fast. 0, or -1.
 */
int scram_keys_check(const struct scram_keys *keys, struct slice auth_message,
    struct slice proof, unsigned char signature_r[SCRAM_KEY])
    __attribute__((warn_unused_result));

/* What a client was given and must answer to. */
struct scram_challenge {
	struct slice salt;
	uint32_t iterations;
	struct slice auth_message;
};

/* The client: its proof, and the signature it must see. Slow. */
int scram_client_prove(struct slice password,
    const struct scram_challenge *challenge,
    unsigned char proof_r[SCRAM_KEY], unsigned char signature_r[SCRAM_KEY])
    __attribute__((warn_unused_result));

#endif
