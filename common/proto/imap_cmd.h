/* SPDX-License-Identifier: ISC */
/*
 * IMAP commands: text to struct. The table says what exists, in which states it
 * may be used and what a session must mind while it runs; the arguments are
 * checked for form only, and all names of mailboxes are as the client wrote
 * them (imap_mailbox decodes: a name that cannot exist is NO, not BAD).
 *
 * RFC 9051 6, 3501 6; extensions: 2177 IDLE, 2342 NAMESPACE, 2971 ID, 3691
 * UNSELECT, 4315 UIDPLUS, 4466, 4978 COMPRESS, 5161 ENABLE, 5258 5819 6154 8440
 * LIST, 6851 MOVE, 6855 UTF8, 7162 CONDSTORE QRESYNC, 9208 QUOTA, 9394 PARTIAL.
 */
#ifndef PROTO_IMAP_CMD_H
#define PROTO_IMAP_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/region.h"
#include "base/slice.h"
#include "proto/imap_error.h"
#include "proto/imap_fetch.h"
#include "proto/imap_search.h"
#include "proto/imap_seqset.h"
#include "proto/imap_token.h"

/* The UID forms have the verb of the plain ones. */
enum imap_verb {
	IMAP_APPEND,
	IMAP_AUTHENTICATE,
	IMAP_CAPABILITY,
	IMAP_CHECK,
	IMAP_CLOSE,
	IMAP_COMPRESS,
	IMAP_COPY,
	IMAP_CREATE,
	IMAP_DELETE,
	IMAP_ENABLE,
	IMAP_EXAMINE,
	IMAP_EXPUNGE,
	IMAP_FETCH,
	IMAP_GETQUOTA,
	IMAP_GETQUOTAROOT,
	IMAP_ID,
	IMAP_IDLE,
	IMAP_LIST,
	IMAP_LOGIN,
	IMAP_LOGOUT,
	IMAP_LSUB,
	IMAP_MOVE,
	IMAP_NAMESPACE,
	IMAP_NOOP,
	IMAP_RENAME,
	IMAP_SEARCH,
	IMAP_SELECT,
	IMAP_SETQUOTA,
	IMAP_STARTTLS,
	IMAP_STATUS,
	IMAP_STORE,
	IMAP_SUBSCRIBE,
	IMAP_UNSELECT,
	IMAP_UNSUBSCRIBE,
	IMAP_VERB_COUNT
};

/* RFC 9051 3. Logout is the end of the session. */
enum imap_state {
	IMAP_STATE_NONAUTH = 1 << 0,  /* greeted, nobody has logged in */
	IMAP_STATE_AUTH = 1 << 1,     /* logged in, no mailbox selected */
	IMAP_STATE_SELECTED = 1 << 2  /* a mailbox is selected */
};

enum imap_command_flag {
	/* Of the UID forms. */
	IMAP_CMD_UID = 1 << 0,
	/* Message numbers stand in its arguments or answers: no EXPUNGE may be
	 * sent while it runs (RFC 9051 7.5.1). A UID SEARCH may hold some too:
	 * see imap_search.needs. */
	IMAP_CMD_USES_SEQ = 1 << 1,
	/* EXPUNGE may be sent at its end: message numbers move, and nothing
	 * that uses them may run beside it (RFC 9051 5.5). */
	IMAP_CMD_BREAKS_SEQ = 1 << 2,
	/* The session's state or its stream changes: nothing that comes after
	 * it may be looked at before it is done. */
	IMAP_CMD_CHANGES_STATE = 1 << 3,
	/* More bytes belong to it, behind "+": an exchange, DONE, a message. */
	IMAP_CMD_CONTINUES = 1 << 4,
	/* Its text must not be logged. */
	IMAP_CMD_SECRET = 1 << 5,
	/* It changes the selected mailbox: refused behind EXAMINE. */
	IMAP_CMD_WRITES = 1 << 6
};

struct imap_cmd;

struct imap_command {
	const char *name; /* "UID FETCH" with its space */
	enum imap_verb verb;
	unsigned states, flags;
	int (*take)(struct imap_cur *c, struct imap_cmd *cmd);
};

/* Sorted by name. */
extern const struct imap_command imap_commands[];
extern const size_t imap_command_count;

struct imap_words {
	struct slice *v;
	size_t n;
};

struct imap_login {
	struct slice user, password;
};

struct imap_authenticate {
	struct slice mechanism;
	/* Base 64, not decoded; SLICE_NONE when not given, empty for "=". */
	struct slice initial;
};

enum imap_feature {
	IMAP_FEATURE_CONDSTORE = 1 << 0,
	IMAP_FEATURE_QRESYNC = 1 << 1,
	IMAP_FEATURE_UTF8 = 1 << 2, /* UTF8=ACCEPT */
	IMAP_FEATURE_REV2 = 1 << 3  /* IMAP4rev2 */
};

/* Unknown words are ignored (RFC 5161 3.1), so only bits are kept. */
struct imap_enable {
	unsigned features;
};

/* ID: field and value in turn; a NIL value is SLICE_NONE. n is even. */
struct imap_id {
	struct imap_words pairs;
};

struct imap_select {
	struct slice mailbox;
	bool condstore, qresync;
	/* qresync (RFC 7162 3.2.5): */
	uint32_t uidvalidity;
	uint64_t modseq;
	bool has_uids, has_match;
	struct imap_seqset uids;                  /* what the client knows */
	struct imap_seqset match_seqs, match_uids; /* in order, by place */
};

/* RFC 6154 2, 8457. */
enum imap_use {
	IMAP_USE_ALL = 1 << 0,
	IMAP_USE_ARCHIVE = 1 << 1,
	IMAP_USE_DRAFTS = 1 << 2,
	IMAP_USE_FLAGGED = 1 << 3,
	IMAP_USE_JUNK = 1 << 4,
	IMAP_USE_SENT = 1 << 5,
	IMAP_USE_TRASH = 1 << 6,
	IMAP_USE_IMPORTANT = 1 << 7,
	IMAP_USE_UNKNOWN = 1 << 8 /* answer NO [USEATTR] */
};

struct imap_create {
	struct slice mailbox;
	unsigned use;
};

struct imap_rename {
	struct slice from, to;
};

/* DELETE, SUBSCRIBE, UNSUBSCRIBE, GETQUOTAROOT; the root of GETQUOTA. */
struct imap_name {
	struct slice name;
};

enum imap_status_item {
	IMAP_STATUS_MESSAGES = 1 << 0,
	IMAP_STATUS_RECENT = 1 << 1,
	IMAP_STATUS_UIDNEXT = 1 << 2,
	IMAP_STATUS_UIDVALIDITY = 1 << 3,
	IMAP_STATUS_UNSEEN = 1 << 4,
	IMAP_STATUS_DELETED = 1 << 5,
	IMAP_STATUS_SIZE = 1 << 6,          /* RFC 8438 */
	IMAP_STATUS_HIGHESTMODSEQ = 1 << 7, /* RFC 7162 */
	IMAP_STATUS_MAILBOXID = 1 << 8,     /* RFC 8474 */
	IMAP_STATUS_DELETED_STORAGE = 1 << 9, /* RFC 9208 */
	IMAP_STATUS_APPENDLIMIT = 1 << 10   /* RFC 7889 */
};

struct imap_status {
	struct slice mailbox;
	unsigned items;
};

enum imap_list_select {
	IMAP_LIST_SUBSCRIBED = 1 << 0,
	IMAP_LIST_REMOTE = 1 << 1,
	IMAP_LIST_RECURSIVEMATCH = 1 << 2,
	IMAP_LIST_SPECIAL_USE = 1 << 3
};

enum imap_list_return {
	IMAP_LIST_RETURN_SUBSCRIBED = 1 << 0,
	IMAP_LIST_RETURN_CHILDREN = 1 << 1,
	IMAP_LIST_RETURN_SPECIAL_USE = 1 << 2,
	IMAP_LIST_RETURN_STATUS = 1 << 3,
	IMAP_LIST_RETURN_MYRIGHTS = 1 << 4
};

/* LIST and LSUB. */
struct imap_list {
	struct slice reference;
	struct imap_words patterns; /* at least one */
	bool is_extended;  /* RFC 5258 3: the empty pattern is not special */
	unsigned select, returns;
	unsigned status;   /* RETURN (STATUS (…)) */
};

struct imap_append {
	struct slice mailbox;
	struct imap_flags flags;
	bool has_date;
	struct imap_datetime date;
	bool is_utf8;     /* UTF8 (~{n}: `)` stands behind it (RFC 6855 4) */
	bool is_literal8; /* NUL may stand in it */
	bool is_sync;     /* the client waits for "+" */
	uint64_t size;
};

struct imap_fetch_cmd {
	struct imap_seqset set;
	struct imap_fetch fetch; /* with UID for UID FETCH */
	bool has_changedsince, vanished, has_partial;
	uint64_t changedsince; /* MODSEQ is among the items then */
	struct imap_partial partial;
};

enum imap_store_how { IMAP_STORE_REPLACE, IMAP_STORE_ADD, IMAP_STORE_REMOVE };

struct imap_store {
	struct imap_seqset set;
	enum imap_store_how how;
	bool silent;
	bool has_unchangedsince;
	uint64_t unchangedsince; /* 0: nothing is ever unchanged */
	struct imap_flags flags;
};

/* COPY and MOVE. */
struct imap_copy {
	struct imap_seqset set;
	struct slice mailbox;
};

struct imap_setquota {
	struct slice root;
	size_t n;
	struct imap_resource {
		struct slice name;
		uint64_t limit;
	} *resources;
};

/* Do not copy: u.fetch holds a list. */
struct imap_cmd {
	struct slice tag; /* SLICE_NONE when there is none: answer `* BAD` */
	const struct imap_command *row; /* NULL: unknown */
	enum imap_error error;
	union {
		struct imap_login login;
		struct imap_authenticate authenticate;
		struct imap_enable enable;
		struct imap_id id;
		struct slice compress; /* the algorithm */
		struct imap_select select; /* EXAMINE too */
		struct imap_create create;
		struct imap_rename rename;
		struct imap_name name;
		struct imap_status status;
		struct imap_list list;
		struct imap_append append;
		struct imap_search search;
		struct imap_fetch_cmd fetch;
		struct imap_store store;
		struct imap_copy copy;
		struct imap_seqset expunge; /* UID EXPUNGE */
		struct imap_setquota setquota;
	} u;
};

/*
 * Reads a whole command (what IMAP_FRAME_COMMAND or _MESSAGE gave) in a state
 * of enum imap_state. All slices live as long as text and region. -1: error
 * says why; tag and row are set as far as they could be read. In a state in
 * which the command cannot be used the arguments are not looked at.
 */
int imap_cmd_parse(struct slice text, unsigned state, struct region *region,
    struct imap_cmd *cmd_r) __attribute__((warn_unused_result));
/*
 * What stands behind an APPEND's message: *more_r false at its end, else the
 * next message of a MULTIAPPEND is in *a, whose is_utf8 must still be that of
 * the last one; its mailbox stays. -1: *error_r.
 */
int imap_cmd_append_next(struct slice text, struct region *region,
    struct imap_append *a, bool *more_r, enum imap_error *error_r)
    __attribute__((warn_unused_result));
/* The tag at the front of a broken or unfinished command, or SLICE_NONE. */
struct slice imap_cmd_tag(struct slice text);
/* The row of "NOOP" or "UID FETCH" in any case, or NULL. */
const struct imap_command *imap_command_find(struct slice name);

#endif
