/* SPDX-License-Identifier: ISC */
/*
 * drop: writes one message into the drop folder, durably, for `pickup`. It is
 * installed set-gid to the folder's group, so it trusts nothing: the folder is
 * fixed when the program has more rights than its caller, the caller's
 * identity is written by us, standard input is the envelope (without V and U
 * lines) and the message, and a limit holds for its size.
 */
#include "msa/drop.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "msa/dropfile.h"

enum { EX_USAGE = 64, EX_DATAERR = 65, EX_CANTCREAT = 73, EX_TEMPFAIL = 75,
	MESSAGE_MAX = 50 << 20, PIECE = 65536 };

static int
fail(int status, const char *what)
{
	(void)fprintf(stderr, "drop: %s: %s\n", what, strerror(errno));
	return status;
}

static bool
has_extra_rights(void)
{
	return getuid() != geteuid() || getgid() != getegid();
}

static int
write_all(int fd, const char *p, size_t n)
{
	ssize_t done;

	while (n > 0) {
		done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* Who calls, as the kernel says; the name is only for the trace header. */
static int
write_identity(int fd)
{
	struct passwd *pw = getpwuid(getuid());
	struct buf line;
	int result;

	buf_init(&line, 1024);
	buf_addf(&line, "V1\nU %lu %s\n", (unsigned long)getuid(),
	    pw == NULL || strpbrk(pw->pw_name, "\n\r") != NULL ? "unknown"
							       : pw->pw_name);
	result = write_all(fd, line.p, line.n);
	buf_fini(&line);
	return result;
}

/* Copies standard input; the envelope is checked when it has come. */
static int
copy(int fd)
{
	static char piece[PIECE];
	size_t total = 0;
	ssize_t n;

	for (;;) {
		n = read(STDIN_FILENO, piece, sizeof piece);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(EX_TEMPFAIL, "cannot read the message");
		if (n == 0)
			break;
		total += (size_t)n;
		if (total > MESSAGE_MAX + DROP_ENVELOPE_MAX) {
			errno = EFBIG;
			return fail(EX_DATAERR, "the message is too large");
		}
		if (write_all(fd, piece, (size_t)n) < 0)
			return fail(EX_CANTCREAT, "cannot write the message");
	}
	return 0;
}

static int
check(int fd)
{
	char *head = malloc(DROP_ENVELOPE_MAX);
	struct dropfile d;
	struct stat st;
	const char *why = "out of memory";
	ssize_t n;
	int result;

	n = head == NULL ? -1 : pread(fd, head, DROP_ENVELOPE_MAX, 0);
	result = n < 0 ? -1
	    : dropfile_parse((struct slice){ head, (size_t)n }, &d, &why);
	if (result == 0 && d.has_letter &&
	    (fstat(fd, &st) < 0 ||
		(uint64_t)st.st_size != d.length + d.letter)) {
		why = "the message was cut short";
		result = -1;
	}
	if (result < 0)
		(void)fprintf(stderr, "drop: not a message with envelope: "
		    "%s\n", why);
	free(head);
	return result < 0 ? EX_DATAERR : 0;
}

static void
make_name(char *name, size_t size)
{
	struct timespec ts;
	uint64_t r = 0;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (getrandom(&r, sizeof r, 0) != sizeof r)
		r = (uint64_t)getpid();
	(void)snprintf(name, size, "%lld.%09ld.%016llx",
	    (long long)ts.tv_sec, ts.tv_nsec, (unsigned long long)r);
}

/* tmp/NAME, flushed, then new/NAME, and the folder flushed. */
static int
drop_into(int dir)
{
	char name[80], from[100], to[100];
	int fd, result;

	make_name(name, sizeof name);
	(void)snprintf(from, sizeof from, "tmp/%s", name);
	(void)snprintf(to, sizeof to, "new/%s", name);
	fd = openat(dir, from, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
		O_NOFOLLOW, 0640);
	if (fd < 0)
		return fail(EX_CANTCREAT, "cannot make a file in the drop "
		    "folder");
	/* pickup reads it by the group, whatever umask says. */
	if (fchmod(fd, 0640) < 0 || write_identity(fd) < 0)
		result = fail(EX_CANTCREAT, "cannot write the message");
	else
		result = copy(fd);
	if (result == 0)
		result = check(fd);
	if (result == 0 && fsync(fd) < 0)
		result = fail(EX_CANTCREAT, "cannot flush the message");
	if (result == 0 && renameat(dir, from, dir, to) < 0)
		result = fail(EX_CANTCREAT, "cannot name the message");
	/* The folder may be closed to our eyes, so it cannot be flushed by
	 * itself: its file system is. */
	if (result == 0 && syncfs(fd) < 0)
		result = fail(EX_CANTCREAT, "cannot flush the folder");
	(void)close(fd);
	if (result != 0) {
		(void)unlinkat(dir, from, 0);
		(void)unlinkat(dir, to, 0);
		return result;
	}
	return 0;
}

int
drop_main(int argc, char **argv)
{
	const char *path = VD_STATEDIR "/lib/veredus/drop";
	struct rlimit no_core = { 0, 0 };
	int dir;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "-d") == 0 && !has_extra_rights())
		path = argv[2];
	else if (argc != 1) {
		(void)fprintf(stderr, "usage: drop [-d FOLDER]   (-d only "
		    "without set-gid; sendmail runs it)\n");
		return EX_USAGE;
	}
	(void)clearenv();
	(void)umask(027);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return fail(EX_TEMPFAIL, path);
	return drop_into(dir);
}
