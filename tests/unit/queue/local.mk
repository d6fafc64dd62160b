# SPDX-License-Identifier: ISC
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_queue
TESTS += tests/unit/unit_queue
endif
tests_unit_unit_queue_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/queue/suites.h"'
tests_unit_unit_queue_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_queue_LDADD = libspool.a libworkers.a libsys.a libbase.a $(SYS_LIBS) $(CHECK_LIBS) -lpthread
tests_unit_unit_queue_SOURCES =
tests_unit_unit_queue_SOURCES += tests/unit/main.c
tests_unit_unit_queue_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_queue_SOURCES += tests/unit/queue/suites.h
tests_unit_unit_queue_SOURCES += tests/unit/queue/test_slot_format.c
tests_unit_unit_queue_SOURCES += tests/unit/queue/test_fsio.c
tests_unit_unit_queue_SOURCES += tests/unit/queue/world.c tests/unit/queue/world.h
tests_unit_unit_queue_SOURCES += tests/unit/queue/test_spool.c
tests_unit_unit_queue_SOURCES += tests/unit/queue/test_crash.c
tests_unit_unit_queue_SOURCES += tests/unit/queue/test_scan.c
tests_unit_unit_queue_SOURCES += tests/unit/queue/script.c tests/unit/queue/script.h
tests_unit_unit_queue_SOURCES += tests/unit/queue/test_power.c
tests_unit_unit_queue_SOURCES += tests/unit/queue/test_limits.c
tests_unit_unit_queue_SOURCES += tests/unit/queue/test_failures.c
# The role as a whole, linked with scripted time, a scripted loop, and jobs that
# need no threads.
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_queue_role
TESTS += tests/unit/unit_queue_role
endif
tests_unit_unit_queue_role_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/queue/role_suites.h"'
tests_unit_unit_queue_role_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_queue_role_LDADD = libqueue.a libspool.a libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS) $(CHECK_LIBS)
tests_unit_unit_queue_role_SOURCES =
tests_unit_unit_queue_role_SOURCES += tests/unit/main.c
tests_unit_unit_queue_role_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_queue_role_SOURCES += tests/fake/fake_clock.c tests/fake/fake_clock.h
tests_unit_unit_queue_role_SOURCES += tests/fake/fake_loop.c tests/fake/fake_loop.h
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/role_suites.h
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/fake_jobs.c tests/unit/queue/fake_jobs.h
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/play.c tests/unit/queue/play.h
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/play_peers.c tests/unit/queue/play_peers.h
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/test_schedule.c
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/test_deliver.c
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/test_bounce.c
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/test_admin.c
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/test_intake.c
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/test_room.c
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/test_suspect.c
tests_unit_unit_queue_role_SOURCES += tests/unit/queue/test_loops.c
