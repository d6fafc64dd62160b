/* SPDX-License-Identifier: ISC */
/*
 * Those whom a front asks (queue, directory, state), played by the test, with
 * scripted time: what they are told is kept as text, the answers are the
 * test's own. We are smtpd[5].
 */
#ifndef TESTS_UNIT_SESSION_ASKED_H
#define TESTS_UNIT_SESSION_ASKED_H

#include <stdint.h>

#include "sys/ipc.h"

struct loop;

/* Time and loop; nobody is there yet. */
void asked_begin(void);
struct loop *asked_loop(void);
/* That role comes, or its process dies. */
void asked_bring(enum role_id role);
void asked_lose(enum role_id role);
/* Their end of the link; our end is what daemon_peer() gives. */
struct ipc_link *asked_end(enum role_id role);
/* Who handles what we receive and did not ask for. */
void asked_handle(enum ipc_type type, ipc_handler *handler);
/* Until nothing happens without time passing; time passes. */
void asked_settle(void);
void asked_pass(int64_t ms);
/* What they were told since the last call, "NAME what; NAME what"; valid until
 * the next. */
const char *asked_told(void);
/* The number of the n-th question from the first on. */
uint64_t asked_req(unsigned n);
unsigned asked_count(void);
/* Descriptors of this process that are open. */
unsigned asked_fds(void);

#endif
