/* SPDX-License-Identifier: ISC */
/* The role `state`: counters and rates for all the others. */
#ifndef AUTH_STATE_H
#define AUTH_STATE_H

struct role;

extern const struct role state_role;

#endif
