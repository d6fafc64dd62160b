/* SPDX-License-Identifier: ISC */
#include "auth/directory.h"
#include "sys/daemon.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &directory_role);
}
