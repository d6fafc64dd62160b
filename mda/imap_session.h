/* SPDX-License-Identifier: ISC */
/*
 * One IMAP session in the owner process, as the files of its commands share
 * it: the connection to `access`, the command in work, the selected mailbox.
 *
 * A command is a function of type imap_step. It is called until it says
 * IMAP_ANSWERED; in between it may ask the mailbox model for something (with
 * imap_wait() before, imap_resume() in the callback), and it must come back
 * when imap_must_pause() says that the client reads too slowly or that others
 * have waited long enough. While a command is in work no input is looked at,
 * so pipelined commands run in their order.
 */
#ifndef MDA_IMAP_SESSION_H
#define MDA_IMAP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/region.h"
#include "base/slice.h"
#include "mda/channel.h"
#include "mda/mailbox.h"
#include "proto/imap_cmd.h"
#include "proto/imap_frame.h"

struct imap_session;
struct imap_tree;

enum imap_progress {
	IMAP_ANSWERED, /* the tagged response was written */
	IMAP_GOES_ON   /* call the step again when nothing is waited for */
};
typedef enum imap_progress imap_step(struct imap_session *s);

enum imap_phase {
	IMAP_PHASE_READ,    /* between commands */
	IMAP_PHASE_WORK,    /* `step` is the command in work */
	IMAP_PHASE_MESSAGE, /* the message of an APPEND comes in */
	IMAP_PHASE_REST,    /* behind it: the end of the command */
	IMAP_PHASE_IDLE     /* IDLE: changes are told until DONE */
};

enum {
	/* The longest message APPEND takes; APPENDLIMIT says so. */
	IMAP_MESSAGE_MAX = 128 << 20,
	/* Bytes of a message asked of the store at once. */
	IMAP_READ_SIZE = 65536
};

struct imap_session {
	struct list link;
	struct channel io;
	struct loop_timer idle;    /* IDLE: look into the folder again */
	int64_t next_word; /* of an idle session to its client */
	struct account *account;
	struct imap_frame frame;
	enum imap_phase phase;
	bool is_stopping;

	/* the command in work */
	struct region region;
	struct imap_cmd cmd;
	imap_step *step;
	void *job;                 /* its own state, in the region */
	void (*drop)(struct imap_session *s); /* frees what is not there */
	enum mbox_result result;   /* of the last callback */
	const char *why;           /* its sentence, or NULL */
	struct buf uids;           /* uint32_t; see imap_uids() */
	struct buf scratch;        /* the command's own */
	struct append_writer *writer;
	uint64_t message_left;     /* PHASE_MESSAGE */
	bool expunge_seen;         /* it met a message that is gone */

	/* an answer that was too long to be told at once */
	bool is_telling, tell_expunges, tell_uid;
	struct buf tagged;         /* the line that ends it */

	/* the selected mailbox; view NULL: none */
	struct mailbox *mailbox;
	struct view *view;
	bool is_read_only;
	unsigned n_keywords;       /* that the client was told of */
	unsigned features;         /* enum imap_feature, enabled */
	struct buf saved;          /* `$`: uint32_t UIDs, ascending */
	struct buf vanished;       /* a set; see imap_vanished_find */
	size_t vanished_at;
	struct buf deferred;       /* uint32_t UIDs: see imap_sync_defer */
	struct imap_tree *tree;    /* MIME tree of the last message */
};

/* ---- life (imap_session.c) ---- */

/* A callback of the model is due; imap_resume() goes on with the step. */
void imap_wait(struct imap_session *s);
void imap_resume(struct imap_session *s);
/* The step should return IMAP_GOES_ON now. */
bool imap_must_pause(struct imap_session *s);
/* The command was answered: drops all that was its own. */
void imap_command_done(struct imap_session *s);
/* Says BYE (NULL: nothing) and ends the session. */
void imap_end(struct imap_session *s, const char *bye, const char *why);
/* Gives what was written to the connection if it is much; steps that produce
 * a lot call it before imap_must_pause(). */
void imap_flush(struct imap_session *s);

/* ---- answers (imap_reply.c) ---- */

bool imap_is_utf8(const struct imap_session *s);
void imap_put(struct imap_session *s, const char *text);
void imap_put_number(struct buf *out, uint64_t v);
/* "* OK [code] text". */
void imap_untagged_ok(struct imap_session *s, const char *code,
    const char *text);
/* Tell what changed where the command allows it, then the tagged response.
 * `code` without brackets, or NULL. The command is answered then, though much
 * may still have to be told: imap_tell_rest(). */
enum imap_progress imap_ok(struct imap_session *s, const char *code,
    const char *text);
enum imap_progress imap_no(struct imap_session *s, const char *code,
    const char *text);
enum imap_progress imap_bad(struct imap_session *s, const char *text);
/* The answer for a result of the model other than MBOX_OK; text NULL: the
 * usual sentence. */
enum imap_progress imap_failed(struct imap_session *s, enum mbox_result r,
    const char *text);
/* "OK text", or what became of it. */
enum imap_progress imap_result(struct imap_session *s, const char *text);
/* While s->is_telling nothing else is done: goes on with the answer. */
void imap_tell_rest(struct imap_session *s);
/* FLAGS as a list; `recent`: \Recent is among them. */
void imap_put_flags(struct buf *out, const struct mailbox *m,
    const struct message *msg, bool recent);
/* Bits of the wire to bits of the model. */
uint32_t imap_flags_in(unsigned wire);
/* For a callback of type account_done, mailbox_done: notes the result. */
void imap_on_account(void *arg, enum mbox_result r, const char *text);
void imap_on_mailbox(void *arg, enum mbox_result r);

/* ---- the selected mailbox (imap_state.c) ---- */

unsigned imap_state(const struct imap_session *s);
/* Untagged EXPUNGE (VANISHED), EXISTS, RECENT, FETCH; `uid`: UIDs are to stand
 * in FETCH in any case. False: it is to pause, call again for the rest. */
bool imap_sync(struct imap_session *s, bool expunges, bool uid);
/*
 * Before a STORE: tells what changed but flags; those messages are noted and
 * told by the next imap_sync(), as they are then. A client that was silent
 * must not get the old flags after its own change.
 */
void imap_sync_defer(struct imap_session *s);
bool imap_is_deferred(const struct imap_session *s, uint32_t uid);
/* May EXPUNGE be sent at the end of the command in work? */
bool imap_may_expunge(const struct imap_session *s);
/* Takes over the mailbox with a view of it; -1 out of memory. */
int imap_select(struct imap_session *s, struct mailbox *m, bool read_only)
    __attribute__((warn_unused_result));
void imap_unselect(struct imap_session *s);
/* Has CONDSTORE been enabled (also by QRESYNC)? */
bool imap_has_condstore(const struct imap_session *s);
/* Is \Recent to be told of that message (not in IMAP4rev2)? */
bool imap_is_recent(const struct imap_session *s, uint32_t seq);
/* A command that enables CONDSTORE (RFC 7162 3.1). */
void imap_enable_condstore(struct imap_session *s);
/* FLAGS and PERMANENTFLAGS; _tell: only if there are new ones, before flags
 * that may have them (RFC 9051 7.3.5). */
void imap_put_keywords(struct imap_session *s);
void imap_tell_keywords(struct imap_session *s);
/*
 * Turns a set of the command into ranges of message numbers of the view,
 * ascending. -1: a number is past the end (BAD).
 */
int imap_numbers(struct imap_session *s, struct imap_seqset *set, bool uid)
    __attribute__((warn_unused_result));
/* The UIDs of such a set into s->uids. -1: no memory. */
int imap_uids(struct imap_session *s, const struct imap_seqset *numbers)
    __attribute__((warn_unused_result));
const uint32_t *imap_uid_array(const struct imap_session *s, size_t *n_r);
int imap_uids_add(struct imap_session *s, uint32_t uid)
    __attribute__((warn_unused_result));

/*
 * Finds the messages of `uids` (NULL: all) that were expunged after `since`
 * (RFC 7162 3.2.10.1). -1: no memory. _put tells them as untagged VANISHED
 * (EARLIER), several when they are many; false: call again after a pause.
 */
int imap_vanished_find(struct imap_session *s, uint64_t since,
    const struct imap_seqset *uids) __attribute__((warn_unused_result));
bool imap_vanished_put(struct imap_session *s);
/* After SELECT (QRESYNC …): what changed since (RFC 7162 3.2.5). _begin: -1: no
 * memory. _on: from message number *seq on, 1 at first; false: call again after
 * a pause. */
int imap_resync_begin(struct imap_session *s)
    __attribute__((warn_unused_result));
bool imap_resync_on(struct imap_session *s, uint32_t *seq);

/* Our form of a mailbox name from the wire, in the region. NULL: answered. */
const char *imap_name(struct imap_session *s, struct slice wire,
    unsigned how);

/* ---- commands ---- */

imap_step imap_run_capability, imap_run_noop, imap_run_logout, imap_run_id,
    imap_run_enable, imap_run_idle, imap_run_compress;
imap_step imap_run_select, imap_run_close, imap_run_unselect, imap_run_check;
imap_step imap_run_create, imap_run_delete, imap_run_rename,
    imap_run_subscribe, imap_run_status, imap_run_namespace;
imap_step imap_run_list;
imap_step imap_run_getquota, imap_run_getquotaroot, imap_run_setquota;
imap_step imap_run_append;
imap_step imap_run_fetch, imap_run_store, imap_run_copy, imap_run_expunge,
    imap_run_search;

/* IDLE: its timer; input while it lasts (true: it is over); news of the
 * mailbox. */
void imap_idle_init(struct imap_session *s);
bool imap_idle_read(struct imap_session *s);
void imap_news(struct imap_session *s);

/* "IMAP4rev1 LITERAL+ …". */
void imap_put_capabilities(struct imap_session *s);
/* One STATUS response. */
void imap_put_status(struct imap_session *s, const struct mbox_info *info,
    unsigned items);
/* One LIST response for the mailbox that is selected (RFC 9051 6.3.2). */
void imap_put_list_of(struct imap_session *s, const struct mbox_info *info);

/* APPEND: the command up to its literal was parsed. 0: the message may come;
 * -1: answered. */
int imap_append_start(struct imap_session *s)
    __attribute__((warn_unused_result));
void imap_append_bytes(struct imap_session *s, struct slice bytes);
/* Its connection ends in the middle. */
void imap_append_drop(struct imap_session *s);

/* The session ends, or another mailbox is selected: drop the cached tree. */
void imap_tree_free(struct imap_session *s);
/* A command is over: drop it if it is large. */
void imap_tree_trim(struct imap_session *s);

#endif
