/* SPDX-License-Identifier: ISC */
S(queue_tx)
S(recipients)
S(front)
