/* SPDX-License-Identifier: ISC */
/*
 * The messages that are sent: all of one size and one body, which is made
 * once; each with a header of its own of always the same length. No line
 * begins with a dot, so that the body goes out as it is.
 */
#ifndef BENCH_MESSAGE_H
#define BENCH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "bench/load/load.h"

struct message {
	struct load_pattern from, to;
	size_t header_size, least; /* least: without padding */
	struct slice body;
	char date[40];
	char run[40]; /* makes the Message-IDs of this run its own */
};

/* `numbers`: how far the %d of both patterns runs. Exits when `size` is too
 * small for a header. */
void message_init(struct message *m, size_t size,
    const struct load_pattern *from, const struct load_pattern *to,
    uint64_t numbers);
/* Appends the header of message `number`. */
void message_add_header(const struct message *m, uint64_t number,
    uint64_t from, uint64_t to, struct buf *b);
/* Writes what the connection may hold of the last *left bytes of the body;
 * true when that was all, else go on when it has drained. */
bool message_send(const struct message *m, struct conn *c, size_t *left);

#endif
