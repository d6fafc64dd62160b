/* SPDX-License-Identifier: ISC */
/* veredusd: reads the configuration, starts the roles, introduces them,
 * restarts what dies, reloads, stops. */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

/* The whole of veredusd; returns its exit status. */
int master_main(int argc, char **argv);

#endif
