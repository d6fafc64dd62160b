# SPDX-License-Identifier: ISC
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_base
TESTS += tests/unit/unit_base
endif
tests_unit_unit_base_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/base/suites.h"'
tests_unit_unit_base_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_base_LDADD = libbase.a $(CHECK_LIBS)
tests_unit_unit_base_SOURCES =
tests_unit_unit_base_SOURCES += tests/unit/main.c
tests_unit_unit_base_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_base_SOURCES += tests/unit/base/suites.h
tests_unit_unit_base_SOURCES += tests/unit/base/test_slice.c
tests_unit_unit_base_SOURCES += tests/unit/base/test_utf8.c
tests_unit_unit_base_SOURCES += tests/unit/base/test_queue_id.c
tests_unit_unit_base_SOURCES += tests/unit/base/test_buf.c
tests_unit_unit_base_SOURCES += tests/unit/base/test_region.c
tests_unit_unit_base_SOURCES += tests/unit/base/test_map.c
tests_unit_unit_base_SOURCES += tests/unit/base/test_heap.c
tests_unit_unit_base_SOURCES += tests/unit/base/test_num.c
tests_unit_unit_base_SOURCES += tests/unit/base/test_base64.c
tests_unit_unit_base_SOURCES += tests/unit/base/test_crc32c.c
tests_unit_unit_base_SOURCES += tests/unit/base/test_list.c
