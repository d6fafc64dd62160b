/* SPDX-License-Identifier: ISC */
#include "msa/drop.h"

int
main(int argc, char **argv)
{
	return drop_main(argc, argv);
}
