/* SPDX-License-Identifier: ISC */
/* The queue's folder at start: its lock, its subfolders, what a former owner
 * left half done. Blocking; before the jail. */
#ifndef QUEUE_LAYOUT_H
#define QUEUE_LAYOUT_H

#include "base/buf.h"

/* The descriptor that holds the lock, or -1 with a sentence in `why`. */
int layout_lock(int dir, struct buf *why);
/* Makes the folders that are missing (durably), empties tmp/, and gives
 * everything made to the owner of the folder when root does this. 0; -1 with
 * a sentence in `why`. */
int layout_prepare(int dir, struct buf *why)
    __attribute__((warn_unused_result));
/* Hands a file made by root to the owner of the folder. */
void layout_give(int dir, const char *path);

#endif
