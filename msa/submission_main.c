/* SPDX-License-Identifier: ISC */
#include "msa/submission.h"
#include "sys/daemon.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &submission_role);
}
