/* SPDX-License-Identifier: ISC */
/*
 * What every role does that lets strangers in: it accepts connections from the
 * sockets that master hands over, as long as it has fewer than its share,
 * names the sessions, and has `state` count the connections of each client.
 * One front per process.
 */
#ifndef SESSION_FRONT_H
#define SESSION_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/list.h"
#include "base/slice.h"
#include "sys/ipc.h"
#include "sys/loop.h"
#include "sys/sockaddr.h"

enum { FRONT_ID_MAX = 16 };

/* A connection that is being served: embedded in the role's own struct. */
struct front_check;
struct front_client {
	struct list link; /* of all, oldest first */
	char id[FRONT_ID_MAX]; /* names the session in logs; unique */
	char key[SOCKADDR_KEY_MAX]; /* under what the client is counted */
	struct sockaddr_storage addr; /* an IPv4 address inside IPv6 undone */
	socklen_t addr_len;
	const char *service; /* "smtp" …: which socket it came to */
	uint64_t counted_on; /* serial of the link to `state`; 0: not counted */
	struct front_check *check; /* unanswered, or NULL */
};

/*
 * A connection came: make a session of it, with front_open() first. The
 * descriptor is the callee's.
 */
typedef void front_accept(const char *service, int fd);

/* Before anything else; a second call does nothing. */
void front_init(struct loop *l, enum role_id role, front_accept *accept);
/* Most connections at a time; counts those of front_open(). */
void front_set_limit(uint64_t connections);
/* For struct role: listen, unlisten. */
void front_listen(struct slice service, struct slice address, int fd);
void front_unlisten(struct slice service, struct slice address);
/* Takes nothing new any more. */
void front_close(void);

/* Begins (ends) a connection's part in the counting. */
void front_open(struct front_client *c, const char *service, int fd);
void front_done(struct front_client *c);
size_t front_count(void);
/* All connections: start with NULL; the one returned may be ended before the
 * next step only if `next` was taken first. */
struct front_client *front_next(const struct front_client *c);

/*
 * Has `state` count it against `limit` for this client over all processes;
 * `checked` is called at once or from the loop, with "allowed" when state is
 * away or slow: a broken counter must not stop the mail. What state counted
 * late is taken back like the rest when the connection ends.
 */
void front_check(struct front_client *c, uint64_t limit,
    void (*checked)(struct front_client *c, bool is_allowed));

#endif
