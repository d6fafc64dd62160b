# SPDX-License-Identifier: ISC
if HAVE_CHECK
check_PROGRAMS += tests/unit/unit_mda
TESTS += tests/unit/unit_mda
endif
tests_unit_unit_mda_CPPFLAGS = $(AM_CPPFLAGS) -DSUITES_H='"tests/unit/mda/suites.h"' -DDIALOGUES='"$(abs_top_srcdir)/tests/unit/mda/dialogues"'
tests_unit_unit_mda_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_mda_LDADD = libimap.a libstore.a libsys.a libproto.a libbase.a $(STORE_LIBS) $(SYS_LIBS) $(CHECK_LIBS)
tests_unit_unit_mda_SOURCES =
tests_unit_unit_mda_SOURCES += tests/unit/main.c
tests_unit_unit_mda_SOURCES += tests/unit/unit.c tests/unit/unit.h
tests_unit_unit_mda_SOURCES += tests/unit/mda/suites.h
tests_unit_unit_mda_SOURCES += tests/unit/mda/world.c tests/unit/mda/world.h
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_rows.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_folder.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_store.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_mailbox.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/dialogue.c tests/unit/mda/dialogue.h
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_imap_session.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_pop3_session.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_view.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_outside.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_takeover.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_crash.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_full.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_imap_text.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_imap_sync.c
tests_unit_unit_mda_SOURCES += tests/unit/mda/test_imap_long.c
