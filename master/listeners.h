/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets, bound by master and handed to the roles: all processes of
 * a role share one socket per address. Sockets that systemd passes are used
 * for the addresses they have.
 */
#ifndef MASTER_LISTENERS_H
#define MASTER_LISTENERS_H

#include "base/buf.h"
#include "master/config.h"
#include "sys/role.h"

struct listener {
	enum role_id role;
	const char *service;
	char address[128];
	int fd;
};

/* Binds all that the configuration names for these roles (a set RS_*). 0; -1
 * with a sentence. */
int listeners_open(const struct config *c, unsigned roles, struct buf *why)
    __attribute__((warn_unused_result));
void listeners_close(void);
const struct listener *listeners_get(size_t *n_r);

#endif
