/* SPDX-License-Identifier: ISC */
/*
 * Carries bytes between a logged-in client and the process of its mailbox's
 * owner, which decides when the session ends (SES_END). Both ways are bounded:
 * who reads slowly is waited for.
 */
#ifndef MDA_ACCESS_CARRIER_H
#define MDA_ACCESS_CARRIER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct carrier;
struct conn;
struct loop;

enum carrier_end {
	CARRIER_ENDED, /* the owner ended the session; all was passed on */
	CARRIER_LOST,  /* the owner's process is gone, or out of its mind */
	CARRIER_LATE   /* the client is gone and the owner did not end it */
};

/*
 * Takes over both descriptors, also when it fails: NULL when out of memory.
 * `client` stays the caller's, who passes its events on below and keeps it
 * until carrier_client_gone() or carrier_free(). `over` comes once, from the
 * loop; it may free the carrier. `text` (the owner's word) is valid in it.
 */
struct carrier *carrier_new(struct loop *l, struct conn *client, int stream,
    int control, void (*over)(void *arg, enum carrier_end why,
    struct slice text), void *arg);
void carrier_free(struct carrier **k);

/* The client's events: input, drained. */
void carrier_input(struct carrier *k);
void carrier_room(struct carrier *k);
/* No more comes from the client (`why` tells the owner); what the owner has to
 * say still goes to it. */
void carrier_input_end(struct carrier *k, const char *why);
/* The connection is about to be freed: what the owner still says is dropped. */
void carrier_client_gone(struct carrier *k, const char *why);

uint64_t carrier_bytes_in(const struct carrier *k);
uint64_t carrier_bytes_out(const struct carrier *k);
/* Does what was passed to the client end with a line? */
bool carrier_is_at_line(const struct carrier *k);

#endif
