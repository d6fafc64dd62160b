/* SPDX-License-Identifier: ISC */
/* Records as people write them. */
#ifndef RESOLVER_SHOW_H
#define RESOLVER_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/*
 * Takes the next record off *left and appends it as text: "10 mx.example". A
 * TXT record stands in quotes, its bytes as they are. False at the end.
 */
bool show_next(struct buf *out, uint16_t type, struct slice *left);

#endif
