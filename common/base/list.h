/* SPDX-License-Identifier: ISC */
/*
 * Intrusive doubly linked lists. The head is a struct list of its own; an
 * element embeds one. An element not in a list has next == NULL.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define LIST_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))
/* `it` may be removed (and freed) inside the loop. */
#define LIST_EACH(it, tmp, head) \
	for ((it) = (head)->next, (tmp) = (it)->next; (it) != (head); \
	    (it) = (tmp), (tmp) = (it)->next)

static inline void
list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool
list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline bool
list_is_in(const struct list *e)
{
	return e->next != NULL;
}

static inline void
list_add_after(struct list *at, struct list *e)
{
	e->prev = at;
	e->next = at->next;
	at->next->prev = e;
	at->next = e;
}

/* At the end of the list `head`. */
static inline void
list_add(struct list *head, struct list *e)
{
	list_add_after(head->prev, e);
}

static inline void
list_add_first(struct list *head, struct list *e)
{
	list_add_after(head, e);
}

/* Harmless for an element that is in no list. */
static inline void
list_remove(struct list *e)
{
	if (e->next == NULL)
		return;
	e->prev->next = e->next;
	e->next->prev = e->prev;
	e->next = e->prev = NULL;
}

/* The first element, or NULL; it stays in the list. */
static inline struct list *
list_first(const struct list *head)
{
	return head->next == head ? NULL : head->next;
}

#endif
