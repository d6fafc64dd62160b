/* SPDX-License-Identifier: ISC */
/*
 * Several clients change one mailbox at random, each believing what it is told.
 * In the end each must believe what is so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/mda/dialogue.h"
#include "tests/unit/unit.h"

enum { CLIENTS = 3, MESSAGES_MAX = 4096, STEPS = 300 };

static struct world w;
static struct dialogue d;
static uint32_t seed;

static const char *const flag_names[] = {
	"\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft", "$a", "$b",
};
enum { FLAGS = sizeof flag_names / sizeof *flag_names };

/* What a client believes of a message. */
struct belief {
	bool is_known; /* its flags have been told */
	unsigned flags;
};

static struct believer {
	struct client *c;
	struct belief v[MESSAGES_MAX];
	unsigned n, tag;
} believers[CLIENTS];

static unsigned
draw(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void
setup(void)
{
	world_make(&w);
	ck_assert_int_eq(world_open(&w), 0);
	dialogue_begin(&d, &w);
}

static void
teardown(void)
{
	dialogue_fini(&d);
	world_drop(&w);
}

static unsigned
flags_of(const char *line)
{
	const char *p = strstr(line, "FLAGS ("), *end;
	unsigned flags = 0;
	size_t i, n;

	ck_assert_ptr_nonnull(p);
	p += 7;
	end = strchr(p, ')');
	ck_assert_ptr_nonnull(end);
	while (p < end) {
		n = strcspn(p, " )");
		for (i = 0; i < FLAGS; i++)
			if (strlen(flag_names[i]) == n &&
			    strncmp(p, flag_names[i], n) == 0)
				flags |= 1U << i;
		p += n + 1;
	}
	return flags;
}

static void
believe(struct believer *b, const char *line)
{
	char word[32] = "";
	unsigned n = 0;

	if (sscanf(line, "* %u %31s", &n, word) != 2)
		return;
	if (strcmp(word, "EXISTS") == 0) {
		ck_assert_uint_ge(n, b->n);
		ck_assert_uint_lt(n, MESSAGES_MAX);
		memset(b->v + b->n, 0, (n - b->n) * sizeof *b->v);
		b->n = n;
	} else if (strcmp(word, "EXPUNGE") == 0) {
		ck_assert(n >= 1 && n <= b->n);
		memmove(b->v + n - 1, b->v + n, (b->n - n) * sizeof *b->v);
		b->n--;
	} else if (strcmp(word, "FETCH") == 0) {
		ck_assert(n >= 1 && n <= b->n);
		b->v[n - 1] = (struct belief){ true, flags_of(line) };
	}
}

static void
begin(struct believer *b, const char *text)
{
	char out[256];

	(void)snprintf(out, sizeof out, "x%u %s\r\n", b->tag, text);
	dialogue_send(&d, b->c, slice_str(out));
}

/* Reads its answer; sequence numbers must hold while it runs. */
static void
end(struct believer *b, bool may_expunge)
{
	unsigned before = b->n;
	const char *line;
	char tag[16];

	(void)snprintf(tag, sizeof tag, "x%u ", b->tag++);
	for (;;) {
		line = dialogue_line(&d, b->c);
		ck_assert_ptr_nonnull(line);
		if (strncmp(line, tag, strlen(tag)) == 0)
			break;
		believe(b, line);
		ck_assert_msg(may_expunge || b->n >= before,
		    "EXPUNGE where it must not be");
	}
	ck_assert_msg(strstr(line, " OK ") != NULL, "%s", line);
}

static void
command(struct believer *b, const char *text, bool may_expunge)
{
	begin(b, text);
	end(b, may_expunge);
}

static void
store_begin(struct believer *b)
{
	unsigned first = 1 + draw(b->n), last = first + draw(b->n - first + 1),
	    flag = draw(FLAGS), i;
	bool silent = draw(2) != 0, add = draw(3) != 0;
	char text[128];

	/* A client that is silent believes itself, of what it knows. */
	for (i = first; silent && i <= last; i++) {
		if (add)
			b->v[i - 1].flags |= 1U << flag;
		else
			b->v[i - 1].flags &= ~(1U << flag);
	}
	(void)snprintf(text, sizeof text, "STORE %u:%u %sFLAGS%s (%s)", first,
	    last, add ? "+" : "-", silent ? ".SILENT" : "",
	    flag_names[flag]);
	begin(b, text);
}

static void
store(struct believer *b)
{
	store_begin(b);
	end(b, false);
}

/* All at the same time. */
static void
store_all(void)
{
	unsigned i;

	for (i = 0; i < CLIENTS; i++)
		if (believers[i].n > 0)
			store_begin(&believers[i]);
	for (i = 0; i < CLIENTS; i++)
		if (believers[i].n > 0)
			end(&believers[i], false);
}

static void
step(struct believer *b)
{
	char text[128];
	unsigned what = draw(20);

	if (b->n == 0 || what == 0)
		(void)world_add(&w, "INBOX", draw(100));
	else if (what < 7)
		store(b);
	else if (what < 10)
		store_all();
	else if (what == 10)
		command(b, "EXPUNGE", true);
	else if (what < 13)
		command(b, "NOOP", true);
	else if (what == 13) {
		(void)snprintf(text, sizeof text, "COPY %u INBOX",
		    1 + draw(b->n));
		command(b, text, false);
	} else if (what == 14) {
		(void)snprintf(text, sizeof text, "MOVE %u INBOX",
		    1 + draw(b->n));
		command(b, text, true);
	} else if (what < 17) {
		(void)snprintf(text, sizeof text, "FETCH %u FLAGS",
		    1 + draw(b->n));
		command(b, text, false);
	} else {
		command(b, "SEARCH UNSEEN", false);
	}
}

static void
check(struct believer *b, unsigned i)
{
	static struct believer truth;
	unsigned k;

	command(b, "NOOP", true);
	memcpy(truth.v, b->v, sizeof truth.v);
	truth.n = b->n;
	command(b, "FETCH 1:* FLAGS", false);
	ck_assert_uint_eq(truth.n, b->n);
	for (k = 0; k < b->n; k++)
		ck_assert_msg(!truth.v[k].is_known ||
		    truth.v[k].flags == b->v[k].flags,
		    "client %u believes %x of %u, it is %x",
		    i, truth.v[k].flags, k + 1, b->v[k].flags);
}

START_TEST(believe_all)
{
	unsigned i;

	seed = (uint32_t)_i * 7919 + 17;
	memset(believers, 0, sizeof believers);
	for (i = 0; i < 6; i++)
		(void)world_add(&w, "INBOX", i);
	for (i = 0; i < CLIENTS; i++) {
		believers[i].c = dialogue_client(&d, i, false, "t");
		(void)dialogue_line(&d, believers[i].c);
		command(&believers[i], "SELECT INBOX", true);
		command(&believers[i], "FETCH 1:* FLAGS", true);
	}
	for (i = 0; i < STEPS; i++)
		step(&believers[draw(CLIENTS)]);
	for (i = 0; i < CLIENTS; i++)
		check(&believers[i], i);
	for (i = 1; i < CLIENTS; i++)
		ck_assert_uint_eq(believers[i].n, believers[0].n);
}
END_TEST

UNIT_SUITE(imap_sync, {
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, believe_all, 0, 8);
})
