/* SPDX-License-Identifier: ISC */
/*
 * What the load clients share: their common options, the way to the server,
 * the counting of what was done, and the line of JSON at the end. A client is
 * one process with one loop; it may cost less than what it measures, so there
 * is nothing here to allocate for each message.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/slice.h"
#include "sys/conn.h"
#include "sys/loop.h"

struct tls_client;

/* Of -u and -t: a text with at most one %d. */
struct load_pattern {
	struct slice before, after;
	bool is_numbered;
};

enum load_tls { LOAD_PLAIN, LOAD_TLS, LOAD_STARTTLS };

/* Options that all clients know, for getopt(). */
#define LOAD_OPTIONS "a:s:l:x:TSu:n:p:B:"

struct load {
	const char *address;      /* -a HOST:PORT */
	uint64_t sessions;        /* -s at a time */
	uint64_t size;            /* -l bytes of a message */
	uint64_t limit_s;         /* -x seconds that a run may take */
	enum load_tls tls;        /* -T at once, -S by STARTTLS */
	struct load_pattern user; /* -u */
	uint64_t users;           /* -n: %d runs from 0 to n - 1 */
	const char *password;     /* -p */
	uint64_t sources;         /* -B: addresses 127.0.0.x to come from */

	struct loop *loop;
	struct tls_client *tls_client;
	struct sockaddr_storage to;
	socklen_t to_len;
	struct loop_timer limit;

	uint64_t done, refused, failed;
	bool is_reached; /* the client sets it: some server has greeted us */
	bool is_late;
	int64_t began_us, ended_us;
	uint64_t cpu_us; /* of this process, from load_start to load_end */
};

/* "bench_smtp: text" on standard error, exit 1. */
void load_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* Default values. */
void load_init(struct load *l);
/* Takes one of LOAD_OPTIONS; false when it is none of them. */
bool load_option(struct load *l, int option, const char *value);
uint64_t load_number(const char *text, uint64_t min, uint64_t max);
void load_parse_pattern(struct load_pattern *p, const char *text);
/* Appends the pattern with its number, or a number alone. */
void load_add_pattern(struct buf *b, const struct load_pattern *p,
    uint64_t number);
void load_add_number(struct buf *b, uint64_t number);

/* The loop, TLS, descriptors enough, the clock: to be called when all options
 * were read. Without `connects` there is no address to resolve. */
void load_start(struct load *l, bool connects);
/* Connects, and begins TLS with -T; `number` chooses the source address. NULL
 * with errno. `drained` or `secured` tells when the greeting can come. */
struct conn *load_connect(struct load *l, uint64_t number,
    const struct conn_events *events, void *arg);
/* Runs the loop until load_end or the limit of time. */
void load_run(struct load *l);
/* Stops clocks and loop. */
void load_end(struct load *l);

/*
 * Counts one refused or failed transaction. The first few reasons go to
 * standard error. When nobody ever greeted us and every session has failed,
 * there is nothing to measure: exit 1.
 */
void load_refused(struct load *l, struct slice why);
void load_failed(struct load *l, const char *why);
/* Why a connection ended, in words for load_failed. */
const char *load_why(const struct conn *c, enum conn_end why);

/* The beginning of the line of JSON, without its last brace. */
void load_print(const struct load *l);

/* Times that something took. */
struct load_times {
	uint32_t *us;
	size_t n, cap;
};

void load_times_add(struct load_times *t, int64_t us);
/* Sorts, as the next function needs it. */
void load_times_sort(struct load_times *t);
/* Prints milliseconds of the place in a thousand (0 the least, 500 the median,
 * 1000 the most), or null. */
void load_times_print(const struct load_times *t, unsigned place);

#endif
