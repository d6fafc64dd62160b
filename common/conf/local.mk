# SPDX-License-Identifier: ISC
# The declared options, one file for each section of veredus.conf.
noinst_LIBRARIES += libconf.a
libconf_a_SOURCES =
libconf_a_SOURCES += common/conf/conf_server.c common/conf/conf_server.h
libconf_a_SOURCES += common/conf/conf_smtpd.c common/conf/conf_smtpd.h
libconf_a_SOURCES += common/conf/conf_submission.c common/conf/conf_submission.h
libconf_a_SOURCES += common/conf/conf_lmtp.c common/conf/conf_lmtp.h
libconf_a_SOURCES += common/conf/conf_access.c common/conf/conf_access.h
libconf_a_SOURCES += common/conf/conf_queue.c common/conf/conf_queue.h
libconf_a_SOURCES += common/conf/conf_relay.c common/conf/conf_relay.h
libconf_a_SOURCES += common/conf/conf_directory.c common/conf/conf_directory.h
libconf_a_SOURCES += common/conf/conf_auth.c common/conf/conf_auth.h
libconf_a_SOURCES += common/conf/conf_state.c common/conf/conf_state.h
libconf_a_SOURCES += common/conf/conf_mailbox.c common/conf/conf_mailbox.h
libconf_a_SOURCES += common/conf/conf_pickup.c common/conf/conf_pickup.h
libconf_a_SOURCES += common/conf/conf_certificate.c common/conf/conf_certificate.h
libconf_a_SOURCES += common/conf/conf_sections.c common/conf/conf_sections.h
libconf_a_SOURCES += common/conf/conf_resolver.c common/conf/conf_resolver.h
