/* SPDX-License-Identifier: ISC */
#include "proto/pop3_cmd.h"

#include <string.h>

#include "base/buf.h"
#include "tests/unit/unit.h"

enum {
	A = POP3_STATE_AUTHORIZATION,
	U = POP3_STATE_USER,
	T = POP3_STATE_TRANSACTION
};

static const struct {
	const char *in;
	unsigned state;
	const char *want; /* verb, number, lines, arg, initial */
	enum pop3_error error;
} cases[] = {
	{ "USER fred", A, "USER 0 0 fred -" },
	{ "user fred blogs", U, "USER 0 0 fred blogs -" },
	{ "PASS a b ", U, "PASS 0 0 a b  -" },
	{ "PASS  a", U, "PASS 0 0  a -" },
	{ "PASS \xc3\xa4", U, "PASS 0 0 \xc3\xa4 -" },
	{ "PASS \xe4", U, NULL, POP3_ERROR_TEXT },
	{ "PASS x", A, NULL, POP3_ERROR_STATE },
	{ "PASS", U, NULL, POP3_ERROR_MISSING },
	{ "USER ", A, NULL, POP3_ERROR_MISSING },
	{ "USER x", T, NULL, POP3_ERROR_STATE },
	{ "AUTH PLAIN", A, "AUTH 0 0 PLAIN -" },
	{ "AUTH PLAIN =", A, "AUTH 0 0 PLAIN " },
	{ "AUTH PLAIN AGEAYg==", A, "AUTH 0 0 PLAIN AGEAYg==" },
	{ "AUTH PLAIN x y", A, NULL, POP3_ERROR_TRAILING },
	{ "AUTH PLAIN ", A, NULL, POP3_ERROR_TEXT },
	{ "AUTH  x", A, NULL, POP3_ERROR_TEXT },
	{ "AUTH", A, NULL, POP3_ERROR_MISSING },
	{ "CAPA", T, "CAPA 0 0 - -" },
	{ "CAPA x", T, NULL, POP3_ERROR_TRAILING },
	{ "CAPA ", T, NULL, POP3_ERROR_TRAILING },
	{ "STLS", A, "STLS 0 0 - -" },
	{ "STLS", T, NULL, POP3_ERROR_STATE },
	{ "UTF8", U, "UTF8 0 0 - -" },
	{ "LANG", T, "LANG 0 0 - -" },
	{ "LANG *", T, "LANG 0 0 * -" },
	{ "LANG de-AT", A, "LANG 0 0 de-AT -" },
	{ "LANG de en", A, NULL, POP3_ERROR_TRAILING },
	{ "LANG \xc3\xa4", A, NULL, POP3_ERROR_TEXT },
	{ "STAT", T, "STAT 0 0 - -" },
	{ "STAT", A, NULL, POP3_ERROR_STATE },
	{ "LIST", T, "LIST 0 0 - -" },
	{ "list 7", T, "LIST 7 0 - -" },
	{ "LIST 0", T, NULL, POP3_ERROR_NUMBER },
	{ "LIST ", T, NULL, POP3_ERROR_NUMBER },
	{ "LIST 1 2", T, NULL, POP3_ERROR_TRAILING },
	{ "LIST 4294967295", T, "LIST 4294967295 0 - -" },
	{ "LIST 4294967296", T, NULL, POP3_ERROR_NUMBER },
	{ "UIDL", T, "UIDL 0 0 - -" },
	{ "UIDL 1", T, "UIDL 1 0 - -" },
	{ "RETR 1", T, "RETR 1 0 - -" },
	{ "RETR", T, NULL, POP3_ERROR_MISSING },
	{ "RETR -1", T, NULL, POP3_ERROR_NUMBER },
	{ "RETR 1x", T, NULL, POP3_ERROR_NUMBER },
	{ "DELE 3", T, "DELE 3 0 - -" },
	{ "TOP 3 0", T, "TOP 3 0 - -" },
	{ "TOP 3 10", T, "TOP 3 10 - -" },
	{ "TOP 3", T, NULL, POP3_ERROR_MISSING },
	{ "TOP 3  10", T, NULL, POP3_ERROR_NUMBER },
	{ "TOP 3 10 1", T, NULL, POP3_ERROR_TRAILING },
	{ "NOOP", T, "NOOP 0 0 - -" },
	{ "NOOP", A, NULL, POP3_ERROR_STATE },
	{ "RSET", T, "RSET 0 0 - -" },
	{ "QUIT", A, "QUIT 0 0 - -" },
	{ "QUIT", T, "QUIT 0 0 - -" },
	{ "APOP x y", A, NULL, POP3_ERROR_VERB },
	{ "", A, NULL, POP3_ERROR_VERB },
	{ " QUIT", A, NULL, POP3_ERROR_VERB },
	{ "QUITE", A, NULL, POP3_ERROR_VERB },
	{ "QUI", A, NULL, POP3_ERROR_VERB },
};

static const char *
or_dash(struct slice s)
{
	return s.p == NULL ? "-" : "";
}

static void
check(struct slice in, int i, bool is_whole)
{
	enum pop3_error error;
	struct pop3_cmd cmd;
	struct buf out;

	error = pop3_cmd_parse(in, cases[i].state, &cmd);
	if (!is_whole)
		return;
	if (cases[i].want == NULL) {
		ck_assert_msg(error == cases[i].error, "%s: %s", cases[i].in,
		    pop3_error_text(error));
		return;
	}
	ck_assert_msg(error == POP3_ERROR_NONE, "%s: %s", cases[i].in,
	    pop3_error_text(error));
	buf_init(&out, 1000);
	buf_addf(&out, "%s %u %u %s%.*s %s%.*s", cmd.row->name, cmd.number,
	    cmd.lines, or_dash(cmd.arg), SLICE_FMT(cmd.arg),
	    or_dash(cmd.initial), SLICE_FMT(cmd.initial));
	ck_slice_str(buf_slice(&out), cases[i].want);
	buf_fini(&out);
}

START_TEST(command)
{
	struct slice in = slice_str(cases[_i].in);
	size_t k;

	for (k = 0; k <= in.n; k++)
		check(guard_copy(slice_head(in, k)), _i, k == in.n);
}
END_TEST

START_TEST(nul)
{
	struct pop3_cmd cmd;

	ck_assert(pop3_cmd_parse(SLICE("PASS a\0b"), U, &cmd) ==
	    POP3_ERROR_TEXT);
	ck_assert(pop3_cmd_parse(SLICE("QUIT\0"), U, &cmd) ==
	    POP3_ERROR_VERB);
}
END_TEST

START_TEST(table)
{
	const struct pop3_command *row;
	bool seen[POP3_VERB_COUNT] = { false };
	size_t i;

	for (i = 0; i < pop3_command_count; i++) {
		row = &pop3_commands[i];
		ck_assert(i == 0 ||
		    strcmp(pop3_commands[i - 1].name, row->name) < 0);
		ck_assert(row->states != 0 && row->take != NULL);
		ck_assert(pop3_command_find(slice_str(row->name)) == row);
		seen[row->verb] = true;
	}
	for (i = 0; i < POP3_VERB_COUNT; i++)
		ck_assert(seen[i]);
	for (i = 0; i < POP3_ERROR_COUNT; i++)
		ck_assert(slice_has_suffix(slice_str(pop3_error_text(
		    (enum pop3_error)i)), SLICE(".")));
	ck_assert_ptr_nonnull(pop3_error_text(POP3_ERROR_COUNT));
}
END_TEST

UNIT_SUITE(pop3_cmd, {
	tcase_add_loop_test(tc, command, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, nul);
	tcase_add_test(tc, table);
})
