/* SPDX-License-Identifier: ISC */
#include "mta/nexthop.h"

#include "tests/unit/unit.h"

static const struct {
	const char *in;
	int kind; /* -1: malformed */
	const char *host;
	enum ip_family family;
	uint16_t port;
} cases[] = {
	{ "mx:example.test", NEXTHOP_MX, "example.test", IP_NONE, 0 },
	{ "MX:Example.Test", NEXTHOP_MX, "Example.Test", IP_NONE, 0 },
	{ "mx:b\xc3\xbc" "cher.test", NEXTHOP_MX, "b\xc3\xbc" "cher.test",
	    IP_NONE, 0 },
	{ "mx:[192.0.2.1]", NEXTHOP_MX, "192.0.2.1", IP_V4, 0 },
	{ "mx:[IPv6:2001:db8::1]", NEXTHOP_MX, "IPv6:2001:db8::1", IP_V6, 0 },
	{ "mx:[ipv6:2001:db8::1]", NEXTHOP_MX, "ipv6:2001:db8::1", IP_V6, 0 },
	{ "smtp:mail.test", NEXTHOP_SMTP, "mail.test", IP_NONE, 0 },
	{ "smtp:mail.test:587", NEXTHOP_SMTP, "mail.test", IP_NONE, 587 },
	{ "smtp:[mail.test]:587", NEXTHOP_SMTP, "mail.test", IP_NONE, 587 },
	{ "smtp:192.0.2.1", NEXTHOP_SMTP, "192.0.2.1", IP_V4, 0 },
	{ "smtp:192.0.2.1:25", NEXTHOP_SMTP, "192.0.2.1", IP_V4, 25 },
	{ "smtp:[192.0.2.1]:25", NEXTHOP_SMTP, "192.0.2.1", IP_V4, 25 },
	{ "smtp:[2001:db8::1]:65535", NEXTHOP_SMTP, "2001:db8::1", IP_V6,
	    65535 },
	{ "lmtp:localhost:24", NEXTHOP_LMTP, "localhost", IP_NONE, 24 },
	{ "lmtp:[::1]:24", NEXTHOP_LMTP, "::1", IP_V6, 24 },
	{ "", -1, "", IP_NONE, 0 },
	{ "mx", -1, "", IP_NONE, 0 },
	{ "mx:", -1, "", IP_NONE, 0 },
	{ ":x", -1, "", IP_NONE, 0 },
	{ "example.test", -1, "", IP_NONE, 0 },
	{ "uucp:host", -1, "", IP_NONE, 0 },
	{ "mx:example.test:25", -1, "", IP_NONE, 0 },
	{ "mx:exa mple", -1, "", IP_NONE, 0 },
	{ "mx:a..b", -1, "", IP_NONE, 0 },
	{ "mx:[IPv6:192.0.2.1]", -1, "", IP_NONE, 0 },
	{ "smtp:host:", -1, "", IP_NONE, 0 },
	{ "smtp:host:0", -1, "", IP_NONE, 0 },
	{ "smtp:host:65536", -1, "", IP_NONE, 0 },
	{ "smtp:host:25x", -1, "", IP_NONE, 0 },
	{ "smtp:host:-25", -1, "", IP_NONE, 0 },
	{ "smtp:2001:db8::1", -1, "", IP_NONE, 0 },
	{ "smtp:[2001:db8::1", -1, "", IP_NONE, 0 },
	{ "smtp:[]:25", -1, "", IP_NONE, 0 },
	{ "smtp:[]", -1, "", IP_NONE, 0 },
	{ "smtp:[::1]25", -1, "", IP_NONE, 0 },
	{ "smtp:host\n:25", -1, "", IP_NONE, 0 },
};

START_TEST(parse)
{
	struct nexthop n;
	int r = nexthop_parse(guard_copy(slice_str(cases[_i].in)), &n);

	if (cases[_i].kind < 0) {
		ck_assert_msg(r == -1, "%s was taken", cases[_i].in);
		return;
	}
	ck_assert_msg(r == 0, "%s was refused", cases[_i].in);
	ck_assert_int_eq(n.kind, cases[_i].kind);
	ck_slice_str(n.host, cases[_i].host);
	ck_assert_int_eq(n.ip.family, cases[_i].family);
	ck_assert_uint_eq(n.port, cases[_i].port);
}
END_TEST

UNIT_SUITE(nexthop, {
	tcase_add_loop_test(tc, parse, 0, sizeof cases / sizeof *cases);
})
