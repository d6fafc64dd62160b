/* SPDX-License-Identifier: ISC */
#include "auth/auth.h"
#include "sys/daemon.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &auth_role);
}
