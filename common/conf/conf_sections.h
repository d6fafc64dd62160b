/* SPDX-License-Identifier: ISC */
/* All sections, for master, the manual page and the sample configuration. */
#ifndef CONF_CONF_SECTIONS_H
#define CONF_CONF_SECTIONS_H

#include "sys/conf.h"

extern const struct conf_section *const conf_sections[];
extern const size_t conf_n_sections;

/* The section of that name, or NULL. */
const struct conf_section *conf_section_find(struct slice name);

#endif
