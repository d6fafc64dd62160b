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
/* For struct front_role ("submissions": TLS first). */
void session_new(const char *service, int fd);
void sessions_status(struct buf *row);

#endif
