/* SPDX-License-Identifier: ISC */
/*
 * Links over SOCK_SEQPACKET. Input is drained, up to 64 messages an event;
 * output is sent by sendmmsg when the loop turn ends. Whatever a peer does
 * wrong ends the link with a log line.
 */
#include "sys/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "sys/log.h"
#include "sys/loop.h"

enum {
	DRAIN_MAX = 64,       /* messages handled per event */
	BATCH = 16,           /* messages per sendmmsg */
	HIGH_MESSAGES = 256, HIGH_BYTES = 512 << 10,
	HARD_MESSAGES = 16384, HARD_BYTES = 64 << 20,
	/* Answers that wait for a peer which asks but does not read. */
	ANSWERS_MESSAGES = 1 << 16, ANSWERS_BYTES = 32 << 20,
	CALLS_MAX = 1 << 16,  /* outstanding questions on one link */
	SOCKET_BUFFER = 1 << 20,
	REFUSED_RETRY_MS = 5  /* ETOOMANYREFS: descriptors in flight */
};

struct out_message {
	struct list link;
	int fd;
	size_t n;
	char bytes[];
};

struct ipc_call {
	struct ipc_link *l;
	uint64_t req;
	uint32_t index;
	enum ipc_type type; /* what was asked */
	ipc_done *done; /* NULL: cancelled, waiting for the late answer */
	void *arg;
	struct loop_timer timer;
	struct loop_later refused; /* done(NULL) from the loop */
};

struct ipc_link {
	struct loop *loop;
	struct loop_io io;
	struct loop_later flush;
	struct loop_timer retry;
	enum role_id self, peer;
	uint32_t instance;
	uint64_t serial;
	const struct ipc_handlers *handlers;
	void *data;
	struct list urgent, normal; /* of out_message */
	size_t messages, bytes;     /* in `normal` */
	size_t answers, answers_bytes; /* in `urgent` */
	struct list waiters;
	struct ipc_call **calls;
	uint32_t n_calls, open_calls;
	uint64_t last_call;
	unsigned busy; /* callbacks on the stack: the struct must stay */
	bool broken;   /* no more in or out */
	bool dead;     /* all freed but the struct itself */
	char name[48];
};

static char in_bytes[IPC_MESSAGE_MAX];
static struct map by_serial;
static uint64_t last_serial;

/* ---- life ---- */

static void on_ready(void *arg, unsigned what);
static void flush(void *arg);

struct ipc_link *
ipc_link_new(struct loop *loop, int fd, enum role_id self, enum role_id peer,
    uint32_t instance, const struct ipc_handlers *h)
{
	struct ipc_link *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->loop = loop;
	l->self = self;
	l->peer = peer;
	l->instance = instance;
	l->handlers = h;
	l->serial = ++last_serial;
	(void)snprintf(l->name, sizeof l->name, "%s[%u]", role_name(peer),
	    instance);
	if (map_put(&by_serial, map_u64(&l->serial), l, NULL) < 0) {
		free(l);
		return NULL;
	}
	list_init(&l->urgent);
	list_init(&l->normal);
	list_init(&l->waiters);
	loop_io_init(&l->io, loop, fd, on_ready, l);
	loop_later_init(&l->flush, loop, flush, l);
	loop_timer_init(&l->retry, loop, flush, l);
	loop_io_want(&l->io, LOOP_READ);
	return l;
}

static void
drop_queue(struct list *queue)
{
	struct list *it, *tmp;
	struct out_message *m;

	LIST_EACH(it, tmp, queue) {
		m = LIST_OF(it, struct out_message, link);
		if (m->fd >= 0)
			(void)close(m->fd);
		free(m);
	}
	list_init(queue);
}

static void
call_free(struct ipc_call *c)
{
	c->l->calls[c->index] = NULL;
	c->l->open_calls--;
	loop_timer_clear(&c->timer);
	loop_later_remove(&c->refused);
	free(c);
}

/* Answers all that is pending with "lost". Callbacks may ask anew: those are
 * answered too, because the link is broken. */
static void
fail_calls(struct ipc_link *l)
{
	struct ipc_call *c;
	ipc_done *done;
	void *arg;
	uint32_t i;

	for (i = 0; i < l->n_calls; i++) {
		c = l->calls[i];
		if (c == NULL)
			continue;
		done = c->done;
		arg = c->arg;
		call_free(c);
		if (done != NULL)
			done(arg, -1, NULL, -1);
	}
}

static void
wake_waiters(struct ipc_link *l)
{
	struct ipc_waiter *w;
	struct list *first, todo;

	/* Only those that wait now: a woken one may wait again. */
	list_init(&todo);
	while ((first = list_first(&l->waiters)) != NULL) {
		list_remove(first);
		list_add(&todo, first);
	}
	while ((first = list_first(&todo)) != NULL) {
		list_remove(first);
		w = LIST_OF(first, struct ipc_waiter, link);
		w->wake(w->arg);
	}
}

static void
destroy(struct ipc_link *l)
{
	int rounds = 0;

	(void)map_remove(&by_serial, map_u64(&l->serial));
	/* Who was told "lost" may have asked here again. */
	while (l->open_calls > 0) {
		if (++rounds > 16)
			BUG("%s is asked again and again though lost", l->name);
		fail_calls(l);
	}
	wake_waiters(l);
	loop_io_remove(&l->io);
	loop_later_remove(&l->flush);
	loop_timer_clear(&l->retry);
	drop_queue(&l->urgent);
	drop_queue(&l->normal);
	(void)close(l->io.fd);
	free(l->calls);
	l->calls = NULL;
	l->dead = true;
}

static void
enter(struct ipc_link *l)
{
	l->busy++;
}

static void
leave(struct ipc_link *l)
{
	if (--l->busy == 0 && l->dead)
		free(l);
}

void
ipc_link_free(struct ipc_link **lp)
{
	struct ipc_link *l = *lp;

	if (l == NULL)
		return;
	*lp = NULL;
	if (l->dead)
		return;
	enter(l);
	l->broken = true;
	fail_calls(l);
	if (!l->dead)
		destroy(l);
	leave(l);
}

/* The peer is gone or was thrown out. */
static void
lose(struct ipc_link *l)
{
	if (l->broken)
		return;
	enter(l);
	l->broken = true;
	loop_io_want(&l->io, 0);
	/* Nobody finds it any more by its serial. */
	(void)map_remove(&by_serial, map_u64(&l->serial));
	fail_calls(l);
	wake_waiters(l);
	if (l->handlers->lost != NULL)
		l->handlers->lost(l);
	if (!l->dead)
		destroy(l);
	leave(l);
}

static void
throw_out(struct ipc_link *l, const char *why, int type)
{
	log_error("event=peer_violation peer=%s message=%s why=%s", l->name,
	    type >= 0 && type < IPC_TYPE_COUNT ? ipc_info[type].name : "?",
	    LOG_S(why));
	lose(l);
}

enum role_id
ipc_link_peer(const struct ipc_link *l)
{
	return l->peer;
}

uint32_t
ipc_link_instance(const struct ipc_link *l)
{
	return l->instance;
}

uint64_t
ipc_link_serial(const struct ipc_link *l)
{
	return l->serial;
}

struct ipc_link *
ipc_link_find(uint64_t serial)
{
	return map_get(&by_serial, map_u64(&serial));
}

void
ipc_link_set_data(struct ipc_link *l, void *data)
{
	l->data = data;
}

void *
ipc_link_data(const struct ipc_link *l)
{
	return l->data;
}

const char *
ipc_link_name(const struct ipc_link *l)
{
	return l->name;
}

/* ---- output ---- */

static bool
is_urgent(enum ipc_type type)
{
	return ipc_info[type].kind == IPC_ANSWER ||
	    ipc_info[type].kind == IPC_PART ||
	    ipc_info[type].class == IPC_CLASS_CONTROL;
}

bool
ipc_is_full(const struct ipc_link *l)
{
	return l->messages >= HIGH_MESSAGES || l->bytes >= HIGH_BYTES;
}

/* Nothing more is read from it until it has taken what it asked for. */
static bool
owes_too_much(const struct ipc_link *l)
{
	return l->answers >= ANSWERS_MESSAGES ||
	    l->answers_bytes >= ANSWERS_BYTES;
}

static void
check_right_to_send(const struct ipc_link *l, enum ipc_type type, int fd)
{
	const struct ipc_info *info = &ipc_info[type];

	if ((info->from & 1U << l->self) == 0 ||
	    (info->to & 1U << l->peer) == 0 || info->fd != (fd >= 0))
		BUG("%s must not send %s to %s (fd %d)", role_name(l->self),
		    info->name, l->name, fd);
}

/* 0, or -1: no room or no memory; nothing was queued. */
static int
enqueue(struct ipc_link *l, enum ipc_type type, const void *message, int fd)
{
	static struct buf b;
	struct out_message *m;
	bool urgent = is_urgent(type);

	check_right_to_send(l, type, fd);
	if (l->broken)
		return -1;
	if (!urgent && (l->messages >= HARD_MESSAGES || l->bytes >= HARD_BYTES))
		return -1;
	if (b.p == NULL)
		buf_init(&b, IPC_MESSAGE_MAX);
	buf_reset(&b);
	ipc_encode(&b, type, message);
	if (!buf_is_ok(&b))
		BUG("%s is larger than a message may be", ipc_info[type].name);
	m = malloc(sizeof *m + b.n);
	if (m == NULL)
		return -1;
	m->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd >= 0 && m->fd < 0) {
		log_error("event=descriptor_lost peer=%s why=%s", l->name,
		    LOG_S(strerror(errno)));
		free(m);
		return -1;
	}
	m->link = (struct list){ NULL, NULL };
	m->n = b.n;
	memcpy(m->bytes, b.p, b.n);
	list_add(urgent ? &l->urgent : &l->normal, &m->link);
	if (urgent) {
		l->answers++;
		l->answers_bytes += m->n;
	} else {
		l->messages++;
		l->bytes += m->n;
	}
	loop_later_ask(&l->flush);
	return 0;
}

void
ipc_send_raw(struct ipc_link *l, enum ipc_type type, const void *message,
    int fd)
{
	if (ipc_info[type].kind == IPC_ASK)
		BUG("%s wants ipc_ask", ipc_info[type].name);
	if (enqueue(l, type, message, fd) < 0 && !l->broken) {
		/* A message lost in the middle would leave the peer with half
		 * a transaction: better no link than that. */
		log_error("event=link_overflow peer=%s message=%s", l->name,
		    ipc_info[type].name);
		(void)shutdown(l->io.fd, SHUT_RDWR);
	}
}

struct wire {
	struct mmsghdr headers[BATCH];
	struct iovec iov[BATCH];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control[BATCH];
	struct out_message *messages[BATCH];
	unsigned n;
};

static void
add_to_wire(struct wire *w, struct out_message *m)
{
	struct msghdr *h = &w->headers[w->n].msg_hdr;
	struct cmsghdr *c;

	w->headers[w->n] = (struct mmsghdr){ 0 };
	w->iov[w->n] = (struct iovec){ m->bytes, m->n };
	h->msg_iov = &w->iov[w->n];
	h->msg_iovlen = 1;
	if (m->fd >= 0) {
		h->msg_control = w->control[w->n].bytes;
		h->msg_controllen = sizeof w->control[w->n].bytes;
		c = CMSG_FIRSTHDR(h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &m->fd, sizeof(int));
	}
	w->messages[w->n++] = m;
}

static void
gather(struct ipc_link *l, struct wire *w)
{
	struct list *queues[] = { &l->urgent, &l->normal }, *it, *tmp;
	size_t q;

	w->n = 0;
	for (q = 0; q < 2; q++) {
		LIST_EACH(it, tmp, queues[q]) {
			if (w->n == BATCH)
				return;
			add_to_wire(w, LIST_OF(it, struct out_message, link));
		}
	}
}

static void
sent(struct ipc_link *l, struct out_message *m)
{
	uint16_t type;

	memcpy(&type, m->bytes, sizeof type);
	if (is_urgent((enum ipc_type)type)) {
		l->answers--;
		l->answers_bytes -= m->n;
	} else {
		l->messages--;
		l->bytes -= m->n;
	}
	list_remove(&m->link);
	if (m->fd >= 0)
		(void)close(m->fd);
	free(m);
}

static void
flush(void *arg)
{
	struct ipc_link *l = arg;
	static struct wire w;
	int n, i;

	if (l->broken)
		return;
	enter(l);
	for (;;) {
		gather(l, &w);
		if (w.n == 0) {
			loop_io_want(&l->io, LOOP_READ);
			break;
		}
		n = sendmmsg(l->io.fd, w.headers, w.n,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		for (i = 0; i < n; i++)
			sent(l, w.messages[i]);
		if (n >= 0 || errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == ENOBUFS) {
			loop_io_want(&l->io, owes_too_much(l) ? LOOP_WRITE
				: LOOP_READ | LOOP_WRITE);
			break;
		}
		if (errno == ETOOMANYREFS) {
			loop_timer_set(&l->retry,
			    clock_boot_ms() + REFUSED_RETRY_MS);
			break;
		}
		lose(l);
		break;
	}
	if (!l->broken && !ipc_is_full(l) && !list_is_empty(&l->waiters))
		wake_waiters(l);
	leave(l);
}

void
ipc_wait_room(struct ipc_link *l, struct ipc_waiter *w)
{
	list_remove(&w->link);
	list_add(&l->waiters, &w->link);
	loop_later_ask(&l->flush);
}

void
ipc_waiter_cancel(struct ipc_waiter *w)
{
	list_remove(&w->link);
}

/* ---- questions ---- */

static void
call_over(struct ipc_call *c)
{
	ipc_done *done = c->done;
	void *arg = c->arg;

	c->done = NULL; /* a late answer finds nobody */
	if (done != NULL)
		done(arg, -1, NULL, -1);
}

/* The asked one need not go on. Should this not be sent it does, no more. */
static void
tell_cancelled(const struct ipc_call *c)
{
#define X(question_, cancel) \
	if (c->type == IPC_##question_) { \
		const struct ipc_##cancel m = { .question = c->req }; \
		(void)enqueue(c->l, IPC_##cancel, &m, -1); \
	}
	IPC_CANCELS(X)
#undef X
}

static void
on_call_timeout(void *arg)
{
	struct ipc_call *c = arg;

	log_warn("event=call_timeout peer=%s", c->l->name);
	tell_cancelled(c);
	call_over(c);
}

/* Never sent: no answer will come, so nothing of it needs to stay. */
static void
on_call_refused(void *arg)
{
	struct ipc_call *c = arg;
	ipc_done *done = c->done;
	void *done_arg = c->arg;

	call_free(c);
	if (done != NULL)
		done(done_arg, -1, NULL, -1);
}

static struct ipc_call *
call_new(struct ipc_link *l)
{
	struct ipc_call *c = calloc(1, sizeof *c), **calls;
	uint32_t i = 0, n;

	if (l->open_calls < l->n_calls)
		while (l->calls[(l->last_call + i) % l->n_calls] != NULL)
			i++;
	if (c == NULL)
		fatal("event=no_memory for=call");
	if (l->open_calls == l->n_calls) {
		n = l->n_calls == 0 ? 16 : l->n_calls * 2;
		calls = realloc(l->calls, n * sizeof *calls);
		if (calls == NULL)
			fatal("event=no_memory for=calls");
		memset(calls + l->n_calls, 0,
		    (n - l->n_calls) * sizeof *calls);
		c->index = l->n_calls;
		l->calls = calls;
		l->n_calls = n;
	} else {
		c->index = (uint32_t)((l->last_call + i) % l->n_calls);
	}
	c->l = l;
	c->req = ++l->last_call << 20 | c->index;
	l->calls[c->index] = c;
	l->open_calls++;
	loop_timer_init(&c->timer, l->loop, on_call_timeout, c);
	loop_later_init(&c->refused, l->loop, on_call_refused, c);
	return c;
}

struct ipc_call *
ipc_ask_raw(struct ipc_link *l, enum ipc_type type, void *message, int fd,
    uint32_t timeout_ms, ipc_done *done, void *arg)
{
	struct ipc_call *c = call_new(l);

	c->type = type;
	c->done = done;
	c->arg = arg;
	memcpy(message, &c->req, sizeof c->req); /* req is the first field */
	if (l->open_calls > CALLS_MAX || enqueue(l, type, message, fd) < 0)
		loop_later_ask(&c->refused);
	else if (timeout_ms > 0)
		loop_timer_set(&c->timer, clock_boot_ms() + timeout_ms);
	return c;
}

void
ipc_call_cancel(struct ipc_call **cp)
{
	struct ipc_call *c = *cp;

	if (c == NULL)
		return;
	*cp = NULL;
	if (c->done != NULL)
		tell_cancelled(c);
	c->done = NULL;
	loop_timer_clear(&c->timer);
}

/* Routes an ANSWER or PART. -1: nobody asked that, or asked something else;
 * whoever did would take one kind of message for another. */
static int
answered(struct ipc_link *l, int type, const union ipc_any *m, int fd)
{
	uint32_t index = m->req & 0xfffff;
	struct ipc_call *c = index < l->n_calls ? l->calls[index] : NULL;
	ipc_done *done;
	void *arg;

	if (c == NULL || c->req != m->req ||
	    !ipc_is_answer((enum ipc_type)type, c->type))
		return -1;
	done = c->done;
	arg = c->arg;
	if (ipc_info[type].kind == IPC_ANSWER)
		call_free(c);
	if (done != NULL)
		done(arg, type, m, fd);
	else if (fd >= 0)
		(void)close(fd);
	return 0;
}

/* ---- input ---- */

/* The one descriptor of a message; -1 none, -2 more than one or cut off. */
static int
take_fd(struct msghdr *h)
{
	struct cmsghdr *c;
	int fd = -1, got;
	size_t n, i;
	bool bad = (h->msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0;

	for (c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&got, CMSG_DATA(c) + i * sizeof(int),
			    sizeof got);
			if (fd >= 0) {
				(void)close(got);
				bad = true;
			} else {
				fd = got;
			}
		}
	}
	if (bad && fd >= 0)
		(void)close(fd);
	return bad ? -2 : fd;
}

static void
handle(struct ipc_link *l, struct slice bytes, int fd)
{
	const struct ipc_info *info;
	static union ipc_any m;
	const char *why = NULL;
	ipc_handler *h;
	int type;

	memset(&m, 0, sizeof m);
	type = ipc_decode(bytes, &m);
	info = type < 0 ? NULL : &ipc_info[type];
	if (fd == -2)
		why = "descriptors were cut off or too many";
	else if (type < 0)
		why = "not a message";
	else if ((info->from & 1U << l->peer) == 0 ||
	    (info->to & 1U << l->self) == 0)
		why = "must not say this to us";
	else if (info->fd != (fd >= 0))
		why = "descriptor missing or not declared";
	if (why == NULL &&
	    (info->kind == IPC_ANSWER || info->kind == IPC_PART)) {
		if (answered(l, type, &m, fd) == 0)
			return;
		why = "answers what was not asked";
	}
	h = why == NULL ? l->handlers->by_type[type] : NULL;
	if (h != NULL) {
		h(l, &m, fd);
		return;
	}
	if (fd >= 0)
		(void)close(fd);
	throw_out(l, why == NULL ? "nobody handles it here" : why, type);
}

/* One message. 0: handled, go on; -1: nothing more now. */
static int
receive(struct ipc_link *l)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 4)];
	} control;
	struct iovec iov = { in_bytes, sizeof in_bytes };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	ssize_t n = recvmsg(l->io.fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -1;
	if (n < 0 && (errno == EMFILE || errno == ENFILE)) {
		log_error("event=descriptors_exhausted peer=%s", l->name);
		return -1;
	}
	if (n <= 0) {
		lose(l);
		return -1;
	}
	handle(l, (struct slice){ in_bytes, (size_t)n }, take_fd(&h));
	return 0;
}

static void
on_ready(void *arg, unsigned what)
{
	struct ipc_link *l = arg;
	int i;

	if ((what & LOOP_WRITE) != 0)
		loop_later_ask(&l->flush);
	if ((what & LOOP_READ) == 0)
		return;
	enter(l);
	for (i = 0; i < DRAIN_MAX && !l->broken && !owes_too_much(l); i++)
		if (receive(l) < 0)
			break;
	leave(l);
}

int
ipc_pair(int fds[2])
{
	int size = SOCKET_BUFFER, i;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, fds) < 0)
		return -1;
	for (i = 0; i < 2; i++) {
		/* FORCE needs CAP_NET_ADMIN; without it the limit of the
		 * system holds, which is enough to work. */
		if (setsockopt(fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &size,
			sizeof size) < 0)
			(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size,
			    sizeof size);
	}
	return 0;
}
