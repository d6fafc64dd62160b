/* SPDX-License-Identifier: ISC */
/*
 * From 8BITMIME to 7 bits: the tree is walked in the order of the message, what
 * lies between its parts (boundaries, preambles) is copied, headers are copied
 * with new labels, bodies of leaves encoded. RFC 6152 3, RFC 2045 6, RFC 1428.
 */
#include "proto/mime_downgrade.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "proto/qp.h"

enum {
	PIECE = 16384,	  /* of a body, encoded at a time */
	FLUSH_AT = 65536, /* three times PIECE more must fit the scratch */
	BASE64_LINE = 57, /* octets that make 76 characters */
};

/* What becomes of a part's own body and label. */
enum plan {
	KEEP,
	RELABEL, /* its content is 7 bits: the label says more than it needs */
	TO_QP,
	TO_BASE64,
	FIX_QP, /* labelled so, but with raw octets in it */
	FIX_BASE64,
};

static const char *const labels[] = {
	[RELABEL] = "7bit",
	[TO_QP] = "quoted-printable",
	[TO_BASE64] = "base64",
	[FIX_QP] = "quoted-printable",
	[FIX_BASE64] = "base64",
};

struct walk {
	struct slice message;
	mime_sink *sink;
	void *arg;
	struct buf *out;
	bool has_failed;
};

/* Signatures cover the parts within (RFC 1847 2.1). */
static bool
is_seal(const struct mime_part *part)
{
	return mime_part_is(part, "multipart", "signed") ||
	    mime_part_is(part, "multipart", "encrypted");
}

/*
 * RFC 2045 6.4: composites are never encoded, which RFC 2046 5.2 extends to all
 * of message/; those of RFC 6532 and RFC 6533 may be.
 */
static bool
is_encodable(const struct mime_part *part)
{
	if (part->kind == MIME_OPAQUE || mime_part_is(part, "multipart", NULL))
		return false;
	return !mime_part_is(part, "message", NULL) ||
	    slice_has_iprefix(part->subtype, SLICE("global-"));
}

static enum plan
plan_of(const struct mime_part *part)
{
	bool is_raw = part->flags & (MIME_BODY_8BIT | MIME_BODY_NUL);

	if (part->kind == MIME_MULTIPART || part->kind == MIME_MESSAGE)
		is_raw = false;
	switch (part->encoding) {
	case MIME_OTHER:
		return KEEP;
	case MIME_QUOTED_PRINTABLE:
		return is_raw ? FIX_QP : KEEP;
	case MIME_BASE64:
		return is_raw ? FIX_BASE64 : KEEP;
	case MIME_BINARY:
		is_raw |= is_encodable(part) && part->kind == MIME_LEAF &&
		    (part->flags & MIME_BODY_LONG);
		break;
	case MIME_7BIT:
	case MIME_8BIT:
		break;
	}
	if (!is_raw)
		return part->encoding == MIME_7BIT ? KEEP : RELABEL;
	if (!is_encodable(part))
		return KEEP;
	if (part->flags & MIME_BODY_NUL)
		return TO_BASE64;
	return mime_part_is(part, "text", NULL) ||
		mime_part_is(part, "message", NULL)
	    ? TO_QP
	    : TO_BASE64;
}

/* Of one part, without what it contains. */
static enum mime_downgrade
check_own(const struct mime_part *part, bool is_sealed)
{
	if (part->flags & MIME_HEADER_8BIT)
		return MIME_DOWNGRADE_HEADER;
	/* RFC 2231 lets a pure ASCII header say so. */
	if (part->kind == MIME_MULTIPART && utf8_has_8bit(part->boundary))
		return MIME_DOWNGRADE_STRUCTURE;
	if (!(part->flags & MIME_BODY_8BIT))
		return MIME_DOWNGRADE_NOT_NEEDED;
	if (is_sealed)
		return MIME_DOWNGRADE_SEALED;
	if (part->kind == MIME_MULTIPART)
		return MIME_DOWNGRADE_POSSIBLE;
	if (!is_encodable(part))
		return MIME_DOWNGRADE_STRUCTURE;
	return part->encoding == MIME_OTHER ? MIME_DOWNGRADE_ENCODING
					    : MIME_DOWNGRADE_POSSIBLE;
}

static enum mime_downgrade
check(const struct mime_part *part, bool is_sealed)
{
	enum mime_downgrade worst = check_own(part, is_sealed), one;
	const struct mime_part *child;

	is_sealed |= is_seal(part);
	for (child = part->child; child != NULL; child = child->next) {
		one = check(child, is_sealed);
		if (one > worst)
			worst = one;
	}
	return worst;
}

enum mime_downgrade
mime_downgrade_check(const struct mime_part *root)
{
	return check(root, false);
}

/* Hands on what was gathered. */
static void
flush(struct walk *w)
{
	w->has_failed |= !buf_is_ok(w->out);
	if (!w->has_failed && w->out->n > 0)
		w->has_failed = w->sink(w->arg, buf_slice(w->out)) < 0;
	buf_reset(w->out);
}

static void
put(struct walk *w, struct slice s)
{
	if (s.n + w->out->n > FLUSH_AT)
		flush(w);
	if (w->has_failed)
		return;
	if (s.n <= FLUSH_AT)
		buf_add_slice(w->out, s);
	else if (w->sink(w->arg, s) < 0)
		w->has_failed = true;
}

static struct slice
bytes_of(const struct walk *w, uint64_t from, uint64_t to)
{
	return slice_head(
	    slice_from(w->message, (size_t)from), (size_t)(to - from));
}

/* The first piece of *body, taken off it; flushes to make room for its code. */
static struct slice
take_piece(struct walk *w, struct slice *body, size_t n)
{
	struct slice piece = slice_head(*body, n);

	*body = slice_from(*body, piece.n);
	if (w->out->n > FLUSH_AT)
		flush(w);
	return piece;
}

static void
put_qp(struct walk *w, struct slice body)
{
	struct qp_encoder e;

	qp_encoder_init(&e, false);
	while (body.n > 0 && !w->has_failed)
		qp_encode(&e, take_piece(w, &body, PIECE), w->out);
	qp_encode_end(&e, w->out);
}

/* Decodes and encodes again, which also keeps the lines short. */
static void
put_fixed_qp(struct walk *w, struct slice body)
{
	struct qp_decoder d;
	struct qp_encoder e;
	struct buf text;

	buf_init(&text, PIECE + 256);
	qp_decoder_init(&d);
	qp_encoder_init(&e, false);
	while (body.n > 0 && !w->has_failed) {
		buf_reset(&text);
		qp_decode(&d, take_piece(w, &body, PIECE), &text);
		if (body.n == 0)
			qp_decode_end(&d, &text);
		w->has_failed |= !buf_is_ok(&text);
		qp_encode(&e, buf_slice(&text), w->out);
	}
	qp_encode_end(&e, w->out);
	buf_fini(&text);
}

/*
 * Lines of 76 characters. The last has its end only where the message ends:
 * elsewhere the line end belongs to the boundary that follows.
 */
static void
put_base64(struct walk *w, struct slice body)
{
	bool is_last =
	    body.n > 0 && body.p + body.n == w->message.p + w->message.n;

	while (body.n > 0 && !w->has_failed) {
		base64_encode(w->out, take_piece(w, &body, BASE64_LINE));
		if (body.n > 0 || is_last)
			buf_add_str(w->out, "\r\n");
	}
}

static bool
is_base64(char c)
{
	return ascii_is_alnum(c) || c == '+' || c == '/' || c == '=' ||
	    c == '\r' || c == '\n';
}

/* RFC 2045 6.8: characters outside of the alphabet mean nothing. All of them
 * go, so that what is left of a line cannot be a boundary. */
static void
put_fixed_base64(struct walk *w, struct slice body)
{
	struct slice piece;
	size_t i;

	while (body.n > 0 && !w->has_failed) {
		piece = take_piece(w, &body, PIECE);
		for (i = 0; i < piece.n; i++)
			if (is_base64(piece.p[i]))
				buf_add_char(w->out, piece.p[i]);
	}
}

static void
put_leaf(struct walk *w, struct slice body, enum plan plan)
{
	switch (plan) {
	case KEEP:
	case RELABEL:
		put(w, body);
		break;
	case TO_QP:
		put_qp(w, body);
		break;
	case TO_BASE64:
		put_base64(w, body);
		break;
	case FIX_QP:
		put_fixed_qp(w, body);
		break;
	case FIX_BASE64:
		put_fixed_base64(w, body);
		break;
	}
}

/* Is anything in this part or what it contains encoded anew? */
static bool
has_changes(const struct mime_part *part)
{
	const struct mime_part *child;

	if (part->child == NULL)
		return plan_of(part) > RELABEL;
	if (is_seal(part))
		return false;
	for (child = part->child; child != NULL; child = child->next)
		if (has_changes(child))
			return true;
	return false;
}

static void
put_label(struct walk *w, enum plan plan)
{
	put(w, SLICE("Content-Transfer-Encoding: "));
	put(w, slice_str(labels[plan]));
	put(w, SLICE("\r\n"));
}

/* Fields that must be there for the encoding to be understood. */
static void
put_missing(struct walk *w, const struct mime_part *part, enum plan plan)
{
	if (part->envelope != NULL && !(part->flags & MIME_HAS_VERSION) &&
	    has_changes(part))
		put(w, SLICE("MIME-Version: 1.0\r\n"));
	if (plan > RELABEL && !(part->flags & MIME_HAS_TYPE))
		put(w,
		    SLICE("Content-Type: text/plain; "
			  "charset=unknown-8bit\r\n"));
}

static void
put_header(struct walk *w, const struct mime_part *part, enum plan plan)
{
	struct slice header =
	    bytes_of(w, part->header.offset, part->body.offset);
	bool is_labelled = false;
	struct rfc822_field f;

	while (rfc822_field_next(&header, &f)) {
		if (plan == KEEP ||
		    !slice_ieq_str(f.name, "content-transfer-encoding")) {
			put(w, f.raw);
			continue;
		}
		if (!is_labelled)
			put_label(w, plan);
		is_labelled = true;
	}
	put_missing(w, part, plan);
	if (plan != KEEP && !is_labelled)
		put_label(w, plan);
	put(w, header);
}

/*
 * What lies between the parts of a multipart. Preamble and epilogue are no
 * content (RFC 2046 5.1.1): of their lines those with 8-bit octets are left
 * empty, which no boundary can be.
 */
static void
put_between(struct walk *w, uint64_t from, uint64_t to)
{
	struct slice in = bytes_of(w, from, to), line;

	while (in.n > 0 && !w->has_failed) {
		line = rfc822_line(in);
		in = slice_from(in, line.n);
		if (utf8_has_8bit(line))
			line = slice_from(line, rfc822_line_text(line).n);
		put(w, line);
	}
}

static void
put_part(struct walk *w, const struct mime_part *part)
{
	enum plan plan = plan_of(part);
	const struct mime_part *child;
	uint64_t at = part->body.offset, end = at + part->body.size, next;

	put_header(w, part, plan);
	if (part->child == NULL) {
		put_leaf(w, bytes_of(w, at, end), plan);
		return;
	}
	for (child = part->child; child != NULL; child = child->next) {
		put_between(w, at, child->header.offset);
		next = child->body.offset + child->body.size;
		if (is_seal(part))
			put(w, bytes_of(w, child->header.offset, next));
		else
			put_part(w, child);
		at = next;
	}
	put_between(w, at, end);
}

int
mime_downgrade(struct slice message, const struct mime_part *root,
    mime_sink *sink, void *arg, struct buf *scratch)
{
	struct walk w = {
		.message = message, .sink = sink, .arg = arg, .out = scratch
	};

	if (mime_downgrade_check(root) != MIME_DOWNGRADE_POSSIBLE)
		return -1;
	buf_reset(scratch);
	put_part(&w, root);
	flush(&w);
	return w.has_failed ? -1 : 0;
}
