/* SPDX-License-Identifier: ISC */
/* Section `pickup`. */
#include "conf/conf_pickup.h"

static const struct conf_def rows[] = {
	CONF(conf_pickup, TIME, interval, "1s", 100, 3600000, CONF_LIVE,
	    "How often the drop folder is looked at."),
	CONF(conf_pickup, STR, domain, "", 0, 255, CONF_LIVE,
	    "Completes addresses without a domain; empty for the first "
	    "domain of the server."),
};

CONF_SECTION(conf_pickup_section, "pickup", false, conf_pickup, rows,
    "Mail dropped by sendmail(1).");
