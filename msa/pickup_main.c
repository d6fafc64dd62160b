/* SPDX-License-Identifier: ISC */
#include "msa/pickup.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &pickup_role);
}
