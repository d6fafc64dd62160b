/* SPDX-License-Identifier: ISC */
/*
 * Large bodies: a file each, made under tmp/ and named for good when nobody
 * can write to it any more. See queue/FORMAT, "Body files".
 */
#ifndef QUEUE_BODIES_H
#define QUEUE_BODIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct spool;

struct spool_body {
	struct spool *spool;
	uint64_t id;
	int dir;
	int fd;	      /* our writing descriptor, -1 once closed */
	bool settled; /* it has its name under body/ */
	bool keep;    /* a slot may name it: leave it on the disk */
};

/* NULL with errno. */
struct spool_body *body_open(struct spool *s, int dir, uint64_t id);
/* Closes, removes the file unless `keep`, frees. Sets *b NULL; harmless for
 * NULL. */
void body_discard(struct spool_body **b);
/* The same, but the file stays. */
void body_free(struct spool_body **b);
/*
 * In a thread, when our descriptor is closed: no writer may be left (else
 * EBUSY), it must have `size` bytes (else EBADMSG); gives it its name and
 * makes bytes and name durable. 0, or -1 with errno.
 */
int body_settle(struct spool_body *b, uint64_t size, bool strict)
    __attribute__((warn_unused_result));
/* A read-only descriptor of a settled body, -1 with errno. */
int body_read_fd(int dir, uint64_t id);
/* Can leases be taken on this file system? Makes and removes a file in tmp/.
 * 0, or -1 with errno. */
int body_probe(int dir) __attribute__((warn_unused_result));

#endif
