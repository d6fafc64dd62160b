/* SPDX-License-Identifier: ISC */
#include "mda/lmtp.h"
#include "sys/daemon.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &lmtp_role);
}
