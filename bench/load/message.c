/* SPDX-License-Identifier: ISC */
/* Messages: a header whose Subject pads it to its length, then plain text. */
#include "bench/load/message.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	LINE = 72,     /* with CRLF */
	PIECE = 65536, /* of the body, written at once */
	ROOM = 12      /* digits that a message's number may have */
};

/* Header with `fill` padding bytes. */
static void
add_header(const struct message *m, uint64_t number, uint64_t from,
    uint64_t to, size_t fill, struct buf *b)
{
	char *pad;

	buf_add_str(b, "From: <");
	load_add_pattern(b, &m->from, from);
	buf_add_str(b, ">\r\nTo: <");
	load_add_pattern(b, &m->to, to);
	buf_add_str(b, ">\r\nDate: ");
	buf_add_str(b, m->date);
	buf_add_str(b, "\r\nMessage-ID: <");
	load_add_number(b, number);
	buf_add_str(b, m->run);
	buf_add_str(b, "@bench.invalid>\r\nSubject: Message ");
	load_add_number(b, number);
	buf_add_str(b, " -");
	pad = buf_room(b, fill);
	if (pad != NULL) {
		memset(pad, 'x', fill);
		buf_grew(b, fill);
	}
	buf_add_str(b, "\r\n\r\n");
}

static size_t
digits(uint64_t number)
{
	size_t n = 1;

	while (number >= 10) {
		number /= 10;
		n++;
	}
	return n;
}

/* Text of words that does not compress to nothing; the same in each run. */
static void
fill_body(char *p, size_t n)
{
	static const char letters[] = "etaoinshrdlucmfwypvbgkjqxz      ";
	uint32_t seed = 12345;
	size_t i, line;

	for (; n > 0; p += line, n -= line) {
		/* The last line takes up what is too little for its own. */
		line = n > LINE + 2 ? LINE : n;
		for (i = 0; i < line - 2; i++) {
			seed = seed * 1664525 + 1013904223;
			p[i] = letters[seed >> 27];
		}
		p[line - 2] = '\r';
		p[line - 1] = '\n';
	}
}

void
message_init(struct message *m, size_t size, const struct load_pattern *from,
    const struct load_pattern *to, uint64_t numbers)
{
	time_t now = (time_t)clock_wall();
	struct tm tm;
	struct buf b;
	char *p;

	m->from = *from;
	if (m->from.before.n + m->from.after.n == 0) /* MAIL FROM:<> */
		load_parse_pattern(&m->from, "bench@bench.invalid");
	m->to = *to;
	(void)gmtime_r(&now, &tm);
	(void)strftime(m->date, sizeof m->date, "%a, %d %b %Y %T +0000", &tm);
	buf_init(&b, sizeof m->run - 1);
	buf_addf(&b, ".%llx.%x", (unsigned long long)clock_wall_us(),
	    (unsigned)getpid());
	memcpy(m->run, b.p, b.n + 1);
	buf_fini(&b);
	buf_init(&b, 65536);
	add_header(m, 0, 0, 0, 0, &b);
	m->least = b.n;
	m->header_size = b.n + (size_t)2 * (ROOM - 1);
	m->header_size += (size_t)(m->from.is_numbered + to->is_numbered) *
	    (digits(numbers) - 1);
	buf_fini(&b);
	if (size < m->header_size + 2)
		load_die("a message has at least %zu bytes",
		    m->header_size + 2);
	m->body.n = size - m->header_size;
	p = malloc(m->body.n);
	if (p == NULL)
		load_die("no memory for a message");
	fill_body(p, m->body.n);
	m->body.p = p;
}

void
message_add_header(const struct message *m, uint64_t number, uint64_t from,
    uint64_t to, struct buf *b)
{
	size_t n = m->least + 2 * (digits(number) - 1);

	if (m->from.is_numbered)
		n += digits(from) - 1;
	if (m->to.is_numbered)
		n += digits(to) - 1;
	add_header(m, number, from, to, m->header_size - n, b);
}

bool
message_send(const struct message *m, struct conn *c, size_t *left)
{
	struct slice piece;

	while (*left > 0 && !conn_is_full(c)) {
		piece = slice_head(slice_from(m->body, m->body.n - *left),
		    PIECE);
		conn_write(c, piece);
		*left -= piece.n;
	}
	return *left == 0;
}
