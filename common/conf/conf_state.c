/* SPDX-License-Identifier: ISC */
/* Section `state`. */
#include "conf/conf_state.h"

static const struct conf_def rows[] = {
	CONF_ONE_OF(conf_state, driver, "bdb", "bdb|lmdb", CONF_RESTART,
	    "How counters are kept over a restart."),
	CONF(conf_state, INT, entries, "1000000", 1000, 100000000, CONF_LIVE,
	    "Most counters kept; the least recently used are forgotten."),
};

CONF_SECTION(conf_state_section, "state", false, conf_state, rows,
    "Counters of all roles.");
