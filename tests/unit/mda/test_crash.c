/* SPDX-License-Identifier: ISC */
/*
 * kill -9 at random moments of random work, again and again on one account:
 * what was answered is there, what was expunged stays away, no UID names two
 * messages, no delivery is there twice, and everything counted is exact.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mda/mailbox.h"
#include "tests/unit/mda/world.h"
#include "tests/unit/unit.h"

enum { ROUNDS = 50, BOXES = 2, TOKENS = 40000 };

static const char *const boxes[BOXES] = { "INBOX", "Archive" };

/* What the parent knows of a message, by the number in its subject. */
struct known {
	bool asked, there, gone; /* answered; expunged, or perhaps */
	bool maybe;              /* being moved when the child died */
	bool delivery;
	unsigned box;
	uint32_t uid, flags;
	bool flags_known;
};

static struct known tokens[TOKENS];
static uint32_t next_token;
static uint64_t modseqs[BOXES];
static uint32_t uidnexts[BOXES];
static struct world w;

/* ---- the child ---- */

static int report;

static void
tell(char what, uint32_t token, unsigned box, uint32_t uid, uint32_t flags)
{
	uint32_t line[5] = { (uint32_t)what, token, box, uid, flags };

	if (write(report, line, sizeof line) != sizeof line)
		_exit(1);
}

static void
text_of(char *to, size_t size, uint32_t token)
{
	(void)snprintf(to, size, "Subject: %u\r\n\r\n%.*s\r\n", token,
	    (int)(token % 60),
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

static uint32_t
token_of(struct mailbox *m, uint32_t uid)
{
	const char *text = world_read(&w, m, uid, 0, 200);
	unsigned token;

	ck_assert_msg(text != NULL, "no body of %u", uid);
	ck_assert_int_eq(sscanf(text, "Subject: %u", &token), 1);
	return token;
}

static void
child_add(unsigned box, uint32_t token, bool delivery)
{
	struct append what = { .sync = !delivery,
		.delivery_id = delivery ? token : 0 };
	struct world_added got;
	char text[256];

	text_of(text, sizeof text, token);
	tell('a', token, box, delivery, 0);
	got = world_append(&w, boxes[box], &what, text);
	if (got.r == MBOX_OK)
		tell('A', token, box, got.uid, 0);
}

static void
child_change(struct mailbox *m, unsigned box, unsigned r)
{
	const struct mbox_info *i = mailbox_info(m);
	uint32_t uid = r / 8 % i->uidnext + 1, token, flags, dst;
	size_t n;

	if (mailbox_message(m, uid) == NULL)
		return;
	token = token_of(m, uid);
	switch (r % 4) {
	case 0:
		flags = r / 64 % 32;
		tell('f', token, box, uid, flags);
		if (world_flag(&w, m, uid, FLAGS_REPLACE, flags) == MBOX_OK)
			tell('F', token, box, uid, flags);
		break;
	case 1:
		tell('x', token, box, uid, 0);
		if (world_expunge(&w, m, &uid, 1, true) == MBOX_OK)
			tell('X', token, box, uid, 0);
		break;
	case 2:
		tell('m', token, box, uid, 0);
		if (world_copy(&w, m, &uid, 1, boxes[1 - box], true, &dst,
			&n) == MBOX_OK && n == 1)
			tell('M', token, 1 - box, dst, 0);
		break;
	}
}

static void
child(unsigned seed)
{
	struct mailbox *m[BOXES] = { NULL, NULL };
	uint32_t token = next_token;
	unsigned r, box;

	world_child(&w, report);
	srandom(seed);
	if (world_open(&w) < 0)
		_exit(1);
	for (;;) {
		r = (unsigned)random();
		box = r % 2;
		r /= 2;
		switch (r % 8) {
		case 0:
		case 1:
			child_add(box, token++, false);
			break;
		case 2:
		case 3:
			child_add(box, token++, true);
			break;
		case 4:
			if (m[box] == NULL)
				m[box] = world_mailbox(&w, boxes[box]);
			else
				mailbox_close(&m[box]);
			break;
		default:
			if (m[box] != NULL)
				child_change(m[box], box, r / 8);
		}
	}
}

/* ---- the parent ---- */

static void
hear(const uint32_t line[5])
{
	struct known *k = &tokens[line[1]];

	ck_assert_uint_lt(line[1], TOKENS);
	if (line[1] >= next_token)
		next_token = line[1] + 1;
	switch (line[0]) {
	case 'a':
		*k = (struct known){ .asked = true, .box = line[2],
			.delivery = line[3] != 0, .flags_known = true };
		break;
	case 'A':
		k->there = true;
		k->uid = line[3];
		break;
	case 'f':
		k->flags_known = false;
		break;
	case 'F':
		k->flags = line[4];
		k->flags_known = true;
		break;
	case 'x':
		k->maybe = true;
		break;
	case 'X':
		k->maybe = k->there = false;
		k->gone = true;
		break;
	case 'm':
		k->maybe = true;
		break;
	case 'M':
		k->maybe = false;
		k->box = line[2];
		k->uid = line[3];
		break;
	}
}

static void
run_child(unsigned seed)
{
	uint32_t line[5];
	int fds[2], status;
	unsigned n = 0, last;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)close(fds[0]);
		report = fds[1];
		child(seed);
		_exit(1);
	}
	(void)close(fds[1]);
	last = seed * 7919 % 60;
	while (read(fds[0], line, sizeof line) == sizeof line) {
		hear(line);
		if (++n == last + 2) {
			(void)usleep(seed * 104729 % 3000);
			ck_assert_int_eq(kill(pid, SIGKILL), 0);
		}
	}
	(void)close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The queue sends again what it was not told of, and also what it was. */
static void
redeliver(void)
{
	struct append what = { .sync = false };
	char text[256];
	uint32_t t;

	for (t = 1; t < next_token; t++) {
		if (!tokens[t].delivery)
			continue;
		text_of(text, sizeof text, t);
		what.delivery_id = t;
		ck_assert_int_eq(world_append(&w, boxes[tokens[t].box], &what,
			text).r, MBOX_OK);
		if (!tokens[t].there && !tokens[t].gone)
			tokens[t].there = true;
	}
}

static void
check_message(struct mailbox *m, unsigned box, const struct message *msg,
    unsigned char *seen)
{
	uint32_t token = token_of(m, msg->uid);
	struct known *k = &tokens[token];
	char text[256];

	text_of(text, sizeof text, token);
	ck_assert_str_eq(world_read(&w, m, msg->uid, 0, 1000), text);
	ck_assert_uint_eq(msg->size, strlen(text));
	ck_assert_msg(k->asked, "token %u came from nowhere", token);
	ck_assert_msg(!k->gone, "token %u came back", token);
	ck_assert_msg(seen[token] == 0, "token %u is there twice", token);
	seen[token]++;
	if (k->maybe || !k->there || k->uid == 0) {
		/* Not answered: now it is known where it is. */
		k->box = box;
		k->uid = msg->uid;
		k->maybe = false;
		k->there = true;
	}
	ck_assert_uint_eq(k->box, box);
	ck_assert_msg(k->uid == msg->uid, "token %u was %u, is %u", token,
	    k->uid, msg->uid);
	if (k->flags_known)
		ck_assert_uint_eq(msg->flags, k->flags);
	k->flags = msg->flags;
	k->flags_known = true;
}

static void
check(bool redelivered)
{
	unsigned char *seen = calloc(1, TOKENS);
	uint64_t bytes = 0, messages = 0, have_bytes, have_messages;
	const struct mbox_info *i;
	struct mailbox *m;
	const struct message *msg;
	unsigned box;
	uint32_t uid, t, n;
	uint64_t size;

	for (box = 0; box < BOXES; box++) {
		m = world_mailbox(&w, boxes[box]);
		ck_assert_ptr_nonnull(m);
		i = mailbox_info(m);
		ck_assert_uint_ge(i->uidnext, uidnexts[box]);
		ck_assert_uint_ge(i->highest_modseq, modseqs[box]);
		uidnexts[box] = i->uidnext;
		modseqs[box] = i->highest_modseq;
		for (uid = 1, n = 0, size = 0; uid < i->uidnext; uid++) {
			msg = mailbox_message(m, uid);
			if (msg == NULL)
				continue;
			check_message(m, box, msg, seen);
			n++;
			size += msg->size;
		}
		i = mailbox_info(m);
		ck_assert_uint_eq(n, i->messages);
		ck_assert_uint_eq(size, i->size);
		bytes += size;
		messages += n;
		mailbox_close(&m);
	}
	for (t = 1; t < next_token; t++) {
		if (tokens[t].maybe && !seen[t]) {
			tokens[t].maybe = tokens[t].there = false;
			tokens[t].gone = true;
		}
		if (tokens[t].there && (redelivered || !tokens[t].delivery ||
			tokens[t].uid != 0))
			ck_assert_msg(seen[t] == 1, "token %u is lost", t);
		if (!tokens[t].there && !tokens[t].delivery && !seen[t])
			tokens[t].gone = true; /* it may not come later */
	}
	account_usage(w.a, &have_bytes, &have_messages);
	ck_assert_uint_eq(have_bytes, bytes);
	ck_assert_uint_eq(have_messages, messages);
	world_settle(&w);
	ck_assert_uint_eq((unsigned)(world_count(&w, "new") +
		world_count(&w, "cur") + world_count(&w, ".Archive/new") +
		world_count(&w, ".Archive/cur")), messages);
	free(seen);
}

START_TEST(kill_9)
{
	unsigned round;

	next_token = 1;
	world_make(&w);
	ck_assert_int_eq(world_open(&w), 0);
	world_close(&w);
	for (round = 1; round <= ROUNDS; round++) {
		run_child(round);
		ck_assert_int_eq(world_open(&w), 0);
		check(false);
		if (round % 3 == 0) {
			redeliver();
			check(true);
			world_reopen(&w);
			check(true);
		}
		world_close(&w);
	}
	world_drop(&w);
}
END_TEST

UNIT_SUITE(crash, {
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, kill_9);
})
