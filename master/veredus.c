/* SPDX-License-Identifier: ISC */
/*
 * `veredus`: one table of commands. Most of them are one request to the
 * running server; those with work of their own have a function.
 */
#include "master/veredus.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/table_out.h"
#include "sys/row.h"

enum { EX_USAGE = 64, EX_UNAVAILABLE = 69, EX_CONFIG = 78, ARGS_MAX = 60000 };

/*
 * words: what is typed; args: names of positional arguments for the server,
 * "?" behind those that may be missing, "*" behind one that takes all the
 * rest; run: or a function that does it.
 */
static const struct command {
	const char *words, *args, *usage, *help;
	veredus_command *run;
	bool offline; /* works with the server stopped, too */
} commands[] = {
	{ "status", "", "", "what runs, as whom, in which jail", cmd_status,
	    false },
	{ "stop", "", "", "stop the server in order", NULL, false },
	{ "reload", "", "", "take the configuration and certificates anew",
	    NULL, false },
	{ "config check", "", "[FILE]", "say what is wrong with the "
	    "configuration", cmd_config_check, false },
	{ "config show", "", "", "every option with its value and meaning",
	    cmd_config_show, false },
	{ "domain add", "name", "DOMAIN", "a domain of this server", NULL,
	    true },
	{ "domain list", "", "", "the domains", NULL, true },
	{ "domain remove", "name", "DOMAIN", "forget a domain", NULL, true },
	{ "account add", "address", "ADDRESS [--hash FORM]",
	    "an account; its password is asked for, or read from standard "
	    "input", cmd_account_add, true },
	{ "account passwd", "address", "ADDRESS [--hash FORM]",
	    "a new password", cmd_account_passwd, true },
	{ "account list", "domain?", "[DOMAIN]", "the accounts", NULL, true },
	{ "account show", "account", "ADDRESS", "one account", NULL, true },
	{ "account remove", "account", "ADDRESS",
	    "forget an account (its mail stays on disk)", NULL, true },
	{ "account disable", "account", "ADDRESS",
	    "no login, no mail, nothing lost", NULL, true },
	{ "account enable", "account", "ADDRESS", "undo disable", NULL, true },
	{ "account quota", "account quota-bytes? quota-messages?",
	    "ADDRESS [SIZE [MESSAGES]]", "set a quota; none for no quota",
	    NULL, true },
	{ "account import", "", "FILE", "many accounts: lines of "
	    "address:hash", cmd_account_import, true },
	{ "alias add", "alias target*", "ADDRESS TARGET...",
	    "mail for ADDRESS goes to the targets", NULL, true },
	{ "alias list", "domain?", "[DOMAIN]", "the aliases", NULL, true },
	{ "alias remove", "alias", "ADDRESS", "forget an alias", NULL,
	    true },
	{ "address test", "address", "ADDRESS", "what would happen to mail "
	    "for this address, step by step", NULL, true },
	{ "queue list", "", "", "what waits", NULL, false },
	{ "queue show", "id", "ID", "one message and its recipients", NULL,
	    false },
	{ "queue flush", "id?", "[ID]", "try now", NULL, false },
	{ "queue hold", "id", "ID", "do not try until released", NULL, false },
	{ "queue release", "id", "ID", "undo hold", NULL, false },
	{ "queue remove", "id", "ID", "take out, without a bounce", NULL,
	    false },
	{ "trace", "", "ID|ADDRESS", "what happened to a message, from the "
	    "log", cmd_trace, false },
	{ "doctor", "", "", "look for what is wrong", cmd_doctor, false },
	{ "dns lookup", "type name", "TYPE NAME", "ask the server's resolver",
	    NULL, false },
	{ "dns flush", "", "", "forget cached answers", NULL, false },
	{ "rate list", "", "", "counters and limits", NULL, false },
	{ "rate clear", "key", "KEY", "forget a counter", NULL, false },
};

int
veredus_fail(int status, const char *fmt, ...)
{
	va_list ap;

	(void)fputs("veredus: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return status;
}

static int
usage(FILE *out)
{
	size_t i;

	(void)fprintf(out, "usage: veredus [-c FILE] [--json] COMMAND\n\n");
	for (i = 0; i < sizeof commands / sizeof *commands; i++)
		(void)fprintf(out, "  %-16s %-24s %s\n", commands[i].words,
		    commands[i].usage, commands[i].help);
	(void)fprintf(out, "\n  -c FILE  the configuration (default "
	    "%s/veredus.conf, or $VEREDUS_CONF)\n  --json   lists as JSON\n",
	    VD_SYSCONFDIR);
	return out == stdout ? 0 : EX_USAGE;
}

int
veredus_read_config(struct veredus *v)
{
	struct buf why;
	int result = 0;

	if (v->config != NULL)
		return 0;
	buf_init(&why, 65536);
	v->config = config_read(v->file, &why);
	if (v->config == NULL) {
		(void)fputs(why.p, stderr);
		result = EX_CONFIG;
	} else {
		region_init(&v->mem, 1 << 20);
		config_fill(v->config, &conf_server_section, "", &v->server,
		    &v->mem);
	}
	buf_fini(&why);
	return result;
}

/* ---- connection ---- */

/* The roles that keep accounts, under a master of their own. */
static int
start_maintenance(struct veredus *v)
{
	char program[1100];
	int status;
	pid_t pid;

	(void)snprintf(program, sizeof program, "%s/veredusd",
	    getenv("VEREDUS_SBINDIR") != NULL ? getenv("VEREDUS_SBINDIR")
					      : VD_SBINDIR);
	pid = fork();
	if (pid == 0) {
		(void)execl(program, "veredusd", "-d", "-c", v->file, "-L",
		    v->libexec, "-o", "directory,auth", (char *)NULL);
		(void)fprintf(stderr, "veredus: cannot run %s: %s\n", program,
		    strerror(errno));
		_exit(EX_UNAVAILABLE);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		return -1;
	v->maintenance = 1;
	return 0;
}

int
veredus_connect(struct veredus *v, bool offline)
{
	bool stopped = false;
	struct buf why;
	int result;

	if (v->ctl != NULL)
		return 0;
	result = veredus_read_config(v);
	if (result != 0)
		return result;
	buf_init(&why, 4096);
	v->ctl = ctl_connect(v->server.run_dir, &stopped, &why);
	if (v->ctl == NULL && stopped && offline &&
	    start_maintenance(v) == 0) {
		buf_reset(&why);
		v->ctl = ctl_connect(v->server.run_dir, &stopped, &why);
	}
	if (v->ctl == NULL)
		result = veredus_fail(EX_UNAVAILABLE, "%s", why.p);
	buf_fini(&why);
	return result;
}

/* Until its lock is free: the next command may come right behind this one. */
static void
wait_for_end(const struct veredus *v)
{
	char path[1100];
	int fd, i;

	(void)snprintf(path, sizeof path, "%s/veredusd.pid",
	    v->server.run_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (i = 0; fd >= 0 && i < 200; i++) {
		if (flock(fd, LOCK_SH | LOCK_NB) == 0)
			break;
		(void)usleep(50000);
	}
	if (fd >= 0)
		(void)close(fd);
}

static void
disconnect(struct veredus *v)
{
	struct buf text;

	if (v->ctl != NULL && v->maintenance != 0) {
		buf_init(&text, 1024);
		(void)ctl_run(v->ctl, "stop", SLICE_NONE, NULL, NULL, &text);
		buf_fini(&text);
		wait_for_end(v);
	}
	ctl_close(&v->ctl);
}

/* ---- generic requests ---- */

struct page {
	struct table_out *table;
	char next[256];
};

static void
on_row(void *arg, struct slice row)
{
	struct slice rest = row, key, value, more;
	struct page *p = arg;

	if (row_next(&rest, &key) && slice_eq_str(key, "next") &&
	    row_next(&rest, &value) && !row_next(&rest, &more))
		(void)snprintf(p->next, sizeof p->next, "%.*s",
		    SLICE_FMT(value));
	else
		table_out_row(p->table, row);
}

/* A list's pages follow each other: a last row with only the key "next" says
 * what to ask for `after`. */
static int
run_pages(struct veredus *v, const char *verb, struct slice args,
    struct page *p, struct buf *text)
{
	struct buf all;
	int result;

	buf_init(&all, ARGS_MAX);
	do {
		buf_reset(&all);
		buf_add_slice(&all, args);
		if (p->next[0] != 0)
			row_pair_str(&all, "after", p->next);
		p->next[0] = 0;
		buf_reset(text);
		result = ctl_run(v->ctl, verb, buf_slice(&all), on_row, p,
		    text);
	} while (result == 0 && p->next[0] != 0);
	buf_fini(&all);
	return result;
}

int
veredus_run(struct veredus *v, const char *verb, struct slice args)
{
	struct page p = { .table = table_out_new(v->json) };
	struct buf text;
	size_t rows;
	int result;

	buf_init(&text, 65536);
	result = run_pages(v, verb, args, &p, &text);
	if (v->json || result == 0) {
		rows = table_out_end(&p.table);
		if (text.n > 0 && result == 0 && (rows == 0 || !v->json))
			(void)fprintf(v->json ? stderr : stdout, "%s\n",
			    text.p);
	}
	if (result != 0)
		(void)veredus_fail(result, "%s", text.p);
	buf_fini(&text);
	return result;
}

static int
bad_usage(const struct command *c)
{
	return veredus_fail(EX_USAGE, "usage: veredus %s %s", c->words,
	    c->usage);
}

/* Pairs the arguments with their names. 0, or -1: too few or too many. */
static int
pack_args(const struct command *c, int argc, char **argv, struct buf *out)
{
	struct slice names = slice_str(c->args), name;
	int i = 1;

	while (names.n > 0 && slice_split(&names, ' ', &name)) {
		char kind = name.p[name.n - 1], key[64];

		if (kind == '?' || kind == '*')
			name.n--;
		(void)snprintf(key, sizeof key, "%.*s", SLICE_FMT(name));
		if (i >= argc && kind != '?')
			return -1;
		do
			if (i < argc)
				row_pair_str(out, key, argv[i++]);
		while (kind == '*' && i < argc);
	}
	return i == argc ? 0 : -1;
}

static int
run_generic(struct veredus *v, const struct command *c, int argc, char **argv)
{
	struct buf args;
	int result;

	buf_init(&args, ARGS_MAX);
	if (pack_args(c, argc, argv, &args) < 0)
		result = bad_usage(c);
	else {
		result = veredus_connect(v, c->offline);
		if (result == 0)
			result = veredus_run(v, c->words, buf_slice(&args));
	}
	buf_fini(&args);
	return result;
}

/* ---- which command ---- */

static const struct command *
find_command(int argc, char **argv, int *used_r)
{
	char two[64];
	size_t i;

	if (argc > 1)
		(void)snprintf(two, sizeof two, "%s %s", argv[0], argv[1]);
	for (i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(commands[i].words, argv[0]) == 0) {
			*used_r = 0;
			return &commands[i];
		}
		if (argc > 1 && strcmp(commands[i].words, two) == 0) {
			*used_r = 1;
			return &commands[i];
		}
	}
	return NULL;
}

/* What was meant by words that no command has. */
static const struct command *
nearest(int argc, char **argv)
{
	const struct command *found = NULL;
	size_t best, d, i;
	char words[64];

	(void)snprintf(words, sizeof words, "%s%s%s", argv[0],
	    argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	best = strlen(words) / 3 + 2;
	for (i = 0; i < sizeof commands / sizeof *commands; i++) {
		/* Behind a command of one word stands an argument. */
		d = conf_distance(slice_str(strchr(commands[i].words, ' ') ==
			NULL ? argv[0] : words), slice_str(commands[i].words));
		if (d < best) {
			best = d;
			found = &commands[i];
		}
	}
	return found;
}

static int
unknown(int argc, char **argv)
{
	const struct command *near = nearest(argc, argv);
	size_t i, n = strlen(argv[0]);
	bool any = false;

	for (i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strncmp(commands[i].words, argv[0], n) != 0)
			continue;
		if (!any)
			(void)fprintf(stderr, "veredus: which one?\n");
		any = true;
		(void)fprintf(stderr, "  veredus %s %s\n", commands[i].words,
		    commands[i].usage);
	}
	if (!any && near != NULL)
		return veredus_fail(EX_USAGE, "there is no command \"%s%s%s\"; "
		    "did you mean \"%s\"?", argv[0], argc > 1 ? " " : "",
		    argc > 1 ? argv[1] : "", near->words);
	return any ? EX_USAGE
		   : veredus_fail(EX_USAGE, "there is no command \"%s\"; "
			 "veredus --help lists them", argv[0]);
}

int
veredus_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	const char *env = getenv("VEREDUS_CONF");
	struct veredus v = { .file = env != NULL ? env
					: VD_SYSCONFDIR "/veredus.conf",
		.libexec = VD_LIBEXECDIR };
	const struct command *c;
	int opt, used = 0, result;

	while ((opt = getopt_long(argc, argv, "+c:L:jhV", options, NULL)) !=
	    -1) {
		switch (opt) {
		case 'c':
			v.file = optarg;
			break;
		case 'L':
			v.libexec = optarg;
			break;
		case 'j':
			v.json = true;
			break;
		case 'h':
			return usage(stdout);
		case 'V':
			(void)puts("veredus " PACKAGE_VERSION);
			return 0;
		default:
			return usage(stderr);
		}
	}
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return usage(stderr);
	/* --json may stand behind the command as well. */
	if (strcmp(argv[argc - 1], "--json") == 0) {
		v.json = true;
		argc--;
	}
	c = argc == 0 ? NULL : find_command(argc, argv, &used);
	if (c == NULL)
		return argc == 0 ? usage(stderr) : unknown(argc, argv);
	(void)signal(SIGPIPE, SIG_DFL);
	if (c->run != NULL) {
		result = c->offline ? veredus_connect(&v, true) : 0;
		if (result == 0)
			result = c->run(&v, argc - used, argv + used);
		if (result == EX_USAGE)
			(void)bad_usage(c);
	} else {
		result = run_generic(&v, c, argc - used, argv + used);
	}
	disconnect(&v);
	if (v.config != NULL)
		region_fini(&v.mem);
	config_free(&v.config);
	return result;
}
