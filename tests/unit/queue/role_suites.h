/* SPDX-License-Identifier: ISC */
S(schedule)
