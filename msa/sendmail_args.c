/* SPDX-License-Identifier: ISC */
/*
 * Options that other sendmails have and that change nothing here are taken
 * without a word, for programs pass them by habit. One that nobody knows is
 * refused: it may have a value, and that would be taken for a recipient.
 */
#include "msa/sendmail_args.h"

#include <stdio.h>
#include <string.h>

/* Letters by what follows them. */
static const char flags[] = "tivmnsxcGIU";
static const char with_value[] = "fFrNRVCoOABDLMXdehp";

static int
fail(const char *what, const char *which)
{
	(void)fprintf(stderr, "sendmail: %s%s\n", what, which);
	return -1;
}

static bool
is_in(const char *letters, char c)
{
	return c != 0 && strchr(letters, c) != NULL;
}

static int
take_mode(struct sendmail_args *a, const char *value)
{
	static const struct {
		const char *name;
		enum sendmail_mode mode;
	} modes[] = { { "m", SENDMAIL_SEND }, { "s", SENDMAIL_SMTP },
		{ "p", SENDMAIL_LIST }, { "i", SENDMAIL_ALIASES } };
	size_t i;

	for (i = 0; i < sizeof modes / sizeof *modes; i++) {
		if (strcmp(modes[i].name, value) == 0) {
			a->mode = modes[i].mode;
			return 0;
		}
	}
	return fail("this mode is not known here: -b", value);
}

static void
take_flag(struct sendmail_args *a, char c)
{
	if (c == 't')
		a->from_header = true;
	else if (c == 'i')
		a->dots = true;
	else if (c == 'I')
		a->mode = SENDMAIL_ALIASES;
}

static void
take_value(struct sendmail_args *a, char c, const char *value)
{
	switch (c) {
	case 'f': case 'r':
		a->sender = value;
		break;
	case 'F':
		a->full_name = value;
		break;
	case 'N':
		a->notify = value;
		break;
	case 'R':
		a->ret = value;
		break;
	case 'V':
		a->envid = value;
		break;
	case 'C':
		a->config = value;
		break;
	case 'o': /* a letter, and what it is set to */
		a->dots |= strcmp(value, "i") == 0;
		break;
	case 'O':
		a->dots |= strcmp(value, "IgnoreDots") == 0 ||
		    strcmp(value, "IgnoreDots=true") == 0;
		break;
	}
}

/* One argument behind its '-'. How many arguments it used, or -1. */
static int
take_argument(struct sendmail_args *a, const char *letters, const char *next)
{
	const char *p;

	for (p = letters; is_in(flags, *p); p++)
		take_flag(a, *p);
	if (*p == 0)
		return 1;
	if (*p == 'b')
		return take_mode(a, p + 1) == 0 ? 1 : -1;
	if (*p == 'q') { /* which of the queue: all */
		a->mode = SENDMAIL_FLUSH;
		return 1;
	}
	if (!is_in(with_value, *p))
		return fail("unknown option: -", p);
	if (p[1] == 0 && next == NULL)
		return fail("needs a value: -", p);
	take_value(a, *p, p[1] != 0 ? p + 1 : next);
	return p[1] != 0 ? 1 : 2;
}

int
sendmail_args_parse(struct sendmail_args *a, int argc, char *const *argv,
    int *first_r)
{
	int i = 1, used;

	while (i < argc && argv[i][0] == '-' && argv[i][1] != 0) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		used = take_argument(a, argv[i] + 1,
		    i + 1 < argc ? argv[i + 1] : NULL);
		if (used < 0)
			return -1;
		i += used;
	}
	*first_r = i;
	return 0;
}
