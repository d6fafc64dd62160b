/* SPDX-License-Identifier: ISC */
/* The role smtpd: mail from strangers, port 25. */
#ifndef MTA_SMTPD_H
#define MTA_SMTPD_H

#include "sys/daemon.h"

extern const struct role smtpd_role;

#endif
