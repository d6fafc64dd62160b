/* SPDX-License-Identifier: ISC */
/*
 * The owner process: the only one that opens this owner's mail. It delivers
 * into it and serves its IMAP and POP3 sessions. It is made by the template
 * and lives in the owner's folder, as the owner's uid.
 */
#ifndef MDA_OWNER_H
#define MDA_OWNER_H

#include "mda/mailbox.h"
#include "mda/owner_jail.h"
#include "sys/ipc.h"

struct loop;
struct conn;

/* The rest of the process's life. */
void owner_run(const struct owner_identity *who) __attribute__((noreturn));

/* ---- for deliveries and sessions in this process ---- */

struct loop *owner_loop(void);
struct account *owner_account(void);
const char *owner_address(void);
const char *owner_hostname(void);
const char *owner_delimiter(void);
/* How often an idle session looks whether another program changed its folder,
 * in milliseconds. */
int64_t owner_poll_ms(void);
/* Something begins or ends that must not be interrupted: while any is open
 * the broker lets the process live. */
void owner_busy(void);
void owner_idle(void);
/* Tells the broker how busy we are, though nothing changed: it counts whoever
 * it introduced until it hears. */
void owner_report(void);
/* The broker asked us to end, or the map has failed: sessions say BYE, deliveries finish. */
bool owner_is_stopping(void);

#endif
