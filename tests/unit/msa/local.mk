# SPDX-License-Identifier: ISC
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_msa
TESTS += tests/unit/unit_msa
endif
tests_unit_unit_msa_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/msa/suites.h"'
tests_unit_unit_msa_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_msa_LDADD = libsubmission.a libsendmail.a libproto.a libbase.a $(CHECK_LIBS)
tests_unit_unit_msa_SOURCES =
tests_unit_unit_msa_SOURCES += tests/unit/main.c
tests_unit_unit_msa_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_msa_SOURCES += tests/unit/msa/suites.h
tests_unit_unit_msa_SOURCES += tests/unit/msa/test_fixup.c
tests_unit_unit_msa_SOURCES += tests/unit/msa/test_localmail.c
tests_unit_unit_msa_SOURCES += tests/unit/msa/test_sendmail_args.c
