/* SPDX-License-Identifier: ISC */
/* Directory, broker, owners, relays, master and smtpd of a play (play.h). */
#ifndef TESTS_UNIT_QUEUE_PLAY_PEERS_H
#define TESTS_UNIT_QUEUE_PLAY_PEERS_H

#include <stdbool.h>

#include "sys/ipc.h"

struct loop;

void peers_start(struct loop *l);
/* smtpd's end of its link. */
struct ipc_link *peers_submitter(void);
/* Master and broker tell whose process ended since. False: nobody's. */
bool peers_tell_news(void);

#endif
