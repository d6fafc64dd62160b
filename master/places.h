/* SPDX-License-Identifier: ISC */
/*
 * Users and folders of the server on this machine: what must exist before any
 * role starts, made where it is missing, refused where it is wrong.
 */
#ifndef MASTER_PLACES_H
#define MASTER_PLACES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "conf/conf_server.h"
#include "master/roles.h"

struct places {
	bool privileged;
	int state_dir;  /* O_PATH of server.state_dir */
	int run_dir;
	int empty;      /* an empty folder, the root of most roles */
	int roots[16];  /* mail roots */
	size_t n_roots;
	int lock;       /* held while the server runs */
};

/*
 * Opens and makes the folders and takes the lock that keeps a second server
 * away. 0; -1 with a sentence in `why`.
 */
int places_open(struct places *p, const struct conf_server *c,
    struct buf *why) __attribute__((warn_unused_result));
void places_close(struct places *p);
/* uid and gid of a role; -1 with a sentence when the user does not exist. */
int places_user(const struct places *p, const struct conf_server *c,
    const struct role_row *row, uid_t *uid_r, gid_t *gid_r, struct buf *why)
    __attribute__((warn_unused_result));
/* A descriptor of the role's own folder (made and given to it if missing), or
 * of the empty one. The caller closes it. -1 with a sentence. */
int places_folder(const struct places *p, const struct conf_server *c,
    const struct role_row *row, struct buf *why)
    __attribute__((warn_unused_result));

#endif
