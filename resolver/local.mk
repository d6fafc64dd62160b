# SPDX-License-Identifier: ISC
# Name resolution for everybody.
noinst_LIBRARIES += libresolver.a
libresolver_a_SOURCES =
libresolver_a_SOURCES += resolver/answer.h
libresolver_a_SOURCES += resolver/rdata.c resolver/rdata.h
libresolver_a_SOURCES += resolver/message.c resolver/message.h
libresolver_a_SOURCES += resolver/cache.c resolver/cache.h
libresolver_a_SOURCES += resolver/servers.c resolver/servers.h
libresolver_a_SOURCES += resolver/transport.c resolver/transport.h
libresolver_a_SOURCES += resolver/query.c resolver/query.h
libresolver_a_SOURCES += resolver/special.c resolver/special.h
libresolver_a_SOURCES += resolver/lookups.c resolver/lookups.h
libresolver_a_SOURCES += resolver/show.c resolver/show.h
libresolver_a_SOURCES += resolver/admin.c resolver/admin.h
libresolver_a_SOURCES += resolver/resolver.c resolver/resolver.h
pkglibexec_PROGRAMS += resolver/resolver
resolver_resolver_SOURCES = resolver/main.c
resolver_resolver_LDADD = libresolver.a libsys.a libconf.a libproto.a libbase.a $(SYS_LIBS) $(RESOLV_LIBS)
dist_man_MANS += resolver/veredus-resolver.8
