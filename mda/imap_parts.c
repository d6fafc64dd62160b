/* SPDX-License-Identifier: ISC */
/* The walk through a MIME tree in the order of the message. */
#include "mda/imap_parts.h"

/* The part that follows in the order of the message. */
static const struct mime_part *
next_part(const struct mime_part *part, const struct mime_part *root)
{
	if (part->child != NULL)
		return part->child;
	while (part != root && part->next == NULL)
		part = part->parent;
	return part == root ? NULL : part->next;
}

const struct mime_part *
imap_next_text(const struct mime_part *part, const struct mime_part *root)
{
	part = part == NULL ? root : next_part(part, root);
	while (part != NULL &&
	    (part->child != NULL || !mime_part_is(part, "text", NULL)))
		part = next_part(part, root);
	return part;
}

struct slice
imap_charset_of(const struct mime_part *part)
{
	const struct mime_param *p = mime_param_find(part->params, "charset");

	return p == NULL ? SLICE_NONE : p->value;
}
