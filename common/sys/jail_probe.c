/* SPDX-License-Identifier: ISC */
/*
 * `ROLE --probe`: each forbidden act is tried by a child of its own that went
 * the whole way into the jail, because some attempts end the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/jail.h"
#include "sys/log.h"
#include "sys/sandbox.h"

enum { PROBE_ALLOWED = 0, PROBE_REFUSED = 1, PROBE_NO_JAIL = 2 };

static int
try_read_passwd(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0;
}

static int
try_read_outside(void)
{
	return open("../../../../etc/hostname", O_RDONLY) >= 0;
}

static int
try_make_file(void)
{
	return open("probe-file", O_CREAT | O_WRONLY, 0600) >= 0;
}

static int
try_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static int
try_raw_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

static int
try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static int
try_exec(void)
{
	static const char *const argv[] = { "/bin/true", NULL };

	(void)syscall(SYS_execve, argv[0], argv, NULL);
	return 0;
}

static int
try_root(void)
{
	return setresuid(0, 0, 0) == 0;
}

static int
try_signal_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static int
try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static int
try_mount(void)
{
	return mount("none", "/", "tmpfs", 0, NULL) == 0;
}

static int
try_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0;
}

static int
try_chroot(void)
{
	return chroot(".") == 0;
}

static int
try_exec_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static const struct {
	const char *name;
	int (*act)(void);
	unsigned unless; /* profiles that may */
	bool folder;     /* roles with a folder may */
} probes[] = {
	{ "read /etc/passwd", try_read_passwd, 0, false },
	{ "read a file outside by ..", try_read_outside, 0, false },
	{ "make a file", try_make_file, 0, true },
	{ "open a TCP socket", try_tcp, SANDBOX_CONNECT, false },
	{ "open a raw socket", try_raw_socket, 0, false },
	{ "open a UNIX socket", try_unix_socket, 0, false },
	{ "fork", try_fork, SANDBOX_SPAWN, false },
	{ "run a program", try_exec, SANDBOX_SPAWN, false },
	{ "become root", try_root, SANDBOX_SPAWN, false },
	{ "signal another process", try_signal_parent, SANDBOX_SPAWN, false },
	{ "trace another process", try_ptrace, 0, false },
	{ "mount", try_mount, 0, false },
	{ "make a user namespace", try_namespace, 0, false },
	{ "chroot again", try_chroot, SANDBOX_SPAWN, false },
	{ "make memory executable", try_exec_memory, SANDBOX_SPAWN, false },
};

static void
child(const struct jail *j, int (*act)(void))
{
	struct buf why;
	unsigned held;

	log_set_level(LOG_LEVEL_ERROR);
	buf_init(&why, 1024);
	if (jail_enter(j, &held, &why) < 0) {
		(void)dprintf(STDERR_FILENO, "probe: %s\n", why.p);
		_exit(PROBE_NO_JAIL);
	}
	_exit(act() ? PROBE_ALLOWED : PROBE_REFUSED);
}

/* The status of one attempt: allowed, refused, no jail. */
static int
attempt(const struct jail *j, int (*act)(void), const char **how)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		child(j, act);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return PROBE_NO_JAIL;
	*how = "refused";
	if (WIFEXITED(status) && WEXITSTATUS(status) != 76)
		return WEXITSTATUS(status);
	*how = "refused, and the process ended";
	return PROBE_REFUSED;
}

static int
make_jail(struct jail *j, char *dir)
{
	if (mkdtemp(dir) == NULL)
		return -1;
	j->folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->folder < 0 || fchmod(j->folder, 0700) < 0)
		return -1;
	if (j->privileged && j->has_folder &&
	    fchown(j->folder, j->uid, j->gid) < 0)
		return -1;
	return 0;
}

int
jail_probe(const char *role, unsigned sandbox, bool has_folder)
{
	struct jail j = { .privileged = geteuid() == 0, .folder = -1,
		.has_folder = has_folder, .uid = 65534, .gid = 65534,
		.sandbox = sandbox };
	char dir[] = "/tmp/veredus-probe-XXXXXX";
	const char *how = "";
	int bad = 0, result;
	bool may;
	size_t i;

	if (make_jail(&j, dir) < 0) {
		(void)fprintf(stderr, "probe: %s: %s\n", dir, strerror(errno));
		return 1;
	}
	for (i = 0; i < sizeof probes / sizeof *probes; i++) {
		may = (probes[i].unless & sandbox) != 0 ||
		    (probes[i].folder && has_folder);
		result = attempt(&j, probes[i].act, &how);
		(void)printf("%s: %-28s %s%s\n", role, probes[i].name,
		    result == PROBE_REFUSED ? how
			: result == PROBE_ALLOWED ? "possible" : "not tried",
		    result == PROBE_ALLOWED && may ? " (its work)"
			: result == PROBE_ALLOWED ? " (MUST NOT BE)" : "");
		if (result == PROBE_NO_JAIL ||
		    (result == PROBE_ALLOWED && !may))
			bad++;
	}
	(void)unlinkat(j.folder, "probe-file", 0);
	(void)rmdir(dir);
	return bad == 0 ? 0 : 1;
}
