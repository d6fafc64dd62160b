/* SPDX-License-Identifier: ISC */
#include "resolver/resolver.h"
#include "sys/daemon.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &resolver_role);
}
