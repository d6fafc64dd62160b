/* SPDX-License-Identifier: ISC */
/* Keys and certificates made while a test runs. */
#ifndef TESTS_PKI_H
#define TESTS_PKI_H

#include "base/slice.h"

/* PEM; both with a NUL behind. */
struct pki {
	struct slice key, chain;
};

/*
 * A self-signed certificate. kind: "rsa:2048", "ec:P-256", "ed25519"; names:
 * DNS names, or IP:ADDRESS, with ',' between (NULL: only the common name "cn.test"). days: how
 * long it is valid, negative: it ended that long ago. Aborts when it cannot.
 */
struct pki pki_make(const char *kind, const char *names, int days);
void pki_free(struct pki *p);
/* A descriptor that reads these bytes. */
int pki_fd(struct slice bytes);

#endif
