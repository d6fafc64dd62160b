/* SPDX-License-Identifier: ISC */
/*
 * Text files as tables: read whole, sorted, searched by halving. A look at
 * the file's identity before each use finds changes. Whoever edits a file in
 * place while it is read gives us a mixture; it is read again at the next
 * change, and a file that changed while it was read is read once more.
 */
#include "sys/table_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/table_lines.h"

struct entry {
	struct slice key;
	size_t value, value_n; /* place in content.values */
	unsigned line;
};

struct content {
	char *text;
	size_t n, cap;
	struct entry *entries; /* sorted by key */
	struct buf values;
};

/* What must not change for the content to be the same. */
struct identity {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct text {
	struct identity seen; /* of the last attempt to read it */
	bool is_broken;	      /* that attempt failed; old content serves */
	struct content content;
};

static int
look(const struct table *t, int fd, struct identity *id_r)
{
	struct stat st;
	int rc = fd >= 0 ? fstat(fd, &st)
			 : fstatat(t->env->dir_fd, t->name, &st, 0);

	if (rc < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_size > TABLE_TEXT_MAX) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return -1;
	}
	/* Compared byte by byte: no padding may differ. */
	memset(id_r, 0, sizeof *id_r);
	id_r->dev = st.st_dev;
	id_r->ino = st.st_ino;
	id_r->size = st.st_size;
	id_r->mtime = st.st_mtim;
	id_r->ctime = st.st_ctim;
	return 0;
}

static void
content_fini(struct content *c)
{
	free(c->text);
	free(c->entries);
	buf_fini(&c->values);
	*c = (struct content){ 0 };
	buf_init(&c->values, TABLE_TEXT_MAX);
}

static int
compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return slice_cmp(x->key, y->key);
}

static int
add_entry(struct content *c, struct entry e)
{
	struct entry *more;
	size_t cap;

	if (c->n == c->cap) {
		cap = c->cap == 0 ? 64 : 2 * c->cap;
		more = reallocarray(c->entries, cap, sizeof *more);
		if (more == NULL)
			return -1;
		c->entries = more;
		c->cap = cap;
	}
	c->entries[c->n++] = e;
	return 0;
}

static int
check_twins(struct table *t, const struct content *c)
{
	const struct entry *a, *b;
	size_t i;

	for (i = 1; i < c->n; i++) {
		a = &c->entries[i - 1];
		b = &c->entries[i];
		if (!slice_eq(a->key, b->key))
			continue;
		table_say(t->env, "%s/%s:%u: \"%.*s\" stands already in line "
		    "%u", t->env->dir, t->name,
		    a->line > b->line ? a->line : b->line, SLICE_FMT(a->key),
		    a->line > b->line ? b->line : a->line);
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static int
parse(struct table *t, struct content *c, size_t n)
{
	enum table_line what;
	struct table_lines l;
	struct entry e;

	table_lines_init(&l, (struct slice){ c->text, n });
	for (;;) {
		e.value = c->values.n;
		what = table_lines_next(&l, &e.key, &c->values);
		if (what != TABLE_LINE_ENTRY)
			break;
		e.value_n = c->values.n - e.value;
		e.line = l.line;
		if (add_entry(c, e) < 0) {
			table_say(t->env, "out of memory");
			return -1;
		}
	}
	if (what == TABLE_LINE_BAD) {
		table_say(t->env, "%s/%s:%u: %s", t->env->dir, t->name,
		    l.line, l.error);
		errno = EINVAL;
		return -1;
	}
	if (c->n > 1)
		qsort(c->entries, c->n, sizeof *c->entries, compare);
	return check_twins(t, c);
}

static ssize_t
read_whole(int fd, char *to, size_t n)
{
	size_t done = 0;
	ssize_t got;

	while (done < n) {
		got = read(fd, to + done, n - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* Reads the text of the file as it is at one moment, as far as one can. */
static int
read_text(struct table *t, struct content *c, size_t *n_r,
    struct identity *id_r)
{
	struct identity after;
	int fd, tries;
	ssize_t n = -1;

	fd = openat(t->env->dir_fd, t->name,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	for (tries = 0; tries < 3; tries++) {
		n = -1;
		if (look(t, fd, id_r) < 0 || lseek(fd, 0, SEEK_SET) < 0)
			break;
		free(c->text);
		c->text = malloc((size_t)id_r->size + 1);
		if (c->text == NULL)
			break;
		n = read_whole(fd, c->text, (size_t)id_r->size);
		if (n < 0 || look(t, fd, &after) < 0 ||
		    memcmp(id_r, &after, sizeof after) == 0)
			break;
	}
	(void)close(fd);
	*n_r = n < 0 ? 0 : (size_t)n;
	return n < 0 ? -1 : 0;
}

/* The new content takes the place of the old only when it is whole. */
static int
load(struct table *t)
{
	struct text *text = t->state;
	struct content c = { 0 };
	size_t n;

	buf_init(&c.values, TABLE_TEXT_MAX);
	if (read_text(t, &c, &n, &text->seen) < 0) {
		table_say(t->env, "%s/%s: %s", t->env->dir, t->name,
		    strerror(errno));
		content_fini(&c);
		return -1;
	}
	if (parse(t, &c, n) < 0) {
		content_fini(&c);
		return -1;
	}
	content_fini(&text->content);
	text->content = c;
	if (text->is_broken)
		buf_reset(&t->env->error);
	text->is_broken = false;
	return 0;
}

static void
refresh(struct table *t, unsigned walks)
{
	struct text *text = t->state;
	struct identity now;

	/* A walk under way stands on the content. */
	if (t->env->walks > walks)
		return;
	if (look(t, -1, &now) < 0) {
		table_say(t->env, "%s/%s: %s", t->env->dir, t->name,
		    strerror(errno));
		/* Should it come back as it was, that is to be noticed. */
		memset(&text->seen, 0, sizeof text->seen);
		text->is_broken = true;
		return;
	}
	if (memcmp(&now, &text->seen, sizeof now) == 0)
		return;
	/* Even if it is broken: once is enough for the same file. */
	text->seen = now;
	if (load(t) < 0)
		text->is_broken = true;
}

static int
text_env_open(struct table_env *env)
{
	return 0;
}

static void
text_env_close(struct table_env *env)
{
}

static int
text_open(struct table *t)
{
	struct text *text = calloc(1, sizeof *text);

	if (text == NULL) {
		table_say(t->env, "out of memory");
		return -1;
	}
	buf_init(&text->content.values, TABLE_TEXT_MAX);
	t->state = text;
	if (load(t) == 0)
		return 0;
	content_fini(&text->content);
	free(text);
	return -1;
}

static void
text_close(struct table *t)
{
	struct text *text = t->state;

	content_fini(&text->content);
	free(text);
}

/* The first entry whose key is not smaller. */
static size_t
lower_bound(const struct content *c, struct slice key)
{
	size_t low = 0, high = c->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (slice_cmp(c->entries[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct slice
value_of(const struct content *c, const struct entry *e)
{
	return (struct slice){ c->values.p + e->value, e->value_n };
}

static int
text_get(struct table *t, struct slice key, struct buf *value)
{
	const struct text *text = t->state;
	const struct content *c = &text->content;
	size_t at;

	refresh(t, 0);
	at = lower_bound(c, key);
	if (at == c->n || !slice_eq(c->entries[at].key, key)) {
		errno = ENOENT;
		return -1;
	}
	buf_add_slice(value, value_of(c, &c->entries[at]));
	errno = value->err;
	return buf_is_ok(value) ? 0 : -1;
}

static int
text_apply(struct table_env *env, const struct table_change *changes,
    size_t n, enum table_durability how)
{
	errno = EROFS;
	return -1;
}

static int
text_flush(struct table_env *env)
{
	return 0;
}

static int
text_walk(struct table *t, struct slice prefix, struct slice after,
    table_each_fn *each, void *arg)
{
	const struct text *text = t->state;
	const struct content *c = &text->content;
	const struct entry *e;
	size_t i;

	refresh(t, 1); /* this one */
	for (i = lower_bound(c, after.n > 0 ? after : prefix); i < c->n;
	     i++) {
		e = &c->entries[i];
		if (after.n > 0 && slice_eq(e->key, after))
			continue;
		if (!slice_has_prefix(e->key, prefix) ||
		    !each(arg, e->key, value_of(c, e)))
			break;
	}
	return 0;
}

const struct table_ops table_text = {
	.name = "text",
	.env_open = text_env_open,
	.env_close = text_env_close,
	.open = text_open,
	.close = text_close,
	.get = text_get,
	.apply = text_apply,
	.flush = text_flush,
	.walk = text_walk,
};
