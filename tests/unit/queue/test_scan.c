/* SPDX-License-Identifier: ISC */
/* What may lie in the folder at start: FORMAT's tables "At start", row by
 * row. */
#include "queue/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "queue/slot.h"
#include "tests/unit/queue/world.h"
#include "tests/unit/unit.h"

enum { RECORD = 1024, SECTOR = 512 };

static struct world w;

static void
set_up(void)
{
	world_init(&w);
	ck_assert(world_open(&w));
}

static void
tear_down(void)
{
	world_fini(&w);
}

static struct spool_ref *
send(uint64_t key, size_t size, uint32_t n)
{
	struct spool_ref *ref;
	int error;

	ref = world_send(&w, key, size, n, &error);
	ck_assert_ptr_nonnull(ref);
	return ref;
}

static void
reopen(void)
{
	ck_assert_msg(world_open(&w), "%s", w.why.p);
}

static struct spool_counts
counts(void)
{
	struct spool_counts c;

	spool_counts(w.spool, &c);
	return c;
}

/* The path of the slot that a message of this id lies in. */
static void
find_slot(uint64_t id, char path[SLOT_PATH])
{
	struct format_state st;
	char both[2 * SECTOR];
	struct dirent *e;
	unsigned i, at;
	DIR *d;
	int fd;

	for (i = 0; i < 256; i++) {
		(void)snprintf(path, SLOT_PATH, "cur/%02x", i);
		d = fdopendir(openat(w.dir, path, O_RDONLY | O_DIRECTORY));
		ck_assert_ptr_nonnull(d);
		while ((e = readdir(d)) != NULL) {
			(void)snprintf(path, SLOT_PATH, "cur/%02x/%.16s", i,
			    e->d_name);
			fd = openat(w.dir, path, O_RDONLY);
			if (pread(fd, both, sizeof both, 0) !=
			    (ssize_t)sizeof both) {
				(void)close(fd);
				continue;
			}
			(void)close(fd);
			if (format_state_pick((struct slice){ both,
			    sizeof both }, &at, &st) == FORMAT_VALID &&
			    st.id == id) {
				(void)closedir(d);
				return;
			}
		}
		(void)closedir(d);
	}
	ck_abort_msg("no slot");
}

static void
read_at(const char *path, void *p, size_t n, off_t at)
{
	int fd = openat(w.dir, path, O_RDONLY);

	ck_assert_int_eq(pread(fd, p, n, at), (ssize_t)n);
	(void)close(fd);
}

static void
write_at(const char *path, const void *p, size_t n, off_t at)
{
	int fd = openat(w.dir, path, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(pwrite(fd, p, n, at), (ssize_t)n);
	(void)close(fd);
}

static void
flip(const char *path, off_t at)
{
	char c;

	read_at(path, &c, 1, at);
	c ^= 0x40;
	write_at(path, &c, 1, at);
}

static bool
exists(const char *path)
{
	struct stat st;

	return fstatat(w.dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static size_t
corrupt_files(void)
{
	DIR *d = fdopendir(openat(w.dir, "corrupt", O_RDONLY | O_DIRECTORY));
	struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

/* The message that most tests begin with; closed afterwards. */
static uint64_t
one_message(size_t size, bool touched, char path[SLOT_PATH])
{
	struct spool_ref *ref = send(1, size, 4);
	uint64_t id = spool_ref_id(ref);

	if (touched)
		spool_mark(w.spool, ref, 2, SPOOL_DONE);
	world_close(&w);
	find_slot(id, path);
	return id;
}

/* Where damage in the record is. */
static const off_t places[] = { RECORD, RECORD + 24, RECORD + 100,
	RECORD + 170, RECORD + 700 };

START_TEST(torn)
{
	char path[SLOT_PATH];
	uint64_t free_8;

	(void)one_message(500, false, path);
	flip(path, places[_i]);
	reopen();
	ck_assert_uint_eq(w.n_found, 0);
	ck_assert_uint_eq(counts().torn, 1);
	ck_assert_uint_eq(counts().corrupt, 0);
	ck_assert(world_logged(&w, "event=torn"));
	ck_assert(exists(path));
	ck_assert_uint_eq(corrupt_files(), 0);
	/* It is as good as any other free slot. */
	free_8 = counts().free_8 + counts().free_40;
	while (free_8-- > 0)
		ck_assert_uint_eq(world_check(&w, send(free_8 + 2, 900, 1)),
		    free_8 + 2);
	world_close(&w);
	reopen();
	ck_assert_uint_eq(counts().torn, 0);
}
END_TEST

START_TEST(corrupt_record)
{
	char path[SLOT_PATH];

	(void)one_message(_i % 2 == 0 ? 500 : 40000, true, path);
	flip(path, places[_i] > RECORD + 300 ? RECORD + 300 : places[_i]);
	reopen();
	ck_assert_uint_eq(w.n_found, 0);
	ck_assert_uint_eq(counts().corrupt, 1);
	ck_assert(world_logged(&w, "event=corrupt "));
	ck_assert(!exists(path));
	ck_assert_uint_eq(corrupt_files(), _i % 2 == 0 ? 1 : 2);
	/* Once is enough. */
	world_close(&w);
	reopen();
	ck_assert_uint_eq(counts().corrupt, 0);
}
END_TEST

/* The last sector written is damaged: the one before it counts. */
START_TEST(one_sector)
{
	struct spool_envelope e;
	struct format_state st;
	char path[SLOT_PATH], both[2 * SECTOR];
	struct region mem;
	unsigned at;

	(void)one_message(500, true, path);
	read_at(path, both, sizeof both, 0);
	ck_assert_int_eq(format_state_pick((struct slice){ both, sizeof both },
	    &at, &st), FORMAT_VALID);
	ck_assert_uint_eq(st.sequence, 1);
	flip(path, (off_t)at * SECTOR + 300);
	reopen();
	ck_assert_uint_eq(w.n_found, 1);
	ck_assert_uint_eq(world_check(&w, w.found[0].ref), 1);
	region_init(&mem, 65536);
	ck_assert_int_eq(spool_read_envelope(w.spool, w.found[0].ref, &mem,
	    &e), 0);
	ck_assert_uint_eq(e.rcpts[2].mark, SPOOL_WAITING);
	region_fini(&mem);
	/* The next mark goes over the damaged one. */
	spool_mark(w.spool, w.found[0].ref, 2, SPOOL_DONE);
	world_close(&w);
	flip(path, (off_t)(1 - at) * SECTOR + 300);
	reopen();
	ck_assert_uint_eq(w.n_found, 1);
}
END_TEST

START_TEST(no_sector)
{
	char path[SLOT_PATH];

	(void)one_message(500, false, path);
	flip(path, 10);
	flip(path, SECTOR + 10);
	reopen();
	ck_assert_uint_eq(w.n_found, 0);
	ck_assert_uint_eq(counts().corrupt, 1);
	ck_assert(!exists(path));
	ck_assert_uint_eq(corrupt_files(), 1);
}
END_TEST

START_TEST(zero_slot)
{
	static const char zeros[8192];
	uint64_t n;

	world_close(&w);
	write_at("cur/77/00f00077.8", zeros, sizeof zeros, 0);
	reopen();
	ck_assert_uint_ge(counts().free_8, 1);
	for (n = counts().free_8; n > 0; n--)
		ck_assert_uint_eq(world_check(&w, send(n, 900, 1)), n);
	world_close(&w);
	reopen();
	ck_assert_uint_ge(w.n_found, 1);
	/* Numbers go on above the highest. */
	for (n = 300; n > 0; n--)
		(void)send(n, 900, 1);
}
END_TEST

/* A sector sealed again after a change. */
static void
make_newer(const char *path, off_t at)
{
	char sector[SECTOR];
	uint32_t crc;
	int i;

	read_at(path, sector, sizeof sector, at);
	sector[4] = 2;
	crc = crc32c(0, sector, 508);
	for (i = 0; i < 4; i++)
		sector[508 + i] = (char)(crc >> 8 * i);
	write_at(path, sector, sizeof sector, at);
}

START_TEST(newer)
{
	char path[SLOT_PATH], body[SLOT_PATH];
	uint64_t id = one_message(40000, true, path);

	make_newer(path, 0);
	slot_id_path("body", id, body);
	reopen();
	ck_assert_uint_eq(w.n_found, 0);
	ck_assert(world_logged(&w, "event=queue_newer"));
	ck_assert(exists(path));
	/* Its body is named by no slot that we can read: it stays. */
	ck_assert(exists(body));
	ck_assert_uint_eq(corrupt_files(), 0);
}
END_TEST

START_TEST(foreign)
{
	static const char *const names[] = { "cur/00/README", "cur/00/1.8",
		"cur/01/00000002.8", "cur/00/00000000.9", "cur/0a/0000000A.8",
		"body/00/x", "body/01/0000000000000002", "journal/ff/core" };
	static const char *const odd[] = { "cur/10/0f000010.8",
		"cur/11/0f000011.8", "cur/12/0f000012.8", "cur/13/0f000013.40",
		"cur/14/0f000014.one" };
	char line[128];
	size_t i;

	world_close(&w);
	for (i = 0; i < sizeof names / sizeof *names; i++)
		write_at(names[i], "x", 1, 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", w.dir, odd[0]), 0);
	ck_assert_int_eq(mkdirat(w.dir, odd[1], 0700), 0);
	ck_assert_int_eq(mkfifoat(w.dir, odd[2], 0600), 0);
	write_at(odd[3], "too short", 9, 0);
	ck_assert_int_eq(mkdirat(w.dir, odd[4], 0700), 0);
	reopen();
	ck_assert_uint_eq(w.n_found, 0);
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(line, sizeof line,
		    "event=queue_foreign file=%s", names[i]);
		ck_assert_msg(world_logged(&w, line), "%s", line);
		ck_assert_msg(exists(names[i]), "%s", names[i]);
	}
	for (i = 0; i < sizeof odd / sizeof *odd; i++) {
		(void)snprintf(line, sizeof line,
		    "event=queue_foreign slot=%s", odd[i]);
		ck_assert_msg(world_logged(&w, line), "%s", line);
		ck_assert_msg(exists(odd[i]), "%s", odd[i]);
	}
	ck_assert_uint_eq(world_check(&w, send(1, 100, 1)), 1);
}
END_TEST

START_TEST(body_gone)
{
	char path[SLOT_PATH], body[SLOT_PATH];
	uint64_t id = one_message(40000, _i % 2 == 1, path);
	int fd;

	slot_id_path("body", id, body);
	if (_i < 2) {
		ck_assert_int_eq(unlinkat(w.dir, body, 0), 0);
	} else {
		fd = openat(w.dir, body, O_WRONLY);
		ck_assert_int_eq(ftruncate(fd, 39999), 0);
		(void)close(fd);
	}
	reopen();
	ck_assert_uint_eq(w.n_found, 0);
	ck_assert_uint_eq(counts().corrupt, 1);
	ck_assert(!exists(path));
	ck_assert(!exists(body));
	ck_assert_uint_eq(corrupt_files(), _i < 2 ? 1 : 2);
}
END_TEST

/* Files that no live slot names. */
START_TEST(orphans)
{
	static const char body[] = "body/ef/00000000000000ef";
	static const char journal[] = "journal/ef/00000000000000ef";
	char path[SLOT_PATH];

	(void)one_message(500, true, path);
	write_at(body, "x", 1, 0);
	write_at(journal, "x", 1, 0);
	write_at("tmp/anything", "x", 1, 0);
	if (_i == 1)
		make_newer(path, 0);
	if (_i == 2) {
		flip(path, 10);
		flip(path, SECTOR + 10);
	}
	reopen();
	ck_assert(!exists("tmp/anything"));
	ck_assert_int_eq(exists(body), _i == 1);
	ck_assert_int_eq(exists(journal), _i == 1);
	ck_assert_uint_eq(corrupt_files(), _i == 2 ? 3 : 0);
	ck_assert_uint_eq(w.n_found, _i == 0 ? 1 : 0);
}
END_TEST

static const struct spool_rcpt targets[2] = {
	{ .address = SLICE("t0@example.org") },
	{ .address = SLICE("t1@example.org") },
};

/* What a crash leaves at the end of a journal does not hide what follows. */
START_TEST(journal_cut)
{
	struct spool_envelope e;
	char path[SLOT_PATH];
	struct region mem;
	struct spool_ref *ref;
	struct stat st;
	uint64_t id;
	int fd;

	ref = send(1, 6600, 4); /* no room in its slot */
	id = spool_ref_id(ref);
	ck_assert_int_eq(world_expand(&w, ref, 0, targets, 2), 0);
	ck_assert_int_eq(world_expand(&w, ref, 1, targets, 2), 0);
	world_close(&w);
	slot_id_path("journal", id, path);
	ck_assert_int_eq(fstatat(w.dir, path, &st, 0), 0);
	fd = openat(w.dir, path, O_WRONLY);
	if (_i == 0)
		ck_assert_int_eq(ftruncate(fd, st.st_size - 1), 0);
	else
		ck_assert_int_eq(pwrite(fd, "rubbish", 7, st.st_size), 7);
	(void)close(fd);
	reopen();
	ref = w.found[0].ref;
	ck_assert_int_eq(world_expand(&w, ref, 2, targets, 1), 0);
	world_close(&w);
	reopen();
	region_init(&mem, 65536);
	ck_assert_int_eq(spool_read_envelope(w.spool, w.found[0].ref, &mem,
	    &e), 0);
	ck_assert_uint_eq(e.n_rcpts, _i == 0 ? 4 + 2 + 1 : 4 + 2 + 2 + 1);
	ck_assert_uint_eq(e.rcpts[0].mark, SPOOL_EXPANDED);
	ck_assert_uint_eq(e.rcpts[1].mark,
	    _i == 0 ? SPOOL_WAITING : SPOOL_EXPANDED);
	ck_assert_uint_eq(e.rcpts[2].mark, SPOOL_EXPANDED);
	region_fini(&mem);
}
END_TEST

/* The same in the tail of a slot; the block before it counts. */
START_TEST(tail_torn)
{
	struct spool_envelope e;
	struct spool_ref *ref;
	char path[SLOT_PATH];
	struct region mem;
	uint64_t id;

	ref = send(1, 100, 4);
	id = spool_ref_id(ref);
	ck_assert_int_eq(world_expand(&w, ref, 0, targets, 2), 0);
	ck_assert_int_eq(world_expand(&w, ref, 1, targets, 2), 0);
	world_close(&w);
	find_slot(id, path);
	/* State, record (below a sector), and a sector for each block. */
	flip(path, RECORD + 2 * SECTOR + (_i == 0 ? 30 : 0));
	reopen();
	ref = w.found[0].ref;
	ck_assert_uint_eq(world_check(&w, ref), 1);
	ck_assert_int_eq(world_expand(&w, ref, 2, targets, 1), 0);
	world_close(&w);
	reopen();
	region_init(&mem, 65536);
	ck_assert_int_eq(spool_read_envelope(w.spool, w.found[0].ref, &mem,
	    &e), 0);
	ck_assert_uint_eq(e.n_rcpts, 4 + 2 + 1);
	ck_assert_uint_eq(e.rcpts[0].mark, SPOOL_EXPANDED);
	ck_assert_uint_eq(e.rcpts[1].mark, SPOOL_WAITING);
	ck_assert_uint_eq(e.rcpts[2].mark, SPOOL_EXPANDED);
	region_fini(&mem);
}
END_TEST

/* A mark "expanded" that no expansion stands behind means nothing. */
START_TEST(mark_without_expansion)
{
	struct spool_ref *ref = send(1, 100, 4);
	struct spool_envelope e;
	struct region mem;

	spool_mark(w.spool, ref, 1, SPOOL_EXPANDED);
	world_close(&w);
	reopen();
	region_init(&mem, 65536);
	ck_assert_int_eq(spool_read_envelope(w.spool, w.found[0].ref, &mem,
	    &e), 0);
	ck_assert_uint_eq(e.rcpts[1].mark, SPOOL_WAITING);
	region_fini(&mem);
}
END_TEST

/* ---- ids ---- */

START_TEST(ids_damaged)
{
	uint64_t given = spool_new_id(w.spool), id;
	char path[SLOT_PATH];

	/* Both sectors are in use from the second start on. */
	world_close(&w);
	reopen();
	id = one_message(100, false, path);
	ck_assert_uint_gt(id, given);
	if ((_i & 1) != 0)
		flip("ids", 100);
	if ((_i & 2) != 0)
		flip("ids", SECTOR + 100);
	if ((_i & 4) != 0)
		ck_assert_int_eq(unlinkat(w.dir, "ids", 0), 0);
	reopen();
	ck_assert_int_eq(world_logged(&w, "event=ids_lost"), _i == 3);
	ck_assert_uint_gt(spool_new_id(w.spool), id);
}
END_TEST

START_TEST(ids_newer)
{
	world_close(&w);
	make_newer("ids", SECTOR);
	ck_assert(!world_open(&w));
	ck_assert_str_eq(w.why.p,
	    "the queue was made by a later version of this program");
}
END_TEST

/* ---- the disk says no ---- */

START_TEST(damaged_while_running)
{
	struct spool_ref *ref = send(1, _i == 0 ? 100 : 40000,
	    _i == 2 ? 2000 : 4);
	struct spool_envelope e;
	char path[SLOT_PATH];
	struct region mem;

	find_slot(spool_ref_id(ref), path);
	if (_i == 2)
		ck_assert_int_eq(world_expand(&w, ref, 0, targets, 2), 0);
	flip(path, RECORD + 200);
	region_init(&mem, 65536);
	ck_assert_int_eq(spool_read_envelope(w.spool, ref, &mem, &e), -1);
	ck_assert_int_eq(errno, EBADMSG);
	spool_set_aside(w.spool, &ref, "does not match");
	ck_assert_int_eq(world_flush(&w), 0);
	ck_assert_uint_eq(corrupt_files(), (size_t)_i + 1);
	ck_assert(!exists(path));
	ck_assert_uint_eq(counts().live, 0);
	region_fini(&mem);
	world_close(&w);
	reopen();
	ck_assert_uint_eq(w.n_found, 0);
}
END_TEST

/* What an administrator put back is found again. */
START_TEST(brought_back)
{
	char path[SLOT_PATH], aside[SLOT_PATH + 16];
	struct spool_ref *ref = send(1, 100, 4);
	struct dirent *e;
	DIR *d;

	find_slot(spool_ref_id(ref), path);
	spool_set_aside(w.spool, &ref, "a test");
	world_close(&w);
	d = fdopendir(openat(w.dir, "corrupt", O_RDONLY | O_DIRECTORY));
	while ((e = readdir(d)) != NULL && e->d_name[0] == '.')
		;
	ck_assert_ptr_nonnull(e);
	(void)snprintf(aside, sizeof aside, "corrupt/%.48s", e->d_name);
	(void)closedir(d);
	ck_assert_int_eq(renameat(w.dir, aside, w.dir, path), 0);
	reopen();
	ck_assert_uint_eq(w.n_found, 1);
	ck_assert_uint_eq(world_check(&w, w.found[0].ref), 1);
}
END_TEST

Suite *suite_scan(void);

Suite *
suite_scan(void)
{
	Suite *suite = suite_create("scan");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, torn, 0, 5);
	tcase_add_loop_test(tc, corrupt_record, 0, 5);
	tcase_add_test(tc, one_sector);
	tcase_add_test(tc, no_sector);
	tcase_add_test(tc, zero_slot);
	tcase_add_test(tc, newer);
	tcase_add_test(tc, foreign);
	tcase_add_loop_test(tc, body_gone, 0, 4);
	tcase_add_loop_test(tc, orphans, 0, 3);
	tcase_add_loop_test(tc, journal_cut, 0, 2);
	tcase_add_loop_test(tc, tail_torn, 0, 2);
	tcase_add_test(tc, mark_without_expansion);
	tcase_add_loop_test(tc, ids_damaged, 0, 5);
	tcase_add_test(tc, ids_newer);
	tcase_add_loop_test(tc, damaged_while_running, 0, 3);
	tcase_add_test(tc, brought_back);
	suite_add_tcase(suite, tc);
	return suite;
}
