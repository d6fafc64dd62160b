/* SPDX-License-Identifier: ISC */
/*
 * The keys under which session tickets are sealed (RFC 5077, RFC 8446 4.6.1),
 * shared by all front processes: one page in a memfd that master alone writes.
 * A key is current for one period and opens tickets for the following ones;
 * then it is gone, and with it the way into recorded sessions. No OpenSSL here.
 *
 * Master: tls_tickets_create() at start, tls_tickets_rotate() every
 * TLS_TICKETS_PERIOD_S, and the descriptor of tls_tickets_reader() for each
 * front, which maps it with tls_server_tickets().
 */
#ifndef SYS_TLS_TICKETS_H
#define SYS_TLS_TICKETS_H

#include <stdint.h>

enum {
	TLS_TICKETS_PERIOD_S = 3600,
	TLS_TICKETS_KEYS = 4, /* the current one and three before it */
	/* What a client is told: a ticket of the last second of a period is
	 * still opened that much later. */
	TLS_TICKETS_LIFE_S = TLS_TICKETS_PERIOD_S * (TLS_TICKETS_KEYS - 2)
};

struct tls_ticket_key {
	unsigned char name[16];
	unsigned char aes[32];
	unsigned char mac[32];
};

enum tls_ticket_age {
	TLS_TICKET_CURRENT,
	TLS_TICKET_OLDER,  /* good, but to be renewed */
	TLS_TICKET_UNKNOWN /* forgotten, or never ours */
};

struct tls_tickets;

/* A sealed-size memfd with a first key, or -1 with errno. Close-on-exec. */
int tls_tickets_create(void);
/* A fresh key becomes current, the oldest is forgotten. 0, or -1 (errno). */
int tls_tickets_rotate(int fd) __attribute__((warn_unused_result));
/* The same page through a descriptor that cannot write, for a front; -1 with
 * errno. Needs /proc. */
int tls_tickets_reader(int fd);

/* Maps the page for reading; the descriptor may be closed. NULL (errno) when
 * it is not such a page. */
struct tls_tickets *tls_tickets_map(int fd);
void tls_tickets_unmap(struct tls_tickets **t);
/* The key to seal with; -1 when there is none now. The caller wipes it. */
int tls_tickets_current(const struct tls_tickets *t,
    struct tls_ticket_key *key_r) __attribute__((warn_unused_result));
/* The key of that name, unless UNKNOWN. The caller wipes it. */
enum tls_ticket_age tls_tickets_find(const struct tls_tickets *t,
    const unsigned char name[16], struct tls_ticket_key *key_r);

#endif
