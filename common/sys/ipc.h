/* SPDX-License-Identifier: ISC */
/*
 * Links between roles: SOCK_SEQPACKET pairs that carry the messages of
 * sys/ipc_messages.h. The receive path checks, before any handler runs, that
 * the peer may send this message, that this role may receive it, that a
 * descriptor is there if and only if declared, that an answer is one to what
 * was asked, and that the bytes decode to the last one. What does not pass costs the peer its link, never us our life.
 *
 * Output is queued and sent in batches at the end of the loop turn; answers
 * and control go before requests. A link that has too much queued is "full":
 * then a role stops reading from its clients, never from its peers.
 */
#ifndef SYS_IPC_H
#define SYS_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/slice.h"
#include "sys/ipc_messages.h"
#include "sys/role.h"

struct loop;
struct ipc_link;
struct ipc_call;

enum ipc_type {
#define M(name, class, kind, from, to, fd, fields) IPC_##name,
	IPC_MESSAGES(M)
#undef M
	    IPC_TYPE_COUNT
};

enum ipc_class {
#define C(name, waits) IPC_CLASS_##name,
	IPC_CLASSES(C)
#undef C
	    IPC_CLASS_COUNT
};

enum {
#define C(name, waits) IC_##name = 1U << IPC_CLASS_##name,
	IPC_CLASSES(C)
#undef C
};

enum ipc_kind { IPC_ASK, IPC_ANSWER, IPC_PART, IPC_TELL };

typedef uint8_t ipc_t_u8;
typedef uint16_t ipc_t_u16;
typedef uint32_t ipc_t_u32;
typedef uint64_t ipc_t_u64;
typedef int64_t ipc_t_i64;
typedef struct slice ipc_t_str;

#define IPC_FIELD_DECL(N, type, name) ipc_t_##type name;
#define M(name, class, kind, from, to, fd, fields) \
	struct ipc_##name { \
		fields(IPC_FIELD_DECL, name) \
	};
IPC_MESSAGES(M)
#undef M

/* A decoded message; which member counts is the type's. Strings are views
 * into the receive buffer, valid until the handler returns. */
union ipc_any {
	uint64_t req; /* of every ASK, ANSWER and PART */
#define M(name, class, kind, from, to, fd, fields) struct ipc_##name name;
	IPC_MESSAGES(M)
#undef M
};

struct ipc_info {
	const char *name;
	enum ipc_class class;
	enum ipc_kind kind;
	unsigned from, to; /* sets RS_* */
	bool fd;
	size_t size;       /* of its struct */
};
extern const struct ipc_info ipc_info[IPC_TYPE_COUNT];

/* May this ANSWER or PART come to that question? */
bool ipc_is_answer(enum ipc_type answer, enum ipc_type question);
/* Which classes work of this class may wait for (a set IC_*). */
unsigned ipc_class_waits(enum ipc_class c);
const char *ipc_class_name(enum ipc_class c);
/* A hash over the whole expanded table: equal in binaries of one protocol. */
uint64_t ipc_table_hash(void);

/* ---- codec, pure ---- */

/* Appends type and fields; the error is b's. */
void ipc_encode(struct buf *b, enum ipc_type type, const void *message);
/* The type, or -1 when the bytes are not exactly one message. */
int ipc_decode(struct slice bytes, union ipc_any *out_r)
    __attribute__((warn_unused_result));

/* ---- links ---- */

/*
 * A handler gets the decoded message and, if declared, its descriptor, which
 * is then the handler's to close. It may free the link.
 */
typedef void ipc_handler(struct ipc_link *l, const union ipc_any *m, int fd);

struct ipc_handlers {
	/* By type; ASKs and TELLs that this role receives must have one.
	 * ANSWERs and PARTs go to the call that asked. */
	ipc_handler *by_type[IPC_TYPE_COUNT];
	/* The peer is gone (or was thrown out); pending calls were answered
	 * with NULL before. The link is freed after this returns. May be NULL. */
	void (*lost)(struct ipc_link *l);
};

/*
 * Takes over the socket. `self` is who we are on it. NULL when out of memory:
 * the socket is then still the caller's.
 */
struct ipc_link *ipc_link_new(struct loop *l, int fd, enum role_id self,
    enum role_id peer, uint32_t instance, const struct ipc_handlers *h);
/* Closes; pending calls are answered with NULL, `lost` is not called. */
void ipc_link_free(struct ipc_link **l);
enum role_id ipc_link_peer(const struct ipc_link *l);
uint32_t ipc_link_instance(const struct ipc_link *l);
/* A number that no other link of this process ever had; and back: NULL when
 * that link is gone. Whoever answers later keeps the serial, not the link. */
uint64_t ipc_link_serial(const struct ipc_link *l);
struct ipc_link *ipc_link_find(uint64_t serial);
/* For the owner of the link to hang its own data on. */
void ipc_link_set_data(struct ipc_link *l, void *data);
void *ipc_link_data(const struct ipc_link *l);
/* "smtpd[0]" for logs; valid as long as the link. */
const char *ipc_link_name(const struct ipc_link *l);

/*
 * Queues a TELL, ANSWER or PART. With fd >= 0 a duplicate travels: the
 * caller's descriptor stays its own. Never blocks; a failure ends the link.
 */
void ipc_send_raw(struct ipc_link *l, enum ipc_type type, const void *message,
    int fd);
#define ipc_send(l, NAME, fd_, ...) \
	ipc_send_raw((l), IPC_##NAME, \
	    &(const struct ipc_##NAME){ __VA_ARGS__ }, (fd_))

/*
 * Asks: `done` is called once per PART and once for the ANSWER (then the call
 * is over), with the type, or with m == NULL (type -1) when the link is lost,
 * full beyond its bound, or the deadline has passed: treat that as "later".
 * Never called before ipc_ask returns. The `req` field is set by us. NULL is
 * never returned; when memory is out, `done` comes with NULL from the loop.
 */
typedef void ipc_done(void *arg, int type, const union ipc_any *m, int fd);
struct ipc_call *ipc_ask_raw(struct ipc_link *l, enum ipc_type type,
    void *message, int fd, uint32_t timeout_ms, ipc_done *done, void *arg);
#define ipc_ask(l, NAME, fd_, timeout_ms_, done_, arg_, ...) \
	ipc_ask_raw((l), IPC_##NAME, \
	    &(struct ipc_##NAME){ __VA_ARGS__ }, (fd_), (timeout_ms_), \
	    (done_), (arg_))
/* The asker is gone: `done` is not called any more, descriptors in late
 * answers are closed; who was asked hears of it where IPC_CANCELS says so. Sets *c NULL; harmless when it is NULL already. */
void ipc_call_cancel(struct ipc_call **c);

/* Is there more queued than the high mark? Then stop reading from clients. */
bool ipc_is_full(const struct ipc_link *l);

/* Calls `wake` once (then forgets it) when the link is no longer full, or at
 * once from the loop when it is not full now, or when it is lost. */
struct ipc_waiter {
	struct list link;
	void (*wake)(void *arg);
	void *arg;
};
void ipc_wait_room(struct ipc_link *l, struct ipc_waiter *w);
void ipc_waiter_cancel(struct ipc_waiter *w);

/* A SOCK_SEQPACKET pair, close-on-exec, non-blocking, with large buffers.
 * 0, or -1 with errno. */
int ipc_pair(int fds[2]) __attribute__((warn_unused_result));

#endif
