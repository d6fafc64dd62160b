# SPDX-License-Identifier: ISC
# The system below the roles: loop, connections, links, log, configuration,
# the daemon skeleton and its jail.
noinst_LIBRARIES += libsys.a
SYS_LIBS = $(EVENT_LIBS) $(SECCOMP_LIBS)
libsys_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(SECCOMP_CFLAGS)
libsys_a_SOURCES =
libsys_a_SOURCES += common/sys/role.c common/sys/role.h
libsys_a_SOURCES += common/sys/loop.c common/sys/loop.h
libsys_a_SOURCES += common/sys/sockaddr.c common/sys/sockaddr.h
libsys_a_SOURCES += common/sys/networks.c common/sys/networks.h
libsys_a_SOURCES += common/sys/fifo.c common/sys/fifo.h
libsys_a_SOURCES += common/sys/conn_open.c
libsys_a_SOURCES += common/sys/conn.c common/sys/conn.h common/sys/conn_priv.h
libsys_a_SOURCES += common/sys/tls_tickets.c common/sys/tls_tickets.h
libsys_a_SOURCES += common/sys/log.c common/sys/log.h
libsys_a_SOURCES += common/sys/row.c common/sys/row.h
libsys_a_SOURCES += common/sys/ipc_table.c common/sys/ipc_messages.h
libsys_a_SOURCES += common/sys/ipc_codec.c
libsys_a_SOURCES += common/sys/ipc.c common/sys/ipc.h
libsys_a_SOURCES += common/sys/conf.c common/sys/conf.h
libsys_a_SOURCES += common/sys/sandbox.c common/sys/sandbox.h
libsys_a_SOURCES += common/sys/jail.c common/sys/jail.h
libsys_a_SOURCES += common/sys/jail_probe.c
libsys_a_SOURCES += common/sys/daemon.c common/sys/daemon.h
libsys_a_SOURCES += common/sys/addr_kind.h common/sys/auth_result.h
# What the auth roles stand on, in libraries of their own: a role links only
# what it needs, with the libraries behind them in these variables.
noinst_LIBRARIES += libpassword.a
PASSWORD_LIBS = $(OPENSSL_LIBS) $(CRYPT_LIBS) $(SODIUM_LIBS) $(UNISTRING_LIBS)
libpassword_a_SOURCES =
libpassword_a_SOURCES += common/sys/password.c common/sys/password.h
libpassword_a_SOURCES += common/sys/saslprep.c common/sys/saslprep.h
libpassword_a_SOURCES += common/sys/scram_keys.c common/sys/scram_keys.h
noinst_LIBRARIES += libworkers.a
libworkers_a_SOURCES =
libworkers_a_SOURCES += common/sys/workers.c common/sys/workers.h
noinst_LIBRARIES += libtable.a
TABLE_LIBS = $(DB_LIBS) $(LMDB_LIBS)
libtable_a_SOURCES =
libtable_a_SOURCES += common/sys/table.c common/sys/table.h
libtable_a_SOURCES += common/sys/table_driver.h
libtable_a_SOURCES += common/sys/table_bdb.c
libtable_a_SOURCES += common/sys/table_lmdb.c
libtable_a_SOURCES += common/sys/table_lines.c common/sys/table_lines.h
libtable_a_SOURCES += common/sys/table_text.c
# Connections under TLS: only who speaks TLS links this, and OpenSSL.
noinst_LIBRARIES += libconn.a
CONN_LIBS = $(OPENSSL_LIBS)
# -Wno-cast-qual: macros of OpenSSL cast const away.
libconn_a_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS) -Wno-cast-qual
libconn_a_SOURCES =
libconn_a_SOURCES += common/sys/conn_tls.c
libconn_a_SOURCES += common/sys/tls.c common/sys/tls.h
libconn_a_SOURCES += common/sys/tls_server.c common/sys/tls_priv.h
libconn_a_SOURCES += common/sys/tls_cert.c common/sys/tls_cert.h
libconn_a_SOURCES += common/sys/tls_stek.c common/sys/tls_stek.h
libconn_a_SOURCES += common/sys/tls_client.c
libconn_a_SOURCES += common/sys/tls_keys.c common/sys/tls_keys.h
# Internationalized domain names, for who sends mail or asks the DNS.
noinst_LIBRARIES += libidna.a
libidna_a_CFLAGS = $(AM_CFLAGS) $(IDN2_CFLAGS)
libidna_a_SOURCES =
libidna_a_SOURCES += common/sys/idna.c common/sys/idna.h
