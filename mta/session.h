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
/* Begins a session, takes the descriptor. `closed` is called at its end. */
void session_new(int fd, void (*closed)(void));
/* All sessions end: when their message is in, or now. */
void sessions_stop(void);
void sessions_abort(void);
void sessions_status(struct buf *row);

#endif
