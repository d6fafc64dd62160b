# SPDX-License-Identifier: ISC
# The role access, linked with scripted time, a scripted loop, and a TLS that
# encrypts nothing.
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_access
TESTS += tests/unit/unit_access
endif
tests_unit_unit_access_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/access/suites.h"'
tests_unit_unit_access_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_access_LDADD = libaccess.a libsession.a libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS) $(CHECK_LIBS)
tests_unit_unit_access_SOURCES =
tests_unit_unit_access_SOURCES += tests/unit/main.c
tests_unit_unit_access_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_access_SOURCES += tests/fake/fake_clock.c tests/fake/fake_clock.h
tests_unit_unit_access_SOURCES += tests/fake/fake_loop.c tests/fake/fake_loop.h
tests_unit_unit_access_SOURCES += tests/fake/fake_tls.c tests/fake/fake_tls.h
tests_unit_unit_access_SOURCES += tests/unit/access/suites.h
tests_unit_unit_access_SOURCES += tests/unit/access/world.c tests/unit/access/world.h
tests_unit_unit_access_SOURCES += tests/unit/access/peers.c tests/unit/access/peers.h
tests_unit_unit_access_SOURCES += tests/unit/access/test_imap.c
tests_unit_unit_access_SOURCES += tests/unit/access/test_pop3.c
tests_unit_unit_access_SOURCES += tests/unit/access/test_session.c
tests_unit_unit_access_SOURCES += tests/unit/access/test_random.c
