/* SPDX-License-Identifier: ISC */
/*
 * Options, connecting, counting. Connections come from one address unless -B
 * says more or there are more of them than one address has ports: Linux gives
 * a whole 127.0.0.0/8 for it.
 */
#include "bench/load/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/num.h"
#include "sys/tls.h"

enum {
	INPUT_MAX = 65536,    /* one recv() of conn.c */
	OUTPUT_HIGH = 262144, /* a long message goes in pieces of this */
	REASONS = 5,          /* told on standard error */
	HEAP_KEEP = 64 << 20  /* buffers come and go: keep their pages */
};

void
load_die(const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

/* ---- options ---- */

void
load_init(struct load *l)
{
	*l = (struct load){ .sessions = 1, .size = 4096, .limit_s = 600,
		.users = 1, .sources = 1 };
}

uint64_t
load_number(const char *text, uint64_t min, uint64_t max)
{
	uint64_t n;

	if (num_parse_size(slice_str(text), &n) < 0 || n < min || n > max)
		load_die("%s is no number from %llu to %llu", text,
		    (unsigned long long)min, (unsigned long long)max);
	return n;
}

void
load_parse_pattern(struct load_pattern *p, const char *text)
{
	struct slice s = slice_str(text);
	ptrdiff_t at = slice_find(s, SLICE("%d"));

	p->is_numbered = at >= 0;
	p->before = at < 0 ? s : slice_head(s, (size_t)at);
	p->after = at < 0 ? SLICE_NONE : slice_from(s, (size_t)at + 2);
	if (slice_has(p->before, '%') || slice_has(p->after, '%'))
		load_die("%s: only one %%d can stand in it", text);
}

void
load_add_number(struct buf *b, uint64_t number)
{
	char digits[20], *p = digits + sizeof digits;

	do {
		*--p = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	buf_add(b, p, (size_t)(digits + sizeof digits - p));
}

void
load_add_pattern(struct buf *b, const struct load_pattern *p, uint64_t number)
{
	buf_add_slice(b, p->before);
	if (p->is_numbered)
		load_add_number(b, number);
	buf_add_slice(b, p->after);
}

bool
load_option(struct load *l, int option, const char *value)
{
	switch (option) {
	case 'a':
		l->address = value;
		break;
	case 's':
		l->sessions = load_number(value, 1, 1000000);
		break;
	case 'l':
		l->size = load_number(value, 1, 1 << 30);
		break;
	case 'x':
		l->limit_s = load_number(value, 1, 1000000);
		break;
	case 'T':
		l->tls = LOAD_TLS;
		break;
	case 'S':
		l->tls = LOAD_STARTTLS;
		break;
	case 'u':
		load_parse_pattern(&l->user, value);
		break;
	case 'n':
		l->users = load_number(value, 1, 1000000000);
		break;
	case 'p':
		l->password = value;
		break;
	case 'B':
		l->sources = load_number(value, 1, 250);
		break;
	default:
		return false;
	}
	return true;
}

/* ---- start ---- */

static void
resolve(struct load *l)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	struct slice s = slice_str(l->address), host;
	char name[256];
	ptrdiff_t at = slice_rchr(s, ':');
	int err;

	if (at < 0)
		load_die("-a HOST:PORT is needed");
	host = slice_head(s, (size_t)at);
	if (slice_has_prefix(host, SLICE("[")) &&
	    slice_has_suffix(host, SLICE("]")))
		host = slice_from(slice_head(host, host.n - 1), 1);
	(void)snprintf(name, sizeof name, "%.*s", SLICE_FMT(host));
	err = getaddrinfo(name, l->address + at + 1, &hints, &found);
	if (err != 0)
		load_die("%s: %s", l->address, gai_strerror(err));
	memcpy(&l->to, found->ai_addr, found->ai_addrlen);
	l->to_len = found->ai_addrlen;
	freeaddrinfo(found);
}

/* Half of a source address's ports: some wait in TIME_WAIT. */
static uint64_t
ports_of_one(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned low = 32768, high = 60999;

	if (f != NULL) {
		if (fscanf(f, "%u %u", &low, &high) != 2 || high < low + 100)
			low = 32768, high = 60999;
		(void)fclose(f);
	}
	return (high - low) / 2;
}

static void
allow_descriptors(uint64_t sessions)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
	if (r.rlim_max != RLIM_INFINITY && r.rlim_max < sessions + 50)
		load_die("%llu sessions need more than %llu descriptors",
		    (unsigned long long)sessions,
		    (unsigned long long)r.rlim_max);
}

static uint64_t
cpu_us(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u) < 0)
		return 0;
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
	    (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void
on_limit(void *arg)
{
	struct load *l = arg;

	l->is_late = true;
	load_end(l);
}

void
load_start(struct load *l, bool connects)
{
	(void)mallopt(M_MMAP_THRESHOLD, HEAP_KEEP);
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEEP);
	l->loop = loop_new();
	if (l->loop == NULL)
		load_die("no loop: %s", strerror(errno));
	if (connects) {
		resolve(l);
		allow_descriptors(l->sessions);
		if (l->sources <= l->sessions / ports_of_one())
			l->sources = l->sessions / ports_of_one() + 1;
	}
	if (l->tls != LOAD_PLAIN)
		l->tls_client = tls_client_new();
	loop_timer_init(&l->limit, l->loop, on_limit, l);
	loop_timer_set(&l->limit,
	    clock_boot_ms() + (int64_t)l->limit_s * 1000);
	l->began_us = clock_boot_us();
	l->cpu_us = cpu_us();
}

/* ---- connections ---- */

/* 127.0.0.2 and up, when several are wanted and the server is on loopback. */
static bool
choose_source(const struct load *l, uint64_t number, struct sockaddr_in *from)
{
	const struct sockaddr_in *to = (const struct sockaddr_in *)&l->to;

	if (l->sources == 1 || l->to.ss_family != AF_INET ||
	    ntohl(to->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
		return false;
	*from = (struct sockaddr_in){ .sin_family = AF_INET };
	from->sin_addr.s_addr =
	    htonl((127U << 24) + 2 + (uint32_t)(number % l->sources));
	return true;
}

struct conn *
load_connect(struct load *l, uint64_t number, const struct conn_events *events,
    void *arg)
{
	static const struct conn_limits limits = { INPUT_MAX, OUTPUT_HIGH,
		OUTPUT_HIGH / 2 };
	struct sockaddr_in from;
	bool is_bound = choose_source(l, number, &from);
	struct conn *c = conn_connect(l->loop, (struct sockaddr *)&l->to,
	    l->to_len, is_bound ? (struct sockaddr *)&from : NULL, sizeof from,
	    &limits, events, arg);

	/* Without a name no session is taken up again: every handshake is a
	 * whole one. */
	if (c != NULL && l->tls == LOAD_TLS)
		conn_start_tls_client(c, l->tls_client, NULL);
	return c;
}

const char *
load_why(const struct conn *c, enum conn_end why)
{
	return why == CONN_EOF ? "the server closed the connection"
			       : conn_error_text(c);
}

/* ---- counting ---- */

void
load_refused(struct load *l, struct slice why)
{
	if (l->refused++ < REASONS)
		(void)fprintf(stderr, "refused: %.*s\n", SLICE_FMT(why));
}

void
load_failed(struct load *l, const char *why)
{
	if (l->failed++ < REASONS)
		(void)fprintf(stderr, "failed: %s\n", why);
	if (!l->is_reached && l->failed >= l->sessions)
		load_die("%s: nobody answers: %s", l->address, why);
}

void
load_run(struct load *l)
{
	/* A client may have ended before it began: nothing to do. */
	if (l->ended_us == 0)
		loop_run(l->loop);
}

void
load_end(struct load *l)
{
	if (l->ended_us != 0)
		return;
	l->ended_us = clock_boot_us();
	l->cpu_us = cpu_us() - l->cpu_us;
	loop_stop(l->loop);
}

void
load_print(const struct load *l)
{
	(void)printf("{\"done\":%llu,\"refused\":%llu,\"failed\":%llu,"
		     "\"late\":%s,\"seconds\":%.6f,\"cpu_ms\":%.3f",
	    (unsigned long long)l->done, (unsigned long long)l->refused,
	    (unsigned long long)l->failed, l->is_late ? "true" : "false",
	    (double)(l->ended_us - l->began_us) / 1e6,
	    (double)l->cpu_us / 1e3);
}

/* ---- times ---- */

void
load_times_add(struct load_times *t, int64_t us)
{
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 1024 : t->cap * 2;
		t->us = realloc(t->us, t->cap * sizeof *t->us);
		if (t->us == NULL)
			load_die("no memory for times");
	}
	t->us[t->n++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void
load_times_sort(struct load_times *t)
{
	if (t->n > 0)
		qsort(t->us, t->n, sizeof *t->us, compare);
}

void
load_times_print(const struct load_times *t, unsigned place)
{
	if (t->n == 0)
		(void)printf("null");
	else
		(void)printf("%.3f", t->us[(t->n - 1) * place / 1000] / 1e3);
}
