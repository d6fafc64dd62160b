/* SPDX-License-Identifier: ISC */
/* Scripted time: linked instead of base/clock.c. */
#ifndef TESTS_FAKE_CLOCK_H
#define TESTS_FAKE_CLOCK_H

#include <stdint.h>

/* The boot clock in milliseconds; wall time is 2020-01-01 plus that. */
void fake_clock_set(int64_t boot_ms);
/* Wall time alone is set forward, or back; the boot clock knows nothing of
 * it. */
void fake_clock_jump(int64_t seconds);

#endif
