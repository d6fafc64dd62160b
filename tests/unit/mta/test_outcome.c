/* SPDX-License-Identifier: ISC */
#include "mta/outcome.h"

#include <string.h>

#include "tests/unit/unit.h"

/* Words in the order in which they come, as "SOURCE OUTCOME TEXT": o ours, h a
 * host, r of the recipient; L later, F never, D done. */
static const struct {
	const char *words, *want;
} cases[] = {
	{ "oLa", "oLa" },
	{ "oLa oLb", "oLb" },
	{ "oFa", "oFa" },
	{ "oFa oLb", "oLb" },
	{ "oLa oFb", "oLa" },
	{ "oLa hLb", "hLb" },
	{ "hLa oLb", "hLa" },
	{ "hLa hLb", "hLb" },
	{ "hFa oLb", "oLb" }, /* the one that was not reached may take it */
	{ "oLa hFb", "oLa" },
	{ "hFa hFb", "hFb" },
	{ "hFa oFb", "hFa" },
	{ "rLa hLb", "rLa" },
	{ "rLa oLb", "rLa" },
	{ "hLa rLb", "rLb" },
	{ "rLa rLb", "rLb" },
	{ "rLa hFb", "rLa" },
	{ "oLa hLb rLc oLd", "rLc" },
};

static void
add_word(struct outcome_word *w, struct slice word)
{
	enum outcome_source source = word.p[0] == 'o' ? OUTCOME_OURS
	    : word.p[0] == 'h'			      ? OUTCOME_HOST
						      : OUTCOME_RECIPIENT;
	enum outcome outcome = word.p[1] == 'L' ? OUTCOME_LATER
	    : word.p[1] == 'F'			? OUTCOME_FAILED
						: OUTCOME_DONE;
	const struct status s = { outcome, 0, { 4, 0, 0 },
		slice_from(word, 2) };

	outcome_add(w, source, &s, SLICE("host"));
}

START_TEST(words)
{
	struct slice rest = slice_str(cases[_i].words), word;
	struct outcome_word w = { .source = OUTCOME_NOBODY };
	char got[4] = "";

	while (slice_split(&rest, ' ', &word))
		add_word(&w, word);
	got[0] = "?ohr"[w.source];
	got[1] = "DLF"[w.outcome];
	got[2] = w.text.p[0];
	ck_assert_msg(strcmp(got, cases[_i].want) == 0, "%s: %s, want %s",
	    cases[_i].words, got, cases[_i].want);
	outcome_fini(&w);
	ck_assert_int_eq(w.source, OUTCOME_NOBODY);
}
END_TEST

/* A host's words are cleaned and cut before anybody else sees them. */
START_TEST(dirty)
{
	struct outcome_word w = { .source = OUTCOME_NOBODY };
	struct status s = { OUTCOME_LATER, 451, { 4, 3, 0 }, SLICE_NONE };
	static char text[5000];

	memset(text, 'x', sizeof text);
	memcpy(text, "a\r\nb\x1b[31m\xff", 11);
	s.text = (struct slice){ text, sizeof text };
	outcome_add(&w, OUTCOME_HOST, &s, SLICE("host"));
	ck_assert_int_eq(strncmp(w.text.p, "a b [31m?", 9), 0);
	ck_assert_uint_eq(w.text.n, 1000);
	outcome_fini(&w);
}
END_TEST

UNIT_SUITE(outcome, {
	tcase_add_loop_test(tc, words, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, dirty);
})
