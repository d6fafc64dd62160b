/* SPDX-License-Identifier: ISC */
/* sendmail(1), mailq, newaliases, as the world's programs call them. */
#ifndef MSA_SENDMAIL_H
#define MSA_SENDMAIL_H

/* The whole of the program; its exit status is one of sysexits. */
int sendmail_main(int argc, char **argv);

#endif
