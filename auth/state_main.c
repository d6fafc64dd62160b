/* SPDX-License-Identifier: ISC */
#include "auth/state.h"
#include "sys/daemon.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &state_role);
}
