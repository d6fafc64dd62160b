/* SPDX-License-Identifier: ISC */
#include "master/veredus.h"

int
main(int argc, char **argv)
{
	return veredus_main(argc, argv);
}
