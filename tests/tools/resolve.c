/* SPDX-License-Identifier: ISC */
/*
 * Runs the resolver role and asks it what standard input says, a line each:
 *
 *	TYPE NAME            prints "TYPE NAME = ANSWER" when it comes; TYPE
 *	                     may be a number
 *	lookup TYPE NAME     the same by way of the administrator's verb
 *	conf OPTION...       another configuration: "conf = ok"
 *	flush, status        what the administrator sees: "status = KEY=VALUE …"
 *	peer                 asks as another peer from now on, the old one gone
 *
 * At the end of input it waits for what is still open and stops the role.
 *
 * usage: resolve PROGRAM [-f RESOLV_CONF] [section.option=value]...
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "resolver/answer.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "sys/sandbox.h"
#include "tests/tools/fake_master.h"
#include "tests/unit/resolver/text.h"

enum { ASK_MS = 60000 };

struct question {
	char *label;
	uint16_t type;
};

static struct {
	struct loop *loop;
	struct fake_master *master;
	struct ipc_link *peer;
	struct loop_io input;
	struct buf line;
	unsigned open; /* questions without an answer */
	bool is_ended;
} self;

static const struct ipc_handlers peer_handlers = { .lost = NULL };

static void
end_when_done(void)
{
	if (self.is_ended && self.open == 0)
		loop_stop(self.loop);
}

static void
answered(struct question *q)
{
	(void)fflush(stdout);
	free(q->label);
	free(q);
	self.open--;
	end_when_done();
}

static struct question *
question_new(const char *label, uint16_t type)
{
	struct question *q = calloc(1, sizeof *q);

	if (q == NULL)
		err(1, "memory");
	q->label = strdup(label);
	q->type = type;
	self.open++;
	return q;
}

static void
on_dns_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	struct question *q = arg;
	struct answer a;
	struct buf text;

	(void)type;
	(void)fd;
	if (m == NULL) {
		(void)printf("%s = lost\n", q->label);
		answered(q);
		return;
	}
	a = (struct answer){ (enum dns_status)m->DNS_ANSWER.status,
		m->DNS_ANSWER.secure != 0, m->DNS_ANSWER.ttl,
		m->DNS_ANSWER.canonical, m->DNS_ANSWER.records };
	buf_init(&text, 200000);
	text_answer(&text, q->type, &a);
	(void)printf("%s = %s\n", q->label, text.p);
	buf_fini(&text);
	answered(q);
}

static void
on_admin(void *arg, int type, const union ipc_any *m, int fd)
{
	struct slice row, key, value;
	struct question *q = arg;

	(void)fd;
	if (m == NULL)
		errx(1, "no answer to %s", q->label);
	if (type == IPC_ADMIN_DONE) {
		(void)printf("%s = done %u %.*s\n", q->label,
		    m->ADMIN_DONE.exit, SLICE_FMT(m->ADMIN_DONE.text));
		answered(q);
		return;
	}
	(void)printf("%s =", q->label);
	row = m->ADMIN_ROW.row;
	while (row_next(&row, &key) && row_next(&row, &value))
		(void)printf(" %.*s=%.*s", SLICE_FMT(key), SLICE_FMT(value));
	(void)printf("\n");
}

static void
on_conf(bool is_ok, struct slice text)
{
	(void)printf("conf = %s %.*s\n", is_ok ? "ok" : "refused",
	    SLICE_FMT(text));
	(void)fflush(stdout);
}

static void
ask_admin(const char *verb, const char *label, struct slice args)
{
	static const char *const keys[] = { "type", "name" };
	struct slice arg;
	struct buf list;
	size_t n = 0;

	buf_init(&list, 4096);
	while (n < 2 && slice_split(&args, ' ', &arg))
		row_pair(&list, keys[n++], arg);
	(void)ipc_ask(fake_master_link(self.master), ADMIN_RUN, -1, ASK_MS,
	    on_admin, question_new(label, 0), .verb = slice_str(verb),
	    .args = buf_slice(&list));
	buf_fini(&list);
}

static void
ask(struct slice type_name, struct slice name, const char *label)
{
	unsigned type = dns_type_by_name(type_name);
	uint64_t number;

	if (type == 0 && num_parse(type_name, 0, 65535, &number) == 0)
		type = (unsigned)number;
	(void)ipc_ask(self.peer, DNS_ASK, -1, ASK_MS, on_dns_answer,
	    question_new(label, (uint16_t)type), .type = (uint16_t)type,
	    .name = name);
}

static void
configure(struct slice options)
{
	struct slice option;

	while (slice_split(&options, ' ', &option))
		fake_master_conf(self.master, option);
	fake_master_conf_end(self.master, on_conf);
}

static void
on_line(const char *line)
{
	struct slice rest = slice_str(line), word = SLICE_NONE;

	(void)slice_split(&rest, ' ', &word);
	if (slice_eq_str(word, "lookup")) {
		ask_admin("dns lookup", line, rest);
	} else if (slice_eq_str(word, "flush")) {
		ask_admin("dns flush", line, SLICE_NONE);
	} else if (slice_eq_str(word, "status")) {
		ask_admin("status", line, SLICE_NONE);
	} else if (slice_eq_str(word, "conf")) {
		configure(rest);
	} else if (slice_eq_str(word, "peer")) {
		ipc_link_free(&self.peer);
		self.peer = fake_master_peer(self.master, ROLE_RELAY,
		    &peer_handlers);
	} else if (word.n > 0) {
		ask(word, rest, line);
	}
}

static void
on_input(void *arg, unsigned what)
{
	char *room = buf_room(&self.line, 4096), *end;
	ssize_t n = room == NULL ? 0 : read(0, room, 4096);

	(void)arg;
	(void)what;
	if (n <= 0) {
		loop_io_remove(&self.input);
		self.is_ended = true;
		end_when_done();
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
	self.peer = fake_master_peer(self.master, ROLE_SMTPD, &peer_handlers);
	loop_io_init(&self.input, self.loop, 0, on_input, NULL);
	loop_io_want(&self.input, LOOP_READ);
}

int
main(int argc, char **argv)
{
	int i = 2, fd;

	if (argc < 2)
		errx(64, "usage: resolve PROGRAM [-f FILE] [option]...");
	buf_init(&self.line, 1 << 20);
	self.loop = loop_new();
	if (self.loop == NULL)
		errx(1, "no loop");
	self.master = fake_master_start(self.loop, argv[1], ROLE_RESOLVER,
	    SANDBOX_CONNECT);
	if (argc > 3 && strcmp(argv[2], "-f") == 0) {
		fd = open(argv[3], O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			err(1, "%s", argv[3]);
		fake_master_file(self.master, "resolv.conf", fd);
		(void)close(fd);
		i = 4;
	}
	for (; i < argc; i++)
		fake_master_conf(self.master, slice_str(argv[i]));
	fake_master_conf_end(self.master, on_conf);
	fake_master_go(self.master, on_ready);
	loop_run(self.loop);
	buf_fini(&self.line);
	ipc_link_free(&self.peer);
	i = fake_master_stop(&self.master);
	loop_free(&self.loop);
	return i;
}
