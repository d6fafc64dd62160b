/* SPDX-License-Identifier: ISC */
/*
 * PTR, then the addresses of the name it gives (RFC 8601 2.7.3 calls the
 * confirmed one "iprev"). It runs beside the session, which never waits for
 * it. Several PTR records: the first one that is a name counts.
 */
#include "mta/names.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "proto/dns.h"
#include "proto/domain.h"
#include "proto/ip.h"
#include "proto/limits.h"
#include "sys/daemon.h"

enum { LOOKUP_MS = 10000 };

struct names_lookup {
	struct ip ip;
	struct ipc_call *call;
	struct buf name;
	bool is_confirmed;
};

static void
on_addresses(void *arg, int type, const union ipc_any *m, int fd)
{
	struct names_lookup *n = arg;
	struct slice left;
	struct ip ip;

	(void)type;
	(void)fd;
	n->call = NULL;
	if (m == NULL || m->DNS_ANSWER.status != DNS_OK)
		return;
	left = m->DNS_ANSWER.records;
	while (!n->is_confirmed && dns_next_ip(&left, &ip))
		n->is_confirmed = ip_is_same(&ip, &n->ip);
}

static void
on_pointer(void *arg, int type, const union ipc_any *m, int fd)
{
	struct ipc_link *resolver = daemon_peer(ROLE_RESOLVER);
	struct names_lookup *n = arg;
	struct slice left, name = SLICE_NONE;

	(void)type;
	(void)fd;
	n->call = NULL;
	if (m == NULL || m->DNS_ANSWER.status != DNS_OK || resolver == NULL)
		return;
	left = m->DNS_ANSWER.records;
	while (dns_next_ptr(&left, &name)) {
		if (name.n > 1 && name.p[name.n - 1] == '.')
			name.n--;
		if (domain_is_valid(name))
			break;
		name = SLICE_NONE;
	}
	if (name.n == 0)
		return;
	buf_add_slice(&n->name, name);
	n->call = ipc_ask(resolver, DNS_ASK, -1, LOOKUP_MS, on_addresses, n,
	    .type = n->ip.family == IP_V6 ? DNS_AAAA : DNS_A,
	    .name = buf_slice(&n->name));
}

static int
ip_of(const struct sockaddr *sa, socklen_t len, struct ip *ip_r)
{
	const struct sockaddr_in *four = (const void *)sa;
	const struct sockaddr_in6 *six = (const void *)sa;

	if (len >= sizeof *four && sa->sa_family == AF_INET)
		return ip_from_bytes((struct slice){
		    (const char *)&four->sin_addr, 4 }, ip_r);
	if (len >= sizeof *six && sa->sa_family == AF_INET6)
		return ip_from_bytes((struct slice){
		    (const char *)&six->sin6_addr, 16 }, ip_r);
	return -1;
}

struct names_lookup *
names_begin(const struct sockaddr *sa, socklen_t len)
{
	struct ipc_link *resolver = daemon_peer(ROLE_RESOLVER);
	struct names_lookup *n;
	struct buf question;
	struct ip ip;

	if (resolver == NULL || ip_of(sa, len, &ip) < 0)
		return NULL;
	n = calloc(1, sizeof *n);
	if (n == NULL)
		return NULL;
	n->ip = ip;
	buf_init(&n->name, LIMIT_DNS_NAME + 1);
	buf_init(&question, LIMIT_DNS_NAME + 1);
	ip_add_reverse(&question, &ip, SLICE_NONE);
	n->call = ipc_ask(resolver, DNS_ASK, -1, LOOKUP_MS, on_pointer, n,
	    .type = DNS_PTR, .name = buf_slice(&question));
	buf_fini(&question);
	return n;
}

struct slice
names_found(const struct names_lookup *n)
{
	return n != NULL && n->is_confirmed ? buf_slice(&n->name) : SLICE_NONE;
}

void
names_end(struct names_lookup **np)
{
	struct names_lookup *n = *np;

	*np = NULL;
	if (n == NULL)
		return;
	ipc_call_cancel(&n->call);
	buf_fini(&n->name);
	free(n);
}
