/* SPDX-License-Identifier: ISC */
/*
 * Reading the queue at start, in the background: a thread lists the names, then
 * reads slots in small batches; the loop takes over one batch a turn. At the
 * end files that no live slot names are removed. New mail is taken meanwhile,
 * into slots that the listing does not know.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "queue/aside.h"
#include "queue/fsio.h"
#include "queue/journal.h"
#include "queue/listing.h"
#include "queue/spool_priv.h"
#include "sys/log.h"

enum { BATCH = 64, PIECE = 65536 };

enum verdict {
	SCAN_FREE,
	SCAN_LIVE,
	SCAN_TORN,    /* a commit that was never acknowledged: free */
	SCAN_CORRUPT, /* moved to corrupt/ */
	SCAN_NEWER,
	SCAN_FOREIGN,
	SCAN_GONE /* a one-off slot that was over, or torn: removed */
};

struct found {
	struct listed_slot slot;
	enum verdict verdict;
	const char *why;
	bool torn, outside, moved;
	bool known; /* the id in `st` is the message's */
	unsigned at;
	uint32_t added; /* recipients by expansions */
	struct tail tail;
	struct format_state st;
};

struct scan {
	struct job job;
	struct spool *spool;
	struct listing list;
	size_t next; /* the first slot not yet read */
	int64_t now;
	int error;
	size_t n; /* of this batch */
	unsigned bad, unknown; /* slots whose ids we do not know */
	struct found found[BATCH];
};

/* ---- in a thread: one slot ---- */

static enum verdict
judge(struct found *f, enum verdict v, const char *why)
{
	f->why = why;
	return f->verdict = v;
}

/* What reading told: a disk that does not answer proves nothing. */
enum reading { READ_GOOD, READ_WRONG, READ_FAILED };

/* Goes over the record: its CRC. */
static enum reading
check_record(int fd, uint64_t length, uint32_t want)
{
	char *piece = malloc(PIECE);
	uint64_t at = 0;
	uint32_t crc = 0;
	ssize_t n = piece == NULL ? -1 : 1;
	size_t ask;

	while (at < length && n > 0) {
		ask = length - at < PIECE ? (size_t)(length - at) : PIECE;
		n = fsio_pread(fd, piece, ask, (off_t)(FORMAT_RECORD + at));
		if (n > 0) {
			crc = crc32c(crc, piece, (size_t)n);
			at += (uint64_t)n;
		}
	}
	free(piece);
	if (n < 0)
		return READ_FAILED;
	return at == length && crc == want ? READ_GOOD : READ_WRONG;
}

static enum reading
check_header(int fd, const struct format_state *st, struct format_header *h)
{
	char bytes[FORMAT_HEADER];
	ssize_t n = fsio_pread(fd, bytes, sizeof bytes, FORMAT_RECORD);

	if (n < 0)
		return READ_FAILED;
	if (format_header_get((struct slice){ bytes, (size_t)n }, h) < 0 ||
	    h->generation != st->generation || h->id != st->id ||
	    h->length > FORMAT_RECORD_MAX)
		return READ_WRONG;
	return check_record(fd, h->length, st->record_crc);
}

static enum reading
check_body(int dir, const struct format_header *h)
{
	char path[SLOT_PATH];
	struct stat st;

	if (!h->body_outside)
		return READ_GOOD;
	slot_id_path("body", h->id, path);
	if (fsio_stat(dir, path, &st) < 0)
		return errno == ENOENT ? READ_WRONG : READ_FAILED;
	return S_ISREG(st.st_mode) && (uint64_t)st.st_size == h->body_n
	    ? READ_GOOD
	    : READ_WRONG;
}

/* Counts the recipients that expansions added, in tail and journal. */
static enum reading
check_records(const struct scan *sc, struct found *f, int fd,
    const struct format_header *h)
{
	enum slot_kind kind = (enum slot_kind)f->slot.kind;
	struct buf b;
	int result;

	f->tail = tail_behind(kind, h->length);
	buf_init(&b, SIZE_MAX / 4);
	result = tail_read(fd, kind, h->generation, &f->tail, UINT8_MAX, &b);
	if (result == 0 && listing_find(&sc->list.journals, h->id) >= 0)
		result = journal_load(sc->spool->dir, h->id, &b);
	f->added = journal_count(buf_slice(&b));
	buf_fini(&b);
	return result < 0 ? READ_FAILED : READ_GOOD;
}

static enum verdict
judge_live(const struct scan *sc, struct found *f, int fd)
{
	struct format_header h = { 0 };
	enum reading record, body, records;

	f->known = true;
	record = check_header(fd, &f->st, &h);
	if (record == READ_WRONG)
		return f->st.state == SPOOL_NEW && f->st.sequence == 0
		    ? judge(f, SCAN_TORN, NULL)
		    : judge(f, SCAN_CORRUPT, "record does not match its CRC");
	f->outside = h.body_outside;
	body = record == READ_FAILED ? READ_FAILED
				     : check_body(sc->spool->dir, &h);
	if (body == READ_WRONG)
		return judge(f, SCAN_CORRUPT, "body missing or cut");
	records = body == READ_FAILED ? READ_FAILED
				      : check_records(sc, f, fd, &h);
	if (records == READ_FAILED)
		return judge(f, SCAN_FOREIGN, "cannot be read");
	if (f->st.n_rcpts != h.n_rcpts)
		return judge(f, SCAN_CORRUPT, "recipients do not match");
	return judge(f, SCAN_LIVE, NULL);
}

static enum verdict
judge_slot(struct scan *sc, struct found *f, int fd)
{
	enum slot_kind kind = (enum slot_kind)f->slot.kind;
	char both[2 * FORMAT_SECTOR];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (kind != SLOT_ONE && (uint64_t)st.st_size != slot_size(kind)))
		return judge(f, SCAN_FOREIGN, "not a slot");
	n = fsio_pread(fd, both, sizeof both, 0);
	if (n < 0)
		return judge(f, SCAN_FOREIGN, strerror(errno));
	switch (format_state_pick((struct slice){ both, (size_t)n }, &f->at,
	    &f->st)) {
	case FORMAT_VALID:
		break;
	case FORMAT_ZERO:
		return judge(f, SCAN_FREE, NULL);
	case FORMAT_NEWER:
		return judge(f, SCAN_NEWER, NULL);
	case FORMAT_BAD:
		return judge(f, SCAN_CORRUPT, "no valid state");
	}
	if (f->st.state == SPOOL_FREE)
		return judge(f, SCAN_FREE, NULL);
	return judge_live(sc, f, fd);
}

/* Says "free" over a torn commit, so that it is not found at each start. Not
 * flushed: without it the slot is as torn as before. */
static void
free_torn(const struct spool *s, struct found *f)
{
	enum slot_kind kind = (enum slot_kind)f->slot.kind;
	struct format_state st = { .generation = f->st.generation,
		.sequence = 1 };
	unsigned char sector[FORMAT_SECTOR];
	char path[SLOT_PATH];
	int fd;

	f->verdict = SCAN_FREE;
	if (kind == SLOT_ONE)
		return;
	slot_path(kind, f->slot.number, path);
	fd = fsio_open(s->dir, path, O_RDWR);
	if (fd < 0)
		return;
	format_state_put(&st, sector);
	if (fsio_pwrite(fd, sector, sizeof sector,
	    (off_t)(1 - f->at) * FORMAT_SECTOR) == 0) {
		f->at = 1 - f->at;
		f->st.sequence = 1;
	}
	(void)close(fd);
}

/* Does what the verdict asks of the disk. */
static void
act(struct scan *sc, struct found *f)
{
	enum slot_kind kind = (enum slot_kind)f->slot.kind;
	const struct spool *s = sc->spool;
	char path[SLOT_PATH];

	if (f->verdict == SCAN_CORRUPT)
		f->moved = aside_move(s->dir, kind, f->slot.number,
		    f->known ? f->st.id : 0, sc->now, s->options.strict) == 0;
	f->torn = f->verdict == SCAN_TORN;
	if (f->torn)
		free_torn(s, f);
	if (f->verdict == SCAN_FREE && kind == SLOT_ONE) {
		slot_path(kind, f->slot.number, path);
		(void)!fsio_unlink(s->dir, path);
		f->verdict = SCAN_GONE;
	}
}

static void
read_slot(struct scan *sc, struct found *f)
{
	char path[SLOT_PATH];
	int fd;

	slot_path((enum slot_kind)f->slot.kind, f->slot.number, path);
	fd = fsio_open(sc->spool->dir, path, O_RDONLY | O_NONBLOCK);
	if (fd < 0) {
		(void)judge(f, SCAN_FOREIGN, strerror(errno));
		return;
	}
	(void)judge_slot(sc, f, fd);
	(void)close(fd);
	act(sc, f);
}

static void
read_run(struct job *j)
{
	struct scan *sc = JOB_OF(j, struct scan);
	size_t i;

	for (i = 0; i < sc->n; i++)
		read_slot(sc, &sc->found[i]);
}

/* ---- in the loop: one batch ---- */

static void
mark_named(struct listed_ids *l, uint64_t id)
{
	ptrdiff_t at = listing_find(l, id);

	if (at >= 0)
		l->named[at] = true;
}

static void
add_free(struct spool *s, const struct found *f)
{
	struct slot slot = { .generation = f->st.generation,
		.sequence = f->st.sequence, .number = f->slot.number,
		.kind = f->slot.kind, .at = (uint8_t)f->at };

	slots_count(&s->slots, (enum slot_kind)f->slot.kind, 1);
	slots_put(&s->slots, &slot);
}

static void
add_live(struct scan *sc, const struct found *f)
{
	struct spool *s = sc->spool;
	struct spool_status status;
	struct spool_ref *ref = spool_ref_new(s);

	if (ref == NULL)
		fatal("no memory for the messages in the queue");
	*ref = (struct spool_ref){
		.id = f->st.id,
		.generation = f->st.generation,
		.sequence = f->st.sequence,
		.number = f->slot.number,
		.n_rcpts = f->st.n_rcpts + f->added,
		.kind = f->slot.kind,
		.at = (uint8_t)f->at,
		.flags = (f->outside ? REF_OUTSIDE : 0) |
		    (f->added > 0 ? REF_EXPANDED : 0),
		.tail = f->tail,
	};
	if (listing_find(&sc->list.journals, ref->id) >= 0)
		ref->flags |= REF_JOURNAL;
	mark_named(&sc->list.bodies, ref->id);
	mark_named(&sc->list.journals, ref->id);
	ids_saw(&s->ids, ref->id);
	slots_count(&s->slots, (enum slot_kind)f->slot.kind, 1);
	s->counts.live++;
	s->counts.bodies += f->outside;
	spool_status_of(&f->st, &status);
	s->events->found(s->arg, ref, ref->id, &status);
}

static void
say(const struct found *f, const char *event)
{
	char path[SLOT_PATH];

	slot_path((enum slot_kind)f->slot.kind, f->slot.number, path);
	if (f->known)
		log_warn("event=%s slot=%s id=%016" PRIx64 " why=%s", event,
		    path, f->st.id, LOG_S(f->why == NULL ? "" : f->why));
	else
		log_warn("event=%s slot=%s why=%s", event, path,
		    LOG_S(f->why == NULL ? "" : f->why));
}

static void
take_over(struct scan *sc, const struct found *f)
{
	struct spool *s = sc->spool;

	if (f->torn) {
		say(f, "torn");
		s->counts.torn++;
	}
	switch (f->verdict) {
	case SCAN_FREE:
		add_free(s, f);
		break;
	case SCAN_LIVE:
		add_live(sc, f);
		break;
	case SCAN_CORRUPT:
		say(f, f->moved ? "corrupt" : "corrupt_left");
		s->counts.corrupt++;
		sc->bad += !f->known;
		/* If they could not be moved, they must not be removed. */
		mark_named(&sc->list.bodies, f->known ? f->st.id : 0);
		mark_named(&sc->list.journals, f->known ? f->st.id : 0);
		break;
	case SCAN_NEWER:
		say(f, "queue_newer");
		sc->unknown++;
		break;
	case SCAN_FOREIGN:
		say(f, "queue_foreign");
		sc->unknown++;
		break;
	case SCAN_GONE:
	case SCAN_TORN:
		break;
	}
}

/* ---- the end: files that no live slot names ---- */

/*
 * With a slot whose id we cannot read they may be its own: then they stay, or
 * go where the slot went.
 */
static void
sweep(const struct scan *sc, const struct listed_ids *l, const char *folder)
{
	const struct spool *s = sc->spool;
	char path[SLOT_PATH];
	size_t i;

	for (i = 0; i < l->n && sc->unknown == 0; i++) {
		if (l->named[i])
			continue;
		slot_id_path(folder, l->ids[i], path);
		if (sc->bad > 0)
			(void)!aside_move_id(s->dir, folder, l->ids[i],
			    sc->now);
		else
			(void)!fsio_unlink(s->dir, path);
	}
}

static void
sweep_run(struct job *j)
{
	struct scan *sc = JOB_OF(j, struct scan);

	sweep(sc, &sc->list.bodies, "body");
	sweep(sc, &sc->list.journals, "journal");
}

static void
sweep_done(struct job *j)
{
	struct spool *s = JOB_OF(j, struct scan)->spool;
	int k;

	scan_free(s);
	if (s->closing)
		return;
	s->scanned = true;
	for (k = 0; k < SLOT_ONE; k++)
		slots_tend(&s->slots, (enum slot_kind)k);
	s->events->scanned(s->arg, s->counts.live);
}

/* ---- one step after the other ---- */

static void read_done(struct job *j);

static void
next_step(struct scan *sc)
{
	struct spool *s = sc->spool;
	size_t i;

	sc->n = sc->list.n - sc->next < BATCH ? sc->list.n - sc->next : BATCH;
	if (s->closing) {
		return;
	} else if (sc->n == 0) {
		sc->job.run = sweep_run;
		sc->job.done = sweep_done;
	} else {
		memset(sc->found, 0, sizeof sc->found);
		for (i = 0; i < sc->n; i++)
			sc->found[i].slot = sc->list.slots[sc->next + i];
		sc->job.run = read_run;
		sc->job.done = read_done;
	}
	jobs_submit(&s->jobs, &sc->job);
}

static void
read_done(struct job *j)
{
	struct scan *sc = JOB_OF(j, struct scan);
	struct spool *s = sc->spool;
	size_t i;

	for (i = 0; i < sc->n && !s->closing; i++)
		take_over(sc, &sc->found[i]);
	sc->next += sc->n;
	s->counts.scanned = sc->next;
	if (!list_is_empty(&s->waiting))
		commit_slots_changed(s, SLOT_8, 0);
	next_step(sc);
}

static void
list_run(struct job *j)
{
	struct scan *sc = JOB_OF(j, struct scan);

	sc->error = listing_read(&sc->list, sc->spool->dir) < 0 ? errno : 0;
}

static void
list_done(struct job *j)
{
	struct scan *sc = JOB_OF(j, struct scan);
	struct spool *s = sc->spool;
	struct slice names, name;
	size_t i;

	if (sc->error != 0)
		fatal("cannot list the queue: %s", strerror(sc->error));
	names = buf_slice(&sc->list.foreign);
	while (slice_split(&names, '\0', &name))
		if (name.n > 0)
			log_warn("event=queue_foreign file=%s", LOG_V(name));
	for (i = 0; i < sc->list.n; i++)
		slots_saw(&s->slots, sc->list.slots[i].number);
	s->counts.to_scan = sc->list.n;
	s->numbers_known = true;
	commit_slots_changed(s, SLOT_8, 0);
	next_step(sc);
}

int
scan_start(struct spool *s)
{
	struct scan *sc = calloc(1, sizeof *sc);

	if (sc == NULL)
		return -1;
	sc->spool = s;
	sc->now = clock_wall();
	sc->job.run = list_run;
	sc->job.done = list_done;
	s->scan = sc;
	jobs_submit(&s->jobs, &sc->job);
	return 0;
}

void
scan_free(struct spool *s)
{
	if (s->scan == NULL)
		return;
	listing_free(&s->scan->list);
	free(s->scan);
	s->scan = NULL;
}
