/* SPDX-License-Identifier: ISC */
#include "mda/broker.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &broker_role);
}
