/* SPDX-License-Identifier: ISC */
/*
 * Encoder and decoder for all messages, driven by the fields of the table.
 * Wire form: type (2 bytes), then the fields in order; numbers in host order
 * (both ends are on this machine), str as 4 bytes of length and its bytes.
 */
#include <string.h>

#include "sys/ipc.h"

enum field_type { FIELD_u8, FIELD_u16, FIELD_u32, FIELD_u64, FIELD_i64,
	FIELD_str };

struct field {
	enum field_type type;
	size_t offset;
};

static const size_t widths[] = { [FIELD_u8] = 1, [FIELD_u16] = 2,
	[FIELD_u32] = 4, [FIELD_u64] = 8, [FIELD_i64] = 8 };

#define FIELD_ROW(N, type, name) \
	{ FIELD_##type, offsetof(struct ipc_##N, name) },
#define M(name, class, kind, from, to, fd, fields) \
	static const struct field fields_##name[] = { \
		fields(FIELD_ROW, name) \
	};
IPC_MESSAGES(M)
#undef M

static const struct {
	const struct field *v;
	size_t n;
} layouts[IPC_TYPE_COUNT] = {
#define M(name, class, kind, from, to, fd, fields) \
	[IPC_##name] = { fields_##name, \
		sizeof fields_##name / sizeof *fields_##name },
	IPC_MESSAGES(M)
#undef M
};

void
ipc_encode(struct buf *b, enum ipc_type type, const void *message)
{
	uint16_t t = (uint16_t)type;
	const struct field *f;
	const char *at;
	struct slice s;
	uint32_t n;
	size_t i;

	buf_add(b, &t, sizeof t);
	for (i = 0; i < layouts[type].n; i++) {
		f = &layouts[type].v[i];
		at = (const char *)message + f->offset;
		if (f->type != FIELD_str) {
			buf_add(b, at, widths[f->type]);
			continue;
		}
		memcpy(&s, at, sizeof s);
		n = (uint32_t)s.n;
		buf_add(b, &n, sizeof n);
		buf_add_slice(b, s);
	}
}

static int
take(struct slice *in, void *out, size_t n)
{
	if (in->n < n)
		return -1;
	memcpy(out, in->p, n);
	in->p += n;
	in->n -= n;
	return 0;
}

int
ipc_decode(struct slice in, union ipc_any *out_r)
{
	const struct field *f;
	struct slice s;
	uint16_t type;
	uint32_t n;
	size_t i;
	char *at;

	if (take(&in, &type, sizeof type) < 0 || type >= IPC_TYPE_COUNT)
		return -1;
	for (i = 0; i < layouts[type].n; i++) {
		f = &layouts[type].v[i];
		at = (char *)out_r + f->offset;
		if (f->type != FIELD_str) {
			if (take(&in, at, widths[f->type]) < 0)
				return -1;
			continue;
		}
		if (take(&in, &n, sizeof n) < 0 || n > in.n)
			return -1;
		s = (struct slice){ in.p, n };
		in = slice_from(in, n);
		memcpy(at, &s, sizeof s);
	}
	return in.n == 0 ? type : -1;
}
