/* SPDX-License-Identifier: ISC */
/*
 * The roles of the server by number and name. What each may do stands in
 * master/roles.c; what they say to each other in sys/ipc_messages.h.
 */
#ifndef SYS_ROLE_H
#define SYS_ROLE_H

#include <stdint.h>

#define ROLES(R) \
	R(MASTER, "master") \
	R(CONTROL, "veredus") \
	R(RESOLVER, "resolver") \
	R(DIRECTORY, "directory") \
	R(AUTH, "auth") \
	R(KEYS, "keys") \
	R(STATE, "state") \
	R(SUBMISSION, "submission") \
	R(PICKUP, "pickup") \
	R(SMTPD, "smtpd") \
	R(RELAY, "relay") \
	R(QUEUE, "queue") \
	R(LMTP, "lmtp") \
	R(ACCESS, "access") \
	R(BROKER, "broker") \
	R(TEMPLATE, "template") \
	R(OWNER, "owner")

enum role_id {
#define R(id, name) ROLE_##id,
	ROLES(R)
#undef R
	    ROLE_COUNT
};

/* Sets of roles, as the message table's columns use them. */
enum {
#define R(id, name) RS_##id = 1U << ROLE_##id,
	ROLES(R)
#undef R
	RS_ALL = (1U << ROLE_COUNT) - 1,
	/* Every role that master starts. */
	RS_CHILDREN = RS_ALL & ~(RS_MASTER | RS_CONTROL | RS_OWNER),
	/* Who speaks TLS as a server. */
	RS_FRONTS = RS_SMTPD | RS_SUBMISSION | RS_LMTP | RS_ACCESS,
	/* Who gives mail to the queue. */
	RS_SUBMITTERS = RS_SMTPD | RS_SUBMISSION | RS_PICKUP,
	/* Who delivers into mailboxes. */
	RS_DELIVERERS = RS_QUEUE | RS_LMTP
};

/* The printable name; "?" for a number out of range. */
const char *role_name(enum role_id role);
/* The role of that name, or ROLE_COUNT. */
enum role_id role_by_name(const char *name);

#endif
