/* SPDX-License-Identifier: ISC */
#include "msa/sendmail.h"

int
main(int argc, char **argv)
{
	return sendmail_main(argc, argv);
}
