/* SPDX-License-Identifier: ISC */
/* The role lmtp: another mail server delivers into our mailboxes. */
#ifndef MDA_LMTP_H
#define MDA_LMTP_H

#include "sys/daemon.h"

extern const struct role lmtp_role;

#endif
