/* SPDX-License-Identifier: ISC */
#include "queue/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/fsio.h"
#include "queue/spool_priv.h"
#include "tests/unit/queue/world.h"
#include "base/queue_id.h"
#include "tests/unit/unit.h"

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

static struct world w;

static void
set_up(void)
{
	world_init(&w);
}

static void
set_up_open(void)
{
	world_init(&w);
	ck_assert(world_open(&w));
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

/* ---- messages in and out ---- */

static const size_t sizes[] = { 0, 1, 511, 512, 513, 4000, 6800, 7168, 8192,
	32000, 32767, 32768, 32769, 65536, 100000, 1 << 20 };

START_TEST(all_sizes)
{
	int i;

	for (i = 0; i < N(sizes); i++)
		ck_assert_uint_eq(world_check(&w,
		    send((uint64_t)i + 1, sizes[i], 1)), (uint64_t)i + 1);
	reopen();
	ck_assert_uint_eq(w.n_found, (size_t)N(sizes));
	for (i = 0; i < N(sizes); i++) {
		(void)world_check(&w, w.found[i].ref);
		ck_assert_uint_eq(w.found[i].state, SPOOL_NEW);
		ck_assert_uint_eq(w.found[i].attempts, 0);
		ck_assert_int_eq(w.found[i].next_s, 1700000000);
	}
}
END_TEST

/* Around the borders of the slots, where a byte decides the kind. */
START_TEST(slot_borders)
{
	size_t size;

	for (size = 6700; size < 6960; size += 3)
		(void)world_check(&w, send(size, size, 1));
	for (size = 0; size < 40; size++)
		(void)world_check(&w, send(size + 1, 32768 - size, 90));
	reopen();
	ck_assert_uint_eq(w.n_found, 87 + 40);
	for (size = 0; size < w.n_found; size++)
		(void)world_check(&w, w.found[size].ref);
}
END_TEST

/* Envelopes that are larger than any slot. */
START_TEST(many_recipients)
{
	static const uint32_t counts[] = { 2, 100, 1007, 1008, 1009, 5000 };
	int i;

	for (i = 0; i < N(counts); i++)
		(void)world_check(&w, send((uint64_t)i + 1, 100, counts[i]));
	(void)world_check(&w, send(99, 70000, 3000));
	reopen();
	ck_assert_uint_eq(w.n_found, (size_t)N(counts) + 1);
	for (i = 0; i < (int)w.n_found; i++)
		(void)world_check(&w, w.found[i].ref);
}
END_TEST

START_TEST(a_thousand_at_once)
{
	enum { COUNT = 1000 };
	static struct world_letter l[COUNT];
	static struct world_result r[COUNT];
	struct spool_counts c;
	size_t i;

	for (i = 0; i < COUNT; i++) {
		letter_init(&l[i], i + 1, spool_new_id(w.spool),
		    i % 50 == 0 ? 40000 : i * 7 % 9000, 1 + i % 3);
		letter_write(&w, &l[i]);
		letter_commit(&w, &l[i], &r[i]);
	}
	for (i = 0; i < COUNT; i++) {
		world_run(&w, &r[i].done);
		ck_assert_int_eq(r[i].error, 0);
		letter_fini(&l[i]);
	}
	spool_counts(w.spool, &c);
	ck_assert_uint_eq(c.live, COUNT);
	ck_assert_uint_eq(c.bodies, COUNT / 50);
	ck_assert_uint_ge(c.slots_8 + c.slots_40, COUNT);
	reopen();
	ck_assert_uint_eq(w.n_found, COUNT);
	for (i = 0; i < COUNT; i++)
		(void)world_check(&w, w.found[i].ref);
}
END_TEST

/* New mail is taken before the old is read. */
START_TEST(commit_before_scan)
{
	struct world_letter l;
	struct world_result r;

	(void)send(1, 100, 1);
	world_close(&w);
	ck_assert(world_begin(&w));
	letter_init(&l, 2, spool_new_id(w.spool), 100, 1);
	letter_commit(&w, &l, &r);
	world_run(&w, &r.done);
	ck_assert_int_eq(r.error, 0);
	ck_assert_uint_eq(world_check(&w, r.ref), 2);
	letter_fini(&l);
	world_run(&w, &w.scanned);
	ck_assert_uint_eq(w.n_found, 1);
	reopen();
	ck_assert_uint_eq(w.n_found, 2);
}
END_TEST

START_TEST(recycled)
{
	struct spool_counts c;
	struct spool_ref *ref;
	uint64_t key;

	for (key = 1; key <= 300; key++) {
		/* Shorter ones into slots that held longer ones. */
		ref = send(key, key % 2 == 0 ? 100 : 6000, 1);
		(void)world_check(&w, ref);
		spool_finish(w.spool, &ref);
		ck_assert_ptr_null(ref);
		ck_assert_int_eq(world_flush(&w), 0);
		spool_counts(w.spool, &c);
		ck_assert_uint_eq(c.live, 0);
		ck_assert_uint_le(c.slots_8, 256);
		if (key % 100 == 0) {
			reopen();
			ck_assert_uint_eq(w.n_found, 0);
		}
	}
}
END_TEST

/* No slot is used again before its end is durable. */
START_TEST(not_free_before_flush)
{
	struct spool_ref *ref = send(1, 100, 1);
	struct spool_counts c;

	spool_finish(w.spool, &ref);
	spool_counts(w.spool, &c);
	ck_assert_uint_eq(c.slots_8 + c.slots_40, c.free_8 + c.free_40 + 1);
	ck_assert_uint_eq(c.live, 1);
	ck_assert_int_eq(world_flush(&w), 0);
	spool_counts(w.spool, &c);
	ck_assert_uint_eq(c.slots_8 + c.slots_40, c.free_8 + c.free_40);
	ck_assert_uint_eq(c.live, 0);
}
END_TEST

START_TEST(finish_without_flush)
{
	struct spool_counts c;
	struct spool_ref *ref = send(1, 40000, 1);
	int turns = 0;

	spool_finish(w.spool, &ref);
	do {
		loop_turn(w.loop, true);
		spool_counts(w.spool, &c);
	} while (c.live > 0 && turns++ < 100);
	ck_assert_uint_eq(c.live, 0);
	ck_assert_uint_eq(c.bodies, 0);
	reopen();
	ck_assert_uint_eq(w.n_found, 0);
}
END_TEST

/* ---- marks, status, expansions ---- */

static void
read_marks(struct spool_ref *ref, struct region *mem,
    struct spool_envelope *e)
{
	region_init(mem, 64 << 20);
	ck_assert_int_eq(spool_read_envelope(w.spool, ref, mem, e), 0);
}

static uint8_t
mark_of(uint32_t i)
{
	return i % 5 == 0 ? SPOOL_DONE : i % 5 == 1 ? SPOOL_FAILED
						     : SPOOL_WAITING;
}

static void
check_marks(struct spool_ref *ref, uint32_t n)
{
	struct spool_envelope e;
	struct region mem;
	uint32_t i;

	read_marks(ref, &mem, &e);
	ck_assert_uint_eq(e.n_rcpts, n);
	for (i = 0; i < n; i++)
		ck_assert_msg(e.rcpts[i].mark == mark_of(i), "mark %u", i);
	region_fini(&mem);
}

START_TEST(marks_survive)
{
	static const uint32_t counts[] = { 10, 1008, 2500 };
	struct spool_ref *refs[N(counts)];
	uint32_t i, n;
	int k;

	for (k = 0; k < N(counts); k++) {
		n = counts[k];
		refs[k] = send((uint64_t)k + 1, 100, n);
		for (i = 0; i < n; i++) {
			if (mark_of(i) != SPOOL_WAITING)
				spool_mark(w.spool, refs[k], i,
				    (enum spool_mark)mark_of(i));
			if (i == n / 2)
				ck_assert_int_eq(world_flush(&w), 0);
		}
		check_marks(refs[k], n); /* pending ones are seen */
	}
	ck_assert_int_eq(world_flush(&w), 0);
	for (k = 0; k < N(counts); k++)
		check_marks(refs[k], counts[k]);
	reopen();
	ck_assert_uint_eq(w.n_found, (size_t)N(counts));
	for (k = 0; k < N(counts); k++) {
		ck_assert_uint_ge(world_check(&w, w.found[k].ref), 1);
		check_marks(w.found[k].ref,
		    counts[world_check(&w, w.found[k].ref) - 1]);
	}
}
END_TEST

START_TEST(status_survives)
{
	static char longer[300];
	struct spool_status st = { .state = SPOOL_TRIED,
		.flags = SPOOL_DELAY_TOLD, .attempts = 3, .crashes = 1,
		.next_s = 1800000000, .last_s = 1700000001,
		.text = SLICE("4.4.1 no answer") };
	struct spool_ref *ref = send(1, 100, 2);
	struct format_state got;
	int i;

	spool_set_status(w.spool, ref, &st);
	ck_assert_int_eq(change_state(w.spool, ref, &got), 0);
	ck_slice_eq(((struct slice){ got.text, got.text_n }), st.text);
	ck_assert_uint_eq(got.attempts, 3);
	reopen(); /* closing writes what is pending */
	ck_assert_uint_eq(w.n_found, 1);
	ck_assert_uint_eq(w.found[0].state, SPOOL_TRIED);
	ck_assert_uint_eq(w.found[0].flags, SPOOL_DELAY_TOLD);
	ck_assert_uint_eq(w.found[0].attempts, 3);
	ck_assert_uint_eq(w.found[0].crashes, 1);
	ck_assert_int_eq(w.found[0].next_s, 1800000000);
	ck_assert_int_eq(w.found[0].last_s, 1700000001);
	ck_assert_str_eq(w.found[0].text, "4.4.1 no answer");
	/* Many times over: the sectors take turns; a text too long is cut. */
	memset(longer, 'y', sizeof longer);
	for (i = 0; i < 7; i++) {
		st.attempts = (uint32_t)i;
		st.text = (struct slice){ longer, sizeof longer };
		st.state = SPOOL_HELD;
		spool_set_status(w.spool, w.found[0].ref, &st);
		spool_mark(w.spool, w.found[0].ref, 1, SPOOL_DONE);
		ck_assert_int_eq(world_flush(&w), 0);
	}
	reopen();
	ck_assert_uint_eq(w.found[0].attempts, 6);
	ck_assert_uint_eq(w.found[0].state, SPOOL_HELD);
	ck_assert_uint_eq(strlen(w.found[0].text), SPOOL_TEXT_MAX);
	ck_assert_uint_eq(world_check(&w, w.found[0].ref), 1);
}
END_TEST

static struct spool_rcpt targets[] = {
	{ .address = SLICE("t0@example.org"), .orcpt = SLICE("rfc822;t"),
	    .notify = 3, .kind = 2 },
	{ .address = SLICE("t1@example.com"), .kind = 3 },
	{ .address = SLICE("t2@example.com"), .kind = 1 },
};

static void
check_expanded(struct spool_ref *ref)
{
	struct spool_envelope e;
	struct region mem;

	read_marks(ref, &mem, &e);
	ck_assert_uint_eq(e.n_first, 4);
	ck_assert_uint_eq(e.n_rcpts, 4 + 3 + 2);
	ck_assert_uint_eq(e.rcpts[0].mark, SPOOL_WAITING);
	ck_assert_uint_eq(e.rcpts[3].mark, SPOOL_EXPANDED);
	ck_assert_uint_eq(e.rcpts[1].mark, SPOOL_EXPANDED);
	ck_slice_str(e.rcpts[4].address, "t0@example.org");
	ck_slice_str(e.rcpts[4].orcpt, "rfc822;t");
	ck_assert_uint_eq(e.rcpts[4].notify, 3);
	ck_assert_uint_eq(e.rcpts[4].kind, 2);
	ck_assert_uint_eq(e.rcpts[4].group, 1); /* as the recipient it was */
	ck_slice_str(e.rcpts[7].address, "t0@example.org");
	ck_assert_uint_eq(e.rcpts[7].group, 0);
	ck_assert_uint_eq(e.rcpts[5].mark, SPOOL_DONE);
	ck_assert_uint_eq(e.rcpts[8].mark, SPOOL_FAILED);
	region_fini(&mem);
	(void)world_check(&w, ref);
}

/* In the tail of the slot, or in a file when there is no room left. */
START_TEST(expansions)
{
	struct spool_ref *ref = send(1, _i == 0 ? 100 : 6600, 4);

	ck_assert_int_eq(world_expand(&w, ref, 3, targets, 3), 0);
	ck_assert_int_eq(world_expand(&w, ref, 1, targets, 2), 0);
	spool_mark(w.spool, ref, 5, SPOOL_DONE);
	spool_mark(w.spool, ref, 8, SPOOL_FAILED);
	spool_mark(w.spool, ref, 1, SPOOL_EXPANDED);
	check_expanded(ref);
	ck_assert_int_eq(world_flush(&w), 0);
	check_expanded(ref);
	reopen();
	ck_assert_uint_eq(w.n_found, 1);
	check_expanded(w.found[0].ref);
	ck_assert_uint_eq(w.found[0].flags,
	    SPOOL_HAS_EXPANSION | (_i == 0 ? 0 : SPOOL_HAS_JOURNAL));
	/* Goes on where it was. */
	spool_mark(w.spool, w.found[0].ref, 5, SPOOL_DONE);
	spool_finish(w.spool, &w.found[0].ref);
	reopen();
	ck_assert_uint_eq(w.n_found, 0);
	ck_assert_int_eq(faccessat(w.dir, "journal", F_OK, 0), 0);
}
END_TEST

/* Through the whole tail, over what an earlier message left in it, and on
 * into the file. */
START_TEST(expansions_one_by_one)
{
	enum { COUNT = 40 };
	struct spool_ref *ref;
	struct spool_envelope e;
	struct region mem;
	uint32_t round, i;

	for (round = 0; round < 100; round++) {
		ref = send(1 + round, 10, COUNT);
		for (i = 0; i < (round == 99 ? COUNT : round % 9); i++)
			ck_assert_int_eq(world_expand(&w, ref, i,
			    &targets[i % 3], 1), 0);
		read_marks(ref, &mem, &e);
		ck_assert_uint_eq(e.n_rcpts, COUNT + i);
		region_fini(&mem);
		if (round % 33 == 32) {
			reopen();
			ck_assert_uint_eq(w.n_found, 1);
			ref = w.found[0].ref;
			read_marks(ref, &mem, &e);
			ck_assert_uint_eq(e.n_rcpts, COUNT + i);
			region_fini(&mem);
		}
		if (round == 99)
			break;
		spool_finish(w.spool, &ref);
		ck_assert_int_eq(world_flush(&w), 0);
	}
	reopen();
	read_marks(w.found[0].ref, &mem, &e);
	ck_assert_uint_eq(e.n_rcpts, 2 * COUNT);
	for (i = 0; i < COUNT; i++)
		ck_slice_eq(e.rcpts[COUNT + i].address,
		    targets[i % 3].address);
	region_fini(&mem);
}
END_TEST

/* One expansion of thousands, and marks of its targets in the journal. */
START_TEST(large_expansion)
{
	enum { COUNT = 4000 };
	static struct spool_rcpt many[COUNT];
	struct spool_ref *ref = send(1, 100, 1);
	struct spool_envelope e;
	struct region mem;
	uint32_t i;

	for (i = 0; i < COUNT; i++)
		many[i] = targets[i % 3];
	ck_assert_int_eq(world_expand(&w, ref, 0, many, COUNT), 0);
	for (i = 1; i <= COUNT; i += 2)
		spool_mark(w.spool, ref, i, SPOOL_DONE);
	reopen();
	read_marks(w.found[0].ref, &mem, &e);
	ck_assert_uint_eq(e.n_rcpts, COUNT + 1);
	for (i = 1; i <= COUNT; i++)
		ck_assert_uint_eq(e.rcpts[i].mark,
		    i % 2 == 1 ? SPOOL_DONE : SPOOL_WAITING);
	region_fini(&mem);
}
END_TEST

START_TEST(expansion_to_nothing)
{
	struct spool_ref *ref = send(1, 100, 1);
	struct spool_envelope e;
	struct region mem;

	ck_assert_int_eq(world_expand(&w, ref, 0, NULL, 0), 0);
	reopen();
	read_marks(w.found[0].ref, &mem, &e);
	ck_assert_uint_eq(e.n_rcpts, 1);
	ck_assert_uint_eq(e.rcpts[0].mark, SPOOL_EXPANDED);
	region_fini(&mem);
}
END_TEST

/* ---- bodies ---- */

static size_t
count_files(const char *folder)
{
	DIR *d = fdopendir(openat(w.dir, folder, O_RDONLY | O_DIRECTORY));
	struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

START_TEST(writer_left)
{
	struct world_letter l;
	struct world_result r;
	struct stat st;
	int kept;

	letter_init(&l, 1, spool_new_id(w.spool), 50000, 1);
	letter_write(&w, &l);
	kept = dup(spool_body_writer(l.file));
	ck_assert_int_eq(fcntl(kept, F_GETFL) & O_ACCMODE, O_WRONLY);
	letter_commit(&w, &l, &r);
	world_run(&w, &r.done);
	ck_assert_ptr_null(r.ref);
	ck_assert_int_eq(r.error, EBUSY);
	/* It is gone; what the writer does now reaches nobody. */
	ck_assert_int_eq(fstat(kept, &st), 0);
	ck_assert_uint_eq(st.st_nlink, 0);
	(void)close(kept);
	letter_fini(&l);
}
END_TEST

START_TEST(body_of_other_size)
{
	struct world_letter l;
	struct world_result r;

	letter_init(&l, 1, spool_new_id(w.spool), 50000, 1);
	letter_write(&w, &l);
	l.envelope.body_size--;
	letter_commit(&w, &l, &r);
	world_run(&w, &r.done);
	ck_assert_ptr_null(r.ref);
	ck_assert_int_eq(r.error, EBADMSG);
	letter_fini(&l);
	reopen();
	ck_assert_uint_eq(w.n_found, 0);
}
END_TEST

START_TEST(body_thrown_away)
{
	struct world_letter l;

	letter_init(&l, 1, spool_new_id(w.spool), 50000, 1);
	letter_write(&w, &l);
	spool_body_discard(&l.file);
	ck_assert_ptr_null(l.file);
	letter_fini(&l);
	world_settle(&w);
	ck_assert_uint_eq(count_files("tmp"), 0);
}
END_TEST

START_TEST(body_descriptor)
{
	struct spool_ref *ref = send(1, 50000, 1);
	char byte;
	int fd;

	fd = spool_body_fd(w.spool, ref);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	ck_assert_int_eq(pread(fd, &byte, 1, 49999), 1);
	(void)close(fd);
	ref = send(2, 500, 1);
	ck_assert_int_eq(spool_body_fd(w.spool, ref), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

/* What a client may get wrong, or an owner of ours. */
START_TEST(refused_at_once)
{
	struct world_letter l;
	struct world_result r;

	letter_init(&l, 1, spool_new_id(w.spool), 100, 1);
	l.envelope.body_size = 99;
	letter_commit(&w, &l, &r);
	ck_assert(!r.done); /* never from within the call */
	world_run(&w, &r.done);
	ck_assert_int_eq(r.error, EINVAL);
	l.envelope.body_size = 100;
	l.envelope.n_first = 0;
	letter_commit(&w, &l, &r);
	world_run(&w, &r.done);
	ck_assert_int_eq(r.error, EINVAL);
	letter_fini(&l);
}
END_TEST

/* ---- a second owner, a folder that is not one ---- */

START_TEST(second_owner)
{
	struct loop *loop = loop_new();
	struct spool_events none = { 0 };
	struct buf why;

	buf_init(&why, 1000);
	ck_assert_ptr_null(spool_open(loop, w.dir, &w.options, &none, NULL,
	    &why));
	ck_assert_str_eq(why.p, "the queue is in use by another process");
	buf_fini(&why);
	loop_free(&loop);
	ck_assert_uint_eq(world_check(&w, send(1, 100, 1)), 1);
}
END_TEST

START_TEST(bad_folder)
{
	ck_assert_int_eq(symlinkat("/tmp", w.dir, "cur"), 0);
	ck_assert(!world_open(&w));
	ck_assert_str_eq(w.why.p,
	    "cannot prepare the queue's folder cur: Not a directory");
	(void)unlinkat(w.dir, "cur", 0);
	ck_assert(world_open(&w));
}
END_TEST

/* ---- room ---- */

START_TEST(room)
{
	ck_assert(spool_has_room(w.spool, 1000, false));
	ck_assert(!spool_has_room(w.spool, UINT64_MAX, false));
	world_close(&w);
	w.options.min_free = INT64_MAX - 1;
	ck_assert(world_open(&w));
	ck_assert(!spool_has_room(w.spool, 0, false));
	ck_assert(spool_has_room(w.spool, 1000, true));
	/* Slots that somebody waits for are made all the same. */
	ck_assert_uint_eq(world_check(&w, send(1, 100, 1)), 1);
}
END_TEST

START_TEST(ids_rise)
{
	uint64_t last = 0, id;
	int i, k;

	for (k = 0; k < 3; k++) {
		for (i = 0; i < 100; i++) {
			id = spool_new_id(w.spool);
			ck_assert_uint_gt(id, last);
			last = id;
		}
		reopen();
	}
	/* Through the end of a block: the next is reserved in time. */
	for (i = 0; i < 3000000; i++) {
		id = spool_new_id(w.spool);
		if (id == 0 || i % 100000 == 0)
			loop_turn(w.loop, id == 0);
		if (id == 0)
			continue;
		ck_assert_uint_gt(id, last);
		last = id;
	}
	reopen();
	ck_assert_uint_gt(spool_new_id(w.spool), last);
}
END_TEST

START_TEST(id_text)
{
	static const struct {
		uint64_t id;
		const char *text;
	} cases[] = {
		{ 0, "0" }, { 31, "z" }, { 32, "10" },
		{ 1700000000000000, "1ga4gc1wg00" },
		{ UINT64_MAX, "fzzzzzzzzzzzz" },
	};
	static const char *const bad[] = { "", "u", "g000000000000",
		"00000000000000", "a b", "-1", "zzzzzzzzzzzzz" };
	struct buf b;
	uint64_t id;
	int i;

	buf_init(&b, 100);
	for (i = 0; i < N(cases); i++) {
		buf_reset(&b);
		queue_id_add(&b, cases[i].id);
		ck_assert_str_eq(b.p, cases[i].text);
		ck_assert_int_eq(queue_id_parse(guard_copy(buf_slice(&b)),
		    &id), 0);
		ck_assert_uint_eq(id, cases[i].id);
	}
	ck_assert_int_eq(queue_id_parse(SLICE("OIl"), &id), 0);
	ck_assert_uint_eq(id, 1 << 5 | 1);
	for (i = 0; i < N(bad); i++)
		ck_assert_msg(queue_id_parse(guard_copy(slice_str(bad[i])),
		    &id) == -1, "%s", bad[i]);
	buf_fini(&b);
}
END_TEST

/* ---- closing with work under way ---- */

static void
on_closed(void *arg, struct spool_ref *ref, int error)
{
	struct world_result *r = arg;

	r->done = true;
	r->ref = ref;
	r->error = error;
}

START_TEST(close_answers_all)
{
	enum { COUNT = 200 };
	static struct world_letter l[COUNT];
	static struct world_result r[COUNT];
	size_t i, good = 0;

	for (i = 0; i < COUNT; i++) {
		letter_init(&l[i], i + 1, spool_new_id(w.spool), 3000, 1);
		r[i] = (struct world_result){ 0 };
		spool_commit(w.spool, &l[i].envelope, buf_slice(&l[i].body),
		    NULL, on_closed, &r[i]);
	}
	world_close(&w);
	for (i = 0; i < COUNT; i++) {
		ck_assert(r[i].done);
		ck_assert(r[i].error == 0 || r[i].error == ESHUTDOWN);
		good += r[i].error == 0;
		letter_fini(&l[i]);
	}
	ck_assert(world_open(&w));
	ck_assert_uint_eq(w.n_found, good);
}
END_TEST

Suite *suite_spool(void);

Suite *
suite_spool(void)
{
	Suite *suite = suite_create("spool");
	TCase *tc = tcase_create("closed");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, bad_folder);
	tcase_add_test(tc, id_text);
	suite_add_tcase(suite, tc);
	tc = tcase_create("open");
	tcase_add_checked_fixture(tc, set_up_open, tear_down);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, all_sizes);
	tcase_add_test(tc, slot_borders);
	tcase_add_test(tc, many_recipients);
	tcase_add_test(tc, a_thousand_at_once);
	tcase_add_test(tc, commit_before_scan);
	tcase_add_test(tc, recycled);
	tcase_add_test(tc, not_free_before_flush);
	tcase_add_test(tc, finish_without_flush);
	tcase_add_test(tc, marks_survive);
	tcase_add_test(tc, status_survives);
	tcase_add_loop_test(tc, expansions, 0, 2);
	tcase_add_test(tc, expansions_one_by_one);
	tcase_add_test(tc, large_expansion);
	tcase_add_test(tc, expansion_to_nothing);
	tcase_add_test(tc, writer_left);
	tcase_add_test(tc, body_of_other_size);
	tcase_add_test(tc, body_thrown_away);
	tcase_add_test(tc, body_descriptor);
	tcase_add_test(tc, refused_at_once);
	tcase_add_test(tc, second_owner);
	tcase_add_test(tc, room);
	tcase_add_test(tc, ids_rise);
	tcase_add_test(tc, close_answers_all);
	suite_add_tcase(suite, tc);
	return suite;
}
