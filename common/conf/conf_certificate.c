/* SPDX-License-Identifier: ISC */
/* Section `certificate "NAME"`. */
#include "conf/conf_certificate.h"

static const struct conf_def rows[] = {
	CONF(conf_certificate, STR, chain, "", 0, 1024, CONF_LIVE,
	    "File with the certificate and those of the authorities between "
	    "(PEM), the server's own first."),
	CONF(conf_certificate, STR, key, "", 0, 1024, CONF_LIVE,
	    "File with its private key (PEM). Only the role `keys` reads it."),
	CONF(conf_certificate, LIST, names, "", 0, 1000, CONF_LIVE,
	    "Names (SNI) that get this certificate, besides those that stand "
	    "in it."),
};

CONF_SECTION(conf_certificate_section, "certificate", true, conf_certificate,
    rows,
    "A certificate for TLS. The first is shown to clients that ask for no "
    "name, or for one that no certificate has.");
