/* SPDX-License-Identifier: ISC */
/* The sessions of submission: who may send what as whom. */
#ifndef MSA_SESSION_H
#define MSA_SESSION_H

#include "base/buf.h"

struct conf_server;
struct conf_submission;

/* A configuration holds from now on; both must stay valid until the next. */
void sessions_configure(const struct conf_submission *conf,
    const struct conf_server *server);
/* Begins a session ("submissions": TLS first), takes the descriptor. `closed`
 * is called at its end. */
void session_new(const char *service, int fd, void (*closed)(void));
/* All sessions end: when their message is in, or now. */
void sessions_stop(void);
void sessions_abort(void);
void sessions_status(struct buf *row);

#endif
