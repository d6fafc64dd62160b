/* SPDX-License-Identifier: ISC */
/*
 * What the verbs of directory_admin.c share: the request in work, its arguments
 * as what they name, and lists in pages. Whatever is refused is -1 with exit
 * code and sentence in r->why.
 */
#ifndef AUTH_ADMIN_REQUEST_H
#define AUTH_ADMIN_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/accounts.h"
#include "auth/changes.h"
#include "base/buf.h"
#include "base/slice.h"
#include "sys/ipc.h"

struct route_settings;

enum { ADMIN_ROW_MAX = IPC_MESSAGE_MAX - 256 };

struct admin_request {
	const struct route_settings *s;
	struct accounts *a;
	struct ipc_link *l;
	uint64_t req;
	struct slice args;
	struct refusal why; /* also the sentence when all went well */
	struct buf row;
	bool has_changed;
};

/* Sends the row and empties it. */
void admin_send(struct admin_request *r);
/* All went well: "NAME what", or just "what". */
void admin_say(struct admin_request *r, const char *what,
    struct slice name);

/* The first argument of that key, or SLICE_NONE. */
struct slice admin_arg(const struct admin_request *r, const char *key);
/* Adds the key of an address; a bare local part means the first domain,
 * nothing before the @ a catch-all. */
int admin_take_address(struct admin_request *r, struct slice text,
    struct buf *key) __attribute__((warn_unused_result));
/* The same, and it has a local part. */
int admin_take_mailbox(struct admin_request *r, struct slice text,
    struct buf *key) __attribute__((warn_unused_result));
/* Adds the address that an alias shall point to, in its canonical form. */
int admin_take_target(struct admin_request *r, struct slice text,
    struct buf *out) __attribute__((warn_unused_result));
/* Adds the canonical form of the domain under that key. */
int admin_take_domain(struct admin_request *r, const char *key,
    struct buf *out) __attribute__((warn_unused_result));
/* The account that `account` names, by address or number. */
int admin_take_account(struct admin_request *r, struct account *out_r)
    __attribute__((warn_unused_result));
/* A quota, if it is among `args`: "none", "default", a number or a size. */
int admin_take_quota(struct admin_request *r, struct slice args,
    const char *key, uint64_t *quota) __attribute__((warn_unused_result));

/* One page of a list: begin (even if it fails, end is not needed then), a step
 * for each row, end with what the walk returned. */
struct admin_list {
	struct admin_request *r;
	size_t left;
	struct buf last; /* the cursor of the last row */
	bool has_more;
};
int admin_list_begin(struct admin_list *w, struct admin_request *r)
    __attribute__((warn_unused_result));
/* Is there room for this row? Then it becomes the cursor. */
bool admin_list_step(struct admin_list *w, struct slice cursor);
int admin_list_end(struct admin_list *w, int walked)
    __attribute__((warn_unused_result));
/* A page of names, of one domain if the arguments say so; `arg` of the
 * callback is a struct admin_list. */
int admin_list_names(struct admin_request *r, accounts_name_fn *each)
    __attribute__((warn_unused_result));

#endif
