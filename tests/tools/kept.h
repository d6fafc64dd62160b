/* SPDX-License-Identifier: ISC */
/*
 * The descriptors that a hostile peer was ever given: kept open, read and
 * written by number long after they should be of no use.
 */
#ifndef TESTS_TOOLS_KEPT_H
#define TESTS_TOOLS_KEPT_H

#include <stdint.h>

#include "base/slice.h"

/* Takes over `fd`; its number from now on. */
int kept_add(int fd);
/* The descriptor with this number; -1 when there is none. Not handed over. */
int kept_fd(uint64_t number);
/* "NUMBER read OFFSET COUNT", "NUMBER write OFFSET COUNT", "NUMBER close":
 * prints "kept NUMBER ok=BYTES" (read: in hexadecimal, written: their count)
 * or "kept NUMBER error=TEXT". */
void kept_command(struct slice text);

#endif
