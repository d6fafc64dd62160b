/* SPDX-License-Identifier: ISC */
/* The role: name resolution for all other roles. */
#ifndef RESOLVER_RESOLVER_H
#define RESOLVER_RESOLVER_H

struct role;

extern const struct role resolver_role;

#endif
