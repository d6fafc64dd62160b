/* SPDX-License-Identifier: ISC */
/* A lookup: ADDR_ASK, then for an alias EXPAND_ASK and the next ADDR_ASK. */
#include "mda/lmtp_account.h"

#include <stdlib.h>

#include "proto/limits.h"
#include "session/recipients.h"
#include "session/smtp_session.h"
#include "sys/daemon.h"

enum { EXPAND_MS = 10000, ALIASES_MAX = 10 };

struct lmtp_lookup {
	struct recipient_ask *ask;
	struct ipc_call *call;
	lmtp_account_done *done;
	void *arg;
	struct buf address, target;
	size_t n_targets;
	int aliases;
	bool is_starting, is_over;
};

static void look_up(struct lmtp_lookup *l);

static void
lookup_free(struct lmtp_lookup *l)
{
	buf_fini(&l->address);
	buf_fini(&l->target);
	free(l);
}

static void
over(struct lmtp_lookup *l, uint64_t account, const struct smtp_answer *no)
{
	l->done(l->arg, account, no);
	if (l->is_starting)
		l->is_over = true; /* freed by who started it */
	else
		lookup_free(l);
}

static const struct smtp_answer *
later(void)
{
	return smtp_session_refusal(ADDR_LATER, false);
}

static const struct smtp_answer *
not_here(void)
{
	return SMTP_ANSWER(550, 5, 1, 1,
	    "LMTP delivers to mailboxes of this server only");
}

static void
on_expanded(void *arg, int type, const union ipc_any *m, int fd)
{
	struct lmtp_lookup *l = arg;

	(void)fd;
	if (type == IPC_EXPAND_ITEM) {
		if (l->n_targets++ == 0)
			buf_add_slice(&l->target, m->EXPAND_ITEM.target);
		return;
	}
	l->call = NULL;
	if (m == NULL || m->EXPAND_DONE.kind == ADDR_LATER) {
		over(l, 0, later());
	} else if (m->EXPAND_DONE.kind == ADDR_LOOP ||
	    ++l->aliases > ALIASES_MAX) {
		over(l, 0, smtp_session_refusal(ADDR_LOOP, false));
	} else if (l->n_targets != 1 || !buf_is_ok(&l->target)) {
		over(l, 0, SMTP_ANSWER(550, 5, 1, 1,
		    "This address stands for several: LMTP delivers to "
		    "mailboxes only"));
	} else {
		buf_reset(&l->address);
		buf_add_slice(&l->address, buf_slice(&l->target));
		look_up(l);
	}
}

static void
expand(struct lmtp_lookup *l)
{
	struct ipc_link *directory = daemon_peer(ROLE_DIRECTORY);

	if (directory == NULL) {
		over(l, 0, later());
		return;
	}
	buf_reset(&l->target);
	l->n_targets = 0;
	l->call = ipc_ask(directory, EXPAND_ASK, -1, EXPAND_MS, on_expanded,
	    l, .address = buf_slice(&l->address));
}

static void
on_recipient(void *arg, const struct recipient *r)
{
	struct lmtp_lookup *l = arg;

	l->ask = NULL;
	switch (r->kind) {
	case ADDR_ALIAS:
		expand(l);
		break;
	case ADDR_INVALID:
	case ADDR_RELAY:
	case ADDR_REMOTE:
		over(l, 0, not_here());
		break;
	case ADDR_ACCOUNT:
	case ADDR_UNKNOWN:
	case ADDR_DISABLED:
	case ADDR_LOOP:
	case ADDR_LATER:
	case ADDR_KIND_COUNT:
		over(l, r->account,
		    smtp_session_refusal(r->kind, r->is_over_quota));
		break;
	}
}

static void
look_up(struct lmtp_lookup *l)
{
	/* Answered at once it may be gone when this returns. */
	bool was_starting = l->is_starting;
	struct recipient_ask *ask;

	l->is_starting = true;
	ask = recipients_ask(buf_slice(&l->address), on_recipient, l);
	l->is_starting = was_starting;
	if (ask != NULL)
		l->ask = ask;
	else if (l->is_over && !was_starting)
		lookup_free(l);
}

struct lmtp_lookup *
lmtp_account_find(struct slice address, lmtp_account_done *done, void *arg)
{
	struct lmtp_lookup *l = calloc(1, sizeof *l);

	if (l == NULL) {
		done(arg, 0, later());
		return NULL;
	}
	l->done = done;
	l->arg = arg;
	buf_init(&l->address, LIMIT_PATH + 2);
	buf_init(&l->target, LIMIT_PATH + 2);
	buf_add_slice(&l->address, address);
	l->is_starting = true;
	look_up(l);
	l->is_starting = false;
	if (!l->is_over)
		return l;
	lookup_free(l);
	return NULL;
}

void
lmtp_account_cancel(struct lmtp_lookup **lp)
{
	struct lmtp_lookup *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	recipients_cancel(&l->ask);
	ipc_call_cancel(&l->call);
	lookup_free(l);
}
