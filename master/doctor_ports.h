/* SPDX-License-Identifier: ISC */
/* Who listens on a TCP port of this machine, from /proc. */
#ifndef MASTER_DOCTOR_PORTS_H
#define MASTER_DOCTOR_PORTS_H

#include <stddef.h>

enum doctor_port {
	DOCTOR_PORT_FREE,
	DOCTOR_PORT_OURS,   /* a veredusd or one of its roles */
	DOCTOR_PORT_FOREIGN
};

/* The port at the end of "address:port"; 0 when there is none. */
int doctor_port(const char *address);
/* The holder is "name (pid N)", or "another process" when /proc does not let
 * us see. */
enum doctor_port doctor_port_holder(int port, char *holder, size_t size);

#endif
