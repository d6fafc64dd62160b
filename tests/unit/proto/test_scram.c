/* SPDX-License-Identifier: ISC */
#include "proto/scram.h"

#include <string.h>

#include "proto/limits.h"
#include "tests/unit/unit.h"

#define IN(lit) { "" lit, sizeof(lit) - 1 }
#define ENC SCRAM_INVALID_ENCODING
#define EXT SCRAM_EXTENSIONS_NOT_SUPPORTED
#define PROOF "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="

static const struct {
	const char *name;
	struct slice in;
	int result;
	enum scram_error error;
	char flag;
	const char *binding, *authzid, *user, *nonce, *gs2;
} first_cases[] = {
	{ "RFC 7677 3", IN("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"), 0, 0, 'n', "",
	    "", "user", "rOprNGfwEbeRWgbNEkqO", "n,," },
	{ "authzid", IN("y,a=boss,n=u,r=x"), 0, 0, 'y', "", "boss", "u", "x",
	    "y,a=boss," },
	{ "bound", IN("p=tls-exporter,,n=u,r=x"), 0, 0, 'p', "tls-exporter",
	    "", "u", "x", "p=tls-exporter,," },
	{ "extension", IN("n,,n=u,r=x,z=1=2,Y=b"), 0, 0, 'n', "", "", "u",
	    "x", "n,," },
	{ "quoted", IN("n,,n=a=2Cb=3D,r=x"), 0, 0, 'n', "", "", "a=2Cb=3D",
	    "x", "n,," },
	{ "empty", IN(""), -1, SCRAM_OTHER_ERROR, 0 },
	{ "flag alone", IN("n"), -1, SCRAM_OTHER_ERROR, 0 },
	{ "flag, comma", IN("n,"), -1, SCRAM_OTHER_ERROR, 0 },
	{ "no flag", IN(",,n=u,r=x"), -1, SCRAM_OTHER_ERROR, 0 },
	{ "other flag", IN("q,,n=u,r=x"), -1, SCRAM_OTHER_ERROR, 0 },
	{ "long flag", IN("nn,,n=u,r=x"), -1, SCRAM_OTHER_ERROR, 0 },
	{ "p without name", IN("p=,,n=u,r=x"), -1, SCRAM_OTHER_ERROR, 0 },
	{ "p without =", IN("p,,n=u,r=x"), -1, SCRAM_OTHER_ERROR, 0 },
	{ "odd binding", IN("p=tls_x,,n=u,r=x"), -1, SCRAM_OTHER_ERROR, 0 },
	{ "one comma", IN("n,n=u,r=x"), -1, ENC, 0 },
	{ "header only", IN("n,,"), -1, ENC, 0 },
	{ "empty authzid", IN("n,a=,n=u,r=x"), -1, ENC, 0 },
	{ "wrong authzid", IN("n,b=c,n=u,r=x"), -1, ENC, 0 },
	{ "m", IN("n,,m=x,n=u,r=x"), -1, EXT, 0 },
	{ "m later", IN("n,,n=u,r=x,m=1"), -1, EXT, 0 },
	{ "no name", IN("n,,r=x"), -1, ENC, 0 },
	{ "empty name", IN("n,,n=,r=x"), -1, ENC, 0 },
	{ "no nonce", IN("n,,n=u"), -1, ENC, 0 },
	{ "empty nonce", IN("n,,n=u,r="), -1, ENC, 0 },
	{ "wrong order", IN("n,,r=x,n=u"), -1, ENC, 0 },
	{ "space in nonce", IN("n,,n=u,r=a b"), -1, ENC, 0 },
	{ "8 bit nonce", IN("n,,n=u,r=\xc3\xa9"), -1, ENC, 0 },
	{ "last comma", IN("n,,n=u,r=x,"), -1, ENC, 0 },
	{ "digit attribute", IN("n,,n=u,r=x,1=2"), -1, ENC, 0 },
	{ "bare attribute", IN("n,,n=u,r=x,z"), -1, ENC, 0 },
	{ "NUL", IN("n,,n=u\0v,r=x"), -1, ENC, 0 },
	{ "not UTF-8", IN("n,,n=\xff,r=x"), -1, ENC, 0 },
};

static const struct {
	const char *name, *in;
	int result;
	enum scram_error error;
	const char *binding, *nonce, *without;
} final_cases[] = {
	{ "RFC 7677 3", "c=biws,r=rOp%hv," PROOF, 0, 0, "biws", "rOp%hv",
	    "c=biws,r=rOp%hv" },
	{ "extension", "c=biws,r=x,p=YQ==,z=p," PROOF, 0, 0, "biws", "x",
	    "c=biws,r=x,p=YQ==,z=p" },
	{ "no proof", "c=biws,r=x", -1, ENC, NULL, NULL, NULL },
	{ "proof not last", "c=biws,r=x," PROOF ",z=1", -1, ENC, NULL, NULL,
	    NULL },
	{ "proof only", PROOF, -1, ENC, NULL, NULL, NULL },
	{ "comma, proof", "," PROOF, -1, ENC, NULL, NULL, NULL },
	{ "no binding", "r=x," PROOF, -1, ENC, NULL, NULL, NULL },
	{ "empty binding", "c=,r=x," PROOF, -1, ENC, NULL, NULL, NULL },
	{ "no nonce", "c=biws," PROOF, -1, ENC, NULL, NULL, NULL },
	{ "m", "m=1,c=biws,r=x," PROOF, -1, EXT, NULL, NULL, NULL },
	{ "m behind", "c=biws,r=x,m=1," PROOF, -1, EXT, NULL, NULL, NULL },
	{ "empty", "", -1, ENC, NULL, NULL, NULL },
};

static const struct {
	const char *name, *in;
	int result;
	enum scram_error error;
	const char *salt;
	unsigned iterations;
} server_first_cases[] = {
	{ "RFC 7677 3", "r=xyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", 0, 0,
	    "W22ZaJ0SNY7soEsUEjb6gQ==", 4096 },
	{ "extension", "r=xyz,s=YQ==,i=100000,z=1", 0, 0, "YQ==", 100000 },
	{ "same nonce", "r=x,s=YQ==,i=4096", -1, SCRAM_OTHER_ERROR },
	{ "other nonce", "r=yx,s=YQ==,i=4096", -1, SCRAM_OTHER_ERROR },
	{ "weak", "r=xyz,s=YQ==,i=4095", -1, SCRAM_OTHER_ERROR },
	{ "zero", "r=xyz,s=YQ==,i=0", -1, SCRAM_OTHER_ERROR },
	{ "leading zero", "r=xyz,s=YQ==,i=04096", -1, SCRAM_OTHER_ERROR },
	{ "attack", "r=xyz,s=YQ==,i=4294967295", -1, SCRAM_OTHER_ERROR },
	{ "overflow", "r=xyz,s=YQ==,i=18446744073709555712", -1,
	    SCRAM_OTHER_ERROR },
	{ "sign", "r=xyz,s=YQ==,i=+4096", -1, SCRAM_OTHER_ERROR },
	{ "no salt", "r=xyz,s=,i=4096", -1, ENC },
	{ "no count", "r=xyz,s=YQ==", -1, ENC },
	{ "m", "m=x,r=xyz,s=YQ==,i=4096", -1, EXT },
	{ "error", "e=other-error", -1, ENC },
	{ "empty", "", -1, ENC },
};

static const struct {
	const char *name, *in;
	int result;
	enum scram_error error;
} server_final_cases[] = {
	{ "signature", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", 0,
	    0 },
	{ "extension", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,a=b",
	    0, 0 },
	{ "error", "e=invalid-proof", -1, SCRAM_INVALID_PROOF },
	{ "unknown error", "e=strange", -1, SCRAM_OTHER_ERROR },
	{ "empty error", "e=", -1, ENC },
	{ "empty", "", -1, ENC },
	{ "other", "x=y", -1, ENC },
};

START_TEST(client_first)
{
	struct slice in = guard_copy(first_cases[_i].in);
	enum scram_error error = SCRAM_NO_RESOURCES;
	struct scram_client_first f;
	const char *name = first_cases[_i].name;
	int rc = scram_client_first_parse(in, &f, &error);

	ck_assert_msg(rc == first_cases[_i].result, "%s", name);
	if (rc < 0) {
		ck_assert_msg(error == first_cases[_i].error, "%s: %d", name,
		    (int)error);
		return;
	}
	ck_assert_int_eq(f.flag, first_cases[_i].flag);
	ck_slice_str(f.binding, first_cases[_i].binding);
	ck_slice_str(f.authzid, first_cases[_i].authzid);
	ck_slice_str(f.name, first_cases[_i].user);
	ck_slice_str(f.nonce, first_cases[_i].nonce);
	ck_slice_str(f.gs2, first_cases[_i].gs2);
	ck_slice_eq(f.bare, slice_from(in, f.gs2.n));
}
END_TEST

START_TEST(client_final)
{
	struct slice in = guard_copy(slice_str(final_cases[_i].in));
	enum scram_error error = SCRAM_NO_RESOURCES;
	struct scram_client_final f;
	struct buf hash;
	int rc = scram_client_final_parse(in, &f, &error);

	ck_assert_msg(rc == final_cases[_i].result, "%s",
	    final_cases[_i].name);
	if (rc < 0) {
		ck_assert_msg(error == final_cases[_i].error, "%s",
		    final_cases[_i].name);
		return;
	}
	ck_slice_str(f.binding, final_cases[_i].binding);
	ck_slice_str(f.nonce, final_cases[_i].nonce);
	ck_slice_str(f.without_proof, final_cases[_i].without);
	buf_init(&hash, SCRAM_HASH + 2);
	ck_assert_int_eq(scram_hash_decode(f.proof, &hash), 0);
	ck_assert_uint_eq(hash.n, SCRAM_HASH);
	ck_assert_int_eq((unsigned char)hash.p[0], 0x74);
	buf_fini(&hash);
}
END_TEST

START_TEST(server_first)
{
	struct slice in = guard_copy(slice_str(server_first_cases[_i].in));
	enum scram_error error = SCRAM_NO_RESOURCES;
	struct scram_server_first f;
	int rc = scram_server_first_parse(in, SLICE("x"), &f, &error);

	ck_assert_msg(rc == server_first_cases[_i].result, "%s",
	    server_first_cases[_i].name);
	if (rc < 0) {
		ck_assert_msg(error == server_first_cases[_i].error, "%s",
		    server_first_cases[_i].name);
		return;
	}
	ck_slice_str(f.nonce, "xyz");
	ck_slice_str(f.salt, server_first_cases[_i].salt);
	ck_assert_uint_eq(f.iterations, server_first_cases[_i].iterations);
}
END_TEST

START_TEST(server_final)
{
	struct slice in = guard_copy(slice_str(server_final_cases[_i].in));
	enum scram_error error = SCRAM_NO_RESOURCES;
	struct slice text;
	int rc = scram_server_final_parse(in, &text, &error);

	ck_assert_msg(rc == server_final_cases[_i].result, "%s",
	    server_final_cases[_i].name);
	if (rc < 0)
		ck_assert_msg(error == server_final_cases[_i].error, "%s",
		    server_final_cases[_i].name);
	else
		ck_slice_str(text,
		    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}
END_TEST

#define FINAL ("c=biws,r=rOp%hv,z=1," PROOF)

/* All parsers at every length: no read past the end. */
START_TEST(every_cut)
{
	static const char *const whole[] = {
		"p=tls-exporter,a=x,n=user,r=abc,z=1",
		FINAL,
		"r=xyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,z=1",
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,z=1",
	};
	struct scram_client_first cf;
	struct scram_client_final cl;
	struct scram_server_first sf;
	enum scram_error error;
	struct slice in, text;
	size_t k;
	int ok = 0;

	for (k = 0; k <= strlen(whole[_i]); k++) {
		in = guard_copy(slice_head(slice_str(whole[_i]), k));
		ok += scram_client_first_parse(in, &cf, &error) == 0;
		ok += scram_client_final_parse(in, &cl, &error) == 0;
		ok += scram_server_first_parse(in, SLICE("x"), &sf,
			  &error) == 0;
		ok += scram_server_final_parse(in, &text, &error) == 0;
	}
	ck_assert_int_gt(ok, 0);
}
END_TEST

static const struct {
	const char *in, *want; /* NULL: malformed */
} name_cases[] = {
	{ "user", "user" },
	{ "a=2Cb", "a,b" },
	{ "=3D", "=" },
	{ "a=2cb", NULL },
	{ "a=", NULL },
	{ "a=2", NULL },
	{ "a=3E", NULL },
	{ "a==3D", NULL },
	{ "", NULL },
};

START_TEST(names)
{
	struct slice in = guard_copy(slice_str(name_cases[_i].in));
	struct buf out, again;
	int rc;

	buf_init(&out, LIMIT_SASL_NAME);
	rc = scram_name_decode(in, &out);
	ck_assert_int_eq(rc, name_cases[_i].want == NULL ? -1 : 0);
	if (rc == 0) {
		ck_slice_str(buf_slice(&out), name_cases[_i].want);
		buf_init(&again, 100);
		scram_name_encode(&again, buf_slice(&out));
		ck_slice_eq(buf_slice(&again), in);
		buf_fini(&again);
	}
	buf_fini(&out);
}
END_TEST

static const struct {
	const char *first;
	enum sasl_mech mech;
	const char *exporter, *unique, *point;
	const char *want; /* NULL: refused */
	enum scram_error error;
} binding_cases[] = {
	{ "n,,n=u,r=x", SASL_SCRAM_SHA_256, "E", "", "P", "", 0 },
	{ "y,,n=u,r=x", SASL_SCRAM_SHA_256, "", "", "", "", 0 },
	{ "y,,n=u,r=x", SASL_SCRAM_SHA_256, "E", "", "", NULL,
	    SCRAM_SERVER_DOES_SUPPORT_BINDING },
	{ "n,,n=u,r=x", SASL_SCRAM_SHA_256_PLUS, "E", "", "", NULL,
	    SCRAM_BINDINGS_DONT_MATCH },
	{ "p=tls-exporter,,n=u,r=x", SASL_SCRAM_SHA_256, "E", "", "", NULL,
	    SCRAM_BINDING_NOT_SUPPORTED },
	{ "p=tls-exporter,,n=u,r=x", SASL_SCRAM_SHA_256_PLUS, "", "", "",
	    NULL, SCRAM_BINDING_NOT_SUPPORTED },
	{ "p=tls-exporter,,n=u,r=x", SASL_SCRAM_SHA_256_PLUS, "E", "", "P",
	    "E", 0 },
	{ "p=tls-server-end-point,,n=u,r=x", SASL_SCRAM_SHA_256_PLUS, "E",
	    "", "P", "P", 0 },
	{ "p=tls-unique,,n=u,r=x", SASL_SCRAM_SHA_256_PLUS, "", "U", "P",
	    "U", 0 },
	/* Over TLS 1.3 there is no tls-unique. */
	{ "p=tls-unique,,n=u,r=x", SASL_SCRAM_SHA_256_PLUS, "E", "", "P",
	    NULL, SCRAM_UNSUPPORTED_BINDING_TYPE },
	{ "p=tls-strange,,n=u,r=x", SASL_SCRAM_SHA_256_PLUS, "E", "U", "P",
	    NULL, SCRAM_UNSUPPORTED_BINDING_TYPE },
};

START_TEST(bindings)
{
	struct sasl_channel ch = {
		slice_str(binding_cases[_i].exporter),
		slice_str(binding_cases[_i].unique),
		slice_str(binding_cases[_i].point),
	};
	enum scram_error error = SCRAM_NO_RESOURCES;
	struct scram_client_first f;
	struct slice data;
	int rc;

	ck_assert_int_eq(scram_client_first_parse(
	    slice_str(binding_cases[_i].first), &f, &error), 0);
	rc = scram_binding_find(&f, binding_cases[_i].mech, &ch, &data,
	    &error);
	ck_assert_int_eq(rc, binding_cases[_i].want == NULL ? -1 : 0);
	if (rc == 0)
		ck_slice_str(data, binding_cases[_i].want);
	else
		ck_assert_int_eq(error, binding_cases[_i].error);
}
END_TEST

START_TEST(nonce_limit)
{
	char text[LIMIT_SCRAM_NONCE + 1];

	memset(text, 'x', sizeof text);
	ck_assert(scram_is_nonce((struct slice){ text, LIMIT_SCRAM_NONCE }));
	ck_assert(!scram_is_nonce((struct slice){ text,
	    LIMIT_SCRAM_NONCE + 1 }));
	ck_assert_str_eq(scram_error_name(SCRAM_NO_RESOURCES),
	    "no-resources");
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

UNIT_SUITE(scram, {
	tcase_add_loop_test(tc, client_first, 0, COUNT(first_cases));
	tcase_add_loop_test(tc, client_final, 0, COUNT(final_cases));
	tcase_add_loop_test(tc, server_first, 0, COUNT(server_first_cases));
	tcase_add_loop_test(tc, server_final, 0, COUNT(server_final_cases));
	tcase_add_loop_test(tc, every_cut, 0, 4);
	tcase_add_loop_test(tc, names, 0, COUNT(name_cases));
	tcase_add_loop_test(tc, bindings, 0, COUNT(binding_cases));
	tcase_add_test(tc, nonce_limit);
})
