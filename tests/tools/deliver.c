/* SPDX-License-Identifier: ISC */
/*
 * Runs the relay role; plays the queue and the resolver for it as standard
 * input says, a line each (fields separated by blanks, "-" for empty ones):
 *
 *	dns NAME TYPE ANSWER...   what the resolver knows: nxdomain, nodata,
 *	                          servfail, silent; addresses; for MX
 *	                          PREFERENCE:HOST; unknown names do not exist
 *	open N NEXTHOP SENDER [key=value]...  body utf8 ret envid probe id
 *	                                   attempt
 *	rcpt N INDEX ADDRESS [notify=] [orcpt=]
 *	body N TEXT               with \r \n \xHH; may be repeated
 *	file N PATH
 *	end N, abort N
 *	lost                      the queue goes away, and another comes
 *	conf OPTION...            another configuration
 *	status                    what the administrator sees
 *	wait MS                   before the next line is read
 *
 * It prints "result N INDEX OUTCOME CODE STATUS DSN REMOTE TEXT" and
 * "done N HOST_LATER". At the end of input it waits for what is open.
 *
 * usage: deliver PROGRAM [-f NAME=PATH]... [section.option=value]...
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/num.h"
#include "proto/dns.h"
#include "proto/status.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "sys/sandbox.h"
#include "tests/tools/fake_master.h"

enum { ASK_MS = 60000, NAMES_MAX = 256 };

struct known {
	char *name;
	unsigned type;
	char *answer;
};

struct delivery {
	char *number;
	uint64_t dlv;
};

static struct {
	struct loop *loop;
	struct fake_master *master;
	struct ipc_link *queue, *resolver;
	struct loop_io input;
	struct loop_timer pause;
	struct buf line;
	struct known known[NAMES_MAX];
	size_t n_known;
	unsigned open;
	bool is_ended, is_paused;
} self;

static void
end_when_done(void)
{
	if (self.is_ended && self.open == 0)
		loop_stop(self.loop);
}

/* ---- the resolver ---- */

static void
add_record(struct buf *records, unsigned type, struct slice text)
{
	struct slice preference;
	uint64_t n;
	struct ip ip;

	if (type == DNS_MX) {
		if (!slice_split(&text, ':', &preference) ||
		    num_parse(preference, 0, 65535, &n) < 0)
			errx(64, "not PREFERENCE:HOST");
		dns_add_mx(records, (uint16_t)n, text);
	} else {
		if (ip_parse(text, &ip) < 0)
			errx(64, "not an address");
		dns_add_ip(records, &ip);
	}
}

static enum dns_status
find_answer(struct slice name, unsigned type, struct buf *records)
{
	enum dns_status status = DNS_NXDOMAIN;
	struct slice rest, word;
	size_t i;
	unsigned s;

	for (i = 0; i < self.n_known; i++) {
		if (!slice_ieq_str(name, self.known[i].name))
			continue;
		status = status == DNS_NXDOMAIN ? DNS_NODATA : status;
		if (self.known[i].type != type)
			continue;
		status = DNS_OK;
		rest = slice_str(self.known[i].answer);
		while (slice_split(&rest, ' ', &word)) {
			for (s = 0; s < DNS_STATUS_COUNT; s++)
				if (slice_eq_str(word, dns_status_name(s)))
					break;
			if (s < DNS_STATUS_COUNT)
				return (enum dns_status)s;
			add_record(records, type, word);
		}
	}
	return status;
}

static void
on_dns_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	enum dns_status status;
	struct buf records;

	(void)fd;
	buf_init(&records, DNS_RECORDS_MAX);
	status = find_answer(m->DNS_ASK.name, m->DNS_ASK.type, &records);
	ipc_send(l, DNS_ANSWER, -1, .req = m->DNS_ASK.req,
	    .status = (uint8_t)status, .ttl = 60,
	    .canonical = m->DNS_ASK.name, .records = buf_slice(&records));
	buf_fini(&records);
}

static void
on_dns_cancel(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	(void)fd;
}

static struct ipc_handlers resolver_handlers = {
	.by_type = { [IPC_DNS_ASK] = on_dns_ask,
	    [IPC_DNS_CANCEL] = on_dns_cancel },
};

static void
learn(struct slice rest)
{
	struct known *k = &self.known[self.n_known];
	struct slice name = SLICE_NONE, type = SLICE_NONE;

	if (self.n_known == NAMES_MAX)
		errx(64, "too many names");
	(void)slice_split(&rest, ' ', &name);
	(void)slice_split(&rest, ' ', &type);
	k->name = strndup(name.p, name.n);
	k->type = dns_type_by_name(type);
	k->answer = strndup(rest.p != NULL ? rest.p : "", rest.n);
	if (k->name == NULL || k->answer == NULL || k->type == 0)
		errx(64, "not a DNS answer");
	self.n_known++;
}

/* ---- the queue ---- */

static const struct ipc_handlers queue_handlers = { .lost = NULL };

static const char *
or_dash(struct slice s)
{
	return s.n == 0 ? "-" : log_quote(s);
}

static void
on_delivered(void *arg, int type, const union ipc_any *m, int fd)
{
	static const char *const outcomes[] = { "done", "later", "failed" };
	const struct ipc_DLV_RESULT *r;
	struct delivery *d = arg;

	(void)fd;
	if (m != NULL && type == IPC_DLV_RESULT) {
		r = &m->DLV_RESULT;
		(void)printf("result %s %u %s %u %s %u %s %.*s\n", d->number,
		    r->index, outcomes[r->outcome], r->code,
		    or_dash(r->enhanced), r->dsn, or_dash(r->remote),
		    SLICE_FMT(r->text));
		(void)fflush(stdout);
		return;
	}
	if (m == NULL)
		(void)printf("lost %s\n", d->number);
	else
		(void)printf("done %s %u\n", d->number,
		    m->DLV_DONE.host_later);
	(void)fflush(stdout);
	free(d->number);
	free(d);
	self.open--;
	end_when_done();
}

static uint64_t
number(struct slice s)
{
	uint64_t n = 0;

	if (num_parse(s, 0, UINT64_MAX, &n) < 0)
		errx(64, "not a number: %.*s", SLICE_FMT(s));
	return n;
}

static struct slice
take(struct slice *rest)
{
	struct slice word = SLICE_NONE;

	(void)slice_split(rest, ' ', &word);
	return slice_eq_str(word, "-") ? SLICE_NONE : word;
}

static void
do_open(struct slice rest)
{
	struct delivery *d = calloc(1, sizeof *d);
	struct ipc_DLV_OPEN o = { .id = 1 };
	struct slice word = take(&rest), key;

	if (d == NULL)
		err(1, "memory");
	d->number = strndup(word.p, word.n);
	o.dlv = number(word);
	o.nexthop = take(&rest);
	o.sender = take(&rest);
	while (slice_split(&rest, ' ', &word)) {
		(void)slice_split(&word, '=', &key);
		if (slice_eq_str(key, "body"))
			o.body = (uint8_t)number(word);
		else if (slice_eq_str(key, "utf8"))
			o.utf8 = (uint8_t)number(word);
		else if (slice_eq_str(key, "ret"))
			o.ret = (uint8_t)number(word);
		else if (slice_eq_str(key, "probe"))
			o.probe = (uint8_t)number(word);
		else if (slice_eq_str(key, "attempt"))
			o.attempt = (uint32_t)number(word);
		else if (slice_eq_str(key, "id"))
			o.id = number(word);
		else if (slice_eq_str(key, "envid"))
			o.envid = word;
		else
			errx(64, "open: %.*s?", SLICE_FMT(key));
	}
	self.open++;
	(void)ipc_ask_raw(self.queue, IPC_DLV_OPEN, &o, -1, 0, on_delivered, d);
}

static void
do_rcpt(struct slice rest)
{
	struct ipc_DLV_RCPT r = { 0 };
	struct slice word, key;

	r.dlv = number(take(&rest));
	r.index = (uint32_t)number(take(&rest));
	r.address = take(&rest);
	while (slice_split(&rest, ' ', &word)) {
		(void)slice_split(&word, '=', &key);
		if (slice_eq_str(key, "notify"))
			r.notify = (uint8_t)number(word);
		else if (slice_eq_str(key, "orcpt"))
			r.orcpt = word;
	}
	ipc_send_raw(self.queue, IPC_DLV_RCPT, &r, -1);
}

static void
unescape(struct buf *out, struct slice s)
{
	for (; s.n > 0; s = slice_from(s, 1)) {
		if (s.p[0] != '\\' || s.n < 2) {
			buf_add_char(out, s.p[0]);
			continue;
		}
		s = slice_from(s, 1);
		if (s.p[0] == 'x' && s.n > 2) {
			if (hex_decode(out, slice_head(slice_from(s, 1), 2)) <
			    0)
				errx(64, "not hexadecimal");
			s = slice_from(s, 2);
		} else {
			buf_add_char(out, s.p[0] == 'r' ? '\r'
				: s.p[0] == 'n'		? '\n'
							: s.p[0]);
		}
	}
}

static void
do_body(struct slice rest)
{
	uint64_t dlv = number(take(&rest));
	struct buf body;

	buf_init(&body, IPC_BODY_MAX);
	unescape(&body, rest);
	ipc_send(self.queue, DLV_BODY, -1, .dlv = dlv,
	    .bytes = buf_slice(&body));
	buf_fini(&body);
}

static void
do_file(struct slice rest)
{
	uint64_t dlv = number(take(&rest));
	struct stat st;
	int fd = open(rest.p, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", rest.p);
	ipc_send(self.queue, DLV_FILE, fd, .dlv = dlv,
	    .size = (uint64_t)st.st_size);
	(void)close(fd);
}

static void
do_end(struct slice rest)
{
	ipc_send(self.queue, DLV_END, -1, .dlv = number(rest));
}

static void
do_abort(struct slice rest)
{
	ipc_send(self.queue, DLV_ABORT, -1, .dlv = number(rest));
}

static void
do_lost(struct slice rest)
{
	(void)rest;
	ipc_link_free(&self.queue);
	self.queue = fake_master_peer(self.master, ROLE_QUEUE,
	    &queue_handlers);
}

/* ---- master ---- */

static void
on_conf(bool is_ok, struct slice text)
{
	(void)printf("conf %s %.*s\n", is_ok ? "ok" : "refused",
	    SLICE_FMT(text));
	(void)fflush(stdout);
}

static void
do_conf(struct slice rest)
{
	struct slice option;

	while (slice_split(&rest, ' ', &option))
		fake_master_conf(self.master, option);
	fake_master_conf_end(self.master, on_conf);
}

static void
on_status(void *arg, int type, const union ipc_any *m, int fd)
{
	struct slice row, key, value;

	(void)arg;
	(void)fd;
	if (m == NULL)
		errx(1, "no status");
	if (type == IPC_ADMIN_DONE) {
		self.open--;
		end_when_done();
		return;
	}
	(void)printf("status");
	row = m->ADMIN_ROW.row;
	while (row_next(&row, &key) && row_next(&row, &value))
		(void)printf(" %.*s=%.*s", SLICE_FMT(key), SLICE_FMT(value));
	(void)printf("\n");
	(void)fflush(stdout);
}

static void
do_status(struct slice rest)
{
	(void)rest;
	self.open++;
	(void)ipc_ask(fake_master_link(self.master), ADMIN_RUN, -1, ASK_MS,
	    on_status, NULL, .verb = SLICE("status"));
}

static void
do_wait(struct slice rest)
{
	self.is_paused = true;
	loop_io_want(&self.input, 0);
	loop_timer_set(&self.pause, clock_boot_ms() + (int64_t)number(rest));
}

/* ---- lines ---- */

static const struct {
	const char *name;
	void (*run)(struct slice rest);
} verbs[] = {
	{ "dns", learn },
	{ "open", do_open },
	{ "rcpt", do_rcpt },
	{ "body", do_body },
	{ "file", do_file },
	{ "end", do_end },
	{ "abort", do_abort },
	{ "lost", do_lost },
	{ "conf", do_conf },
	{ "status", do_status },
	{ "wait", do_wait },
};

static void
on_line(const char *line)
{
	struct slice rest = slice_str(line), word = SLICE_NONE;
	size_t i, n = sizeof verbs / sizeof *verbs;

	(void)slice_split(&rest, ' ', &word);
	for (i = 0; i < n; i++)
		if (slice_eq_str(word, verbs[i].name)) {
			verbs[i].run(rest);
			return;
		}
	if (word.n > 0)
		errx(64, "what is \"%s\"?", line);
}

static void
run_lines(void)
{
	char *end;

	while (!self.is_paused &&
	    (end = memchr(self.line.p, '\n', self.line.n)) != NULL) {
		*end = 0;
		on_line(self.line.p);
		buf_drop(&self.line, (size_t)(end - self.line.p) + 1);
	}
}

static void
on_pause_over(void *arg)
{
	(void)arg;
	self.is_paused = false;
	run_lines();
	if (!self.is_paused)
		loop_io_want(&self.input, LOOP_READ);
}

static void
on_input(void *arg, unsigned what)
{
	char *room = buf_room(&self.line, 65536);
	ssize_t n = room == NULL ? 0 : read(0, room, 65536);

	(void)arg;
	(void)what;
	if (n <= 0) {
		loop_io_remove(&self.input);
		self.is_ended = true;
		end_when_done();
		return;
	}
	buf_grew(&self.line, (size_t)n);
	run_lines();
}

static void
on_ready(void)
{
	self.resolver = fake_master_peer(self.master, ROLE_RESOLVER,
	    &resolver_handlers);
	self.queue = fake_master_peer(self.master, ROLE_QUEUE,
	    &queue_handlers);
	loop_io_init(&self.input, self.loop, 0, on_input, NULL);
	loop_timer_init(&self.pause, self.loop, on_pause_over, NULL);
	loop_io_want(&self.input, LOOP_READ);
	(void)printf("ready\n");
	(void)fflush(stdout);
}

static void
hand_over(const char *arg)
{
	struct slice rest = slice_str(arg), name = SLICE_NONE;
	char *copy;
	int fd;

	(void)slice_split(&rest, '=', &name);
	fd = open(rest.p, O_RDONLY | O_CLOEXEC);
	copy = strndup(name.p, name.n);
	if (fd < 0 || copy == NULL)
		err(1, "%s", rest.p);
	fake_master_file(self.master, copy, fd);
	(void)close(fd);
	free(copy);
}

int
main(int argc, char **argv)
{
	int i;

	if (argc < 2)
		errx(64, "usage: deliver PROGRAM [-f NAME=PATH]... "
		    "[option]...");
	buf_init(&self.line, 1 << 24);
	self.loop = loop_new();
	if (self.loop == NULL)
		errx(1, "no loop");
	self.master = fake_master_start(self.loop, argv[1], ROLE_RELAY,
	    SANDBOX_CONNECT);
	for (i = 2; i < argc; i++) {
		if (strcmp(argv[i], "-f") == 0 && i + 1 < argc)
			hand_over(argv[++i]);
		else
			fake_master_conf(self.master, slice_str(argv[i]));
	}
	fake_master_conf_end(self.master, on_conf);
	fake_master_go(self.master, on_ready);
	loop_run(self.loop);
	buf_fini(&self.line);
	ipc_link_free(&self.queue);
	ipc_link_free(&self.resolver);
	i = fake_master_stop(&self.master);
	loop_free(&self.loop);
	return i;
}
