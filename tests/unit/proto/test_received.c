/* SPDX-License-Identifier: ISC */
#include "proto/received.h"

#include "proto/header.h"
#include "tests/unit/unit.h"

#define LIT(lit) { "" lit, sizeof(lit) - 1 }
#define DATE { 1738829100, 60 }

enum { E = RECEIVED_ESMTP, L = RECEIVED_LMTP, T = RECEIVED_TLS,
	A = RECEIVED_AUTH, U = RECEIVED_UTF8 };

static const struct address joe = { .local = LIT("joe"),
	.domain = LIT("A.test") };
static const struct address utf8 = { .local = LIT("j\xc3\xb6"),
	.domain = LIT("a.test"), .is_utf8 = true };

static const struct {
	struct received in;
	const char *want;
} cases[] = {
	{ { .helo = LIT("mail.b.test"), .client_name = LIT("mx1.b.test"),
	      .client_ip = LIT("192.0.2.1"), .with = E | T,
	      .tls_version = LIT("TLSv1.3"),
	      .tls_cipher = LIT("TLS_AES_256_GCM_SHA384"),
	      .by = LIT("mx.a.test"), .id = LIT("4WxYz1"), .recipient = &joe, .date = DATE },
	    "Received: from mail.b.test (mx1.b.test [192.0.2.1])\r\n"
	    "\tby mx.a.test (Veredus) with ESMTPS (TLSv1.3"
	    " TLS_AES_256_GCM_SHA384)\r\n"
	    "\tid 4WxYz1 for <joe@a.test>;\r\n"
	    "\tThu, 6 Feb 2025 09:05:00 +0100\r\n" },
	{ { .helo = LIT("[IPv6:2001:db8::1]"), .client_ip = LIT("2001:db8::1"),
	      .by = LIT("mx.a.test"), .id = LIT("X"), .date = DATE },
	    "Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\r\n"
	    "\tby mx.a.test (Veredus) with SMTP\r\n"
	    "\tid X;\r\n"
	    "\tThu, 6 Feb 2025 09:05:00 +0100\r\n" },
	{ { .helo = LIT("a b)\r\nX: y(\\\xc3"), .client_ip = LIT("192.0.2.1"),
	      .with = E | U, .by = LIT("mx.a.test"), .id = LIT("X"),
	      .recipient = &utf8, .date = DATE },
	    "Received: from a?b???X:?y??? ([192.0.2.1])\r\n"
	    "\tby mx.a.test (Veredus) with UTF8SMTP\r\n"
	    "\tid X for <j\xc3\xb6@a.test>;\r\n"
	    "\tThu, 6 Feb 2025 09:05:00 +0100\r\n" },
	{ { .client_ip = LIT("192.0.2.1"), .with = E, .by = LIT("mx.a.test"),
	      .id = LIT("X"), .recipient = &utf8, .date = DATE },
	    "Received: from unknown ([192.0.2.1])\r\n"
	    "\tby mx.a.test (Veredus) with ESMTP\r\n"
	    "\tid X;\r\n"
	    "\tThu, 6 Feb 2025 09:05:00 +0100\r\n" },
	{ { .local_user = LIT("joe"), .by = LIT("mx.a.test"), .id = LIT("X"),
	      .date = DATE },
	    "Received: by mx.a.test (Veredus, from user joe)\r\n"
	    "\tid X;\r\n"
	    "\tThu, 6 Feb 2025 09:05:00 +0100\r\n" },
	{ { .helo = LIT("a-rather-long-name-that-somebody-gave.b.test"),
	      .client_name = LIT("another-rather-long-name.b.test"),
	      .client_ip = LIT("192.0.2.1"), .with = E, .by = LIT("mx.a.test"),
	      .id = LIT("X"), .date = DATE },
	    "Received: from a-rather-long-name-that-somebody-gave.b.test\r\n"
	    "\t(another-rather-long-name.b.test [192.0.2.1])\r\n"
	    "\tby mx.a.test (Veredus) with ESMTP\r\n"
	    "\tid X;\r\n"
	    "\tThu, 6 Feb 2025 09:05:00 +0100\r\n" },
};

START_TEST(received)
{
	struct header_field f;
	struct date d;
	struct buf out;

	buf_init(&out, 2000);
	received_add(&out, &cases[_i].in);
	ck_slice_str(buf_slice(&out), cases[_i].want);
	/* One field, whose date can be read again. */
	ck_assert_int_eq(header_scan(buf_slice(&out), true, &f),
	    (ssize_t)out.n);
	ck_assert_int_eq(date_parse(slice_from(f.value,
	    (size_t)slice_rchr(f.value, ';') + 1), &d), 0);
	ck_assert_int_eq(d.time, 1738829100);
	buf_fini(&out);
}
END_TEST

static const struct {
	unsigned with;
	const char *word;
} words[] = {
	{ 0, "SMTP" }, { E, "ESMTP" }, { A, "ESMTPA" }, { E | T, "ESMTPS" },
	{ E | T | A, "ESMTPSA" }, { L, "LMTP" }, { L | A, "LMTPA" },
	{ L | T, "LMTPS" }, { L | T | A, "LMTPSA" }, { E | U, "UTF8SMTP" },
	{ U | A, "UTF8SMTPA" }, { U | T, "UTF8SMTPS" },
	{ U | T | A, "UTF8SMTPSA" }, { L | U, "UTF8LMTP" },
	{ L | U | T, "UTF8LMTPS" }, { L | U | A, "UTF8LMTPA" },
	{ L | U | T | A, "UTF8LMTPSA" },
};

START_TEST(with)
{
	ck_assert_str_eq(received_with_word(words[_i].with), words[_i].word);
}
END_TEST

START_TEST(delivery)
{
	const struct address null = { .is_utf8 = false };
	struct buf out;

	buf_init(&out, 200);
	received_add_return_path(&out, &joe);
	received_add_return_path(&out, &null);
	received_add_delivered_to(&out, &joe);
	ck_slice_str(buf_slice(&out), "Return-Path: <joe@a.test>\r\n"
		"Return-Path: <>\r\nDelivered-To: joe@a.test\r\n");
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(received, {
	tcase_add_loop_test(tc, received, 0,
	    (int)(sizeof cases / sizeof *cases));
	tcase_add_loop_test(tc, with, 0, (int)(sizeof words / sizeof *words));
	tcase_add_test(tc, delivery);
})
