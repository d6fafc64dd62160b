# SPDX-License-Identifier: ISC
# Linked with a TLS layer that does nothing (fake_tls.c) instead of libconn.a.
# Linked with scripted time.
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_session
TESTS += tests/unit/unit_session
endif
tests_unit_unit_session_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/session/suites.h"'
tests_unit_unit_session_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_session_LDADD = libsession.a libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS) $(CHECK_LIBS)
tests_unit_unit_session_SOURCES =
tests_unit_unit_session_SOURCES += tests/unit/main.c
tests_unit_unit_session_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_session_SOURCES += tests/unit/session/suites.h
tests_unit_unit_session_SOURCES += tests/unit/session/fake_tls.c
tests_unit_unit_session_SOURCES += tests/unit/session/fake_policy.c tests/unit/session/fake_policy.h
tests_unit_unit_session_SOURCES += tests/unit/session/test_smtp_server.c
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_smtp_client
TESTS += tests/unit/unit_smtp_client
endif
tests_unit_unit_smtp_client_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/session/smtp_client_suites.h"'
tests_unit_unit_smtp_client_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_smtp_client_LDADD = libsession.a libidna.a libpassword.a libconn.a libsys.a libconf.a libproto.a libbase.a $(IDN2_LIBS) $(PASSWORD_LIBS) $(CONN_LIBS) $(SYS_LIBS) $(CHECK_LIBS)
tests_unit_unit_smtp_client_SOURCES =
tests_unit_unit_smtp_client_SOURCES += tests/unit/main.c
tests_unit_unit_smtp_client_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_smtp_client_SOURCES += tests/unit/session/smtp_client_suites.h
tests_unit_unit_smtp_client_SOURCES += tests/unit/session/smtp_peer.c tests/unit/session/smtp_peer.h
tests_unit_unit_smtp_client_SOURCES += tests/unit/session/test_smtp_client.c
tests_unit_unit_smtp_client_SOURCES += tests/unit/session/test_smtp_client_matrix.c
tests_unit_unit_smtp_client_SOURCES += tests/unit/session/test_smtp_client_auth.c
tests_unit_unit_smtp_client_SOURCES += tests/unit/session/test_smtp_plan.c
tests_unit_unit_smtp_client_SOURCES += tests/fake/fake_clock.c tests/fake/fake_clock.h
tests_unit_unit_smtp_client_SOURCES += tests/fake/fake_loop.c tests/fake/fake_loop.h
# What fronts ask of other roles, linked with scripted time and a scripted loop.
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_session_asks
TESTS += tests/unit/unit_session_asks
endif
tests_unit_unit_session_asks_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/session/asks_suites.h"'
tests_unit_unit_session_asks_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_session_asks_LDADD = libsession.a libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS) $(CHECK_LIBS)
tests_unit_unit_session_asks_SOURCES =
tests_unit_unit_session_asks_SOURCES += tests/unit/main.c
tests_unit_unit_session_asks_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_session_asks_SOURCES += tests/fake/fake_clock.c tests/fake/fake_clock.h
tests_unit_unit_session_asks_SOURCES += tests/fake/fake_loop.c tests/fake/fake_loop.h
tests_unit_unit_session_asks_SOURCES += tests/unit/session/asks_suites.h
tests_unit_unit_session_asks_SOURCES += tests/unit/session/asked.c tests/unit/session/asked.h
tests_unit_unit_session_asks_SOURCES += tests/unit/session/test_queue_tx.c
tests_unit_unit_session_asks_SOURCES += tests/unit/session/test_recipients.c
tests_unit_unit_session_asks_SOURCES += tests/unit/session/test_front.c
