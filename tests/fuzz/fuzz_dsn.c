/* SPDX-License-Identifier: ISC */
/*
 * A hostile server's words, and a sender's parameters, in a notification and a
 * Received field: they may not add lines of their own. Pieces end at RS.
 */
#include "proto/dsn.h"

#include "base/utf8.h"
#include "proto/header.h"
#include "proto/received.h"
#include "tests/fuzz/fuzz.h"

static struct slice
take(struct slice *in)
{
	struct slice piece = SLICE_NONE;

	(void)slice_split(in, '\x1e', &piece);
	return slice_head(piece, 3000);
}

static void
check_lines(struct slice s)
{
	struct slice line;

	FUZZ_ASSERT(utf8_is_valid(s));
	while (s.n > 0 && slice_split(&s, '\n', &line)) {
		FUZZ_ASSERT(line.n > 0 && line.p[line.n - 1] == '\r');
		FUZZ_ASSERT(slice_chr(line, '\r') == (ptrdiff_t)line.n - 1);
		FUZZ_ASSERT(line.n < 999);
	}
}

static size_t
count(struct slice s, struct slice needle)
{
	ptrdiff_t at = slice_find(s, needle);
	size_t n = 0;

	for (; at >= 0; at = slice_find(s, needle), n++)
		s = slice_from(s, (size_t)at + 1);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct dsn_recipient r = { .address = SLICE("joe@b.test"),
		.status = status_from_reply(550, (struct enhanced){ 0, 0, 0 },
		    take(&in)),
		.remote_host = slice_head(take(&in), 255),
		.orcpt_type = SLICE("rfc822"),
		.orcpt = slice_head(take(&in), 500) };
	struct dsn d = { .host = SLICE("mx.a.test"), .id = SLICE("X"),
		.to = SLICE("ann@a.test"), .envid = slice_head(take(&in), 100),
		.message_id = take(&in), .returned = DSN_RETURN_HEADER,
		.recipients = &r, .n = 1 };
	struct received rec = { .by = SLICE("mx.a.test"), .id = SLICE("X"),
		.helo = take(&in), .client_ip = take(&in),
		.tls_version = take(&in), .with = RECEIVED_TLS };
	struct header_field f;
	struct buf out;

	buf_init(&out, 1 << 20);
	dsn_add_head(&out, &d);
	dsn_add_tail(&out, &d);
	check_lines(buf_slice(&out));
	FUZZ_ASSERT(count(buf_slice(&out), SLICE("\r\n--=_veredus_X")) == 4);
	FUZZ_ASSERT(count(buf_slice(&out), SLICE("\r\nAction:")) == 1);
	FUZZ_ASSERT(count(buf_slice(&out), SLICE("\r\nStatus:")) == 1);
	FUZZ_ASSERT(!utf8_has_8bit(buf_slice(&out)));
	buf_reset(&out);
	received_add(&out, &rec);
	check_lines(buf_slice(&out));
	FUZZ_ASSERT(header_scan(buf_slice(&out), true, &f) == (ssize_t)out.n);
	buf_fini(&out);
	return 0;
}
