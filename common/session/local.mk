# SPDX-License-Identifier: ISC
# Sessions that several roles share. No OpenSSL of its own; who starts TLS
# links libconn.a behind it.
noinst_LIBRARIES += libsession.a
libsession_a_SOURCES =
libsession_a_SOURCES += common/session/smtp_server.c common/session/smtp_server.h
libsession_a_SOURCES += common/session/smtp_server_priv.h
libsession_a_SOURCES += common/session/smtp_server_cmd.c
libsession_a_SOURCES += common/session/smtp_server_auth.c
libsession_a_SOURCES += common/session/smtp_server_data.c
libsession_a_SOURCES += common/session/smtp_server_header.c
libsession_a_SOURCES += common/session/smtp_session.c common/session/smtp_session.h
libsession_a_SOURCES += common/session/smtp_intake.c common/session/smtp_intake.h
libsession_a_SOURCES += common/session/queue_tx.c common/session/queue_tx.h
libsession_a_SOURCES += common/session/front.c common/session/front.h
libsession_a_SOURCES += common/session/tls_front.c common/session/tls_front.h
libsession_a_SOURCES += common/session/smtp_content.c common/session/smtp_content.h
libsession_a_SOURCES += common/session/smtp_convert.c common/session/smtp_convert.h
libsession_a_SOURCES += common/session/smtp_plan.c common/session/smtp_plan.h
libsession_a_SOURCES += common/session/smtp_client.c common/session/smtp_client.h
libsession_a_SOURCES += common/session/smtp_client_tx.c common/session/smtp_client_priv.h
libsession_a_SOURCES += common/session/recipients.c common/session/recipients.h
libsession_a_SOURCES += common/session/smtp_client_hello.c
libsession_a_SOURCES += common/session/smtp_client_auth.c
