/* SPDX-License-Identifier: ISC */
/*
 * The rows of the account map as bytes: keys that sort, values that begin with
 * a format byte. Pure; numbers are big-endian. The key space stands in
 * mda/store.h.
 *
 * Decoders take the whole value, refuse what is not exactly a row of a format
 * they know (-1) and give views into it.
 */
#ifndef MDA_ROWS_H
#define MDA_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	ROW_FORMAT = 1,       /* written by this version */
	ROW_NAME_MAX = 1024,  /* bytes of a mailbox name */
	ROW_FOLDER_MAX = 255, /* a file name (NAME_MAX) */
	ROW_ID_MAX = 255,
	ROW_KEYWORD_MAX = 255,
	ROW_DELIVERY_ID = 12, /* queue id and group */
	ROW_OBJECT_ID = 16
};

/* ---- keys ---- */

struct row_key {
	size_t n;
	char p[24];
};

struct slice row_key_slice(const struct row_key *k);
/* 'V', 'A', 'U'; also where the rows of any kind begin. */
struct row_key row_key_kind(char kind);
/* 'B' of a mailbox; with another kind, where the rows of a mailbox begin. */
struct row_key row_key_mailbox(char kind, uint32_t mailbox);
/* 'M', 'F', 'C'. */
struct row_key row_key_message(char kind, uint32_t mailbox, uint32_t uid);
/* 'L', 'G'. */
struct row_key row_key_version(char kind, uint64_t version, uint32_t n);
struct row_key row_key_expunged(uint32_t mailbox, uint64_t modseq,
    uint32_t uid);
struct row_key row_key_keyword(uint32_t mailbox, uint16_t number);
/* id: ROW_DELIVERY_ID bytes. */
struct row_key row_key_delivery(const void *id);
/* 'N': kind and number. */
struct row_key row_key_named(char kind, uint32_t number);

int row_mailbox_of(struct slice key, uint32_t *mailbox_r)
    __attribute__((warn_unused_result));
int row_message_of(struct slice key, uint32_t *mailbox_r, uint32_t *uid_r)
    __attribute__((warn_unused_result));
int row_version_of(struct slice key, uint64_t *version_r, uint32_t *n_r)
    __attribute__((warn_unused_result));
int row_expunged_of(struct slice key, uint32_t *mailbox_r, uint64_t *modseq_r,
    uint32_t *uid_r) __attribute__((warn_unused_result));
int row_keyword_of(struct slice key, uint32_t *mailbox_r, uint16_t *number_r)
    __attribute__((warn_unused_result));
int row_named_of(struct slice key, char *kind_r, uint32_t *number_r)
    __attribute__((warn_unused_result));

/* ---- values ---- */

struct row_version {
	uint64_t version;
	uint32_t uidvalidity; /* the highest ever given */
	uint32_t next_mailbox;
};

struct row_mailbox {
	struct slice name, folder;
	uint32_t uidvalidity, uidnext, attrs;
	uint32_t recent_from;  /* messages from this UID on are still \Recent */
	uint32_t messages, unseen, deleted, recent;
	uint64_t size, deleted_size, highest_modseq;
	uint64_t stamp;        /* of the folder, when last read; 0 unknown */
	int64_t scanned;       /* and when that was */
	uint64_t expunge_floor; /* 'X' rows are complete above this modseq */
	uint32_t list_reserved; /* UIDs below this may have been used: the
	                         * recovery list says so durably */
	uint32_t list_lines;   /* in it, so that it is written anew at times */
	bool behind;           /* names or bodies do not follow the rows yet */
};

struct row_message {
	uint64_t modseq, keywords, size;
	int64_t internaldate, savedate;
	uint16_t flags;
	uint8_t email_id[ROW_OBJECT_ID], thread_id[ROW_OBJECT_ID];
};

struct row_file {
	struct slice id;
	uint8_t place;    /* enum body_place */
	uint32_t letters;
	int64_t named_ms; /* when we gave it that name; 0: found so */
	uint64_t stored;  /* bytes of the file */
};

enum row_log_kind { ROW_LOG_ADDED, ROW_LOG_CHANGED, ROW_LOG_EXPUNGED,
	ROW_LOG_MAILBOX, ROW_LOG_MAILBOX_GONE };
struct row_log {
	enum row_log_kind kind;
	uint32_t mailbox;
	struct slice ranges; /* pairs of first and last UID, 8 bytes each */
};

struct row_delivery {
	int64_t arrived;
	uint32_t mailbox; /* 0: the message was expunged */
	uint32_t uid;
};

enum row_work_kind { ROW_WORK_DELETE, ROW_WORK_RENAME };
struct row_work {
	enum row_work_kind kind;
	struct slice from, to; /* folders */
};

struct row_totals {
	uint64_t bytes, messages;
};

/* Texts as they are sent; .p NULL when not computed yet. */
struct row_cache {
	uint32_t header; /* bytes of it with its empty line, as served */
	struct slice envelope, body, bodystructure;
};

void row_put_version(struct buf *b, const struct row_version *r);
int row_get_version(struct slice v, struct row_version *r_r)
    __attribute__((warn_unused_result));
void row_put_account(struct buf *b, const uint8_t id[ROW_OBJECT_ID]);
int row_get_account(struct slice v, uint8_t id_r[ROW_OBJECT_ID])
    __attribute__((warn_unused_result));
void row_put_mailbox(struct buf *b, const struct row_mailbox *r);
int row_get_mailbox(struct slice v, struct row_mailbox *r_r)
    __attribute__((warn_unused_result));
void row_put_message(struct buf *b, const struct row_message *r);
int row_get_message(struct slice v, struct row_message *r_r)
    __attribute__((warn_unused_result));
void row_put_file(struct buf *b, const struct row_file *r);
int row_get_file(struct slice v, struct row_file *r_r)
    __attribute__((warn_unused_result));
void row_put_log(struct buf *b, const struct row_log *r);
int row_get_log(struct slice v, struct row_log *r_r)
    __attribute__((warn_unused_result));
/* A pair of row_log.ranges. */
void row_put_range(struct buf *b, uint32_t first, uint32_t last);
/* Takes one off; false at the end. */
bool row_next_range(struct slice *ranges, uint32_t *first_r, uint32_t *last_r);
void row_put_delivery(struct buf *b, const struct row_delivery *r);
int row_get_delivery(struct slice v, struct row_delivery *r_r)
    __attribute__((warn_unused_result));
void row_put_work(struct buf *b, const struct row_work *r);
int row_get_work(struct slice v, struct row_work *r_r)
    __attribute__((warn_unused_result));
void row_put_totals(struct buf *b, const struct row_totals *r);
int row_get_totals(struct slice v, struct row_totals *r_r)
    __attribute__((warn_unused_result));
void row_put_cache(struct buf *b, const struct row_cache *r);
int row_get_cache(struct slice v, struct row_cache *r_r)
    __attribute__((warn_unused_result));
/* 'X': the last UID of the range. */
void row_put_expunged(struct buf *b, uint32_t last);
int row_get_expunged(struct slice v, uint32_t *last_r)
    __attribute__((warn_unused_result));
/* 'K', 'N': a text. */
void row_put_text(struct buf *b, struct slice text);
int row_get_text(struct slice v, struct slice *text_r)
    __attribute__((warn_unused_result));

#endif
