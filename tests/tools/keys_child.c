/* SPDX-License-Identifier: ISC */
/* A keys process for tests. */
#include "tests/tools/keys_child.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/keys.h"
#include "sys/ipc.h"
#include "sys/loop.h"

static struct loop *loop;
static struct ipc_link *to_keys;

static void
die(const char *what)
{
	perror(what);
	abort();
}

static void
serve(int master, const int *fronts)
{
	int i;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	keys_role.before_jail();
	loop = loop_new();
	(void)ipc_link_new(loop, master, ROLE_KEYS, ROLE_MASTER, 0,
	    &keys_handlers);
	for (i = 0; i < KEYS_CHILD_FRONTS; i++)
		(void)ipc_link_new(loop, fronts[i], ROLE_KEYS, ROLE_SMTPD,
		    (uint32_t)i, &keys_handlers);
	loop_run(loop);
	_exit(0);
}

void
keys_child_start(struct keys_child *k)
{
	int pairs[KEYS_CHILD_FRONTS + 1][2], theirs[KEYS_CHILD_FRONTS], i;

	for (i = 0; i <= KEYS_CHILD_FRONTS; i++)
		if (ipc_pair(pairs[i]) < 0)
			die("ipc_pair");
	k->pid = fork();
	if (k->pid < 0)
		die("fork");
	for (i = 0; i <= KEYS_CHILD_FRONTS; i++)
		(void)close(pairs[i][k->pid == 0 ? 0 : 1]);
	for (i = 0; i < KEYS_CHILD_FRONTS; i++) {
		theirs[i] = pairs[i][1];
		k->fronts[i] = pairs[i][0];
	}
	k->master = pairs[KEYS_CHILD_FRONTS][0];
	if (k->pid == 0)
		serve(pairs[KEYS_CHILD_FRONTS][1], theirs);
}

static void
on_result(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)type;
	(void)fd;
	*(int *)arg = m != NULL && m->KEY_RESULT.ok ? 0 : -1;
}

static void
link_to(struct keys_child *k)
{
	static const struct ipc_handlers none = { 0 };

	if (to_keys != NULL)
		return;
	loop = loop_new();
	to_keys = ipc_link_new(loop, k->master, ROLE_MASTER, ROLE_KEYS, 0,
	    &none);
}

int
keys_child_load(struct keys_child *k, uint32_t number, int key_fd,
    struct slice chain)
{
	char name[32];
	int result = 1;

	link_to(k);
	(void)snprintf(name, sizeof name, "key%u", number);
	(void)ipc_ask(to_keys, KEY_FD, key_fd, 5000, on_result, &result,
	    .key = number, .name = slice_str(name), .chain = chain);
	while (result > 0)
		loop_turn(loop, true);
	return result;
}

void
keys_child_use(struct keys_child *k)
{
	link_to(k);
	ipc_send(to_keys, CERT_END, -1, .generation = 1);
	loop_turn(loop, false);
}

void
keys_child_stop(struct keys_child *k)
{
	(void)kill(k->pid, SIGKILL);
	(void)waitpid(k->pid, NULL, 0);
}
