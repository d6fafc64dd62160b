/* SPDX-License-Identifier: ISC */
/*
 * Checks of values that need more than a type and bounds, so that a wrong
 * address is told with its line when the file is read, not by the role that
 * would refuse it at the start.
 */
#include "master/config_value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "conf/conf_certificate.h"
#include "sys/sockaddr.h"

typedef int check_fn(const struct conf_def *d, const char *value,
    struct buf *why);

static check_fn check_listen, check_network, check_server;

static const struct {
	const char *section, *option;
	check_fn *check;
} checks[] = {
	{ "access", "imap", check_listen },
	{ "access", "imaps", check_listen },
	{ "access", "pop3", check_listen },
	{ "access", "pop3s", check_listen },
	{ "lmtp", "listen", check_listen },
	{ "lmtp", "trusted_networks", check_network },
	{ "server", "name_servers", check_server },
	{ "smtpd", "allow_clients", check_network },
	{ "smtpd", "block_clients", check_network },
	{ "smtpd", "listen", check_listen },
	{ "smtpd", "trusted_networks", check_network },
	{ "submission", "listen", check_listen },
	{ "submission", "listen_tls", check_listen },
};

/* As listeners.c takes it: a path, any:port, address:port. */
static int
check_listen(const struct conf_def *d, const char *value, struct buf *why)
{
	struct sockaddr_storage sa;
	socklen_t len;
	uint64_t port;

	if (value[0] == '/')
		return 0;
	if (strncmp(value, "*:", 2) == 0 &&
	    num_parse(slice_str(value + 2), 1, 65535, &port) == 0)
		return 0;
	if (sockaddr_parse(slice_str(value), 0, &sa, &len) == 0 &&
	    sockaddr_port((const struct sockaddr *)&sa, len) != 0)
		return 0;
	buf_addf(why, "%s: \"%s\" is not an address with a port, such as "
	    "*:25, 192.0.2.1:25 or [::1]:25", d->name, value);
	return -1;
}

static int
check_network(const struct conf_def *d, const char *value, struct buf *why)
{
	struct cidr net;

	if (cidr_parse(slice_str(value), &net) == 0)
		return 0;
	buf_addf(why, "%s: \"%s\" is not a network such as 192.0.2.0/24 or "
	    "2001:db8::/32", d->name, value);
	return -1;
}

static int
check_server(const struct conf_def *d, const char *value, struct buf *why)
{
	struct sockaddr_storage sa;
	socklen_t len;

	if (sockaddr_parse(slice_str(value), 53, &sa, &len) == 0)
		return 0;
	buf_addf(why, "%s: \"%s\" is not an address such as 192.0.2.1 or "
	    "[2001:db8::1]:5353", d->name, value);
	return -1;
}

int
config_value_check(const struct conf_section *s, const struct conf_def *d,
    const char *value, struct buf *why)
{
	size_t i;

	for (i = 0; i < sizeof checks / sizeof *checks; i++)
		if (strcmp(checks[i].section, s->name) == 0 &&
		    strcmp(checks[i].option, d->name) == 0)
			return checks[i].check(d, value, why);
	return 0;
}

static int
check_file(const struct config *c, const char *title, const char *option,
    const char *path, struct buf *why)
{
	FILE *in = fopen(path, "re");

	if (in == NULL) {
		buf_addf(why, "%s: certificate %s: %s \"%s\": %s\n", c->file,
		    title, option, path, strerror(errno));
		return -1;
	}
	(void)fclose(in);
	return 0;
}

int
config_files_check(const struct config *c, struct buf *why)
{
	struct conf_certificate conf;
	const char *title = NULL;
	struct region mem;
	int result = 0;

	while ((title = config_next_title(c, &conf_certificate_section,
		    title)) != NULL) {
		region_init(&mem, 1 << 20);
		config_fill(c, &conf_certificate_section, title, &conf, &mem);
		if (check_file(c, title, "chain", conf.chain, why) < 0 ||
		    check_file(c, title, "key", conf.key, why) < 0)
			result = -1;
		region_fini(&mem);
	}
	return result;
}
