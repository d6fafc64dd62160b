/* SPDX-License-Identifier: ISC */
/*
 * How a child of the template becomes the owner: groups and uid, root folder,
 * Landlock, and a filter that takes back the calls this needed.
 */
#ifndef MDA_OWNER_JAIL_H
#define MDA_OWNER_JAIL_H

#include <stdbool.h>
#include <stdint.h>

struct owner_identity {
	uint64_t account;
	uint32_t uid, gid;
	int home; /* O_PATH descriptor of its folder */
	int link; /* to the broker */
	bool privileged;
};

/* In the template, before its own jail: builds the filter. */
void owner_jail_prepare(void);
/* In the child: returns inside the jail, or ends the process with a log line.
 * who->home is then a real descriptor of the folder. */
void owner_jail_enter(struct owner_identity *who);

#endif
