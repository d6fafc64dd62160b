/* SPDX-License-Identifier: ISC */
S(queue_tx)
