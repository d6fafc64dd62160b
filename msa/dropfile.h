/* SPDX-License-Identifier: ISC */
/*
 * The form of a dropped message: an envelope of lines, an empty line, and the
 * message with CRLF lines.
 *
 *	V1                 version
 *	U 1000 joe         who dropped it: uid and login name
 *	S joe@example.com  sender; empty for the null sender; without a domain
 *	                   it is completed by pickup
 *	R bob@example.org  a recipient, once or more
 *	N failure,delay    wanted notifications (RFC 3461 4.1)
 *	T full             what they return: full or hdrs
 *	E xtext            ENVID
 *	L 1234             octets of the message, so that a writer that died
 *	                   in the middle is noticed
 *
 * Pure: no I/O.
 */
#ifndef MSA_DROPFILE_H
#define MSA_DROPFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	DROP_ENVELOPE_MAX = 1 << 20, /* octets of the envelope */
	DROP_RCPTS_MAX = 10000
};

struct dropfile {
	struct slice user;    /* login name */
	uint64_t uid;
	struct slice sender, envid;
	uint8_t notify, ret;  /* enum smtp_notify, smtp_ret */
	struct slice rcpts;   /* the R lines: dropfile_next_rcpt takes them */
	size_t n_rcpts;
	bool has_letter;
	uint64_t letter;      /* octets of the message as announced */
	size_t length;        /* octets of the envelope with its empty line */
};

/*
 * Reads the envelope at the front of `in`. 0; -1 when it is not of this form:
 * `why` says what. Slices point into `in`.
 */
int dropfile_parse(struct slice in, struct dropfile *d_r, const char **why)
    __attribute__((warn_unused_result));
/* Takes the next recipient off *rcpts; false at the end. */
bool dropfile_next_rcpt(struct slice *rcpts, struct slice *rcpt_r);
/* Appends one line; -1 when the value holds a control character. */
int dropfile_add(struct buf *out, char tag, struct slice value)
    __attribute__((warn_unused_result));
/* "never" or a list of success, failure, delay. 0 with bits; -1. */
int dropfile_parse_notify(struct slice text, uint8_t *notify_r)
    __attribute__((warn_unused_result));

#endif
