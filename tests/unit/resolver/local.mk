# SPDX-License-Identifier: ISC
# Linked with scripted time and a scripted network instead of the real ones.
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_resolver
TESTS += tests/unit/unit_resolver
endif
tests_unit_unit_resolver_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/resolver/suites.h"'
tests_unit_unit_resolver_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_resolver_LDADD = libresolver.a libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS) $(RESOLV_LIBS) $(CHECK_LIBS)
tests_unit_unit_resolver_SOURCES =
tests_unit_unit_resolver_SOURCES += tests/unit/main.c
tests_unit_unit_resolver_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_resolver_SOURCES += tests/fake/fake_clock.c tests/fake/fake_clock.h
tests_unit_unit_resolver_SOURCES += tests/fake/fake_loop.c tests/fake/fake_loop.h
tests_unit_unit_resolver_SOURCES += tests/unit/resolver/suites.h
tests_unit_unit_resolver_SOURCES += tests/unit/resolver/reply.c tests/unit/resolver/reply.h
tests_unit_unit_resolver_SOURCES += tests/unit/resolver/text.c tests/unit/resolver/text.h
tests_unit_unit_resolver_SOURCES += tests/unit/resolver/fake_transport.c tests/unit/resolver/fake_transport.h
tests_unit_unit_resolver_SOURCES += tests/unit/resolver/test_message.c
tests_unit_unit_resolver_SOURCES += tests/unit/resolver/test_query.c
tests_unit_unit_resolver_SOURCES += tests/unit/resolver/test_cache.c
tests_unit_unit_resolver_SOURCES += tests/unit/resolver/test_servers.c
tests_unit_unit_resolver_SOURCES += tests/unit/resolver/test_lookups.c
