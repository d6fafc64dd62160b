# SPDX-License-Identifier: ISC
# Mail from strangers.
noinst_LIBRARIES += libsmtpd.a
libsmtpd_a_SOURCES =
libsmtpd_a_SOURCES += mta/client.c mta/client.h
libsmtpd_a_SOURCES += mta/lists.c mta/lists.h
libsmtpd_a_SOURCES += mta/names.c mta/names.h
libsmtpd_a_SOURCES += mta/session.c mta/session.h
libsmtpd_a_SOURCES += mta/smtpd.c mta/smtpd.h
pkglibexec_PROGRAMS += mta/smtpd
mta_smtpd_SOURCES = mta/smtpd_main.c
mta_smtpd_LDADD = libsmtpd.a libsession.a libconn.a libsys.a libconf.a libproto.a libbase.a $(CONN_LIBS) $(SYS_LIBS)
# Delivery to other hosts.
noinst_LIBRARIES += librelay.a
librelay_a_SOURCES =
librelay_a_SOURCES += mta/nexthop.c mta/nexthop.h
librelay_a_SOURCES += mta/lookup.c mta/lookup.h
librelay_a_SOURCES += mta/hosts.c mta/hosts.h
librelay_a_SOURCES += mta/outcome.c mta/outcome.h
librelay_a_SOURCES += mta/secrets.c mta/secrets.h
librelay_a_SOURCES += mta/connections.c mta/connections.h
librelay_a_SOURCES += mta/transfer.c mta/transfer.h
librelay_a_SOURCES += mta/transfer_session.c mta/transfer_priv.h
librelay_a_SOURCES += mta/relay.c mta/relay.h
pkglibexec_PROGRAMS += mta/relay
mta_relay_SOURCES = mta/relay_main.c
mta_relay_LDADD = librelay.a libsession.a libidna.a libpassword.a libconn.a libsys.a libconf.a libproto.a libbase.a $(IDN2_LIBS) $(PASSWORD_LIBS) $(CONN_LIBS) $(SYS_LIBS)
dist_man_MANS += mta/veredus-smtpd.8
dist_man_MANS += mta/veredus-relay.8
