/* SPDX-License-Identifier: ISC */
/*
 * Stands in for libFuzzer: feeds a fuzz target the files named as arguments,
 * or all files of $FUZZ_CORPUS/NAME for a program called fuzz_NAME, each whole
 * and cut at every length up to 64.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { MAX_SEED = 4 << 20 };

static int
feed(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data, *exact;
	size_t n, k;

	if (f == NULL)
		return -1;
	data = malloc(MAX_SEED);
	if (data == NULL)
		abort();
	n = fread(data, 1, MAX_SEED, f);
	(void)fclose(f);
	for (k = 0; k <= n; k = k < 64 && k < n ? k + 1 : k < n ? n : n + 1) {
		exact = malloc(k == 0 ? 1 : k);
		if (exact == NULL)
			abort();
		memcpy(exact, data, k);
		(void)LLVMFuzzerTestOneInput(exact, k);
		free(exact);
	}
	free(data);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *corpus = getenv("FUZZ_CORPUS"), *name;
	struct dirent *e;
	char path[4096];
	int i, fed = 0;
	DIR *d;

	for (i = 1; i < argc; i++)
		fed += feed(argv[i]) == 0;
	if (argc == 1) {
		name = strrchr(argv[0], '/');
		name = name == NULL ? argv[0] : name + 1;
		if (strncmp(name, "fuzz_", 5) != 0 || corpus == NULL)
			return 2;
		(void)snprintf(path, sizeof path, "%s/%s", corpus, name + 5);
		d = opendir(path);
		while (d != NULL && (e = readdir(d)) != NULL) {
			(void)snprintf(path, sizeof path, "%s/%s/%s", corpus,
			    name + 5, e->d_name);
			if (e->d_name[0] != '.')
				fed += feed(path) == 0;
		}
		if (d != NULL)
			(void)closedir(d);
	}
	(void)printf("%d seeds\n", fed);
	return fed > 0 ? 0 : 1;
}
