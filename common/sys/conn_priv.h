/* SPDX-License-Identifier: ISC */
/*
 * The inside of a connection, shared by conn.c (the socket and its owner) and
 * conn_tls.c (the layer between them). conn.c knows the layer only through its
 * table, so that a program without TLS does not link OpenSSL.
 */
#ifndef SYS_CONN_PRIV_H
#define SYS_CONN_PRIV_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/conn.h"
#include "sys/fifo.h"
#include "sys/loop.h"

enum conn_phase {
	CONN_CONNECTING, /* connect() is under way: only writability counts */
	CONN_SHAKING,    /* the layer's handshake: no bytes of the owner yet */
	CONN_OPEN,       /* bytes flow both ways */
	CONN_FINISHING,  /* given away: what is queued is still being sent */
	CONN_LINGERING,  /* given away, all sent: waits for the peer's FIN */
	CONN_DEAD        /* the socket or TLS failed: nothing flows any more */
};

enum conn_shake {
	CONN_SHAKE_DONE,
	CONN_SHAKE_AGAIN, /* needs bytes from the peer */
	CONN_SHAKE_HELD,  /* waits for something else: do not read */
	CONN_SHAKE_FAILED /* conn_fail() was called */
};

/* All calls are made by conn.c; each may call conn_fail(). */
struct conn_layer {
	enum conn_shake (*shake)(struct conn *c);
	/* Plain bytes of the peer: as recv(), with errno EAGAIN. 0: closed.
	 * -1 without conn_fail() only for EAGAIN. */
	ssize_t (*read)(struct conn *c, char *p, size_t n);
	/* Are there bytes that need no recv()? */
	bool (*has_pending)(const struct conn *c);
	/* Moves bytes from `out` to `wire`. */
	void (*seal)(struct conn *c);
	/* Puts the layer's goodbye into `wire`. */
	void (*close)(struct conn *c);
	/* Frees the layer; c->wire still exists. */
	void (*free)(struct conn *c);
};

struct conn {
	struct loop_io io;
	struct loop_timer deadline;
	struct loop_later later;
	const struct conn_events *events; /* NULL: given away */
	void *arg;
	struct conn_limits limits;
	const struct conn_layer *layer; /* NULL: plain */
	struct conn_tls *tls;           /* the layer's own state */
	struct fifo in;   /* offered to the owner */
	struct fifo out;  /* from the owner */
	struct fifo wire; /* for the socket, under a layer */
	const char *why;  /* words of the end; static */
	/* given away: */
	uint32_t grace_ms;
	int64_t finish_by;
	uint64_t moved, moved_before; /* bytes the peer has; at the deadline */
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} peer;
	uint8_t peer_len;
	uint8_t entered; /* callbacks of ours on the stack */
	enum conn_phase phase;
	enum conn_end end;
	int error;
	bool paused;
	bool fresh;     /* input that was not offered since it came */
	bool dry;       /* recv() has nothing until the next readiness */
	bool eof;       /* the peer closed its side */
	bool input_off; /* the owner was told that no more input comes */
	bool ended_due; /* `ended` is to be called */
	bool was_full;
	bool secure;    /* the layer's handshake is done */
	bool held;      /* CONN_SHAKE_HELD: no reading */
	bool established; /* conn_connect succeeded: `drained` is due */
	bool flushed;   /* this turn has written already */
	bool closed;    /* the layer's goodbye was queued */
	bool gone;      /* freed by its owner inside a callback */
	char peer_text[INET6_ADDRSTRLEN];
};

/* As conn_new(), without looking at the socket. */
struct conn *conn_make(struct loop *l, int fd,
    const struct conn_limits *limits, const struct conn_events *events,
    void *arg);
/* The connection is over in both directions; `ended` follows from the loop.
 * `why` NULL means strerror(error). */
void conn_fail(struct conn *c, enum conn_end end, int error, const char *why);
/* recv() into p, remembering dryness and the end; as conn_layer.read. */
ssize_t conn_recv(struct conn *c, char *p, size_t n);
/* Has conn.c look at it again at the end of this turn. */
void conn_ask(struct conn *c);
/* The handshake may go on. */
void conn_unhold(struct conn *c);
/* Puts the layer in: output queued so far goes out as it is, input not taken
 * is dropped (it came before the handshake and must not count as secure). */
void conn_set_layer(struct conn *c, const struct conn_layer *layer,
    struct conn_tls *tls);

#endif
