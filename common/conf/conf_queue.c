/* SPDX-License-Identifier: ISC */
/* Section `queue`. */
#include "conf/conf_queue.h"

static const struct conf_def rows[] = {
	CONF(conf_queue, TIME, retry_min, "5m", 1000, 86400000, CONF_LIVE,
	    "The first wait before a delivery is tried again."),
	CONF(conf_queue, TIME, retry_max, "4h", 1000, 604800000, CONF_LIVE,
	    "The longest wait; it doubles from one to the other, with "
	    "jitter."),
	CONF(conf_queue, TIME, max_age, "5d", 60000, 2592000000, CONF_LIVE,
	    "How long a message is tried before it is bounced."),
	CONF(conf_queue, TIME, max_age_bounce, "2d", 60000, 2592000000,
	    CONF_LIVE,
	    "The same for bounces."),
	CONF(conf_queue, TIME, delay_warning, "4h", 0, 2592000000, CONF_LIVE,
	    "After this time the sender is told that a message waits; "
	    "0 for never."),
	CONF(conf_queue, INT, per_destination, "20", 1, 10000, CONF_LIVE,
	    "Most deliveries to one next hop at a time."),
	CONF(conf_queue, INT, in_work, "1000", 1, 100000, CONF_LIVE,
	    "Most messages in work at a time; a quarter of these places is "
	    "never given to mail that goes to other hosts."),
	CONF(conf_queue, SIZE, bounce_size, "50K", 0, 1LL << 30, CONF_LIVE,
	    "A bounce that returns the whole message does so only up "
	    "to this size."),
	CONF(conf_queue, INT, flush_threads, "16", 1, 256, CONF_RESTART,
	    "Threads that flush to disk at the same time."),
	CONF(conf_queue, SIZE, min_free, "100M", 0, 1LL << 40, CONF_LIVE,
	    "Below this much free disk no mail is taken in; bounces "
	    "are until half of it."),
	CONF(conf_queue, INT, expansion, "10000", 1, 10000000, CONF_LIVE,
	    "Most recipients that one message may reach through "
	    "aliases."),
};

CONF_SECTION(conf_queue_section, "queue", false, conf_queue, rows,
    "The queue: retries, bounces, limits.");
