/* SPDX-License-Identifier: ISC */
/*
 * The role `keys`: holds TLS private keys that master hands over, signs for
 * the fronts, gives none away, asks nobody. Several processes of it hold the
 * same keys; each signs in one thread (an RSA signature takes about a
 * millisecond).
 */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include "sys/daemon.h"

extern const struct role keys_role;
/* Its handlers, for a test that has a link but no daemon. */
extern const struct ipc_handlers keys_handlers;

#endif
