/* SPDX-License-Identifier: ISC */
/*
 * The one place that asks for the time. Deadlines are milliseconds of the boot
 * clock (it runs on through suspend and does not jump); wall time is for people
 * and disks. Tests link their own clock.c with scripted time.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_BOOTTIME. */
int64_t clock_boot_ms(void);
/* Microseconds of CLOCK_BOOTTIME. */
int64_t clock_boot_us(void);
/* Wall time: microseconds (seconds) since 1970 UTC. */
int64_t clock_wall_us(void);
int64_t clock_wall(void);
/*
 * The local offset from UTC in minutes, as master tells it at start and with
 * each reload; 0 until set. Nothing in a jail calls localtime.
 */
int clock_utc_offset(void);
void clock_set_utc_offset(int minutes);

#endif
