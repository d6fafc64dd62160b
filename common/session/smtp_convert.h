/* SPDX-License-Identifier: ISC */
/* Looking into the content of a message, and making it 7 bits wide, for servers
 * that take no more. RFC 6152 3. */
#ifndef SESSION_SMTP_CONVERT_H
#define SESSION_SMTP_CONVERT_H

#include <stdbool.h>

#include "base/buf.h"
#include "session/smtp_content.h"

/* More than this is not converted: it is held in memory for it, twice. */
enum { SMTP_CONVERT_MAX = 64 << 20 };

enum smtp_convert {
	SMTP_CONVERT_NOT_NEEDED, /* it is 7 bits wide as it is */
	SMTP_CONVERT_DONE,	 /* *out has it */
	SMTP_CONVERT_IMPOSSIBLE, /* signed, malformed, or too large */
	SMTP_CONVERT_FAILED	 /* no memory, or it cannot be read: later */
};

/* Has the header, or all of it, an octet above 127? False too when it cannot
 * be read: that shows again when it is sent. */
bool smtp_convert_has_8bit(struct smtp_content content);
bool smtp_convert_has_8bit_header(struct smtp_content content);
/* `out` is initialised here and is to be finished, whatever comes of it. */
enum smtp_convert smtp_convert_to_7bit(struct smtp_content content,
    struct buf *out);

#endif
