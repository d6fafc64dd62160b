/* SPDX-License-Identifier: ISC */
/* The broker: owner processes, and who is introduced to them. */
#ifndef MDA_BROKER_H
#define MDA_BROKER_H

#include "sys/daemon.h"

extern const struct role broker_role;

#endif
