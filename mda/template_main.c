/* SPDX-License-Identifier: ISC */
#include "mda/template.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &template_role);
}
