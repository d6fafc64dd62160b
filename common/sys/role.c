/* SPDX-License-Identifier: ISC */
/* Names of roles. */
#include "sys/role.h"

#include <string.h>

static const char *const names[] = {
#define R(id, name) name,
	ROLES(R)
#undef R
};

const char *
role_name(enum role_id role)
{
	return (unsigned)role < ROLE_COUNT ? names[role] : "?";
}

enum role_id
role_by_name(const char *name)
{
	unsigned i;

	for (i = 0; i < ROLE_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			break;
	return (enum role_id)i;
}
