/* SPDX-License-Identifier: ISC */
/* What owner processes are forked from. */
#ifndef MDA_TEMPLATE_H
#define MDA_TEMPLATE_H

#include "sys/daemon.h"

extern const struct role template_role;

#endif
