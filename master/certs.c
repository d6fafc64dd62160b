/* SPDX-License-Identifier: ISC */
/* Pairs by title; a number for each that `keys` and the fronts share. */
#include "master/certs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/conf_certificate.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/tls_tickets.h"

enum { PAIRS_MAX = 1024, CHAIN_MAX = 60000, ANSWER_MS = 10000 };

struct pair {
	char *title;
	struct buf chain;  /* as configured now */
	struct buf names;
	struct buf good;   /* chain that `keys` has the key of; may be empty */
	int key, good_key; /* key files, kept open for restarts of keys */
	uint32_t number, good_number; /* never given to two keys */
	bool is_new, refused;
	bool is_named;     /* by the configuration as it is now */
};

static struct {
	struct pair *pairs[PAIRS_MAX]; /* in the configuration's order */
	size_t n;
	/* No longer named; an answer of keys may still be on its way to them. */
	struct pair *gone[PAIRS_MAX];
	size_t n_gone;
	int tickets, tickets_reader;
	struct loop_timer rotate;
	uint64_t generation;
	uint32_t numbers;
	size_t waiting; /* answers of keys */
	struct buf problems;
	void (*done)(const char *problems);
} self = { .tickets = -1, .tickets_reader = -1 };

static void
on_rotate(void *arg)
{
	(void)arg;
	if (tls_tickets_rotate(self.tickets) < 0)
		log_error("event=tickets_not_rotated why=%s",
		    LOG_S(strerror(errno)));
	loop_timer_set(&self.rotate,
	    clock_boot_ms() + TLS_TICKETS_PERIOD_S * 1000LL);
}

int
certs_init(struct loop *l)
{
	buf_init(&self.problems, 65536);
	self.tickets = tls_tickets_create();
	if (self.tickets < 0)
		return -1;
	self.tickets_reader = tls_tickets_reader(self.tickets);
	if (self.tickets_reader < 0)
		return -1;
	loop_timer_init(&self.rotate, l, on_rotate, NULL);
	loop_timer_set(&self.rotate,
	    clock_boot_ms() + TLS_TICKETS_PERIOD_S * 1000LL);
	return 0;
}

static int
read_file(const char *path, struct buf *out, struct buf *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char *room;

	buf_reset(out);
	if (fd < 0) {
		buf_addf(why, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	do {
		room = buf_room(out, 4096);
		n = room == NULL ? -1 : read(fd, room, 4096);
		if (n > 0)
			buf_grew(out, (size_t)n);
	} while (n > 0);
	(void)close(fd);
	if (n == 0)
		return 0;
	buf_addf(why, "%s: %s\n", path,
	    room == NULL ? "larger than 60,000 bytes" : strerror(errno));
	return -1;
}

static struct pair *
pair_new(const char *title)
{
	struct pair *p = calloc(1, sizeof *p);

	if (p != NULL)
		p->title = strdup(title);
	if (p == NULL || p->title == NULL)
		abort();
	buf_init(&p->chain, CHAIN_MAX);
	buf_init(&p->good, CHAIN_MAX);
	buf_init(&p->names, 32768);
	p->key = p->good_key = -1;
	return p;
}

static void
pair_free(struct pair *p)
{
	if (p->key >= 0)
		(void)close(p->key);
	if (p->good_key >= 0 && p->good_key != p->key)
		(void)close(p->good_key);
	buf_fini(&p->chain);
	buf_fini(&p->good);
	buf_fini(&p->names);
	free(p->title);
	free(p);
}

static void
free_gone(void)
{
	while (self.n_gone > 0)
		pair_free(self.gone[--self.n_gone]);
}

/* Those that the configuration names, in its order; the others are gone, and
 * with the next whole set fronts and keys forget them too. */
static void
take_order(const struct config *c, struct buf *why)
{
	struct pair *was[PAIRS_MAX], *p;
	const char *title = NULL;
	size_t n = self.n, named = 0, i;

	memcpy(was, self.pairs, n * sizeof *was);
	for (i = 0; i < n; i++)
		was[i]->is_named = false;
	while ((title = config_next_title(c, &conf_certificate_section,
		    title)) != NULL) {
		if (named == PAIRS_MAX) {
			buf_addf(why, "only the first %d certificates are "
			    "taken\n", PAIRS_MAX);
			break;
		}
		for (i = 0, p = NULL; i < n && p == NULL; i++)
			if (strcmp(was[i]->title, title) == 0)
				p = was[i];
		if (p == NULL)
			p = pair_new(title);
		p->is_named = true;
		self.pairs[named++] = p;
	}
	self.n = named;
	if (self.n_gone + n > PAIRS_MAX)
		abort(); /* a reload begins only when the last one is over */
	for (i = 0; i < n; i++)
		if (!was[i]->is_named)
			self.gone[self.n_gone++] = was[i];
}

static int
load_pair(const struct config *c, struct pair *p, struct buf *why)
{
	struct conf_certificate conf;
	struct region mem;
	struct buf chain;
	int fd, result;
	size_t i;

	region_init(&mem, 1 << 20);
	config_fill(c, &conf_certificate_section, p->title, &conf, &mem);
	buf_reset(&p->names);
	buf_add_str(&p->names, p->title);
	for (i = 0; i < conf.names.n; i++)
		buf_addf(&p->names, "\n%s", conf.names.v[i]);
	buf_init(&chain, CHAIN_MAX);
	result = read_file(conf.chain, &chain, why);
	fd = open(conf.key, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		buf_addf(why, "%s: %s\n", conf.key, strerror(errno));
		result = -1;
	}
	/* Half a pair changes nothing: the one before it goes on. */
	if (result < 0 && fd >= 0)
		(void)close(fd);
	if (result == 0) {
		buf_reset(&p->chain);
		buf_add_slice(&p->chain, buf_slice(&chain));
		if (p->key >= 0 && p->key != p->good_key)
			(void)close(p->key);
		p->key = fd;
		p->number = ++self.numbers;
		p->is_new = true;
	}
	region_fini(&mem);
	buf_fini(&chain);
	return result;
}

int
certs_load(const struct config *c, struct buf *why)
{
	size_t before = why->n, i;
	int result;

	take_order(c, why);
	result = why->n > before ? -1 : 0;
	for (i = 0; i < self.n; i++)
		result |= load_pair(c, self.pairs[i], why);
	return result;
}

static void
tell_front(struct child *c)
{
	size_t i;

	for (i = 0; i < self.n; i++)
		if (self.pairs[i]->good.n > 0)
			ipc_send(c->link, CERT, -1,
			    .key = self.pairs[i]->good_number,
			    .generation = self.generation,
			    .names = buf_slice(&self.pairs[i]->names),
			    .chain = buf_slice(&self.pairs[i]->good));
	ipc_send(c->link, CERT_END, -1, .generation = self.generation);
}

/* All answers are in: what is good now goes to everybody. */
static void
settle(void)
{
	struct child *c = NULL;
	struct pair *p;
	size_t i;

	for (i = 0; i < self.n; i++) {
		p = self.pairs[i];
		if (!p->is_new)
			continue;
		p->is_new = false;
		/* A refused pair: `keys` has the key before it under the new
		 * number, and the chain before it goes on. */
		p->good_number = p->number;
		if (p->refused || p->chain.n == 0)
			continue;
		buf_reset(&p->good);
		buf_add_slice(&p->good, buf_slice(&p->chain));
		if (p->good_key >= 0 && p->good_key != p->key)
			(void)close(p->good_key);
		p->good_key = p->key;
	}
	free_gone();
	self.generation++;
	while ((c = children_next(c)) != NULL) {
		if (c->state != CHILD_READY)
			continue;
		if ((RS_FRONTS & 1U << c->row->id) != 0)
			tell_front(c);
	}
	if (self.done != NULL)
		self.done(self.problems.p);
	self.done = NULL;
	buf_reset(&self.problems);
}

static void
on_key_result(void *arg, int type, const union ipc_any *m, int fd)
{
	struct pair *p = arg;

	(void)type;
	(void)fd;
	if (m != NULL && !m->KEY_RESULT.ok) {
		p->refused = true;
		log_error("event=certificate_refused name=%s why=%s",
		    LOG_S(p->title), LOG_V(m->KEY_RESULT.text));
		buf_addf(&self.problems, "certificate %s: %.*s\n", p->title,
		    SLICE_FMT(m->KEY_RESULT.text));
	}
	if (--self.waiting == 0)
		settle();
}

static void
tell_pair(struct child *c, struct pair *p, int key, uint32_t number,
    const struct buf *chain)
{
	char path[64];
	int fd;

	if (key < 0 || chain->n == 0)
		return;
	/* A descriptor of its own, with an offset of its own. */
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", key);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	self.waiting++;
	(void)ipc_ask(c->link, KEY_FD, fd, ANSWER_MS, on_key_result, p,
	    .key = number, .name = slice_str(p->title),
	    .chain = buf_slice(chain));
	(void)close(fd);
}

/* A whole set, and that it is one. */
static void
tell_keys(struct child *c)
{
	struct pair *p;
	size_t i;

	for (i = 0; i < self.n; i++) {
		p = self.pairs[i];
		if (p->is_new)
			tell_pair(c, p, p->key, p->number, &p->chain);
		else
			tell_pair(c, p, p->good_key, p->good_number,
			    &p->good);
	}
	ipc_send(c->link, CERT_END, -1, .generation = self.generation);
}

void
certs_distribute(void (*done)(const char *problems))
{
	struct child *c = NULL;
	size_t i;

	self.done = done;
	for (i = 0; i < self.n; i++)
		self.pairs[i]->refused = false;
	self.waiting++; /* so that answers do not settle too early */
	while ((c = children_next(c)) != NULL)
		if (c->state == CHILD_READY && c->row->id == ROLE_KEYS)
			tell_keys(c);
	if (--self.waiting == 0)
		settle();
}

void
certs_keys_up(struct child *c)
{
	tell_keys(c);
}

void
certs_front_up(struct child *c)
{
	ipc_send(c->link, FILE_FD, self.tickets_reader,
	    .name = SLICE("tls-tickets"));
	tell_front(c);
}
