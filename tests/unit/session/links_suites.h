/* SPDX-License-Identifier: ISC */
S(front_count)
S(queue_tx_room)
