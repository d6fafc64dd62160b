/* SPDX-License-Identifier: ISC */
/*
 * Who runs as what, where, with which system calls, and who may talk to whom.
 * A change here is a change of what a break-in yields: argue it in the commit.
 * tests/unit/master/test_roles.c holds this against the message table.
 */
#include "master/roles.h"

#include <linux/capability.h>

#include "conf/conf_access.h"
#include "conf/conf_auth.h"
#include "conf/conf_directory.h"
#include "conf/conf_lmtp.h"
#include "conf/conf_mailbox.h"
#include "conf/conf_pickup.h"
#include "conf/conf_queue.h"
#include "conf/conf_relay.h"
#include "conf/conf_resolver.h"
#include "conf/conf_smtpd.h"
#include "conf/conf_state.h"
#include "conf/conf_submission.h"
#include "sys/sandbox.h"

#define CAP(c) (1ULL << CAP_##c)

const struct role_row roles[] = {
	/* The network talks to these four: no file, no key, no stored mail. */
	{ .id = ROLE_SMTPD, .program = "smtpd", .user = "smtpd", .many = true,
	    .sandbox = SANDBOX_ACCEPT,
	    .peers = RS_DIRECTORY | RS_STATE | RS_QUEUE | RS_KEYS |
		RS_RESOLVER,
	    .descriptors = 65536, .section = &conf_smtpd_section,
	    .stop_phase = 0 },
	{ .id = ROLE_SUBMISSION, .program = "submission", .user = "submission",
	    .many = true, .sandbox = SANDBOX_ACCEPT,
	    .peers = RS_DIRECTORY | RS_AUTH | RS_STATE | RS_QUEUE | RS_KEYS,
	    .descriptors = 65536, .section = &conf_submission_section,
	    .stop_phase = 0 },
	{ .id = ROLE_LMTP, .program = "lmtp", .user = "lmtp",
	    .sandbox = SANDBOX_ACCEPT,
	    .peers = RS_DIRECTORY | RS_STATE | RS_BROKER | RS_KEYS,
	    .descriptors = 65536, .section = &conf_lmtp_section,
	    .stop_phase = 0 },
	{ .id = ROLE_ACCESS, .program = "access", .user = "access",
	    .many = true, .sandbox = SANDBOX_ACCEPT,
	    .peers = RS_AUTH | RS_BROKER | RS_STATE | RS_KEYS,
	    .descriptors = 262144, .section = &conf_access_section,
	    .stop_phase = 0 },
	/* Local mail: sees its drop folder, talks to the queue. */
	{ .id = ROLE_PICKUP, .program = "pickup", .user = "pickup",
	    .folder = "drop", .sandbox = SANDBOX_FILES, .peers = RS_QUEUE,
	    .descriptors = 1024, .section = &conf_pickup_section,
	    .stop_phase = 0 },
	/* Talks to other hosts: mail in transit, no file. */
	{ .id = ROLE_RELAY, .program = "relay", .user = "relay", .many = true,
	    .sandbox = SANDBOX_CONNECT, .peers = RS_RESOLVER | RS_QUEUE,
	    .descriptors = 65536, .section = &conf_relay_section,
	    .stop_phase = 1 },
	/* All queued mail, no network. */
	{ .id = ROLE_QUEUE, .program = "queue", .user = "queue",
	    .folder = "queue", .sandbox = SANDBOX_FILES | SANDBOX_THREADS,
	    .peers = RS_SMTPD | RS_SUBMISSION | RS_PICKUP | RS_RELAY |
		RS_DIRECTORY | RS_BROKER,
	    .descriptors = 65536, .section = &conf_queue_section,
	    .stop_phase = 2 },
	/* Opens owners' folders, introduces; no byte of mail, no network. */
	{ .id = ROLE_BROKER, .program = "broker", .user = NULL,
	    .sandbox = SANDBOX_HOMES, .caps = CAP(CHOWN) | CAP(KILL),
	    .peers = RS_QUEUE | RS_LMTP | RS_ACCESS | RS_AUTH |
		RS_DIRECTORY | RS_TEMPLATE,
	    .descriptors = 262144, .section = &conf_mailbox_section,
	    .stop_phase = 3 },
	/* What owner processes are forked from; reads nothing but the
	 * broker's link. Its children become their owners. */
	{ .id = ROLE_TEMPLATE, .program = "owner", .user = NULL,
	    .sandbox = SANDBOX_SPAWN | SANDBOX_FILES,
	    .caps = CAP(SETUID) | CAP(SETGID) | CAP(SYS_CHROOT),
	    .peers = RS_BROKER, .descriptors = 4096,
	    .section = &conf_mailbox_section, .stop_phase = 3 },
	/* Asked by the others, ask few themselves. */
	{ .id = ROLE_DIRECTORY, .program = "directory", .user = "directory",
	    .folder = "directory", .sandbox = SANDBOX_FILES,
	    .peers = RS_SMTPD | RS_SUBMISSION | RS_LMTP | RS_QUEUE |
		RS_BROKER | RS_AUTH,
	    .descriptors = 4096, .section = &conf_directory_section,
	    .stop_phase = 4 },
	{ .id = ROLE_AUTH, .program = "auth", .user = "auth",
	    .folder = "auth", .sandbox = SANDBOX_FILES | SANDBOX_THREADS,
	    .peers = RS_SUBMISSION | RS_ACCESS | RS_DIRECTORY | RS_STATE |
		RS_BROKER,
	    .descriptors = 4096, .section = &conf_auth_section,
	    .stop_phase = 4 },
	{ .id = ROLE_KEYS, .program = "keys", .user = "keys", .many = true,
	    .sandbox = SANDBOX_LOCK_MEMORY,
	    .peers = RS_SMTPD | RS_SUBMISSION | RS_LMTP | RS_ACCESS,
	    .descriptors = 4096, .stop_phase = 4 },
	{ .id = ROLE_STATE, .program = "state", .user = "state",
	    .folder = "state", .sandbox = SANDBOX_FILES,
	    .peers = RS_SMTPD | RS_SUBMISSION | RS_LMTP | RS_ACCESS | RS_AUTH,
	    .descriptors = 4096, .section = &conf_state_section,
	    .stop_phase = 4 },
	{ .id = ROLE_RESOLVER, .program = "resolver", .user = "resolver",
	    .sandbox = SANDBOX_CONNECT, .peers = RS_SMTPD | RS_RELAY,
	    .descriptors = 4096, .section = &conf_resolver_section,
	    .stop_phase = 4 },
};
const size_t n_roles = sizeof roles / sizeof *roles;

const struct role_row *
role_row(enum role_id id)
{
	size_t i;

	for (i = 0; i < n_roles; i++)
		if (roles[i].id == id)
			return &roles[i];
	return NULL;
}
