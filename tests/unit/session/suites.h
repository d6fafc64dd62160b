/* SPDX-License-Identifier: ISC */
S(smtp_server)
S(smtp_session)
