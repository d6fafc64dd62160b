/* SPDX-License-Identifier: ISC */
/*
 * Socket addresses as people write them, and networks of them. Numbers only:
 * nothing here resolves a name. An IPv4 address inside an IPv6 one
 * (::ffff:192.0.2.1, what a socket for both families shows) counts as IPv4
 * everywhere. RFC 4291 2.2, RFC 5952 (the text), RFC 4632 (networks).
 */
#ifndef SYS_SOCKADDR_H
#define SYS_SOCKADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/slice.h"

enum {
	SOCKADDR_TEXT_MAX = 128, /* any text made here, with its NUL */
	SOCKADDR_KEY_MAX = 48    /* a client key with its NUL */
};

/*
 * "192.0.2.1:25", "[2001:db8::1]:25", without port ("192.0.2.1", "::1",
 * "[::1]": then `port`), "*" for every address of both families, or
 * "unix:/path" and "/path". 0, or -1 when it is none of these.
 */
int sockaddr_parse(struct slice text, uint16_t port,
    struct sockaddr_storage *out_r, socklen_t *len_r)
    __attribute__((warn_unused_result));
/* The address alone ("192.0.2.1", "2001:db8::1", "unix"); "unknown" when it
 * is of another family. Returns `text`. */
const char *sockaddr_format(const struct sockaddr *sa, socklen_t len,
    char text[SOCKADDR_TEXT_MAX]);
/* With its port, and for a UNIX socket with its path: what sockaddr_parse
 * reads. Returns `text`. */
const char *sockaddr_format_port(const struct sockaddr *sa, socklen_t len,
    char text[SOCKADDR_TEXT_MAX]);
/* 0 when it has none. */
uint16_t sockaddr_port(const struct sockaddr *sa, socklen_t len);
void sockaddr_set_port(struct sockaddr_storage *sa, uint16_t port);
/* Turns an IPv4 address inside an IPv6 one into a plain IPv4 address. */
void sockaddr_unmap(struct sockaddr_storage *sa, socklen_t *len);
bool sockaddr_is_loopback(const struct sockaddr *sa, socklen_t len);

/*
 * Under what a client is counted: "192.0.2.1", and for IPv6 the /64 that one
 * customer has, "2001:db8:0:1::/64". Returns `key`.
 */
const char *sockaddr_client_key(const struct sockaddr *sa, socklen_t len,
    char key[SOCKADDR_KEY_MAX]);

/* A network. `bits` counts in the family's own length. */
struct cidr {
	sa_family_t family;
	uint8_t bits;
	uint8_t addr[16];
};

/* "192.0.2.0/24", "2001:db8::/32", "192.0.2.1", "[::1]". 0, or -1; also when
 * bits are set behind the prefix: somebody meant another network. */
int cidr_parse(struct slice text, struct cidr *out_r)
    __attribute__((warn_unused_result));
bool cidr_has(const struct cidr *net, const struct sockaddr *sa,
    socklen_t len);

#endif
