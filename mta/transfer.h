/* SPDX-License-Identifier: ISC */
/*
 * One message on its way to one next hop: host after host, until each
 * recipient has a final answer, or no host or no time is left to try.
 */
#ifndef MTA_TRANSFER_H
#define MTA_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/smtp_cmd.h"
#include "proto/status.h"

struct transfer;

/* Copied. */
struct transfer_mail {
	uint64_t id; /* for the log */
	struct slice nexthop, sender, envid;
	enum smtp_ret ret;
	enum smtp_body body_type;
	bool is_utf8, is_probe;
	bool is_again; /* an attempt before this one failed */
};

struct transfer_result {
	uint32_t index; /* as it was given to transfer_add_rcpt */
	struct status status;
	struct slice remote; /* the host that said so; empty: we */
	bool is_dsn_passed;
};

struct transfer_events {
	/* Once for each recipient. The transfer may not be freed in it. */
	void (*result)(void *arg, const struct transfer_result *r);
	/* All recipients have results: free it. host_later: no host of the
	 * next hop was to be reached. */
	void (*done)(void *arg, bool host_later);
};

/* NULL when out of memory. */
struct transfer *transfer_new(const struct transfer_mail *mail,
    const struct transfer_events *events, void *arg);
/* Ends it at once and without a word, wherever it is. Sets *t NULL. */
void transfer_free(struct transfer **t);

/* All before transfer_begin. -1: out of memory, or too much. */
int transfer_add_rcpt(struct transfer *t, uint32_t index,
    struct slice address, unsigned notify, struct slice orcpt)
    __attribute__((warn_unused_result));
int transfer_add_body(struct transfer *t, struct slice bytes)
    __attribute__((warn_unused_result));
/* Takes the descriptor over. */
void transfer_set_file(struct transfer *t, int fd, uint64_t size);
/* Events come from the loop, never before this returns. */
void transfer_begin(struct transfer *t);

#endif
