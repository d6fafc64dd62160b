/* SPDX-License-Identifier: ISC */
/* Test certificates by OpenSSL's API. */
#include "tests/tools/pki.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MUST(x) \
	do { \
		if (!(x)) { \
			(void)fprintf(stderr, "pki: %s failed\n", #x); \
			abort(); \
		} \
	} while (0)

static EVP_PKEY *
make_key(const char *kind)
{
	EVP_PKEY *key = NULL;

	if (strncmp(kind, "rsa:", 4) == 0)
		key = EVP_PKEY_Q_keygen(NULL, "provider=default", "RSA",
		    strtoul(kind + 4, NULL, 10));
	else if (strncmp(kind, "ec:", 3) == 0)
		key = EVP_PKEY_Q_keygen(NULL, "provider=default", "EC",
		    kind + 3);
	else
		key = EVP_PKEY_Q_keygen(NULL, "provider=default", kind);
	MUST(key != NULL);
	return key;
}

static void
add_names(X509 *x, const char *names)
{
	char text[1024] = "";
	X509_EXTENSION *e;
	size_t n = 0;

	while (*names != 0) {
		size_t len = strcspn(names, ",");

		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%.*s",
		    n > 0 ? "," : "",
		    strncmp(names, "IP:", 3) == 0 ? "" : "DNS:", (int)len,
		    names);
		names += len;
		if (*names == ',')
			names++;
	}
	e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
	MUST(e != NULL && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static struct slice
take(BIO *out)
{
	char *p, *copy;
	long n = BIO_get_mem_data(out, &p);

	copy = calloc(1, (size_t)n + 1);
	MUST(n > 0 && copy != NULL);
	memcpy(copy, p, (size_t)n);
	BIO_free(out);
	return (struct slice){ copy, (size_t)n };
}

struct pki
pki_make(const char *kind, const char *names, int days)
{
	static const long day = 24L * 3600;
	EVP_PKEY *key = make_key(kind);
	BIO *k = BIO_new(BIO_s_mem()), *c = BIO_new(BIO_s_mem());
	const EVP_MD *md = strncmp(kind, "ed", 2) == 0 ? NULL : EVP_sha256();
	X509 *x = X509_new();

	MUST(x != NULL && k != NULL && c != NULL);
	(void)X509_set_version(x, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x), rand());
	(void)X509_gmtime_adj(X509_getm_notBefore(x), -1000 * day);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), days * day);
	MUST(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
		 MBSTRING_ASC, (const unsigned char *)"cn.test", -1, -1,
		 0) == 1);
	MUST(X509_set_issuer_name(x, X509_get_subject_name(x)) == 1);
	MUST(X509_set_pubkey(x, key) == 1);
	if (names != NULL)
		add_names(x, names);
	MUST(X509_sign(x, key, md) > 0);
	MUST(PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) == 1);
	MUST(PEM_write_bio_X509(c, x) == 1);
	X509_free(x);
	EVP_PKEY_free(key);
	return (struct pki){ take(k), take(c) };
}

void
pki_free(struct pki *p)
{
	free((void *)(uintptr_t)p->key.p);
	free((void *)(uintptr_t)p->chain.p);
	*p = (struct pki){ SLICE_NONE, SLICE_NONE };
}

int
pki_fd(struct slice bytes)
{
	int fd = memfd_create("pem", MFD_CLOEXEC);

	MUST(fd >= 0);
	MUST(write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n);
	MUST(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}
