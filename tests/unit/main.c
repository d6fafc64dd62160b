/* SPDX-License-Identifier: ISC */
/* Runs all suites of one layer (SUITES_H names its list). Any arguments name
 * the suites to run. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define S(name) Suite *suite_##name(void);
#include SUITES_H
#undef S

static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
#define S(name) { #name, suite_##name },
#include SUITES_H
#undef S
};

int
main(int argc, char **argv)
{
	SRunner *runner = srunner_create(NULL);
	int failed, k;
	size_t i;

	for (i = 0; i < sizeof suites / sizeof *suites; i++) {
		for (k = 1; k < argc; k++)
			if (strcmp(argv[k], suites[i].name) == 0)
				break;
		if (argc == 1 || k < argc)
			srunner_add_suite(runner, suites[i].make());
	}
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
