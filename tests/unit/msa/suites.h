/* SPDX-License-Identifier: ISC */
S(fixup)
