/* SPDX-License-Identifier: ISC */
/*
 * What bench_mail and its two languages, IMAP and POP3, know of each other: a
 * session goes through a script of commands, each timed. The language writes
 * commands and reads answers; bench_mail.c decides what comes next.
 */
#ifndef BENCH_MAIL_H
#define BENCH_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "bench/load/imap.h"
#include "bench/load/load.h"
#include "bench/load/message.h"

/* A command of the script, or one that every session has. */
struct step {
	const char *text;
	bool is_append; /* IMAP: a message follows */
	bool is_long;   /* POP3: the answer ends with a dot */
	bool is_each;   /* POP3: once for each message announced */
	bool announces; /* POP3: says how many messages there are */
	struct load_times times;
};

enum mail_stage {
	MAIL_GREETING,
	MAIL_STARTTLS,
	MAIL_SECURING, /* the handshake after STARTTLS */
	MAIL_LOGIN,
	MAIL_SCRIPT,
	MAIL_LOGOUT
};

struct mail_session {
	struct conn *c;
	uint64_t number; /* of the connection, in all */
	enum mail_stage stage;
	int64_t sent_us;
	uint64_t at, round; /* in the script */
	bool is_secure, is_refused, is_sending;
	size_t left; /* of a message on its way out */
	/* IMAP */
	struct imap_reader reader;
	uint64_t tag;
	bool has_caps, is_asking, takes_literals;
	/* POP3 */
	uint64_t announced, message, lines;
	bool is_body, has_user;
};

struct mail_language {
	const char *logout; /* the name of the last command */
	/* Completes a step of the script. */
	void (*parse)(struct step *step);
	void (*starttls)(struct mail_session *s);
	void (*login)(struct mail_session *s);
	/* False when it is nothing to do here: as if answered. */
	bool (*command)(struct mail_session *s, const struct step *step);
	void (*quit)(struct mail_session *s);
	/* Takes input. */
	void (*read)(struct mail_session *s);
	/* Sends more of a message. */
	void (*drained)(struct mail_session *s);
};

extern const struct mail_language mail_imap, mail_pop3;

struct mail {
	struct load load;
	const struct mail_language *language;
	struct message message;
	struct buf out; /* commands are put together here */
	uint64_t bytes; /* read */
	uint64_t appended;
};

extern struct mail mail;

/* Sends what is in mail.out, and starts the clock of the command. */
void mail_send(struct mail_session *s);
/* The command under way was answered well: the next one is sent. Like the two
 * below it may free the connection, or begin TLS: see mail_is_over. */
void mail_answered(struct mail_session *s);
void mail_refused(struct mail_session *s, struct slice why);
void mail_broken(struct mail_session *s, const char *why);
/* Is there no more input of `c` to be taken by the session? */
bool mail_is_over(const struct mail_session *s, const struct conn *c);
/* The user's name into mail.out. */
void mail_user(const struct mail_session *s, struct buf *b);
/* The command that the answer belongs to. */
struct step *mail_step(const struct mail_session *s);

#endif
