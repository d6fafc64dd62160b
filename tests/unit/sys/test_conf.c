/* SPDX-License-Identifier: ISC */
#include "sys/conf.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_sections.h"
#include "tests/unit/unit.h"

struct sample {
	const char *name, *word;
	int64_t number, time, size;
	bool flag;
	struct conf_list list;
};

static const struct conf_def rows[] = {
	CONF(sample, STR, name, "x", 1, 8, CONF_LIVE, "A name."),
	CONF_ONE_OF(sample, word, "one", "one|two", CONF_LIVE, "A word."),
	CONF(sample, INT, number, "5", -1, 10, CONF_LIVE, "A number."),
	CONF(sample, TIME, time, "5m", 1000, 86400000, CONF_LIVE, "A time."),
	CONF(sample, SIZE, size, "1M", 0, 1 << 30, CONF_LIVE, "A size."),
	CONF(sample, BOOL, flag, "no", 0, 0, CONF_LIVE, "A flag."),
	CONF(sample, LIST, list, "a\nb", 0, 3, CONF_LIVE, "A list."),
};
static CONF_SECTION(section, "sample", false, sample, rows, "A sample.");

static const struct {
	const char *name, *value;
	int result;
	const char *want; /* as written back, or a piece of the reason */
} cases[] = {
	{ "name", "hello", 0, "hello" },
	{ "name", "", -1, "must have 1 to 8" },
	{ "name", "ninechars", -1, "has 9 characters" },
	{ "word", "TWO", 0, "two" },
	{ "word", "three", -1, "one of one, two" },
	{ "number", "-1", 0, "-1" },
	{ "number", "11", -1, "between -1 and 10" },
	{ "number", "5x", -1, "a whole number" },
	{ "number", "99999999999999999999", -1, "a whole number" },
	{ "time", "90", 0, "90s" },
	{ "time", "2h", 0, "2h" },
	{ "time", "36h", -1, "between 1 and 86400 seconds" },
	{ "time", "soon", -1, "a time such as" },
	{ "size", "64k", 0, "64K" },
	{ "size", "2T", -1, "between" },
	{ "flag", "YES", 0, "yes" },
	{ "flag", "maybe", -1, "yes or no" },
	{ "list", "", 0, "" },
	{ "list", "x\ny\nz", 0, "x\ny\nz" },
	{ "list", "1\n2\n3\n4", -1, "has 4 entries" },
	{ "numer", "1", -1, "did you mean \"number\"?" },
	{ "wholly-else", "1", -1, "has no option \"wholly-else\"" },
};

START_TEST(sets)
{
	const struct conf_def *d;
	struct buf why, out;
	struct region mem;
	struct sample s;

	buf_init(&why, 1000);
	buf_init(&out, 1000);
	region_init(&mem, 100000);
	conf_defaults(&section, &s, &mem);
	ck_assert_int_eq(s.time, 300000);
	ck_assert_uint_eq(s.list.n, 2);
	ck_assert_msg(conf_set(&section, &s, &mem, slice_str(cases[_i].name),
			  slice_str(cases[_i].value), &why) ==
	    cases[_i].result, "%s = %s: %s", cases[_i].name, cases[_i].value,
	    why.p);
	d = conf_find(&section, slice_str(cases[_i].name));
	if (cases[_i].result == 0) {
		conf_format(d, &s, &out);
		ck_assert_str_eq(out.p, cases[_i].want);
		ck_assert_uint_eq(why.n, 0);
	} else {
		ck_assert_msg(strstr(why.p, cases[_i].want) != NULL, "%s",
		    why.p);
	}
	region_fini(&mem);
	buf_fini(&why);
	buf_fini(&out);
}
END_TEST

/* Every declared option: its default is valid and reads back the same, and it
 * has a sentence. */
START_TEST(all_sections)
{
	const struct conf_section *s = conf_sections[_i];
	struct region mem;
	struct buf out, why;
	void *conf = calloc(1, s->size), *again = calloc(1, s->size);
	size_t i, n;

	buf_init(&out, 10000);
	buf_init(&why, 1000);
	region_init(&mem, 1 << 20);
	conf_defaults(s, conf, &mem);
	conf_defaults(s, again, &mem);
	for (i = 0; i < s->n; i++) {
		n = strlen(s->defs[i].doc);
		ck_assert_msg(n > 10 && s->defs[i].doc[n - 1] == '.',
		    "%s.%s: \"%s\"", s->name, s->defs[i].name,
		    s->defs[i].doc);
		buf_reset(&out);
		conf_format(&s->defs[i], conf, &out);
		ck_assert_msg(conf_set(s, again, &mem,
				  slice_str(s->defs[i].name), buf_slice(&out),
				  &why) == 0, "%s", why.p);
		ck_assert(conf_is_same(&s->defs[i], conf, again));
	}
	region_fini(&mem);
	buf_fini(&out);
	free(conf);
	free(again);
}
END_TEST

UNIT_SUITE(conf, {
	tcase_add_loop_test(tc, sets, 0,
	    (int)(sizeof cases / sizeof *cases));
	tcase_add_loop_test(tc, all_sections, 0, (int)conf_n_sections);
})
