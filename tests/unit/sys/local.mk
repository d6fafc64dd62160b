# SPDX-License-Identifier: ISC
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_sys
TESTS += tests/unit/unit_sys
endif
tests_unit_unit_sys_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/sys/suites.h"'
tests_unit_unit_sys_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_sys_LDADD = libpassword.a libtable.a libworkers.a libsys.a libconf.a libbase.a $(SYS_LIBS) $(PASSWORD_LIBS) $(TABLE_LIBS) $(CHECK_LIBS)
tests_unit_unit_sys_SOURCES =
tests_unit_unit_sys_SOURCES += tests/unit/main.c
tests_unit_unit_sys_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_sys_SOURCES += tests/unit/sys/suites.h
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_password.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_saslprep.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_scram_keys.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_workers.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_sockaddr.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_networks.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_conn.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_tls_tickets.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_table.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_table_crash.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_table_lines.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_table_text.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/scratch.c tests/unit/sys/scratch.h
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_ipc_codec.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_ipc.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_conf.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_row.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_log.c
tests_unit_unit_sys_SOURCES += tests/unit/sys/test_loop.c
