/* SPDX-License-Identifier: ISC */
/* A list of networks; there are few: it is searched from its beginning. */
#include "sys/networks.h"

#include <stdlib.h>

#include "base/buf.h"
#include "sys/conf.h"
#include "sys/log.h"
#include "sys/sockaddr.h"

int
networks_parse(const struct conf_list *from, const char *option,
    struct networks *out_r, struct buf *why)
{
	struct cidr *v = calloc(from->n + 1, sizeof *v);
	size_t i;

	*out_r = (struct networks){ 0 };
	if (v == NULL)
		fatal("event=no_memory for=networks");
	for (i = 0; i < from->n; i++) {
		if (cidr_parse(slice_str(from->v[i]), &v[i]) == 0)
			continue;
		buf_addf(why, "%s: \"%s\" is not a network such as "
		    "192.0.2.0/24 or 2001:db8::/32", option, from->v[i]);
		free(v);
		return -1;
	}
	*out_r = (struct networks){ v, from->n };
	return 0;
}

void
networks_fini(struct networks *nets)
{
	free(nets->v);
	*nets = (struct networks){ 0 };
}

bool
networks_has(const struct networks *nets, const struct sockaddr *sa,
    socklen_t len)
{
	size_t i;

	for (i = 0; i < nets->n; i++)
		if (cidr_has(&nets->v[i], sa, len))
			return true;
	return false;
}
