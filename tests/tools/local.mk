# SPDX-License-Identifier: ISC
# Programs that the system tests drive.
check_PROGRAMS += tests/tools/resolve
tests_tools_resolve_SOURCES =
tests_tools_resolve_SOURCES += tests/tools/resolve.c
tests_tools_resolve_SOURCES += tests/tools/fake_master.c tests/tools/fake_master.h
tests_tools_resolve_SOURCES += tests/unit/resolver/text.c tests/unit/resolver/text.h
tests_tools_resolve_LDADD = libresolver.a libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS) $(RESOLV_LIBS)
# Programs that the system tests run.
check_PROGRAMS += tests/tools/mime_dump
tests_tools_mime_dump_SOURCES = tests/tools/mime_dump.c
tests_tools_mime_dump_LDADD = libproto.a libbase.a
check_PROGRAMS += tests/tools/tls_echo
tests_tools_tls_echo_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
tests_tools_tls_echo_SOURCES =
tests_tools_tls_echo_SOURCES += tests/tools/tls_echo.c
tests_tools_tls_echo_SOURCES += tests/tools/keys_child.c tests/tools/keys_child.h
tests_tools_tls_echo_LDADD = libkeys.a libconn.a libsys.a libconf.a libbase.a $(CONN_LIBS) $(SYS_LIBS)
EXTRA_DIST += tests/system/test_tls.py
# Built by name only: make tests/tools/spool_bench
EXTRA_PROGRAMS += tests/tools/spool_bench
tests_tools_spool_bench_SOURCES = tests/tools/spool_bench.c
tests_tools_spool_bench_LDADD = libspool.a libworkers.a libsys.a libbase.a $(SYS_LIBS) -lpthread
check_PROGRAMS += tests/tools/console
tests_tools_console_SOURCES =
tests_tools_console_SOURCES += tests/tools/console.c
tests_tools_console_SOURCES += tests/tools/kept.c tests/tools/kept.h
tests_tools_console_SOURCES += tests/tools/fake_master.c tests/tools/fake_master.h
tests_tools_console_LDADD = libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS)
# Drives the relay role.
check_PROGRAMS += tests/tools/deliver
tests_tools_deliver_SOURCES =
tests_tools_deliver_SOURCES += tests/tools/deliver.c
tests_tools_deliver_SOURCES += tests/tools/fake_master.c tests/tools/fake_master.h
tests_tools_deliver_LDADD = libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS)
check_PROGRAMS += tests/tools/front
tests_tools_front_SOURCES =
tests_tools_front_SOURCES += tests/tools/front.c
tests_tools_front_SOURCES += tests/tools/fake_master.c tests/tools/fake_master.h
tests_tools_front_LDADD = libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS)
EXTRA_DIST += tests/system/test_relay_role.py
# Built by test_durable_steps.py itself: a library to be preloaded.
EXTRA_DIST += tests/tools/kill_at.c
EXTRA_DIST += tests/system/test_durable_steps.py
EXTRA_DIST += tests/system/test_kill.py
EXTRA_DIST += tests/system/test_broker_hostile.py
EXTRA_DIST += tests/system/test_descriptors.py
