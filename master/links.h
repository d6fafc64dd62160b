/* SPDX-License-Identifier: ISC */
/*
 * Links between children: for each pair that roles.c allows one socketpair,
 * made here and nowhere else. One that is lost while both live (it overflowed,
 * or one end broke the rules) is made again after a pause.
 */
#ifndef MASTER_LINKS_H
#define MASTER_LINKS_H

#include <stdint.h>

#include "master/child.h"

struct loop;

void links_init(struct loop *l);
/* A child is ready: it meets all others that are and that it may talk to. */
void links_introduce(struct child *c);
/* A child says that its link of that number is gone. What it says of a link
 * that is not, or no longer, the one to that peer is passed over. */
void links_lost(struct child *c, enum role_id peer, uint32_t instance,
    uint64_t link);
/* The server stops: what is lost from now on stays lost. */
void links_end(void);

#endif
