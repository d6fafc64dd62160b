/* SPDX-License-Identifier: ISC */
/*
 * Private keys that are elsewhere: an OpenSSL provider of our own whose keys
 * are a number and the public half, and whose signatures are questions to the
 * role `keys` (SIGN_ASK). While the answer is out the handshake stands still
 * in a fibre of its own (SSL_MODE_ASYNC) and the loop goes on.
 */
#ifndef SYS_TLS_KEYS_H
#define SYS_TLS_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evp_pkey_st;
struct ipc_call;
struct ipc_link;
struct x509_st;

/* The field `padding` of SIGN_ASK; NONE for all but RSA. */
enum key_padding { KEY_PADDING_NONE, KEY_PADDING_PKCS1, KEY_PADDING_PSS };

/* The field `salt` of SIGN_ASK with PSS: as long as the digest. TLS knows no
 * other (RFC 8446 4.2.3). */
enum { KEY_SALT_DIGEST = -1 };

enum {
	TLS_SIGNATURE_MAX = 1024, /* of an RSA key of 8192 bits */
	TLS_SIGN_TIMEOUT_MS = 10000
};

/* Registers the provider in OpenSSL's default library context, where the
 * default provider is loaded already. 0, or -1. */
int tls_keys_init(void) __attribute__((warn_unused_result));

/*
 * The private key number `number` of `keys`, belonging to that certificate.
 * The caller frees it. NULL when the kind of key is none that TLS takes here:
 * RSA, EC and Ed25519 it is.
 */
struct evp_pkey_st *tls_keys_new(uint32_t number, struct x509_st *cert);

enum tls_sign_state { SIGN_IDLE, SIGN_WAITING, SIGN_DONE, SIGN_FAILED };

/* The one signature of a handshake. */
struct tls_sign {
	struct ipc_link *(*link)(void); /* whom to ask; NULL: nobody now */
	void (*wake)(void *arg);        /* the answer is there */
	void *arg;
	struct ipc_call *call;
	enum tls_sign_state state;
	size_t n;
	unsigned char signature[TLS_SIGNATURE_MAX];
};

/* Signatures asked for from now on are that handshake's; NULL: nobody's, they
 * fail. To be set around each SSL_do_handshake(). */
void tls_sign_enter(struct tls_sign *s);
/* Gives up waiting: the handshake, driven once more, fails; the answer, when
 * it comes, finds nobody. Must come before SSL_free() of one that waits, whose
 * fibre would otherwise be lost. */
void tls_sign_abort(struct tls_sign *s);

#endif
