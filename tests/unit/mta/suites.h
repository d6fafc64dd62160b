/* SPDX-License-Identifier: ISC */
S(lists)
S(client)
