/* SPDX-License-Identifier: ISC */
/*
 * The role `keys` as a child process of a test, without a master: its handlers
 * on one link to the test as master and some to it as a front.
 */
#ifndef TESTS_KEYS_CHILD_H
#define TESTS_KEYS_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"

enum { KEYS_CHILD_FRONTS = 4 };

struct keys_child {
	pid_t pid;
	int master;                   /* our end; keys_child_load() uses it */
	int fronts[KEYS_CHILD_FRONTS]; /* ours, to make links of */
};

/* Forks. Must come before OpenSSL is used here, if it matters that no key of
 * the child was ever in our memory. */
void keys_child_start(struct keys_child *k);
/* Hands over one key and waits for the verdict: 0 good, -1 refused. */
int keys_child_load(struct keys_child *k, uint32_t number, int key_fd,
    struct slice chain);
/* The keys loaded become current (CERT_END). */
void keys_child_use(struct keys_child *k);
/* Kills it and waits. */
void keys_child_stop(struct keys_child *k);

#endif
