/* SPDX-License-Identifier: ISC */
/*
 * Names and passwords for smarthosts: a text file that master opened, a line
 * each, "HOST USER PASSWORD" or "HOST:PORT USER PASSWORD"; the password is the
 * rest of the line. Empty lines and those that begin with # mean nothing.
 */
#ifndef MTA_SECRETS_H
#define MTA_SECRETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "session/smtp_client.h"

struct secrets;

/*
 * Parses the text of such a file, which it copies to memory that is wiped. NULL
 * with a sentence in `why` that says which line is wrong, but not what it says.
 */
struct secrets *secrets_parse(struct slice text, struct buf *why);
/* The same for all that a descriptor gives, which stays the caller's. */
struct secrets *secrets_read(int fd, struct buf *why);
void secrets_free(struct secrets **s);
/* The login for a host, by its name and port: the views live as long as *s.
 * False when there is none; s may be NULL. */
bool secrets_find(const struct secrets *s, struct slice host, uint16_t port,
    struct smtp_client_login *login_r);

#endif
