/* SPDX-License-Identifier: ISC */
/*
 * One owner's mail as the owner process sees it, above the store: mailboxes,
 * their messages in memory while a session has them open, changes as single
 * commits, and views: what one session has been told. IMAP, POP3 and delivery
 * all go through here. One process per account, so there are no locks.
 *
 * Everything that changes is asynchronous: `done` comes from the loop, after
 * the change is durable. Mailbox names are UTF-8 with '/' between levels;
 * "INBOX" is upper case.
 */
#ifndef MDA_MAILBOX_H
#define MDA_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/slice.h"
#include "mda/store.h"

struct account;
struct mailbox;
struct view;

enum {
	FLAG_SEEN = 1, FLAG_ANSWERED = 2, FLAG_FLAGGED = 4, FLAG_DELETED = 8,
	FLAG_DRAFT = 16,
	FLAG_RECENT = 32 /* of a view, never stored */
};
enum { MAILBOX_KEYWORDS_MAX = 64 };

/* Attributes of a mailbox row. */
enum {
	MBOX_NOSELECT = 1, MBOX_SUBSCRIBED = 2, MBOX_ARCHIVE = 4,
	MBOX_DRAFTS = 8, MBOX_FLAGGED_ALL = 16, MBOX_JUNK = 32, MBOX_SENT = 64,
	MBOX_TRASH = 128, MBOX_ALL = 256, MBOX_IMPORTANT = 512,
	MBOX_SPECIAL = MBOX_ARCHIVE | MBOX_DRAFTS | MBOX_FLAGGED_ALL |
	    MBOX_JUNK | MBOX_SENT | MBOX_TRASH | MBOX_ALL | MBOX_IMPORTANT
};

enum mbox_result {
	MBOX_OK,
	MBOX_NONEXISTENT,
	MBOX_EXISTS,
	MBOX_BAD_NAME,   /* `text` says why */
	MBOX_OVER_QUOTA,
	MBOX_FULL,       /* the disk */
	MBOX_LATER,      /* could not be done just now, nothing changed */
	MBOX_HAS_CHILDREN,
	MBOX_NOT_ALLOWED
};

struct mbox_info {
	const char *name;
	uint32_t number;   /* never reused; makes the MAILBOXID */
	uint32_t attrs;    /* MBOX_* */
	uint32_t uidvalidity, uidnext;
	uint64_t highest_modseq;
	uint32_t messages, unseen, recent, deleted;
	uint64_t size, deleted_size;
};

struct message {
	uint32_t uid;
	uint16_t flags;     /* FLAG_* but RECENT */
	uint16_t n_headers; /* reserved, zero */
	uint64_t modseq;
	uint64_t keywords;  /* bit i: mailbox_keyword(m, i) */
	uint64_t size;      /* as served, CRLF */
	int64_t internaldate; /* seconds */
	int64_t savedate;
	uint8_t email_id[16], thread_id[16];
};

struct account_options {
	uint64_t quota_bytes, quota_messages;
	int utc_offset;
	bool strict;
	/* While opening takes long, because every file is read: it goes on.
	 * Called often, from the loop. May be NULL. */
	void (*progress)(void *arg);
	/* The map failed (account_is_broken() from here on). From inside
	 * anything here: nothing of the account may be touched. May be
	 * NULL. */
	void (*broken)(void *arg);
	void *arg;
};

/* ---- the account ---- */

typedef void account_opened(void *arg, struct account *a, const char *why);
/* Opens the mail in folder dirfd; makes INBOX, and takes over what is there
 * (another server's Maildir too). `done` with NULL and a sentence when not. */
void account_open(struct loop *l, int dirfd, const struct account_options *o,
    account_opened *done, void *arg);
/* Writes pending rows and waits; what is still asked for is answered from
 * inside. Not from inside a callback from here; mailboxes must be closed. */
void account_close(struct account **a);
/* The map failed: everything is refused (MBOX_LATER) until the account is
 * closed and opened again. */
bool account_is_broken(const struct account *a);
void account_usage(const struct account *a, uint64_t *bytes_r,
    uint64_t *messages_r);
uint64_t account_quota_bytes(const struct account *a);
uint64_t account_quota_messages(const struct account *a);

/* Mailboxes in byte order of their names: next after `last` (NULL: first);
 * NULL at the end. Valid until the next callback from here. Counts are
 * current; they include deliveries that have no UID yet. A level above a
 * mailbox need not have one itself (RFC 9051 6.3.9, \NonExistent). */
const struct mbox_info *account_next(struct account *a,
    const struct mbox_info *last);
const struct mbox_info *account_find(struct account *a, struct slice name);
/* Subscriptions to names that have no mailbox (RFC 9051 6.3.7). */
const char *account_next_subscribed(struct account *a, const char *last);

typedef void account_done(void *arg, enum mbox_result r, const char *text);
void account_create(struct account *a, struct slice name, uint32_t special,
    account_done *done, void *arg);
void account_delete(struct account *a, struct slice name, account_done *done,
    void *arg);
void account_rename(struct account *a, struct slice from, struct slice to,
    account_done *done, void *arg);
void account_subscribe(struct account *a, struct slice name, bool on,
    account_done *done, void *arg);
/* Reads changes made by other programs in the folder of `name` if its stamp
 * differs; then counts are current. An empty name: looks for folders that
 * other programs made or removed. */
void account_refresh(struct account *a, struct slice name, account_done *done,
    void *arg);

/* ---- adding mail ---- */

struct append {
	uint32_t flags;
	struct slice *keywords; /* names */
	size_t n_keywords;
	int64_t internaldate;   /* 0: now */
	uint64_t delivery_id;   /* 0: none; with the group names the body */
	uint32_t delivery_group;
	bool sync;              /* flushed before `done` (LMTP, APPEND) */
	bool batch;             /* a delivery that needs no UID at once: unless
	                         * the mailbox is open its row may wait for
	                         * others. Implied by a delivery_id. */
};
struct append_writer;
/* NULL with *r set when it cannot begin (mailbox missing, quota, disk; the same
 * delivery is under way: MBOX_LATER). */
struct append_writer *append_begin(struct account *a, struct slice mailbox,
    const struct append *what, uint64_t size_hint, enum mbox_result *r);
/* CRLF lines as they will be served. The error is sticky. */
void append_write(struct append_writer *w, struct slice bytes);
/* UID is 0 when it is not decided yet (delivery with no session open, joins
 * the pending batch). A repeated delivery id is MBOX_OK and adds nothing. */
typedef void append_done(void *arg, enum mbox_result r, uint32_t uidvalidity,
    uint32_t uid);
void append_end(struct append_writer **w, append_done *done, void *arg);
void append_abort(struct append_writer **w);
/* MULTIAPPEND and the like would join several ends in one commit: later.
 * The queue no longer holds these deliveries (12 bytes each). */
void account_released(struct account *a, struct slice ids);

/* ---- an open mailbox ---- */

typedef void mailbox_opened(void *arg, enum mbox_result r, struct mailbox *m);
/* Loads it (shared between sessions, counted). */
void mailbox_open(struct account *a, struct slice name, mailbox_opened *done,
    void *arg);
void mailbox_close(struct mailbox **m);
const struct mbox_info *mailbox_info(const struct mailbox *m);
/* NULL when there is none. Valid until the next callback from here. */
const struct message *mailbox_message(const struct mailbox *m, uint32_t uid);
/* Keyword i, or NULL from the first unused on. Bit by name: -1 when unknown. */
const char *mailbox_keyword(const struct mailbox *m, unsigned i);
int mailbox_keyword_find(const struct mailbox *m, struct slice name);
/* Expunged UIDs since a modseq, ascending, as ranges that the caller frees with
 * free() (NULL when there are none); false when the log does not reach back
 * that far. */
struct uid_range {
	uint32_t first, last;
};
bool mailbox_expunged_since(struct mailbox *m, uint64_t modseq,
    struct uid_range **ranges_r, size_t *n_r);

enum flag_op { FLAGS_REPLACE, FLAGS_ADD, FLAGS_REMOVE };
struct flag_change {
	enum flag_op op;
	uint32_t flags;
	const struct slice *keywords;
	size_t n_keywords;
	bool conditional;        /* only with modseq <= unchanged_since */
	uint64_t unchanged_since;
};
/* `modified`: UIDs that were left alone by the condition; valid during the
 * call. MBOX_NOT_ALLOWED: more than MAILBOX_KEYWORDS_MAX keywords. UIDs that do
 * not exist are passed over, and messages that already are as wanted keep their
 * modseq. */
typedef void mailbox_stored(void *arg, enum mbox_result r,
    const uint32_t *modified, size_t n_modified);
void mailbox_store(struct mailbox *m, const uint32_t *uids, size_t n,
    const struct flag_change *change, mailbox_stored *done, void *arg);
typedef void mailbox_done(void *arg, enum mbox_result r);
/* Removes those of the UIDs that have \Deleted (all: n == 0, uids NULL);
 * force: whether or not they have it (POP3, MOVE). */
void mailbox_expunge(struct mailbox *m, const uint32_t *uids, size_t n,
    bool force, mailbox_done *done, void *arg);
/* Copies, or moves in the same commit. Results in order: dst[i] of src[i];
 * messages that are gone by now are left out. */
typedef void mailbox_copied(void *arg, enum mbox_result r,
    uint32_t uidvalidity, const uint32_t *src, const uint32_t *dst, size_t n);
void mailbox_copy(struct mailbox *m, const uint32_t *uids, size_t n,
    struct slice to, bool move, mailbox_copied *done, void *arg);

/* Bytes of a message as served (CRLF), fewer than n at its end. `done` may be
 * called with MBOX_NONEXISTENT when the file is gone (an expunge by another
 * program). Valid during the call. */
typedef void message_got(void *arg, enum mbox_result r, struct slice bytes);
void mailbox_read(struct mailbox *m, uint32_t uid, uint64_t offset, size_t n,
    message_got *done, void *arg);
/* Cached texts, computed (and kept) when not there yet. */
enum message_field { FIELD_HEADER, FIELD_ENVELOPE, FIELD_BODY,
	FIELD_BODYSTRUCTURE };
void mailbox_field(struct mailbox *m, uint32_t uid, enum message_field f,
    message_got *done, void *arg);

/* Reads changes made by other programs, if any; then `done`. */
void mailbox_refresh(struct mailbox *m, mailbox_done *done, void *arg);

/* ---- views: sequence numbers of one session ---- */

struct view_events {
	/* Something changed: look with view_sync when the protocol allows.
	 * From the loop. */
	void (*changed)(void *arg);
};
/* A view of what is there now. RECENT belongs to the first view that is not
 * read-only. NULL out of memory. */
struct view *view_new(struct mailbox *m, bool read_only,
    const struct view_events *e, void *arg);
void view_free(struct view **v);
struct mailbox *view_mailbox(const struct view *v);
uint32_t view_count(const struct view *v);
uint32_t view_recent(const struct view *v);
/* UID of sequence number 1..count; 0 outside. */
uint32_t view_uid(const struct view *v, uint32_t seq);
/* Sequence number of a UID, or 0; view_seq_from: of the first UID >= uid. */
uint32_t view_seq(const struct view *v, uint32_t uid);
uint32_t view_seq_from(const struct view *v, uint32_t uid);
bool view_is_recent(const struct view *v, uint32_t seq);
/* The message as it is now; NULL when expunged meanwhile (the view still
 * counts it until view_sync with expunges). */
const struct message *view_message(const struct view *v, uint32_t seq);
/*
 * Tells what changed since the last time, in the order it must be sent:
 * expunges (descending sequence numbers, each valid at its moment; only when
 * allowed), then the new count, then changed flags. True: the view is then
 * current. False: `pause` wanted one; call again (with the same `expunges`)
 * for the rest of what had changed when it began.
 */
struct view_sink {
	void (*expunged)(void *arg, uint32_t seq, uint32_t uid);
	void (*exists)(void *arg, uint32_t count, uint32_t recent);
	void (*flags)(void *arg, uint32_t seq, const struct message *msg);
	/* New keywords exist: FLAGS and PERMANENTFLAGS must be sent again. */
	void (*keywords)(void *arg);
	/* Asked after each expunge and each change of flags: enough for now?
	 * May be NULL. */
	bool (*pause)(void *arg);
};
bool view_sync(struct view *v, bool expunges, const struct view_sink *sink,
    void *arg);
/* Would view_sync have anything to say? */
bool view_has_changes(const struct view *v, bool expunges);
/* The session itself changed flags silently (STORE .SILENT): do not tell it
 * of this message at this modseq. */
void view_knows(struct view *v, uint32_t uid, uint64_t modseq);

#endif
