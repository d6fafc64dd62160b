/* SPDX-License-Identifier: ISC */
#include "queue/queue.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &queue_role);
}
