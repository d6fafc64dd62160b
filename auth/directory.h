/* SPDX-License-Identifier: ISC */
/* The role `directory`: what domains, accounts and aliases exist. */
#ifndef AUTH_DIRECTORY_H
#define AUTH_DIRECTORY_H

struct role;

extern const struct role directory_role;

#endif
