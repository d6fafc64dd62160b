/* SPDX-License-Identifier: ISC */
#include "mta/relay.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &relay_role);
}
