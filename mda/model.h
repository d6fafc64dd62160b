/* SPDX-License-Identifier: ISC */
/*
 * What the files of the mailbox model share.
 *
 *   op       something asked for. Ordinary ones wait until nothing is in
 *            flight, then all that wait join one transaction; exclusive ones
 *            (opening, folders) have the account for themselves meanwhile
 *   txn      one conditional commit being put together: it works on copies of
 *            the mailbox rows and changes nothing in memory until it is
 *            committed; so a refusal by the disk leaves all as it was
 *   tidy     rows that nobody waits for (a name followed its flags, a body is
 *            deleted): they ride along with the next commit
 */
#ifndef MDA_MODEL_H
#define MDA_MODEL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "mda/uidlist.h"
#include "mda/mailbox.h"
#include "mda/rows.h"
#include "mda/store.h"
#include "sys/loop.h"

struct txn;

/* ---- the account ---- */

struct named { /* a subscription without a mailbox */
	uint32_t number;
	char *name;
};

struct account {
	struct loop *loop;
	struct store *store;
	struct account_options o;
	uint64_t version, synced; /* committed; and known to be durable */
	uint32_t uidvalidity, next_mailbox;
	uint8_t id[ROW_OBJECT_ID];
	struct row_totals totals;   /* committed */
	struct row_totals pending;  /* placed, without a row yet */
	struct row_totals reserved; /* being written or copied */
	struct mailbox **boxes;     /* by name */
	size_t n_boxes;
	struct named *subscribed;   /* by name */
	size_t n_subscribed;
	struct list ops;            /* waiting */
	struct op *exclusive;
	struct txn *txn;            /* in flight */
	unsigned naming;            /* renames of names in flight */
	unsigned flushing;          /* folders */
	bool one_by_one;            /* the disk was full for several at once */
	bool broken, closing;
	struct map tidy;            /* struct tidy by key */
	struct list follow;         /* mailboxes with names to follow flags */
	struct list notify;         /* views with news */
	struct loop_later kick;
	struct loop_timer pending_timer, tidy_timer, chores_timer, follow_timer;
	struct loop_timer flush_timer;
	int64_t hurried;            /* chores, for a full disk */
	size_t n_pending;
	uint64_t unique;            /* counts names given in this process */
};

struct tidy {
	struct buf value; /* empty: the row goes */
	bool in_flight;
};

/* ---- a mailbox ---- */

enum change_kind { CHANGE_ADDED, CHANGE_FLAGS, CHANGE_EXPUNGED };
struct change {
	uint64_t modseq;
	uint32_t uid;
	enum change_kind kind;
};

struct expunged {
	uint64_t modseq;
	uint32_t first, last;
};

struct mailbox {
	struct account *account;
	struct mbox_info info;     /* made when asked for */
	char *name, *folder;
	struct row_mailbox row;    /* as committed; its texts are the above */
	unsigned opens, pins;      /* sessions; operations in work */
	bool loaded, gone;
	bool dirty;                /* the row has something to be told */
	uint32_t recent_from;      /* newer than row.recent_from */
	struct message *messages;  /* loaded: by UID */
	size_t n, cap;
	char *keywords[MAILBOX_KEYWORDS_MAX];
	unsigned n_keywords;
	struct expunged *expunged; /* loaded: by modseq */
	size_t n_expunged, cap_expunged;
	struct list pending;       /* struct pending */
	struct list placing;       /* struct append_writer */
	struct row_totals waiting; /* of pending */
	uint32_t waiting_unseen, waiting_deleted;
	struct list views;
	struct change *journal;    /* for the views; journal[0] is number */
	size_t n_journal, cap_journal;
	uint64_t journal_base;     /* this */
	struct txn_box *work;      /* its part of the transaction */
	struct list follow_link;
	uint32_t *follow;          /* UIDs */
	size_t n_follow, cap_follow;
	size_t n_pending;
	unsigned following;        /* begun, not ended */
	uint32_t *unlinked;        /* bodies deleted, perhaps not durably */
	size_t n_unlinked, cap_unlinked;
	struct flushing *flushing;
};

/* ---- ops (op.c) ---- */

struct op {
	struct list link;
	struct account *account;
	/* Ordinary: adds its changes to the transaction. What it returns other
	 * than MBOX_OK is its result; then it has added nothing. */
	enum mbox_result (*prepare)(struct op *op, struct txn *t);
	/* Exclusive: begins; op_end() when done. */
	void (*start)(struct op *op);
	/* Calls back and frees. */
	void (*finish)(struct op *op, enum mbox_result r);
	struct mailbox *changes; /* flags or expunges in this one: one op at a
	                          * time in a transaction */
	bool exclusive;
	bool needs_room;         /* refused when the disk is nearly full */
	bool lazy;               /* nobody waits: need not be flushed */
	enum mbox_result result;
};

void op_add(struct account *a, struct op *op);
/* Ends an exclusive op: calls its finish. */
void op_end(struct op *op, enum mbox_result r);
/* Only calls finish from the loop, with this result. */
void op_refuse(struct account *a, struct op *op, enum mbox_result r);
/* Something may go on now. */
void account_kick(struct account *a);
/* Runs what can be run. */
void account_run(struct account *a);
bool account_is_idle(const struct account *a);

enum mbox_result mbox_result_of(enum store_result r);

/* ---- transactions (txn.c, apply.c) ---- */

struct new_message {
	struct slice id;
	enum body_place place;
	uint32_t letters;
	uint64_t stored, size;
	uint16_t flags;
	uint64_t keywords;
	int64_t internaldate, savedate;
	uint8_t email_id[ROW_OBJECT_ID], thread_id[ROW_OBJECT_ID];
	const char *delivery; /* ROW_DELIVERY_ID bytes, or NULL */
	struct slice cache;   /* a 'C' value, or empty */
};

struct txn_box {
	struct list link;
	struct txn *txn;
	struct mailbox *m;
	struct row_mailbox row; /* as it will be */
	bool changes;           /* an op with op.changes is in it */
	bool made, removed, renamed;
	char *new_name, *new_folder; /* renamed */
	struct message *added, *changed;
	size_t n_added, cap_added, n_changed, cap_changed;
	uint32_t *expunged;
	size_t n_expunged, cap_expunged;
	char *keywords[MAILBOX_KEYWORDS_MAX]; /* the new ones, by number */
	unsigned n_keywords;    /* all, with the new */
	size_t n_pending;       /* of the mailbox's pending ones, in it */
	uint32_t *follow;       /* added with a name that is not the last */
	size_t n_follow, cap_follow;
	struct buf list;        /* lines for the recovery list */
	uint32_t n_lines;
};

struct txn {
	struct account *account;
	uint64_t version; /* that it will make */
	struct list boxes, ops;
	struct row_totals totals;
	uint32_t uidvalidity, next_mailbox;
	bool head;        /* row 'V' changes */
	bool alone;       /* one op in it, and few tidy rows */
	bool wanted;      /* for the tidy rows, if for nothing else */
	struct txn_row *rows;
	size_t n, cap;
	struct buf bytes;
	uint32_t n_work, n_log, n_subscribed;
	bool durable;
	unsigned lists;   /* recovery lists being flushed first */
	bool refused;     /* one of them says what is not so */
	void (*done)(void *arg, enum store_result r);
	void *arg;
};

struct txn *txn_new(struct account *a);
void txn_free(struct txn **t);
/* The mailbox's part; made when needed. */
struct txn_box *txn_box(struct txn *t, struct mailbox *m);
void txn_put(struct txn *t, struct row_key key, struct slice value);
void txn_del(struct txn *t, struct row_key key);
/* Before all others; no value: deleted. */
void txn_put_first(struct txn *t, struct row_key key, struct slice value);
/* uid 0: the next one. Returns the UID. */
uint32_t txn_add(struct txn *t, struct mailbox *m,
    const struct new_message *n, uint32_t uid);
/* `to` replaces the message of its UID; modseq is set here. */
void txn_change(struct txn *t, struct mailbox *m, const struct message *from,
    struct message *to);
/* The row of the file stays until its body is deleted; unlink: it is to be. */
void txn_expunge(struct txn *t, struct mailbox *m, const struct message *msg);
/* The same for a message that is at another place now. */
void txn_move(struct txn *t, struct mailbox *m, const struct message *msg,
    const struct mailbox *to, uint32_t to_uid);
/* The number of a keyword, made when there is none; -1: too many. */
int txn_keyword(struct txn *t, struct mailbox *m, struct slice name);
/* Keyword names as bits; -1: too many. */
int txn_keywords(struct txn *t, struct mailbox *m, const struct slice *names,
    size_t n, uint64_t *bits_r);
/* Work on folders to be done again after a crash; its key, for txn_del. */
struct row_key txn_work(struct txn *t, const struct row_work *w);
bool txn_is_empty(const struct txn *t);
/* Commits, applies to memory, tells views; then `done`. Frees t. */
void txn_commit(struct txn *t, bool durable,
    void (*done)(void *arg, enum store_result r), void *arg);
/* apply.c: after the commit. */
void txn_apply(struct txn *t);

/* ---- tidy rows (tidy.c) ---- */

void tidy_put(struct account *a, struct row_key key, struct slice value);
void tidy_del(struct account *a, struct row_key key);
/* Adds them (at most `max`) to a transaction; tidy_done says how it went. */
void tidy_take(struct account *a, struct txn *t, size_t max);
void tidy_done(struct account *a, bool ok);
bool tidy_is_empty(const struct account *a);
void tidy_fini(struct account *a);
/* Is there something newer than the map's row? Empty: it goes. */
bool tidy_get(const struct account *a, struct row_key key,
    struct slice *value_r);
/* A row as it is or will be with what is tidied. */
enum store_result account_row(struct account *a, struct row_key key,
    struct buf *out);
/* The file of a message; *b's texts live in `hold`. */
enum store_result account_file(struct account *a, const struct mailbox *m,
    uint32_t uid, struct buf *hold, struct row_file *f_r,
    struct store_body *b_r);
/* The row of the mailbox is to be written with the next commit. */
void mailbox_touch(struct mailbox *m);

/* ---- names and bodies follow the rows (follow.c) ---- */

/* The name of a message's body is to follow its flags; or, when the message
 * is no more, its body is to be deleted and then its 'F' row. */
void follow_add(struct mailbox *m, uint32_t uid);
/* Nothing else is to be done: a few of them in the next turn. */
void follow_soon(struct account *a);
void follow_run(void *account);
/* Flushes folders in which bodies were deleted; then their rows may go. */
void follow_flush(void *account);
/* The mailbox is gone: nothing follows any more. */
void follow_drop(struct mailbox *m);
bool mailbox_is_behind(const struct mailbox *m);

/* ---- mailboxes in memory (box.c) ---- */

struct mailbox *box_new(struct account *a, uint32_t number,
    const struct row_mailbox *row);
void box_free(struct mailbox **m);
struct mailbox *box_find(struct account *a, struct slice name);
struct mailbox *box_by_number(struct account *a, uint32_t number);
struct mailbox *box_by_folder(struct account *a, struct slice folder);
/* Into, out of, or to another place in the account's order. */
void box_insert(struct mailbox *m);
void box_remove(struct mailbox *m);
void box_rename(struct mailbox *m, const char *name, const char *folder);
/* Operations hold it; the last one out frees or unloads it. */
void box_pin(struct mailbox *m);
void box_unpin(struct mailbox *m);
/* Index of the first message with a UID >= uid. */
size_t box_lower(const struct mailbox *m, uint32_t uid);
struct message *box_message(const struct mailbox *m, uint32_t uid);
const struct mbox_info *box_info(struct mailbox *m);
void box_journal(struct mailbox *m, uint64_t modseq, uint32_t uid,
    enum change_kind kind);

/* A new mailbox as part of a transaction; it joins the account when that is
 * committed and is freed with it otherwise. uidvalidity 0: a new one. */
struct mailbox *box_make(struct txn *t, struct slice name,
    struct slice folder, uint32_t attrs, uint32_t uidvalidity);

/* ---- opening an account (account.c, rebuild.c) ---- */

/* Work on folders that a commit before a crash decided. */
struct work {
	struct list link;
	struct row_key key;
	enum row_work_kind kind;
	char *from, *to;
};

typedef void account_step(struct account *a, struct op *op,
    enum mbox_result r);
/* The map cannot be trusted any more: nothing is done with it from here on. */
void account_break(struct account *a);
/* Opening got on: for whoever counts the time. */
void account_progress(struct account *a);
struct account *account_new(struct loop *l,
    const struct account_options *options);
/* Closes the store too. */
void account_free(struct account **a);
/* Forgets what was read of mailboxes and subscriptions. */
void account_drop_boxes(struct account *a);
/* All of these are steps of an exclusive op and then call `next`. */
/* The map is new: takes over what the folder holds, from our own recovery
 * lists or another server's, or begins an empty account. */
void rebuild_start(struct account *a, struct op *op, account_step *next);
/* Does the works again, then drops their rows. */
void work_replay(struct account *a, struct op *op, struct list *works,
    account_step *next);
/* Folders that other programs made or removed. */
void folders_check(struct account *a, struct op *op, account_step *next);

/* ---- deliveries that wait for their row (pending.c) ---- */

struct pending {
	struct list link;
	struct new_message msg; /* its id and cache are the next two's */
	char *id;
	struct buf cache;
	struct slice *keywords; /* names, in one piece */
	size_t n_keywords;
	bool delivered;
	char delivery[ROW_DELIVERY_ID];
};
void pending_free(struct pending **p);
/* Puts one into a transaction now. */
uint32_t pending_commit(struct pending *p, struct mailbox *m, struct txn *t);
void pending_add(struct mailbox *m, struct pending *p);
/* Puts all of a mailbox into a transaction. They stay in the list (and in the
 * counts) until pending_done. */
void pending_prepare(struct mailbox *m, struct txn *t);
/* The first n are committed. */
void pending_done(struct mailbox *m, size_t n);
/* The mailbox is gone, with their files. */
void pending_drop(struct mailbox *m);
bool pending_has(const struct mailbox *m, struct slice id);
bool pending_has_delivery(const struct account *a, const char *delivery);
/* Their delivery is released: no row for it. */
void pending_release(struct account *a, const char *delivery);
/* Asks for the commit of all. */
void pending_flush(struct account *a);
/* Names packed into one allocation. */
struct slice *names_dup(const struct slice *names, size_t n);

/* ---- opening and refreshing (sync.c) ---- */

/* What is known of files from elsewhere (a recovery list, another server). */
struct hint {
	uint32_t uid;
	uint64_t keywords; /* numbers as in the mailbox */
};
struct hints {
	struct map by_id; /* struct hint */
};
typedef void sync_done(void *arg, enum mbox_result r);
/*
 * A step of an exclusive op: commits what waits, loads the messages (they stay
 * while the mailbox is pinned or open), and reads the folder when another
 * program changed it or `force`. hints may be NULL.
 */
void sync_start(struct mailbox *m, bool force, const struct hints *hints,
    sync_done *done, void *arg);
/* scan.c: the step that reads the folder of a loaded mailbox. */
void scan_start(struct mailbox *m, const struct hints *hints,
    sync_done *done, void *arg);

/* ---- views (view.c) ---- */

/* The mailbox changed: its views will be told. */
void view_note(struct mailbox *m);
void view_notify(struct account *a);

/* relist.c: writes a mailbox's recovery list anew when that is due. */
bool relist_is_due(const struct mailbox *m);
void relist_ask(struct mailbox *m);

/* chores.c: what is too old goes. */
void chores_begin(struct account *a);
void chores_run(void *account);
/* The disk is full: soon. */
void chores_hurry(struct account *a);
/* After loading or expunging. */
void chores_trim_expunged(struct mailbox *m);

/* ---- subscriptions without a mailbox (subscribe.c) ---- */

/* In memory. */
void subscription_note(struct account *a, uint32_t number,
    struct slice name);
void subscription_forget(struct account *a, struct slice name);
/* In a transaction: the number of the row made; was there one? */
uint32_t subscription_put(struct txn *t, struct slice name);
bool subscription_drop(struct txn *t, struct slice name);
/* The account's recovery list as it is now. */
void account_write_list(struct account *a);

/* rename_inbox.c */
void rename_inbox(struct account *a, struct slice to, account_done *done,
    void *arg);

/* removal.c: a step of an exclusive op: drops all rows of a mailbox, and its
 * folder too when it is still there. */
void removal_start(struct mailbox *m, bool folder, sync_done *done,
    void *arg);

/* Is this the id of a delivered body? Then id_r has the delivery's. */
bool delivery_of_id(struct slice id, char id_r[ROW_DELIVERY_ID]);
/* Names that no other body has. */
void account_unique(struct account *a, struct buf *out);
void account_random_id(uint8_t id[ROW_OBJECT_ID]);
/* The id of a message from that of its first body (RFC 8474 5.1). */
void email_of(struct slice file, uint8_t id_r[ROW_OBJECT_ID]);
/* The thread of a message from the beginning of its text (RFC 8474 5.2). */
void thread_of(struct slice head, uint8_t id_r[ROW_OBJECT_ID]);
/* Is a body of this name being written? */
bool append_is_placing(const struct mailbox *m, struct slice id);
bool account_has_room(const struct account *a, uint64_t bytes,
    uint64_t messages);

void *model_alloc(size_t n);
char *model_dup(struct slice s);
/* Makes room for one more; the array moves. */
void model_grow(void *array, size_t *cap, size_t n, size_t size);

#endif
