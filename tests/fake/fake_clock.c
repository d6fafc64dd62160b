/* SPDX-License-Identifier: ISC */
#include "tests/fake/fake_clock.h"

#include "base/clock.h"

enum { BEGINNING_S = 1577836800 };

static int64_t now_ms = 1000000, jumped_s;
static int offset;

void
fake_clock_set(int64_t boot_ms)
{
	now_ms = boot_ms;
}

void
fake_clock_jump(int64_t seconds)
{
	jumped_s += seconds;
}

int64_t
clock_boot_ms(void)
{
	return now_ms;
}

int64_t
clock_boot_us(void)
{
	return now_ms * 1000;
}

int64_t
clock_wall(void)
{
	return BEGINNING_S + jumped_s + now_ms / 1000;
}

int64_t
clock_wall_us(void)
{
	return (BEGINNING_S + jumped_s) * 1000000 + now_ms * 1000;
}

int
clock_utc_offset(void)
{
	return offset;
}

void
clock_set_utc_offset(int minutes)
{
	offset = minutes;
}
