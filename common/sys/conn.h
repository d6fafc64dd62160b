/* SPDX-License-Identifier: ISC */
/*
 * A stream connection with bounded buffers, optionally under TLS. Input is
 * gathered in one buffer and offered to the owner, who takes what it can use;
 * output is gathered and written once per loop turn. All calls are
 * non-blocking and never call back into the owner; callbacks come from the
 * loop. The owner may call conn_free() inside any callback.
 */
#ifndef SYS_CONN_H
#define SYS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/slice.h"

struct conn;
struct loop;
struct tls_server;
struct tls_client;

enum conn_end {
	CONN_EOF,     /* the peer closed its side */
	CONN_ERROR,   /* the socket failed; errno is kept in conn_error() */
	CONN_TIMEOUT, /* the deadline passed */
	CONN_TLS      /* TLS failed; conn_error_text() says how */
};

struct conn_events {
	/* New input, or conn_resume() with input left. Take with conn_took;
	 * bytes not taken are offered again together with the next ones. */
	void (*input)(void *arg);
	/* The output fell to the low mark after having been over the high
	 * mark. May be NULL. */
	void (*drained)(void *arg);
	/* The TLS handshake is finished. May be NULL without TLS. */
	void (*secured)(void *arg);
	/* No more input will come. The connection still exists until
	 * conn_free(); after CONN_EOF, and after CONN_TIMEOUT outside a
	 * handshake, output may still be sent, and if that fails `ended`
	 * comes again with CONN_ERROR. Input is offered before its end, which
	 * waits for the end of a pause; a failure does not wait. */
	void (*ended)(void *arg, enum conn_end why);
};

struct conn_limits {
	size_t input_max;   /* most bytes offered at once; more is not read */
	size_t output_high; /* over this conn_is_full() holds */
	size_t output_low;
};

/*
 * Takes over the connected (or connecting, see conn_connect) socket. NULL when
 * out of memory; the socket is then still the caller's. TCP_NODELAY is set.
 */
struct conn *conn_new(struct loop *l, int fd, const struct conn_limits *limits,
    const struct conn_events *events, void *arg);
/*
 * Starts a TCP connection from `from` (NULL: any) to `to`; the events follow:
 * `drained` once it is established, or `ended`. NULL with errno when it cannot
 * even be begun.
 */
struct conn *conn_connect(struct loop *l, const struct sockaddr *to,
    socklen_t to_len, const struct sockaddr *from, socklen_t from_len,
    const struct conn_limits *limits, const struct conn_events *events,
    void *arg);
/* Closes at once; unsent output is lost. Sets *c to NULL. */
void conn_free(struct conn **c);
/*
 * Gives the connection away: it sends what is left (as long as within each
 * `grace_ms` some of it arrives, and for five minutes at most), shuts down
 * properly (close_notify, FIN, then reads and discards for a moment so
 * that the last reply is not lost to a reset) and frees itself. Sets *c NULL.
 */
void conn_finish(struct conn **c, uint32_t grace_ms);

/* The input not yet taken: valid until the next conn_took or return to the
 * loop. */
struct slice conn_input(const struct conn *c);
void conn_took(struct conn *c, size_t n);
/* No `input` callbacks, and nothing more is read than input_max. */
void conn_pause(struct conn *c);
/* Offers input again, from the loop, if there is any. */
void conn_resume(struct conn *c);
bool conn_is_paused(const struct conn *c);
/* Drops input that has not been taken: for STARTTLS (RFC 3207 4.2). Returns
 * how many bytes there were. */
size_t conn_discard_input(struct conn *c);

/* Queues bytes (copied). Never fails at once: a failure ends the connection. */
void conn_write(struct conn *c, struct slice bytes);
void conn_write_str(struct conn *c, const char *s);
void conn_writef(struct conn *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Over the high mark: write no more than must be until `drained`. */
bool conn_is_full(const struct conn *c);
/* Output bytes not yet given to the kernel. */
size_t conn_unsent(const struct conn *c);

/* `ended` with CONN_TIMEOUT at this time unless moved; 0 for never. */
void conn_set_deadline(struct conn *c, int64_t deadline_ms);

/*
 * Starts TLS after the output queued so far, which goes out as it is; input
 * not taken yet is dropped. Server: certificate by SNI out of
 * `s`. Client: `name` is the host or the address that the peer's certificate
 * must be for, to be a verified one (NULL: it never is); a host goes out as
 * SNI. Failure comes as `ended`.
 */
void conn_start_tls_server(struct conn *c, struct tls_server *s);
void conn_start_tls_client(struct conn *c, struct tls_client *t,
    const char *name);
bool conn_is_tls(const struct conn *c);
/* "TLSv1.3" and "TLS_AES_256_GCM_SHA384", SNI name or ""; "" without TLS. */
const char *conn_tls_version(const struct conn *c);
const char *conn_tls_cipher(const struct conn *c);
const char *conn_tls_sni(const struct conn *c);
/* Was an earlier session taken up again? */
bool conn_tls_is_resumed(const struct conn *c);
/* Did the peer's certificate verify, for the name or address given to
 * conn_start_tls_client, against what tls_client_trust gave? Nothing in here
 * depends on it; whether a smarthost is shown our password does. */
bool conn_tls_is_verified(const struct conn *c);
/* Channel binding tls-exporter (RFC 9266): 32 bytes. 0, or -1 without TLS 1.3
 * (or 1.2 with extended master secret). */
int conn_tls_exporter(const struct conn *c, unsigned char out[32])
    __attribute__((warn_unused_result));

/* The peer's address as text without port, "[…]" free; "unix" for a UNIX
 * socket; valid as long as the connection. */
const char *conn_peer(const struct conn *c);
/* The peer's socket address; length 0 when it has none. */
socklen_t conn_peer_addr(const struct conn *c, struct sockaddr_storage *out);
uint16_t conn_peer_port(const struct conn *c);
/* errno of a CONN_ERROR; the words of any end, for the log. */
int conn_error(const struct conn *c);
const char *conn_error_text(const struct conn *c);

#endif
