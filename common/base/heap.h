/* SPDX-License-Identifier: ISC */
/*
 * A binary heap of intrusive nodes ordered by a 64-bit key, the smallest
 * first: schedules, time-outs. A node in no heap has at == 0.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	int64_t key;
	size_t at; /* 1-based place in the heap, 0 when in none */
};

struct heap {
	struct heap_node **nodes; /* nodes[1..n] */
	size_t n, cap;
};

void heap_init(struct heap *h);
/* Frees the heap, not the nodes. */
void heap_fini(struct heap *h);
/* Adds or moves a node to `key`. 0, or -1 out of memory (then not added). */
int heap_set(struct heap *h, struct heap_node *node, int64_t key)
    __attribute__((warn_unused_result));
/* Harmless when the node is in no heap. */
void heap_remove(struct heap *h, struct heap_node *node);
/* The node with the smallest key, or NULL; it stays in the heap. */
struct heap_node *heap_min(const struct heap *h);

#define HEAP_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif
