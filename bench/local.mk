# SPDX-License-Identifier: ISC
# Load clients that judge servers. make check builds them too, so that they
# cannot rot, and tests/system/test_bench.py runs them.
BENCH_CLIENTS =
BENCH_LIBS = libconn.a libsys.a libconf.a libbase.a $(CONN_LIBS) $(SYS_LIBS)
BENCH_COMMON =
BENCH_COMMON += bench/load/load.c bench/load/load.h
BENCH_COMMON += bench/load/message.c bench/load/message.h
BENCH_CLIENTS += bench/load/bench_smtp
bench_load_bench_smtp_SOURCES = bench/load/bench_smtp.c $(BENCH_COMMON)
bench_load_bench_smtp_LDADD = $(BENCH_LIBS)
BENCH_CLIENTS += bench/load/bench_mail
bench_load_bench_mail_SOURCES = bench/load/bench_mail.c bench/load/mail.h $(BENCH_COMMON)
bench_load_bench_mail_SOURCES += bench/load/mail_imap.c bench/load/mail_pop3.c
bench_load_bench_mail_SOURCES += bench/load/imap.c bench/load/imap.h
bench_load_bench_mail_LDADD = $(BENCH_LIBS)
BENCH_CLIENTS += bench/load/bench_idle
bench_load_bench_idle_CFLAGS = $(AM_CFLAGS) $(ZLIB_CFLAGS)
bench_load_bench_idle_SOURCES = bench/load/bench_idle.c $(BENCH_COMMON)
bench_load_bench_idle_SOURCES += bench/load/imap.c bench/load/imap.h
bench_load_bench_idle_SOURCES += bench/load/squeeze.c bench/load/squeeze.h
bench_load_bench_idle_LDADD = $(BENCH_LIBS) $(ZLIB_LIBS)
BENCH_CLIENTS += bench/load/bench_files
bench_load_bench_files_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
bench_load_bench_files_SOURCES = bench/load/bench_files.c $(BENCH_COMMON)
bench_load_bench_files_LDADD = $(BENCH_LIBS) -lpthread
check_PROGRAMS += $(BENCH_CLIENTS)
.PHONY: bench-programs
bench-programs: $(BENCH_CLIENTS)
EXTRA_DIST += tests/system/test_bench.py
