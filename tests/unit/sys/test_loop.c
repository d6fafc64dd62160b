/* SPDX-License-Identifier: ISC */
/* The real loop: descriptors, timers in order, the end of a turn. */
#include "sys/loop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

static struct loop *loop;
static struct loop_timer timers[3];
static struct loop_later later;
static struct loop_io io;
static char order[32];
static int reads;
static char a[] = "a", b[] = "b", l[] = "l", s[] = "s", never[] = "never";

static void
note(void *arg)
{
	size_t n = strlen(order);

	(void)snprintf(order + n, sizeof order - n, "%s", (char *)arg);
}

static void
note_and_stop(void *arg)
{
	note(arg);
	loop_stop(loop);
}

static void
ask_again(void *arg)
{
	note(arg);
	if (strlen(order) < 4)
		loop_later_ask(&later);
}

static void
on_read(void *arg, unsigned what)
{
	char byte;

	ck_assert_uint_eq(what, LOOP_READ);
	ck_assert_int_eq((int)read(*(int *)arg, &byte, 1), 1);
	reads++;
	if (byte == 'x')
		loop_io_remove(&io); /* from inside its own callback */
}

START_TEST(timers_fire_in_order)
{
	int64_t now = clock_boot_ms();

	loop = loop_new();
	loop_timer_init(&timers[0], loop, note, a);
	loop_timer_init(&timers[1], loop, note_and_stop, b);
	loop_timer_init(&timers[2], loop, note, never);
	loop_timer_set(&timers[1], now + 30);
	loop_timer_set(&timers[0], now + 50);
	loop_timer_set(&timers[2], now + 5);
	loop_timer_clear(&timers[2]);
	loop_timer_set(&timers[0], now + 10); /* moved */
	ck_assert(loop_timer_is_set(&timers[0]));
	loop_run(loop);
	ck_assert_str_eq(order, "ab");
	ck_assert(!loop_timer_is_set(&timers[0]));
	ck_assert_int_ge(clock_boot_ms(), now + 30);
	loop_free(&loop);
}
END_TEST

START_TEST(later_comes_at_the_end_of_the_turn)
{
	loop = loop_new();
	loop_later_init(&later, loop, ask_again, l);
	loop_later_ask(&later);
	loop_later_ask(&later); /* twice is once */
	loop_turn(loop, false);
	ck_assert_str_eq(order, "llll");
	loop_later_ask(&later);
	loop_later_remove(&later);
	loop_turn(loop, false);
	ck_assert_str_eq(order, "llll");
	loop_free(&loop);
}
END_TEST

START_TEST(descriptors)
{
	int fds[2];

	loop = loop_new();
	ck_assert_int_eq(pipe(fds), 0);
	loop_io_init(&io, loop, fds[0], on_read, &fds[0]);
	loop_turn(loop, false);
	loop_io_want(&io, LOOP_READ);
	ck_assert_int_eq((int)write(fds[1], "abx", 3), 3);
	loop_turn(loop, false);
	loop_io_want(&io, 0);
	loop_turn(loop, false);
	ck_assert_int_eq(reads, 1);
	loop_io_want(&io, LOOP_READ);
	loop_turn(loop, true);
	loop_turn(loop, true);
	ck_assert_int_eq(reads, 3);
	ck_assert_int_eq((int)write(fds[1], "c", 1), 1);
	loop_turn(loop, false);
	ck_assert_int_eq(reads, 3);
	loop_free(&loop);
}
END_TEST

/* A number that is closed and used again in one turn is a new descriptor. */
START_TEST(reused_numbers)
{
	int fds[2], again[2], i;

	loop = loop_new();
	for (i = 0; i < 50; i++) {
		ck_assert_int_eq(pipe(fds), 0);
		loop_io_init(&io, loop, fds[0], on_read, &fds[0]);
		loop_io_want(&io, LOOP_READ);
		loop_turn(loop, false);
		loop_io_remove(&io);
		(void)close(fds[0]);
		(void)close(fds[1]);
		ck_assert_int_eq(pipe(again), 0);
		ck_assert_int_eq(again[0], fds[0]);
		loop_io_init(&io, loop, again[0], on_read, &again[0]);
		loop_io_want(&io, LOOP_READ);
		ck_assert_int_eq((int)write(again[1], "a", 1), 1);
		loop_turn(loop, false);
		ck_assert_int_eq(reads, i + 1);
		loop_io_remove(&io);
		(void)close(again[0]);
		(void)close(again[1]);
	}
	loop_free(&loop);
}
END_TEST

START_TEST(signals)
{
	loop = loop_new();
	ck_assert_int_eq(loop_signal(loop, SIGUSR1, note_and_stop, s), 0);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	loop_run(loop);
	ck_assert_str_eq(order, "s");
}
END_TEST

UNIT_SUITE(loop, {
	tcase_add_test(tc, timers_fire_in_order);
	tcase_add_test(tc, later_comes_at_the_end_of_the_turn);
	tcase_add_test(tc, descriptors);
	tcase_add_test(tc, reused_numbers);
	tcase_add_test(tc, signals);
})
