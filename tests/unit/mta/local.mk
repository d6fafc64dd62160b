# SPDX-License-Identifier: ISC
# Linked with a resolver of its own (fake_lookup.c) and scripted time.
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_mta
TESTS += tests/unit/unit_mta
endif
tests_unit_unit_mta_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/mta/suites.h"'
tests_unit_unit_mta_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_mta_LDADD = libsmtpd.a libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS) $(CHECK_LIBS)
tests_unit_unit_mta_SOURCES =
tests_unit_unit_mta_SOURCES += tests/unit/main.c
tests_unit_unit_mta_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_mta_SOURCES += tests/unit/mta/suites.h
tests_unit_unit_mta_SOURCES += tests/unit/mta/test_lists.c
tests_unit_unit_mta_SOURCES += tests/unit/mta/test_client.c
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_relay
TESTS += tests/unit/unit_relay
endif
tests_unit_unit_relay_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/mta/relay_suites.h"'
tests_unit_unit_relay_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_relay_LDADD = librelay.a libsession.a libidna.a libpassword.a libconn.a libsys.a libconf.a libproto.a libbase.a $(IDN2_LIBS) $(PASSWORD_LIBS) $(CONN_LIBS) $(SYS_LIBS) $(CHECK_LIBS)
tests_unit_unit_relay_SOURCES =
tests_unit_unit_relay_SOURCES += tests/unit/main.c
tests_unit_unit_relay_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_relay_SOURCES += tests/unit/mta/relay_suites.h
tests_unit_unit_relay_SOURCES += tests/unit/mta/fake_lookup.c tests/unit/mta/fake_lookup.h
tests_unit_unit_relay_SOURCES += tests/unit/mta/test_nexthop.c
tests_unit_unit_relay_SOURCES += tests/unit/mta/test_hosts.c
tests_unit_unit_relay_SOURCES += tests/unit/mta/test_outcome.c
tests_unit_unit_relay_SOURCES += tests/unit/mta/test_secrets.c
tests_unit_unit_relay_SOURCES += tests/unit/mta/test_connections.c
tests_unit_unit_relay_SOURCES += tests/fake/fake_clock.c tests/fake/fake_clock.h
tests_unit_unit_relay_SOURCES += tests/fake/fake_loop.c tests/fake/fake_loop.h
