/* SPDX-License-Identifier: ISC */
/*
 * The private keys by number, in generations: what is offered becomes usable
 * all at once. Key material lies in OpenSSL's secure heap: locked in memory, in
 * no core file, wiped when it goes.
 */
#ifndef AUTH_KEYS_STORE_H
#define AUTH_KEYS_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct evp_pkey_st;
struct keys_store;

/* Makes OpenSSL ready, once per process; with the first rights, since locking
 * memory may need them. fatal() when it fails. */
void keys_store_prepare(void);

struct keys_store *keys_store_new(void);
void keys_store_free(struct keys_store **s);
/*
 * Reads the PEM private key from `fd` (which stays the caller's) for the next
 * generation and checks that it belongs to the first certificate of `chain`.
 * 0, or -1; then the next generation has under `number` the key that is current
 * under that name (or, nameless, that number), if there is one. `said` gets a
 * sentence for the administrator either way.
 */
int keys_store_offer(struct keys_store *s, uint32_t number, struct slice name,
    struct slice chain, int fd, struct buf *said)
    __attribute__((warn_unused_result));
/* The generation offered becomes current. The one before stays usable under
 * numbers that are not in the new one, until keys_store_forget(). */
void keys_store_use(struct keys_store *s);
void keys_store_forget(struct keys_store *s);
/* The usable key of that number, or NULL. Borrowed. */
struct evp_pkey_st *keys_store_find(const struct keys_store *s,
    uint32_t number);
/* Keys of the current generation. */
size_t keys_store_count(const struct keys_store *s);

#endif
