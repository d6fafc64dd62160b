/* SPDX-License-Identifier: ISC */
/* The disk fails for a moment: nothing that was recorded is forgotten, nothing
 * that was acknowledged is removed. */
#include "queue/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/fsio.h"
#include "queue/listing.h"
#include "queue/spool_priv.h"
#include "tests/unit/queue/world.h"
#include "tests/unit/unit.h"

static const char away[] = "away";
static struct world w;

static void
set_up(void)
{
	world_init(&w);
	ck_assert(world_open(&w));
	world_settle(&w);
}

static void
tear_down(void)
{
	fsio_fail_at(FSIO_ANY, 0, 0, 0);
	world_fini(&w);
}

static void
reopen(void)
{
	fsio_fail_at(FSIO_ANY, 0, 0, 0);
	world_close(&w);
	ck_assert_msg(world_open(&w), "%s", w.why.p);
}

static struct spool_ref *
send(uint64_t key, size_t size, uint32_t n)
{
	struct spool_ref *ref;
	int error;

	ref = world_send(&w, key, size, n, &error);
	ck_assert_msg(ref != NULL, "key %d: %s", (int)key, strerror(error));
	return ref;
}

/* The mark of a recipient, as a reader finds it. */
static uint8_t
mark_of(struct spool_ref *ref, uint32_t rcpt)
{
	struct spool_envelope e;
	struct region mem;
	uint8_t mark;

	region_init(&mem, 1 << 20);
	ck_assert_int_eq(spool_read_envelope(w.spool, ref, &mem, &e), 0);
	ck_assert_uint_lt(rcpt, e.n_rcpts);
	mark = e.rcpts[rcpt].mark;
	region_fini(&mem);
	return mark;
}

static uint32_t
recipients_of(struct spool_ref *ref)
{
	struct spool_envelope e;
	struct region mem;
	uint32_t n;

	region_init(&mem, 1 << 20);
	ck_assert_int_eq(spool_read_envelope(w.spool, ref, &mem, &e), 0);
	n = e.n_rcpts;
	region_fini(&mem);
	return n;
}

/* Takes the slot's file away from under the spool. */
static void
hide(struct spool_ref *ref, char path[SLOT_PATH])
{
	slot_path((enum slot_kind)ref->kind, ref->number, path);
	slot_fds_forget(&w.spool->fds, (enum slot_kind)ref->kind, ref->number);
	ck_assert_int_eq(renameat(w.dir, path, w.dir, away), 0);
}

static void
put_back(const char *path)
{
	ck_assert_int_eq(renameat(w.dir, away, w.dir, path), 0);
}

/* ---- names ---- */

START_TEST(names_unread)
{
	static const uint64_t at[] = { 1, 2, 3, 300, 769, 1500 };
	struct listing l;

	(void)send(1, 500, 1);
	(void)send(2, 50000, 1);
	fsio_fail_at(FSIO_READ_DIR, at[_i], 0, EIO);
	ck_assert_int_eq(listing_read(&l, w.dir), -1);
	ck_assert_int_eq(errno, EIO);
	listing_free(&l);
	ck_assert_int_eq(listing_read(&l, w.dir), 0);
	ck_assert_uint_gt(l.n, 1);
	ck_assert_uint_eq(l.bodies.n, 1);
	listing_free(&l);
}
END_TEST

START_TEST(tmp_unread)
{
	world_close(&w);
	fsio_fail_at(FSIO_READ_DIR, 1, 0, EIO);
	ck_assert(!world_begin(&w));
	ck_assert_ptr_nonnull(strstr(w.why.p, strerror(EIO)));
	ck_assert(world_open(&w));
}
END_TEST

/* A new file never takes the place of a slot that is there. */
START_TEST(name_taken)
{
	struct stat before, after;
	int fd;

	fd = fsio_create(w.dir, "old", O_WRONLY);
	(void)close(fd);
	fd = fsio_create(w.dir, "new", O_WRONLY);
	(void)close(fd);
	ck_assert_int_eq(fsio_stat(w.dir, "old", &before), 0);
	ck_assert_int_eq(fsio_rename_new(w.dir, "new", "old"), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(fsio_stat(w.dir, "old", &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(fsio_rename_new(w.dir, "new", "newer"), 0);
}
END_TEST

/* ---- marks ---- */

static const struct {
	enum fsio_op op;
	int error;
} disks[] = { { FSIO_FDATASYNC, EIO }, { FSIO_WRITE, ENOSPC } };

START_TEST(marks_kept)
{
	struct spool_ref *ref = send(1, 500, 3);

	fsio_fail_at(disks[_i].op, 1, 0, disks[_i].error);
	spool_mark(w.spool, ref, 0, SPOOL_DONE);
	ck_assert_int_eq(world_flush(&w), disks[_i].error);
	ck_assert_uint_eq(mark_of(ref, 0), SPOOL_DONE);
	spool_mark(w.spool, ref, 1, SPOOL_FAILED);
	ck_assert_int_eq(world_flush(&w), 0);
	reopen();
	ck_assert_uint_eq(mark_of(w.found[0].ref, 0), SPOOL_DONE);
	ck_assert_uint_eq(mark_of(w.found[0].ref, 1), SPOOL_FAILED);
	ck_assert_uint_eq(mark_of(w.found[0].ref, 2), SPOOL_WAITING);
}
END_TEST

/* By itself, without another change. */
START_TEST(written_again)
{
	struct spool_ref *ref = send(1, 500, 1);

	fsio_fail_at(disks[_i].op, 1, 0, disks[_i].error);
	spool_mark(w.spool, ref, 0, SPOOL_DONE);
	while (ref->change != NULL)
		loop_turn(w.loop, true);
	reopen();
	ck_assert_uint_eq(mark_of(w.found[0].ref, 0), SPOOL_DONE);
}
END_TEST

/* And once more at the end. */
START_TEST(written_when_closing)
{
	struct spool_ref *ref = send(1, 500, 1);

	fsio_fail_at(disks[_i].op, 1, 0, disks[_i].error);
	spool_mark(w.spool, ref, 0, SPOOL_DONE);
	ck_assert_int_eq(world_flush(&w), disks[_i].error);
	reopen();
	ck_assert_uint_eq(mark_of(w.found[0].ref, 0), SPOOL_DONE);
}
END_TEST

/* A change that came while the failing one was being written. */
START_TEST(newer_has_marks)
{
	struct spool_ref *ref = send(1, 500, 1200);

	fsio_fail_at(FSIO_WRITE, 1, 1, EIO);
	spool_mark(w.spool, ref, 0, SPOOL_DONE);
	spool_mark(w.spool, ref, 1100, SPOOL_DONE);
	flusher_kick(w.spool);
	spool_mark(w.spool, ref, 1, SPOOL_DONE);
	spool_mark(w.spool, ref, 1101, SPOOL_DONE);
	ck_assert_ptr_nonnull(ref->change->older);
	(void)world_flush(&w);
	ck_assert_int_eq(world_flush(&w), 0);
	reopen();
	ck_assert_uint_eq(mark_of(w.found[0].ref, 0), SPOOL_DONE);
	ck_assert_uint_eq(mark_of(w.found[0].ref, 1), SPOOL_DONE);
	ck_assert_uint_eq(mark_of(w.found[0].ref, 1100), SPOOL_DONE);
	ck_assert_uint_eq(mark_of(w.found[0].ref, 1101), SPOOL_DONE);
	ck_assert_uint_eq(mark_of(w.found[0].ref, 1102), SPOOL_WAITING);
}
END_TEST

START_TEST(sector_unread)
{
	struct spool_status st = { .state = SPOOL_TRIED, .attempts = 7,
		.text = SLICE("4.4.1 no answer") };
	struct spool_ref *ref = send(1, 500, 3);
	char path[SLOT_PATH];

	spool_mark(w.spool, ref, 0, SPOOL_DONE);
	ck_assert_int_eq(world_flush(&w), 0);
	hide(ref, path);
	spool_mark(w.spool, ref, 1, SPOOL_FAILED);
	ck_assert(world_logged(&w, "event=queue_unreadable"));
	ck_assert_int_eq(world_flush(&w), ENOENT);
	spool_set_status(w.spool, ref, &st);
	ck_assert_int_eq(world_flush(&w), ENOENT);
	put_back(path);
	ck_assert_uint_eq(mark_of(ref, 0), SPOOL_DONE);
	ck_assert_uint_eq(mark_of(ref, 1), SPOOL_FAILED);
	ck_assert_int_eq(world_flush(&w), 0);
	reopen();
	ck_assert_uint_eq(w.n_found, 1);
	ck_assert_uint_eq(w.found[0].attempts, 7);
	ck_assert_str_eq(w.found[0].text, "4.4.1 no answer");
	ck_assert_uint_eq(mark_of(w.found[0].ref, 0), SPOOL_DONE);
	ck_assert_uint_eq(mark_of(w.found[0].ref, 1), SPOOL_FAILED);
	ck_assert_uint_eq(mark_of(w.found[0].ref, 2), SPOOL_WAITING);
	ck_assert_uint_eq(world_check(&w, w.found[0].ref), 1);
}
END_TEST

START_TEST(end_written_again)
{
	struct spool_ref *ref = send(1, 500, 1);
	struct spool_counts c;

	fsio_fail_at(disks[_i].op, 1, 0, disks[_i].error);
	spool_mark(w.spool, ref, 0, SPOOL_DONE);
	spool_finish(w.spool, &ref);
	ck_assert_int_eq(world_flush(&w), disks[_i].error);
	spool_counts(w.spool, &c);
	ck_assert_uint_eq(c.live, 1);
	ck_assert_int_eq(world_flush(&w), 0);
	spool_counts(w.spool, &c);
	ck_assert_uint_eq(c.live, 0);
	ck_assert_uint_eq(c.free_8, c.slots_8);
	reopen();
	ck_assert_uint_eq(w.n_found, 0);
}
END_TEST

/* The slot is gone altogether: so is the message. */
START_TEST(end_without_slot)
{
	struct spool_ref *ref = send(1, 500, 1);
	struct spool_counts c;
	char path[SLOT_PATH];

	hide(ref, path);
	spool_finish(w.spool, &ref);
	ck_assert_int_eq(world_flush(&w), ENOENT);
	ck_assert_int_eq(world_flush(&w), 0);
	spool_counts(w.spool, &c);
	ck_assert_uint_eq(c.live, 0);
	ck_assert_int_eq(unlinkat(w.dir, away, 0), 0);
}
END_TEST

/* What a failed expansion left on the disk is no recipient. */
START_TEST(failed_block_unread)
{
	static const struct spool_rcpt a = { .address = SLICE("a@b") };
	struct spool_ref *ref = send(1, 500, 2);

	ck_assert_int_eq(world_expand(&w, ref, 0, &a, 1), 0);
	fsio_fail_at(FSIO_FDATASYNC, 1, 0, EIO);
	ck_assert_int_eq(world_expand(&w, ref, 1, &a, 1), EIO);
	ck_assert_uint_eq(recipients_of(ref), 3);
	ck_assert_uint_eq(mark_of(ref, 1), SPOOL_WAITING);
	ck_assert_uint_eq(ref->n_rcpts, 3);
}
END_TEST

/* ---- slots ---- */

/* The free slot that the next commit gets. */
static uint32_t
top(void)
{
	const struct slot_stack *s = &w.spool->slots.stacks[SLOT_8];

	ck_assert_uint_gt(s->n, 0);
	return s->slots[s->n - 1].number;
}

START_TEST(slot_unopened)
{
	struct spool_counts before, after;
	struct spool_ref *ref;
	char path[SLOT_PATH];
	uint32_t number;

	ref = send(1, 500, 1);
	world_settle(&w);
	spool_counts(w.spool, &before);
	number = top();
	slot_path(SLOT_8, number, path);
	ck_assert_int_eq(unlinkat(w.dir, path, 0), 0);
	ck_assert_int_eq(mkdirat(w.dir, path, 0700), 0);
	ref = send(2, 500, 1);
	ck_assert_uint_ne(ref->number, number);
	ck_assert(world_logged(&w, "event=slot_unusable"));
	ck_assert_uint_eq(world_check(&w, ref), 2);
	ck_assert_uint_eq(world_check(&w, send(3, 500, 1)), 3);
	world_settle(&w);
	spool_counts(w.spool, &after);
	ck_assert_uint_eq(after.live, 3);
	ck_assert_int_eq(unlinkat(w.dir, path, AT_REMOVEDIR), 0);
}
END_TEST

Suite *suite_failures(void);

Suite *
suite_failures(void)
{
	Suite *suite = suite_create("failures");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, names_unread, 0, 6);
	tcase_add_test(tc, tmp_unread);
	tcase_add_test(tc, name_taken);
	tcase_add_loop_test(tc, marks_kept, 0, 2);
	tcase_add_loop_test(tc, written_again, 0, 2);
	tcase_add_loop_test(tc, written_when_closing, 0, 2);
	tcase_add_test(tc, newer_has_marks);
	tcase_add_test(tc, sector_unread);
	tcase_add_loop_test(tc, end_written_again, 0, 2);
	tcase_add_test(tc, end_without_slot);
	tcase_add_test(tc, failed_block_unread);
	tcase_add_test(tc, slot_unopened);
	suite_add_tcase(suite, tc);
	return suite;
}
