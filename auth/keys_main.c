/* SPDX-License-Identifier: ISC */
#include "auth/keys.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &keys_role);
}
