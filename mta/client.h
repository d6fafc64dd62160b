/* SPDX-License-Identifier: ISC */
/* What the configuration's networks say of a client. */
#ifndef MTA_CLIENT_H
#define MTA_CLIENT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/buf.h"

struct conf_list;
struct conf_smtpd;

enum client_kind {
	CLIENT_STRANGER,
	CLIENT_ALLOWED, /* let in whatever block lists say */
	CLIENT_TRUSTED, /* may relay to anywhere; let in, too */
	CLIENT_BLOCKED
};

/* Takes the networks of the configuration over; 0, or -1 with the reason and
 * nothing changed. */
int client_configure(const struct conf_smtpd *conf, struct buf *why)
    __attribute__((warn_unused_result));
enum client_kind client_kind(const struct sockaddr *sa, socklen_t len);

#endif
