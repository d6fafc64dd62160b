/* SPDX-License-Identifier: ISC */
/*
 * RFC 9051 9: search, search-key. One row per key. Nesting is bounded by
 * LIMIT_IMAP_NESTING, keys by LIMIT_IMAP_SEARCH_KEYS; chains of OR, as clients
 * build them from lists of addresses, cost no depth.
 */
#include "proto/imap_search.h"

#include "proto/limits.h"

enum arg {
	ARG_NONE,
	ARG_FLAGS,   /* none; set and unset stand in the row */
	ARG_STRING,  /* astring; the row's field, if any */
	ARG_HEADER,  /* field name, astring */
	ARG_KEYWORD,
	ARG_UNKEYWORD,
	ARG_BEFORE,
	ARG_ON,
	ARG_SINCE,
	ARG_NUMBER64,
	ARG_SECONDS,
	ARG_MODSEQ,
	ARG_OBJECTID,
	ARG_SET
};

static const struct key {
	const char *name;
	enum imap_search_op op;
	enum arg arg;
	unsigned set, unset;
	const char *field;
	unsigned needs;
} keys[] = {
	{ "ALL", IMAP_SEARCH_ALL, ARG_NONE },
	{ "ANSWERED", IMAP_SEARCH_FLAGS, ARG_FLAGS, IMAP_FLAG_ANSWERED, 0 },
	{ "BCC", IMAP_SEARCH_HEADER, ARG_STRING, 0, 0, "Bcc",
	    IMAP_NEEDS_HEADER },
	{ "BEFORE", IMAP_SEARCH_INTERNAL, ARG_BEFORE },
	{ "BODY", IMAP_SEARCH_BODY, ARG_STRING, 0, 0, NULL, IMAP_NEEDS_BODY },
	{ "CC", IMAP_SEARCH_HEADER, ARG_STRING, 0, 0, "Cc",
	    IMAP_NEEDS_HEADER },
	{ "DELETED", IMAP_SEARCH_FLAGS, ARG_FLAGS, IMAP_FLAG_DELETED, 0 },
	{ "DRAFT", IMAP_SEARCH_FLAGS, ARG_FLAGS, IMAP_FLAG_DRAFT, 0 },
	{ "EMAILID", IMAP_SEARCH_EMAILID, ARG_OBJECTID },
	{ "FLAGGED", IMAP_SEARCH_FLAGS, ARG_FLAGS, IMAP_FLAG_FLAGGED, 0 },
	{ "FROM", IMAP_SEARCH_HEADER, ARG_STRING, 0, 0, "From",
	    IMAP_NEEDS_HEADER },
	{ "HEADER", IMAP_SEARCH_HEADER, ARG_HEADER, 0, 0, NULL,
	    IMAP_NEEDS_HEADER },
	{ "KEYWORD", IMAP_SEARCH_KEYWORD, ARG_KEYWORD },
	{ "LARGER", IMAP_SEARCH_LARGER, ARG_NUMBER64 },
	{ "MODSEQ", IMAP_SEARCH_MODSEQ, ARG_MODSEQ, 0, 0, NULL,
	    IMAP_NEEDS_MODSEQ },
	{ "NEW", IMAP_SEARCH_FLAGS, ARG_FLAGS, IMAP_FLAG_RECENT,
	    IMAP_FLAG_SEEN },
	{ "OLD", IMAP_SEARCH_FLAGS, ARG_FLAGS, 0, IMAP_FLAG_RECENT },
	{ "OLDER", IMAP_SEARCH_OLDER, ARG_SECONDS },
	{ "ON", IMAP_SEARCH_INTERNAL, ARG_ON },
	{ "RECENT", IMAP_SEARCH_FLAGS, ARG_FLAGS, IMAP_FLAG_RECENT, 0 },
	{ "SAVEDATESUPPORTED", IMAP_SEARCH_SAVEDATESUPPORTED, ARG_NONE },
	{ "SAVEDBEFORE", IMAP_SEARCH_SAVED, ARG_BEFORE },
	{ "SAVEDON", IMAP_SEARCH_SAVED, ARG_ON },
	{ "SAVEDSINCE", IMAP_SEARCH_SAVED, ARG_SINCE },
	{ "SEEN", IMAP_SEARCH_FLAGS, ARG_FLAGS, IMAP_FLAG_SEEN, 0 },
	{ "SENTBEFORE", IMAP_SEARCH_SENT, ARG_BEFORE, 0, 0, NULL,
	    IMAP_NEEDS_HEADER },
	{ "SENTON", IMAP_SEARCH_SENT, ARG_ON, 0, 0, NULL, IMAP_NEEDS_HEADER },
	{ "SENTSINCE", IMAP_SEARCH_SENT, ARG_SINCE, 0, 0, NULL,
	    IMAP_NEEDS_HEADER },
	{ "SINCE", IMAP_SEARCH_INTERNAL, ARG_SINCE },
	{ "SMALLER", IMAP_SEARCH_SMALLER, ARG_NUMBER64 },
	{ "SUBJECT", IMAP_SEARCH_HEADER, ARG_STRING, 0, 0, "Subject",
	    IMAP_NEEDS_HEADER },
	{ "TEXT", IMAP_SEARCH_TEXT, ARG_STRING, 0, 0, NULL,
	    IMAP_NEEDS_HEADER | IMAP_NEEDS_BODY },
	{ "THREADID", IMAP_SEARCH_THREADID, ARG_OBJECTID },
	{ "TO", IMAP_SEARCH_HEADER, ARG_STRING, 0, 0, "To",
	    IMAP_NEEDS_HEADER },
	{ "UID", IMAP_SEARCH_UID, ARG_SET },
	{ "UNANSWERED", IMAP_SEARCH_FLAGS, ARG_FLAGS, 0, IMAP_FLAG_ANSWERED },
	{ "UNDELETED", IMAP_SEARCH_FLAGS, ARG_FLAGS, 0, IMAP_FLAG_DELETED },
	{ "UNDRAFT", IMAP_SEARCH_FLAGS, ARG_FLAGS, 0, IMAP_FLAG_DRAFT },
	{ "UNFLAGGED", IMAP_SEARCH_FLAGS, ARG_FLAGS, 0, IMAP_FLAG_FLAGGED },
	{ "UNKEYWORD", IMAP_SEARCH_KEYWORD, ARG_UNKEYWORD },
	{ "UNSEEN", IMAP_SEARCH_FLAGS, ARG_FLAGS, 0, IMAP_FLAG_SEEN },
	{ "YOUNGER", IMAP_SEARCH_YOUNGER, ARG_SECONDS },
};

/* One SEARCH being read. */
struct reader {
	struct imap_cur *c;
	struct imap_search *s;
	size_t n;       /* keys so far */
	unsigned depth; /* of take_key within itself */
};

static int take_key(struct reader *r, struct imap_search_node **node_r);

static struct imap_search_node *
node_new(struct reader *r, enum imap_search_op op)
{
	struct imap_search_node *node;

	if (++r->n > LIMIT_IMAP_SEARCH_KEYS) {
		(void)imap_fail(r->c, IMAP_ERROR_TOO_MANY);
		return NULL;
	}
	node = imap_alloc(r->c, sizeof *node);
	if (node != NULL)
		node->op = op;
	return node;
}

static int
take_date(struct imap_cur *c, enum arg arg, struct imap_search_node *node)
{
	int32_t day;

	if (imap_take_date(c, &day) < 0)
		return -1;
	node->u.days.from = arg == ARG_BEFORE ? INT32_MIN : day;
	node->u.days.to = arg == ARG_BEFORE ? day :
	    arg == ARG_ON ? day + 1 : INT32_MAX;
	return 0;
}

/*
 * MODSEQ ["/flags/…" priv|shared|all] n (RFC 7162 3.1.5). All metadata of a
 * message has one mod-sequence here, so the entry is checked and let go, as
 * the section allows.
 */
static int
take_modseq(struct imap_cur *c, uint64_t *v_r)
{
	static const struct imap_word types[] = { { "priv", 1 },
		{ "shared", 1 }, { "all", 1 } };
	struct slice entry;
	unsigned bit;

	if (imap_is_next(c, '"')) {
		if (imap_take_string(c, &entry) < 0)
			return -1;
		if (!slice_has_iprefix(entry, SLICE("/flags/")))
			return imap_fail(c, IMAP_ERROR_SEARCH_KEY);
		if (imap_take_space(c) < 0 || imap_take_word(c, types, 3,
		    IMAP_ERROR_SEARCH_KEY, &bit) < 0 || imap_take_space(c) < 0)
			return -1;
	}
	return imap_take_number64(c, v_r);
}

static int
take_seconds(struct imap_cur *c, uint64_t *v_r)
{
	uint32_t v;

	if (imap_take_nz_number(c, &v) < 0)
		return -1;
	*v_r = v;
	return 0;
}

static int
take_set(struct reader *r, struct imap_search_node *node)
{
	if (imap_take_seqset(r->c, &node->u.set) < 0)
		return -1;
	if (node->u.set.saved)
		r->s->needs |= IMAP_NEEDS_SAVED;
	else if (node->op == IMAP_SEARCH_SEQ)
		r->s->needs |= IMAP_NEEDS_SEQ;
	return 0;
}

static int
take_header(struct imap_cur *c, struct imap_search_node *node)
{
	if (imap_take_astring(c, &node->u.string.field) < 0 ||
	    imap_take_space(c) < 0)
		return -1;
	return imap_take_astring(c, &node->u.string.text);
}

static int
take_arg(struct reader *r, const struct key *key,
    struct imap_search_node *node)
{
	struct imap_cur *c = r->c;

	if (key->arg != ARG_NONE && key->arg != ARG_FLAGS &&
	    imap_take_space(c) < 0)
		return -1;
	switch (key->arg) {
	case ARG_NONE:
		return 0;
	case ARG_FLAGS:
		node->u.flags.set = key->set;
		node->u.flags.unset = key->unset;
		return 0;
	case ARG_STRING:
		node->u.string.field = slice_str(key->field);
		return imap_take_astring(c, &node->u.string.text);
	case ARG_HEADER:
		return take_header(c, node);
	case ARG_UNKEYWORD:
		node->negate = !node->negate;
		return imap_take_keyword(c, &node->u.string.text);
	case ARG_KEYWORD:
		return imap_take_keyword(c, &node->u.string.text);
	case ARG_BEFORE:
	case ARG_ON:
	case ARG_SINCE:
		return take_date(c, key->arg, node);
	case ARG_NUMBER64:
		return imap_take_number64(c, &node->u.number);
	case ARG_SECONDS:
		return take_seconds(c, &node->u.number);
	case ARG_MODSEQ:
		return take_modseq(c, &node->u.number);
	case ARG_OBJECTID:
		return imap_take_objectid(c, &node->u.string.text);
	case ARG_SET:
		return take_set(r, node);
	}
	return imap_fail(c, IMAP_ERROR_SEARCH_KEY);
}

static int
take_named(struct reader *r, struct imap_search_node **node_r)
{
	struct imap_search_node *node;
	struct slice name;
	size_t i;

	if (imap_take_name(r->c, IMAP_ERROR_SEARCH_KEY, &name) < 0)
		return -1;
	for (i = 0; i < sizeof keys / sizeof *keys; i++)
		if (slice_ieq_str(name, keys[i].name))
			break;
	if (i == sizeof keys / sizeof *keys)
		return imap_fail(r->c, IMAP_ERROR_SEARCH_KEY);
	node = node_new(r, keys[i].op);
	if (node == NULL)
		return -1;
	r->s->needs |= keys[i].needs;
	*node_r = node;
	return take_arg(r, &keys[i], node);
}

/* A word and the space behind it, if both stand next. */
static bool
skip_word(struct imap_cur *c, struct slice word)
{
	struct slice rest = imap_rest(c);

	if (!slice_has_iprefix(rest, word) || rest.n <= word.n ||
	    rest.p[word.n] != ' ')
		return false;
	c->p += word.n + 1;
	return true;
}

/* Behind "OR ": two keys, and one more for each OR among them. */
static int
take_or(struct reader *r, struct imap_search_node **node_r)
{
	struct imap_search_node *node = node_new(r, IMAP_SEARCH_OR), **tail;
	size_t missing = 2;

	if (node == NULL)
		return -1;
	for (tail = &node->child; missing > 0; missing--) {
		while (skip_word(r->c, SLICE("OR")))
			missing++;
		if (take_key(r, tail) < 0)
			return -1;
		tail = &(*tail)->next;
		if (missing > 1 && imap_take_space(r->c) < 0)
			return -1;
	}
	*node_r = node;
	return 0;
}

/* Keys up to the end, or to the parenthesis that is not taken. */
static int
take_all(struct reader *r, struct imap_search_node **node_r)
{
	struct imap_search_node *first = NULL, *node, **tail = &first;

	for (;;) {
		if (take_key(r, tail) < 0)
			return -1;
		tail = &(*tail)->next;
		if (imap_is_end(r->c) || imap_is_next(r->c, ')'))
			break;
		if (imap_take_space(r->c) < 0)
			return -1;
	}
	*node_r = first;
	if (first->next == NULL)
		return 0;
	node = node_new(r, IMAP_SEARCH_AND);
	if (node == NULL)
		return -1;
	node->child = first;
	*node_r = node;
	return 0;
}

static int
take_group(struct reader *r, struct imap_search_node **node_r)
{
	if (imap_take_open(r->c) < 0 || take_all(r, node_r) < 0)
		return -1;
	return imap_take_close(r->c);
}

static bool
is_set_next(const struct imap_cur *c)
{
	return !imap_is_end(c) &&
	    (ascii_is_digit(*c->p) || *c->p == '*' || *c->p == '$');
}

static int
take_bare_set(struct reader *r, struct imap_search_node **node_r)
{
	*node_r = node_new(r, IMAP_SEARCH_SEQ);
	return *node_r == NULL ? -1 : take_set(r, *node_r);
}

static int
take_key(struct reader *r, struct imap_search_node **node_r)
{
	bool negate = false;
	int result;

	while (skip_word(r->c, SLICE("NOT")))
		negate = !negate;
	if (++r->depth > LIMIT_IMAP_NESTING)
		return imap_fail(r->c, IMAP_ERROR_NESTING);
	if (imap_is_next(r->c, '('))
		result = take_group(r, node_r);
	else if (is_set_next(r->c))
		result = take_bare_set(r, node_r);
	else if (skip_word(r->c, SLICE("OR")))
		result = take_or(r, node_r);
	else
		result = take_named(r, node_r);
	r->depth--;
	if (result < 0)
		return -1;
	(*node_r)->negate = (*node_r)->negate != negate;
	return 0;
}

int
imap_take_partial_range(struct imap_cur *c, struct imap_partial *p_r)
{
	uint32_t a, b;

	p_r->from_end = imap_skip(c, '-');
	if (imap_take_nz_number(c, &a) < 0)
		return -1;
	if (!imap_skip(c, ':') || imap_skip(c, '-') != p_r->from_end)
		return imap_fail(c, IMAP_ERROR_PARTIAL_RANGE);
	if (imap_take_nz_number(c, &b) < 0)
		return -1;
	p_r->first = a < b ? a : b;
	p_r->last = a < b ? b : a;
	return 0;
}

static int
take_return_option(struct imap_cur *c, struct imap_search *s)
{
	static const struct imap_word words[] = {
		{ "MIN", IMAP_RETURN_MIN }, { "MAX", IMAP_RETURN_MAX },
		{ "ALL", IMAP_RETURN_ALL }, { "COUNT", IMAP_RETURN_COUNT },
		{ "SAVE", IMAP_RETURN_SAVE }, { "PARTIAL", IMAP_RETURN_PARTIAL }
	};
	unsigned bit;

	if (imap_take_word(c, words, sizeof words / sizeof *words,
	    IMAP_ERROR_SEARCH_RETURN, &bit) < 0)
		return -1;
	if (bit == IMAP_RETURN_PARTIAL && (s->returns & bit) != 0)
		return imap_fail(c, IMAP_ERROR_SEARCH_RETURN);
	s->returns |= bit;
	if (bit != IMAP_RETURN_PARTIAL)
		return 0;
	if (imap_take_space(c) < 0)
		return -1;
	return imap_take_partial_range(c, &s->partial);
}

/* RFC 9394 3.1: PARTIAL and ALL exclude each other. */
static int
take_return(struct imap_cur *c, struct imap_search *s)
{
	const unsigned both = IMAP_RETURN_ALL | IMAP_RETURN_PARTIAL;
	bool more;
	size_t i;

	s->has_return = true;
	if (imap_take_open(c) < 0)
		return -1;
	for (i = 0;; i++) {
		if (imap_take_item(c, i, LIMIT_IMAP_WORDS, &more) < 0)
			return -1;
		if (!more)
			break;
		if (take_return_option(c, s) < 0)
			return -1;
	}
	if (s->returns == 0)
		s->returns = IMAP_RETURN_ALL;
	if ((s->returns & both) == both)
		return imap_fail(c, IMAP_ERROR_SEARCH_RETURN);
	return imap_take_space(c);
}

int
imap_take_search(struct imap_cur *c, struct imap_search *s_r)
{
	struct reader r = { c, s_r, 0, 0 };

	*s_r = (struct imap_search){ .charset = SLICE_NONE };
	if (imap_take_space(c) < 0)
		return -1;
	if (skip_word(c, SLICE("RETURN")) && take_return(c, s_r) < 0)
		return -1;
	if (skip_word(c, SLICE("CHARSET")) &&
	    (imap_take_charset(c, &s_r->charset) < 0 ||
	     imap_take_space(c) < 0))
		return -1;
	if (take_all(&r, &s_r->root) < 0)
		return -1;
	return imap_take_end(c);
}
