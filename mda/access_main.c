/* SPDX-License-Identifier: ISC */
#include "mda/access.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &access_role);
}
