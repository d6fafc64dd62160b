/* SPDX-License-Identifier: ISC */
/* A resolver by script: linked instead of mta/lookup.c. */
#ifndef TESTS_UNIT_MTA_FAKE_LOOKUP_H
#define TESTS_UNIT_MTA_FAKE_LOOKUP_H

#include "sys/loop.h"

/*
 * What is known from now on, a line each: "NAME TYPE ANSWER...", the answers
 * being addresses, PREFERENCE:HOST, or a name of proto/dns.h such as
 * "nxdomain". A name that has no line at all does not exist; "never" gives no
 * answer.
 */
void fake_lookup_know(struct loop *l, const char *lines);
/* How many questions were asked, and wait for an answer. */
unsigned fake_lookup_asked(void);
unsigned fake_lookup_open(void);

#endif
