/* SPDX-License-Identifier: ISC */
/*
 * Certificates from PEM and their names. The names of a certificate are its
 * DNS subject alternative names, or its common name when it has none, and what
 * the administrator adds.
 */
#include "sys/tls_cert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "sys/tls_keys.h"
#include "sys/tls_priv.h"

enum { NAME_MAX_BYTES = 255, CHAIN_MAX = 10 };

void
tls_cert_free(struct tls_cert *c)
{
	if (c == NULL)
		return;
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	EVP_PKEY_free(c->key);
	free(c);
}

void
tls_certs_init(struct tls_certs *s)
{
	*s = (struct tls_certs){ 0 };
	list_init(&s->certs);
	map_init(&s->names);
}

void
tls_certs_fini(struct tls_certs *s)
{
	struct list *it, *tmp;
	struct slice key;
	size_t pos = 0;
	void *name;

	while ((name = map_next(&s->names, &pos, &key)) != NULL)
		free(name);
	map_fini(&s->names);
	LIST_EACH(it, tmp, &s->certs)
		tls_cert_free(LIST_OF(it, struct tls_cert, link));
	list_init(&s->certs);
}

/* ---- reading ---- */

int
tls_no_passphrase(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return 0;
}

static int
read_chain(struct tls_cert *c, struct slice pem, struct buf *why)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *next;
	int n;

	if (in != NULL)
		c->leaf = PEM_read_bio_X509_AUX(in, NULL, tls_no_passphrase,
		    NULL);
	c->chain = sk_X509_new_null();
	for (n = 0; c->leaf != NULL && c->chain != NULL && n < CHAIN_MAX; n++) {
		next = PEM_read_bio_X509(in, NULL, tls_no_passphrase,
		    NULL);
		if (next == NULL)
			break;
		if (sk_X509_push(c->chain, next) == 0) {
			X509_free(next);
			break;
		}
	}
	BIO_free(in);
	if (c->leaf == NULL) {
		buf_add_str(why, "no certificate in PEM form");
		return -1;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		buf_addf(why, "the chain is damaged or longer than %d: %s",
		    CHAIN_MAX, tls_reason());
		return -1;
	}
	ERR_clear_error();
	return 0;
}

struct tls_cert *
tls_cert_new(uint32_t key, struct slice pem, struct buf *why)
{
	struct tls_cert *c = calloc(1, sizeof *c);

	if (c == NULL) {
		buf_add_str(why, "out of memory");
		return NULL;
	}
	ERR_clear_error();
	if (read_chain(c, pem, why) < 0) {
		tls_cert_free(c);
		return NULL;
	}
	c->key = tls_keys_new(key, c->leaf);
	if (c->key == NULL) {
		buf_add_str(why, "its key is not RSA (to 8192 bits), EC or "
				 "Ed25519");
		tls_cert_free(c);
		return NULL;
	}
	c->kind = EVP_PKEY_get_base_id(X509_get0_pubkey(c->leaf));
	return c;
}

/* ---- names ---- */

static void
name_add_cert(struct tls_name *name, const struct tls_cert *cert)
{
	int i;

	for (i = 0; i < TLS_CERT_KINDS; i++) {
		if (name->certs[i] == NULL) {
			name->certs[i] = cert;
			return;
		}
		if (name->certs[i]->kind == cert->kind)
			return; /* the earlier one stays */
	}
}

static void
lower(char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = ascii_lower(p[i]);
}

static int
add_name(struct tls_certs *s, const struct tls_cert *cert, struct slice text)
{
	char low[NAME_MAX_BYTES];
	struct slice key = { low, text.n };
	struct tls_name *name;

	if (text.n == 0 || text.n > sizeof low || slice_has(text, '\0'))
		return 0; /* no name that anybody could ask for */
	memcpy(low, text.p, text.n);
	lower(low, text.n);
	name = map_get(&s->names, key);
	if (name == NULL) {
		name = calloc(1, sizeof *name);
		if (name == NULL || map_put(&s->names, key, name, NULL) < 0) {
			free(name);
			return -1;
		}
	}
	name_add_cert(name, cert);
	/* A second kind of key for the first certificate's names. */
	if (name->certs[0] == s->first.certs[0])
		name_add_cert(&s->first, cert);
	return 0;
}

static struct slice
asn1_slice(const ASN1_STRING *a)
{
	return (struct slice){ (const char *)ASN1_STRING_get0_data(a),
		(size_t)ASN1_STRING_length(a) };
}

static int
add_common_name(struct tls_certs *s, const struct tls_cert *cert)
{
	X509_NAME *subject = X509_get_subject_name(cert->leaf);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (at < 0)
		return 0;
	return add_name(s, cert,
	    asn1_slice(X509_NAME_ENTRY_get_data(
		X509_NAME_get_entry(subject, at))));
}

static int
add_own_names(struct tls_certs *s, const struct tls_cert *cert)
{
	GENERAL_NAMES *alt;
	const GENERAL_NAME *g;
	int i, r = 0, n = 0;

	alt = X509_get_ext_d2i(cert->leaf, NID_subject_alt_name, NULL, NULL);
	for (i = 0; i < sk_GENERAL_NAME_num(alt) && r == 0; i++) {
		g = sk_GENERAL_NAME_value(alt, i);
		if (g->type != GEN_DNS)
			continue;
		n++;
		r = add_name(s, cert, asn1_slice(g->d.dNSName));
	}
	GENERAL_NAMES_free(alt);
	if (n == 0 && r == 0)
		r = add_common_name(s, cert);
	return r;
}

int
tls_certs_add(struct tls_certs *s, struct tls_cert *c, struct slice names)
{
	struct slice name;
	int r;

	list_add(&s->certs, &c->link);
	if (s->first.certs[0] == NULL)
		s->first.certs[0] = c;
	r = add_own_names(s, c);
	while (r == 0 && slice_split(&names, '\n', &name))
		r = add_name(s, c, name);
	return r;
}

const struct tls_name *
tls_certs_find(const struct tls_certs *s, const char *name)
{
	char low[NAME_MAX_BYTES];
	struct slice key = slice_str(name);
	const struct tls_name *found;
	ptrdiff_t dot;

	if (key.n > 0 && key.p[key.n - 1] == '.')
		key.n--;
	if (key.n == 0 || key.n > sizeof low || key.p[0] == '*')
		return NULL;
	memcpy(low, key.p, key.n);
	lower(low, key.n);
	key.p = low;
	found = map_get(&s->names, key);
	dot = slice_chr(key, '.');
	if (found != NULL || dot <= 0)
		return found;
	/* "*" in place of the first label. */
	low[dot - 1] = '*';
	return map_get(&s->names, slice_from(key, (size_t)dot - 1));
}
