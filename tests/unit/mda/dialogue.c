/* SPDX-License-Identifier: ISC */
#include "tests/unit/mda/dialogue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "mda/owner.h"
#include "mda/session.h"
#include "tests/unit/unit.h"

enum { WAIT_MS = 10000, LINE_MAX_ = 1 << 20 };

static struct world *world;
static int busy;

/* ---- what the owner process gives to sessions ---- */

struct loop *
owner_loop(void)
{
	return world->loop;
}

struct account *
owner_account(void)
{
	return world->a;
}

int64_t
owner_poll_ms(void)
{
	return 50;
}

const char *
owner_hostname(void)
{
	return "mail.example.test";
}

const char *
owner_address(void)
{
	return "me@example.test";
}

void
owner_busy(void)
{
	busy++;
}

void
owner_idle(void)
{
	busy--;
}

int
dialogue_busy(void)
{
	return busy;
}

/* ---- clients ---- */

void
dialogue_begin(struct dialogue *d, struct world *w)
{
	size_t i;

	*d = (struct dialogue){ .w = w };
	world = w;
	busy = 0;
	for (i = 0; i < 4; i++)
		d->clients[i] = (struct client){ .fd = -1, .control = -1 };
}

static void
client_close(struct client *c)
{
	if (c->fd < 0)
		return;
	(void)close(c->fd);
	if (c->control >= 0)
		(void)close(c->control);
	c->fd = c->control = -1;
	buf_fini(&c->in);
}

void
dialogue_fini(struct dialogue *d)
{
	size_t i;

	for (i = 0; i < 4; i++)
		client_close(&d->clients[i]);
	for (i = 0; i < 1000 && busy > 0; i++) {
		loop_turn(world->loop, false);
		(void)usleep(1000);
	}
	ck_assert_msg(busy == 0, "%d sessions are left", busy);
	/* Connections that were given away notice that their peer is gone. */
	world_settle(world);
	for (i = 0; i < d->n_kept; i++) {
		free(d->kept[i][0]);
		free(d->kept[i][1]);
	}
}

struct client *
dialogue_client(struct dialogue *d, unsigned i, bool pop3, const char *tag)
{
	struct client *c = &d->clients[i];
	struct session_start start = { .tag = slice_str(tag),
		.client = SLICE("192.0.2.1"), .id = SLICE("s") };
	int s[2], x[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, s), 0);
	ck_assert_int_eq(ipc_pair(x), 0);
	*c = (struct client){ .fd = s[0], .control = x[0] };
	buf_init(&c->in, SIZE_MAX / 2);
	start.stream = s[1];
	start.control = x[1];
	if (pop3)
		pop3_session_start(&start);
	else
		imap_session_start(&start);
	return c;
}

static void
receive(struct client *c)
{
	union ipc_any m;
	char block[65536];
	ssize_t n;

	while (!c->is_eof && (n = recv(c->fd, block, sizeof block, 0)) >= 0) {
		if (n == 0)
			c->is_eof = true;
		buf_add(&c->in, block, (size_t)n);
		c->got += (uint64_t)n;
	}
	/* As access does: when the session says its end, close. */
	n = c->control < 0 ? 0 : recv(c->control, block, sizeof block, 0);
	if (n > 0) {
		ck_assert_int_eq(ipc_decode((struct slice){ block, (size_t)n },
		    &m), IPC_SES_END);
		c->end_at = m.SES_END.after_output;
		c->is_ended = true;
	}
	if (c->is_ended && c->control >= 0 && c->got == c->end_at) {
		(void)close(c->control);
		c->control = -1;
	}
}

void
dialogue_input_end(struct client *c, uint64_t after)
{
	struct ipc_SES_INPUT_END m = { .after_input = after,
		.text = SLICE("closed") };
	struct buf b;

	buf_init(&b, IPC_MESSAGE_MAX);
	ipc_encode(&b, IPC_SES_INPUT_END, &m);
	ck_assert_int_eq(send(c->control, b.p, b.n, 0), (ssize_t)b.n);
	buf_fini(&b);
}

void
dialogue_turn(struct dialogue *d)
{
	size_t i;

	loop_turn(d->w->loop, false);
	for (i = 0; i < 4; i++)
		if (d->clients[i].fd >= 0)
			receive(&d->clients[i]);
}

void
dialogue_send(struct dialogue *d, struct client *c, struct slice bytes)
{
	ssize_t n;

	while (bytes.n > 0) {
		n = send(c->fd, bytes.p, d->bytewise ? 1 : bytes.n,
		    MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return;
		if (n > 0)
			bytes = slice_from(bytes, (size_t)n);
		if (bytes.n > 0)
			dialogue_turn(d);
	}
}

const char *
dialogue_line(struct dialogue *d, struct client *c)
{
	static char *line;
	int64_t until = clock_boot_ms() + WAIT_MS;
	char *lf;
	size_t n;

	for (;;) {
		lf = c->in.n == 0 ? NULL : memchr(c->in.p, '\n', c->in.n);
		if (lf != NULL)
			break;
		if (c->is_eof)
			return NULL;
		ck_assert_msg(clock_boot_ms() < until,
		    "%s:%u: no answer; so far \"%.200s\"",
		    d->file == NULL ? "" : d->file, d->line, c->in.p);
		dialogue_turn(d);
		if (c->in.n == 0)
			(void)usleep(100);
	}
	n = (size_t)(lf - c->in.p);
	free(line);
	line = strndup(c->in.p, n > 0 && lf[-1] == '\r' ? n - 1 : n);
	buf_drop(&c->in, n + 1);
	return line;
}

/* ---- scripts ---- */

static void
fail_at(const struct dialogue *d, const char *what, const char *got,
    const char *want)
{
	ck_abort_msg("%s:%u: %s\n got: %.2000s\nwant: %.500s", d->file,
	    d->line, what, got == NULL ? "(closed)" : got, want);
}

static char **
kept(struct dialogue *d, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < d->n_kept; i++)
		if (strlen(d->kept[i][0]) == n &&
		    strncmp(d->kept[i][0], name, n) == 0)
			return &d->kept[i][1];
	return NULL;
}

static void
keep(struct dialogue *d, const char *name, size_t n, const char *v, size_t nv)
{
	ck_assert_uint_lt(d->n_kept, 32);
	d->kept[d->n_kept][0] = strndup(name, n);
	d->kept[d->n_kept++][1] = strndup(v, nv);
}

static bool
is_name(const char *p, size_t *n_r)
{
	size_t n = 0;

	if (*p != '<')
		return false;
	while (ascii_is_alnum(p[1 + n]))
		n++;
	*n_r = n;
	return p[1 + n] == '>' && (n == 0 || ascii_is_alpha(p[1]));
}

static bool
is_like(struct dialogue *d, const char *want, const char *got)
{
	char **v;
	size_t n, len;

	for (; *want != 0; want++, got++) {
		if (!is_name(want, &n)) {
			if (*want != *got)
				return false;
			continue;
		}
		if (n == 0) {
			for (want += 2; *got != 0; got++)
				if (is_like(d, want, got))
					return true;
			return *want == 0;
		}
		v = kept(d, want + 1, n);
		len = v != NULL ? strlen(*v) : strcspn(got, " )](,");
		if (len == 0 || (v != NULL && strncmp(got, *v, len) != 0))
			return false;
		if (v == NULL)
			keep(d, want + 1, n, got, len);
		want += n + 1;
		got += len - 1;
	}
	return *got == 0;
}

static void
add_text(struct dialogue *d, struct buf *out, const char *p)
{
	uint64_t hex;
	char **v;
	size_t n;

	for (; *p != 0; p++) {
		if (is_name(p, &n) && n > 0 &&
		    (v = kept(d, p + 1, n)) != NULL) {
			buf_add_str(out, *v);
			p += n + 1;
		} else if (*p == '\\' && p[1] == 'x' &&
		    num_parse_hex((struct slice){ p + 2, 2 }, &hex) == 0) {
			buf_add_char(out, (char)hex);
			p += 3;
		} else if (*p == '\\' && p[1] != 0 &&
		    strchr("rn0t", p[1]) != NULL) {
			p++;
			buf_add_char(out, *p == 'r' ? '\r' : *p == 'n' ?
			    '\n' : *p == 't' ? '\t' : '\0');
		} else {
			buf_add_char(out, *p);
		}
	}
}

/* Sessions begin when they are first spoken to. */
static struct client *
client_of(struct dialogue *d, char digit, bool greet)
{
	unsigned i = digit >= '1' && digit <= '4' ? (unsigned)(digit - '1') :
	    0;
	const char *line;
	char tag[3] = { 't', (char)('1' + i), 0 };

	if (d->clients[i].fd >= 0)
		return &d->clients[i];
	(void)dialogue_client(d, i, d->is_pop3, tag);
	if (!greet)
		return &d->clients[i];
	line = dialogue_line(d, &d->clients[i]);
	if (line == NULL || strncmp(line, d->is_pop3 ? "+OK " : tag,
	    d->is_pop3 ? 4 : 2) != 0)
		fail_at(d, "greeting", line, tag);
	return &d->clients[i];
}

static void
script_send(struct dialogue *d, const char *line)
{
	struct client *c = client_of(d, line[1], true);
	const char *text = strchr(line, ':');
	struct buf out;
	bool is_part;

	if (c->in.n > 0 && !d->was_part)
		fail_at(d, "not expected", c->in.p, "");
	d->was_part = is_part = text[-1] == '-';
	text += text[1] == ' ' ? 2 : 1;
	buf_init(&out, LINE_MAX_);
	add_text(d, &out, text);
	if (!is_part)
		buf_add_str(&out, "\r\n");
	dialogue_send(d, c, buf_slice(&out));
	buf_fini(&out);
}

static void
script_expect(struct dialogue *d, const char *line)
{
	struct client *c = client_of(d, line[1], true);
	const char *text = strchr(line, ':'), *got;

	text += text[1] == ' ' ? 2 : 1;
	got = dialogue_line(d, c);
	if (got == NULL || !is_like(d, text, got))
		fail_at(d, "another answer", got, text);
}

/* "@ mail INBOX flags": what follows in "|" lines. */
static void
script_mail(struct dialogue *d, const char *mailbox, const char *flags,
    FILE *f)
{
	struct append what = { .sync = true, .internaldate = 1000000000 };
	char line[4096], *text;
	struct buf out;
	long at = ftell(f);

	for (; *flags != 0; flags++)
		what.flags |= *flags == 'S' ? FLAG_SEEN : *flags == 'D' ?
		    FLAG_DELETED : *flags == 'F' ? FLAG_FLAGGED :
		    *flags == 'A' ? FLAG_ANSWERED : 0;
	buf_init(&out, LINE_MAX_);
	while (fgets(line, sizeof line, f) != NULL && line[0] == '|') {
		line[strcspn(line, "\n")] = 0;
		text = line + (line[1] == ' ' ? 2 : 1);
		add_text(d, &out, text);
		buf_add_str(&out, "\r\n");
		d->line++;
		at = ftell(f);
	}
	(void)fseek(f, at, SEEK_SET);
	if (out.n == 0)
		buf_add_str(&out, "Subject: x\r\n\r\ntext\r\n");
	ck_assert_int_eq(world_append(d->w, mailbox, &what, out.p).r,
	    MBOX_OK);
	buf_fini(&out);
}

static void
wait_end(struct dialogue *d, struct client *c)
{
	int64_t until = clock_boot_ms() + WAIT_MS;

	while (!c->is_eof && c->fd >= 0 && clock_boot_ms() < until) {
		dialogue_turn(d);
		(void)usleep(100);
	}
	if (!c->is_eof || c->in.n > 0)
		fail_at(d, "not ended", c->in.p, "");
	client_close(c);
}

static void
script_do(struct dialogue *d, const char *line, FILE *f)
{
	char verb[32] = "", a[256] = "", b[256] = "";
	unsigned n;

	(void)sscanf(line, "@ %31s %255s %255s", verb, a, b);
	if (strcmp(verb, "mail") == 0) {
		script_mail(d, a, b, f);
	} else if (strcmp(verb, "add") == 0) {
		/* add INBOX 3: that many small ones */
		for (n = 0; n < (unsigned)atol(b); n++)
			(void)world_add(d->w, a, n + 1);
	} else if (strcmp(verb, "pop3") == 0) {
		d->is_pop3 = true;
	} else if (strcmp(verb, "start") == 0) {
		(void)client_of(d, a[0], false);
	} else if (strcmp(verb, "end") == 0) {
		wait_end(d, &d->clients[a[0] - '1']);
	} else if (strcmp(verb, "close") == 0) {
		client_close(&d->clients[a[0] - '1']);
		world_settle(d->w);
	} else if (strcmp(verb, "shut") == 0) {
		(void)shutdown(d->clients[a[0] - '1'].fd, SHUT_WR);
	} else if (strcmp(verb, "stop") == 0) {
		imap_sessions_stop();
		pop3_sessions_stop();
	} else if (strcmp(verb, "write") == 0) {
		world_write(d->w, a, "Subject: written\n\nby another\n");
	} else if (strcmp(verb, "quota") == 0) {
		d->w->options.quota_bytes = (uint64_t)atol(a);
		world_reopen(d->w);
	} else {
		fail_at(d, "unknown", line, "");
	}
}

void
dialogue_run(struct dialogue *d, const char *file)
{
	char path[1024], line[65536];
	size_t i;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", DIALOGUES, file);
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "cannot open %s", path);
	d->file = file;
	while (fgets(line, sizeof line, f) != NULL) {
		d->line++;
		line[strcspn(line, "\n")] = 0;
		if (line[0] == 'C')
			script_send(d, line);
		else if (line[0] == 'S')
			script_expect(d, line);
		else if (line[0] == '@')
			script_do(d, line, f);
		else if (line[0] != 0 && line[0] != '#')
			fail_at(d, "not understood", line, "");
	}
	(void)fclose(f);
	for (i = 0; i < 10; i++)
		dialogue_turn(d);
	for (i = 0; i < 4; i++)
		if (d->clients[i].fd >= 0 && d->clients[i].in.n > 0)
			fail_at(d, "left over", d->clients[i].in.p, "");
}
