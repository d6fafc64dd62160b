/* SPDX-License-Identifier: ISC */
/*
 * Search keys, RFC 9051 6.4.4, 3501 6.4.4; 5032, 7162 3.1.5, 8474, 8514.
 * Three values, so that a message is opened only when flags, dates and sizes
 * have not decided. The tree is at most LIMIT_IMAP_NESTING deep.
 */
#include "mda/imap_match.h"

#include "base/base64.h"
#include "base/clock.h"
#include "proto/date.h"
#include "proto/header.h"
#include "proto/imap_token.h"

/* ---- preparing ---- */

static bool
has_text(const struct imap_search_node *node)
{
	return node->op == IMAP_SEARCH_HEADER ||
	    node->op == IMAP_SEARCH_BODY || node->op == IMAP_SEARCH_TEXT;
}

static bool
is_of_body(const struct imap_search_node *node)
{
	return node->op == IMAP_SEARCH_BODY || node->op == IMAP_SEARCH_TEXT;
}

static size_t
count_wanted(const struct imap_search_node *node)
{
	const struct imap_search_node *child;
	size_t n = is_of_body(node) ? 1 : 0;

	if (node->op == IMAP_SEARCH_AND || node->op == IMAP_SEARCH_OR)
		for (child = node->child; child != NULL; child = child->next)
			n += count_wanted(child);
	return n;
}

static void
prepare(struct imap_match *m, struct imap_search_node *node, struct buf *text)
{
	struct imap_search_node *child;

	if (has_text(node)) {
		buf_reset(text);
		imap_text_fold(text, m->charset, node->u.string.text);
		node->u.string.text = region_slice(m->region,
		    buf_slice(text));
	}
	if (is_of_body(node))
		m->wanted[m->n_wanted++] = (struct imap_wanted){
			.text = node->u.string.text };
	if (node->op == IMAP_SEARCH_AND || node->op == IMAP_SEARCH_OR)
		for (child = node->child; child != NULL; child = child->next)
			prepare(m, child, text);
}

int
imap_match_init(struct imap_match *m, struct region *r,
    const struct imap_search *search)
{
	struct buf text;
	size_t n;
	bool ok;

	*m = (struct imap_match){ .region = r, .root = search->root,
		.charset = search->charset, .now = clock_wall(),
		.utc_offset = clock_utc_offset() };
	n = count_wanted(m->root);
	m->wanted = region_alloc(r, (n + 1) * sizeof *m->wanted);
	if (m->wanted == NULL)
		return -1;
	buf_init(&text, SIZE_MAX / 2);
	prepare(m, m->root, &text);
	ok = buf_is_ok(&text) && !r->failed;
	buf_fini(&text);
	return ok ? 0 : -1;
}

void
imap_match_begin_body(struct imap_match *m)
{
	size_t i;

	/* The empty string is in every text. */
	for (i = 0; i < m->n_wanted; i++)
		m->wanted[i].is_found = m->wanted[i].text.n == 0;
}

/* ---- header ---- */

static bool
field_has(struct slice value, struct slice text)
{
	struct buf folded;
	bool found;

	if (text.n == 0)
		return true;
	buf_init(&folded, SIZE_MAX / 2);
	imap_text_field(&folded, value);
	found = slice_find(buf_slice(&folded), text) >= 0;
	buf_fini(&folded);
	return found;
}

static bool
header_has(struct slice header, struct slice name, struct slice text)
{
	struct header_field f;
	struct header_iter it;

	header_iter_init(&it, header);
	while (header_iter_next(&it, &f)) {
		if (name.p != NULL && !slice_ieq(f.name, name))
			continue;
		if (field_has(f.value, text))
			return true;
		/* TEXT may want the name as well. */
		if (name.p == NULL && slice_ifind(f.raw, text) >= 0)
			return true;
	}
	return false;
}

static bool
is_sent(struct slice header, int32_t from, int32_t to)
{
	struct header_field f;
	struct date d;
	int64_t day;

	if (!header_find(header, SLICE("Date"), &f) ||
	    date_parse(f.value, &d) < 0)
		return false;
	day = date_day(d);
	return day >= from && day < to;
}

/* ---- keys ---- */

static enum imap_truth
truth(bool is_true)
{
	return is_true ? IMAP_TRUE : IMAP_FALSE;
}

static bool
is_flagged(const struct imap_search_node *node,
    const struct imap_match_message *x)
{
	static const struct {
		unsigned wire;
		uint32_t flag;
	} map[] = {
		{ IMAP_FLAG_ANSWERED, FLAG_ANSWERED },
		{ IMAP_FLAG_FLAGGED, FLAG_FLAGGED },
		{ IMAP_FLAG_DELETED, FLAG_DELETED },
		{ IMAP_FLAG_SEEN, FLAG_SEEN }, { IMAP_FLAG_DRAFT, FLAG_DRAFT },
		{ IMAP_FLAG_RECENT, FLAG_RECENT },
	};
	uint32_t flags = x->msg->flags;
	bool has;
	size_t i;

	if (x->is_recent)
		flags |= FLAG_RECENT;
	for (i = 0; i < sizeof map / sizeof *map; i++) {
		has = (flags & map[i].flag) != 0;
		if (((node->u.flags.set & map[i].wire) != 0 && !has) ||
		    ((node->u.flags.unset & map[i].wire) != 0 && has))
			return false;
	}
	return true;
}

static bool
has_keyword(const struct imap_match_message *x, struct slice name)
{
	int bit = mailbox_keyword_find(x->mailbox, name);

	return bit >= 0 && (x->msg->keywords >> bit & 1) != 0;
}

static bool
is_day(const struct imap_match *m, const struct imap_search_node *node,
    int64_t time)
{
	int64_t day = date_day((struct date){ .time = time,
		.offset = m->utc_offset });

	return day >= node->u.days.from && day < node->u.days.to;
}

static bool
is_object(struct slice wanted, char letter, const uint8_t id[16])
{
	struct buf hex;
	bool same;

	buf_init(&hex, 64);
	buf_add_char(&hex, letter);
	hex_encode(&hex, (struct slice){ (const char *)id, 16 });
	same = slice_eq(buf_slice(&hex), wanted);
	buf_fini(&hex);
	return same;
}

static enum imap_truth
in_header(const struct imap_match_message *x,
    const struct imap_search_node *node)
{
	if (!x->has_header)
		return IMAP_UNKNOWN;
	if (node->op == IMAP_SEARCH_SENT)
		return truth(is_sent(x->header, node->u.days.from,
		    node->u.days.to));
	return truth(header_has(x->header, node->u.string.field,
	    node->u.string.text));
}

/* `at` counts the BODY and TEXT keys as prepare() did. */
static enum imap_truth
in_body(const struct imap_match *m, const struct imap_match_message *x,
    const struct imap_search_node *node, size_t at)
{
	if (node->op == IMAP_SEARCH_TEXT && x->has_header &&
	    header_has(x->header, SLICE_NONE, node->u.string.text))
		return IMAP_TRUE;
	if (!x->has_body)
		return IMAP_UNKNOWN;
	return truth(m->wanted[at].is_found);
}

static enum imap_truth
key(const struct imap_match *m, const struct imap_match_message *x,
    const struct imap_search_node *node, size_t at)
{
	const struct message *msg = x->msg;

	switch (node->op) {
	case IMAP_SEARCH_AND:
	case IMAP_SEARCH_OR:
		break; /* not here */
	case IMAP_SEARCH_ALL:
	case IMAP_SEARCH_SAVEDATESUPPORTED:
		return IMAP_TRUE;
	case IMAP_SEARCH_SEQ:
	case IMAP_SEARCH_UID:
		return truth(imap_seqset_has(&node->u.set, x->seq));
	case IMAP_SEARCH_FLAGS:
		return truth(is_flagged(node, x));
	case IMAP_SEARCH_KEYWORD:
		return truth(has_keyword(x, node->u.string.text));
	case IMAP_SEARCH_HEADER:
	case IMAP_SEARCH_SENT:
		return in_header(x, node);
	case IMAP_SEARCH_BODY:
	case IMAP_SEARCH_TEXT:
		return in_body(m, x, node, at);
	case IMAP_SEARCH_INTERNAL:
		return truth(is_day(m, node, msg->internaldate));
	case IMAP_SEARCH_SAVED:
		return truth(is_day(m, node, msg->savedate));
	case IMAP_SEARCH_LARGER:
		return truth(msg->size > node->u.number);
	case IMAP_SEARCH_SMALLER:
		return truth(msg->size < node->u.number);
	case IMAP_SEARCH_OLDER:
		return truth(msg->internaldate <=
		    m->now - (int64_t)node->u.number);
	case IMAP_SEARCH_YOUNGER:
		return truth(msg->internaldate >=
		    m->now - (int64_t)node->u.number);
	case IMAP_SEARCH_MODSEQ:
		return truth(msg->modseq >= node->u.number);
	case IMAP_SEARCH_EMAILID:
		return truth(is_object(node->u.string.text, 'M',
		    msg->email_id));
	case IMAP_SEARCH_THREADID:
		return truth(is_object(node->u.string.text, 'T',
		    msg->thread_id));
	}
	return IMAP_FALSE;
}

static enum imap_truth walk(const struct imap_match *m,
    const struct imap_match_message *x, const struct imap_search_node *node,
    size_t *at);

/* AND ends at the first false one, OR at the first true one; unless one does,
 * an unknown one leaves it open. */
static enum imap_truth
walk_group(const struct imap_match *m, const struct imap_match_message *x,
    const struct imap_search_node *node, size_t *at)
{
	enum imap_truth ends = node->op == IMAP_SEARCH_AND ? IMAP_FALSE :
	    IMAP_TRUE, result, t;
	const struct imap_search_node *child;

	result = ends == IMAP_FALSE ? IMAP_TRUE : IMAP_FALSE;
	for (child = node->child; child != NULL; child = child->next) {
		if (result == ends) {
			*at += count_wanted(child);
			continue;
		}
		t = walk(m, x, child, at);
		if (t == ends || t == IMAP_UNKNOWN)
			result = t;
	}
	return result;
}

static enum imap_truth
walk(const struct imap_match *m, const struct imap_match_message *x,
    const struct imap_search_node *node, size_t *at)
{
	enum imap_truth t;

	if (node->op == IMAP_SEARCH_AND || node->op == IMAP_SEARCH_OR) {
		t = walk_group(m, x, node, at);
	} else {
		t = key(m, x, node, *at);
		if (is_of_body(node))
			(*at)++;
	}
	if (node->negate && t != IMAP_UNKNOWN)
		t = t == IMAP_TRUE ? IMAP_FALSE : IMAP_TRUE;
	return t;
}

enum imap_truth
imap_match(const struct imap_match *m, const struct imap_match_message *x)
{
	size_t at = 0;

	return walk(m, x, m->root, &at);
}
