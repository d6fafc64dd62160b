/* SPDX-License-Identifier: ISC */
/*
 * A folder, a loop and an account for tests, and what is asynchronous as calls
 * that wait.
 */
#ifndef TESTS_UNIT_MDA_WORLD_H
#define TESTS_UNIT_MDA_WORLD_H

#include "mda/mailbox.h"
#include "sys/loop.h"

struct world {
	struct loop *loop;
	char dir[64];
	int dirfd;
	struct account_options options;
	struct account *a;
	char why[256];
};

/* A new empty folder. */
void world_make(struct world *w);
/* Deletes it, after closing. */
void world_drop(struct world *w);
/* Opens the account; -1 when it cannot be. */
int world_open(struct world *w);
void world_close(struct world *w);
void world_reopen(struct world *w);
/* In a process forked from a test, to be killed: a loop of its own, and nothing
 * shared with the test's processes but `keep`. */
void world_child(struct world *w, int keep);
/* Turns the loop until *done. */
void world_wait(struct world *w, const bool *done);
/* A few turns that do not wait: what is in the background is done. */
void world_settle(struct world *w);

/* Writes a file below the folder, making its folders. */
void world_write(struct world *w, const char *path, const char *text);
/* How many files there are in a folder of it; -1 when it is not there. */
int world_count(struct world *w, const char *path);
/* A name in a folder that begins so: path in a static buffer, or NULL. */
const char *world_find(struct world *w, const char *path, const char *begin);

enum mbox_result world_create(struct world *w, const char *name);
enum mbox_result world_delete(struct world *w, const char *name);
enum mbox_result world_rename(struct world *w, const char *from,
    const char *to);
enum mbox_result world_subscribe(struct world *w, const char *name, bool on);
enum mbox_result world_refresh_account(struct world *w, const char *name);

struct world_added {
	enum mbox_result r;
	uint32_t uidvalidity, uid;
};
struct world_added world_append(struct world *w, const char *mailbox,
    const struct append *what, const char *text);
/* "Subject: N" and a body, no flags, flushed. */
uint32_t world_add(struct world *w, const char *mailbox, unsigned n);
/* The same as a delivery from the queue. */
enum mbox_result world_deliver(struct world *w, const char *mailbox,
    uint64_t id);

struct mailbox *world_mailbox(struct world *w, const char *name);
enum mbox_result world_refresh(struct world *w, struct mailbox *m);
/* n_modified_r may be NULL. */
enum mbox_result world_store(struct world *w, struct mailbox *m,
    const uint32_t *uids, size_t n, const struct flag_change *c,
    size_t *n_modified_r);
enum mbox_result world_flag(struct world *w, struct mailbox *m, uint32_t uid,
    enum flag_op op, uint32_t flags);
enum mbox_result world_expunge(struct world *w, struct mailbox *m,
    const uint32_t *uids, size_t n, bool force);
/* dst_r[n] may be NULL; *n_r how many. */
enum mbox_result world_copy(struct world *w, struct mailbox *m,
    const uint32_t *uids, size_t n, const char *to, bool move,
    uint32_t *dst_r, size_t *n_r);
const char *world_field(struct world *w, struct mailbox *m, uint32_t uid,
    enum message_field f);
/* The text in a static buffer; NULL when it cannot be read. */
const char *world_read(struct world *w, struct mailbox *m, uint32_t uid,
    uint64_t offset, size_t n);

#endif
