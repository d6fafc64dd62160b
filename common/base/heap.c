/* SPDX-License-Identifier: ISC */
/* A binary heap whose nodes know their place, so they can be moved. */
#include "base/heap.h"

#include <stdlib.h>

void
heap_init(struct heap *h)
{
	*h = (struct heap){ 0 };
}

void
heap_fini(struct heap *h)
{
	size_t i;

	for (i = 1; i <= h->n; i++)
		h->nodes[i]->at = 0;
	free(h->nodes);
	heap_init(h);
}

static void
put(struct heap *h, size_t at, struct heap_node *node)
{
	h->nodes[at] = node;
	node->at = at;
}

static void
settle(struct heap *h, size_t at)
{
	struct heap_node *node = h->nodes[at];
	size_t child;

	while (at > 1 && h->nodes[at / 2]->key > node->key) {
		put(h, at, h->nodes[at / 2]);
		at /= 2;
	}
	while ((child = at * 2) <= h->n) {
		if (child < h->n &&
		    h->nodes[child + 1]->key < h->nodes[child]->key)
			child++;
		if (h->nodes[child]->key >= node->key)
			break;
		put(h, at, h->nodes[child]);
		at = child;
	}
	put(h, at, node);
}

int
heap_set(struct heap *h, struct heap_node *node, int64_t key)
{
	struct heap_node **nodes;
	size_t cap;

	if (node->at == 0) {
		if (h->n + 1 >= h->cap) {
			cap = h->cap == 0 ? 64 : h->cap * 2;
			nodes = realloc(h->nodes, cap * sizeof(void *));
			if (nodes == NULL)
				return -1;
			h->nodes = nodes;
			h->cap = cap;
		}
		put(h, ++h->n, node);
	}
	node->key = key;
	settle(h, node->at);
	return 0;
}

void
heap_remove(struct heap *h, struct heap_node *node)
{
	size_t at = node->at;
	struct heap_node *last;

	if (at == 0)
		return;
	last = h->nodes[h->n--];
	node->at = 0;
	if (last == node)
		return;
	put(h, at, last);
	settle(h, at);
}

struct heap_node *
heap_min(const struct heap *h)
{
	return h->n == 0 ? NULL : h->nodes[1];
}
