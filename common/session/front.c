/* SPDX-License-Identifier: ISC */
/* Accepting, naming and counting connections. */
#include "session/front.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "sys/daemon.h"
#include "sys/log.h"

enum {
	ACCEPT_MAX = 16,  /* in one turn: the others get theirs */
	PAUSE_MS = 100,   /* when descriptors are out */
	CHECK_MS = 2000,
	EPOCH_S = 1700000000
};

struct listener {
	struct list link;
	struct loop_io io;
	char *service, *address;
};

/* A question to `state`; it may outlive its client, whose count must then be
 * taken back. */
struct front_check {
	struct front_client *client;
	struct loop_timer patience;
	bool is_told; /* let in already, for want of an answer */
	void (*done)(struct front_client *c, bool is_allowed);
	char key[SOCKADDR_KEY_MAX];
};

static struct {
	struct loop *loop;
	enum role_id role;
	front_accept *accept;
	struct list listeners, clients;
	size_t n;
	uint64_t limit;
	bool is_listening, is_closed;
	struct loop_timer pause;
	uint32_t serial;
} self;

/* ---- names ---- */

/* Milliseconds, role, process, and a number: 13 letters, in order of time.
 * The role is in it because all log into one file. */
static void
make_id(char id[FRONT_ID_MAX])
{
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
	uint64_t v = (uint64_t)(clock_wall_us() / 1000 - EPOCH_S * 1000LL);
	int i;

	v = v << 24 | ((uint64_t)self.role & 15) << 20 |
	    ((uint64_t)daemon_instance() & 63) << 14 |
	    (self.serial++ & 0x3fff);
	for (i = 12; i >= 0; i--) {
		id[i] = letters[v & 31];
		v >>= 5;
	}
	id[13] = '\0';
}

/* ---- listening ---- */

static void
listen_on(void)
{
	bool want = !self.is_closed && self.n < self.limit &&
	    !loop_timer_is_set(&self.pause);
	struct list *it, *tmp;

	if (want == self.is_listening)
		return;
	self.is_listening = want;
	LIST_EACH(it, tmp, &self.listeners)
		loop_io_want(&LIST_OF(it, struct listener, link)->io,
		    want ? LOOP_READ : 0);
}

static void
on_pause_over(void *arg)
{
	(void)arg;
	listen_on();
}

static void
out_of_descriptors(void)
{
	log_error("event=descriptors_exhausted connections=%zu", self.n);
	loop_timer_set(&self.pause, clock_boot_ms() + PAUSE_MS);
	listen_on();
}

static void
on_ready(void *arg, unsigned what)
{
	struct listener *l = arg;
	int i, fd;

	(void)what;
	for (i = 0; i < ACCEPT_MAX && self.is_listening; i++) {
		fd = accept4(l->io.fd, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
			continue;
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				out_of_descriptors();
			return;
		}
		self.accept(l->service, fd);
	}
}

void
front_init(struct loop *l, enum role_id role, front_accept *accept)
{
	if (self.loop != NULL)
		return;
	self.loop = l;
	self.role = role;
	self.accept = accept;
	list_init(&self.listeners);
	list_init(&self.clients);
	loop_timer_init(&self.pause, l, on_pause_over, NULL);
}

void
front_set_limit(uint64_t connections)
{
	self.limit = connections;
	listen_on();
}

void
front_listen(struct slice service, struct slice address, int fd)
{
	struct listener *l = calloc(1, sizeof *l);

	if (l != NULL) {
		l->service = strndup(service.p, service.n);
		l->address = strndup(address.p, address.n);
	}
	if (l == NULL || l->service == NULL || l->address == NULL)
		fatal("event=no_memory for=listener");
	loop_io_init(&l->io, self.loop, fd, on_ready, l);
	list_add(&self.listeners, &l->link);
	if (self.is_listening)
		loop_io_want(&l->io, LOOP_READ);
	else
		listen_on();
}

static void
listener_free(struct listener *l)
{
	list_remove(&l->link);
	loop_io_remove(&l->io);
	(void)close(l->io.fd);
	free(l->address);
	/* Connections that came this way still name it: kept, a few bytes. */
	free(l);
}

void
front_unlisten(struct slice service, struct slice address)
{
	struct list *it, *tmp;
	struct listener *l;

	LIST_EACH(it, tmp, &self.listeners) {
		l = LIST_OF(it, struct listener, link);
		if (slice_eq_str(service, l->service) &&
		    slice_eq_str(address, l->address))
			listener_free(l);
	}
}

void
front_close(void)
{
	struct list *it, *tmp;

	self.is_closed = true;
	listen_on();
	LIST_EACH(it, tmp, &self.listeners)
		listener_free(LIST_OF(it, struct listener, link));
}

/* ---- connections ---- */

void
front_open(struct front_client *c, const char *service, int fd)
{
	memset(c, 0, sizeof *c);
	c->service = service;
	c->addr_len = sizeof c->addr;
	if (getpeername(fd, (struct sockaddr *)&c->addr, &c->addr_len) < 0)
		c->addr_len = 0;
	sockaddr_unmap(&c->addr, &c->addr_len);
	(void)sockaddr_client_key((struct sockaddr *)&c->addr, c->addr_len,
	    c->key);
	make_id(c->id);
	list_add(&self.clients, &c->link);
	self.n++;
	listen_on();
}

void
front_done(struct front_client *c)
{
	struct ipc_link *state = daemon_peer(ROLE_STATE);

	if (c->check != NULL)
		c->check->client = NULL;
	if (c->is_counted && state != NULL)
		ipc_send(state, CLIENT_CLOSE, -1, .key = slice_str(c->key));
	list_remove(&c->link);
	self.n--;
	listen_on();
}

size_t
front_count(void)
{
	return self.n;
}

struct front_client *
front_next(const struct front_client *c)
{
	struct list *next = c == NULL ? self.clients.next
					    : c->link.next;

	return next == &self.clients || next == NULL
	    ? NULL : LIST_OF(next, struct front_client, link);
}

static void
on_checked(void *arg, int type, const union ipc_any *m, int fd)
{
	struct ipc_link *state = daemon_peer(ROLE_STATE);
	struct front_check *check = arg;
	struct front_client *c = check->client;
	bool is_counted = m != NULL && m->CLIENT_ANSWER.allowed;

	(void)type;
	(void)fd;
	loop_timer_clear(&check->patience);
	if (c != NULL) {
		c->check = NULL;
		/* Refused ones were not counted. */
		c->is_counted = is_counted;
		if (!check->is_told)
			check->done(c, m == NULL || is_counted);
	} else if (is_counted && state != NULL) {
		ipc_send(state, CLIENT_CLOSE, -1,
		    .key = slice_str(check->key));
	}
	free(check);
}

/* It lets in, but goes on waiting: what `state` counts when it comes to it
 * must be taken back some day. */
static void
on_slow(void *arg)
{
	struct front_check *check = arg;

	log_warn("event=call_timeout peer=%s", role_name(ROLE_STATE));
	check->is_told = true;
	if (check->client != NULL)
		check->done(check->client, true);
}

void
front_check(struct front_client *c, uint64_t limit,
    void (*checked)(struct front_client *c, bool is_allowed))
{
	struct ipc_link *state = daemon_peer(ROLE_STATE);
	struct front_check *check;

	check = state == NULL ? NULL : calloc(1, sizeof *check);
	if (check == NULL) {
		checked(c, true);
		return;
	}
	check->client = c;
	check->done = checked;
	memcpy(check->key, c->key, sizeof check->key);
	c->check = check;
	loop_timer_init(&check->patience, self.loop, on_slow, check);
	loop_timer_set(&check->patience, clock_boot_ms() + CHECK_MS);
	(void)ipc_ask(state, CLIENT_OPEN, -1, 0, on_checked, check,
	    .limit = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit,
	    .key = slice_str(c->key));
}
