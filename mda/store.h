/* SPDX-License-Identifier: ISC */
/*
 * What a mailbox is kept in: two parts, both asynchronous.
 *
 *   bodies       immutable messages by id: put, get a range, delete; putting
 *                the same id again is harmless
 *   account map  the truth about everything else: an ordered key-value map
 *                per account with a version. Every change, however large, is
 *                one conditional commit: "if the version is still V, write
 *                these rows and make it V + 1". MODSEQ is that version.
 *
 * No pointer into an implementation escapes: results are copied or valid only
 * during the callback. Callbacks come from the loop, never from inside the
 * call. STORE_STALE (somebody else committed first: load the changes, try
 * again) and STORE_UNKNOWN (the outcome cannot be known: load and look) are
 * ordinary results.
 *
 * What every implementation promises (tests/unit/mda/test_store.c runs against
 * any): (mailbox, UIDVALIDITY, UID) names one message for ever; UIDs become
 * visible in ascending order; UIDNEXT never under-reports; MODSEQ strictly
 * increases; a conditional commit is a compare-and-set; what was reported
 * STORE_OK with `durable` is there after a power cut; a failing disk gives
 * STORE_FAILED, never a divergence.
 */
#ifndef MDA_STORE_H
#define MDA_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/slice.h"

struct loop;
struct store;

enum store_result {
	STORE_OK,
	STORE_STALE,   /* the version was not the expected one */
	STORE_UNKNOWN, /* may or may not have happened */
	STORE_NONE,    /* no such body, row or mailbox */
	STORE_FULL,    /* no room on the disk */
	STORE_FAILED   /* the store is broken; the log says how */
};

/* ---- keys and rows of the map ---- */

/*
 * One key space; the first byte says what a row is, numbers are big-endian so
 * that they sort. Row values begin with a format byte. (mda/rows.h encodes
 * and decodes keys and values.)
 *
 *   'V'                         version (8), uidvalidity high-water (4),
 *                               next mailbox number (4). The store itself
 *                               counts the version; a higher one given raises
 *                               it; the rest is the caller's
 *   'A'                         account: its id; written last, so that a map
 *                               without it is one whose making was cut short
 *   'B' mailbox(4)              a mailbox: name, folder, UIDVALIDITY, UIDNEXT,
 *                               attributes, counts, folder stamp last seen
 *   'M' mailbox(4) uid(4)       a message: modseq, flags, keywords, size,
 *                               dates, email id, thread id
 *   'F' mailbox(4) uid(4)       its body: id, and the name it was last given;
 *                               without an 'M' row: a body still to be deleted
 *   'C' mailbox(4) uid(4)       cached fields of it: header length, envelope,
 *                               body structure as they are sent
 *   'S' mailbox(4) user(8) uid(4)  \Seen of another user of a shared mailbox
 *   'L' version(8) n(4)         log of changes: what version changed which
 *                               mailbox and uids, and how
 *   'X' mailbox(4) modseq(8) uid(4)  expunged messages, for QRESYNC: a range
 *                               of UIDs that begins with this one
 *   'K' mailbox(4) number(2)    keyword names
 *   'D' delivery id(12)         deliveries that the queue has not reported
 *                               released, and where their message is now
 *   'G' version(8) n(4)         work on folders that a commit decided and that
 *                               must be done again after a crash
 *   'U'                         totals: bytes, messages, per account
 *   'N' kind number(4)          subscriptions, metadata, ACLs
 */
enum { STORE_KEY_MAX = 64, STORE_ROW_MAX = 1 << 20 };

struct store_change {
	struct slice key;
	struct slice value; /* value.p == NULL deletes the row */
};

/* ---- opening ---- */

struct store_options {
	bool strict;          /* flush each file and folder itself */
};

/*
 * The local store: Maildir++ and an LMDB map in the folder `dirfd` (kept open
 * by the store). Called in the jail. NULL with a sentence in `why`. A map that
 * is not there or is damaged (then set aside) gives a new one at version 0:
 * the caller rebuilds it. Only one process has a store open at a time.
 */
struct store *store_open_local(struct loop *l, int dirfd,
    const struct store_options *o, struct buf *why);
/* Says that what is in the map makes no sense: it is set aside and a new, empty
 * one begun. 0, or -1. */
int store_reset(struct store *s) __attribute__((warn_unused_result));
/* Waits for what is in work. Sets *s NULL. */
void store_close(struct store **s);

/* ---- the map ---- */

/* Calls `row` for each row with from <= key < to, in order, at one version;
 * then `done`. Return false from `row` to stop. */
typedef bool store_row(void *arg, struct slice key, struct slice value);
typedef void store_loaded(void *arg, enum store_result r, uint64_t version);
void store_load(struct store *s, struct slice from, struct slice to,
    store_row *row, store_loaded *done, void *arg);
/* One row's value appended to `out` at once; for stores that can (local).
 * STORE_NONE when there is none. */
enum store_result store_get(struct store *s, struct slice key,
    struct buf *out);

/*
 * If the version is `expected`, applies all changes and makes it expected + 1.
 * durable: flushed before `done`; else soon. The changes are copied. Commits
 * asked for within one loop turn may share a transaction.
 */
typedef void store_committed(void *arg, enum store_result r,
    uint64_t version);
void store_commit(struct store *s, uint64_t expected,
    const struct store_change *changes, size_t n, bool durable,
    store_committed *done, void *arg);
/* `done` when all that was committed before is durable. */
void store_sync(struct store *s, store_committed *done, void *arg);
/* Calls `changed` when somebody else than us committed (never, for a store
 * with one writer). */
void store_watch(struct store *s, void (*changed)(void *arg, uint64_t version),
    void *arg);

/* ---- bodies ---- */

/* The letters behind ":2," of a Maildir name as bits (mda/letters.h). */

/*
 * Which body: folder ("" for INBOX, else the Maildir++ name ".a.b") and id, the
 * file name up to and without ":2,". Place and letters are where its name was
 * last seen: a hint that saves looking for it.
 */
enum body_place { BODY_NEW, BODY_CUR, BODY_TMP };
struct store_body {
	const char *folder;
	struct slice id;
	enum body_place place;
	uint32_t letters;
};

/*
 * A body being written into a folder. `name_base` makes the id (base and
 * ",S=size"): a repeat with the same base and content replaces the same body.
 * date: its time, seconds. NULL with errno.
 */
struct store_put;
struct store_put *store_put_begin(struct store *s, const char *folder,
    struct slice name_base, int64_t date);
/* Sticky error, reported by store_put_end. */
void store_put_write(struct store_put *p, struct slice bytes);
/*
 * Names it: in new/ without letters, else in cur/; `replace` (may be NULL):
 * over this body instead, wherever it is. sync: flushed before `done`; else
 * placed only. The id is valid during `done`. Frees p.
 */
typedef void store_put_done(void *arg, enum store_result r, struct slice id,
    uint64_t size);
void store_put_end(struct store_put **p, bool sync, uint32_t letters,
    const struct store_body *replace, store_put_done *done, void *arg);
void store_put_abort(struct store_put **p);

/* Bytes [offset, offset + n) of a body as served (lines end in CRLF, however
 * it is stored), fewer at its end; valid during the callback. `crlf`: it is
 * known to be stored with CRLF. */
typedef void store_got(void *arg, enum store_result r, struct slice bytes);
void store_get_body(struct store *s, const struct store_body *b, bool crlf,
    uint64_t offset, size_t n, store_got *done, void *arg);
/* What a body is, for one that another program put there: reads all of it. */
enum { STORE_HEAD = 65536 };
struct store_facts {
	uint64_t size;   /* bytes as stored */
	uint64_t served; /* with CRLF */
	int64_t mtime;
	struct slice head; /* its first bytes as stored, at most STORE_HEAD */
};
typedef void store_examined(void *arg, enum store_result r,
    const struct store_facts *f);
void store_examine_body(struct store *s, const struct store_body *b,
    store_examined *done, void *arg);
typedef void store_done(void *arg, enum store_result r);
/* The same body under another folder and id: a link, not a copy. It is made
 * in BODY_TMP: other programs see it after store_name_body. */
void store_link_body(struct store *s, const struct store_body *b,
    const char *to_folder, struct slice to_id, store_done *done, void *arg);
/* Gone already counts as done. */
void store_delete_body(struct store *s, const struct store_body *b,
    store_done *done, void *arg);
/* Makes what was linked, named and deleted in a folder durable. */
void store_flush_folder(struct store *s, const char *folder,
    enum body_place place, store_done *done, void *arg);
/* Gives a body a new place (not BODY_TMP) and letters. */
void store_name_body(struct store *s, const struct store_body *b,
    enum body_place place, uint32_t letters, store_done *done, void *arg);

/* ---- folders, as other programs see them ---- */

/* There already counts as done. sync: flushed, with those made before it. */
void store_folder_create(struct store *s, const char *folder, bool sync,
    store_done *done, void *arg);
/* Gone already counts as done, so does one renamed already. */
void store_folder_delete(struct store *s, const char *folder,
    store_done *done, void *arg);
void store_folder_rename(struct store *s, const char *from, const char *to,
    store_done *done, void *arg);
/*
 * Noticing other programs. The store keeps for each folder the stamp that is
 * to be expected: what was set here (0: none) or found by the last scan, moved
 * on by each change of our own. is_changed: it is another one now, or unknown.
 */
void store_folder_expect(struct store *s, const char *folder, uint64_t stamp);
uint64_t store_folder_stamp(struct store *s, const char *folder);
bool store_folder_is_changed(struct store *s, const char *folder);
/* All bodies of a folder, in no order. A file renamed meanwhile by another
 * program may be missed: ask again before believing that one is gone. */
struct store_entry {
	struct slice id;
	enum body_place place; /* tmp: ours, and so old that it is left over */
	uint32_t letters;
	bool odd; /* the name is not written as we write it: rename it */
};
typedef bool store_found(void *arg, const struct store_entry *e);
void store_folder_scan(struct store *s, const char *folder, store_found *found,
    store_loaded *done, void *arg);
/* When was this name given? Milliseconds since 1970 (st_ctime); -1 gone. */
int64_t store_body_named(struct store *s, const struct store_body *b);
/* All folders there are but INBOX's. */
void store_folders(struct store *s, bool (*found)(void *arg,
    const char *folder), store_loaded *done, void *arg);

/* ---- texts beside the map ---- */

/*
 * The recovery lists: plain text from which a lost map is rebuilt, one for
 * each folder ("" INBOX) and one for the account (NULL). append: at the end
 * of one that is there, on a line of its own whatever a crash left; else
 * replaced as a whole, or left as it was. sync: flushed before `done`; and what
 * was to be appended so must not be missing: when it fails the list is removed
 * (STORE_UNKNOWN: it could not even be removed).
 */
void store_write_list(struct store *s, const char *folder, struct slice text,
    bool append, bool sync, store_done *done, void *arg);
enum store_result store_read_list(struct store *s, const char *folder,
    struct buf *out);
/* A file of another mail server beside the mail (dovecot-uidlist): at most
 * STORE_FOREIGN_MAX bytes appended to `out`. */
enum { STORE_FOREIGN_MAX = 256 << 20 };
enum store_result store_read_foreign(struct store *s, const char *folder,
    const char *name, struct buf *out);

/* ---- room ---- */

/* Too little room left for anything but what frees some: changes of flags and
 * expunges use a reserve then, all else must be refused. */
bool store_is_low(struct store *s);
/* Does all that was asked for before it returns; for closing. */
void store_drain(struct store *s);

#endif
