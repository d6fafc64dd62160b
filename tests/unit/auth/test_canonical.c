/* SPDX-License-Identifier: ISC */
#include "auth/canonical.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static const struct {
	const char *in, *want; /* NULL: refused */
} domains[] = {
	{ "Example.ORG", "example.org" },
	{ "b\xc3\xbc" "cher.example", "xn--bcher-kva.example" },
	{ "B\xc3\x9c" "CHER.example", "xn--bcher-kva.example" },
	{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "[192.0.2.1]", "[192.0.2.1]" },
	{ "", NULL },
	{ "-a.example", NULL },
	{ "a..b", NULL },
	{ "a\xff.example", NULL },
	{ "\xe2\x80\xae.example", NULL }, /* a direction override */
};

START_TEST(domain)
{
	struct slice in = guard_copy(slice_str(domains[_i].in));
	struct buf out;

	buf_init(&out, CANONICAL_DOMAIN_MAX);
	ck_assert_int_eq(canonical_domain(in, &out),
	    domains[_i].want == NULL ? -1 : 0);
	ck_slice_str(buf_slice(&out),
	    domains[_i].want == NULL ? "" : domains[_i].want);
	buf_fini(&out);
}
END_TEST

static const struct {
	const char *local, *key, *address, *home;
} keys[] = {
	{ "Joe", "x.test@joe", "joe@x.test", "x.test/joe" },
	{ "a.b+c", "x.test@a.b+c", "a.b+c@x.test", "x.test/a.b+c" },
	{ "a b", "x.test@a b", "\"a b\"@x.test", "x.test/a%20b" },
	{ "a@b", "x.test@a@b", "\"a@b\"@x.test", "x.test/a%40b" },
	{ "q\"\\", "x.test@q\"\\", "\"q\\\"\\\\\"@x.test", "x.test/q%22%5c" },
	{ "..", "x.test@..", "\"..\"@x.test", "x.test/%2e." },
	{ ".", "x.test@.", "\".\"@x.test", "x.test/%2e" },
	{ "a/b", "x.test@a/b", "a/b@x.test", "x.test/a%2fb" },
	{ "\xc3\xa9", "x.test@\xc3\xa9", "\xc3\xa9@x.test",
	    "x.test/%c3%a9" },
	{ "", "x.test@", "@x.test", "x.test/" },
};

START_TEST(key)
{
	struct slice local, domain_, k;
	struct buf b;

	buf_init(&b, 1024);
	canonical_key(guard_copy(slice_str(keys[_i].local)), SLICE("x.test"),
	    &b);
	k = guard_copy(buf_slice(&b));
	ck_slice_str(k, keys[_i].key);
	buf_reset(&b);
	canonical_address(k, &b);
	ck_slice_str(buf_slice(&b), keys[_i].address);
	buf_reset(&b);
	canonical_home(k, &b);
	ck_slice_str(buf_slice(&b), keys[_i].home);
	canonical_split(k, &local, &domain_);
	ck_slice_str(domain_, "x.test");
	ck_assert(slice_ieq_str(local, keys[_i].local));
	buf_fini(&b);
}
END_TEST

START_TEST(long_home)
{
	struct buf local, k, home;
	ptrdiff_t slash;

	buf_init(&local, 1024);
	buf_init(&k, 1024);
	buf_init(&home, 1024);
	while (local.n < 255)
		buf_add_char(&local, ' ');
	canonical_key(buf_slice(&local), SLICE("x.test"), &k);
	canonical_home(buf_slice(&k), &home);
	slash = slice_chr(buf_slice(&home), '/');
	ck_assert_int_gt(slash, 0);
	ck_assert_uint_le(home.n - (size_t)slash - 1, 240);
	ck_assert_uint_le(home.n, CANONICAL_HOME_MAX);
	buf_fini(&local);
	buf_fini(&k);
	buf_fini(&home);
}
END_TEST

UNIT_SUITE(canonical, {
	tcase_add_loop_test(tc, domain, 0,
	    sizeof domains / sizeof *domains);
	tcase_add_loop_test(tc, key, 0, sizeof keys / sizeof *keys);
	tcase_add_test(tc, long_home);
})
