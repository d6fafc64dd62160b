/* SPDX-License-Identifier: ISC */
/* A question to the resolver role. Tests link another lookup.c. */
#ifndef MTA_LOOKUP_H
#define MTA_LOOKUP_H

#include "base/slice.h"
#include "proto/dns.h"
#include "sys/loop.h"

struct ipc_call;

struct lookup {
	void (*done)(struct lookup *q, enum dns_status status,
	    struct slice records);
	struct ipc_call *call;
	struct loop_later later;
};

/* Asks for the records of `name`; q->done is called once, from the loop. The
 * records are a view, valid until it returns. */
void lookup_start(struct lookup *q, enum dns_type type, struct slice name);
/* It is not called any more. Harmless when nothing is asked. */
void lookup_cancel(struct lookup *q);

#endif
