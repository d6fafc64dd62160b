/* SPDX-License-Identifier: ISC */
/* The role `relay`, and what its parts ask of it. */
#ifndef MTA_RELAY_H
#define MTA_RELAY_H

#include <sys/socket.h>

#include "conf/conf_relay.h"
#include "proto/ip.h"
#include "sys/daemon.h"

struct secrets;
struct tls_client;

extern const struct role relay_role;

/* Section `relay` as it is now. */
const struct conf_relay *relay_conf(void);
/* The name of this server, and the one that is said in EHLO. */
const char *relay_hostname(void);
const char *relay_helo_name(void);
/* TLS for the client's side; NULL: it is switched off. */
struct tls_client *relay_tls(void);
/* Logins for smarthosts; NULL for none. */
const struct secrets *relay_secrets(void);
/* There should be some, but they could not be read. */
bool relay_secrets_missing(void);
/* 0, or -1 when it is no address. */
int relay_sockaddr(const struct ip *ip, uint16_t port,
    struct sockaddr_storage *to_r, socklen_t *len_r)
    __attribute__((warn_unused_result));
/* The address to connect from to one of that family; NULL for any. */
const struct sockaddr *relay_bind_address(int family, socklen_t *len_r);

#endif
