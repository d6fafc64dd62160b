/* SPDX-License-Identifier: ISC */
S(front)
S(queue_tx)
