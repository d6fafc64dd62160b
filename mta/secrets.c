/* SPDX-License-Identifier: ISC */
/* The passwords lie in one buffer, which is wiped; nothing else keeps them. */
#include "mta/secrets.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "proto/limits.h"
#include "proto/sasl.h"
#include "sys/saslprep.h"

enum { FILE_MAX = 1 << 20, ENTRIES_MAX = 4096 };

/* Offsets into the buffer, which may move while it grows. */
struct place {
	size_t at, n;
};

struct entry {
	struct place host, name, password;
	uint16_t port; /* 0: any */
};

struct secrets {
	struct buf bytes;
	struct entry *entries;
	size_t n;
};

static struct slice
view(const struct secrets *s, struct place p)
{
	return (struct slice){ s->bytes.p + p.at, p.n };
}

static struct place
keep(struct secrets *s, struct slice bytes)
{
	struct place p = { s->bytes.n, bytes.n };

	buf_add_slice(&s->bytes, bytes);
	return p;
}

/* As SASLprep has it where it has it: else as it was written (RFC 4616 2 would
 * refuse it, but servers of other opinion exist). */
static struct place
keep_prepared(struct secrets *s, struct slice bytes)
{
	struct place p = { s->bytes.n, 0 };

	if (saslprep(bytes, &s->bytes) < 0) {
		buf_cut(&s->bytes, p.at);
		return keep(s, bytes);
	}
	p.n = s->bytes.n - p.at;
	return p;
}

/* A word, and the blanks behind it. */
static bool
take_word(struct slice *line, struct slice *word_r)
{
	size_t n = 0;

	while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	*word_r = slice_head(*line, n);
	*line = slice_from(*line, n);
	while (line->n > 0 && (line->p[0] == ' ' || line->p[0] == '\t'))
		*line = slice_from(*line, 1);
	return n > 0;
}

/* "host", "host:port", "[2001:db8::1]:port". */
static int
split_port(struct slice *host, uint16_t *port_r)
{
	ptrdiff_t colon = slice_rchr(*host, ':');
	uint64_t port;

	*port_r = 0;
	if (host->p[0] == '[' && host->p[host->n - 1] == ']')
		colon = -1;
	if (colon >= 0) {
		if (num_parse(slice_from(*host, (size_t)colon + 1), 1, 65535,
			&port) < 0)
			return -1;
		*port_r = (uint16_t)port;
		*host = slice_head(*host, (size_t)colon);
	}
	if (host->n > 1 && host->p[0] == '[' &&
	    host->p[host->n - 1] == ']')
		*host = slice_head(slice_from(*host, 1), host->n - 2);
	return host->n > 0 ? 0 : -1;
}

static int
add_line(struct secrets *s, struct slice line)
{
	struct entry *e = &s->entries[s->n];
	struct slice host, name;

	if (!take_word(&line, &host) || !take_word(&line, &name) ||
	    split_port(&host, &e->port) < 0 || !sasl_is_name(name) ||
	    !sasl_is_password(line))
		return -1;
	e->host = keep(s, host);
	e->name = keep_prepared(s, name);
	e->password = keep_prepared(s, line);
	s->n++;
	return 0;
}

static int
add_lines(struct secrets *s, struct slice text, struct buf *why)
{
	struct slice line;
	unsigned number = 0;

	while (slice_split(&text, '\n', &line)) {
		number++;
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line = slice_head(line, line.n - 1);
		if (slice_trim(line).n == 0 || line.p[0] == '#')
			continue;
		if (s->n == ENTRIES_MAX || add_line(s, line) < 0) {
			buf_addf(why, "line %u is not HOST USER PASSWORD",
			    number);
			return -1;
		}
	}
	return 0;
}

struct secrets *
secrets_parse(struct slice text, struct buf *why)
{
	struct secrets *s = calloc(1, sizeof *s);

	if (s != NULL) {
		buf_init(&s->bytes, 2 * (size_t)FILE_MAX);
		s->entries = calloc(ENTRIES_MAX, sizeof *s->entries);
	}
	if (s == NULL || s->entries == NULL) {
		buf_add_str(why, "out of memory");
		secrets_free(&s);
		return NULL;
	}
	/* Growing would leave copies behind that nobody wipes. */
	if (buf_room(&s->bytes, 2 * text.n + 1) == NULL ||
	    add_lines(s, text, why) < 0 || !buf_is_ok(&s->bytes)) {
		if (why->n == 0)
			buf_add_str(why, "too large");
		secrets_free(&s);
	}
	return s;
}

struct secrets *
secrets_read(int fd, struct buf *why)
{
	struct secrets *s = NULL;
	struct buf text;
	ssize_t n = -1;
	char *room;

	buf_init(&text, FILE_MAX);
	room = buf_room(&text, FILE_MAX);
	while (room != NULL && text.n < FILE_MAX) {
		n = pread(fd, text.p + text.n, FILE_MAX - text.n,
		    (off_t)text.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_grew(&text, (size_t)n);
	}
	if (n == 0)
		s = secrets_parse(buf_slice(&text), why);
	else
		buf_add_str(why, "it cannot be read, or is too large");
	buf_fini_secret(&text);
	return s;
}

void
secrets_free(struct secrets **sp)
{
	struct secrets *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	buf_fini_secret(&s->bytes);
	free(s->entries);
	free(s);
}

bool
secrets_find(const struct secrets *s, struct slice host, uint16_t port,
    struct smtp_client_login *login_r)
{
	const struct entry *e;
	size_t i;

	for (i = 0; s != NULL && i < s->n; i++) {
		e = &s->entries[i];
		if (!slice_ieq(view(s, e->host), host) ||
		    (e->port != 0 && e->port != port))
			continue;
		login_r->name = view(s, e->name);
		login_r->password = view(s, e->password);
		return true;
	}
	return false;
}
