/* SPDX-License-Identifier: ISC */
/*
 * Reads a message from standard input, makes its envelope from arguments (and
 * with -t from its header), and gives both to `drop`. It has no rights of its
 * own.
 */
#include "msa/sendmail.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "msa/dropfile.h"
#include "msa/localmail.h"
#include "msa/sendmail_args.h"

enum { EX_USAGE = 64, EX_DATAERR = 65, EX_NOUSER = 67, EX_UNAVAILABLE = 69,
	EX_OSERR = 71, EX_IOERR = 74, EX_TEMPFAIL = 75,
	MESSAGE_MAX = 50 << 20 };

struct options {
	struct sendmail_args args;
	const char *drop_folder, *drop_program;
};

static int
fail(int status, const char *fmt, const char *what)
{
	(void)fputs("sendmail: ", stderr);
	(void)fprintf(stderr, "%s%s\n", fmt, what);
	return status;
}

/* ---- other programs ---- */

static int
run_veredus(const struct options *o, const char *a, const char *b)
{
	if (o->args.config != NULL)
		(void)execl(VD_BINDIR "/veredus", "veredus", "-c", o->args.config,
		    a, b, (char *)NULL);
	else
		(void)execlp("veredus", "veredus", a, b, (char *)NULL);
	return fail(EX_UNAVAILABLE, "cannot run veredus: ", strerror(errno));
}

/* -bs: an SMTP session of standard input and output with port 25 here. */
static int
connect_smtp(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *a;
	const char *port = getenv("VEREDUS_SMTP_PORT");
	int fd = -1;

	if (getaddrinfo("localhost", port == NULL ? "25" : port, &hints,
		&list) != 0)
		return -1;
	for (a = list; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
			(void)close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd;
}

static int
pass(int from, int to)
{
	char bytes[16384];
	ssize_t n = read(from, bytes, sizeof bytes), done, k;

	for (done = 0; done < n; done += k) {
		k = write(to, bytes + done, (size_t)(n - done));
		if (k <= 0)
			return -1;
	}
	return n <= 0 ? -1 : 0;
}

static int
run_smtp(void)
{
	int fd = connect_smtp();
	struct pollfd p[2] = { { STDIN_FILENO, POLLIN, 0 },
		{ fd, POLLIN, 0 } };

	if (fd < 0) {
		(void)puts("421 4.3.2 The mail server is not running\r");
		return EX_TEMPFAIL;
	}
	while (poll(p, 2, -1) >= 0) {
		if (p[1].revents != 0 && pass(fd, STDOUT_FILENO) < 0)
			return 0;
		if (p[0].revents != 0 && pass(STDIN_FILENO, fd) < 0) {
			(void)shutdown(fd, SHUT_WR);
			p[0].fd = -1;
		}
	}
	return EX_IOERR;
}

/* ---- sending ---- */

static int
read_input(const struct options *o, struct buf *raw)
{
	struct localmail r;
	char piece[65536];
	ssize_t n = 1;

	localmail_init(&r, !o->args.dots);
	/* Whoever ends it with a dot may leave the input open. */
	while (n > 0 && !r.ended) {
		n = read(STDIN_FILENO, piece, sizeof piece);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n < 0)
			return fail(EX_IOERR, "cannot read the message: ",
			    strerror(errno));
		localmail_read(&r, (struct slice){ piece, (size_t)n }, raw);
		if (!buf_is_ok(raw))
			return fail(EX_DATAERR, "the message is too large", "");
	}
	localmail_end(&r, raw);
	return 0;
}

static int
add(struct buf *envelope, char tag, const char *value)
{
	return dropfile_add(envelope, tag, slice_str(value)) == 0 ? 0
	    : fail(EX_DATAERR, "not usable: ", value);
}

static int
add_given(struct buf *envelope, const struct options *o)
{
	uint8_t notify;
	int result = 0;

	if (o->args.sender != NULL)
		result = add(envelope, 'S',
		    strcmp(o->args.sender, "<>") == 0 ? "" : o->args.sender);
	if (result == 0 && o->args.notify != NULL)
		result = dropfile_parse_notify(slice_str(o->args.notify),
			     &notify) < 0
		    ? fail(EX_USAGE, "-N takes never, or success, failure, "
			"delay: ", o->args.notify)
		    : add(envelope, 'N', o->args.notify);
	if (result == 0 && o->args.ret != NULL)
		result = add(envelope, 'T', o->args.ret);
	if (result == 0 && o->args.envid != NULL)
		result = add(envelope, 'E', o->args.envid);
	return result;
}

/* Arguments are addresses, several in one by commas. */
static int
add_arguments(struct buf *envelope, int argc, char **argv, size_t *n)
{
	struct slice rest, one;
	int i;

	for (i = 0; i < argc; i++) {
		rest = slice_str(argv[i]);
		while (slice_split(&rest, ',', &one)) {
			one = slice_trim(one);
			if (one.n == 0)
				continue;
			if (one.p[0] == '<' && one.p[one.n - 1] == '>')
				one = slice_head(slice_from(one, 1),
				    one.n - 2);
			if (dropfile_add(envelope, 'R', one) < 0)
				return fail(EX_DATAERR, "not usable: ",
				    argv[i]);
			(*n)++;
		}
	}
	return 0;
}

static int
feed(int fd, const struct buf *b)
{
	size_t done = 0;
	ssize_t n;

	while (done < b->n) {
		n = write(fd, b->p + done, b->n - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

static int
give_to_drop(const struct options *o, const struct buf *envelope,
    const struct buf *letter)
{
	const char *program = o->drop_program;
	int fds[2], status;
	pid_t pid;

	if (pipe(fds) < 0)
		return fail(EX_OSERR, "no pipe: ", strerror(errno));
	pid = fork();
	if (pid == 0) {
		(void)dup2(fds[0], STDIN_FILENO);
		(void)close(fds[0]);
		(void)close(fds[1]);
		if (o->drop_folder != NULL)
			(void)execl(program, "drop", "-d", o->drop_folder,
			    (char *)NULL);
		else
			(void)execl(program, "drop", (char *)NULL);
		_exit(fail(EX_UNAVAILABLE, "cannot run drop: ",
		    strerror(errno)));
	}
	(void)close(fds[0]);
	if (pid < 0)
		return fail(EX_OSERR, "cannot fork: ", strerror(errno));
	(void)signal(SIGPIPE, SIG_IGN);
	if (feed(fds[1], envelope) == 0)
		(void)feed(fds[1], letter);
	(void)close(fds[1]);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return fail(EX_TEMPFAIL, "drop did not end well", "");
	return WEXITSTATUS(status);
}

static int
send_message(const struct options *o, int argc, char **argv)
{
	struct buf raw, letter, envelope;
	size_t n = 0;
	int result;

	buf_init(&raw, MESSAGE_MAX);
	buf_init(&letter, MESSAGE_MAX + (1 << 20));
	buf_init(&envelope, DROP_ENVELOPE_MAX);
	result = read_input(o, &raw);
	if (result == 0)
		result = add_given(&envelope, o);
	if (result == 0)
		result = add_arguments(&envelope, argc, argv, &n);
	if (result == 0 && localmail_finish(buf_slice(&raw), o->args.from_header,
		o->args.full_name, &letter, &envelope, &n) < 0)
		result = fail(EX_DATAERR, "an address in the header is not "
		    "usable", "");
	if (result == 0 && n == 0)
		result = fail(EX_NOUSER, "no recipients were given", "");
	buf_addf(&envelope, "L %zu\n\n", letter.n);
	if (result == 0)
		result = give_to_drop(o, &envelope, &letter);
	buf_fini(&raw);
	buf_fini(&letter);
	buf_fini(&envelope);
	return result;
}

int
sendmail_main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	struct options o = { .drop_folder = getenv("VEREDUS_DROP"),
		.drop_program = getenv("VEREDUS_DROP_PROGRAM") };
	int first = 1;

	name = name == NULL ? argv[0] : name + 1;
	if (o.drop_program == NULL)
		o.drop_program = VD_LIBEXECDIR "/drop";
	if (strcmp(name, "mailq") == 0)
		o.args.mode = SENDMAIL_LIST;
	if (strcmp(name, "newaliases") == 0)
		o.args.mode = SENDMAIL_ALIASES;
	if (sendmail_args_parse(&o.args, argc, argv, &first) < 0)
		return EX_USAGE;
	switch (o.args.mode) {
	case SENDMAIL_SEND:
		return send_message(&o, argc - first, argv + first);
	case SENDMAIL_SMTP:
		return run_smtp();
	case SENDMAIL_LIST:
		return run_veredus(&o, "queue", "list");
	case SENDMAIL_FLUSH:
		return run_veredus(&o, "queue", "flush");
	case SENDMAIL_ALIASES:
		/* Aliases are in tables that are current at all times. */
		return 0;
	}
	return EX_USAGE;
}
