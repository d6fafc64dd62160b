/* SPDX-License-Identifier: ISC */
/* Each list is a map from what was written, in lower case; a lookup tries the
 * address, its domain, and each domain above that. */
#include "mta/lists.h"

#include <string.h>

#include "base/map.h"
#include "conf/conf_smtpd.h"
#include "proto/address.h"
#include "proto/limits.h"
#include "sys/log.h"

enum list { BLOCK_HELO, BLOCK_SENDERS, ALLOW_SENDERS, BLOCK_RECIPIENTS, LISTS };

static struct map lists[LISTS];

static void
add_lower(struct buf *out, struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		buf_add_char(out, ascii_lower(s.p[i]));
}

static void
add_entry(struct map *m, struct slice text)
{
	static char present[1];
	struct buf key;

	buf_init(&key, LIMIT_PATH + 2);
	add_lower(&key, text);
	if (map_put(m, buf_slice(&key), present, NULL) < 0)
		fatal("event=no_memory for=lists");
	buf_fini(&key);
}

static int
check_entry(enum list which, struct slice text, struct buf *why)
{
	struct address a;
	struct slice rest = text;

	if (text.n > LIMIT_PATH)
		goto bad;
	if (which == BLOCK_HELO)
		return 0;
	/* "@.example.com": the rest must be a domain. */
	if (slice_has_prefix(text, SLICE("@.")))
		rest = slice_from(text, 2);
	else if (slice_has_prefix(text, SLICE("@")))
		rest = slice_from(text, 1);
	else if (address_parse_lenient(text, &a) == 0 && a.domain.n > 0)
		return 0;
	else
		goto bad;
	if (rest.n > 0)
		return 0;
bad:
	buf_addf(why, "\"%.*s\" is neither an address nor @domain",
	    SLICE_FMT(text));
	return -1;
}

int
lists_configure(const struct conf_smtpd *conf, struct buf *why)
{
	const struct conf_list *from[LISTS] = {
		[BLOCK_HELO] = &conf->block_helo,
		[BLOCK_SENDERS] = &conf->block_senders,
		[ALLOW_SENDERS] = &conf->allow_senders,
		[BLOCK_RECIPIENTS] = &conf->block_recipients,
	};
	size_t i, j;

	for (i = 0; i < LISTS; i++)
		for (j = 0; j < from[i]->n; j++)
			if (check_entry((enum list)i,
				slice_str(from[i]->v[j]), why) < 0)
				return -1;
	for (i = 0; i < LISTS; i++) {
		map_fini(&lists[i]);
		for (j = 0; j < from[i]->n; j++)
			add_entry(&lists[i], slice_str(from[i]->v[j]));
	}
	return 0;
}

/* `prefix` with the name, or with one of the domains above it. */
static bool
has_domain(const struct map *m, const char *prefix, struct slice domain)
{
	struct buf key;
	ptrdiff_t dot;
	bool found;

	buf_init(&key, LIMIT_PATH + 4);
	buf_add_str(&key, prefix);
	add_lower(&key, domain);
	found = map_get(m, buf_slice(&key)) != NULL;
	while (!found && (dot = slice_chr(domain, '.')) >= 0) {
		domain = slice_from(domain, (size_t)dot + 1);
		buf_reset(&key);
		buf_add_str(&key, prefix);
		buf_add_char(&key, '.');
		add_lower(&key, domain);
		found = map_get(m, buf_slice(&key)) != NULL;
	}
	buf_fini(&key);
	return found;
}

bool
lists_is_blocked_helo(struct slice name)
{
	return lists[BLOCK_HELO].n > 0 &&
	    has_domain(&lists[BLOCK_HELO], "", name);
}

static bool
has_address(const struct map *m, const struct address *a)
{
	struct buf plain, key;
	bool found;

	if (m->n == 0 || address_is_null(a))
		return false;
	buf_init(&plain, LIMIT_PATH + 2);
	buf_init(&key, LIMIT_PATH + 2);
	address_add(&plain, a);
	add_lower(&key, buf_slice(&plain));
	found = map_get(m, buf_slice(&key)) != NULL;
	buf_fini(&key);
	buf_fini(&plain);
	return found || has_domain(m, "@", a->domain);
}

bool
lists_is_blocked_sender(const struct address *a)
{
	return has_address(&lists[BLOCK_SENDERS], a) &&
	    !has_address(&lists[ALLOW_SENDERS], a);
}

bool
lists_is_blocked_recipient(const struct address *a)
{
	return has_address(&lists[BLOCK_RECIPIENTS], a);
}
