/* SPDX-License-Identifier: ISC */
/* What exchange.c (messages of the client) and attempt.c (who, how often, is it
 * right) share. */
#ifndef AUTH_EXCHANGE_PRIV_H
#define AUTH_EXCHANGE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "conf/conf_auth.h"
#include "proto/sasl_server.h"
#include "sys/auth_result.h"
#include "sys/ipc.h"
#include "sys/loop.h"
#include "sys/scram_keys.h"

enum { TICKET_SIZE = 16 };

enum state { AT_SASL, AT_LOOKUP, AT_RATES, AT_HASHING, AT_TICKET, AT_HELD };

/* What the way through LOOKUP and RATES is for. */
enum goal { GOAL_PASSWORD, GOAL_KEYS };

struct exchange {
	uint64_t key[2]; /* serial of the front's link, its own number */
	struct list link;
	enum state state;
	enum goal goal;
	uint64_t req;    /* of the question without an answer */
	enum role_id front;
	uint32_t instance;
	enum sasl_mech mech;
	struct sasl_server sasl;
	struct buf binding, client, service;
	struct buf name; /* prepared; empty: nobody can be called so */
	bool is_found, is_enabled, has_keys;
	uint64_t account;
	struct buf address;
	struct scram_keys keys;
	struct ipc_call *calls[2]; /* of LOOKUP, RATES, TICKET */
	unsigned open_calls;
	bool is_slowed;
	int64_t began;   /* this question */
	enum auth_result held;
	struct loop_timer timer;
	char ticket[TICKET_SIZE];
};

struct exchanges {
	struct loop *loop;
	struct passwords *passwords;
	struct conf_auth conf;
	struct map map;
	struct list all;
	uint64_t good, failed, slowed, malformed, later, remembered;
};

extern struct exchanges exchanges;

/* By serial and number, or NULL. */
struct exchange *exchange_find(const uint64_t key[2]);
void exchange_free(struct exchange *x);
/* The last answer; the exchange is gone afterwards. */
void exchange_finish(struct exchange *x, enum auth_result result);
/* The same as AUTH_LATER, with a line in the log. */
void exchange_finish_later(struct exchange *x, const char *why);
/* A line in the log; `why` may be empty. */
void exchange_log(const struct exchange *x, const char *event,
    const char *why);
/* What the mechanism wants next; the exchange may be gone afterwards, as after
 * all that follows. */
void exchange_step(struct exchange *x, enum sasl_step step, struct buf *out);

/* The name is known: asks directory and state, then checks the password or
 * gives keys, as x->goal says. */
void attempt_identify(struct exchange *x);
/* The client of SCRAM has shown its proof. */
void attempt_check_proof(struct exchange *x, struct buf *out);
/* It has proved itself: lets it in, by a ticket where it needs one. */
void attempt_grant(struct exchange *x);

#endif
