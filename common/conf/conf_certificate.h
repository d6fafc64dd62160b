/* SPDX-License-Identifier: ISC */
/* Section `certificate "NAME"`: one pair of certificate chain and key. */
#ifndef CONF_CONF_CERTIFICATE_H
#define CONF_CONF_CERTIFICATE_H

#include "sys/conf.h"

struct conf_certificate {
	const char *chain;
	const char *key;
	struct conf_list names;
};

extern const struct conf_section conf_certificate_section;

#endif
