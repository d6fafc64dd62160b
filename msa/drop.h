/* SPDX-License-Identifier: ISC */
/* The set-gid program that puts a message into the drop folder. */
#ifndef MSA_DROP_H
#define MSA_DROP_H

/* The whole of drop; its exit status is one of sysexits. */
int drop_main(int argc, char **argv);

#endif
