/* SPDX-License-Identifier: ISC */
/*
 * One SASL exchange as a client sees it, for a relay that must log in to its
 * smarthost: PLAIN, LOGIN, SCRAM-SHA-256(-PLUS). It computes nothing itself.
 *
 *	_start() gives the initial response; each challenge goes to _feed()
 *	SASL_SEND   send `out`
 *	SASL_PROVE  compute proof and server signature from the password,
 *	            c->salt, c->iterations over c->auth_message, then _proved()
 *	SASL_FAIL   give up (send "*" if the server waits); c->error (SCRAM)
 *
 * When the server reports success, sasl_client_is_done() must hold as well,
 * else it has not proved that it knows the password (RFC 5802 5).
 */
#ifndef PROTO_SASL_CLIENT_H
#define PROTO_SASL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/sasl.h"
#include "proto/scram.h"

enum sasl_client_step { SASL_SEND, SASL_PROVE, SASL_FAIL };

/* All borrowed until sasl_client_fini; name and password prepared. */
struct sasl_login {
	struct slice authzid; /* empty: none */
	struct slice name, password;
	struct slice nonce;	     /* SCRAM: fresh, random, printable */
	struct sasl_channel channel; /* empty without TLS */
};

struct sasl_client {
	/* Valid at SASL_PROVE. */
	struct buf salt, auth_message;
	uint32_t iterations;
	enum scram_error error;
	/* Private. */
	enum sasl_mech mech;
	int state;
	bool hidden_plus;
	struct sasl_login login;
	struct buf binding, final, signature;
};

/*
 * The best mechanism of the `offered` (sasl_mech_set): bound to the channel,
 * then SCRAM, then, only if the line is encrypted, PLAIN, LOGIN. -1: none.
 */
int sasl_client_choose(unsigned offered, bool encrypted,
    const struct sasl_channel *channel, enum sasl_mech *mech_r)
    __attribute__((warn_unused_result));

/* `offered` again: it decides what SCRAM says of channel binding. */
void sasl_client_init(struct sasl_client *c, enum sasl_mech mech,
    unsigned offered, const struct sasl_login *login);
/* Wipes. */
void sasl_client_fini(struct sasl_client *c);
/*
 * The initial response. LOGIN has none (out stays empty and *has_r false):
 * then the mechanism is named without one.
 */
enum sasl_client_step sasl_client_start(struct sasl_client *c,
    struct buf *out, bool *has_r) __attribute__((warn_unused_result));
/* A challenge, decoded from its line. */
enum sasl_client_step sasl_client_feed(struct sasl_client *c,
    struct slice challenge, struct buf *out)
    __attribute__((warn_unused_result));
/* The answer to SASL_PROVE, both SCRAM_HASH octets. */
enum sasl_client_step sasl_client_proved(struct sasl_client *c,
    struct slice proof, struct slice signature, struct buf *out)
    __attribute__((warn_unused_result));
/* Has all been said, and has the server proved itself where it must? */
bool sasl_client_is_done(const struct sasl_client *c);

#endif
