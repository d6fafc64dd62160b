/* SPDX-License-Identifier: ISC */
/* A list of networks, as an option names it, parsed once per configuration. */
#ifndef SYS_NETWORKS_H
#define SYS_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct buf;
struct cidr;
struct conf_list;

/* All zero is an empty one. */
struct networks {
	struct cidr *v;
	size_t n;
};

/* Makes *out_r of the option's value. -1 when one of them is no network, with
 * the reason in `why`; *out_r is then empty. */
int networks_parse(const struct conf_list *from, const char *option,
    struct networks *out_r, struct buf *why)
    __attribute__((warn_unused_result));
void networks_fini(struct networks *nets);
/* Is the address in one of them? */
bool networks_has(const struct networks *nets, const struct sockaddr *sa,
    socklen_t len);

#endif
