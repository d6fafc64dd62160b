/* SPDX-License-Identifier: ISC */
/*
 * The command line of sendmail, as the programs of the world write it: letters
 * that have no value may stand together, "-tf joe" too.
 */
#ifndef MSA_SENDMAIL_ARGS_H
#define MSA_SENDMAIL_ARGS_H

#include <stdbool.h>

enum sendmail_mode {
	SENDMAIL_SEND,
	SENDMAIL_SMTP,
	SENDMAIL_LIST,
	SENDMAIL_FLUSH,
	SENDMAIL_ALIASES
};

/* The texts are the command line's own; NULL: not given. */
struct sendmail_args {
	enum sendmail_mode mode;
	bool from_header; /* -t */
	bool dots;        /* -i, -oi: a single dot is no end */
	const char *sender, *full_name, *notify, *ret, *envid, *config;
};

/* Zeroed *a_r gets what is there; *first_r: the first that is no option. 0; or
 * -1, and standard error says why. */
int sendmail_args_parse(struct sendmail_args *a_r, int argc,
    char *const *argv, int *first_r) __attribute__((warn_unused_result));

#endif
