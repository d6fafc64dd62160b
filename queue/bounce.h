/* SPDX-License-Identifier: ISC */
/* Notifications to senders: RFC 3461, RFC 3464. */
#ifndef QUEUE_BOUNCE_H
#define QUEUE_BOUNCE_H

#include <stdbool.h>

#include "queue/message.h"

/*
 * Tells the senders of the failed recipients of this attempt, who want to
 * hear it. `done` comes from the loop with ok when every notice is durable
 * (or none was needed): only then may the recipients be marked.
 */
void bounce_failures(struct message *m, void (*done)(void *arg, bool ok),
    void *arg);
/* Success notices (NOTIFY=SUCCESS) for what this attempt delivered. */
void bounce_successes(struct message *m);
/* Says that it is late, to senders who want to hear it. False when nobody
 * was told. */
bool bounce_delay(struct message *m);

#endif
