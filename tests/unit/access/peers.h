/* SPDX-License-Identifier: ISC */
/*
 * Those whom `access` asks, played by the test: state, auth, broker and an
 * owner. What they are told is kept as text until the story expects it.
 */
#ifndef TESTS_ACCESS_PEERS_H
#define TESTS_ACCESS_PEERS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

struct loop;

/* A link to each of them. */
void peers_start(struct loop *l);
void peers_stop(void);
/* state, auth, broker: the process dies; or it comes (back). */
void peers_lose(struct slice name);
void peers_bring(struct slice name);

/* What was said to state, auth, broker, owner since the last call, one line
 * each, "" when nothing; valid until the next. */
const char *peers_told(struct slice name);
/* Answers the last question of auth or the broker, or speaks as the owner. The
 * words are described in world.h. */
void peers_say(struct slice name, struct slice words);

/* Bytes of the session's stream that have come to the owner. */
struct buf *peers_stream(void);
/* Its socket. */
int peers_socket(void);
/* The owner writes, reads what it can, closes. */
void peers_write(struct slice bytes);
void peers_read(void);
/* Until it is set to false the owner reads nothing. */
void peers_set_reading(bool is_reading);

#endif
