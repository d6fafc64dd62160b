/* SPDX-License-Identifier: ISC */
#include "proto/sasl_client.h"

#include "base/base64.h"
#include "proto/limits.h"
#include "tests/unit/unit.h"

#define C_NONCE "rOprNGfwEbeRWgbNEkqO"
#define S_NONCE C_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define S_FIRST "r=" S_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define PROOF "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SIGNATURE "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
#define ALL 0xfU
#define NO_PLUS (ALL & ~(1U << SASL_SCRAM_SHA_256_PLUS))

static struct sasl_login login;
static struct sasl_client c;
static struct buf out;

static void
begin(enum sasl_mech mech, unsigned offered)
{
	login.name = SLICE("user");
	login.password = SLICE("pencil");
	login.nonce = SLICE(C_NONCE);
	sasl_client_init(&c, mech, offered, &login);
	buf_init(&out, 2 * LIMIT_SASL_MESSAGE);
}

static void
end(void)
{
	sasl_client_fini(&c);
	buf_fini(&out);
}

static enum sasl_client_step
feed(const char *text)
{
	buf_reset(&out);
	return sasl_client_feed(&c, guard_copy(slice_str(text)), &out);
}

static enum sasl_client_step
prove(void)
{
	enum sasl_client_step step;
	struct buf proof, sig;

	buf_init(&proof, SCRAM_HASH + 2);
	buf_init(&sig, SCRAM_HASH + 2);
	ck_assert_int_eq(base64_decode(&proof, SLICE(PROOF)), 0);
	ck_assert_int_eq(base64_decode(&sig, SLICE(SIGNATURE)), 0);
	buf_reset(&out);
	step = sasl_client_proved(&c, buf_slice(&proof), buf_slice(&sig),
	    &out);
	buf_fini(&proof);
	buf_fini(&sig);
	return step;
}

START_TEST(plain)
{
	bool has;

	begin(SASL_PLAIN, ALL);
	ck_assert(!sasl_client_is_done(&c));
	ck_assert_int_eq(sasl_client_start(&c, &out, &has), SASL_SEND);
	ck_assert(has);
	ck_slice_eq(buf_slice(&out), SLICE("\0user\0pencil"));
	ck_assert(sasl_client_is_done(&c));
	ck_assert_int_eq(feed(""), SASL_FAIL);
	end();
	begin(SASL_PLAIN, ALL);
	c.login.name = SLICE("us\0er");
	ck_assert_int_eq(sasl_client_start(&c, &out, &has), SASL_FAIL);
	end();
}
END_TEST

START_TEST(login_mech)
{
	bool has;

	begin(SASL_LOGIN, ALL);
	ck_assert_int_eq(sasl_client_start(&c, &out, &has), SASL_SEND);
	ck_assert(!has);
	ck_assert_int_eq(feed("User Name"), SASL_SEND);
	ck_slice_str(buf_slice(&out), "user");
	ck_assert(!sasl_client_is_done(&c));
	ck_assert_int_eq(feed(""), SASL_SEND);
	ck_slice_str(buf_slice(&out), "pencil");
	ck_assert(sasl_client_is_done(&c));
	ck_assert_int_eq(feed("Again:"), SASL_FAIL);
	ck_assert(!sasl_client_is_done(&c));
	end();
}
END_TEST

START_TEST(scram)
{
	bool has;

	begin(SASL_SCRAM_SHA_256, NO_PLUS);
	ck_assert_int_eq(sasl_client_start(&c, &out, &has), SASL_SEND);
	ck_slice_str(buf_slice(&out), "n,,n=user,r=" C_NONCE);
	ck_assert_int_eq(feed(S_FIRST), SASL_PROVE);
	ck_slice_str(buf_slice(&c.auth_message), "n=user,r=" C_NONCE
	    "," S_FIRST ",c=biws,r=" S_NONCE);
	ck_assert_uint_eq(c.iterations, 4096);
	ck_assert_uint_eq(c.salt.n, 16);
	ck_assert_int_eq(prove(), SASL_SEND);
	ck_slice_str(buf_slice(&out), "c=biws,r=" S_NONCE ",p=" PROOF);
	/* A server that says yes without its signature is an impostor. */
	ck_assert(!sasl_client_is_done(&c));
	ck_assert_int_eq(feed("v=" SIGNATURE), SASL_SEND);
	ck_assert_uint_eq(out.n, 0);
	ck_assert(sasl_client_is_done(&c));
	end();
}
END_TEST

START_TEST(scram_flags)
{
	bool has;

	login.channel.exporter = SLICE("\1\2\3");
	begin(SASL_SCRAM_SHA_256, NO_PLUS);
	ck_assert_int_eq(sasl_client_start(&c, &out, &has), SASL_SEND);
	ck_slice_str(buf_slice(&out), "y,,n=user,r=" C_NONCE);
	end();
	begin(SASL_SCRAM_SHA_256_PLUS, ALL);
	ck_assert_int_eq(sasl_client_start(&c, &out, &has), SASL_SEND);
	ck_slice_str(buf_slice(&out),
	    "p=tls-exporter,,n=user,r=" C_NONCE);
	ck_assert_int_eq(feed(S_FIRST), SASL_PROVE);
	ck_assert_int_eq(prove(), SASL_SEND);
	/* base 64 of "p=tls-exporter,,\1\2\3" */
	ck_slice_str(buf_slice(&out), "c=cD10bHMtZXhwb3J0ZXIsLAECAw==,r="
	    S_NONCE ",p=" PROOF);
	end();
	login.channel.exporter = SLICE_NONE;
	begin(SASL_SCRAM_SHA_256_PLUS, ALL);
	ck_assert_int_eq(sasl_client_start(&c, &out, &has), SASL_FAIL);
	end();
}
END_TEST

static const struct {
	const char *name, *first, *final;
	enum scram_error error;
} hostile[] = {
	{ "other nonce", "r=zzz,s=YQ==,i=4096", NULL, SCRAM_OTHER_ERROR },
	{ "easy", "r=" S_NONCE ",s=YQ==,i=1", NULL, SCRAM_OTHER_ERROR },
	{ "endless", "r=" S_NONCE ",s=YQ==,i=999999999", NULL,
	    SCRAM_OTHER_ERROR },
	{ "bad salt", "r=" S_NONCE ",s=Y,i=4096", NULL,
	    SCRAM_INVALID_ENCODING },
	{ "early end", "v=" SIGNATURE, NULL, SCRAM_INVALID_ENCODING },
	{ "other signature", S_FIRST, "v=" PROOF, SCRAM_INVALID_PROOF },
	{ "short signature", S_FIRST, "v=YQ==", SCRAM_INVALID_PROOF },
	{ "error", S_FIRST, "e=invalid-proof", SCRAM_INVALID_PROOF },
	{ "empty end", S_FIRST, "", SCRAM_INVALID_ENCODING },
};

START_TEST(scram_hostile)
{
	bool has;

	begin(SASL_SCRAM_SHA_256, NO_PLUS);
	ck_assert_int_eq(sasl_client_start(&c, &out, &has), SASL_SEND);
	if (hostile[_i].final != NULL) {
		ck_assert_int_eq(feed(hostile[_i].first), SASL_PROVE);
		ck_assert_int_eq(prove(), SASL_SEND);
		ck_assert_msg(feed(hostile[_i].final) == SASL_FAIL, "%s",
		    hostile[_i].name);
	} else
		ck_assert_msg(feed(hostile[_i].first) == SASL_FAIL, "%s",
		    hostile[_i].name);
	ck_assert_msg(c.error == hostile[_i].error, "%s", hostile[_i].name);
	ck_assert(!sasl_client_is_done(&c));
	end();
}
END_TEST

START_TEST(choice)
{
	struct sasl_channel none = { 0 };
	struct sasl_channel tls = { .exporter = SLICE("x") };
	enum sasl_mech mech;

	ck_assert_int_eq(sasl_client_choose(ALL, true, &tls, &mech), 0);
	ck_assert_int_eq(mech, SASL_SCRAM_SHA_256_PLUS);
	ck_assert_int_eq(sasl_client_choose(ALL, true, &none, &mech), 0);
	ck_assert_int_eq(mech, SASL_SCRAM_SHA_256);
	ck_assert_int_eq(sasl_client_choose(3, true, &none, &mech), 0);
	ck_assert_int_eq(mech, SASL_PLAIN);
	/* Never the password in clear. */
	ck_assert_int_eq(sasl_client_choose(3, false, &none, &mech), -1);
	ck_assert_int_eq(sasl_client_choose(0, true, &tls, &mech), -1);
}
END_TEST

UNIT_SUITE(sasl_client, {
	tcase_add_test(tc, plain);
	tcase_add_test(tc, login_mech);
	tcase_add_test(tc, scram);
	tcase_add_test(tc, scram_flags);
	tcase_add_loop_test(tc, scram_hostile, 0,
	    (int)(sizeof hostile / sizeof *hostile));
	tcase_add_test(tc, choice);
})
