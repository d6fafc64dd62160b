/* SPDX-License-Identifier: ISC */
/*
 * A message and a server brought together: RFC 1870 6 (SIZE), RFC 6152 3
 * (8BITMIME), RFC 3030 (BINARYMIME), RFC 6531 3 (SMTPUTF8), RFC 3461 5.2 (DSN).
 */
#include "session/smtp_plan.h"

#include "proto/address.h"
#include "proto/limits.h"
#include "proto/xtext.h"
#include "session/smtp_client.h"
#include "session/smtp_convert.h"
#include "sys/idna.h"
#include "sys/log.h"

static int
refuse(struct status *why_r, struct enhanced e, const char *text)
{
	*why_r = (struct status){ OUTCOME_FAILED, 0, e, slice_str(text) };
	return -1;
}

static bool
is_ascii(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 127)
			return false;
	return true;
}

/* Printable, and no blanks. */
static bool
is_param(struct slice s, size_t max)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return s.n <= max;
}

static bool
is_address(struct slice s)
{
	enum address_error error;
	struct address a;

	return address_parse(s, ADDRESS_UTF8, &a, &error) == 0;
}

/* All of it was checked when it came in; that nothing here can end a line or a
 * path early must not hang on that. */
static bool
has_clean_envelope(const struct smtp_client_mail *m)
{
	size_t i;

	if ((m->sender.n > 0 && !is_address(m->sender)) ||
	    !is_param(m->envid, LIMIT_ENVID))
		return false;
	for (i = 0; i < m->n_rcpts; i++)
		if (!is_address(m->rcpts[i].address) ||
		    !is_param(m->rcpts[i].orcpt, LIMIT_ORCPT))
			return false;
	return true;
}

static bool
has_utf8_envelope(const struct smtp_client_mail *m)
{
	size_t i;

	if (!is_ascii(m->sender))
		return true;
	for (i = 0; i < m->n_rcpts; i++)
		if (!is_ascii(m->rcpts[i].address))
			return true;
	return false;
}

/* Of "local@domain"; the last "@", for a quoted local part may have some. */
static struct slice
domain_of(struct slice address)
{
	ptrdiff_t at = slice_rchr(address, '@');

	return at < 0 ? SLICE_NONE : slice_from(address, (size_t)at + 1);
}

static bool
has_ascii_form(struct slice address)
{
	struct slice domain = domain_of(address);
	struct buf out;
	bool is_fine;

	if (is_ascii(address))
		return true;
	buf_init(&out, LIMIT_DOMAIN);
	is_fine = is_ascii(slice_head(address, address.n - domain.n)) &&
	    idna_add_ascii(&out, domain) == 0;
	buf_fini(&out);
	return is_fine;
}

static bool
has_ascii_envelope(const struct smtp_client_mail *m)
{
	size_t i;

	if (!has_ascii_form(m->sender))
		return false;
	for (i = 0; i < m->n_rcpts; i++)
		if (!has_ascii_form(m->rcpts[i].address))
			return false;
	return true;
}

static int
plan_utf8(struct smtp_plan *p, const struct smtp_client_mail *m,
    const struct smtp_caps *caps, struct status *why_r)
{
	const struct enhanced refused = { 5, 6, 7 };

	if ((caps->bits & SMTP_CAP_SMTPUTF8) != 0) {
		p->is_utf8 = m->is_utf8 || has_utf8_envelope(m);
		return 0;
	}
	p->has_ascii_domains = true;
	if (!has_ascii_envelope(m))
		return refuse(why_r, refused,
		    "the server does not take internationalized addresses");
	/* Who said SMTPUTF8 may not have needed it. */
	if (m->is_utf8 && smtp_convert_has_8bit_header(m->content))
		return refuse(why_r, refused,
		    "the server does not take internationalized headers");
	return 0;
}

static int
plan_7bit(struct smtp_plan *p, struct status *why_r)
{
	buf_fini(&p->converted);
	switch (smtp_convert_to_7bit(p->content, &p->converted)) {
	case SMTP_CONVERT_NOT_NEEDED:
		return 0;
	case SMTP_CONVERT_DONE:
		smtp_content_from_memory(&p->content,
		    buf_slice(&p->converted));
		return 0;
	case SMTP_CONVERT_IMPOSSIBLE:
		break;
	case SMTP_CONVERT_FAILED:
		*why_r = (struct status){ OUTCOME_LATER, 0, { 4, 3, 0 },
			SLICE("the message could not be converted just now") };
		return -1;
	}
	return refuse(why_r, (struct enhanced){ 5, 6, 3 },
	    "the server takes 7-bit mail only, and this cannot be converted");
}

static int
plan_content(struct smtp_plan *p, const struct smtp_client_mail *m,
    const struct smtp_caps *caps, struct status *why_r)
{
	const unsigned binary = SMTP_CAP_BINARYMIME | SMTP_CAP_CHUNKING;

	p->content = m->content;
	smtp_content_rewind(&p->content);
	p->is_bdat = (caps->bits & SMTP_CAP_CHUNKING) != 0;
	if (m->body_type == SMTP_BODY_BINARYMIME) {
		p->is_binary = (caps->bits & binary) == binary;
		return p->is_binary ? 0 : refuse(why_r,
		    (struct enhanced){ 5, 6, 3 },
		    "the server does not take binary mail");
	}
	if (m->is_probe)
		return 0;
	if ((caps->bits & SMTP_CAP_8BITMIME) == 0)
		return plan_7bit(p, why_r);
	/* It promises that there may be such octets, not that there are: for a
	 * file, finding out would cost more than it is worth. */
	p->is_8bit = m->body_type == SMTP_BODY_8BITMIME ||
	    m->content.fd >= 0 || smtp_convert_has_8bit(m->content);
	return 0;
}

int
smtp_plan_make(struct smtp_plan *p, const struct smtp_client_mail *m,
    const struct smtp_caps *caps, struct status *why_r)
{
	*p = (struct smtp_plan){ 0 };
	buf_init(&p->converted, 0);
	if (!has_clean_envelope(m))
		return refuse(why_r, (struct enhanced){ 5, 1, 3 },
		    "the envelope cannot be said in SMTP");
	p->is_dsn = (caps->bits & SMTP_CAP_DSN) != 0;
	if (plan_utf8(p, m, caps, why_r) < 0 ||
	    plan_content(p, m, caps, why_r) < 0)
		return -1;
	if (caps->size > 0 && p->content.size > caps->size)
		return refuse(why_r, (struct enhanced){ 5, 3, 4 },
		    "the message is larger than the server takes");
	return 0;
}

void
smtp_plan_fini(struct smtp_plan *p)
{
	buf_fini(&p->converted);
}

/* ---- lines ---- */

/* RFC 5891 5, RFC 6531 3.2: U-labels go to servers with SMTPUTF8 only. */
static void
add_address(struct buf *line, const struct smtp_plan *p, struct slice address)
{
	struct slice domain = domain_of(address);

	if (p->has_ascii_domains) {
		buf_add_slice(line,
		    slice_head(address, address.n - domain.n));
		if (idna_add_ascii(line, domain) < 0)
			BUG("a domain lost its A-labels");
	} else {
		buf_add_slice(line, address);
	}
}

/* RFC 6533 3: a UTF-8 address goes as it is by SMTPUTF8 only. */
static void
add_orcpt(struct buf *line, const struct smtp_plan *p, struct slice orcpt)
{
	struct slice type, rest = orcpt;
	struct buf plain;

	if (p->is_utf8 || is_ascii(orcpt)) {
		buf_addf(line, " ORCPT=%.*s", SLICE_FMT(orcpt));
		return;
	}
	buf_init(&plain, LIMIT_ORCPT);
	if (slice_split(&rest, ';', &type) &&
	    unitext_decode(&plain, rest) == 0) {
		buf_addf(line, " ORCPT=%.*s;", SLICE_FMT(type));
		unitext_encode_ascii(line, buf_slice(&plain));
	}
	buf_fini(&plain);
}

void
smtp_plan_add_mail(struct buf *line, const struct smtp_plan *p,
    const struct smtp_client_mail *m, const struct smtp_caps *caps)
{
	buf_add_str(line, "MAIL FROM:<");
	add_address(line, p, m->sender);
	buf_add_char(line, '>');
	if ((caps->bits & SMTP_CAP_SIZE) != 0)
		buf_addf(line, " SIZE=%llu",
		    (unsigned long long)p->content.size);
	if (p->is_binary)
		buf_add_str(line, " BODY=BINARYMIME");
	else if (p->is_8bit)
		buf_add_str(line, " BODY=8BITMIME");
	if (p->is_utf8)
		buf_add_str(line, " SMTPUTF8");
	if (p->is_dsn && m->ret != SMTP_RET_NONE)
		buf_addf(line, " RET=%s",
		    m->ret == SMTP_RET_FULL ? "FULL" : "HDRS");
	if (p->is_dsn && m->envid.n > 0) {
		buf_add_str(line, " ENVID=");
		buf_add_slice(line, m->envid);
	}
}

static void
add_notify(struct buf *line, unsigned notify)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ SMTP_NOTIFY_NEVER, "NEVER" },
		{ SMTP_NOTIFY_SUCCESS, "SUCCESS" },
		{ SMTP_NOTIFY_FAILURE, "FAILURE" },
		{ SMTP_NOTIFY_DELAY, "DELAY" },
	};
	const char *before = " NOTIFY=";
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++) {
		if ((notify & names[i].bit) == 0)
			continue;
		buf_add_str(line, before);
		buf_add_str(line, names[i].name);
		before = ",";
	}
}

void
smtp_plan_add_rcpt(struct buf *line, const struct smtp_plan *p,
    const struct smtp_client_rcpt *r)
{
	buf_add_str(line, "RCPT TO:<");
	add_address(line, p, r->address);
	buf_add_char(line, '>');
	if (!p->is_dsn)
		return;
	add_notify(line, r->notify);
	if (r->orcpt.n > 0)
		add_orcpt(line, p, r->orcpt);
}
