/* SPDX-License-Identifier: ISC */
/*
 * A message in the queue's memory. What waits is small; envelope, body and
 * results are in memory only while it is being worked on.
 */
#ifndef QUEUE_MESSAGE_H
#define QUEUE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/region.h"
#include "proto/status.h"
#include "queue/spool.h"
#include "sys/ipc.h"

struct destination;

/* Where a recipient stands within the attempt that runs. */
enum rcpt_step {
	STEP_NONE,      /* not looked at in this attempt */
	STEP_ROUTING,   /* directory is asked */
	STEP_EXPANDING, /* its targets are being read or recorded */
	STEP_ROUTED,    /* goes to `to` */
	STEP_SENT,      /* a delivery has it */
	STEP_PLACED,    /* in its mailbox, the flush is to come */
	STEP_OVER       /* `result` says how */
};

struct rcpt_work {
	enum rcpt_step step;
	struct destination *to;
	uint64_t account;     /* of a local one */
	uint32_t parent;      /* the alias it came from, or UINT32_MAX */
	struct status result; /* text in the live region */
	struct slice remote;
	bool dsn_passed;      /* the next hop took over the DSN parameters */
	bool postponed;       /* there is no room for it where it goes */
	bool rests;           /* this attempt leaves it out: see respite */
	bool lost;            /* the process that had it went away */
	bool untried;         /* it is over, but no process had it */
	bool folded;          /* an alias whose targets were all there already */
};

/* While it is worked on. */
struct live {
	struct region mem;
	struct spool_envelope env;
	struct rcpt_work *work; /* one for each of env.rcpts */
	size_t cap;             /* of work and env.rcpts */
	struct buf body;        /* bodies that travel in messages */
	size_t pending;         /* answers to come */
	uint32_t asked;         /* recipients up to here have been routed */
	struct list recording;  /* expansions on their way to the disk */
	struct ipc_waiter room; /* in the link to the directory */
	struct destination *busy; /* that the first one postponed waits for */
	bool was_tried;         /* a process had it, and came back */
	bool has_remote_place;  /* counted among those that go to a relay */
};

/* Recipients that were deferred while others of the message have not been
 * tried yet: these are left alone until their own time has come. */
struct respite {
	int64_t until; /* boot ms */
	uint32_t n;
	uint32_t rcpts[];
};

struct message {
	struct spool_ref *ref;
	uint64_t id;
	struct heap_node due;      /* in the schedule: key is boot ms */
	struct list waiting;       /* in line for a place in work, or … */
	struct destination *waits_for; /* … for this destination; or called */
	struct live *live;
	struct respite *respite;   /* or NULL */
	struct spool_status st;    /* st.text points into `text` */
	char *text;
	int64_t arrival_s, deadline_s; /* by the schedule's steady clock; 0: not
					* read yet */
	uint8_t alone_tries;       /* that came to nothing */
	bool called;               /* by waits_for, and on its way */
	bool is_remote;            /* as far as we know */
	bool by_hand;              /* the administrator asked for an attempt */
	bool removed;              /* the administrator took it out */
	bool process_lost;         /* in this attempt, with it in work */
};

/* A message for a slot; takes the live part over (or NULL). */
struct message *message_new(struct spool_ref *ref, uint64_t id,
    const struct spool_status *st, struct live *live);
void message_free(struct message **m);
/* Reads envelope and small body into memory. 0; -1: set aside by the caller. */
int message_load(struct spool *s, struct message *m)
    __attribute__((warn_unused_result));
void message_unload(struct message *m);
/* Takes it out of whatever line it waits in; it does not come if it was
 * called. */
void message_leave_line(struct message *m);
/* Did a process crash on it, or on one that was there with it? */
bool message_is_suspect(const struct message *m);

struct live *live_new(void);
void live_free(struct live **l);
/* Room for `n` more recipients; 0 or -1 (too many, no memory). */
int live_grow(struct live *l, uint32_t n) __attribute__((warn_unused_result));
/* Sets the result of a recipient; the text is copied. */
void live_result(struct live *l, uint32_t rcpt, enum outcome outcome, int code,
    struct enhanced enhanced, struct slice text, struct slice remote);

/* Replaces the message's last status text. */
void message_set_text(struct message *m, struct slice text);
/* The sender of a recipient, by its group. */
struct slice message_sender(const struct spool_envelope *e, uint32_t rcpt);

#endif
