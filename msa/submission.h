/* SPDX-License-Identifier: ISC */
/* The role submission: mail from users, ports 587 and 465. */
#ifndef MSA_SUBMISSION_H
#define MSA_SUBMISSION_H

#include "sys/daemon.h"

extern const struct role submission_role;

#endif
