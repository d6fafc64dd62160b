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
check_PROGRAMS += $(BENCH_CLIENTS)
.PHONY: bench-programs
bench-programs: $(BENCH_CLIENTS)
