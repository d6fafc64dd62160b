/* SPDX-License-Identifier: ISC */
/*
 * Runs any role's real binary under a fake master and lets a script talk to it
 * in every message there is, in the part of any peer. A line each:
 *
 *	peer NAME ROLE [INSTANCE [AS]]  introduces a peer, played by us; with
 *	                             AS it may say what that role may say
 *	bare NAME ROLE [INSTANCE]    the same as a mere socket …
 *	raw NAME BYTES               … that sends one packet of any bytes …
 *	flood NAME MS BYTES          … or as many as go within so long: "NAME
 *	                             flooded N"
 *	hear NAME                    … and says what comes: "NAME raw BYTES",
 *	                             "NAME gone" or "NAME silent"
 *	keep                         descriptors are kept from now on, messages
 *	                             show them as fd=N (and take them so) …
 *	kept N …                     … for what kept.h says
 *	drop NAME                    the peer dies
 *	NAME MESSAGE FIELD=VALUE…    says something as that peer
 *	admin VERB : KEY=VALUE…      the administrator's verb, with pairs
 *	conf OPTION…                 another configuration
 *
 * and what comes, a line each:
 *
 *	ready
 *	NAME < MESSAGE FIELD=VALUE…  an answer, a part of one, or "lost"
 *	NAME ? MESSAGE FIELD=VALUE…  the role asks or tells; answer with its req
 *	row KEY=VALUE…, done EXIT TEXT, conf ok|refused TEXT
 *
 * Bytes of values other than printable ASCII, and blanks and %, are %XX. At
 * the end of input it stops the role and returns its exit status.
 *
 * usage: console PROGRAM ROLE SANDBOX [-d FOLDER] [-p CAPS] [-f NAME=FILE]...
 *     [section.option=value]...
 * -p: as root, into the jail, with these capabilities.
 */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "tests/tools/fake_master.h"
#include "tests/tools/kept.h"

enum { ASK_MS = 60000, PEERS_MAX = 64, HEAR_MS = 5000 };

enum kind { K_u8, K_u16, K_u32, K_u64, K_i64, K_str, K_END };

struct field {
	const char *name;
	enum kind kind;
	size_t offset;
};

#define FIELD(N, type, name) { #name, K_##type, offsetof(struct ipc_##N, name) },
#define M(name, class, kind, from, to, fd, fields) \
	static const struct field fields_##name[] = { \
		fields(FIELD, name) { NULL, K_END, 0 } \
	};
IPC_MESSAGES(M)
#undef M
static const struct field *const fields_of[IPC_TYPE_COUNT] = {
#define M(name, class, kind, from, to, fd, fields) fields_##name,
	IPC_MESSAGES(M)
#undef M
};

struct peer {
	char *name;
	struct ipc_link *link;
	struct ipc_handlers handlers;
	int bare; /* a socket without a link; -1 none */
};

static struct {
	struct loop *loop;
	struct fake_master *master;
	struct peer peers[PEERS_MAX];
	struct loop_io input;
	struct buf line;
	bool keeps;
} self;

/* ---- values ---- */

static void
print_value(struct slice v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (v.p[i] > ' ' && v.p[i] <= '~' && v.p[i] != '%')
			(void)putchar(v.p[i]);
		else
			(void)printf("%%%02x", (unsigned char)v.p[i]);
}

static void
print_pairs(struct slice row)
{
	struct slice key, value;

	while (row_next(&row, &key) && row_next(&row, &value)) {
		(void)putchar(' ');
		print_value(key);
		(void)putchar('=');
		print_value(value);
	}
	(void)putchar('\n');
	(void)fflush(stdout);
}

/* Undoes %XX in place. */
static struct slice
unescape(struct slice v, char *to)
{
	struct slice hex;
	uint64_t byte;
	size_t i, n = 0;

	for (i = 0; i < v.n; i++) {
		hex = slice_head(slice_from(v, i + 1), 2);
		if (v.p[i] == '%' && hex.n == 2 &&
		    num_parse_hex(hex, &byte) == 0) {
			to[n++] = (char)byte;
			i += 2;
		} else {
			to[n++] = v.p[i];
		}
	}
	return (struct slice){ to, n };
}

/* ---- messages ---- */

static int64_t
get_number(const struct field *f, const void *at)
{
	switch (f->kind) {
	case K_u8:
		return *(const uint8_t *)at;
	case K_u16:
		return *(const uint16_t *)at;
	case K_u32:
		return *(const uint32_t *)at;
	case K_u64:
		return (int64_t)*(const uint64_t *)at;
	case K_i64:
		return *(const int64_t *)at;
	case K_str:
	case K_END:
		break;
	}
	return 0;
}

/* Takes over `fd`. */
static void
print_message(const char *peer, char how, int type, const union ipc_any *m,
    int fd)
{
	const struct field *f;

	(void)printf("%s %c %s", peer, how, ipc_info[type].name);
	for (f = fields_of[type]; f->kind != K_END; f++) {
		const void *at = (const char *)m + f->offset;

		(void)printf(" %s=", f->name);
		if (f->kind == K_str)
			print_value(*(const struct slice *)at);
		else
			(void)printf("%lld", (long long)get_number(f, at));
	}
	if (fd >= 0 && self.keeps)
		(void)printf(" fd=%d", kept_add(fd));
	else if (fd >= 0)
		(void)close(fd);
	(void)putchar('\n');
	(void)fflush(stdout);
}

static void
set_field(const struct field *f, void *at, struct slice value)
{
	uint64_t v = 0;

	if (f->kind == K_str) {
		*(struct slice *)at = value;
		return;
	}
	if (num_parse(value, 0, UINT64_MAX, &v) < 0)
		errx(64, "%s is a number", f->name);
	switch (f->kind) {
	case K_u8:
		*(uint8_t *)at = (uint8_t)v;
		break;
	case K_u16:
		*(uint16_t *)at = (uint16_t)v;
		break;
	case K_u32:
		*(uint32_t *)at = (uint32_t)v;
		break;
	case K_u64:
		*(uint64_t *)at = v;
		break;
	case K_i64:
		*(int64_t *)at = (int64_t)v;
		break;
	case K_str:
	case K_END:
		break;
	}
}

static int
type_by_name(struct slice name)
{
	int t;

	for (t = 0; t < IPC_TYPE_COUNT; t++)
		if (slice_eq_str(name, ipc_info[t].name))
			return t;
	errx(64, "no message %.*s", SLICE_FMT(name));
}

static void
on_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	const struct peer *p = arg;

	if (m == NULL) {
		(void)printf("%s < lost\n", p->name);
		(void)fflush(stdout);
		return;
	}
	print_message(p->name, '<', type, m, fd);
}

static int
kept_by_text(struct slice text)
{
	uint64_t number;

	if (num_parse(text, 0, INT32_MAX, &number) < 0)
		errx(64, "fd is the number of a kept one");
	return kept_fd(number);
}

/* "FIELD=VALUE …" into *m; values are kept in `room`. The descriptor that
 * goes along, or -1. */
static int
fill(int type, struct slice text, union ipc_any *m, char *room)
{
	struct slice word, name, value;
	const struct field *f;
	int fd = -1;

	while (slice_split(&text, ' ', &word)) {
		if (!slice_split(&word, '=', &name))
			continue;
		if (slice_eq_str(name, "fd")) {
			fd = kept_by_text(word);
			continue;
		}
		for (f = fields_of[type]; f->kind != K_END; f++)
			if (slice_eq_str(name, f->name))
				break;
		if (f->kind == K_END)
			errx(64, "%s has no %.*s", ipc_info[type].name,
			    SLICE_FMT(name));
		value = unescape(word, room);
		room += value.n;
		set_field(f, (char *)m + f->offset, value);
	}
	return fd;
}

static void
say(struct peer *p, struct slice text)
{
	struct slice name = SLICE_NONE;
	char *room = malloc(text.n + 1);
	union ipc_any m;
	int type, fd;

	if (room == NULL)
		err(1, "memory");
	(void)slice_split(&text, ' ', &name);
	type = type_by_name(name);
	memset(&m, 0, sizeof m);
	fd = fill(type, text, &m, room);
	if (ipc_info[type].kind == IPC_ASK)
		(void)ipc_ask_raw(p->link, (enum ipc_type)type, &m, fd,
		    ASK_MS, on_answer, p);
	else
		ipc_send_raw(p->link, (enum ipc_type)type, &m, fd);
	free(room);
}

/* ---- peers ---- */

static struct peer *
peer_find(struct slice name)
{
	size_t i;

	for (i = 0; i < PEERS_MAX; i++)
		if (self.peers[i].name != NULL &&
		    slice_eq_str(name, self.peers[i].name))
			return &self.peers[i];
	return NULL;
}

static void
on_lost(struct ipc_link *l)
{
	struct peer *p = ipc_link_data(l);

	(void)printf("%s gone\n", p->name);
	(void)fflush(stdout);
	p->link = NULL;
}

/* One function for each type: a handler is not told which one it is. */
#define M(name_, class, kind, from, to, fd_, fields) \
	static void on_##name_(struct ipc_link *l, const union ipc_any *m, \
	    int fd) \
	{ \
		const struct peer *p = ipc_link_data(l); \
		print_message(p->name, '?', IPC_##name_, m, fd); \
	}
IPC_MESSAGES(M)
#undef M

static const struct ipc_handlers all_handlers = {
	.by_type = {
#define M(name, class, kind, from, to, fd, fields) [IPC_##name] = on_##name,
	    IPC_MESSAGES(M)
#undef M
	},
	.lost = on_lost,
};

static struct peer *
new_peer(struct slice name)
{
	struct peer *p;
	size_t i;

	for (i = 0; i < PEERS_MAX && self.peers[i].name != NULL; i++)
		;
	if (i == PEERS_MAX)
		errx(64, "too many peers");
	p = &self.peers[i];
	p->name = strndup(name.p, name.n);
	if (p->name == NULL)
		err(1, "memory");
	p->handlers = all_handlers;
	p->link = NULL;
	p->bare = -1;
	return p;
}

static enum role_id
role_of(struct slice text)
{
	char *name = strndup(text.p, text.n);
	enum role_id role;

	if (name == NULL)
		err(1, "memory");
	role = role_by_name(name);
	if (role == ROLE_COUNT)
		errx(64, "no role %s", name);
	free(name);
	return role;
}

/* "NAME ROLE [INSTANCE [AS]]" */
static void
add_peer(struct slice text, bool is_bare)
{
	struct slice name = SLICE_NONE, word = SLICE_NONE;
	enum role_id role, as;
	uint64_t instance = 0;
	struct peer *p;

	(void)slice_split(&text, ' ', &name);
	(void)slice_split(&text, ' ', &word);
	role = as = role_of(word);
	if (slice_split(&text, ' ', &word) &&
	    num_parse(word, 0, 1000, &instance) < 0)
		errx(64, "not an instance");
	if (text.n > 0)
		as = role_of(text);
	p = new_peer(name);
	if (is_bare) {
		p->bare = fake_master_bare(self.master, role,
		    (uint32_t)instance);
		return;
	}
	p->link = fake_master_impostor(self.master, role, (uint32_t)instance,
	    as, &p->handlers);
	ipc_link_set_data(p->link, p);
}

static void
drop_peer(struct slice name)
{
	struct peer *p = peer_find(name);

	if (p == NULL)
		errx(64, "no peer %.*s", SLICE_FMT(name));
	ipc_link_free(&p->link);
	if (p->bare >= 0)
		(void)close(p->bare);
	p->bare = -1;
	free(p->name);
	p->name = NULL;
}

static struct peer *
bare_peer(struct slice name)
{
	struct peer *p = peer_find(name);

	if (p == NULL || p->bare < 0)
		errx(64, "no bare peer %.*s", SLICE_FMT(name));
	return p;
}

/* "NAME BYTES" */
static void
send_raw(struct slice text)
{
	struct slice name = SLICE_NONE, bytes;
	char *room = malloc(text.n + 1);
	struct peer *p;

	if (room == NULL)
		err(1, "memory");
	(void)slice_split(&text, ' ', &name);
	p = bare_peer(name);
	bytes = unescape(text, room);
	/* That the other end is gone already shows when it is heard. */
	(void)!send(p->bare, bytes.p, bytes.n, MSG_NOSIGNAL);
	free(room);
}

/* "NAME MS BYTES" */
static void
flood(struct slice text)
{
	struct slice name = SLICE_NONE, word = SLICE_NONE, bytes;
	char *room = malloc(text.n + 1);
	struct pollfd poll_fd = { .events = POLLOUT };
	unsigned long n = 0;
	int64_t until;
	uint64_t ms = 0;

	if (room == NULL)
		err(1, "memory");
	(void)slice_split(&text, ' ', &name);
	(void)slice_split(&text, ' ', &word);
	if (num_parse(word, 1, 600000, &ms) < 0)
		errx(64, "not a time");
	bytes = unescape(text, room);
	poll_fd.fd = bare_peer(name)->bare;
	until = clock_boot_ms() + (int64_t)ms;
	while (clock_boot_ms() < until) {
		if (send(poll_fd.fd, bytes.p, bytes.n, MSG_NOSIGNAL) >= 0)
			n++;
		else if (poll(&poll_fd, 1, 50) < 0 ||
		    (poll_fd.revents & (POLLHUP | POLLERR)) != 0)
			break;
	}
	(void)printf("%.*s flooded %lu\n", SLICE_FMT(name), n);
	(void)fflush(stdout);
	free(room);
}

static void
hear(struct slice name)
{
	static char packet[IPC_MESSAGE_MAX];
	struct peer *p = bare_peer(name);
	struct pollfd poll_fd = { .fd = p->bare, .events = POLLIN };
	ssize_t n;

	(void)printf("%s ", p->name);
	if (poll(&poll_fd, 1, HEAR_MS) <= 0) {
		(void)printf("silent\n");
	} else if ((n = recv(p->bare, packet, sizeof packet, 0)) <= 0) {
		(void)printf("gone\n");
	} else {
		(void)printf("raw ");
		print_value((struct slice){ packet, (size_t)n });
		(void)putchar('\n');
	}
	(void)fflush(stdout);
}

/* ---- what master does ---- */

static void
on_admin(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)arg;
	(void)fd;
	if (m == NULL) {
		(void)printf("done lost\n");
	} else if (type == IPC_ADMIN_ROW) {
		(void)printf("row");
		print_pairs(m->ADMIN_ROW.row);
	} else {
		(void)printf("done %u %.*s\n", m->ADMIN_DONE.exit,
		    SLICE_FMT(m->ADMIN_DONE.text));
	}
	(void)fflush(stdout);
}

static void
admin(struct slice text)
{
	ptrdiff_t colon = slice_find(text, SLICE(" : "));
	struct slice verb = text, pairs = SLICE_NONE, word, key;
	struct buf args;
	char *room = malloc(text.n + 1);

	if (room == NULL)
		err(1, "memory");
	if (colon >= 0) {
		verb = slice_head(text, (size_t)colon);
		pairs = slice_from(text, (size_t)colon + 3);
	}
	buf_init(&args, IPC_MESSAGE_MAX);
	while (slice_split(&pairs, ' ', &word)) {
		if (!slice_split(&word, '=', &key) || key.n == 0)
			continue;
		row_add(&args, key);
		row_add(&args, unescape(word, room));
	}
	(void)ipc_ask(fake_master_link(self.master), ADMIN_RUN, -1, ASK_MS,
	    on_admin, NULL, .verb = verb, .args = buf_slice(&args));
	buf_fini(&args);
	free(room);
}

static void
on_conf(bool is_ok, struct slice text)
{
	(void)printf("conf %s %.*s\n", is_ok ? "ok" : "refused",
	    SLICE_FMT(text));
	(void)fflush(stdout);
}

static void
configure(struct slice options)
{
	struct slice option;

	while (slice_split(&options, ' ', &option))
		fake_master_conf(self.master, option);
	fake_master_conf_end(self.master, on_conf);
}

/* ---- input ---- */

static void
on_line(const char *line)
{
	struct slice rest = slice_str(line), word = SLICE_NONE;
	struct peer *p;

	(void)slice_split(&rest, ' ', &word);
	if (slice_eq_str(word, "peer"))
		add_peer(rest, false);
	else if (slice_eq_str(word, "bare"))
		add_peer(rest, true);
	else if (slice_eq_str(word, "raw"))
		send_raw(rest);
	else if (slice_eq_str(word, "flood"))
		flood(rest);
	else if (slice_eq_str(word, "hear"))
		hear(rest);
	else if (slice_eq_str(word, "keep"))
		self.keeps = true;
	else if (slice_eq_str(word, "kept"))
		kept_command(rest);
	else if (slice_eq_str(word, "drop"))
		drop_peer(rest);
	else if (slice_eq_str(word, "admin"))
		admin(rest);
	else if (slice_eq_str(word, "conf"))
		configure(rest);
	else if ((p = peer_find(word)) != NULL && p->link != NULL)
		say(p, rest);
	else if (word.n > 0)
		errx(64, "no peer %.*s", SLICE_FMT(word));
}

static void
on_input(void *arg, unsigned what)
{
	char *room = buf_room(&self.line, 65536), *end;
	ssize_t n = room == NULL ? 0 : read(0, room, 65536);

	(void)arg;
	(void)what;
	if (n <= 0) {
		loop_io_remove(&self.input);
		loop_stop(self.loop);
		return;
	}
	buf_grew(&self.line, (size_t)n);
	while ((end = memchr(self.line.p, '\n', self.line.n)) != NULL) {
		*end = 0;
		on_line(self.line.p);
		buf_drop(&self.line, (size_t)(end - self.line.p) + 1);
	}
}

static void
on_ready(void)
{
	(void)printf("ready\n");
	(void)fflush(stdout);
	loop_io_init(&self.input, self.loop, 0, on_input, NULL);
	loop_io_want(&self.input, LOOP_READ);
}

static void
give_file(const char *text)
{
	const char *path = strchr(text, '=');
	char *name;
	int fd;

	if (path == NULL)
		errx(64, "-f takes NAME=FILE");
	name = strndup(text, (size_t)(path - text));
	fd = open(path + 1, O_RDONLY | O_CLOEXEC);
	if (name == NULL || fd < 0)
		err(1, "%s", path + 1);
	fake_master_file(self.master, name, fd);
	(void)close(fd);
	free(name);
}

static void
start(int argc, char **argv, unsigned sandbox)
{
	uint64_t caps;
	int i;

	for (i = 4; i + 1 < argc; i++)
		if (strcmp(argv[i], "-p") == 0 &&
		    num_parse(slice_str(argv[i + 1]), 0, UINT32_MAX, &caps) ==
			0)
			fake_master_privileged(caps);
	self.master = fake_master_start(self.loop, argv[1],
	    role_by_name(argv[2]), sandbox);
	for (i = 4; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (argv[i][1] == 'd')
			fake_master_jail(self.master, argv[i + 1]);
		else if (argv[i][1] == 'f')
			give_file(argv[i + 1]);
	}
	for (; i < argc; i++)
		fake_master_conf(self.master, slice_str(argv[i]));
	fake_master_conf_end(self.master, on_conf);
	fake_master_go(self.master, on_ready);
}

int
main(int argc, char **argv)
{
	uint64_t sandbox;
	int status;
	size_t p;

	if (argc < 4 || role_by_name(argv[2]) == ROLE_COUNT ||
	    num_parse(slice_str(argv[3]), 0, UINT32_MAX, &sandbox) < 0)
		errx(64, "usage: console PROGRAM ROLE SANDBOX [-d FOLDER] "
		    "[-p CAPS] [-f NAME=FILE]... [section.option=value]...");
	buf_init(&self.line, 1 << 20);
	self.loop = loop_new();
	if (self.loop == NULL)
		errx(1, "no loop");
	start(argc, argv, (unsigned)sandbox);
	loop_run(self.loop);
	status = fake_master_stop(&self.master);
	for (p = 0; p < PEERS_MAX; p++) {
		ipc_link_free(&self.peers[p].link);
		free(self.peers[p].name);
	}
	buf_fini(&self.line);
	loop_free(&self.loop);
	return status;
}
