/* SPDX-License-Identifier: ISC */
/*
 * The folders of owners: opened below the configured roots, never through a
 * symbolic link, made where missing, checked on the descriptor.
 */
#ifndef MDA_HOMES_H
#define MDA_HOMES_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* Takes over the next mail root's descriptor. */
void homes_add_root(int fd);
/* The root of that number, or -1. */
int homes_root(size_t i);
/*
 * An O_PATH descriptor of `home` (relative, no "..") below root number `root`,
 * which belongs to *uid and is closed to others. uid 0 and uids outside the
 * configured ranges are refused; a server that runs as one user has only that
 * one, and *uid, *gid become its own. -1 with a sentence.
 */
int homes_open(uint32_t root, struct slice home, uint32_t *uid, uint32_t *gid,
    struct buf *why);
/* Ends the process behind a pidfd. */
void homes_kill(int pidfd);

#endif
