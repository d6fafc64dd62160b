/* SPDX-License-Identifier: ISC */
/* Linked instead of sys/daemon.c: what a role asks of it, and what it tells an
 * administrator. */
#ifndef TESTS_FAKE_DAEMON_H
#define TESTS_FAKE_DAEMON_H

#include <stddef.h>
#include <stdint.h>

struct conf_server;

struct fake_answer {
	size_t rows, done;
	uint8_t exit; /* of the last one done */
	char text[4096];
};
extern struct fake_answer fake_answer;
extern struct conf_server fake_server;

#endif
