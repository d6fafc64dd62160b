/* SPDX-License-Identifier: ISC */
/* veredus.conf: what is good, and what is said of what is not. */
#include "master/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_server.h"
#include "conf/conf_smtpd.h"
#include "tests/unit/unit.h"

static const struct {
	const char *text, *want; /* a piece of what is said; NULL: good */
} cases[] = {
	{ "", NULL },
	{ "server { hostname = \"a.test\" }\n", NULL },
	{ "server { hostname = a.test }\n", NULL },
	{ "# a comment\nsmtpd {\n  listen = {\"*:25\", \"[::1]:2525\"}\n}\n",
	    NULL },
	{ "certificate \"a\" { chain = \"x\" key = \"y\" }\n", NULL },
	{ "server { hostnam = \"a\" }\n", ":1: section server has no option "
	    "\"hostnam\"; did you mean \"hostname\"?" },
	{ "\n\nserver {\n\n processes = 1000\n}\n", ":5: processes is 1000, "
	    "but must lie between 0 and 64" },
	{ "queue { retry_min = \"soon\" }\n", "retry_min is \"soon\", but "
	    "must be a time" },
	{ "server { sandbox = \"none\" }\n", "must be one of required, "
	    "best-effort" },
	{ "smtpd { tls = \"perhaps\" }\n", "tls is \"perhaps\", but must be "
	    "yes or no" },
	{ "server { hostname = \"a\" hostname = \"b\" }\n",
	    "hostname stands twice" },
	{ "smtp { }\n", "no section or option \"smtp\"" },
	{ "server {\n hostname = \"a\"\n", ":" },
	{ "server { = }\n", ":1:" },
};

static struct config *
read_text(const char *text, struct buf *why)
{
	char path[] = "/tmp/veredus-config-XXXXXX";
	int fd = mkstemp(path);
	struct config *c;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)write(fd, text, strlen(text)),
	    (int)strlen(text));
	(void)close(fd);
	c = config_read(path, why);
	(void)unlink(path);
	return c;
}

START_TEST(reads)
{
	struct config *c;
	struct buf why;

	buf_init(&why, 65536);
	c = read_text(cases[_i].text, &why);
	if (cases[_i].want == NULL) {
		ck_assert_msg(c != NULL, "%s", why.p);
	} else {
		ck_assert_msg(c == NULL, "\"%s\" was taken", cases[_i].text);
		ck_assert_msg(strstr(why.p, cases[_i].want) != NULL,
		    "said: %s", why.p);
	}
	config_free(&c);
	buf_fini(&why);
}
END_TEST

START_TEST(fills_and_shows)
{
	struct conf_server server;
	struct conf_smtpd smtpd;
	struct region mem;
	struct config *c;
	struct buf why, out;

	buf_init(&why, 65536);
	buf_init(&out, 1 << 20);
	region_init(&mem, 1 << 20);
	c = read_text("server { hostname = \"mx.test\" }\n"
		      "smtpd { listen = {\"1.2.3.4:25\", \"5.6.7.8:26\"}\n"
		      "trusted_networks = {} }\n", &why);
	ck_assert_ptr_nonnull(c);
	config_fill(c, &conf_server_section, "", &server, &mem);
	ck_assert_str_eq(server.hostname, "mx.test");
	ck_assert_str_eq(server.recipient_delimiter, "+");
	config_fill(c, &conf_smtpd_section, "", &smtpd, &mem);
	ck_assert_uint_eq(smtpd.listen.n, 2);
	ck_assert_str_eq(smtpd.listen.v[1], "5.6.7.8:26");
	/* Written as empty is not the same as left to its default. */
	ck_assert_uint_eq(smtpd.trusted_networks.n, 0);
	config_show(c, &out);
	ck_assert_ptr_nonnull(strstr(out.p, "hostname = \"mx.test\"\n"));
	ck_assert_ptr_nonnull(strstr(out.p, "# default"));
	region_fini(&mem);
	config_free(&c);
	buf_fini(&why);
	buf_fini(&out);
}
END_TEST

/* What is shown can be read again, and says the same. */
START_TEST(shown_is_readable)
{
	struct buf why, out, again;
	struct config *c;

	buf_init(&why, 65536);
	buf_init(&out, 1 << 20);
	buf_init(&again, 1 << 20);
	c = read_text("certificate \"a\" { names = {\"b\", \"c\"} }\n", &why);
	ck_assert_ptr_nonnull(c);
	config_show(c, &out);
	config_free(&c);
	c = read_text(out.p, &why);
	ck_assert_msg(c != NULL, "%s", why.p);
	config_free(&c);
	buf_fini(&why);
	buf_fini(&out);
	buf_fini(&again);
}
END_TEST

UNIT_SUITE(config, {
	tcase_add_loop_test(tc, reads, 0,
	    (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, fills_and_shows);
	tcase_add_test(tc, shown_is_readable);
})
