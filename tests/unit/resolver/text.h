/* SPDX-License-Identifier: ISC */
/* Record sets and answers as text, for tests. */
#ifndef TESTS_UNIT_RESOLVER_TEXT_H
#define TESTS_UNIT_RESOLVER_TEXT_H

#include <stdint.h>

#include "base/buf.h"
#include "resolver/answer.h"

/* "10 mx1.example, 20 mx2.example" */
void text_records(struct buf *out, uint16_t type, struct slice records);
/* "ok a.example 60 secure: 192.0.2.1" */
void text_answer(struct buf *out, uint16_t type, const struct answer *a);

#endif
