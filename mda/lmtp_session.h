/* SPDX-License-Identifier: ISC */
/* The sessions of lmtp. RFC 2033. */
#ifndef MDA_LMTP_SESSION_H
#define MDA_LMTP_SESSION_H

#include "base/buf.h"

struct conf_lmtp;
struct conf_server;

/* A configuration holds from now on; both must stay valid until the next. 0;
 * -1 with the reason and nothing changed. */
int lmtp_sessions_configure(const struct conf_lmtp *conf,
    const struct conf_server *server, struct buf *why)
    __attribute__((warn_unused_result));
/* For struct front_role. */
void lmtp_session_new(const char *service, int fd);
void lmtp_sessions_status(struct buf *row);

#endif
