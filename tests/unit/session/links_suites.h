/* SPDX-License-Identifier: ISC */
S(front)
