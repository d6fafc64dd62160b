# SPDX-License-Identifier: ISC
# No system state: bytes, memory, containers, numbers, time.
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES =
libbase_a_SOURCES += common/base/slice.c common/base/slice.h
libbase_a_SOURCES += common/base/buf.c common/base/buf.h
libbase_a_SOURCES += common/base/region.c common/base/region.h
libbase_a_SOURCES += common/base/list.h
libbase_a_SOURCES += common/base/map.c common/base/map.h
libbase_a_SOURCES += common/base/heap.c common/base/heap.h
libbase_a_SOURCES += common/base/num.c common/base/num.h
libbase_a_SOURCES += common/base/base64.c common/base/base64.h
libbase_a_SOURCES += common/base/clock.c common/base/clock.h
libbase_a_SOURCES += common/base/crc32c.c common/base/crc32c.h
libbase_a_SOURCES += common/base/utf8.c common/base/utf8.h
libbase_a_SOURCES += common/base/queue_id.c common/base/queue_id.h
