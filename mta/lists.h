/* SPDX-License-Identifier: ISC */
/*
 * Tables of addresses and names that are let in or refused: an address,
 * @domain, @.domain for all below it; for HELO a name, or .domain.
 */
#ifndef MTA_LISTS_H
#define MTA_LISTS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

struct address;
struct conf_smtpd;

/* Takes over the lists of the configuration; 0, or -1 with the reason and
 * nothing changed. */
int lists_configure(const struct conf_smtpd *conf, struct buf *why)
    __attribute__((warn_unused_result));
bool lists_is_blocked_helo(struct slice name);
/* allow_senders wins over block_senders. */
bool lists_is_blocked_sender(const struct address *a);
bool lists_is_blocked_recipient(const struct address *a);

#endif
