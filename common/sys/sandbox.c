/* SPDX-License-Identifier: ISC */
/*
 * seccomp and Landlock. Landlock is used by its system calls; what the running
 * kernel does not know is left out of the rule set.
 */
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/log.h"

int
sandbox_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* ---- Landlock ---- */

/* Newer than Debian 12's headers: LANDLOCK_ACCESS_NET_* and scopes. */
enum { NET_BIND_TCP = 1, NET_CONNECT_TCP = 2, SCOPE_ABSTRACT_UNIX = 1,
	SCOPE_SIGNAL = 2 };

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

static uint64_t
fs_rights(long abi)
{
	uint64_t all = (1ULL << 13) - 1; /* EXECUTE to MAKE_SYM */

	if (abi >= 2)
		all |= 1ULL << 13; /* REFER */
	if (abi >= 3)
		all |= 1ULL << 14; /* TRUNCATE */
	if (abi >= 5)
		all |= 1ULL << 15; /* IOCTL_DEV */
	return all;
}

int
sandbox_landlock(unsigned profile, const int *dirs, size_t n)
{
	struct ruleset_attr attr = { 0 };
	struct landlock_path_beneath_attr beneath = { 0 };
	int fd, result;
	long abi;
	size_t i;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return -1;
	attr.fs = fs_rights(abi);
	if (abi >= 4 && (profile & SANDBOX_CONNECT) == 0)
		attr.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 6 && (profile & SANDBOX_SPAWN) == 0)
		attr.scoped = SCOPE_ABSTRACT_UNIX;
	/* The broker ends owner processes, which it is no parent of. */
	if (abi >= 6 && (profile & (SANDBOX_SPAWN | SANDBOX_HOMES)) == 0)
		attr.scoped |= SCOPE_SIGNAL;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr,
	    abi >= 6 ? 24 : abi >= 4 ? 16 : 8, 0);
	if (fd < 0)
		return -1;
	result = 0;
	for (i = 0; i < n && result == 0; i++) {
		/* Files and folders, but nothing that runs, no devices. */
		beneath.allowed_access = attr.fs &
		    ~(uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE |
			LANDLOCK_ACCESS_FS_MAKE_CHAR |
			LANDLOCK_ACCESS_FS_MAKE_BLOCK |
			LANDLOCK_ACCESS_FS_MAKE_SOCK |
			LANDLOCK_ACCESS_FS_MAKE_FIFO |
			LANDLOCK_ACCESS_FS_MAKE_SYM);
		beneath.parent_fd = dirs[i];
		result = (int)syscall(SYS_landlock_add_rule, fd,
		    LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	}
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	(void)close(fd);
	return result;
}

/* ---- seccomp ---- */

struct call_set {
	unsigned profile; /* 0: every profile */
	int calls[96];    /* -1 at the end */
};

/* Written as SCMP_SYS so that another architecture gets its own numbers. */
static const struct call_set allowed[] = {
	{ 0, { SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv),
		 SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
		 SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(recvmmsg),
		 SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendto),
		 SCMP_SYS(close), SCMP_SYS(fcntl), SCMP_SYS(fstat),
		 SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(munmap),
		 SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise),
		 SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
		 SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
		 SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll),
		 SCMP_SYS(eventfd2), SCMP_SYS(clock_gettime),
		 SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
		 SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getpid),
		 SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid),
		 SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
		 SCMP_SYS(getrandom), SCMP_SYS(rt_sigaction),
		 SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
		 SCMP_SYS(rt_sigpending), SCMP_SYS(sigaltstack),
		 SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(exit),
		 SCMP_SYS(exit_group), SCMP_SYS(restart_syscall),
		 SCMP_SYS(tgkill), SCMP_SYS(getrusage), SCMP_SYS(shutdown),
		 SCMP_SYS(setsockopt), SCMP_SYS(getsockopt),
		 SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(rseq),
		 SCMP_SYS(set_robust_list), SCMP_SYS(membarrier),
		 SCMP_SYS(sched_getaffinity), SCMP_SYS(sysinfo),
		 SCMP_SYS(prlimit64), SCMP_SYS(ftruncate), SCMP_SYS(statx),
		 -1 } },
	{ SANDBOX_ACCEPT, { SCMP_SYS(accept), SCMP_SYS(accept4), -1 } },
	{ SANDBOX_CONNECT, { SCMP_SYS(connect), SCMP_SYS(bind), -1 } },
	{ SANDBOX_FILES,
	    { SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(mkdirat),
		SCMP_SYS(mkdir), SCMP_SYS(unlinkat), SCMP_SYS(unlink),
		SCMP_SYS(rmdir), SCMP_SYS(renameat), SCMP_SYS(renameat2),
		SCMP_SYS(rename), SCMP_SYS(linkat), SCMP_SYS(stat),
		SCMP_SYS(lstat), SCMP_SYS(access), SCMP_SYS(faccessat),
		SCMP_SYS(faccessat2), SCMP_SYS(getdents64), SCMP_SYS(fsync),
		SCMP_SYS(fdatasync), SCMP_SYS(syncfs), SCMP_SYS(fallocate),
		SCMP_SYS(flock), SCMP_SYS(fstatfs), SCMP_SYS(statfs),
		SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(utimensat),
		SCMP_SYS(getcwd), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
		SCMP_SYS(msync), SCMP_SYS(pwritev), SCMP_SYS(pwritev2),
		SCMP_SYS(preadv), SCMP_SYS(preadv2), SCMP_SYS(dup),
		SCMP_SYS(chdir), SCMP_SYS(fchdir), SCMP_SYS(fadvise64),
		SCMP_SYS(fchown), SCMP_SYS(truncate), SCMP_SYS(umask),
		SCMP_SYS(uname), SCMP_SYS(sync_file_range),
		SCMP_SYS(copy_file_range), -1 } },
	{ SANDBOX_LOCK_MEMORY,
	    { SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(munlock), -1 } },
	{ SANDBOX_HOMES,
	    { SCMP_SYS(openat2), SCMP_SYS(mkdirat), SCMP_SYS(fchown),
		SCMP_SYS(fchownat), SCMP_SYS(fchmod), SCMP_SYS(socketpair),
		SCMP_SYS(pidfd_send_signal), SCMP_SYS(fsync),
		SCMP_SYS(memfd_create), -1 } },
	{ SANDBOX_SPAWN,
	    { SCMP_SYS(openat2), SCMP_SYS(clone), SCMP_SYS(clone3),
		SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(execveat),
		SCMP_SYS(execve), SCMP_SYS(wait4), SCMP_SYS(waitid),
		SCMP_SYS(kill), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
		SCMP_SYS(setgroups), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
		SCMP_SYS(getresuid), SCMP_SYS(getresgid), SCMP_SYS(chroot),
		SCMP_SYS(fchown), SCMP_SYS(fchownat), SCMP_SYS(socketpair),
		SCMP_SYS(dup3), SCMP_SYS(dup2), SCMP_SYS(close_range),
		SCMP_SYS(capset), SCMP_SYS(capget), SCMP_SYS(arch_prctl),
		SCMP_SYS(set_tid_address), SCMP_SYS(seccomp),
		SCMP_SYS(landlock_create_ruleset),
		SCMP_SYS(landlock_add_rule), SCMP_SYS(landlock_restrict_self),
		SCMP_SYS(setsid), SCMP_SYS(pidfd_open),
		SCMP_SYS(pidfd_send_signal), SCMP_SYS(setrlimit),
		SCMP_SYS(getrlimit), SCMP_SYS(pipe2), -1 } },
};

/* Nobody asks for these by mistake: the process ends. */
static const struct call_set deadly[] = {
	{ 0, { SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
		 SCMP_SYS(process_vm_writev), SCMP_SYS(kexec_load),
		 SCMP_SYS(init_module), SCMP_SYS(finit_module),
		 SCMP_SYS(delete_module), SCMP_SYS(bpf), SCMP_SYS(mount),
		 SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(unshare),
		 SCMP_SYS(setns), SCMP_SYS(userfaultfd),
		 SCMP_SYS(perf_event_open), SCMP_SYS(add_key),
		 SCMP_SYS(request_key), SCMP_SYS(keyctl), SCMP_SYS(reboot),
		 SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(settimeofday),
		 SCMP_SYS(clock_settime), SCMP_SYS(sethostname),
		 SCMP_SYS(personality), SCMP_SYS(io_uring_setup),
		 SCMP_SYS(open_by_handle_at), SCMP_SYS(mknod),
		 SCMP_SYS(mknodat), SCMP_SYS(quotactl), SCMP_SYS(acct), -1 } },
};
/* Deadly unless the profile has SANDBOX_SPAWN. */
static const int deadly_spawn[] = { SCMP_SYS(execve), SCMP_SYS(execveat),
	SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(chroot),
	SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setuid),
	SCMP_SYS(setgid), SCMP_SYS(setgroups), SCMP_SYS(capset), -1 };

static void
on_forbidden(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	log_error("event=forbidden_call number=%d", info->si_syscall);
	_exit(76);
}

static int
add_all(scmp_filter_ctx ctx, uint32_t action, const int *calls)
{
	int r;

	for (; *calls != -1; calls++) {
		if (*calls < -1)
			continue; /* this architecture does not have it */
		r = seccomp_rule_add(ctx, action, *calls, 0);
		if (r < 0 && r != -EEXIST && r != -EACCES)
			return -1;
	}
	return 0;
}

/* Calls whose arguments decide. */
static int
add_conditional(scmp_filter_ctx ctx, unsigned profile)
{
	const uint64_t family_mask = 0xffffffff;
	int r = 0;

	/* Memory is never both made executable and ours to fill. Spawning
	 * roles must let the dynamic loader of what they exec map code. */
	if ((profile & SANDBOX_SPAWN) != 0) {
		r |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 0);
		r |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect),
		    0);
		r |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 0);
	} else {
		r |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		r |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect),
		    1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		r |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
		    SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
		r |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
		    SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA));
	}
	if ((profile & SANDBOX_CONNECT) != 0) {
		r |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket),
		    1, SCMP_A0(SCMP_CMP_MASKED_EQ, family_mask, AF_INET));
		r |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket),
		    1, SCMP_A0(SCMP_CMP_MASKED_EQ, family_mask, AF_INET6));
	}
	if ((profile & SANDBOX_THREADS) != 0 &&
	    (profile & SANDBOX_SPAWN) == 0)
		r |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, 0x00010000 /* CLONE_THREAD */,
			0x00010000));
	return r;
}

int
sandbox_seccomp(unsigned profile)
{
	struct sigaction sa = { .sa_sigaction = on_forbidden,
		.sa_flags = SA_SIGINFO };
	scmp_filter_ctx ctx;
	int result = -1;
	size_t i;

	if (sigaction(SIGSYS, &sa, NULL) < 0)
		return -1;
	ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (ctx == NULL)
		return -1;
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	for (i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if ((allowed[i].profile & profile) == allowed[i].profile &&
		    add_all(ctx, SCMP_ACT_ALLOW, allowed[i].calls) < 0)
			goto out;
	if (add_all(ctx, SCMP_ACT_TRAP, deadly[0].calls) < 0 ||
	    ((profile & SANDBOX_SPAWN) == 0 &&
		add_all(ctx, SCMP_ACT_TRAP, deadly_spawn) < 0) ||
	    add_conditional(ctx, profile) != 0)
		goto out;
	if (seccomp_load(ctx) == 0)
		result = 0;
out:
	seccomp_release(ctx);
	return result;
}

struct sandbox_filter {
	struct sock_fprog prog;
};

/* Taken back from children of a spawning process: deadly for a role, and here
 * what made the child. mmap and mprotect lose PROT_EXEC again. */
static const int taken_back[] = { SCMP_SYS(clone), SCMP_SYS(clone3),
	SCMP_SYS(openat2), SCMP_SYS(socketpair), SCMP_SYS(kill),
	SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(seccomp),
	SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self), SCMP_SYS(setsid),
	SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(prctl),
	SCMP_SYS(arch_prctl), SCMP_SYS(fchown), SCMP_SYS(fchownat), -1 };

/* The program as bytes: libseccomp 2.5 writes it to a descriptor only. */
static int
export_filter(scmp_filter_ctx ctx, struct sandbox_filter *f)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), result = -1;
	off_t size;

	if (fd < 0)
		return -1;
	if (seccomp_export_bpf(ctx, fd) == 0) {
		size = lseek(fd, 0, SEEK_END);
		f->prog.filter = malloc((size_t)size);
		f->prog.len =
		    (unsigned short)((size_t)size / sizeof(struct sock_filter));
		if (f->prog.filter != NULL &&
		    pread(fd, f->prog.filter, (size_t)size, 0) == size)
			result = 0;
	}
	(void)close(fd);
	return result;
}

struct sandbox_filter *
sandbox_deny_spawn(void)
{
	struct sandbox_filter *f = calloc(1, sizeof *f);
	scmp_filter_ctx ctx;
	int r = 0;

#ifdef WITH_SANITIZERS
	return f;
#endif
	ctx = f == NULL ? NULL : seccomp_init(SCMP_ACT_ALLOW);
	if (ctx == NULL) {
		free(f);
		return NULL;
	}
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	r |= add_all(ctx, SCMP_ACT_TRAP, deadly_spawn);
	r |= add_all(ctx, SCMP_ACT_ERRNO(EPERM), taken_back);
	r |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mmap), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	r |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mprotect),
	    1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	if (r != 0 || export_filter(ctx, f) < 0) {
		free(f);
		f = NULL;
	}
	seccomp_release(ctx);
	return f;
}

int
sandbox_apply(const struct sandbox_filter *f)
{
	if (f->prog.len == 0)
		return 0;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &f->prog);
}

void
sandbox_describe(unsigned held, struct buf *out)
{
	static const struct {
		unsigned bit;
		const char *name;
	} parts[] = {
		{ SANDBOX_HELD_CHROOT, "chroot" },
		{ SANDBOX_HELD_UID, "uid" },
		{ SANDBOX_HELD_NO_NEW_PRIVS, "no-new-privs" },
		{ SANDBOX_HELD_LANDLOCK, "landlock" },
		{ SANDBOX_HELD_SECCOMP, "seccomp" },
	};
	size_t i, n = sizeof parts / sizeof *parts;
	const char *between = "";

	for (i = 0; i < n; i++) {
		if ((held & parts[i].bit) != 0) {
			buf_addf(out, "%s%s", between, parts[i].name);
			between = " ";
		}
	}
	for (i = 0; i < n; i++)
		if ((held & parts[i].bit) == 0)
			buf_addf(out, "%swithout-%s", between, parts[i].name);
}
