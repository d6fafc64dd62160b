/* SPDX-License-Identifier: ISC */
/*
 * RFC 5802 5.1, 6, 7. Attributes come in a fixed order, so a parser is a list
 * of "take this attribute"; unknown ones are ignored only behind the known,
 * and "m" is fatal wherever it stands.
 */
#include "proto/scram.h"

#include "base/base64.h"
#include "base/num.h"
#include "base/utf8.h"
#include "proto/limits.h"

static const char *const errors[] = {
	[SCRAM_OTHER_ERROR] = "other-error",
	[SCRAM_INVALID_ENCODING] = "invalid-encoding",
	[SCRAM_EXTENSIONS_NOT_SUPPORTED] = "extensions-not-supported",
	[SCRAM_INVALID_PROOF] = "invalid-proof",
	[SCRAM_BINDINGS_DONT_MATCH] = "channel-bindings-dont-match",
	[SCRAM_SERVER_DOES_SUPPORT_BINDING] =
	    "server-does-support-channel-binding",
	[SCRAM_BINDING_NOT_SUPPORTED] = "channel-binding-not-supported",
	[SCRAM_UNSUPPORTED_BINDING_TYPE] = "unsupported-channel-binding-type",
	[SCRAM_UNKNOWN_USER] = "unknown-user",
	[SCRAM_INVALID_USERNAME_ENCODING] = "invalid-username-encoding",
	[SCRAM_NO_RESOURCES] = "no-resources",
};

static int
fail(enum scram_error why, enum scram_error *error_r)
{
	*error_r = why;
	return -1;
}

/*
 * Takes "c=value" off the front of *in, with the comma behind it; `more` says
 * whether there was one (a message that ends in a comma is malformed).
 */
static int
take(struct slice *in, char c, bool *more, struct slice *value_r,
    enum scram_error *error_r)
{
	struct slice attr;
	ptrdiff_t comma;

	if (!*more)
		return fail(SCRAM_INVALID_ENCODING, error_r);
	if (in->n >= 2 && in->p[0] == 'm' && in->p[1] == '=')
		return fail(SCRAM_EXTENSIONS_NOT_SUPPORTED, error_r);
	comma = slice_chr(*in, ',');
	*more = comma >= 0;
	attr = *more ? slice_head(*in, (size_t)comma) : *in;
	*in = slice_from(*in, *more ? (size_t)comma + 1 : in->n);
	if (attr.n < 3 || attr.p[0] != c || attr.p[1] != '=')
		return fail(SCRAM_INVALID_ENCODING, error_r);
	*value_r = slice_from(attr, 2);
	return 0;
}

/* The optional extensions: checked for their form, then ignored. */
static int
skip_extensions(struct slice *in, bool *more, enum scram_error *error_r)
{
	struct slice value;

	while (*more) {
		if (in->n == 0 || !ascii_is_alpha(in->p[0]))
			return fail(SCRAM_INVALID_ENCODING, error_r);
		if (take(in, in->p[0], more, &value, error_r) < 0)
			return -1;
	}
	return 0;
}

static int
check_text(struct slice in, enum scram_error *error_r)
{
	if (in.n <= LIMIT_SASL_MESSAGE && utf8_is_valid(in) &&
	    !slice_has(in, '\0'))
		return 0;
	return fail(SCRAM_INVALID_ENCODING, error_r);
}

int
scram_hash_decode(struct slice in, struct buf *out)
{
	size_t start = out->n;

	if (base64_decode(out, in) < 0)
		return -1;
	return out->n - start == SCRAM_HASH ? 0 : -1;
}

bool
scram_is_nonce(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == ',')
			return false;
	return s.n > 0 && s.n <= LIMIT_SCRAM_NONCE;
}

static bool
is_binding_name(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '-')
			return false;
	return s.n > 0;
}

/* gs2-header: flag, comma, optional a=, comma. */
static int
parse_gs2(struct slice *in, struct scram_client_first *f,
    enum scram_error *error_r)
{
	struct slice whole = *in, piece;

	if (!slice_split(in, ',', &piece) || piece.n == 0 || in->n == 0)
		return fail(SCRAM_OTHER_ERROR, error_r);
	f->flag = piece.p[0];
	if (f->flag == 'p') {
		f->binding = slice_from(piece, 2);
		if (piece.n < 3 || piece.p[1] != '=' ||
		    !is_binding_name(f->binding))
			return fail(SCRAM_OTHER_ERROR, error_r);
	} else if (piece.n != 1 || (f->flag != 'n' && f->flag != 'y'))
		return fail(SCRAM_OTHER_ERROR, error_r);
	if (slice_chr(*in, ',') < 0 || !slice_split(in, ',', &piece))
		return fail(SCRAM_INVALID_ENCODING, error_r);
	if (piece.n > 0) {
		if (piece.n < 3 || !slice_has_prefix(piece, SLICE("a=")))
			return fail(SCRAM_INVALID_ENCODING, error_r);
		f->authzid = slice_from(piece, 2);
	}
	f->gs2 = slice_head(whole, whole.n - in->n);
	return 0;
}

int
scram_client_first_parse(struct slice in, struct scram_client_first *out_r,
    enum scram_error *error_r)
{
	struct scram_client_first f = { 0 };
	bool more = true;

	if (check_text(in, error_r) < 0 || parse_gs2(&in, &f, error_r) < 0)
		return -1;
	f.bare = in;
	if (take(&in, 'n', &more, &f.name, error_r) < 0 ||
	    take(&in, 'r', &more, &f.nonce, error_r) < 0 ||
	    skip_extensions(&in, &more, error_r) < 0)
		return -1;
	/* Room for our half of the nonce must be left. */
	if (!scram_is_nonce(f.nonce) || f.nonce.n > LIMIT_SCRAM_NONCE / 2)
		return fail(SCRAM_INVALID_ENCODING, error_r);
	*out_r = f;
	return 0;
}

int
scram_server_first_parse(struct slice in, struct slice nonce,
    struct scram_server_first *out_r, enum scram_error *error_r)
{
	struct scram_server_first f = { 0 };
	struct slice count = SLICE_NONE;
	uint64_t iterations;
	bool more = true;

	if (check_text(in, error_r) < 0 ||
	    take(&in, 'r', &more, &f.nonce, error_r) < 0 ||
	    take(&in, 's', &more, &f.salt, error_r) < 0 ||
	    take(&in, 'i', &more, &count, error_r) < 0 ||
	    skip_extensions(&in, &more, error_r) < 0)
		return -1;
	if (!scram_is_nonce(f.nonce) || f.nonce.n <= nonce.n ||
	    !slice_has_prefix(f.nonce, nonce))
		return fail(SCRAM_OTHER_ERROR, error_r);
	if (f.salt.n > (LIMIT_SCRAM_SALT + 2) / 3 * 4)
		return fail(SCRAM_INVALID_ENCODING, error_r);
	if (count.p[0] == '0' ||
	    num_parse(count, LIMIT_SCRAM_ITERATIONS_MIN,
		LIMIT_SCRAM_ITERATIONS, &iterations) < 0)
		return fail(SCRAM_OTHER_ERROR, error_r);
	f.iterations = (uint32_t)iterations;
	*out_r = f;
	return 0;
}

int
scram_client_final_parse(struct slice in, struct scram_client_final *out_r,
    enum scram_error *error_r)
{
	struct scram_client_final f = { 0 };
	ptrdiff_t comma = slice_rchr(in, ',');
	struct slice proof;
	bool more = true;

	if (check_text(in, error_r) < 0)
		return -1;
	/* The proof stands last, and covers all that stands before it. */
	proof = comma < 0 ? SLICE_NONE : slice_from(in, (size_t)comma + 1);
	if (!slice_has_prefix(proof, SLICE("p=")))
		return fail(SCRAM_INVALID_ENCODING, error_r);
	f.without_proof = slice_head(in, (size_t)comma);
	in = f.without_proof;
	if (take(&in, 'c', &more, &f.binding, error_r) < 0 ||
	    take(&in, 'r', &more, &f.nonce, error_r) < 0 ||
	    skip_extensions(&in, &more, error_r) < 0)
		return -1;
	if (!scram_is_nonce(f.nonce))
		return fail(SCRAM_INVALID_ENCODING, error_r);
	f.proof = slice_from(proof, 2);
	*out_r = f;
	return 0;
}

static enum scram_error
find_error(struct slice name)
{
	size_t i;

	for (i = 0; i < sizeof errors / sizeof *errors; i++)
		if (slice_eq_str(name, errors[i]))
			return (enum scram_error)i;
	return SCRAM_OTHER_ERROR;
}

int
scram_server_final_parse(struct slice in, struct slice *signature_r,
    enum scram_error *error_r)
{
	struct slice value;
	bool more = true;

	if (check_text(in, error_r) < 0)
		return -1;
	if (slice_has_prefix(in, SLICE("e="))) {
		if (take(&in, 'e', &more, &value, error_r) < 0)
			return -1;
		return fail(find_error(value), error_r);
	}
	if (take(&in, 'v', &more, &value, error_r) < 0 ||
	    skip_extensions(&in, &more, error_r) < 0)
		return -1;
	*signature_r = value;
	return 0;
}

int
scram_name_decode(struct slice in, struct buf *out)
{
	size_t i, start = out->n;

	for (i = 0; i < in.n; i++) {
		if (in.p[i] != '=') {
			buf_add_char(out, in.p[i]);
			continue;
		}
		if (slice_has_prefix(slice_from(in, i), SLICE("=2C")))
			buf_add_char(out, ',');
		else if (slice_has_prefix(slice_from(in, i), SLICE("=3D")))
			buf_add_char(out, '=');
		else
			return -1;
		i += 2;
	}
	if (!buf_is_ok(out))
		return -1;
	return sasl_is_name(slice_from(buf_slice(out), start)) ? 0 : -1;
}

void
scram_name_encode(struct buf *out, struct slice name)
{
	size_t i;

	for (i = 0; i < name.n; i++) {
		if (name.p[i] == ',')
			buf_add_str(out, "=2C");
		else if (name.p[i] == '=')
			buf_add_str(out, "=3D");
		else
			buf_add_char(out, name.p[i]);
	}
}

void
scram_gs2_format(struct buf *out, char flag, struct slice binding,
    struct slice authzid)
{
	buf_add_char(out, flag);
	if (flag == 'p') {
		buf_add_char(out, '=');
		buf_add_slice(out, binding);
	}
	buf_add_char(out, ',');
	if (authzid.n > 0) {
		buf_add_str(out, "a=");
		scram_name_encode(out, authzid);
	}
	buf_add_char(out, ',');
}

void
scram_client_first_format(struct buf *out, struct slice name,
    struct slice nonce)
{
	buf_add_str(out, "n=");
	scram_name_encode(out, name);
	buf_add_str(out, ",r=");
	buf_add_slice(out, nonce);
}

void
scram_server_first_format(struct buf *out, struct slice nonce,
    struct slice salt, uint32_t iterations)
{
	buf_add_str(out, "r=");
	buf_add_slice(out, nonce);
	buf_add_str(out, ",s=");
	base64_encode(out, salt);
	buf_addf(out, ",i=%u", (unsigned)iterations);
}

void
scram_client_final_format(struct buf *out, struct slice binding,
    struct slice nonce)
{
	buf_add_str(out, "c=");
	base64_encode(out, binding);
	buf_add_str(out, ",r=");
	buf_add_slice(out, nonce);
}

void
scram_proof_format(struct buf *out, struct slice proof)
{
	buf_add_str(out, ",p=");
	base64_encode(out, proof);
}

void
scram_server_final_format(struct buf *out, struct slice signature)
{
	buf_add_str(out, "v=");
	base64_encode(out, signature);
}

const char *
scram_error_name(enum scram_error error)
{
	return errors[error];
}

int
scram_binding_find(const struct scram_client_first *first,
    enum sasl_mech mech, const struct sasl_channel *channel,
    struct slice *data_r, enum scram_error *error_r)
{
	bool plus = mech == SASL_SCRAM_SHA_256_PLUS;

	/* The -PLUS name and the flag "p" go together (RFC 5801 5.2). */
	if (first->flag != 'p') {
		if (plus)
			return fail(SCRAM_BINDINGS_DONT_MATCH, error_r);
		/* "y": somebody hid our -PLUS from the client. */
		if (first->flag == 'y' && sasl_has_binding(channel))
			return fail(SCRAM_SERVER_DOES_SUPPORT_BINDING,
			    error_r);
		*data_r = SLICE_NONE;
		return 0;
	}
	if (!plus || !sasl_has_binding(channel))
		return fail(SCRAM_BINDING_NOT_SUPPORTED, error_r);
	if (slice_eq_str(first->binding, "tls-exporter"))
		*data_r = channel->exporter;
	else if (slice_eq_str(first->binding, "tls-unique"))
		*data_r = channel->unique;
	else if (slice_eq_str(first->binding, "tls-server-end-point"))
		*data_r = channel->end_point;
	else
		*data_r = SLICE_NONE;
	if (data_r->n == 0)
		return fail(SCRAM_UNSUPPORTED_BINDING_TYPE, error_r);
	return 0;
}
