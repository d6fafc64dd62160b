/* SPDX-License-Identifier: ISC */
/* Section `mailbox`. */
#include "conf/conf_mailbox.h"

static const struct conf_def rows[] = {
	CONF(conf_mailbox, TIME, linger, "60s", 0, 86400000, CONF_LIVE,
	    "How long the process of an owner stays when nothing uses "
	    "it."),
	CONF(conf_mailbox, INT, owners, "2000", 1, 1000000, CONF_LIVE,
	    "Most processes of owners at a time; the least recently "
	    "used end first."),
	CONF(conf_mailbox, INT, template_uses, "1000", 1, 1000000, CONF_LIVE,
	    "After this many owners the process they are made from is "
	    "replaced, for they share its address layout."),
	CONF(conf_mailbox, TIME, start_timeout, "10s", 100, 600000, CONF_LIVE,
	    "How long the process of an owner may take to start."),
	CONF(conf_mailbox, TIME, poll, "5s", 100, 3600000, CONF_LIVE,
	    "How often an idle session looks whether another program "
	    "changed the Maildir."),
};

CONF_SECTION(conf_mailbox_section, "mailbox", false, conf_mailbox, rows,
    "Mailboxes.");
