/* SPDX-License-Identifier: ISC */
#include "proto/sasl_server.h"

#include <string.h>

#include "base/base64.h"
#include "proto/limits.h"
#include "tests/unit/unit.h"

/* The exchange of RFC 7677 3, whose nonce has both halves in it. */
#define C_NONCE "rOprNGfwEbeRWgbNEkqO"
#define S_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define C_FIRST "n,,n=user,r=" C_NONCE
#define S_FIRST "r=" C_NONCE S_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define C_BARE "c=biws,r=" C_NONCE S_NONCE
#define PROOF "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SIGNATURE "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static const struct sasl_channel no_channel;
static struct sasl_server s;
static struct buf out;

static void
begin(enum sasl_mech mech, const struct sasl_channel *channel)
{
	sasl_server_init(&s, mech, channel, SLICE(S_NONCE));
	buf_init(&out, 2 * LIMIT_SASL_MESSAGE);
}

static void
end(void)
{
	sasl_server_fini(&s);
	buf_fini(&out);
}

static enum sasl_step
feed(const char *text)
{
	buf_reset(&out);
	return sasl_server_feed(&s, guard_copy(slice_str(text)), &out);
}

static enum sasl_step
give_keys(void)
{
	enum sasl_step step;
	struct buf salt;

	buf_init(&salt, 100);
	ck_assert_int_eq(base64_decode(&salt,
	    SLICE("W22ZaJ0SNY7soEsUEjb6gQ==")), 0);
	buf_reset(&out);
	step = sasl_server_keys(&s, buf_slice(&salt), 4096, &out);
	buf_fini(&salt);
	return step;
}

START_TEST(plain)
{
	struct slice in = SLICE("boss\0tim\0secret");

	begin(SASL_PLAIN, &no_channel);
	ck_assert_int_eq(sasl_server_start(&s, &out), SASL_CHALLENGE);
	ck_assert_uint_eq(out.n, 0);
	ck_assert_int_eq(sasl_server_feed(&s, in, &out), SASL_PASSWORD);
	ck_slice_str(buf_slice(&s.authzid), "boss");
	ck_slice_str(buf_slice(&s.name), "tim");
	ck_slice_str(buf_slice(&s.password), "secret");
	/* Over is over. */
	ck_assert_int_eq(sasl_server_feed(&s, in, &out), SASL_REFUSED);
	end();
}
END_TEST

START_TEST(login)
{
	begin(SASL_LOGIN, &no_channel);
	ck_assert_int_eq(sasl_server_start(&s, &out), SASL_CHALLENGE);
	ck_slice_str(buf_slice(&out), "Username:");
	ck_assert_int_eq(feed("tim"), SASL_CHALLENGE);
	ck_slice_str(buf_slice(&out), "Password:");
	ck_assert_int_eq(feed("secret"), SASL_PASSWORD);
	ck_slice_str(buf_slice(&s.name), "tim");
	ck_slice_str(buf_slice(&s.password), "secret");
	end();
	begin(SASL_LOGIN, &no_channel);
	ck_assert_int_eq(feed(""), SASL_REFUSED);
	ck_assert_int_eq(feed("tim"), SASL_REFUSED);
	end();
	begin(SASL_LOGIN, &no_channel);
	ck_assert_int_eq(feed("tim"), SASL_CHALLENGE);
	ck_assert_int_eq(feed(""), SASL_REFUSED);
	end();
}
END_TEST

START_TEST(scram)
{
	struct buf signature;

	begin(SASL_SCRAM_SHA_256, &no_channel);
	ck_assert_int_eq(sasl_server_start(&s, &out), SASL_CHALLENGE);
	ck_assert_int_eq(feed(C_FIRST), SASL_KEYS);
	ck_slice_str(buf_slice(&s.name), "user");
	ck_assert_int_eq(give_keys(), SASL_CHALLENGE);
	ck_slice_str(buf_slice(&out), S_FIRST);
	ck_assert_int_eq(feed(C_BARE ",p=" PROOF), SASL_PROOF);
	ck_slice_str(buf_slice(&s.auth_message),
	    "n=user,r=" C_NONCE "," S_FIRST "," C_BARE);
	ck_assert_uint_eq(s.proof.n, SCRAM_HASH);
	buf_init(&signature, SCRAM_HASH + 2);
	ck_assert_int_eq(base64_decode(&signature, SLICE(SIGNATURE)), 0);
	buf_reset(&out);
	ck_assert_int_eq(sasl_server_proved(&s, buf_slice(&signature), &out),
	    SASL_CHALLENGE);
	ck_slice_str(buf_slice(&out), "v=" SIGNATURE);
	ck_assert_int_eq(feed(""), SASL_DONE);
	buf_fini(&signature);
	end();
}
END_TEST

START_TEST(scram_bound)
{
	struct sasl_channel ch = { .exporter = SLICE("\1\2\3") };

	begin(SASL_SCRAM_SHA_256_PLUS, &ch);
	ck_assert_int_eq(feed("p=tls-exporter,a=x=2Cy,n=user,r=" C_NONCE),
	    SASL_KEYS);
	ck_slice_str(buf_slice(&s.authzid), "x,y");
	ck_assert_int_eq(give_keys(), SASL_CHALLENGE);
	/* base 64 of "p=tls-exporter,a=x=2Cy,\1\2\3" */
	ck_assert_int_eq(feed("c=cD10bHMtZXhwb3J0ZXIsYT14PTJDeSwBAgM=,r="
	    C_NONCE S_NONCE ",p=" PROOF), SASL_PROOF);
	end();
	begin(SASL_SCRAM_SHA_256_PLUS, &ch);
	ck_assert_int_eq(feed("p=tls-exporter,,n=user,r=" C_NONCE),
	    SASL_KEYS);
	ck_assert_int_eq(give_keys(), SASL_CHALLENGE);
	/* The header alone: a man in the middle has another channel. */
	ck_assert_int_eq(feed("c=cD10bHMtZXhwb3J0ZXIsLA==,r=" C_NONCE S_NONCE
	    ",p=" PROOF), SASL_REFUSED);
	ck_assert_int_eq(s.error, SCRAM_BINDINGS_DONT_MATCH);
	end();
}
END_TEST

static const struct {
	const char *name, *final;
	enum scram_error error;
} finals[] = {
	{ "client nonce alone", "c=biws,r=" C_NONCE ",p=" PROOF,
	    SCRAM_OTHER_ERROR },
	{ "longer nonce", C_BARE "x,p=" PROOF, SCRAM_OTHER_ERROR },
	{ "changed header", "c=eSws,r=" C_NONCE S_NONCE ",p=" PROOF,
	    SCRAM_BINDINGS_DONT_MATCH },
	{ "short proof", C_BARE ",p=YQ==", SCRAM_INVALID_ENCODING },
	{ "long proof", C_BARE ",p=YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWF",
	    SCRAM_INVALID_ENCODING },
	{ "no base 64", C_BARE ",p=!", SCRAM_INVALID_ENCODING },
	{ "extension", C_BARE ",m=1,p=" PROOF,
	    SCRAM_EXTENSIONS_NOT_SUPPORTED },
};

START_TEST(scram_hostile_final)
{
	begin(SASL_SCRAM_SHA_256, &no_channel);
	ck_assert_int_eq(feed(C_FIRST), SASL_KEYS);
	ck_assert_int_eq(give_keys(), SASL_CHALLENGE);
	ck_assert_msg(feed(finals[_i].final) == SASL_REFUSED, "%s",
	    finals[_i].name);
	ck_assert_msg(s.error == finals[_i].error, "%s", finals[_i].name);
	end();
}
END_TEST

START_TEST(scram_out_of_order)
{
	begin(SASL_SCRAM_SHA_256, &no_channel);
	ck_assert_int_eq(give_keys(), SASL_REFUSED);
	end();
	begin(SASL_SCRAM_SHA_256, &no_channel);
	ck_assert_int_eq(feed(C_BARE ",p=" PROOF), SASL_REFUSED);
	end();
	/* Nothing may be said while keys are looked for or a proof checked. */
	begin(SASL_SCRAM_SHA_256, &no_channel);
	ck_assert_int_eq(feed(C_FIRST), SASL_KEYS);
	ck_assert_int_eq(feed(C_BARE ",p=" PROOF), SASL_REFUSED);
	ck_assert_int_eq(give_keys(), SASL_REFUSED);
	end();
	begin(SASL_SCRAM_SHA_256, &no_channel);
	ck_assert_int_eq(feed(C_FIRST), SASL_KEYS);
	ck_assert_int_eq(sasl_server_proved(&s, SLICE("x"), &out),
	    SASL_REFUSED);
	end();
	begin(SASL_SCRAM_SHA_256, &no_channel);
	ck_assert_int_eq(feed("n,,n=u=ser,r=x"), SASL_REFUSED);
	ck_assert_int_eq(s.error, SCRAM_INVALID_USERNAME_ENCODING);
	end();
}
END_TEST

UNIT_SUITE(sasl_server, {
	tcase_add_test(tc, plain);
	tcase_add_test(tc, login);
	tcase_add_test(tc, scram);
	tcase_add_test(tc, scram_bound);
	tcase_add_loop_test(tc, scram_hostile_final, 0,
	    (int)(sizeof finals / sizeof *finals));
	tcase_add_test(tc, scram_out_of_order);
})
