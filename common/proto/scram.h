/* SPDX-License-Identifier: ISC */
/*
 * The four messages of SCRAM, both sides (RFC 5802 5 and 7, RFC 7677), with
 * channel binding (RFC 5802 6, RFC 9266). Pure text: keys, proofs and
 * signatures are computed elsewhere. Parsed fields are views into the message.
 */
#ifndef PROTO_SCRAM_H
#define PROTO_SCRAM_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/sasl.h"

enum { SCRAM_HASH = 32 }; /* octets of SHA-256: keys, proof, signature */

/* The server-error-values of RFC 5802 7, for the log and for e=. */
enum scram_error {
	SCRAM_OTHER_ERROR,
	SCRAM_INVALID_ENCODING,
	SCRAM_EXTENSIONS_NOT_SUPPORTED,
	SCRAM_INVALID_PROOF,
	SCRAM_BINDINGS_DONT_MATCH,
	SCRAM_SERVER_DOES_SUPPORT_BINDING,
	SCRAM_BINDING_NOT_SUPPORTED,
	SCRAM_UNSUPPORTED_BINDING_TYPE,
	SCRAM_UNKNOWN_USER,
	SCRAM_INVALID_USERNAME_ENCODING,
	SCRAM_NO_RESOURCES
};

struct scram_client_first {
	char flag;	      /* gs2-cbind-flag: 'n', 'y' or 'p' */
	struct slice binding; /* with 'p': the name of the type */
	struct slice authzid; /* empty: none; still quoted */
	struct slice name;    /* still quoted: scram_name_decode() */
	struct slice nonce;
	struct slice gs2;  /* the GS2 header with its last comma */
	struct slice bare; /* client-first-message-bare */
};

struct scram_server_first {
	struct slice nonce;
	struct slice salt; /* base 64 */
	uint32_t iterations;
};

struct scram_client_final {
	struct slice binding; /* base 64 of GS2 header and binding data */
	struct slice nonce;
	struct slice without_proof;
	struct slice proof; /* base 64: scram_hash_decode() */
};

/* -1 with *error_r, for all four. */
int scram_client_first_parse(struct slice in, struct scram_client_first *out_r,
    enum scram_error *error_r) __attribute__((warn_unused_result));
/* `nonce` is the client's own: the server's must begin with it and be longer;
 * iterations within LIMIT_SCRAM_ITERATIONS_MIN.._ITERATIONS. */
int scram_server_first_parse(struct slice in, struct slice nonce,
    struct scram_server_first *out_r, enum scram_error *error_r)
    __attribute__((warn_unused_result));
int scram_client_final_parse(struct slice in,
    struct scram_client_final *out_r, enum scram_error *error_r)
    __attribute__((warn_unused_result));
/* The server's last word: its signature, base 64. -1 also when it says e=. */
int scram_server_final_parse(struct slice in, struct slice *signature_r,
    enum scram_error *error_r) __attribute__((warn_unused_result));
/* A proof or signature from base 64. -1: not SCRAM_HASH octets, or no room. */
int scram_hash_decode(struct slice in, struct buf *out)
    __attribute__((warn_unused_result));

/* n=, a=: undoes "=2C" and "=3D". -1: other uses of "=", not a name. */
int scram_name_decode(struct slice in, struct buf *out)
    __attribute__((warn_unused_result));
void scram_name_encode(struct buf *out, struct slice name);
/* Printable ASCII without a comma, 1 to LIMIT_SCRAM_NONCE octets? */
bool scram_is_nonce(struct slice s);

/* The GS2 header; `binding` is the type's name where flag is 'p'. */
void scram_gs2_format(struct buf *out, char flag, struct slice binding,
    struct slice authzid);
/* client-first-message-bare, to be put behind the GS2 header. */
void scram_client_first_format(struct buf *out, struct slice name,
    struct slice nonce);
void scram_server_first_format(struct buf *out, struct slice nonce,
    struct slice salt, uint32_t iterations);
/* client-final-message-without-proof (`binding`: GS2 header and data), */
void scram_client_final_format(struct buf *out, struct slice binding,
    struct slice nonce);
/* and what is put behind it. */
void scram_proof_format(struct buf *out, struct slice proof);
void scram_server_final_format(struct buf *out, struct slice signature);
/* The text of RFC 5802 7, a static string. */
const char *scram_error_name(enum scram_error error);

/*
 * RFC 5802 6: may a client with this flag and type name bind to the channel,
 * when it chose the mechanism `mech`? 0 with the octets to expect in c= (none
 * without binding), or -1.
 */
int scram_binding_find(const struct scram_client_first *first,
    enum sasl_mech mech, const struct sasl_channel *channel,
    struct slice *data_r, enum scram_error *error_r)
    __attribute__((warn_unused_result));

#endif
