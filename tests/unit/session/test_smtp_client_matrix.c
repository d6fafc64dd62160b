/* SPDX-License-Identifier: ISC */
/*
 * Every way to misbehave at every step of a session, for every kind of server:
 * a robot answers as a good server does until it has given so many replies,
 * then it does something else. Whatever that is, the client must come to an
 * end, say once what became of each recipient, and say "done" only where the
 * server's last word on the message was a yes.
 */
#include <stdio.h>
#include <string.h>

#include "tests/fake/fake_loop.h"
#include "tests/unit/session/smtp_peer.h"
#include "tests/unit/unit.h"

enum kind {
	KIND_PLAIN, /* HELO only */
	KIND_EHLO,
	KIND_PIPELINING,
	KIND_BDAT,
	KIND_LMTP,
	KIND_LMTP_BDAT,
	KINDS
};

static const char *const evils[] = {
	"211 what?\r\n", "250 ok\r\n", "334 Z28=\r\n", "354 go\r\n",
	"421 bye\r\n", "450 later\r\n", "452 4.5.3 many\r\n", "500 what\r\n",
	"552 5.2.2 full\r\n", "554 5.7.1 never\r\n", "199 low\r\n",
	"600 high\r\n", "250\r\n", "250 \r\n", "25", "\r\n", "250ok\r\n",
	"250-a\r\n251 b\r\n", "250-a\r\n250-b\r\n", "\0\0\0", "\n\n\n\n",
	"250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n",
	"354 go\r\n354 go\r\n354 go\r\n", "421 a\r\n421 b\r\n",
	"550 no\r\n550 no\r\n550 no\r\n550 no\r\n550 no\r\n",
	NULL,   /* closes */
	"wait", /* says nothing more */
	"long"	/* a line without an end */
};
enum { EVILS = sizeof evils / sizeof *evils, STEPS = 16, RCPTS = 3 };

struct robot {
	struct smtp_peer p;
	enum kind kind;
	unsigned replies;	/* given so far */
	unsigned at;		/* be evil at this one */
	const char *evil;
	bool is_evil, is_data;	/* done it; in the content */
	unsigned rcpts;		/* accepted */
	bool had_content;	/* all of it */
};

static void
be_evil(struct robot *r)
{
	char line[5000];

	r->is_evil = true;
	if (r->evil == NULL) {
		peer_eof(&r->p);
	} else if (strcmp(r->evil, "wait") == 0) {
		return;
	} else if (strcmp(r->evil, "long") == 0) {
		memset(line, 'x', sizeof line);
		memcpy(line, "250 ", 4);
		peer_say(&r->p, (struct slice){ line, sizeof line });
	} else if (r->evil[0] == 0) {
		peer_say(&r->p, (struct slice){ "\0\0\0", 3 });
	} else {
		peer_say(&r->p, slice_str(r->evil));
	}
}

static void
reply(struct robot *r, const char *text)
{
	if (r->is_evil)
		return;
	if (r->replies++ == r->at)
		be_evil(r);
	else
		peer_say(&r->p, slice_str(text));
}

static bool
is_lmtp(const struct robot *r)
{
	return r->kind == KIND_LMTP || r->kind == KIND_LMTP_BDAT;
}

static void
say_final(struct robot *r)
{
	unsigned i, n = is_lmtp(r) ? r->rcpts : 1;

	r->had_content = true;
	for (i = 0; i < n; i++)
		reply(r, "250 taken\r\n");
	r->rcpts = 0;
}

static const char *
caps(const struct robot *r)
{
	switch (r->kind) {
	case KIND_PLAIN:
		return "502 what\r\n";
	case KIND_EHLO:
		return "250 srv\r\n";
	case KIND_PIPELINING:
	case KIND_LMTP:
		return "250-srv\r\n250 PIPELINING\r\n";
	case KIND_BDAT:
	case KIND_LMTP_BDAT:
		return "250-srv\r\n250-PIPELINING\r\n250 CHUNKING\r\n";
	case KINDS:
		break;
	}
	return "";
}

static void
answer(struct robot *r, struct slice line)
{
	unsigned long long n;

	if (r->is_data) {
		if (slice_eq_str(line, ".")) {
			r->is_data = false;
			say_final(r);
		}
	} else if (slice_has_prefix(line, SLICE("EHLO")) ||
	    slice_has_prefix(line, SLICE("LHLO"))) {
		reply(r, caps(r));
	} else if (slice_has_prefix(line, SLICE("RCPT"))) {
		r->rcpts++;
		reply(r, "250 ok\r\n");
	} else if (slice_has_prefix(line, SLICE("DATA"))) {
		reply(r, "354 go\r\n");
		r->is_data = true;
	} else if (slice_has_prefix(line, SLICE("BDAT"))) {
		ck_assert_int_eq(sscanf(line.p, "BDAT %llu LAST", &n), 1);
		ck_assert_uint_le(n, r->p.heard.n);
		buf_drop(&r->p.heard, n);
		say_final(r);
	} else {
		reply(r, "250 ok\r\n");
	}
}

static void
serve(struct robot *r)
{
	struct slice line;

	while (peer_line(&r->p, &line))
		answer(r, line);
}

static unsigned
results(const struct smtp_peer *p)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < p->mail.n_rcpts; i++) {
		ck_assert_uint_le(p->n_results[i], 1);
		n += p->n_results[i];
	}
	return n;
}

static void
run(enum kind kind, unsigned at, const char *evil, bool frees)
{
	struct robot r = { .kind = kind, .at = at, .evil = evil };
	unsigned over;

	peer_init(&r.p);
	r.p.frees_in_events = frees;
	r.p.conf.is_lmtp = is_lmtp(&r);
	r.p.mail.n_rcpts = RCPTS;
	peer_start(&r.p);
	reply(&r, "220 hi\r\n");
	serve(&r);
	if (r.p.client != NULL && smtp_client_is_ready(r.p.client)) {
		peer_send(&r.p);
		serve(&r);
	}
	/* Whatever is awaited is not awaited for ever. */
	over = r.p.n_over;
	peer_wait(&r.p, 4 * 300000 + 600000);
	if (r.p.n_ended == 0) {
		ck_assert_msg(r.p.n_over == 1 || !r.is_evil ||
			r.p.n_ready == 1,
		    "kind %d, reply %u, %s: no end", kind, at, evil);
		if (r.p.n_over == 1)
			ck_assert_uint_eq(results(&r.p), RCPTS);
	}
	ck_assert_uint_le(over, 1);
	ck_assert_uint_le(r.p.n_ended, 1);
	(void)results(&r.p);
	ck_assert(r.p.n_done == 0 || r.had_content);
	peer_fini(&r.p);
}

START_TEST(matrix)
{
	enum kind kind = (enum kind)(_i / EVILS);
	const char *evil = evils[_i % EVILS];
	unsigned at;

	for (at = 0; at < STEPS; at++) {
		run(kind, at, evil, false);
		run(kind, at, evil, true);
	}
}
END_TEST

UNIT_SUITE(smtp_client_matrix, {
	tcase_add_loop_test(tc, matrix, 0, KINDS * EVILS);
})
