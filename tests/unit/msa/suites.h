/* SPDX-License-Identifier: ISC */
S(fixup)
S(localmail)
S(sendmail_args)
