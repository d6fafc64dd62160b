/* SPDX-License-Identifier: ISC */
/*
 * Users of this system as accounts of the first domain: those that passwd(5)
 * lists with a uid from 1000 on (not `nobody`) and a shell to log in with. They
 * keep their own uid and group. Who is no longer listed is switched off; the
 * administrator decides about the mail.
 */
#ifndef AUTH_SYSTEM_USERS_H
#define AUTH_SYSTEM_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct accounts;

struct system_user {
	struct slice name;
	uint32_t uid, gid;
};

/* Takes lines off the front of a passwd file up to the next such user. False
 * at its end. Malformed lines are passed over. Pure. */
bool system_users_next(struct slice *passwd, struct system_user *user_r);
/* Makes the accounts agree with the file. Nothing happens while there is no
 * domain, or when the file has no such user at all. Trouble is logged. */
void system_users_sync(struct accounts *a, struct slice passwd);

#endif
