/* SPDX-License-Identifier: ISC */
/* The sessions of smtpd: what it lets in, and where that goes. */
#ifndef MTA_SESSION_H
#define MTA_SESSION_H

#include "base/buf.h"

struct conf_server;
struct conf_smtpd;

/* A configuration holds from now on; both must stay valid until the next. */
void sessions_configure(const struct conf_smtpd *conf,
    const struct conf_server *server);
/* For struct front_role. */
void session_new(const char *service, int fd);
void sessions_status(struct buf *row);

#endif
