/* SPDX-License-Identifier: ISC */
/*
 * Envelope addresses. The grammar is followed with UTF-8 always allowed; an
 * address that has some where it may not is then refused as a whole, so that
 * the answer can say why (RFC 6531 3.5).
 */
#include "proto/address.h"

#include <string.h>

#include "base/utf8.h"
#include "proto/domain.h"
#include "proto/limits.h"

static int
fail(enum address_error *error_r, enum address_error error)
{
	*error_r = error;
	return -1;
}

/* RFC 5322 3.2.3. */
static bool
is_atext(char c)
{
	return ascii_is_alnum(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Length of the non-ASCII character at the front, 0 if there is none. */
static size_t
wide_char(struct slice s)
{
	uint32_t cp;
	size_t n = utf8_next(s, &cp);

	/* RFC 6531 3.3: no control characters; C1 are below U+00A0. */
	return n > 1 && cp >= 0xa0 ? n : 0;
}

/* Length of the Dot-string at the front of `s`, 0 if there is none. */
static size_t
dot_string(struct slice s)
{
	size_t i = 0, n;
	bool after_dot = true;

	while (i < s.n) {
		n = is_atext(s.p[i]) ? 1 : wide_char(slice_from(s, i));
		if (n == 0 && (s.p[i] != '.' || after_dot))
			break;
		after_dot = n == 0;
		i += n == 0 ? 1 : n;
	}
	return after_dot ? 0 : i;
}

static bool
is_printable(char c)
{
	return c >= ' ' && c < 127;
}

/* Length of the Quoted-string at the front of `s`, 0 if there is none. */
static size_t
quoted_string(struct slice s)
{
	size_t i = 1, n;

	while (i < s.n && s.p[i] != '"') {
		if (s.p[i] == '\\') {
			/* A quoted-pair is ASCII, also in RFC 6531. */
			if (i + 1 == s.n || !is_printable(s.p[i + 1]))
				return 0;
			i += 2;
			continue;
		}
		n = is_printable(s.p[i]) ? 1 : wide_char(slice_from(s, i));
		if (n == 0)
			return 0;
		i += n;
	}
	return i < s.n ? i + 1 : 0;
}

/* Takes "domain" or "[literal]" off the front of *in, up to a delimiter. */
static int
take_domain(struct slice *in, struct slice *domain_r, bool *is_literal_r,
    enum address_error *error_r)
{
	struct domain_literal lit;
	ptrdiff_t end;
	size_t n = 0;

	*is_literal_r = in->n > 0 && in->p[0] == '[';
	if (*is_literal_r) {
		end = slice_chr(*in, ']');
		n = end < 0 ? in->n : (size_t)end + 1;
	} else {
		while (n < in->n && memchr(">,: ", in->p[n], 4) == NULL)
			n++;
	}
	*domain_r = slice_head(*in, n);
	if (n > LIMIT_DOMAIN)
		return fail(error_r, ADDRESS_TOO_LONG);
	if (*is_literal_r ? domain_parse_literal(*domain_r, &lit) < 0
			  : !domain_is_valid_utf8(*domain_r))
		return fail(error_r, ADDRESS_DOMAIN);
	*in = slice_from(*in, n);
	return 0;
}

static int
take_local(struct slice *in, struct address *a, enum address_error *error_r)
{
	size_t n;

	a->is_quoted = in->n > 0 && in->p[0] == '"';
	n = a->is_quoted ? quoted_string(*in) : dot_string(*in);
	if (n == 0)
		return fail(error_r, ADDRESS_SYNTAX);
	if (n > LIMIT_LOCAL_PART)
		return fail(error_r, ADDRESS_TOO_LONG);
	a->local = slice_head(*in, n);
	*in = slice_from(*in, n);
	return 0;
}

static int
take_mailbox(struct slice *in, unsigned flags, struct address *a,
    enum address_error *error_r)
{
	if (take_local(in, a, error_r) < 0)
		return -1;
	if (in->n == 0 || in->p[0] != '@') {
		if ((flags & ADDRESS_POSTMASTER) != 0 &&
		    address_is_postmaster(a))
			return 0;
		return fail(error_r, ADDRESS_SYNTAX);
	}
	*in = slice_from(*in, 1);
	if (take_domain(in, &a->domain, &a->is_literal, error_r) < 0)
		return -1;
	a->is_utf8 = utf8_has_8bit(a->local) || utf8_has_8bit(a->domain);
	return 0;
}

/* "@a,@b:", appendix F.2: to be accepted and ignored. */
static int
take_route(struct slice *in, enum address_error *error_r)
{
	struct slice domain;
	bool is_literal;

	do {
		*in = slice_from(*in, 1);
		if (in->n == 0 || in->p[0] == '[' ||
		    take_domain(in, &domain, &is_literal, error_r) < 0)
			return fail(error_r, ADDRESS_SYNTAX);
		if (in->n > 1 && in->p[0] == ',' && in->p[1] == '@')
			*in = slice_from(*in, 1);
	} while (in->n > 0 && in->p[0] == '@');
	if (in->n == 0 || in->p[0] != ':')
		return fail(error_r, ADDRESS_SYNTAX);
	*in = slice_from(*in, 1);
	return 0;
}

int
address_parse(struct slice in, unsigned flags, struct address *a_r,
    enum address_error *error_r)
{
	struct address a = { 0 };

	if (take_mailbox(&in, flags & ~(unsigned)ADDRESS_POSTMASTER, &a,
		error_r) < 0)
		return -1;
	if (in.n > 0)
		return fail(error_r, ADDRESS_SYNTAX);
	if (a.is_utf8 && (flags & ADDRESS_UTF8) == 0)
		return fail(error_r, ADDRESS_NON_ASCII);
	*a_r = a;
	return 0;
}

int
address_take_path(struct slice *in, unsigned flags, struct address *a_r,
    enum address_error *error_r)
{
	struct slice s = *in;
	struct address a = { 0 };

	if (s.n < 2 || s.p[0] != '<')
		return fail(error_r, ADDRESS_SYNTAX);
	s = slice_from(s, 1);
	if (s.p[0] != '>' || (flags & ADDRESS_NULL) == 0) {
		if (s.p[0] == '@' && take_route(&s, error_r) < 0)
			return -1;
		if (take_mailbox(&s, flags, &a, error_r) < 0)
			return -1;
	}
	if (s.n == 0 || s.p[0] != '>')
		return fail(error_r, ADDRESS_SYNTAX);
	if (a.is_utf8 && (flags & ADDRESS_UTF8) == 0)
		return fail(error_r, ADDRESS_NON_ASCII);
	*in = slice_from(s, 1);
	*a_r = a;
	return 0;
}

static bool
is_clean(struct slice s)
{
	size_t n;

	for (; s.n > 0; s = slice_from(s, n)) {
		n = is_printable(s.p[0]) ? 1 : wide_char(s);
		if (n == 0)
			return false;
	}
	return true;
}

/* Where the domain begins: behind the last @ that is not in quotes. */
static ptrdiff_t
find_at(struct slice s)
{
	size_t quoted = s.n > 0 && s.p[0] == '"' ? quoted_string(s) : 0;
	ptrdiff_t at = slice_rchr(s, '@');

	return at < (ptrdiff_t)quoted ? -1 : at;
}

int
address_parse_lenient(struct slice in, struct address *a_r)
{
	struct domain_literal lit;
	struct address a = { 0 };
	ptrdiff_t at;

	in = slice_trim(in);
	if (in.n > 1 && in.p[0] == '<' && in.p[in.n - 1] == '>')
		in = (struct slice){ in.p + 1, in.n - 2 };
	if (in.n == 0 || !is_clean(in))
		return -1;
	at = find_at(in);
	a.local = at < 0 ? in : slice_head(in, (size_t)at);
	a.is_quoted = a.local.n > 0 && a.local.p[0] == '"' &&
	    quoted_string(a.local) == a.local.n;
	if (a.local.n > LIMIT_LOCAL_PART)
		return -1;
	if (at >= 0) {
		a.domain = slice_from(in, (size_t)at + 1);
		if (a.domain.n > 0 && a.domain.p[a.domain.n - 1] == '.')
			a.domain.n--;
		a.is_literal = domain_parse_literal(a.domain, &lit) == 0;
		if (!a.is_literal && !domain_is_valid_utf8(a.domain))
			return -1;
	}
	a.is_utf8 = utf8_has_8bit(in);
	*a_r = a;
	return 0;
}

bool
address_is_null(const struct address *a)
{
	return a->local.n == 0 && a->domain.n == 0;
}

/* What is left to read of a local part, its outer quotes already gone. */
struct local_reader {
	struct slice rest;
	bool is_quoted;
};

static struct local_reader
read_local(const struct address *a)
{
	struct local_reader r = { a->local, a->is_quoted };

	if (r.is_quoted)
		r.rest = (struct slice){ a->local.p + 1, a->local.n - 2 };
	return r;
}

/* The next octet that the local part means. False at its end. */
static bool
next_octet(struct local_reader *r, char *c_r)
{
	if (r->is_quoted && r->rest.n > 1 && r->rest.p[0] == '\\')
		r->rest = slice_from(r->rest, 1);
	if (r->rest.n == 0)
		return false;
	*c_r = r->rest.p[0];
	r->rest = slice_from(r->rest, 1);
	return true;
}

static bool
is_same_local(const struct address *a, const struct address *b, bool icase)
{
	struct local_reader ra = read_local(a), rb = read_local(b);
	char ca, cb;
	bool more_a, more_b;

	for (;;) {
		more_a = next_octet(&ra, &ca);
		more_b = next_octet(&rb, &cb);
		if (!more_a || !more_b)
			return more_a == more_b;
		if (icase ? ascii_lower(ca) != ascii_lower(cb) : ca != cb)
			return false;
	}
}

bool
address_is_postmaster(const struct address *a)
{
	static const struct address postmaster = { .local = { "postmaster",
						       10 } };

	return is_same_local(a, &postmaster, true);
}

bool
address_is_equal(const struct address *a, const struct address *b)
{
	return slice_ieq(a->domain, b->domain) && is_same_local(a, b, false);
}

bool
address_is_iequal(const struct address *a, const struct address *b)
{
	return slice_ieq(a->domain, b->domain) && is_same_local(a, b, true);
}

/* Is what it means a Dot-string? */
static bool
is_plain(const struct address *a)
{
	struct local_reader r = read_local(a);
	char c, last = '.';

	while (next_octet(&r, &c)) {
		if (c == '.' ? last == '.' : !is_atext(c) && is_printable(c))
			return false;
		last = c;
	}
	return last != '.';
}

void
address_add_local(struct buf *out, const struct address *a)
{
	struct local_reader r = read_local(a);
	char c;

	if (is_plain(a) || (a->local.n == 0 && !a->is_quoted)) {
		address_add_local_text(out, a);
		return;
	}
	buf_add_char(out, '"');
	while (next_octet(&r, &c)) {
		if (c == '"' || c == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, c);
	}
	buf_add_char(out, '"');
}

void
address_add_local_text(struct buf *out, const struct address *a)
{
	struct local_reader r = read_local(a);
	char c;

	while (next_octet(&r, &c))
		buf_add_char(out, c);
}

void
address_add(struct buf *out, const struct address *a)
{
	address_add_local(out, a);
	if (a->domain.n == 0)
		return;
	buf_add_char(out, '@');
	domain_add(out, a->domain);
}

bool
address_split_detail(struct slice local, struct slice delimiters,
    struct slice *user_r, struct slice *detail_r)
{
	size_t i;

	*user_r = local;
	*detail_r = SLICE_NONE;
	if (slice_ieq_str(local, "mailer-daemon"))
		return false;
	for (i = 0; i < local.n && !slice_has(delimiters, local.p[i]); i++)
		continue;
	if (i == 0 || i >= local.n)
		return false;
	*user_r = slice_head(local, i);
	*detail_r = slice_from(local, i + 1);
	return true;
}
