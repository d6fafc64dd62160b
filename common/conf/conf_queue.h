/* SPDX-License-Identifier: ISC */
/* Section `queue`: the queue: retries, bounces, limits. */
#ifndef CONF_CONF_QUEUE_H
#define CONF_CONF_QUEUE_H

#include "sys/conf.h"

struct conf_queue {
	int64_t retry_min;
	int64_t retry_max;
	int64_t max_age;
	int64_t max_age_bounce;
	int64_t delay_warning;
	int64_t per_destination;
	int64_t in_work;
	int64_t bounce_size;
	int64_t flush_threads;
	int64_t min_free;
	int64_t expansion;
};

extern const struct conf_section conf_queue_section;

#endif
