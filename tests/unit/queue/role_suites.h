/* SPDX-License-Identifier: ISC */
S(schedule)
S(deliver)
