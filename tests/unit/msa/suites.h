/* SPDX-License-Identifier: ISC */
S(fixup)
S(localmail)
