# SPDX-License-Identifier: ISC
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_tls
TESTS += tests/unit/unit_tls
endif
tests_unit_unit_tls_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/tls/suites.h"'
# OpenSSL's macros cast const away.
tests_unit_unit_tls_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS) -Wno-cast-qual
tests_unit_unit_tls_LDADD = libkeys.a libconn.a libsys.a libconf.a libbase.a $(CONN_LIBS) $(SYS_LIBS) $(CHECK_LIBS)
tests_unit_unit_tls_SOURCES =
tests_unit_unit_tls_SOURCES += tests/unit/main.c
tests_unit_unit_tls_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_tls_SOURCES += tests/unit/tls/suites.h
tests_unit_unit_tls_SOURCES += tests/tools/pki.c tests/tools/pki.h
tests_unit_unit_tls_SOURCES += tests/tools/keys_child.c tests/tools/keys_child.h
tests_unit_unit_tls_SOURCES += tests/unit/tls/test_tls.c
tests_unit_unit_tls_SOURCES += tests/unit/tls/test_keys_sign.c
tests_unit_unit_tls_SOURCES += tests/unit/tls/test_keys_store.c
tests_unit_unit_tls_SOURCES += tests/unit/tls/test_keys_role.c
tests_unit_unit_tls_SOURCES += tests/tools/fake_master.c tests/tools/fake_master.h
