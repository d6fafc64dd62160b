/* SPDX-License-Identifier: ISC */
#include "sys/log.h"

#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static const struct {
	const char *in, *want;
} cases[] = {
	{ "plain@example.test", "plain@example.test" },
	{ "", "\"\"" },
	{ "two words", "\"two words\"" },
	{ "line\nevent=forged", "\"line\\x0aevent=forged\"" },
	{ "quote\"and\\", "\"quote\\\"and\\\\\"" },
	{ "umlaut-\xc3\xa4", "umlaut-\xc3\xa4" },
	{ "\x7f", "\"\\x7f\"" },
};

START_TEST(quotes)
{
	ck_assert_str_eq(log_quote(guard_copy(slice_str(cases[_i].in))),
	    cases[_i].want);
}
END_TEST

static void
logged(enum log_format format, char *out, size_t size)
{
	int fds[2];
	ssize_t n;

	ck_assert_int_eq(pipe(fds), 0);
	log_init("test[0]");
	log_set_fd(fds[1], format);
	log_info("event=accepted id=%s from=%s", "abc",
	    LOG_V(SLICE("a \"b\"\nc")));
	log_debug("event=never");
	n = read(fds[0], out, size - 1);
	ck_assert_int_gt((int)n, 0);
	out[n] = 0;
}

START_TEST(text_line)
{
	char line[1000];

	logged(LOG_FORMAT_TEXT, line, sizeof line);
	ck_assert_ptr_nonnull(strstr(line, "Z test[0] info event=accepted "
	    "id=abc from=\"a \\\"b\\\"\\x0ac\"\n"));
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

START_TEST(json_line)
{
	char line[1000];

	logged(LOG_FORMAT_JSON, line, sizeof line);
	ck_assert_ptr_nonnull(strstr(line, "\"level\":\"info\""));
	ck_assert_ptr_nonnull(strstr(line, "\"event\":\"accepted\""));
	ck_assert_ptr_nonnull(strstr(line, "\"id\":\"abc\""));
	ck_assert_int_eq(line[0], '{');
	ck_assert_ptr_nonnull(strstr(line, "}\n"));
}
END_TEST

UNIT_SUITE(log, {
	tcase_add_loop_test(tc, quotes, 0,
	    (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, text_line);
	tcase_add_test(tc, json_line);
})
