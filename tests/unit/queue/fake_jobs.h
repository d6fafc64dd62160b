/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_QUEUE_FAKE_JOBS_H
#define TESTS_UNIT_QUEUE_FAKE_JOBS_H

#include <stdbool.h>

/* The disk does nothing until it is let go again. */
void fake_jobs_hold(bool is_held);

#endif
