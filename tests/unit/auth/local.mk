# SPDX-License-Identifier: ISC
# Linked with a daemon that only records what is said to the administrator.
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_auth
TESTS += tests/unit/unit_auth
endif
tests_unit_unit_auth_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/auth/suites.h"'
tests_unit_unit_auth_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_auth_LDADD = libdirectory.a libauth.a libstate.a libtable.a libpassword.a libworkers.a libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS) $(TABLE_LIBS) $(PASSWORD_LIBS) $(IDN2_LIBS) $(CHECK_LIBS) -lpthread
tests_unit_unit_auth_SOURCES =
tests_unit_unit_auth_SOURCES += tests/unit/main.c
tests_unit_unit_auth_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_auth_SOURCES += tests/unit/sys/scratch.c tests/unit/sys/scratch.h
tests_unit_unit_auth_SOURCES += tests/unit/auth/suites.h
tests_unit_unit_auth_SOURCES += tests/unit/auth/fake_daemon.c tests/unit/auth/fake_daemon.h
tests_unit_unit_auth_SOURCES += tests/unit/auth/world.c tests/unit/auth/world.h
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_record.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_canonical.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_routes.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_accounts.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_route.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_expand.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_passwords.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_recent.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_rates.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_saved_rates.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_clients.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_system_users.c
tests_unit_unit_auth_SOURCES += tests/unit/auth/test_hostile_args.c
