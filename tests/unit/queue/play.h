/* SPDX-License-Identifier: ISC */
/*
 * The role `queue` as a whole, with scripted time, its disk's work done in the
 * loop's own turn, and everybody it speaks to played by the test.
 *
 * A life is a process that ends as a kill would end it: what was not flushed
 * until then is lost, the folder stays for the next life.
 */
#ifndef TESTS_UNIT_QUEUE_PLAY_H
#define TESTS_UNIT_QUEUE_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "sys/role.h"

struct conf_queue;

enum { PLAY_RCPTS = 8, SECOND = 1000, MINUTE = 60 * SECOND,
	HOUR = 60 * MINUTE, DAY = 24 * HOUR };

struct play_letter {
	const char *sender, *envid;
	uint8_t ret;
	const char *body; /* NULL: a short one */
	struct {
		const char *address, *orcpt;
		uint8_t notify;
	} to[PLAY_RCPTS];
};

/* A folder for a suite's tests, one after the other: its many subfolders are
 * made once. */
void play_make_folder(void);
void play_remove_folder(void);
/* No files, time begins; the settings are the defaults. */
void play_begin(void);
/* Taken over by the next play_start or play_reload. */
struct conf_queue *play_conf(void);
void play_reload(void);
/* The role starts, once a process, reads its folder, meets everybody. */
void play_start(void);
/* Forks a life: play_start(), `story`, death. It must not fail. */
void play_life(void (*story)(void));
/* Master says stop; true when the role has ended. */
bool play_stop(uint32_t grace_ms);
bool play_has_stopped(void);
/* Numbers that outlive a life. */
uint64_t *play_notes(void);

/* Runs until nothing happens without time passing; lets time pass. */
void play_settle(void);
void play_pass(int64_t ms);
/* Is this in the log? How often? */
bool play_logged(const char *text);
unsigned play_count_logged(const char *text);

/*
 * smtpd gives a letter. The answer is "250 2.0.0 ID", or another, or "no: "
 * and what the opening was refused with; "" when there is none yet. Valid until
 * the next.
 */
const char *play_offer(const struct play_letter *l);
/* The answer to the last offer when it came later. */
const char *play_answer(void);
/* The same for one that must be taken: its id. */
uint64_t play_send(const struct play_letter *l);
/* From `sender` to one recipient, with defaults. */
uint64_t play_send_one(const char *sender, const char *rcpt);

/*
 * What directory and broker know, a line each ("*" in the place of a local
 * part: all of that domain; the first line that fits counts):
 *
 *	ADDRESS account N | relay HOST | remote HOST | alias ADDRESS...
 *	ADDRESS unknown | disabled | invalid | later | loop | silence
 *	ADDRESS muddle ...                      with a part of something else
 *	owner:N OUTCOME TEXT | silence    (no such line: it can be opened)
 */
void play_town(const char *lines);
/*
 * What becomes of recipients, a line each, "250 2.0.0 taken" where there is
 * none:
 *
 *	ADDRESS CODE E.E.E TEXT
 *	ADDRESS dsn CODE E.E.E TEXT    the next hop takes the DSN wish over
 *	ADDRESS down CODE E.E.E TEXT   the next hop is not to be reached
 *	ADDRESS nothing                no result for it
 *	ADDRESS silence                the delivery stays open
 *	ADDRESS dies | crashes         the process that has it
 */
void play_fates(const char *lines);
/* Deliveries since the last call, "HOST <SENDER> RCPT RCPT\n" each, owners as
 * "owner:N"; valid until the next call. */
const char *play_tried(void);
/* What the last delivery was made of: "id group attempt envid ret", then for
 * each recipient "address notify orcpt". */
const char *play_details(void);
/* The last body that was delivered; the last with the null sender. */
const char *play_body(void);
const char *play_notice(void);
/* Deliveries that stay open, and the end of the oldest of them. */
size_t play_open(void);
void play_end_one(const char *words);
/* "id group" of all that owners were told they may forget, added up. */
size_t play_released(void);

/* Its process dies, or comes (back). Relays have an instance. */
void play_lose(enum role_id role);
void play_bring(enum role_id role);
/* Master says that the relay ended. */
void play_relay_ended(bool crashed);
/* From now on he says so before the link is seen to be closed. */
void play_news_first(void);

/* An administrator's verb with a pair of arguments, or NULL for none. The
 * rows, a line each of "key=value " pairs; then "= EXIT TEXT". */
const char *play_admin(const char *verb, const char *key, const char *value);
const char *play_admin_id(const char *verb, uint64_t id);

#define play_expect(got, want) ck_assert_str_eq((got), (want))
/* A part of a longer text. */
#define play_has(got, want) \
	ck_assert_msg(strstr((got), (want)) != NULL, "no \"%s\" in:\n%s", \
	    (want), (got))
#define play_lacks(got, want) \
	ck_assert_msg(strstr((got), (want)) == NULL, "\"%s\" in:\n%s", \
	    (want), (got))

/* A suite whose tests begin with an empty queue each. */
#define PLAY_SUITE(name, add_tests) \
	Suite *suite_##name(void); \
	Suite *suite_##name(void) \
	{ \
		Suite *suite_ = suite_create(#name); \
		TCase *tc = tcase_create("all"); \
		tcase_set_timeout(tc, 30); \
		tcase_add_unchecked_fixture(tc, play_make_folder, \
		    play_remove_folder); \
		tcase_add_checked_fixture(tc, play_begin, NULL); \
		add_tests(tc); \
		suite_add_tcase(suite_, tc); \
		return suite_; \
	}

#endif
