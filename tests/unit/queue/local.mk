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
