/* SPDX-License-Identifier: ISC */
/*
 * One SASL exchange as a server sees it: messages in, challenges out, and at
 * the right moments a question to whoever knows passwords. It computes
 * nothing itself. What it keeps is bounded and wiped at its end.
 *
 *	step = sasl_server_start() or, with an initial response, _feed()
 *	SASL_CHALLENGE  send `out`, then _feed() the client's answer
 *	SASL_PASSWORD   check s->password of s->name; the exchange is over
 *	SASL_KEYS       find the SCRAM keys of s->name, then _keys()
 *	SASL_PROOF      check s->proof over s->auth_message, then _proved()
 *	SASL_DONE       s->name has proved itself (SCRAM)
 *	SASL_REFUSED    malformed or dishonest; s->error says more (SCRAM)
 */
#ifndef PROTO_SASL_SERVER_H
#define PROTO_SASL_SERVER_H

#include <stdint.h>

#include "base/buf.h"
#include "proto/sasl.h"
#include "proto/scram.h"

enum sasl_step {
	SASL_CHALLENGE,
	SASL_PASSWORD,
	SASL_KEYS,
	SASL_PROOF,
	SASL_DONE,
	SASL_REFUSED
};

struct sasl_server {
	/* Valid as the steps say; names as sent: saslprep() is the caller's. */
	struct buf name, authzid, password;
	struct buf proof, auth_message;
	enum scram_error error;
	/* Private. */
	enum sasl_mech mech;
	int state;
	struct sasl_channel channel;
	struct buf nonce, binding, message;
};

/*
 * `channel` stays borrowed until _fini; all empty where bindings are not
 * offered. `nonce` (SCRAM; copied) is the server's half: fresh random bytes in
 * base 64 or the like, at most LIMIT_SCRAM_NONCE / 2.
 */
void sasl_server_init(struct sasl_server *s, enum sasl_mech mech,
    const struct sasl_channel *channel, struct slice nonce);
/* Wipes. */
void sasl_server_fini(struct sasl_server *s);

/* The client sent no initial response: the first challenge. */
enum sasl_step sasl_server_start(struct sasl_server *s, struct buf *out)
    __attribute__((warn_unused_result));
/* A message of the client, decoded from its line. `out` gets a challenge. */
enum sasl_step sasl_server_feed(struct sasl_server *s, struct slice message,
    struct buf *out) __attribute__((warn_unused_result));
/* The answer to SASL_KEYS. For an unknown user give made-up ones. */
enum sasl_step sasl_server_keys(struct sasl_server *s, struct slice salt,
    uint32_t iterations, struct buf *out) __attribute__((warn_unused_result));
/*
 * The answer to SASL_PROOF when the proof was right (else: just end). The
 * client is shown the signature, answers with an empty message, and is in.
 */
enum sasl_step sasl_server_proved(struct sasl_server *s,
    struct slice signature, struct buf *out)
    __attribute__((warn_unused_result));

#endif
