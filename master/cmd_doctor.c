/* SPDX-License-Identifier: ISC */
/*
 * `veredus doctor`: looks for what is wrong, as an experienced colleague would:
 * configuration, the server, clock, disk, rights, ports, certificates, DNS,
 * mandatory addresses. A line per finding; exit 1 when anything is wrong.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "conf/conf_certificate.h"
#include "conf/conf_sections.h"
#include "master/doctor_ports.h"
#include "master/table_out.h"
#include "master/veredus.h"
#include "proto/ip.h"
#include "sys/row.h"

enum level { GOOD, WARNING, WRONG };

static struct {
	struct veredus *v;
	struct table_out *json;
	int wrong, warnings;
} self;

static void
say(enum level level, const char *check, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
say(enum level level, const char *check, const char *fmt, ...)
{
	static const char *const names[] = { "good", "warning", "WRONG" };
	struct buf text, row;
	va_list ap;

	buf_init(&text, 4096);
	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	if (self.json != NULL) {
		buf_init(&row, 8192);
		row_pair_str(&row, "check", check);
		row_pair_str(&row, "result", names[level]);
		row_pair(&row, "text", buf_slice(&text));
		table_out_row(self.json, buf_slice(&row));
		buf_fini(&row);
	} else {
		(void)printf("%-8s %-14s %s\n", names[level], check, text.p);
	}
	self.wrong += level == WRONG;
	self.warnings += level == WARNING;
	buf_fini(&text);
}

/* ---- clock, disk, rights ---- */

static void
check_clock(void)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);

	if (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
		say(WARNING, "clock", "the kernel says that the clock is not "
		    "synchronised: run an NTP client");
	else
		say(GOOD, "clock", "synchronised");
}

static void
check_disk(const char *what, const char *path)
{
	struct statvfs st;
	double free_mb, part;

	if (statvfs(path, &st) < 0) {
		say(WRONG, "disk", "%s %s: %s", what, path, strerror(errno));
		return;
	}
	free_mb = (double)st.f_bavail * (double)st.f_frsize / 1048576;
	part = st.f_blocks == 0 ? 1
	    : (double)st.f_bavail / (double)st.f_blocks;
	say(free_mb < 200 ? WRONG : part < 0.05 ? WARNING : GOOD, "disk",
	    "%s %s: %.0f MB free (%.0f %%)%s", what, path, free_mb,
	    part * 100,
	    free_mb < 200 ? "; mail is refused below min_free" : "");
	if (st.f_files > 0 && (double)st.f_favail / (double)st.f_files < 0.05)
		say(WARNING, "disk", "%s %s: few inodes are left", what, path);
}

static void
check_folder(const char *what, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		say(WRONG, "rights", "%s %s: %s", what, path,
		    strerror(errno));
	else if ((st.st_mode & 022) != 0)
		say(WRONG, "rights", "%s %s can be written by others (mode "
		    "%03o)", what, path, (unsigned)st.st_mode & 0777);
	else
		say(GOOD, "rights", "%s %s", what, path);
}

static void
check_places(void)
{
	const struct conf_server *s = &self.v->server;
	size_t i;

	check_disk("state_dir", s->state_dir);
	check_folder("state_dir", s->state_dir);
	check_folder("run_dir", s->run_dir);
	for (i = 0; i < s->mail_roots.n; i++) {
		check_disk("mail root", s->mail_roots.v[i]);
		check_folder("mail root", s->mail_roots.v[i]);
	}
}

/* ---- certificates ---- */

static void
check_names(const char *title, X509 *cert)
{
	const char *host = self.v->server.hostname;

	if (host[0] != 0 && X509_check_host(cert, host, 0, 0, NULL) != 1)
		say(WARNING, "certificate", "%s does not name this server, "
		    "%s", title, host);
}

static void
check_certificate(const char *title, const struct conf_certificate *c)
{
	FILE *in = fopen(c->chain, "re");
	X509 *cert = in == NULL ? NULL : PEM_read_X509(in, NULL, NULL, NULL);
	struct stat st;
	int days = 0, seconds = 0;

	if (in != NULL)
		(void)fclose(in);
	if (cert == NULL) {
		say(WRONG, "certificate", "%s: %s is no readable certificate",
		    title, c->chain);
		return;
	}
	if (ASN1_TIME_diff(&days, &seconds, NULL,
		X509_get0_notAfter(cert)) == 1)
		say(days < 0 || seconds < 0 ? WRONG : days < 14 ? WARNING
								: GOOD,
		    "certificate", "%s: %s %d days", title,
		    days < 0 || seconds < 0 ? "expired since" : "good for",
		    days < 0 ? -days : days);
	check_names(title, cert);
	X509_free(cert);
	if (stat(c->key, &st) < 0)
		say(WRONG, "certificate", "%s: key %s: %s", title, c->key,
		    strerror(errno));
	else if ((st.st_mode & 077) != 0)
		say(WRONG, "certificate", "%s: key %s can be read by others "
		    "(mode %03o)", title, c->key,
		    (unsigned)st.st_mode & 0777);
}

static void
check_certificates(void)
{
	struct conf_certificate c;
	const char *title = NULL;
	struct region mem;
	int n = 0;

	while ((title = config_next_title(self.v->config,
		    &conf_certificate_section, title)) != NULL) {
		region_init(&mem, 1 << 20);
		config_fill(self.v->config, &conf_certificate_section, title,
		    &c, &mem);
		check_certificate(title, &c);
		region_fini(&mem);
		n++;
	}
	if (n == 0)
		say(WRONG, "certificate", "none is configured: no TLS, so "
		    "users cannot log in");
}

/* ---- the running server ---- */

enum { VALUES_MAX = 8 };

/* The values of one key, of all rows that have it. */
struct answer {
	const char *key;
	char values[VALUES_MAX][256];
	size_t n;
};

static void
on_row(void *arg, struct slice row)
{
	struct answer *a = arg;
	struct slice value = row_get(row, a->key);

	if (value.n > 0 && a->n < VALUES_MAX)
		(void)snprintf(a->values[a->n++], sizeof a->values[0], "%.*s",
		    SLICE_FMT(value));
}

static int
ask(const char *verb, struct slice args, const char *key, struct answer *a,
    struct buf *text)
{
	*a = (struct answer){ .key = key };
	return ctl_run(self.v->ctl, verb, args, on_row, a, text);
}

/* Records by the server's own resolver; 0, or -1 and why there are none. */
static int
look_up(const char *type, const char *name, struct answer *a, struct buf *why)
{
	struct buf args;
	int result;

	buf_init(&args, 2048);
	row_pair_str(&args, "type", type);
	row_pair_str(&args, "name", name);
	result = ask("dns lookup", buf_slice(&args), "data", a, why);
	buf_fini(&args);
	if (why->n == 0)
		buf_add_str(why, "none");
	return result == 0 && a->n > 0 ? 0 : -1;
}

static void
check_mx(const char *domain)
{
	struct answer a;
	struct buf why;

	buf_init(&why, 4096);
	if (look_up("MX", domain, &a, &why) < 0)
		say(WARNING, "dns", "MX %s: %s", domain, why.p);
	else
		say(GOOD, "dns", "MX %s: %s%s", domain, a.values[0],
		    a.n > 1 ? " …" : "");
	buf_fini(&why);
}

/* Other servers look up the name of an address that they are sent mail from,
 * and many refuse it when that is not the name we say. */
static void
check_ptr(const char *address, const char *host)
{
	struct buf name, why;
	struct answer a;
	struct ip ip;
	size_t i;

	if (ip_parse(slice_str(address), &ip) < 0)
		return;
	buf_init(&name, 256);
	buf_init(&why, 4096);
	ip_add_reverse(&name, &ip, SLICE_NONE);
	if (look_up("PTR", name.p, &a, &why) < 0) {
		say(WARNING, "dns", "PTR %s: %s", address, why.p);
	} else {
		for (i = 0; i < a.n; i++)
			if (slice_ieq_str(slice_str(a.values[i]), host))
				break;
		say(i < a.n ? GOOD : WARNING, "dns", "PTR %s: %s%s%s", address,
		    a.values[i < a.n ? i : 0],
		    i < a.n ? "" : ", but this server says that it is ",
		    i < a.n ? "" : host);
	}
	buf_fini(&name);
	buf_fini(&why);
}

static void
check_host(const char *host)
{
	static const char *const types[] = { "A", "AAAA" };
	size_t i, k, found = 0;
	struct answer a;
	struct buf why;

	buf_init(&why, 4096);
	for (i = 0; i < sizeof types / sizeof *types; i++) {
		buf_reset(&why);
		if (look_up(types[i], host, &a, &why) < 0)
			continue;
		for (k = 0; k < a.n; k++) {
			say(GOOD, "dns", "%s %s: %s", types[i], host,
			    a.values[k]);
			check_ptr(a.values[k], host);
		}
		found += a.n;
	}
	if (found == 0)
		say(WARNING, "dns", "%s has no address: %s", host, why.p);
	buf_fini(&why);
}

static void
check_address(const char *local, const char *domain)
{
	static const char *const good[] = { "account", "alias", "relay",
		"remote" };
	struct buf args, text;
	struct answer a;
	char address[330];
	size_t i;

	(void)snprintf(address, sizeof address, "%s@%s", local, domain);
	buf_init(&args, 1024);
	buf_init(&text, 4096);
	row_pair_str(&args, "address", address);
	if (ask("address test", buf_slice(&args), "kind", &a, &text) != 0 ||
	    a.n == 0) {
		say(WRONG, "addresses", "%s: %s", address, text.p);
	} else {
		for (i = 0; i < 4 && strcmp(good[i], a.values[0]) != 0; i++)
			;
		say(i < 4 ? GOOD : WRONG, "addresses", "%s: %s (%s)", address,
		    i < 4 ? "deliverable" : "nobody gets its mail",
		    a.values[0]);
	}
	buf_fini(&args);
	buf_fini(&text);
}

struct domains {
	char names[64][256];
	size_t n;
};

static void
on_domain(void *arg, struct slice row)
{
	struct domains *d = arg;
	struct slice name = row_get(row, "domain");

	if (name.n > 0 && d->n < 64)
		(void)snprintf(d->names[d->n++], sizeof d->names[0], "%.*s",
		    SLICE_FMT(name));
}

static void
check_domains(void)
{
	static struct domains d;
	struct buf text;
	size_t i;

	buf_init(&text, 4096);
	if (ctl_run(self.v->ctl, "domain list", SLICE_NONE, on_domain, &d,
		&text) != 0)
		say(WRONG, "domains", "%s", text.p);
	else if (d.n == 0)
		say(WARNING, "domains", "no domain yet: veredus domain add "
		    "example.com");
	for (i = 0; i < d.n; i++) {
		check_mx(d.names[i]);
		check_address("postmaster", d.names[i]);
		check_address("abuse", d.names[i]);
	}
	buf_fini(&text);
}

static void
check_server(void)
{
	bool stopped = false;
	char host[256] = "";
	struct buf why;

	buf_init(&why, 4096);
	self.v->ctl = ctl_connect(self.v->server.run_dir, &stopped, &why);
	if (self.v->ctl == NULL) {
		say(stopped ? WARNING : WRONG, "server", "%s", why.p);
	} else {
		say(GOOD, "server", "running");
		if (self.v->server.hostname[0] != 0)
			check_host(self.v->server.hostname);
		else if (gethostname(host, sizeof host - 1) == 0)
			check_host(host);
		check_domains();
	}
	buf_fini(&why);
}

/* ---- ports ---- */

static void
check_port(const char *option, const char *address)
{
	char holder[128];
	int port;

	if (address[0] == '/')
		return;
	port = doctor_port(address);
	switch (doctor_port_holder(port, holder, sizeof holder)) {
	case DOCTOR_PORT_FREE:
		if (self.v->ctl == NULL)
			say(GOOD, "ports", "%s %s: free", option, address);
		else
			say(WRONG, "ports", "%s %s: nobody listens there",
			    option, address);
		break;
	case DOCTOR_PORT_OURS:
		say(GOOD, "ports", "%s %s: ours", option, address);
		break;
	case DOCTOR_PORT_FOREIGN:
		say(WRONG, "ports", "%s %s: taken by %s", option, address,
		    holder);
		break;
	}
}

static void
check_ports(void)
{
	static const char *const options[][2] = {
		{ "smtpd", "listen" }, { "submission", "listen" },
		{ "submission", "listen_tls" }, { "lmtp", "listen" },
		{ "access", "imap" }, { "access", "imaps" },
		{ "access", "pop3" }, { "access", "pop3s" },
	};
	const struct conf_section *s;
	const struct conf_list *list;
	struct region mem;
	char name[80];
	size_t i, k;
	void *conf;

	for (i = 0; i < sizeof options / sizeof *options; i++) {
		s = conf_section_find(slice_str(options[i][0]));
		conf = calloc(1, s->size);
		if (conf == NULL)
			abort();
		region_init(&mem, 1 << 20);
		config_fill(self.v->config, s, "", conf, &mem);
		list = (const void *)((const char *)conf +
		    conf_find(s, slice_str(options[i][1]))->offset);
		(void)snprintf(name, sizeof name, "%s.%s", options[i][0],
		    options[i][1]);
		for (k = 0; k < list->n; k++)
			check_port(name, list->v[k]);
		region_fini(&mem);
		free(conf);
	}
}

int
cmd_doctor(struct veredus *v, int argc, char **argv)
{
	int result;

	(void)argv;
	if (argc > 1)
		return 64;
	result = veredus_read_config(v);
	if (result != 0)
		return result;
	self.v = v;
	self.json = v->json ? table_out_new(true) : NULL;
	say(GOOD, "configuration", "%s", v->file);
	check_server();
	check_clock();
	check_places();
	check_certificates();
	check_ports();
	if (self.json != NULL)
		(void)table_out_end(&self.json);
	else
		(void)printf("%d wrong, %d warnings\n", self.wrong,
		    self.warnings);
	return self.wrong > 0;
}
