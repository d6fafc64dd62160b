/* SPDX-License-Identifier: ISC */
/*
 * Accounts and their passwords. A password is read here (from the terminal or
 * standard input, never from the command line), made into its stored forms
 * here, and only those go to the server.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "conf/conf_auth.h"
#include "master/veredus.h"
#include "sys/password.h"
#include "sys/row.h"
#include "sys/saslprep.h"
#include "sys/scram_keys.h"

enum { EX_USAGE = 64, EX_DATAERR = 65, EX_NOINPUT = 66, EX_SOFTWARE = 70 };

/* ---- reading a password ---- */

static int
read_line(char *out, size_t size)
{
	size_t n;

	if (fgets(out, (int)size, stdin) == NULL)
		return -1;
	n = strcspn(out, "\r\n");
	out[n] = 0;
	return n > 0 ? 0 : -1;
}

static int
prompt(const char *text, char *out, size_t size)
{
	struct termios was, quiet;
	int result;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &was) < 0)
		return read_line(out, size);
	(void)fprintf(stderr, "%s", text);
	quiet = was;
	quiet.c_lflag &= (tcflag_t)~ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	result = read_line(out, size);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	(void)fputc('\n', stderr);
	return result;
}

static int
read_password(char *out, size_t size)
{
	char again[PASSWORD_MAX + 2];
	int result = 0;

	if (prompt("Password: ", out, size) < 0)
		return veredus_fail(EX_NOINPUT, "no password was given");
	if (isatty(STDIN_FILENO)) {
		if (prompt("Again: ", again, sizeof again) < 0 ||
		    strcmp(out, again) != 0)
			result = veredus_fail(EX_DATAERR,
			    "the two are not the same");
		explicit_bzero(again, sizeof again);
	}
	return result;
}

/* ---- stored forms ---- */

static void
fill_policy(struct veredus *v, struct password_policy *policy)
{
	struct conf_auth conf;
	struct region mem;

	*policy = (struct password_policy){ 0 };
	region_init(&mem, 1 << 20);
	config_fill(v->config, &conf_auth_section, "", &conf, &mem);
	if (strcmp(conf.hash, "argon2id") == 0)
		policy->scheme = PASSWORD_ARGON2ID;
	region_fini(&mem);
}

/* Adds "form" pairs: a slow hash for PLAIN and LOGIN, keys for SCRAM. */
static int
make_forms(struct veredus *v, struct slice password, struct buf *args)
{
	struct password_policy policy, scram = { .scheme = PASSWORD_SCRAM };
	struct buf prepared, form;
	int result = 0;

	fill_policy(v, &policy);
	buf_init(&prepared, PASSWORD_MAX * 4);
	buf_init(&form, PASSWORD_STORED_MAX);
	if (saslprep(password, &prepared) < 0) {
		result = veredus_fail(EX_DATAERR, "the password has a "
		    "character that may not stand in one (RFC 4013)");
	} else if (password_make(buf_slice(&prepared), &policy, &form) < 0) {
		result = veredus_fail(EX_SOFTWARE, "cannot hash it: %s",
		    strerror(errno));
	} else {
		row_pair(args, "form", buf_slice(&form));
		buf_reset(&form);
		if (password_make(buf_slice(&prepared), &scram, &form) < 0)
			result = veredus_fail(EX_SOFTWARE, "cannot make its "
			    "keys: %s", strerror(errno));
		else
			row_pair(args, "form", buf_slice(&form));
	}
	buf_fini_secret(&prepared);
	buf_fini_secret(&form);
	return result;
}

/* ---- requests ---- */

struct found {
	char account[32];
};

static void
on_account(void *arg, struct slice row)
{
	struct found *f = arg;

	(void)snprintf(f->account, sizeof f->account, "%.*s",
	    SLICE_FMT(row_get(row, "number")));
}

static int
run(struct veredus *v, const char *verb, struct slice args, struct found *f)
{
	struct buf text;
	int result;

	buf_init(&text, 4096);
	result = ctl_run(v->ctl, verb, args, on_account, f, &text);
	if (result != 0)
		(void)veredus_fail(result, "%s", text.p);
	buf_fini(&text);
	return result;
}

static int
set_password(struct veredus *v, const char *account, const char *hash)
{
	char password[PASSWORD_MAX + 2];
	struct buf args;
	struct found f;
	int result = 0;

	buf_init(&args, 8192);
	row_pair_str(&args, "account", account);
	if (hash != NULL) {
		row_pair_str(&args, "form", hash);
	} else {
		(void)mlock(password, sizeof password);
		result = read_password(password, sizeof password);
		if (result == 0)
			result = make_forms(v, slice_str(password), &args);
		explicit_bzero(password, sizeof password);
	}
	if (result == 0)
		result = run(v, "password set", buf_slice(&args), &f);
	buf_fini_secret(&args);
	return result;
}

/* Before anything is changed. 0, or EX_DATAERR with a sentence said. */
static int
check_form(const char *form)
{
	if (password_form_is_usable(slice_str(form)))
		return 0;
	return veredus_fail(EX_DATAERR, "this is no stored form of a password "
	    "that can be checked here: those of crypt(3), argon2id and "
	    "SCRAM-SHA-256 are");
}

/* ADDRESS [--hash FORM]. 0, or EX_USAGE. */
static int
parse(int argc, char **argv, const char **hash_r)
{
	*hash_r = NULL;
	if (argc == 4 && strcmp(argv[2], "--hash") == 0)
		*hash_r = argv[3];
	else if (argc != 2)
		return EX_USAGE;
	return argv[1][0] == '-' ? EX_USAGE : 0;
}

static int
with_account(struct veredus *v, const char *verb, const char *address,
    struct found *f)
{
	struct buf args;
	int result;

	f->account[0] = 0;
	buf_init(&args, 4096);
	row_pair_str(&args, strcmp(verb, "account show") == 0 ? "account"
							       : "address",
	    address);
	result = run(v, verb, buf_slice(&args), f);
	buf_fini(&args);
	if (result == 0 && f->account[0] == 0)
		result = veredus_fail(EX_SOFTWARE, "the server did not say "
		    "which account %s is", address);
	return result;
}

int
cmd_account_add(struct veredus *v, int argc, char **argv)
{
	const char *hash;
	struct found f;
	int result = parse(argc, argv, &hash);

	if (result == 0 && hash != NULL)
		result = check_form(hash);
	if (result == 0)
		result = with_account(v, "account add", argv[1], &f);
	if (result == 0)
		result = set_password(v, f.account, hash);
	else
		return result;
	if (result == 0)
		(void)printf("account %s is number %s\n", argv[1], f.account);
	else
		(void)fprintf(stderr, "veredus: account %s exists now, but "
		    "has no password: veredus account passwd %s\n", argv[1],
		    argv[1]);
	return result;
}

int
cmd_account_passwd(struct veredus *v, int argc, char **argv)
{
	const char *hash;
	struct found f;
	int result = parse(argc, argv, &hash);

	if (result == 0)
		result = with_account(v, "account show", argv[1], &f);
	if (result == 0)
		result = set_password(v, f.account, hash);
	if (result == 0)
		(void)printf("%s has a new password\n", argv[1]);
	return result;
}

/* ---- many at once ---- */

/*
 * The form in what stands behind the address: up to the next colon, for the
 * other fields of a passwd file follow (uid, gid, home …). Our own form of
 * SCRAM keys has two colons itself.
 */
static char *
cut_form(char *text)
{
	static const char scram[] = "SCRAM-SHA-256$";
	unsigned colons = strncmp(text, scram, sizeof scram - 1) == 0 ? 2 : 0;
	char *end = text + strcspn(text, ":");

	while (colons-- > 0 && *end != 0)
		end += 1 + strcspn(end + 1, ":");
	*end = 0;
	return text;
}

/* An account without a password would only be in the way of the next try. */
static int
import_account(struct veredus *v, const char *address, const char *form)
{
	struct buf args, text;
	struct found f;
	int result = check_form(form);

	if (result == 0)
		result = with_account(v, "account add", address, &f);
	if (result != 0)
		return result;
	result = set_password(v, f.account, form);
	if (result == 0)
		return 0;
	buf_init(&args, 4096);
	buf_init(&text, 4096);
	row_pair_str(&args, "account", f.account);
	if (ctl_run(v->ctl, "account remove", buf_slice(&args), NULL, NULL,
		&text) != 0)
		(void)veredus_fail(0, "account %s has no password, and cannot "
		    "be removed: %s", address, text.p);
	buf_fini(&args);
	buf_fini(&text);
	return result;
}

/* 0: it is there; 1: nothing to do; -1 failed. */
static int
import_line(struct veredus *v, const char *file, unsigned long line,
    char *text)
{
	char *rest;

	text[strcspn(text, "\r\n")] = 0;
	if (text[0] == 0 || text[0] == '#')
		return 1;
	rest = strchr(text, ':');
	if (rest != NULL) {
		*rest++ = 0;
		if (import_account(v, text, cut_form(rest)) == 0)
			return 0;
		(void)veredus_fail(0, "%s:%lu: %s was not added", file, line,
		    text);
	} else {
		(void)veredus_fail(0, "%s:%lu: expected address:hash", file,
		    line);
	}
	return -1;
}

/* Lines of address:hash, as other servers keep them; comments with #. */
int
cmd_account_import(struct veredus *v, int argc, char **argv)
{
	unsigned long line = 0, done = 0, failed = 0;
	char *text = NULL;
	size_t size = 0;
	int result;
	FILE *in;

	if (argc != 2)
		return EX_USAGE;
	in = strcmp(argv[1], "-") == 0 ? stdin : fopen(argv[1], "re");
	if (in == NULL)
		return veredus_fail(EX_NOINPUT, "%s: %s", argv[1],
		    strerror(errno));
	while (getline(&text, &size, in) >= 0) {
		result = import_line(v, argv[1], ++line, text);
		done += result == 0;
		failed += result < 0;
		explicit_bzero(text, size);
		if (result <= 0 && (done + failed) % 1000 == 0)
			(void)fprintf(stderr, "\r%lu lines", line);
	}
	free(text);
	if (in != stdin)
		(void)fclose(in);
	(void)printf("%lu accounts, %lu failed\n", done, failed);
	return failed == 0 ? 0 : EX_DATAERR;
}
