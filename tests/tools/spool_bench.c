/* SPDX-License-Identifier: ISC */
/*
 * spool_bench FOLDER [MESSAGES [IN-FLIGHT]]: how many messages of 4 KB a second
 * the spool makes durable (and lets go of again), beside the plain way: create,
 * write, fsync, rename, by as many threads as there are commits in flight.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "queue/fsio.h"
#include "queue/spool.h"
#include "sys/loop.h"

enum { BODY = 4096, MAX_IN_FLIGHT = 64 };

static char body[BODY];
static uint64_t messages = 40000, in_flight = 16;

/* ---- figures ---- */

struct mark {
	int64_t wall_us, cpu_us;
};

static struct mark
now(void)
{
	struct rusage r;

	(void)getrusage(RUSAGE_SELF, &r);
	return (struct mark){ clock_boot_us(),
		(int64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
		    r.ru_utime.tv_usec + r.ru_stime.tv_usec };
}

static void
print(const char *what, struct mark from, uint64_t n)
{
	struct mark to = now();

	(void)printf("%-28s %8.0f messages/s %8.1f us CPU each\n", what,
	    (double)n * 1e6 / (double)(to.wall_us - from.wall_us),
	    (double)(to.cpu_us - from.cpu_us) / (double)n);
}

/* ---- the plain way ---- */

struct plain {
	pthread_t thread;
	int dir;
	uint64_t first, n;
	bool failed;
};

static bool
plain_one(int dir, uint64_t number)
{
	char tmp[32], name[32];
	bool good;
	int fd;

	(void)snprintf(tmp, sizeof tmp, "t%llu", (unsigned long long)number);
	(void)snprintf(name, sizeof name, "n%llu",
	    (unsigned long long)number);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return false;
	good = write(fd, body, sizeof body) == (ssize_t)sizeof body &&
	    fsync(fd) == 0;
	(void)close(fd);
	return good && renameat(dir, tmp, dir, name) == 0;
}

static void *
plain_run(void *arg)
{
	struct plain *p = arg;
	uint64_t i;

	for (i = 0; i < p->n && !p->failed; i++)
		p->failed = !plain_one(p->dir, p->first + i);
	return NULL;
}

static void
plain_remove(int dir, uint64_t n)
{
	char name[32];
	uint64_t i;

	for (i = 0; i < n; i++) {
		(void)snprintf(name, sizeof name, "n%llu",
		    (unsigned long long)i);
		(void)unlinkat(dir, name, 0);
	}
}

static int
plain_bench(int dir)
{
	static struct plain p[MAX_IN_FLIGHT];
	uint64_t each = messages / in_flight, i;
	struct mark from = now();
	int result = 0;

	for (i = 0; i < in_flight; i++) {
		p[i] = (struct plain){ .dir = dir, .first = i * each,
			.n = each };
		if (pthread_create(&p[i].thread, NULL, plain_run, &p[i]) != 0)
			return -1;
	}
	for (i = 0; i < in_flight; i++) {
		(void)pthread_join(p[i].thread, NULL);
		if (p[i].failed)
			result = -1;
	}
	print("create, write, fsync, rename", from, each * in_flight);
	plain_remove(dir, each * in_flight);
	return result;
}

/* ---- the spool ---- */

struct bench {
	struct loop *loop;
	struct spool *spool;
	uint64_t begun, ended, wanted;
	bool scanned, flushed, failed;
};

struct flight {
	struct bench *bench;
	struct spool_envelope envelope;
	struct spool_group group;
	struct spool_rcpt rcpt;
};

static void
on_found(void *arg, struct spool_ref *ref, uint64_t id,
    const struct spool_status *st)
{
	struct bench *b = arg;

	(void)id;
	(void)st;
	spool_finish(b->spool, &ref);
}

static void
on_scanned(void *arg, uint64_t live)
{
	struct bench *b = arg;

	(void)live;
	b->scanned = true;
}

static void
on_flushed(void *arg, int error)
{
	struct bench *b = arg;

	b->flushed = true;
	b->failed |= error != 0;
}

static void begin(struct flight *f);

static void
on_committed(void *arg, struct spool_ref *ref, int error)
{
	struct flight *f = arg;
	struct bench *b = f->bench;

	b->ended++;
	if (ref == NULL) {
		(void)fprintf(stderr, "commit: %s\n", strerror(error));
		b->failed = true;
		return;
	}
	spool_finish(b->spool, &ref);
	if (b->begun < b->wanted)
		begin(f);
}

static void
begin(struct flight *f)
{
	struct bench *b = f->bench;

	b->begun++;
	f->envelope.id = spool_new_id(b->spool);
	spool_commit(b->spool, &f->envelope,
	    (struct slice){ body, sizeof body }, NULL, on_committed, f);
}

static void
run(struct bench *b, uint64_t n)
{
	static struct flight f[MAX_IN_FLIGHT];
	uint64_t i;

	b->begun = b->ended = 0;
	b->wanted = n;
	for (i = 0; i < in_flight; i++) {
		f[i] = (struct flight){ .bench = b,
			.group = { SLICE("sender@example.org"), 0, 1 },
			.rcpt = { .address = SLICE("rcpt@example.net") } };
		f[i].envelope = (struct spool_envelope){ .body_size = BODY,
			.groups = &f[i].group, .n_groups = 1,
			.rcpts = &f[i].rcpt, .n_rcpts = 1, .n_first = 1 };
		begin(&f[i]);
	}
	while (b->ended < n && !b->failed)
		loop_turn(b->loop, true);
	b->flushed = false;
	spool_flush(b->spool, on_flushed, b);
	while (!b->flushed)
		loop_turn(b->loop, true);
}

static int
spool_bench(int dir, bool strict)
{
	static const struct spool_events events = { on_found, on_scanned };
	struct spool_options o = { .strict = strict,
		.threads = (uint32_t)in_flight };
	struct bench b = { .loop = loop_new() };
	struct spool_counts c;
	struct mark from;
	struct buf why;

	buf_init(&why, 1000);
	b.spool = spool_open(b.loop, dir, &o, &events, &b, &why);
	if (b.spool == NULL || spool_start(b.spool) < 0) {
		(void)fprintf(stderr, "spool: %s\n", why.p);
		return -1;
	}
	while (!b.scanned)
		loop_turn(b.loop, true);
	run(&b, messages / 2); /* makes the slots */
	from = now();
	run(&b, messages);
	print(strict ? "spool, strict" : "spool, ordered", from, messages);
	spool_counts(b.spool, &c);
	(void)printf("%28s %8llu slots of 8 KiB, %llu of 40 KiB\n", "",
	    (unsigned long long)c.slots_8, (unsigned long long)c.slots_40);
	spool_close(&b.spool);
	loop_free(&b.loop);
	buf_fini(&why);
	return b.failed ? -1 : 0;
}

static int
open_folder(int parent, const char *name)
{
	(void)mkdirat(parent, name, 0700);
	return openat(parent, name, O_RDONLY | O_DIRECTORY);
}

int
main(int argc, char **argv)
{
	const char *type;
	int dir, plain, spool;
	bool strict;

	if (argc < 2 || argc > 4 ||
	    (argc > 2 && num_parse(slice_str(argv[2]), 64, 100000000,
		&messages) < 0) ||
	    (argc > 3 && num_parse(slice_str(argv[3]), 1, MAX_IN_FLIGHT,
		&in_flight) < 0)) {
		(void)fprintf(stderr,
		    "usage: spool_bench FOLDER [MESSAGES [IN-FLIGHT]]\n");
		return 64;
	}
	dir = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (dir < 0) {
		(void)fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		return 66;
	}
	memset(body, 'x', sizeof body);
	strict = fsio_model_of(dir, &type) == FSIO_STRICT;
	(void)printf("%s, taken as %s\n", type,
	    strict ? "strict" : "ordered");
	spool = open_folder(dir, "spool");
	plain = open_folder(dir, "plain");
	return spool_bench(spool, false) < 0 || spool_bench(spool, true) < 0 ||
		plain_bench(plain) < 0
	    ? 1
	    : 0;
}
