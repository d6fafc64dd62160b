/* SPDX-License-Identifier: ISC */
/* What txn.c (adding) and txn_commit.c (committing) share. */
#ifndef MDA_TXN_PRIV_H
#define MDA_TXN_PRIV_H

#include "mda/model.h"

/* A row in the transaction's bytes. */
struct txn_row {
	size_t key_at, value_at;
	uint32_t key_n, value_n;
	bool put, first;
};

/* Small rows are put together in a buffer that lives only here. */
#define PUT_ROW(t, key, put_row, row) \
	do { \
		struct buf value_; \
		buf_init(&value_, STORE_ROW_MAX); \
		put_row(&value_, (row)); \
		txn_put((t), (key), buf_slice(&value_)); \
		buf_fini(&value_); \
	} while (0)

#endif
