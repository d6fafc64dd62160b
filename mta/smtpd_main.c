/* SPDX-License-Identifier: ISC */
#include "mta/smtpd.h"
#include "sys/daemon.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &smtpd_role);
}
