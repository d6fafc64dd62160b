# SPDX-License-Identifier: ISC
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_master
TESTS += tests/unit/unit_master
endif
tests_unit_unit_master_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/master/suites.h"'
tests_unit_unit_master_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_master_LDADD = libmaster.a libsys.a libconf.a libbase.a $(SYS_LIBS) $(CONFUSE_LIBS) $(CHECK_LIBS)
tests_unit_unit_master_SOURCES =
tests_unit_unit_master_SOURCES += tests/unit/main.c
tests_unit_unit_master_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_master_SOURCES += tests/unit/master/suites.h
tests_unit_unit_master_SOURCES += tests/unit/master/test_roles.c
tests_unit_unit_master_SOURCES += tests/unit/master/test_config.c
