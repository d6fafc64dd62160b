/* SPDX-License-Identifier: ISC */
/* The role that takes dropped messages in. */
#ifndef MSA_PICKUP_H
#define MSA_PICKUP_H

#include "sys/daemon.h"

extern const struct role pickup_role;

#endif
