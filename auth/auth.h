/* SPDX-License-Identifier: ISC */
/* The role `auth`: who is who, by password. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

struct role;

extern const struct role auth_role;

#endif
