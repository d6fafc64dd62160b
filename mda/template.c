/* SPDX-License-Identifier: ISC */
/*
 * Exec'd once, then forked for each owner: that costs a quarter of an exec.
 * It reads nothing but what the broker says. The child gives up what the
 * template may in one order (owner_jail) and becomes the owner process. It is
 * made with CLONE_PARENT, so that it is master's child and outlives the
 * template, which is replaced after `template_uses` owners because its
 * children share one address layout.
 */
#include "mda/template.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/conf_mailbox.h"
#include "mda/owner.h"
#include "mda/owner_jail.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/sandbox.h"

enum { END_TURNS = 2 };

static struct {
	int home;
	uint64_t account;
	int64_t uses;
	bool is_ending;
	unsigned turns; /* since then */
	int roots[16];
	size_t n_roots;
	struct conf_mailbox conf;
	struct loop_later end;
} self = { .home = -1 };

static void
on_spawn_home(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	if (self.home >= 0)
		(void)close(self.home);
	self.home = fd;
	self.account = m->SPAWN_HOME.account;
}

static pid_t
clone_child(int *pidfd)
{
	return (pid_t)syscall(SYS_clone,
	    CLONE_PARENT | CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, 0);
}

static void
refuse(struct ipc_link *l, uint64_t req, const char *why)
{
	log_error("event=spawn_failed account=%llu why=%s",
	    (unsigned long long)self.account, LOG_S(why));
	ipc_send(l, SPAWN_FAILED, -1, .req = req, .text = slice_str(why));
}

static void
on_spawn(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_SPAWN *s = &m->SPAWN;
	struct owner_identity who = { .account = s->account, .uid = s->uid,
		.gid = s->gid, .home = self.home, .link = fd,
		.privileged = daemon_is_privileged() };
	int pidfd = -1;
	pid_t pid;

	if (self.home < 0 || s->account != self.account) {
		refuse(l, s->req, "no folder for that account");
		(void)close(fd);
		return;
	}
	pid = clone_child(&pidfd);
	if (pid == 0) {
		owner_jail_enter(&who);
		owner_run(&who); /* does not return */
	}
	(void)close(fd);
	(void)close(self.home);
	self.home = -1;
	if (pid < 0) {
		refuse(l, s->req, strerror(errno));
		return;
	}
	ipc_send(l, SPAWNED, pidfd, .req = s->req, .pid = pid);
	(void)close(pidfd);
	/* The bound is live: it may have come to lie below already. */
	if (++self.uses < self.conf.template_uses || self.is_ending)
		return;
	self.is_ending = true;
	loop_later_ask(&self.end);
}

/* Enough children with this address layout: master starts a fresh one. */
static void
on_end(void *arg)
{
	(void)arg;
	/* Answers are sent at the end of the turn; then there is nothing left
	 * to do. */
	if (self.turns++ < END_TURNS)
		loop_later_ask(&self.end);
	else
		daemon_stopped();
}

static int
configure(const void *conf, struct buf *why)
{
	(void)why;
	self.conf = *(const struct conf_mailbox *)conf;
	return 0;
}

static void
take_file(struct slice name, int fd)
{
	if (slice_has_prefix(name, SLICE("mail-root:")) && self.n_roots < 16)
		self.roots[self.n_roots++] = fd;
	else
		(void)close(fd);
}

static void
before_jail(void)
{
	size_t i;

	for (i = 0; i < self.n_roots; i++)
		daemon_allow_dir(self.roots[i]);
	owner_jail_prepare();
}

static void
after_jail(void)
{
	size_t i;

	for (i = 0; i < self.n_roots; i++)
		(void)close(self.roots[i]);
	loop_later_init(&self.end, daemon_loop(), on_end, NULL);
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_SPAWN_HOME] = on_spawn_home,
	    [IPC_SPAWN] = on_spawn,
	},
};

const struct role template_role = {
	.id = ROLE_TEMPLATE,
	.section = &conf_mailbox_section,
	.handlers = &handlers,
	.sandbox = SANDBOX_SPAWN | SANDBOX_FILES,
	.before_jail = before_jail,
	.after_jail = after_jail,
	.configure = configure,
	.file = take_file,
};
