/* SPDX-License-Identifier: ISC */
/* Section `mailbox`: mailboxes. */
#ifndef CONF_CONF_MAILBOX_H
#define CONF_CONF_MAILBOX_H

#include "sys/conf.h"

struct conf_mailbox {
	int64_t linger;
	int64_t owners;
	int64_t template_uses;
	int64_t start_timeout;
	int64_t poll;
};

extern const struct conf_section conf_mailbox_section;

#endif
