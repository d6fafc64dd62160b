/* SPDX-License-Identifier: ISC */
S(smtp_server)
