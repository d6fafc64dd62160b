/* SPDX-License-Identifier: ISC */
/* The sentences of imap_error.h as an array. */
#include "proto/imap_error.h"

#include <stddef.h>

static const char *const texts[] = {
#define E(name, text) [IMAP_ERROR_##name] = text,
	IMAP_ERRORS(E)
#undef E
};

const char *
imap_error_text(enum imap_error e)
{
	if ((size_t)e >= sizeof texts / sizeof *texts)
		return "The command is not well formed.";
	return texts[e];
}
