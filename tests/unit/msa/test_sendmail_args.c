/* SPDX-License-Identifier: ISC */
/* The command lines that the programs of the world run sendmail with. */
#include "msa/sendmail_args.h"

#include "base/buf.h"
#include "tests/unit/unit.h"

/* What came of it: the mode's letter, t and i, the values given, and behind a
 * bar what is left. */
static const struct {
	const char *line, *want;
} cases[] = {
	{ "", "m|" },
	{ "bob", "m|bob" },
	{ "-t", "m t|" },
	{ "-i", "m i|" },
	{ "-ti", "m t i|" },
	{ "-it", "m t i|" },
	{ "-t -i", "m t i|" },
	{ "-i -t", "m t i|" },
	{ "-oi -t", "m t i|" },
	{ "-t -oi", "m t i|" },
	{ "-o i -t", "m t i|" },
	{ "-OIgnoreDots -t", "m t i|" },
	{ "-O IgnoreDots=true", "m i|" },
	{ "-O DeliveryMode=b -OErrorMode=m", "m|" },
	{ "-tiv", "m t i|" },
	{ "-vnmGUti bob", "m t i|bob" },
	{ "-tf joe@x bob", "m t f=joe@x|bob" },
	{ "-tfjoe@x", "m t f=joe@x|" },
	{ "-itf joe@x", "m t i f=joe@x|" },
	{ "-fjoe@x -t", "m t f=joe@x|" },
	{ "-f joe@x -t -i", "m t i f=joe@x|" },
	{ "-r joe@x", "m f=joe@x|" },
	{ "-f <> bob", "m f=<>|bob" },
	{ "-t -i -f joe@x -F Joe", "m t i f=joe@x F=Joe|" },
	{ "-FJoe -fjoe@x -oi bob", "m i f=joe@x F=Joe|bob" },
	{ "-i -FCronDaemon -B8BITMIME -oem root", "m i F=CronDaemon|root" },
	{ "-oem -oi -odi bob eve", "m i|bob eve" },
	{ "-odb -oee -om -o7", "m|" },
	{ "-em bob", "m|bob" },
	{ "-bm -- -bob", "m|-bob" },
	{ "-bs", "s|" },
	{ "-tbm", "m t|" },
	{ "-bp", "p|" },
	{ "-bi", "a|" },
	{ "-I", "a|" },
	{ "-q", "q|" },
	{ "-q30m", "q|" },
	{ "-N success,failure -R hdrs -V x bob",
	    "m N=success,failure R=hdrs V=x|bob" },
	{ "-Rfull -Nnever", "m N=never R=full|" },
	{ "-C /etc/x.cf -q", "q C=/etc/x.cf|" },
	{ "-Am -h 3 -L tag -p ESMTP:x -X log -d0.1 -D f -Mx bob", "m|bob" },
	{ "-t bob", "m t|bob" },
	{ "bob -t", "m|bob -t" },
	{ "- bob", "m|- bob" },
	{ "-Z bob", "no" },
	{ "-tZ bob", "no" },
	{ "-iT", "no" },
	{ "-b", "no" },
	{ "-bd", "no" },
	{ "-bz", "no" },
	{ "-bmt", "no" },
	{ "-f", "no" },
	{ "-tf", "no" },
	{ "-t -o", "no" },
	{ "-F", "no" },
	{ "--help", "no" },
};

static void
describe(const struct sendmail_args *a, char *const *rest, struct buf *out)
{
	const struct {
		const char *name, *value;
	} values[] = { { "f", a->sender }, { "F", a->full_name },
		{ "N", a->notify }, { "R", a->ret }, { "V", a->envid },
		{ "C", a->config } };
	size_t i;

	buf_add_char(out, "mspqa"[a->mode]);
	buf_add_str(out, a->from_header ? " t" : "");
	buf_add_str(out, a->dots ? " i" : "");
	for (i = 0; i < sizeof values / sizeof *values; i++)
		if (values[i].value != NULL)
			buf_addf(out, " %s=%s", values[i].name,
			    values[i].value);
	buf_add_char(out, '|');
	for (i = 0; rest[i] != NULL; i++)
		buf_addf(out, "%s%s", i > 0 ? " " : "", rest[i]);
}

START_TEST(lines)
{
	struct slice rest = slice_str(cases[_i].line), word;
	char *argv[32] = { (char[]){ "sendmail" } };
	struct sendmail_args a = { 0 };
	struct buf words, got;
	int argc = 1, first = 0;

	buf_init(&words, 4096);
	buf_init(&got, 4096);
	(void)buf_room(&words, 2048); /* it must not move */
	while (rest.n > 0 && slice_split(&rest, ' ', &word)) {
		argv[argc++] = words.p + words.n;
		buf_add_slice(&words, word);
		buf_add_char(&words, '\0');
	}
	if (sendmail_args_parse(&a, argc, argv, &first) < 0)
		buf_add_str(&got, "no");
	else
		describe(&a, argv + first, &got);
	ck_assert_msg(slice_eq_str(buf_slice(&got), cases[_i].want),
	    "\"%s\": \"%.*s\", want \"%s\"", cases[_i].line,
	    SLICE_FMT(buf_slice(&got)), cases[_i].want);
	buf_fini(&words);
	buf_fini(&got);
}
END_TEST

UNIT_SUITE(sendmail_args, {
	tcase_add_loop_test(tc, lines, 0, sizeof cases / sizeof *cases);
})
