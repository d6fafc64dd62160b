/* SPDX-License-Identifier: ISC */
/*
 * RFC 9051 9: fetch-att, section, partial. The echo is built here once, in our
 * own form: upper case, field names quoted where they must be, PEEK gone.
 */
#include "proto/imap_fetch.h"

#include <string.h>

#include "proto/limits.h"

/* Plain items, echoed as they are called. */
static const struct plain {
	const char *name;
	enum imap_fetch_kind kind;
} plains[] = {
	{ "UID", IMAP_FETCH_UID },
	{ "FLAGS", IMAP_FETCH_FLAGS },
	{ "INTERNALDATE", IMAP_FETCH_INTERNALDATE },
	{ "RFC822.SIZE", IMAP_FETCH_RFC822_SIZE },
	{ "ENVELOPE", IMAP_FETCH_ENVELOPE },
	{ "BODY", IMAP_FETCH_BODY },
	{ "BODYSTRUCTURE", IMAP_FETCH_BODYSTRUCTURE },
	{ "MODSEQ", IMAP_FETCH_MODSEQ },
	{ "SAVEDATE", IMAP_FETCH_SAVEDATE },
	{ "EMAILID", IMAP_FETCH_EMAILID },
	{ "THREADID", IMAP_FETCH_THREADID },
	{ "PREVIEW", IMAP_FETCH_PREVIEW },
};

enum form { FORM_WHOLE, FORM_SECTION, FORM_BINARY, FORM_SIZE };

/* Items with a section; WHOLE ones are RFC 3501's shorthands without one. */
static const struct sectioned {
	const char *name, *echo;
	enum imap_fetch_kind kind;
	enum form form;
	bool is_peek;
	enum imap_section_text text;
} sectioned[] = {
	{ "BODY", "BODY", IMAP_FETCH_SECTION, FORM_SECTION, false, 0 },
	{ "BODY.PEEK", "BODY", IMAP_FETCH_SECTION, FORM_SECTION, true, 0 },
	{ "BINARY", "BINARY", IMAP_FETCH_BINARY, FORM_BINARY, false, 0 },
	{ "BINARY.PEEK", "BINARY", IMAP_FETCH_BINARY, FORM_BINARY, true, 0 },
	{ "BINARY.SIZE", "BINARY.SIZE", IMAP_FETCH_BINARY_SIZE, FORM_SIZE,
	    true, 0 },
	{ "RFC822", "RFC822", IMAP_FETCH_SECTION, FORM_WHOLE, false,
	    IMAP_SECTION_ALL },
	{ "RFC822.HEADER", "RFC822.HEADER", IMAP_FETCH_SECTION, FORM_WHOLE,
	    true, IMAP_SECTION_HEADER },
	{ "RFC822.TEXT", "RFC822.TEXT", IMAP_FETCH_SECTION, FORM_WHOLE, false,
	    IMAP_SECTION_TEXT },
};

static const struct {
	const char *name;
	enum imap_section_text text;
} section_texts[] = {
	{ "HEADER", IMAP_SECTION_HEADER },
	{ "HEADER.FIELDS", IMAP_SECTION_FIELDS },
	{ "HEADER.FIELDS.NOT", IMAP_SECTION_FIELDS_NOT },
	{ "TEXT", IMAP_SECTION_TEXT },
	{ "MIME", IMAP_SECTION_MIME },
};

static const struct {
	const char *name;
	unsigned kinds;
} macros[] = {
	{ "ALL", 1 << IMAP_FETCH_FLAGS | 1 << IMAP_FETCH_INTERNALDATE |
	    1 << IMAP_FETCH_RFC822_SIZE | 1 << IMAP_FETCH_ENVELOPE },
	{ "FAST", 1 << IMAP_FETCH_FLAGS | 1 << IMAP_FETCH_INTERNALDATE |
	    1 << IMAP_FETCH_RFC822_SIZE },
	{ "FULL", 1 << IMAP_FETCH_FLAGS | 1 << IMAP_FETCH_INTERNALDATE |
	    1 << IMAP_FETCH_RFC822_SIZE | 1 << IMAP_FETCH_ENVELOPE |
	    1 << IMAP_FETCH_BODY },
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct imap_fetch_item *
item_new(struct imap_cur *c, struct imap_fetch *f, enum imap_fetch_kind kind)
{
	struct imap_fetch_item *item;

	if (f->n >= LIMIT_IMAP_FETCH_ITEMS) {
		(void)imap_fail(c, IMAP_ERROR_TOO_MANY);
		return NULL;
	}
	item = imap_alloc(c, sizeof *item);
	if (item == NULL)
		return NULL;
	item->kind = kind;
	f->n++;
	f->kinds |= 1U << kind;
	return item;
}

static int
add_plain(struct imap_cur *c, struct imap_fetch *f, const struct plain *plain,
    struct imap_fetch_item **item_r)
{
	struct imap_fetch_item *item;

	*item_r = NULL;
	if ((f->kinds & 1U << plain->kind) != 0)
		return 0;
	item = item_new(c, f, plain->kind);
	if (item == NULL)
		return -1;
	item->echo = slice_str(plain->name);
	list_add(&f->items, &item->node);
	*item_r = item;
	return 0;
}

static int
add_macro(struct imap_cur *c, struct imap_fetch *f, unsigned kinds)
{
	struct imap_fetch_item *item;
	size_t i;

	for (i = 0; i < COUNT(plains); i++)
		if ((kinds & 1U << plains[i].kind) != 0 &&
		    add_plain(c, f, &plains[i], &item) < 0)
			return -1;
	return 0;
}

/* RFC 5322 3.6.8: printable ASCII without the colon; it will be echoed. */
static bool
is_field_name(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == ':')
			return false;
	return s.n > 0;
}

static int
take_fields(struct imap_cur *c, struct imap_section *section)
{
	struct slice fields[LIMIT_IMAP_FETCH_FIELDS];
	size_t n = 0;
	bool more;

	if (imap_take_space(c) < 0 || imap_take_open(c) < 0)
		return -1;
	for (;; n++) {
		if (imap_take_item(c, n, COUNT(fields), &more) < 0)
			return -1;
		if (!more)
			break;
		if (imap_take_astring(c, &fields[n]) < 0)
			return -1;
		if (!is_field_name(fields[n]))
			return imap_fail(c, IMAP_ERROR_SECTION);
	}
	if (n == 0)
		return imap_fail(c, IMAP_ERROR_SECTION);
	section->fields = imap_alloc(c, n * sizeof *fields);
	if (section->fields == NULL)
		return -1;
	memcpy(section->fields, fields, n * sizeof *fields);
	section->n_fields = n;
	return 0;
}

static int
take_section_text(struct imap_cur *c, struct imap_section *section)
{
	struct slice name;
	size_t i;

	if (imap_take_name(c, IMAP_ERROR_SECTION, &name) < 0)
		return -1;
	for (i = 0; i < COUNT(section_texts); i++)
		if (slice_ieq_str(name, section_texts[i].name))
			break;
	if (i == COUNT(section_texts))
		return imap_fail(c, IMAP_ERROR_SECTION);
	section->text = section_texts[i].text;
	if (section->text == IMAP_SECTION_MIME && section->n_parts == 0)
		return imap_fail(c, IMAP_ERROR_SECTION);
	if (section->text == IMAP_SECTION_FIELDS ||
	    section->text == IMAP_SECTION_FIELDS_NOT)
		return take_fields(c, section);
	return 0;
}

static bool
is_digit_next(const struct imap_cur *c)
{
	return !imap_is_end(c) && ascii_is_digit(*c->p);
}

/* 1.2.3, maybe none; *dot_r: some text must follow, as in `1.2.MIME`. */
static int
take_parts(struct imap_cur *c, struct imap_section *section, bool *dot_r)
{
	uint32_t parts[LIMIT_MIME_DEPTH];
	size_t n = 0;

	*dot_r = true;
	while (is_digit_next(c)) {
		if (n == COUNT(parts))
			return imap_fail(c, IMAP_ERROR_SECTION);
		if (imap_take_nz_number(c, &parts[n++]) < 0)
			return -1;
		*dot_r = imap_skip(c, '.');
		if (!*dot_r)
			break;
	}
	if (n == 0)
		return 0;
	section->parts = imap_alloc(c, n * sizeof *parts);
	if (section->parts == NULL)
		return -1;
	memcpy(section->parts, parts, n * sizeof *parts);
	section->n_parts = n;
	return 0;
}

static int
take_section(struct imap_cur *c, enum form form, struct imap_section *section)
{
	bool text_follows;

	if (!imap_skip(c, '['))
		return imap_fail(c, IMAP_ERROR_SECTION);
	if (imap_skip(c, ']'))
		return 0;
	if (take_parts(c, section, &text_follows) < 0)
		return -1;
	if (text_follows && form != FORM_SECTION)
		return imap_fail(c, IMAP_ERROR_SECTION);
	if (text_follows && take_section_text(c, section) < 0)
		return -1;
	return imap_skip(c, ']') ? 0 : imap_fail(c, IMAP_ERROR_SECTION);
}

static int
take_partial(struct imap_cur *c, struct imap_fetch_item *item)
{
	item->is_partial = imap_skip(c, '<');
	if (!item->is_partial)
		return 0;
	if (imap_take_number64(c, &item->offset) < 0)
		return -1;
	if (!imap_skip(c, '.'))
		return imap_fail(c, IMAP_ERROR_PARTIAL);
	if (imap_take_nz_number64(c, &item->length) < 0)
		return -1;
	return imap_skip(c, '>') ? 0 : imap_fail(c, IMAP_ERROR_PARTIAL);
}

/* Text written into region memory whose size was reckoned before. */
struct echo {
	char *p;
	size_t n;
};

static void
put(struct echo *e, const char *s)
{
	size_t n = strlen(s);

	memcpy(e->p + e->n, s, n);
	e->n += n;
}

static void
put_number(struct echo *e, uint64_t v)
{
	char digits[20];
	size_t n = sizeof digits;

	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	memcpy(e->p + e->n, digits + n, sizeof digits - n);
	e->n += sizeof digits - n;
}

static void
put_field(struct echo *e, struct slice name)
{
	bool is_atom = true;
	size_t i;

	for (i = 0; i < name.n; i++)
		is_atom = is_atom && imap_is_astring_char(name.p[i]);
	if (!is_atom)
		e->p[e->n++] = '"';
	for (i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			e->p[e->n++] = '\\';
		e->p[e->n++] = name.p[i];
	}
	if (!is_atom)
		e->p[e->n++] = '"';
}

static void
put_section(struct echo *e, const struct imap_section *section)
{
	size_t i;

	for (i = 0; i < section->n_parts; i++) {
		if (i > 0)
			put(e, ".");
		put_number(e, section->parts[i]);
	}
	if (section->n_parts > 0 && section->text != IMAP_SECTION_ALL)
		put(e, ".");
	for (i = 0; i < COUNT(section_texts); i++)
		if (section_texts[i].text == section->text)
			put(e, section_texts[i].name);
	for (i = 0; i < section->n_fields; i++) {
		put(e, i == 0 ? " (" : " ");
		put_field(e, section->fields[i]);
	}
	if (section->n_fields > 0)
		put(e, ")");
}

static int
make_echo(struct imap_cur *c, const char *name, struct imap_fetch_item *item)
{
	size_t i, max = strlen(name) + 64 + item->section.n_parts * 11;
	struct echo e = { NULL, 0 };

	for (i = 0; i < item->section.n_fields; i++)
		max += 2 * item->section.fields[i].n + 3;
	e.p = imap_alloc(c, max);
	if (e.p == NULL)
		return -1;
	put(&e, name);
	put(&e, "[");
	put_section(&e, &item->section);
	put(&e, "]");
	if (item->is_partial) {
		put(&e, "<");
		put_number(&e, item->offset);
		put(&e, ">");
	}
	item->echo = (struct slice){ e.p, e.n };
	return 0;
}

static int
add_sectioned(struct imap_cur *c, struct imap_fetch *f,
    const struct sectioned *s)
{
	struct imap_fetch_item *item = item_new(c, f, s->kind);

	if (item == NULL)
		return -1;
	item->section.text = s->text;
	item->echo = slice_str(s->echo);
	f->sets_seen = f->sets_seen || !s->is_peek;
	list_add(&f->items, &item->node);
	if (s->form == FORM_WHOLE)
		return 0;
	if (take_section(c, s->form, &item->section) < 0)
		return -1;
	if (s->form != FORM_SIZE && take_partial(c, item) < 0)
		return -1;
	return make_echo(c, s->echo, item);
}

/* PREVIEW (LAZY), RFC 8970 3.1. */
static int
take_preview(struct imap_cur *c, struct imap_fetch_item *item)
{
	static const struct imap_word words[] = { { "LAZY", 1 } };
	unsigned bit;

	if (!slice_has_prefix(imap_rest(c), SLICE(" (")))
		return 0;
	if (!slice_has_iprefix(slice_from(imap_rest(c), 2), SLICE("LAZY")))
		return 0; /* the modifiers of the FETCH */
	if (imap_take_space(c) < 0 || imap_take_open(c) < 0 ||
	    imap_take_word(c, words, 1, IMAP_ERROR_FETCH_ITEM, &bit) < 0)
		return -1;
	if (item != NULL)
		item->is_lazy = true;
	return imap_take_close(c);
}

static int
take_item(struct imap_cur *c, struct imap_fetch *f, struct slice name)
{
	struct imap_fetch_item *item;
	size_t i;

	for (i = 0; i < COUNT(sectioned); i++)
		if ((sectioned[i].form == FORM_WHOLE) ==
		    !imap_is_next(c, '[') &&
		    slice_ieq_str(name, sectioned[i].name))
			return add_sectioned(c, f, &sectioned[i]);
	for (i = 0; i < COUNT(plains); i++)
		if (slice_ieq_str(name, plains[i].name))
			break;
	if (i == COUNT(plains))
		return imap_fail(c, IMAP_ERROR_FETCH_ITEM);
	if (add_plain(c, f, &plains[i], &item) < 0)
		return -1;
	return plains[i].kind == IMAP_FETCH_PREVIEW ? take_preview(c, item)
						    : 0;
}

static int
take_list(struct imap_cur *c, struct imap_fetch *f)
{
	struct slice name;
	bool more;
	size_t i;

	if (imap_take_open(c) < 0)
		return -1;
	for (i = 0;; i++) {
		if (imap_take_item(c, i, LIMIT_IMAP_FETCH_ITEMS, &more) < 0)
			return -1;
		if (!more)
			return i > 0 ? 0
				     : imap_fail(c, IMAP_ERROR_FETCH_ITEM);
		if (imap_take_name(c, IMAP_ERROR_FETCH_ITEM, &name) < 0 ||
		    take_item(c, f, name) < 0)
			return -1;
	}
}

int
imap_take_fetch(struct imap_cur *c, struct imap_fetch *f_r)
{
	struct slice name;
	size_t i;

	*f_r = (struct imap_fetch){ .n = 0 };
	list_init(&f_r->items);
	if (imap_is_next(c, '('))
		return take_list(c, f_r);
	if (imap_take_name(c, IMAP_ERROR_FETCH_ITEM, &name) < 0)
		return -1;
	for (i = 0; i < COUNT(macros); i++)
		if (slice_ieq_str(name, macros[i].name))
			return add_macro(c, f_r, macros[i].kinds);
	return take_item(c, f_r, name);
}

int
imap_fetch_add_first(struct imap_cur *c, struct imap_fetch *f,
    enum imap_fetch_kind kind)
{
	struct imap_fetch_item *item;
	size_t i;

	for (i = 0; i < COUNT(plains); i++)
		if (plains[i].kind == kind)
			break;
	if (i == COUNT(plains))
		return imap_fail(c, IMAP_ERROR_FETCH_ITEM);
	if (add_plain(c, f, &plains[i], &item) < 0)
		return -1;
	if (item != NULL) {
		list_remove(&item->node);
		list_add_first(&f->items, &item->node);
	}
	return 0;
}
