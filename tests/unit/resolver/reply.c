/* SPDX-License-Identifier: ISC */
#include "tests/unit/resolver/reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/num.h"
#include "proto/ip.h"
#include "tests/unit/unit.h"

static const struct {
	const char *name;
	unsigned type;
} types[] = {
	{ "A", 1 }, { "NS", 2 }, { "CNAME", 5 }, { "SOA", 6 }, { "PTR", 12 },
	{ "MX", 15 }, { "TXT", 16 }, { "AAAA", 28 }, { "OPT", 41 },
	{ "TLSA", 52 },
};

static const struct {
	const char *word;
	unsigned set, clear;
} flags[] = {
	{ "aa", 0x0400, 0 }, { "tc", 0x0200, 0 }, { "ad", 0x0020, 0 },
	{ "nora", 0, 0x0080 }, { "noqr", 0, 0x8000 },
};

static void
add16(struct buf *b, unsigned v)
{
	buf_add_char(b, (char)(v >> 8));
	buf_add_char(b, (char)v);
}

static void
add32(struct buf *b, uint64_t v)
{
	add16(b, (unsigned)(v >> 16) & 0xffff);
	add16(b, (unsigned)v & 0xffff);
}

static void
set16(struct buf *b, size_t at, unsigned v)
{
	b->p[at] = (char)(v >> 8);
	b->p[at + 1] = (char)v;
}

static unsigned
get16(struct slice s, size_t at)
{
	const unsigned char *p = (const unsigned char *)s.p + at;

	ck_assert_uint_le(at + 2, s.n);
	return (unsigned)p[0] << 8 | p[1];
}

/* The next word of a line, taken off it; empty at the end. */
static struct slice
word(struct slice *line)
{
	struct slice w = SLICE_NONE;

	*line = slice_trim(*line);
	if (line->n == 0 || !slice_split(line, ' ', &w))
		w = SLICE("");
	return w;
}

static uint64_t
number(struct slice *line)
{
	struct slice w = word(line);
	uint64_t v = 0;

	ck_assert_msg(num_parse(w, 0, UINT32_MAX, &v) == 0, "number \"%.*s\"",
	    SLICE_FMT(w));
	return v;
}

/* Raw labels; a dot at the end does no harm. */
static void
add_name(struct buf *b, struct slice name)
{
	struct slice label;

	while (slice_split(&name, '.', &label)) {
		if (label.n == 0)
			continue;
		buf_add_char(b, (char)label.n);
		buf_add_slice(b, label);
	}
	buf_add_char(b, 0);
}

static unsigned
type_number(struct slice name)
{
	size_t i;

	for (i = 0; i < sizeof types / sizeof *types; i++)
		if (slice_eq_str(name, types[i].name))
			return types[i].type;
	ck_abort_msg("type \"%.*s\"", SLICE_FMT(name));
}

static void
add_hex(struct buf *b, struct slice hex)
{
	ck_assert_int_eq(hex_decode(b, hex), 0);
}

static void
add_soa(struct buf *b, struct slice *line)
{
	int i;

	add_name(b, SLICE("ns.example"));
	add_name(b, SLICE("root.example"));
	for (i = 0; i < 4; i++)
		add32(b, 3600);
	add32(b, number(line));
}

static void
add_txt(struct buf *b, struct slice *line)
{
	struct slice s;

	while ((s = word(line)).n > 0) {
		if (slice_eq_str(s, "-"))
			s.n = 0;
		buf_add_char(b, (char)s.n);
		buf_add_slice(b, s);
	}
}

static void
add_data(struct buf *b, unsigned type, struct slice *line)
{
	struct ip ip;
	int i;

	switch (type) {
	case 1:
	case 28:
		ck_assert_int_eq(ip_parse(word(line), &ip), 0);
		buf_add_slice(b, ip_bytes(&ip));
		break;
	case 15:
		add16(b, (unsigned)number(line));
		add_name(b, word(line));
		break;
	case 16:
		add_txt(b, line);
		break;
	case 6:
		add_soa(b, line);
		break;
	case 52:
		for (i = 0; i < 3; i++)
			buf_add_char(b, (char)number(line));
		add_hex(b, word(line));
		break;
	default:
		add_name(b, word(line));
		break;
	}
}

/* OPT: class is the buffer size, the TTL holds the upper bits of the status. */
static void
add_opt(struct buf *b, struct slice *line)
{
	unsigned upper = (unsigned)number(line), ede = (unsigned)number(line);

	add16(b, 41);
	add16(b, 1232);
	add32(b, (uint64_t)upper << 24);
	add16(b, ede == 0 ? 0 : 8);
	if (ede == 0)
		return;
	add16(b, 15);
	add16(b, 4);
	add16(b, ede);
	buf_add_str(b, "ab");
}

static void
add_record(struct buf *b, struct slice line)
{
	struct slice name = word(&line), kind;
	uint64_t ttl = number(&line);
	unsigned type;
	size_t at;

	add_name(b, name);
	kind = word(&line);
	if (slice_eq_str(kind, "OPT")) {
		add_opt(b, &line);
		return;
	}
	type = slice_eq_str(kind, "RAW") ? (unsigned)number(&line) :
	    type_number(kind);
	add16(b, type);
	add16(b, 1);
	add32(b, ttl);
	at = b->n;
	add16(b, 0);
	if (slice_eq_str(kind, "RAW"))
		add_hex(b, word(&line));
	else
		add_data(b, type, &line);
	set16(b, at, (unsigned)(b->n - at - 2));
}

void
reply_read_query(struct slice query, struct asked *out)
{
	size_t at = 12, n;

	out->id = get16(query, 0);
	out->flags = get16(query, 2);
	ck_assert_uint_eq(get16(query, 4), 1);
	buf_init(&out->name, 1024);
	while ((n = (unsigned char)query.p[at]) != 0) {
		if (at > 12)
			buf_add_char(&out->name, '.');
		buf_add(&out->name, query.p + at + 1, n);
		at += n + 1;
	}
	out->type = get16(query, at + 1);
	ck_assert_uint_eq(get16(query, at + 3), 1);
	at += 5;
	out->opt_size = 0;
	if (get16(query, 10) == 1) {
		ck_assert_uint_eq(query.n, at + 11);
		ck_assert_uint_eq(get16(query, at + 1), 41);
		out->opt_size = get16(query, at + 3);
	} else {
		ck_assert_uint_eq(query.n, at);
	}
}

/* One item that is no record; false when it is one. */
static bool
apply_item(struct slice item, struct asked *q, unsigned *bits, bool *has_q)
{
	struct slice w = word(&item);
	size_t i;

	for (i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (!slice_eq_str(w, flags[i].word))
			continue;
		*bits = (*bits | flags[i].set) & ~flags[i].clear;
		return true;
	}
	if (slice_eq_str(w, "rcode")) {
		*bits |= (unsigned)number(&item);
	} else if (slice_eq_str(w, "id")) {
		q->id ^= 1;
	} else if (slice_eq_str(w, "noq")) {
		*has_q = false;
	} else if (slice_eq_str(w, "qname")) {
		buf_reset(&q->name);
		buf_add_slice(&q->name, word(&item));
	} else if (slice_eq_str(w, "qtype")) {
		q->type = type_number(word(&item));
	} else {
		return false;
	}
	return true;
}

void
reply_make(struct buf *out, struct slice query, const char *items)
{
	static const char *const sections[] = { "an", "ns", "ar" };
	struct slice all, item, rest;
	unsigned bits = 0x8180, k;
	bool has_question = true;
	struct asked q;

	reply_read_query(query, &q);
	all = slice_str(items);
	while (slice_split(&all, ';', &item))
		(void)apply_item(item, &q, &bits, &has_question);
	add16(out, q.id);
	add16(out, bits);
	add16(out, has_question);
	for (k = 0; k < 3; k++)
		add16(out, 0);
	if (has_question) {
		add_name(out, buf_slice(&q.name));
		add16(out, q.type);
		add16(out, 1);
	}
	for (k = 0; k < 3; k++) {
		all = slice_str(items);
		while (slice_split(&all, ';', &item)) {
			rest = item;
			if (!slice_eq_str(word(&rest), sections[k]))
				continue;
			add_record(out, rest);
			set16(out, 6 + 2 * k,
			    get16(buf_slice(out), 6 + 2 * k) + 1);
		}
	}
	ck_assert(buf_is_ok(out));
	buf_fini(&q.name);
}
