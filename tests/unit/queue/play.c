/* SPDX-License-Identifier: ISC */
#include "tests/unit/queue/play.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/queue_id.h"
#include "base/region.h"
#include "conf/conf_queue.h"
#include "conf/conf_server.h"
#include "proto/status.h"
#include "queue/queue.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_loop.h"
#include "tests/unit/queue/play_peers.h"
#include "tests/unit/unit.h"

enum { ROUNDS = 20000, LOG_MAX = 4 << 20, NOTES = 16, BEGIN_MS = 1000000 };

/* What outlives a life. */
struct page {
	int64_t boot_ms;
	uint64_t notes[NOTES];
};

static struct {
	char path[64];
	int dir, log;
	struct page *page;
	struct loop *loop;
	struct region mem;
	struct conf_queue conf;
	struct conf_server server;
	bool is_stopped;
	struct buf answer, rows;
} self;

/* ---- instead of sys/daemon.c ---- */

struct loop *
daemon_loop(void)
{
	return self.loop;
}

int
daemon_jail_fd(void)
{
	return self.dir;
}

const struct conf_server *
daemon_server(void)
{
	return &self.server;
}

void
daemon_stopped(void)
{
	self.is_stopped = true;
}

void
daemon_row(struct ipc_link *l, uint64_t req, const struct buf *row)
{
	struct slice list = buf_slice(row), key, value;

	(void)l;
	(void)req;
	while (row_next(&list, &key) && row_next(&list, &value))
		buf_addf(&self.rows, "%.*s=%.*s ", SLICE_FMT(key),
		    SLICE_FMT(value));
	buf_add_char(&self.rows, '\n');
}

void
daemon_done(struct ipc_link *l, uint64_t req, uint8_t exit_code,
    const char *fmt, ...)
{
	va_list ap;

	(void)l;
	(void)req;
	buf_addf(&self.rows, "= %u ", exit_code);
	va_start(ap, fmt);
	buf_addv(&self.rows, fmt, ap);
	va_end(ap);
}

/* ---- the world ---- */

/* In memory where there is some: everything is flushed many times. */
static const char *
temp_folder(void)
{
	struct statvfs v;

	if (statvfs("/dev/shm", &v) == 0 &&
	    v.f_bavail * v.f_frsize > 64UL << 20)
		return "/dev/shm";
	return "/tmp";
}

void
play_make_folder(void)
{
	(void)snprintf(self.path, sizeof self.path, "%s/veredus-play-XXXXXX",
	    temp_folder());
	ck_assert_ptr_nonnull(mkdtemp(self.path));
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

void
play_remove_folder(void)
{
	(void)nftw(self.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
remove_file(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)f;
	return kind == FTW_F ? remove(path) : 0;
}

void
play_begin(void)
{
	ck_assert_int_eq(nftw(self.path, remove_file, 16, FTW_PHYS), 0);
	self.dir = open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(self.dir, 0);
	self.log = memfd_create("log", MFD_CLOEXEC);
	ck_assert_int_ge(self.log, 0);
	log_init("queue");
	log_set_fd(dup(self.log), LOG_FORMAT_TEXT);
	self.page = mmap(NULL, sizeof *self.page, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(self.page, MAP_FAILED);
	self.page->boot_ms = BEGIN_MS;
	fake_clock_set(BEGIN_MS);
	region_init(&self.mem, 1 << 20);
	conf_defaults(&conf_queue_section, &self.conf, &self.mem);
	self.conf.min_free = 0;
	conf_defaults(&conf_server_section, &self.server, &self.mem);
	self.server.hostname = "mail.a.example";
	self.server.postmaster = "postmaster@a.example";
	self.server.durability = "ordered";
	buf_init(&self.answer, 4096);
	buf_init(&self.rows, 1 << 20);
}

struct conf_queue *
play_conf(void)
{
	return &self.conf;
}

void
play_reload(void)
{
	struct buf why;

	buf_init(&why, 1024);
	ck_assert_msg(queue_role.configure(&self.conf, &why) == 0, "%s",
	    why.p);
	buf_fini(&why);
}

void
play_start(void)
{
	ck_assert_ptr_null(self.loop);
	self.loop = loop_new();
	play_reload();
	queue_role.file(SLICE("mail-root:0"), dup(self.dir));
	queue_role.before_jail();
	queue_role.after_jail();
	peers_start(self.loop);
	play_settle();
	play_has(play_logged("event=queue_read") ? "read" : "", "read");
}

void
play_life(void (*story)(void))
{
	int status;
	pid_t pid;

	fake_clock_set(self.page->boot_ms);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		play_start();
		story();
		self.page->boot_ms = clock_boot_ms();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status)); /* it has said why */
	ck_assert_int_eq(status, 0);
}

bool
play_stop(uint32_t grace_ms)
{
	queue_role.stop(grace_ms);
	play_settle();
	return self.is_stopped;
}

bool
play_has_stopped(void)
{
	return self.is_stopped;
}

uint64_t *
play_notes(void)
{
	return self.page->notes;
}

/* ---- time ---- */

void
play_settle(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		fake_loop_settle(self.loop);
		if (!fake_loop_poll(self.loop) && !peers_tell_news())
			return;
	}
	ck_abort_msg("it never rests");
}

void
play_pass(int64_t ms)
{
	int64_t until = clock_boot_ms() + ms, next;

	play_settle();
	while ((next = fake_loop_next(self.loop)) <= until) {
		if (next > clock_boot_ms())
			fake_clock_set(next);
		play_settle();
	}
	fake_clock_set(until);
	play_settle();
}

bool
play_logged(const char *text)
{
	return play_count_logged(text) > 0;
}

unsigned
play_count_logged(const char *text)
{
	static char all[LOG_MAX];
	ssize_t n = pread(self.log, all, sizeof all - 1, 0);
	const char *at = all;
	unsigned count = 0;

	all[n < 0 ? 0 : n] = '\0';
	while ((at = strstr(at, text)) != NULL) {
		at += strlen(text);
		count++;
	}
	return count;
}

/* ---- smtpd ---- */

static struct slice
text(const char *s)
{
	return slice_str(s == NULL ? "" : s);
}

static void
on_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	struct buf *b = arg;

	buf_reset(b);
	if (m == NULL)
		buf_add_str(b, "lost");
	else if (type == IPC_TX_OPENED && m->TX_OPENED.outcome != OUTCOME_DONE)
		buf_addf(b, "no: %.*s", SLICE_FMT(m->TX_OPENED.text));
	else if (type == IPC_TX_OPENED)
		buf_addf(b, "opened %s", queue_id_text(m->TX_OPENED.id));
	else if (type == IPC_TX_DONE)
		buf_addf(b, "%u %.*s %.*s", m->TX_DONE.code,
		    SLICE_FMT(m->TX_DONE.enhanced), SLICE_FMT(m->TX_DONE.text));
	else
		buf_addf(b, "file %d", fd);
}

static void
send_body(struct ipc_link *l, uint64_t tx, struct slice body)
{
	int fd;

	if (body.n <= IPC_BODY_MAX) {
		ipc_send(l, TX_BODY, -1, .tx = tx, .bytes = body);
		return;
	}
	(void)ipc_ask(l, TX_FILE, -1, 0, on_answer, &self.answer, .tx = tx);
	play_settle();
	ck_assert_int_eq(sscanf(self.answer.p, "file %d", &fd), 1);
	ck_assert_int_eq(write(fd, body.p, body.n), (ssize_t)body.n);
	(void)close(fd);
}

const char *
play_answer(void)
{
	return self.answer.p;
}

const char *
play_offer(const struct play_letter *l)
{
	static uint64_t tx;
	struct ipc_link *q = peers_submitter();
	struct slice body = l->body != NULL ? slice_str(l->body)
	    : SLICE("Message-ID: <m1@a.example>\r\nSubject: hello\r\n\r\n"
		    "the text\r\n");
	int i;

	(void)ipc_ask(q, TX_OPEN, -1, 0, on_answer, &self.answer, .tx = ++tx,
	    .size = body.n, .ret = l->ret, .sender = text(l->sender),
	    .envid = text(l->envid), .session = SLICE("s1"),
	    .client = SLICE("192.0.2.7"));
	play_settle();
	if (strncmp(self.answer.p, "opened", 6) != 0)
		return self.answer.p;
	for (i = 0; i < PLAY_RCPTS && l->to[i].address != NULL; i++)
		ipc_send(q, TX_RCPT, -1, .tx = tx, .notify = l->to[i].notify,
		    .address = text(l->to[i].address),
		    .orcpt = text(l->to[i].orcpt));
	send_body(q, tx, body);
	(void)ipc_ask(q, TX_COMMIT, -1, 0, on_answer, &self.answer, .tx = tx,
	    .size = body.n);
	buf_reset(&self.answer);
	play_settle();
	return self.answer.p;
}

uint64_t
play_send(const struct play_letter *l)
{
	const char *answer = play_offer(l);
	uint64_t id;

	ck_assert_msg(strncmp(answer, "250 2.0.0 ", 10) == 0, "%s", answer);
	ck_assert_int_eq(queue_id_parse(slice_str(answer + 10), &id), 0);
	return id;
}

uint64_t
play_send_one(const char *sender, const char *rcpt)
{
	struct play_letter l = { .sender = sender,
		.to = { { .address = rcpt } } };

	return play_send(&l);
}

/* ---- the administrator ---- */

const char *
play_admin(const char *verb, const char *key, const char *value)
{
	struct buf args;

	buf_init(&args, 4096);
	if (key != NULL)
		row_pair_str(&args, key, value);
	buf_reset(&self.rows);
	queue_role.admin(NULL, 1, slice_str(verb), buf_slice(&args));
	buf_fini(&args);
	play_settle();
	return self.rows.p;
}

const char *
play_admin_id(const char *verb, uint64_t id)
{
	char text_id[32];

	(void)snprintf(text_id, sizeof text_id, "%s", queue_id_text(id));
	return play_admin(verb, "id", text_id);
}
