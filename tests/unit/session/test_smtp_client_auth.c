/* SPDX-License-Identifier: ISC */
/*
 * Logging in, with a server that computes. Without TLS only SCRAM shows no
 * password, and that is what is tried here; PLAIN and LOGIN are shown to go to
 * nobody (with TLS: tests/system/test_relay_role.py).
 */
#include <string.h>

#include "base/base64.h"
#include "proto/scram.h"
#include "sys/scram_keys.h"
#include "tests/fake/fake_loop.h"
#include "tests/unit/session/smtp_peer.h"
#include "tests/unit/unit.h"

#define HELLO(mechs) "220 hi\r\n250-srv\r\n250 AUTH " mechs "\r\n"

static const struct smtp_client_login login = {
	{ "joe", 3 }, { "secret", 6 }
};

/* Offers and answers that end it, whatever the password. */
static const struct {
	const char *name, *hello, *said, *replies, *event;
} cases[] = {
	{ "nothing is offered", "220 hi\r\n250 srv\r\n", NULL, "",
	    "ended later 0 4.7.4 no way to log in that does not show the "
	    "password to a stranger is offered while saying EHLO" },
	{ "HELO", "220 hi\r\n500 what\r\n250 srv\r\n", NULL, "",
	    "ended later 0 4.7.4 no way to log in that does not show the "
	    "password to a stranger is offered while saying HELO" },
	{ "only in the clear", HELLO("PLAIN LOGIN"), NULL, "",
	    "ended later 0 4.7.4 no way to log in that does not show the "
	    "password to a stranger is offered while saying EHLO" },
	{ "unknown ones", HELLO("GSSAPI XOAUTH2"), NULL, "",
	    "ended later 0 4.7.4 no way to log in that does not show the "
	    "password to a stranger is offered while saying EHLO" },
	{ "refused", HELLO("PLAIN SCRAM-SHA-256"), "AUTH SCRAM-SHA-256 ",
	    "535 5.7.8 wrong\r\n", "ended later 535 4.7.8 wrong" },
	{ "later", HELLO("SCRAM-SHA-256"), "AUTH SCRAM-SHA-256 ",
	    "454 4.7.0 busy\r\n", "ended later 454 4.7.8 busy" },
	{ "a yes without a proof", HELLO("SCRAM-SHA-256"),
	    "AUTH SCRAM-SHA-256 ", "235 welcome\r\n",
	    "ended later 0 4.7.7 the server did not prove that it knows the "
	    "password while logging in" },
	{ "a challenge that is none", HELLO("SCRAM-SHA-256"),
	    "AUTH SCRAM-SHA-256 ", "334 !!!\r\n",
	    "ended later 0 4.7.7 the server failed to authenticate itself "
	    "while logging in" },
	{ "another nonce", HELLO("SCRAM-SHA-256"), "AUTH SCRAM-SHA-256 ",
	    "334 cj1vdGhlcixzPVFTWEN3aWdBQUFBPSxpPTQwOTY=\r\n",
	    "ended later 0 4.7.7 the server failed to authenticate itself "
	    "while logging in" },
	{ "421", HELLO("SCRAM-SHA-256"), "AUTH SCRAM-SHA-256 ",
	    "421 bye\r\n", "ended later 421 4.3.2 bye" },
};

static void
start(struct smtp_peer *p, const char *hello)
{
	peer_init(p);
	p->conf.login = &login;
	peer_start(p);
	peer_say(p, slice_str(hello));
}

START_TEST(ends)
{
	struct slice line = SLICE_NONE, event = SLICE_NONE;
	struct smtp_peer p;

	start(&p, cases[_i].hello);
	while (peer_line(&p, &line) && (slice_has_prefix(line, SLICE("EHLO")) ||
	    slice_has_prefix(line, SLICE("HELO"))))
		;
	if (cases[_i].said != NULL)
		ck_assert_msg(slice_has_prefix(line,
				  slice_str(cases[_i].said)),
		    "%s: said \"%.*s\"", cases[_i].name, SLICE_FMT(line));
	peer_say(&p, slice_str(cases[_i].replies));
	ck_assert_msg(peer_event(&p, &event) &&
		slice_eq_str(event, cases[_i].event),
	    "%s: event \"%.*s\"", cases[_i].name, SLICE_FMT(event));
	peer_fini(&p);
}
END_TEST

static void
send_challenge(struct smtp_peer *p, struct slice text)
{
	struct buf line;

	buf_init(&line, 4096);
	buf_add_str(&line, "334 ");
	base64_encode(&line, text);
	buf_add_str(&line, "\r\n");
	peer_say(p, buf_slice(&line));
	buf_fini(&line);
}

static void
take_response(struct smtp_peer *p, const char *before, struct buf *out)
{
	struct slice line = SLICE_NONE;

	buf_init(out, 4096);
	ck_assert(peer_line(p, &line));
	ck_assert(slice_has_prefix(line, slice_str(before)));
	ck_assert_int_eq(base64_decode(out,
			     slice_from(line, strlen(before))),
	    0);
}

/* RFC 5802 5, the server's side by hand. `honest`: it knows the password. */
static void
scram(struct smtp_peer *p, bool honest)
{
	struct scram_client_first first;
	struct scram_client_final final;
	struct scram_keys keys;
	unsigned char signature[SCRAM_KEY];
	struct buf in, in2, proof, challenge, message;
	enum scram_error error;

	ck_assert_int_eq(scram_keys_make(honest ? SLICE("secret")
						: SLICE("guess"),
			     4096, &keys),
	    0);
	take_response(p, "AUTH SCRAM-SHA-256 ", &in);
	ck_assert_int_eq(scram_client_first_parse(buf_slice(&in), &first,
			     &error),
	    0);
	ck_slice_str(first.name, "joe");
	buf_init(&message, 4096);
	buf_add_slice(&message, first.nonce);
	buf_add_str(&message, "ours");
	buf_init(&challenge, 4096);
	scram_server_first_format(&challenge, buf_slice(&message),
	    (struct slice){ (char *)keys.salt, keys.salt_n }, 4096);
	send_challenge(p, buf_slice(&challenge));
	take_response(p, "", &in2);
	ck_assert_int_eq(scram_client_final_parse(buf_slice(&in2), &final,
			     &error),
	    0);
	buf_reset(&message);
	buf_addf(&message, "%.*s,%.*s,%.*s", SLICE_FMT(first.bare),
	    SLICE_FMT(buf_slice(&challenge)),
	    SLICE_FMT(final.without_proof));
	buf_init(&proof, 64);
	ck_assert_int_eq(scram_hash_decode(final.proof, &proof), 0);
	memset(signature, 7, sizeof signature);
	ck_assert_int_eq(scram_keys_check(&keys, buf_slice(&message),
			     buf_slice(&proof), signature),
	    honest ? 0 : -1);
	buf_reset(&challenge);
	scram_server_final_format(&challenge,
	    (struct slice){ (char *)signature, sizeof signature });
	send_challenge(p, buf_slice(&challenge));
	buf_fini(&in);
	buf_fini(&in2);
	buf_fini(&proof);
	buf_fini(&challenge);
	buf_fini(&message);
}

START_TEST(scram_works)
{
	struct slice line = SLICE_NONE;
	struct smtp_peer p;

	ck_assert_int_eq(scram_keys_init(), 0);
	start(&p, HELLO("SCRAM-SHA-256 PLAIN"));
	ck_assert(peer_line(&p, &line));
	scram(&p, true);
	ck_assert(peer_line(&p, &line));
	ck_slice_str(line, "");
	ck_assert_uint_eq(p.n_ready, 0);
	peer_say(&p, SLICE("235 2.7.0 welcome\r\n"));
	ck_assert_uint_eq(p.n_ready, 1);
	peer_fini(&p);
}
END_TEST

START_TEST(scram_impostor)
{
	struct slice line = SLICE_NONE;
	struct smtp_peer p;

	ck_assert_int_eq(scram_keys_init(), 0);
	start(&p, HELLO("SCRAM-SHA-256 PLAIN"));
	ck_assert(peer_line(&p, &line));
	scram(&p, false);
	ck_assert_uint_eq(p.n_ended, 1);
	ck_assert_int_eq(p.end.status.outcome, OUTCOME_LATER);
	peer_fini(&p);
}
END_TEST

UNIT_SUITE(smtp_client_auth, {
	tcase_add_loop_test(tc, ends, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, scram_works);
	tcase_add_test(tc, scram_impostor);
})
