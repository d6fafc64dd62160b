/* SPDX-License-Identifier: ISC */
/* /proc/net/tcp names the socket's inode; /proc/PID/fd who has it. */
#include "master/doctor_ports.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"

enum { TCP_LISTEN_STATE = 10 };

int
doctor_port(const char *address)
{
	const char *colon = strrchr(address, ':');
	uint64_t port;

	if (colon == NULL ||
	    num_parse(slice_str(colon + 1), 1, 65535, &port) < 0)
		return 0;
	return (int)port;
}

static unsigned long
listening_inode(const char *path, int port)
{
	unsigned long inode, found = 0;
	unsigned local, state;
	char line[512];
	FILE *in = fopen(path, "re");

	while (in != NULL && fgets(line, sizeof line, in) != NULL)
		if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x "
			"%*s %*s %*s %*d %*d %lu", &local, &state, &inode) ==
			3 && (int)local == port && state == TCP_LISTEN_STATE)
			found = inode;
	if (in != NULL)
		(void)fclose(in);
	return found;
}

static bool
has_socket(const char *pid, const char *want)
{
	char dir[300], path[600], target[64];
	struct dirent *e;
	bool found = false;
	ssize_t n;
	DIR *d;

	(void)snprintf(dir, sizeof dir, "/proc/%s/fd", pid);
	d = opendir(dir);
	while (d != NULL && !found && (e = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		n = readlink(path, target, sizeof target - 1);
		if (n <= 0)
			continue;
		target[n] = 0;
		found = strcmp(target, want) == 0;
	}
	if (d != NULL)
		(void)closedir(d);
	return found;
}

static void
name_of(const char *pid, char *name, size_t size)
{
	char path[300];
	FILE *in;

	(void)snprintf(path, sizeof path, "/proc/%s/comm", pid);
	in = fopen(path, "re");
	name[0] = 0;
	if (in == NULL)
		return;
	if (fgets(name, (int)size, in) != NULL)
		name[strcspn(name, "\n")] = 0;
	(void)fclose(in);
}

enum doctor_port
doctor_port_holder(int port, char *holder, size_t size)
{
	unsigned long inode = listening_inode("/proc/net/tcp", port);
	enum doctor_port result = DOCTOR_PORT_FOREIGN;
	char want[64], name[64];
	struct dirent *e;
	DIR *d;

	if (inode == 0)
		inode = listening_inode("/proc/net/tcp6", port);
	if (inode == 0)
		return DOCTOR_PORT_FREE;
	(void)snprintf(want, sizeof want, "socket:[%lu]", inode);
	(void)snprintf(holder, size, "another process");
	d = opendir("/proc");
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9' ||
		    !has_socket(e->d_name, want))
			continue;
		name_of(e->d_name, name, sizeof name);
		(void)snprintf(holder, size, "%s (pid %s)", name, e->d_name);
		if (strcmp(name, "veredusd") == 0) {
			result = DOCTOR_PORT_OURS;
			break;
		}
	}
	if (d != NULL)
		(void)closedir(d);
	return result;
}
