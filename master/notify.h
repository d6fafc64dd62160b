/* SPDX-License-Identifier: ISC */
/* systemd's notification protocol (sd_notify(3)), without its library. */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

/* Sends "READY=1", "RELOADING=1" or "STOPPING=1" with a status text to
 * $NOTIFY_SOCKET; nothing when there is none. */
void notify(const char *state, const char *status);

#endif
