/* SPDX-License-Identifier: ISC */
/*
 * Where a body's file is: FOLDER/new/ID, FOLDER/cur/ID:2,LETTERS or, before
 * other programs are to see it, FOLDER/tmp/ID. The caller's hint is tried
 * first, then the likely names, then the folder is searched.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mda/letters.h"
#include "mda/rows.h"
#include "mda/store_priv.h"

enum { BUFFERS = 16, PATH_BYTES = 1024 };

static const char *const places[] = { [BODY_NEW] = "new", [BODY_CUR] = "cur",
	[BODY_TMP] = "tmp" };

void
store_body_copy(struct store_body *to, const struct store_body *from)
{
	*to = *from;
	to->folder = store_dup(slice_str(from->folder));
	to->id.p = store_dup(from->id);
}

void
store_body_fini(struct store_body *b)
{
	union {
		const char *in;
		void *out;
	} folder = { b->folder }, id = { b->id.p };

	free(folder.out);
	free(id.out);
}

static struct buf *
next_buffer(void)
{
	static struct buf buffers[BUFFERS];
	static unsigned turn;
	struct buf *b = &buffers[turn++ % BUFFERS];

	if (b->max == 0)
		buf_init(b, PATH_BYTES);
	buf_reset(b);
	return b;
}

static void
add_place(struct buf *b, const char *folder, enum body_place place)
{
	buf_add_str(b, folder);
	if (folder[0] != 0)
		buf_add_char(b, '/');
	buf_add_str(b, places[place]);
	buf_add_char(b, '/');
}

const char *
store_path(const char *folder, enum body_place place, struct slice id,
    uint32_t letters)
{
	struct buf *b = next_buffer();

	add_place(b, folder, place);
	buf_add_slice(b, id);
	if (place == BODY_CUR) {
		buf_add_str(b, ":2,");
		letters_put(b, letters);
	}
	return b->p;
}

const char *
store_path_in(const char *folder, const char *name)
{
	struct buf *b = next_buffer();

	buf_add_str(b, folder == NULL ? STORE_DIR : folder);
	if (b->n > 0)
		buf_add_char(b, '/');
	buf_add_str(b, name);
	return b->p;
}

bool
store_path_parse(const char *name, enum body_place place,
    struct store_entry *e_r)
{
	struct slice s = slice_str(name), letters = SLICE_NONE;
	struct buf *b;
	ptrdiff_t at;

	if (s.n == 0 || s.p[0] == '.')
		return false;
	*e_r = (struct store_entry){ .id = s, .place = place };
	at = slice_find(s, SLICE(":2,"));
	if (at == 0)
		return false;
	if (at > 0) {
		e_r->id.n = (size_t)at;
		letters = slice_from(s, (size_t)at + 3);
	}
	if (e_r->id.n > ROW_ID_MAX - 64)
		return false;
	e_r->letters = letters_parse(letters);
	b = next_buffer();
	letters_put(b, e_r->letters);
	e_r->odd = place == BODY_NEW ? at > 0 :
	    at < 0 || !slice_eq(letters, buf_slice(b));
	return true;
}

static bool
is_there(struct store *s, const char *path)
{
	struct stat st;

	return fstatat(s->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Looks through new/ or cur/ for a name that begins with the id. */
static const char *
search(struct store *s, const struct store_body *b, enum body_place place,
    struct store_body *found)
{
	struct buf *path = next_buffer();
	struct store_entry e;
	struct dirent *d;
	const char *got = NULL;
	DIR *dir;
	int fd;

	add_place(path, b->folder, place);
	fd = openat(s->root, path->p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir != NULL && got == NULL && (d = readdir(dir)) != NULL) {
		if (strncmp(d->d_name, b->id.p, b->id.n) != 0 ||
		    !store_path_parse(d->d_name, place, &e) ||
		    !slice_eq(e.id, b->id))
			continue;
		found->place = place;
		found->letters = e.letters;
		add_place(path = next_buffer(), b->folder, place);
		buf_add_str(path, d->d_name);
		got = path->p;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return got;
}

const char *
store_path_find(struct store *s, const struct store_body *b,
    struct store_body *found_r)
{
	const struct {
		enum body_place place;
		uint32_t letters;
	} likely[] = {
		{ b->place, b->letters }, { BODY_NEW, 0 },
		{ BODY_CUR, b->letters }, { BODY_CUR, 0 },
		{ BODY_CUR, LETTER_SEEN }, { BODY_TMP, 0 },
	};
	struct store_body found = *b;
	const char *path;
	size_t i;

	for (i = 0; i < sizeof likely / sizeof *likely; i++) {
		found.place = likely[i].place;
		found.letters = likely[i].letters;
		path = store_path(b->folder, found.place, b->id,
		    found.letters);
		if (is_there(s, path))
			break;
		path = NULL;
	}
	if (path == NULL)
		path = search(s, b, BODY_CUR, &found);
	if (path == NULL)
		path = search(s, b, BODY_NEW, &found);
	if (path == NULL) {
		errno = ENOENT;
		return NULL;
	}
	if (found_r != NULL)
		*found_r = found;
	return path;
}

int64_t
store_body_named(struct store *s, const struct store_body *b)
{
	const char *path = store_path_find(s, b, NULL);
	struct stat st;

	if (path == NULL ||
	    fstatat(s->root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return (int64_t)st.st_ctim.tv_sec * 1000 +
	    st.st_ctim.tv_nsec / 1000000;
}
