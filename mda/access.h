/* SPDX-License-Identifier: ISC */
/*
 * The role access: greets IMAP and POP3 clients, does TLS and login, and then
 * carries bytes between each and the process of the mailbox's owner. It sees
 * no stored mail but what its clients fetch.
 */
#ifndef MDA_ACCESS_H
#define MDA_ACCESS_H

#include "sys/daemon.h"

extern const struct role access_role;

#endif
