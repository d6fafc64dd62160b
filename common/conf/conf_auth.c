/* SPDX-License-Identifier: ISC */
/* Section `auth`. */
#include "conf/conf_auth.h"

static const struct conf_def rows[] = {
	CONF_ONE_OF(conf_auth, driver, "bdb", "bdb|lmdb", CONF_RESTART,
	    "How the tables are kept."),
	CONF(conf_auth, INT, threads, "2", 1, 64, CONF_RESTART,
	    "Threads that check slow hashes."),
	CONF(conf_auth, INT, queue, "256", 1, 65536, CONF_LIVE,
	    "Most checks that wait; more are told to try later."),
	CONF(conf_auth, TIME, remember, "60s", 0, 3600000, CONF_LIVE,
	    "How long a successful password is remembered (as a keyed "
	    "digest), so that the next login is cheap; 0 for never."),
	CONF(conf_auth, INT, failures_per_client, "20", 1, 100000, CONF_LIVE,
	    "Failures from one address in ten minutes after which it "
	    "has to wait."),
	CONF(conf_auth, INT, failures_per_account, "10", 1, 100000, CONF_LIVE,
	    "Failures from one address for one account in ten minutes "
	    "after which that pair has to wait."),
	CONF(conf_auth, TIME, failure_delay, "2s", 0, 60000, CONF_LIVE,
	    "How long the answer to a wrong password is held back."),
	CONF_ONE_OF(conf_auth, hash, "yescrypt", "yescrypt|argon2id", CONF_LIVE,
	    "How new passwords are kept, besides the keys for SCRAM."),
};

CONF_SECTION(conf_auth_section, "auth", false, conf_auth, rows,
    "Passwords.");
