/* SPDX-License-Identifier: ISC */
/*
 * Dot transparency, RFC 5321 4.5.2: the way a message travels behind DATA (and
 * POP3's RETR). Both directions work on blocks cut anywhere and give views
 * that are to be passed on, so the octets are not copied.
 */
#ifndef PROTO_DOT_H
#define PROTO_DOT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/slice.h"

enum dot_state {
	DOT_LINE_START,	 /* nothing of the line seen yet */
	DOT_TEXT,	 /* in a line */
	DOT_TEXT_CR,	 /* behind a CR that must be a line's end */
	DOT_FIRST,	 /* behind a dot that began the line, not passed on */
	DOT_FIRST_CR,	 /* behind that dot and a CR */
	DOT_END		 /* the final CRLF.CRLF has been seen */
};

enum dot_error { DOT_BARE_CR, DOT_BARE_LF, DOT_NUL };

enum dot_flag {
	DOT_REFUSE_NUL = 1, /* else NUL octets pass */
};

struct dot_decoder {
	enum dot_state state;
	unsigned flags;
	bool is_refused; /* skipping to the end, nothing is passed on */
};

void dot_decoder_init(struct dot_decoder *d, unsigned flags);
/*
 * > 0: octets consumed; *out_r is what they mean, a view into `in` (often
 * empty, never more than was consumed); call again with the rest. 0: `in` is
 * empty or the end has been reached (dot_decoder_is_done): what follows it is
 * not the message's. -1: an octet that no honest client sends (*error_r); the
 * message must be refused. This is said once, with nothing consumed: called
 * again with the same octets the decoder skips to the true end, so that the
 * session may answer there. Only CRLF.CRLF is an end: see line.h.
 */
ssize_t dot_decode(struct dot_decoder *d, struct slice in, struct slice *out_r,
    enum dot_error *error_r) __attribute__((warn_unused_result));
bool dot_decoder_is_done(const struct dot_decoder *d);

struct dot_encoder {
	enum dot_state state;
	bool is_odd; /* a bare CR or LF has been seen */
};

void dot_encoder_init(struct dot_encoder *e);
/*
 * Takes octets of a message: returns how many were consumed and gives in
 * *out_r what to send for them, a view into `in` or of static octets. While
 * `in` is not empty at least one of the two is not; so loop until it is.
 * Dots are doubled. So that nobody downstream sees a line end where we see
 * none, a bare LF is sent as CRLF and a bare CR as a space.
 */
size_t dot_encode(struct dot_encoder *e, struct slice in, struct slice *out_r)
    __attribute__((warn_unused_result));
/* What ends the message: CRLF first, if it does not end in one. Static. */
struct slice dot_encode_end(struct dot_encoder *e);

#endif
