/* SPDX-License-Identifier: ISC */
/*
 * ESMTP parameters: one row each. RFC 5321 4.1.2 (esmtp-param), 1870 (SIZE),
 * 6152 and 3030 (BODY), 6531 (SMTPUTF8), 3461 (RET, ENVID, NOTIFY, ORCPT), 4954
 * section 5 (AUTH), 6533 section 3 (ORCPT of type utf-8).
 */
#include "proto/smtp_param.h"

#include "base/num.h"
#include "base/utf8.h"
#include "proto/limits.h"
#include "proto/xtext.h"

struct target {
	struct smtp_mail *mail;
	struct smtp_rcpt *rcpt;
	unsigned offered;
};

static int
set_size(struct slice v, struct target *t)
{
	size_t i;

	/* 1*20DIGIT: the largest such numbers do not fit 64 bits. */
	for (i = 0; i < v.n; i++)
		if (!ascii_is_digit(v.p[i]))
			return -1;
	if (v.n == 0 || v.n > 20)
		return -1;
	if (num_parse(v, 0, UINT64_MAX, &t->mail->size) < 0)
		t->mail->size = UINT64_MAX;
	return 0;
}

static int
set_body(struct slice v, struct target *t)
{
	static const char *const words[] = {
		[SMTP_BODY_7BIT] = "7BIT",
		[SMTP_BODY_8BITMIME] = "8BITMIME",
		[SMTP_BODY_BINARYMIME] = "BINARYMIME",
	};
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_ieq_str(v, words[i])) {
			t->mail->body = (enum smtp_body)i;
			return i == SMTP_BODY_BINARYMIME &&
				(t->offered & SMTP_PARAM_BINARYMIME) == 0
			    ? -1
			    : 0;
		}
	return -1;
}

static int
set_smtputf8(struct slice v, struct target *t)
{
	return v.p == NULL ? 0 : -1;
}

static int
set_ret(struct slice v, struct target *t)
{
	if (slice_ieq_str(v, "FULL"))
		t->mail->ret = SMTP_RET_FULL;
	else if (slice_ieq_str(v, "HDRS"))
		t->mail->ret = SMTP_RET_HDRS;
	else
		return -1;
	return 0;
}

static int
set_envid(struct slice v, struct target *t)
{
	if (v.n == 0 || v.n > LIMIT_ENVID || !xtext_is_printable(v))
		return -1;
	t->mail->envid = v;
	return 0;
}

static int
set_auth(struct slice v, struct target *t)
{
	if (v.n == 0 || v.n > LIMIT_ORCPT || !xtext_is_printable(v))
		return -1;
	t->mail->auth = v;
	return 0;
}

static int
set_notify(struct slice v, struct target *t)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {
		{ "NEVER", SMTP_NOTIFY_NEVER },
		{ "SUCCESS", SMTP_NOTIFY_SUCCESS },
		{ "FAILURE", SMTP_NOTIFY_FAILURE },
		{ "DELAY", SMTP_NOTIFY_DELAY },
	};
	const size_t n = sizeof words / sizeof *words;
	struct slice word;
	unsigned bits = 0;
	size_t i;

	while (slice_split(&v, ',', &word)) {
		for (i = 0; i < n && !slice_ieq_str(word, words[i].word); i++)
			continue;
		if (i == n)
			return -1;
		bits |= words[i].bit;
	}
	if (bits == 0 || ((bits & SMTP_NOTIFY_NEVER) != 0 &&
			     bits != SMTP_NOTIFY_NEVER))
		return -1;
	t->rcpt->notify = bits;
	return 0;
}

/* "addr-type;encoded". An unknown type is kept: it is for the sender to read. */
static int
set_orcpt(struct slice v, struct target *t)
{
	struct slice type, addr = v;
	size_t i;

	if (v.n > LIMIT_ORCPT || !slice_split(&addr, ';', &type) ||
	    type.n == 0 || addr.n == 0)
		return -1;
	for (i = 0; i < type.n; i++)
		if (!ascii_is_alnum(type.p[i]) && type.p[i] != '-')
			return -1;
	if (slice_ieq_str(type, "utf-8")) {
		if (!unitext_is_valid(addr) ||
		    (utf8_has_8bit(addr) &&
			(t->offered & SMTP_PARAM_SMTPUTF8) == 0))
			return -1;
	} else if (!xtext_is_printable(addr)) {
		return -1;
	}
	t->rcpt->orcpt_type = type;
	t->rcpt->orcpt = addr;
	return 0;
}

static const struct param {
	const char *name;
	enum smtp_param bit;
	bool is_of_rcpt;
	int (*set)(struct slice value, struct target *t);
	enum smtp_cmd_error error; /* when set() says -1 */
} params[] = {
	{ "SIZE", SMTP_PARAM_SIZE, false, set_size, SMTP_CMD_PARAM_SIZE },
	{ "BODY", SMTP_PARAM_BODY, false, set_body, SMTP_CMD_PARAM_BODY },
	{ "SMTPUTF8", SMTP_PARAM_SMTPUTF8, false, set_smtputf8,
	    SMTP_CMD_PARAM_SMTPUTF8 },
	{ "RET", SMTP_PARAM_RET, false, set_ret, SMTP_CMD_PARAM_RET },
	{ "ENVID", SMTP_PARAM_ENVID, false, set_envid, SMTP_CMD_PARAM_ENVID },
	{ "AUTH", SMTP_PARAM_AUTH, false, set_auth, SMTP_CMD_PARAM_AUTH },
	{ "NOTIFY", SMTP_PARAM_NOTIFY, true, set_notify,
	    SMTP_CMD_PARAM_NOTIFY },
	{ "ORCPT", SMTP_PARAM_ORCPT, true, set_orcpt, SMTP_CMD_PARAM_ORCPT },
};

/* RFC 5321 4.1.2, esmtp-keyword and esmtp-value; .p == NULL: no "=". */
static bool
is_wellformed(struct slice keyword, struct slice value)
{
	size_t i;

	if (keyword.n == 0 || keyword.p[0] == '-')
		return false;
	for (i = 0; i < keyword.n; i++)
		if (!ascii_is_alnum(keyword.p[i]) && keyword.p[i] != '-')
			return false;
	return value.p == NULL || (value.n > 0 && !slice_has(value, '='));
}

static const struct param *
find_param(struct slice keyword, bool is_of_rcpt, unsigned offered)
{
	size_t i;

	for (i = 0; i < sizeof params / sizeof *params; i++)
		if (params[i].is_of_rcpt == is_of_rcpt &&
		    (params[i].bit & offered) != 0 &&
		    slice_ieq_str(keyword, params[i].name))
			return &params[i];
	return NULL;
}

static int
parse(struct slice in, struct target *t, unsigned *given,
    enum smtp_cmd_error *error_r)
{
	struct slice keyword, value;
	const struct param *p;

	if (in.n == 0)
		return 0;
	*error_r = SMTP_CMD_PARAM_SYNTAX;
	if (in.p[0] != ' ')
		return -1;
	in = slice_from(in, 1);
	while (slice_split(&in, ' ', &value)) {
		if (!slice_split(&value, '=', &keyword) ||
		    !is_wellformed(keyword, value))
			return -1;
		p = find_param(keyword, t->rcpt != NULL, t->offered);
		if (p == NULL || (*given & p->bit) != 0) {
			*error_r = p == NULL ? SMTP_CMD_PARAM_UNKNOWN
					     : SMTP_CMD_PARAM_TWICE;
			return -1;
		}
		*given |= p->bit;
		if (p->set(value, t) < 0) {
			*error_r = p->error;
			return -1;
		}
	}
	return 0;
}

int
smtp_param_parse_mail(struct slice in, unsigned offered, struct smtp_mail *mail,
    enum smtp_cmd_error *error_r)
{
	struct target t = { .mail = mail, .offered = offered };

	return parse(in, &t, &mail->given, error_r);
}

int
smtp_param_parse_rcpt(struct slice in, unsigned offered, struct smtp_rcpt *rcpt,
    enum smtp_cmd_error *error_r)
{
	struct target t = { .rcpt = rcpt, .offered = offered };

	return parse(in, &t, &rcpt->given, error_r);
}
