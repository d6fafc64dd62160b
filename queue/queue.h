/* SPDX-License-Identifier: ISC */
/* The queue role: what its files share. */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/daemon.h"

struct conf_queue;
struct spool;

extern const struct role queue_role;

struct spool *queue_spool(void);
const struct conf_queue *queue_conf(void);
bool queue_is_stopping(void);
/* Something that kept us from stopping is over. */
void queue_check_stop(void);
/* Flushes all mail file systems; done with 0, or an errno. */
void queue_sync_mail(void (*done)(void *arg, int error), void *arg);
/* Flushing a file makes only itself durable: owners flush for themselves. */
bool queue_is_strict(void);

#endif
