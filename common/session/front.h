/* SPDX-License-Identifier: ISC */
/*
 * What every role does that lets strangers in: it accepts connections from the
 * sockets that master hands over, as long as it has fewer than its share,
 * names the sessions, has `state` count the connections of each client, and
 * ends them all in time when the server stops. One front per process.
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

/* What a role does with its connections. */
struct front_role {
	enum role_id id;
	/* One came: make a session of it, with front_open() first. The
	 * descriptor is the callee's. */
	void (*accept)(const char *service, int fd);
	/* The server stops: end it, now or behind what is in work. */
	void (*stop)(struct front_client *c);
	/* The time for that is over: front_done() before it returns. */
	void (*abort)(struct front_client *c);
};

/* Before anything else; a second call does nothing. */
void front_init(struct loop *l, const struct front_role *role);
/* Most connections at a time; counts those of front_open(). */
void front_set_limit(uint64_t connections);
/* For struct role: listen, unlisten, stop. The last takes nothing new any more,
 * has the connections ended, and says daemon_stopped() when none is left, which
 * is so after grace_ms. */
void front_listen(struct slice service, struct slice address, int fd);
void front_unlisten(struct slice service, struct slice address);
void front_stop(uint32_t grace_ms);
bool front_is_stopping(void);

/* Begins (ends) a connection's part in the counting. */
void front_open(struct front_client *c, const char *service, int fd);
void front_done(struct front_client *c);
size_t front_count(void);
/* All connections: start with NULL; none may be ended on the way. */
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
