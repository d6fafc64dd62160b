/* SPDX-License-Identifier: ISC */
/*
 * What the bare machine can do, with as many threads as a server would have
 * work at once: the limit that no server can beat.
 *
 *	bench_files -m new -d dir [-w writers] [-n files] [-l size] [-D]
 *	bench_files -m recycled -d dir [-w writers] [-n files] [-l size]
 *	bench_files -m loopback [-w pairs] [-n round-trips]
 *	bench_files -m tls [-w threads] [-n handshakes]
 *
 * and each with [-x seconds].
 *
 * new: each file is made in DIR/tmp, written, fsync'd and renamed to DIR/new.
 * The folder is not fsync'd, as most Maildir deliveries leave it; -D does that
 * too. recycled: files of a pool in DIR/pool that exist and are open already
 * are overwritten and fdatasync'd. loopback: 100 bytes over TCP and back.
 * tls: full TLS 1.3 handshakes, both ends in this process and in memory, with
 * a P-256 key.
 *
 * Nothing is deleted: after many deletions some file systems are slow for
 * minutes. Preparations are not counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/load/load.h"

enum { POOL = 32, TRIP = 100, PATH_BYTES = 4096 };

struct writer {
	pthread_t thread, echo;
	unsigned number;
	uint64_t share, done;
	int pool[POOL];
	int near, far; /* of a pair of sockets */
};

struct mode {
	const char *name;
	bool has_files;
	void (*prepare)(struct writer *w);
	void (*work)(struct writer *w, uint64_t number);
};

static struct {
	struct load load;
	const struct mode *mode;
	const char *dir;
	uint64_t files, writers;
	bool syncs_folder;
	char *text; /* of each file */
	int tmp, new, pool;
	int64_t end_us;
	SSL_CTX *client, *server;
} self = { .files = 1000, .writers = 1, .tmp = -1, .new = -1, .pool = -1 };

/* ---- files ---- */

static void
write_all(int fd, const char *name)
{
	size_t at = 0;
	ssize_t n;

	while (at < self.load.size) {
		n = pwrite(fd, self.text + at, self.load.size - at, (off_t)at);
		if (n < 0)
			load_die("%s: %s", name, strerror(errno));
		at += (size_t)n;
	}
}

static int
open_folder(const char *name)
{
	char path[PATH_BYTES];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", self.dir, name);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		load_die("%s: %s", path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		load_die("%s: %s", path, strerror(errno));
	return fd;
}

static void
new_work(struct writer *w, uint64_t number)
{
	char name[64];
	int fd;

	(void)snprintf(name, sizeof name, "%llx.%x.%llu",
	    (unsigned long long)self.load.began_us, w->number,
	    (unsigned long long)number);
	fd = openat(self.tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	if (fd < 0)
		load_die("%s: %s", name, strerror(errno));
	write_all(fd, name);
	if (fsync(fd) < 0 || renameat(self.tmp, name, self.new, name) < 0 ||
	    (self.syncs_folder && fsync(self.new) < 0))
		load_die("%s: %s", name, strerror(errno));
	(void)close(fd);
}

static void
pool_prepare(struct writer *w)
{
	char name[64];
	int i;

	for (i = 0; i < POOL; i++) {
		(void)snprintf(name, sizeof name, "%u.%d", w->number, i);
		w->pool[i] = openat(self.pool, name,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (w->pool[i] < 0)
			load_die("%s: %s", name, strerror(errno));
		write_all(w->pool[i], name);
		if (fsync(w->pool[i]) < 0)
			load_die("%s: %s", name, strerror(errno));
	}
}

static void
pool_work(struct writer *w, uint64_t number)
{
	int fd = w->pool[number % POOL];

	write_all(fd, "pool");
	if (fdatasync(fd) < 0)
		load_die("pool: %s", strerror(errno));
}

/* ---- loopback ---- */

static bool
receive(int fd, char text[TRIP])
{
	size_t at = 0;
	ssize_t n;

	while (at < TRIP) {
		n = recv(fd, text + at, TRIP - at, 0);
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static void *
echo(void *arg)
{
	const struct writer *w = arg;
	char text[TRIP];

	while (receive(w->far, text) &&
	    send(w->far, text, sizeof text, MSG_NOSIGNAL) == TRIP)
		;
	return NULL;
}

static void
pair_prepare(struct writer *w)
{
	static const int on = 1;
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w->near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || w->near < 0 ||
	    bind(listener, (struct sockaddr *)&at, sizeof at) < 0 ||
	    listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &len) < 0 ||
	    connect(w->near, (struct sockaddr *)&at, sizeof at) < 0 ||
	    (w->far = accept(listener, NULL, NULL)) < 0)
		load_die("loopback: %s", strerror(errno));
	(void)close(listener);
	(void)setsockopt(w->near, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(w->far, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (pthread_create(&w->echo, NULL, echo, w) != 0)
		load_die("no thread");
}

static void
pair_work(struct writer *w, uint64_t number)
{
	char text[TRIP] = "";

	(void)number;
	if (send(w->near, text, sizeof text, MSG_NOSIGNAL) != TRIP ||
	    !receive(w->near, text))
		load_die("loopback: %s", strerror(errno));
}

/* ---- TLS ---- */

static void
tls_prepare(struct writer *w)
{
	EVP_PKEY *key;
	X509 *cert;
	X509_NAME *name;

	if (w->number > 0)
		return; /* the contexts are for all */
	key = EVP_EC_gen("P-256");
	cert = X509_new();
	self.server = SSL_CTX_new(TLS_server_method());
	self.client = SSL_CTX_new(TLS_client_method());
	if (key == NULL || cert == NULL || self.server == NULL ||
	    self.client == NULL)
		load_die("no TLS");
	name = X509_get_subject_name(cert);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"bench.invalid", -1, -1, 0);
	if (X509_set_version(cert, X509_VERSION_3) != 1 ||
	    X509_set_issuer_name(cert, name) != 1 ||
	    X509_set_pubkey(cert, key) != 1 ||
	    X509_sign(cert, key, EVP_sha256()) == 0 ||
	    SSL_CTX_use_certificate(self.server, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(self.server, key) != 1 ||
	    SSL_CTX_set_min_proto_version(self.server, TLS1_3_VERSION) != 1)
		load_die("no certificate");
	(void)SSL_CTX_set_num_tickets(self.server, 0);
	SSL_CTX_set_verify(self.client, SSL_VERIFY_NONE, NULL);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static bool
shake(SSL *ssl)
{
	int r = SSL_do_handshake(ssl);

	if (r != 1 && SSL_get_error(ssl, r) != SSL_ERROR_WANT_READ)
		load_die("a handshake failed");
	return r == 1;
}

static void
tls_work(struct writer *w, uint64_t number)
{
	SSL *client = SSL_new(self.client), *server = SSL_new(self.server);
	BIO *near = NULL, *far = NULL;
	bool is_done;

	(void)w;
	(void)number;
	if (client == NULL || server == NULL ||
	    BIO_new_bio_pair(&near, 0, &far, 0) != 1)
		load_die("no memory for TLS");
	SSL_set_bio(client, near, near);
	SSL_set_bio(server, far, far);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	do {
		is_done = shake(client);
		is_done = shake(server) && is_done;
	} while (!is_done);
	SSL_free(client);
	SSL_free(server);
}

/* ---- the run ---- */

static const struct mode modes[] = {
	{ "new", true, NULL, new_work },
	{ "recycled", true, pool_prepare, pool_work },
	{ "loopback", false, pair_prepare, pair_work },
	{ "tls", false, tls_prepare, tls_work },
};

static void *
work(void *arg)
{
	struct writer *w = arg;

	while (w->done < w->share && clock_boot_us() < self.end_us) {
		self.mode->work(w, w->done);
		w->done++;
	}
	return NULL;
}

static void
prepare(struct writer *writers)
{
	uint64_t i;

	self.text = malloc(self.load.size);
	if (self.text == NULL)
		load_die("no memory");
	memset(self.text, 'x', self.load.size);
	if (self.mode->work == new_work) {
		self.tmp = open_folder("tmp");
		self.new = open_folder("new");
	} else if (self.mode->has_files) {
		self.pool = open_folder("pool");
	}
	for (i = 0; i < self.writers; i++) {
		writers[i].number = (unsigned)i;
		writers[i].share = self.files / self.writers +
		    (i < self.files % self.writers);
		if (self.mode->prepare != NULL)
			self.mode->prepare(&writers[i]);
	}
}

static void
run(struct writer *writers)
{
	uint64_t i;

	load_start(&self.load, false);
	self.end_us = self.load.began_us + (int64_t)self.load.limit_s * 1000000;
	for (i = 0; i < self.writers; i++)
		if (pthread_create(&writers[i].thread, NULL, work,
			&writers[i]) != 0)
			load_die("no thread");
	for (i = 0; i < self.writers; i++) {
		(void)pthread_join(writers[i].thread, NULL);
		self.load.done += writers[i].done;
	}
	load_end(&self.load);
	self.load.is_late = self.load.done < self.files;
}

static void
usage(void)
{
	load_die("-m new|recycled|loopback|tls [-d DIR] [-w WRITERS] "
		 "[-n FILES] [-l SIZE] [-D] [-x SECONDS]");
}

static void
options(int argc, char **argv)
{
	size_t i;
	int o;

	load_init(&self.load);
	while ((o = getopt(argc, argv, "d:w:n:l:m:Dx:")) != -1) {
		if (o == 'd')
			self.dir = optarg;
		else if (o == 'w')
			self.writers = load_number(optarg, 1, 10000);
		else if (o == 'n')
			self.files = load_number(optarg, 1, 1000000000);
		else if (o == 'D')
			self.syncs_folder = true;
		else if (o == 'm')
			for (i = 0; i < sizeof modes / sizeof *modes; i++) {
				if (strcmp(modes[i].name, optarg) == 0)
					self.mode = &modes[i];
			}
		else if (!load_option(&self.load, o, optarg))
			usage();
	}
	if (self.mode == NULL || (self.mode->has_files && self.dir == NULL) ||
	    optind < argc)
		usage();
}

int
main(int argc, char **argv)
{
	struct writer *writers;

	options(argc, argv);
	writers = calloc(self.writers, sizeof *writers);
	if (writers == NULL)
		load_die("no memory");
	prepare(writers);
	run(writers);
	load_print(&self.load);
	(void)printf("}\n");
	return 0;
}
