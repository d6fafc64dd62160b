/* SPDX-License-Identifier: ISC */
#include "sys/scram_keys.h"

#include <string.h>

#include "base/base64.h"
#include "tests/unit/unit.h"

/* RFC 7677 3: user "user", password "pencil". */
#define AUTH_MESSAGE "n=user,r=rOprNGfwEbeRWgbNEkqO," \
	"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," \
	"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," \
	"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define PROOF "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SIGNATURE "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
#define STORED "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" \
	"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" \
	"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static void
decode(const char *text, unsigned char out[SCRAM_KEY])
{
	struct buf b;

	buf_init(&b, 100);
	ck_assert_int_eq(base64_decode(&b, slice_str(text)), 0);
	ck_assert_uint_eq(b.n, SCRAM_KEY);
	memcpy(out, b.p, SCRAM_KEY);
	buf_fini(&b);
}

static struct slice
view(const unsigned char *p)
{
	return (struct slice){ (const char *)p, SCRAM_KEY };
}

START_TEST(server)
{
	unsigned char proof[SCRAM_KEY], want[SCRAM_KEY], got[SCRAM_KEY];
	struct scram_keys k;
	size_t i;

	ck_assert_int_eq(scram_keys_init(), 0);
	decode(PROOF, proof);
	decode(SIGNATURE, want);
	ck_assert_int_eq(scram_keys_parse(SLICE(STORED), &k), 0);
	ck_assert_uint_eq(k.iterations, 4096);
	ck_assert_int_eq(scram_keys_check(&k, SLICE(AUTH_MESSAGE),
	    view(proof), got), 0);
	ck_assert_mem_eq(got, want, SCRAM_KEY);
	for (i = 0; i < SCRAM_KEY; i++) {
		proof[i] ^= 0x10;
		ck_assert_int_eq(scram_keys_check(&k, SLICE(AUTH_MESSAGE),
		    view(proof), got), -1);
		proof[i] ^= 0x10;
	}
	ck_assert_int_eq(scram_keys_check(&k, SLICE(AUTH_MESSAGE "x"),
	    view(proof), got), -1);
	ck_assert_int_eq(scram_keys_check(&k, SLICE(AUTH_MESSAGE),
	    slice_head(view(proof), 31), got), -1);
}
END_TEST

START_TEST(client)
{
	unsigned char proof[SCRAM_KEY], want[SCRAM_KEY];
	unsigned char got[SCRAM_KEY], signature[SCRAM_KEY];
	struct scram_challenge ch = { .iterations = 4096,
		.auth_message = SLICE(AUTH_MESSAGE) };
	struct buf salt;

	buf_init(&salt, 100);
	ck_assert_int_eq(base64_decode(&salt,
	    SLICE("W22ZaJ0SNY7soEsUEjb6gQ==")), 0);
	ch.salt = buf_slice(&salt);
	ck_assert_int_eq(scram_client_prove(SLICE("pencil"), &ch, got,
	    signature), 0);
	decode(PROOF, proof);
	decode(SIGNATURE, want);
	ck_assert_mem_eq(got, proof, SCRAM_KEY);
	ck_assert_mem_eq(signature, want, SCRAM_KEY);
	buf_fini(&salt);
}
END_TEST

START_TEST(forms)
{
	struct scram_keys k, again;
	struct buf out;

	ck_assert_int_eq(scram_keys_parse(guard_copy(SLICE(STORED)), &k), 0);
	ck_assert(scram_keys_is_password(&k, SLICE("pencil")));
	ck_assert(!scram_keys_is_password(&k, SLICE("pencils")));
	buf_init(&out, 300);
	scram_keys_format(&out, &k);
	ck_slice_str(buf_slice(&out), STORED);
	buf_reset(&out);
	ck_assert_int_eq(scram_keys_make(SLICE("pencil"), 5000, &k), 0);
	scram_keys_format(&out, &k);
	ck_assert_int_eq(scram_keys_parse(buf_slice(&out), &again), 0);
	ck_assert_int_eq(memcmp(&k, &again, sizeof k), 0);
	ck_assert(scram_keys_is_password(&again, SLICE("pencil")));
	buf_fini(&out);
	ck_assert_int_eq(scram_keys_parse(SLICE("{SCRAM-SHA-256}4096,"
	    "W22ZaJ0SNY7soEsUEjb6gQ==,"
	    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
	    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="), &k), 0);
	ck_assert(scram_keys_is_password(&k, SLICE("pencil")));
}
END_TEST

#define KEY "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="

static const char *const malformed[] = {
	"", "SCRAM-SHA-256$", "SCRAM-SHA-1$4096:YQ==$" KEY ":" KEY,
	"SCRAM-SHA-256$4096:YQ==$" KEY, "SCRAM-SHA-256$4096:YQ==$" KEY ":",
	"SCRAM-SHA-256$0:YQ==$" KEY ":" KEY,
	"SCRAM-SHA-256$1000001:YQ==$" KEY ":" KEY,
	"SCRAM-SHA-256$-1:YQ==$" KEY ":" KEY,
	"SCRAM-SHA-256$4096:$" KEY ":" KEY,
	"SCRAM-SHA-256$4096:Y$" KEY ":" KEY,
	"SCRAM-SHA-256$4096:YQ==$YQ==:" KEY,
	"SCRAM-SHA-256$4096:YQ==$" KEY ":YQ==",
	"SCRAM-SHA-256$4096:YQ==$" KEY ":" KEY "x",
	"{SCRAM-SHA-256}4096:YQ==$" KEY ":" KEY,
	"SCRAM-SHA-256$4096:" KEY KEY KEY "$" KEY ":" KEY,
};

START_TEST(malformed_forms)
{
	struct slice in = guard_copy(slice_str(malformed[_i]));
	struct scram_keys k;
	size_t n;

	ck_assert_msg(scram_keys_parse(in, &k) == -1, "%s", malformed[_i]);
	for (n = 0; n < sizeof STORED - 1; n++)
		ck_assert_int_eq(scram_keys_parse(guard_copy(slice_head(
		    SLICE(STORED), n)), &k), -1);
}
END_TEST

START_TEST(fake)
{
	unsigned char got[SCRAM_KEY], zero[SCRAM_KEY] = { 0 };
	struct scram_keys a, b, c;

	ck_assert_int_eq(scram_keys_fake(SLICE("s"), SLICE("u"), 9000, &a),
	    0);
	ck_assert_int_eq(scram_keys_fake(SLICE("s"), SLICE("u"), 9000, &b),
	    0);
	ck_assert_int_eq(scram_keys_fake(SLICE("s"), SLICE("v"), 9000, &c),
	    0);
	ck_assert_mem_eq(a.salt, b.salt, SCRAM_SALT);
	ck_assert_mem_ne(a.salt, c.salt, SCRAM_SALT);
	ck_assert_uint_eq(a.iterations, 9000);
	ck_assert_int_eq(scram_keys_check(&a, SLICE("x"), view(zero), got),
	    -1);
}
END_TEST

UNIT_SUITE(scram_keys, {
	tcase_add_test(tc, server);
	tcase_add_test(tc, client);
	tcase_add_test(tc, forms);
	tcase_add_loop_test(tc, malformed_forms, 0,
	    (int)(sizeof malformed / sizeof *malformed));
	tcase_add_test(tc, fake);
})
