/* SPDX-License-Identifier: ISC */
/* Time from the kernel. */
#include "base/clock.h"

#include <time.h>

static int utc_offset;

static int64_t
read_us(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_boot_us(void)
{
	return read_us(CLOCK_BOOTTIME);
}

int64_t
clock_boot_ms(void)
{
	return clock_boot_us() / 1000;
}

int64_t
clock_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}

int64_t
clock_wall(void)
{
	return clock_wall_us() / 1000000;
}

int
clock_utc_offset(void)
{
	return utc_offset;
}

void
clock_set_utc_offset(int minutes)
{
	utc_offset = minutes;
}
