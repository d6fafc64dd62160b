/* SPDX-License-Identifier: ISC */
#include "tests/tools/fake_master.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/daemon.h"
#include "sys/loop.h"

enum { CONTROL_FD = 3, CONF_MS = 5000 };

struct fake_master {
	struct loop *loop;
	struct ipc_link *link;
	enum role_id role;
	pid_t pid;
	bool is_stopping, is_privileged;
	uint64_t caps;
	void (*conf_done)(bool is_ok, struct slice text);
	void (*ready)(void);
};

static struct fake_master self;

static void
on_hello_ok(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	if (m->HELLO_OK.table != ipc_table_hash())
		errx(1, "the role is of another build");
}

static void
on_ready(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	(void)fd;
	if (self.ready != NULL)
		self.ready();
}

/* What other roles tell master is not for us, but must be taken. */
static void
ignore(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	if (fd >= 0)
		(void)close(fd);
}

static void
on_lost(struct ipc_link *l)
{
	(void)l;
	self.link = NULL;
	if (!self.is_stopping)
		errx(1, "the role is gone");
}

static struct ipc_handlers handlers = {
	.by_type = { [IPC_HELLO_OK] = on_hello_ok, [IPC_READY] = on_ready },
	.lost = on_lost,
};

static void
exec_role(const char *program, int fd)
{
	/* Where it is there already, dup2 would let it be closed by exec. */
	if (fd == CONTROL_FD)
		fd = dup(fd);
	if (fd < 0 || dup2(fd, CONTROL_FD) < 0)
		err(1, "dup2");
	/* LeakSanitizer reads /proc at the end, which no role in its jail can. */
	(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 0);
	(void)execl(program, program, (char *)NULL);
	err(1, "%s", program);
}

void
fake_master_privileged(uint64_t caps)
{
	self.is_privileged = true;
	self.caps = caps;
}

struct fake_master *
fake_master_start(struct loop *l, const char *program, enum role_id role,
    unsigned sandbox)
{
	int fds[2], t;

	for (t = 0; t < IPC_TYPE_COUNT; t++)
		if ((ipc_info[t].to & RS_MASTER) != 0 &&
		    handlers.by_type[t] == NULL)
			handlers.by_type[t] = ignore;
	if (ipc_pair(fds) < 0)
		err(1, "socketpair");
	self.loop = l;
	self.role = role;
	self.pid = fork();
	if (self.pid < 0)
		err(1, "fork");
	if (self.pid == 0)
		exec_role(program, fds[1]);
	(void)close(fds[1]);
	self.link = ipc_link_new(l, fds[0], ROLE_MASTER, role, 0, &handlers);
	if (self.link == NULL)
		errx(1, "out of memory");
	ipc_send(self.link, HELLO, -1, .table = ipc_table_hash(),
	    .role = (uint8_t)role, .uid = (uint32_t)getuid(),
	    .gid = (uint32_t)getgid(), .sandbox = sandbox,
	    .flags = self.is_privileged ? DAEMON_PRIVILEGED : 0,
	    .caps = self.caps, .name = slice_str(role_name(role)));
	return &self;
}

void
fake_master_conf(struct fake_master *m, struct slice option)
{
	struct slice section, name;
	struct buf value;
	size_t i;

	if (!slice_split(&option, '.', &section) ||
	    !slice_split(&option, '=', &name))
		errx(64, "not section.option=value");
	buf_init(&value, 60000);
	buf_add_slice(&value, option);
	for (i = 0; i < value.n; i++)
		if (value.p[i] == '|')
			value.p[i] = '\n';
	ipc_send(m->link, CONF_ITEM, -1, .section = section, .name = name,
	    .value = buf_slice(&value));
	buf_fini(&value);
}

static void
on_conf_result(void *arg, int type, const union ipc_any *m, int fd)
{
	struct fake_master *f = arg;

	(void)type;
	(void)fd;
	if (m == NULL)
		errx(1, "no answer to the configuration");
	f->conf_done(m->CONF_RESULT.ok != 0, m->CONF_RESULT.text);
}

void
fake_master_conf_end(struct fake_master *m,
    void (*done)(bool is_ok, struct slice text))
{
	m->conf_done = done;
	(void)ipc_ask(m->link, CONF_END, -1, CONF_MS, on_conf_result, m,
	    .generation = 1);
}

void
fake_master_file(struct fake_master *m, const char *name, int fd)
{
	ipc_send(m->link, FILE_FD, fd, .name = slice_str(name));
}

void
fake_master_jail(struct fake_master *m, const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", dir);
	ipc_send(m->link, JAIL_FD, fd, .what = slice_str(dir));
	(void)close(fd);
}

void
fake_master_go(struct fake_master *m, void (*ready)(void))
{
	m->ready = ready;
	ipc_send(m->link, START, -1, .generation = 1);
}

struct ipc_link *
fake_master_peer(struct fake_master *m, enum role_id peer,
    const struct ipc_handlers *h)
{
	return fake_master_instance(m, peer, 0, h);
}

int
fake_master_bare(struct fake_master *m, enum role_id peer, uint32_t instance)
{
	int fds[2];

	if (ipc_pair(fds) < 0)
		err(1, "socketpair");
	ipc_send(m->link, PEER_FD, fds[1], .role = (uint8_t)peer,
	    .instance = instance);
	(void)close(fds[1]);
	return fds[0];
}

struct ipc_link *
fake_master_impostor(struct fake_master *m, enum role_id peer,
    uint32_t instance, enum role_id as, const struct ipc_handlers *h)
{
	struct ipc_link *l = ipc_link_new(m->loop,
	    fake_master_bare(m, peer, instance), as, m->role, 0, h);

	if (l == NULL)
		errx(1, "out of memory");
	return l;
}

struct ipc_link *
fake_master_instance(struct fake_master *m, enum role_id peer,
    uint32_t instance, const struct ipc_handlers *h)
{
	return fake_master_impostor(m, peer, instance, peer, h);
}

struct ipc_link *
fake_master_link(struct fake_master *m)
{
	return m->link;
}

int
fake_master_stop(struct fake_master **mp)
{
	struct fake_master *m = *mp;
	int status;

	*mp = NULL;
	m->is_stopping = true;
	ipc_send(m->link, STOP, -1, .grace_ms = 1000);
	loop_turn(m->loop, false);
	if (waitpid(m->pid, &status, 0) < 0)
		err(1, "waitpid");
	if (m->link != NULL)
		ipc_link_free(&m->link);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}
