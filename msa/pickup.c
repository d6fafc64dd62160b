/* SPDX-License-Identifier: ISC */
/*
 * Looks into the drop folder, gives one message at a time to the queue, and
 * removes its file only when the queue says that it is durable. What is not a
 * message is put into bad/ and reported; a queue that is away means later. It
 * goes round the folder by name, so that no file keeps the others waiting.
 */
#include "msa/pickup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "conf/conf_pickup.h"
#include "conf/conf_server.h"
#include "msa/dropfile.h"
#include "msa/fixup.h"
#include "proto/address.h"
#include "proto/limits.h"
#include "proto/received.h"
#include "proto/smtp_cmd.h"
#include "session/queue_tx.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "sys/sandbox.h"

enum {
	MESSAGE_MAX = (50 << 20) + DROP_ENVELOPE_MAX,
	PIECE = 32768,
	NAME_MAX_BYTES = 255, /* of any file; what drop makes is shorter */
	OUR_NAME_MAX = 200,
	HEAD_MAX = 2 * LIMIT_HEADER,
	RETRY_MS = 5000,     /* after the queue refused for the moment */
	STALE_S = 86400,     /* a file in tmp/ that old was left behind */
	TOLD_MAX = 10000     /* files told of once; more are told of again */
};

/* A file that is still there after its turn, and why is in the log. */
struct stuck {
	unsigned round; /* the latest in which it was so */
	bool is_taken;	/* the queue has it: only to be removed */
};

static struct {
	struct conf_pickup conf;
	int dir;
	struct loop_timer timer;
	/* the message in work */
	char name[NAME_MAX_BYTES + 1];
	char after[NAME_MAX_BYTES + 1]; /* the one before it in this round */
	unsigned round;
	struct map stuck; /* by name */
	struct buf bytes;
	struct dropfile drop;
	struct queue_tx *tx;
	struct buf head; /* its header as it goes to the queue */
	bool head_done;
	size_t head_written;
	size_t written; /* of the message, behind its envelope */
	uint64_t taken, refused;
} self = { .dir = -1 };

static void look(void *arg);

static void
look_again(int64_t wait_ms)
{
	if (!daemon_is_stopping())
		loop_timer_set(&self.timer, clock_boot_ms() + wait_ms);
	else if (self.tx == NULL)
		daemon_stopped();
}

/* ---- files that do not go ---- */

/* Whether it is the first time that somebody should hear of it. */
static bool
is_newly_stuck(bool is_taken)
{
	struct slice name = slice_str(self.name);
	struct stuck *s = map_get(&self.stuck, name);

	if (s != NULL) {
		s->round = self.round;
		s->is_taken |= is_taken;
		return false;
	}
	if (self.stuck.n >= TOLD_MAX && !is_taken)
		return true;
	s = calloc(1, sizeof *s);
	if (s == NULL || map_put(&self.stuck, name, s, NULL) < 0)
		fatal("event=no_memory for=stuck");
	*s = (struct stuck){ self.round, is_taken };
	return true;
}

static bool
is_taken(void)
{
	const struct stuck *s = map_get(&self.stuck, slice_str(self.name));

	return s != NULL && s->is_taken;
}

/* Forgets those that were not met again. */
static void
end_round(void)
{
	struct slice name;
	struct stuck *s;
	size_t pos = 0;

	while ((s = map_next(&self.stuck, &pos, &name)) != NULL)
		if (s->round != self.round) {
			(void)map_remove(&self.stuck, name);
			map_back(&pos);
			free(s);
		}
	self.round++;
	self.after[0] = 0;
}

/* ---- the end of a message ---- */

static void
done_with(int64_t wait_ms)
{
	queue_tx_free(&self.tx);
	buf_release(&self.bytes);
	memcpy(self.after, self.name, sizeof self.after);
	look_again(wait_ms);
}

static void
path_of(const char *folder, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/%s", folder, self.name);
}

static void
remove_file(void)
{
	char path[NAME_MAX_BYTES + 8];

	path_of("new", path, sizeof path);
	if (unlinkat(self.dir, path, 0) < 0 && errno != ENOENT &&
	    is_newly_stuck(true))
		log_error("event=drop_not_removed file=%s why=%s",
		    LOG_S(self.name), LOG_S(strerror(errno)));
}

/* Not a message, or one that the queue will never take: for the
 * administrator's eyes. */
static void
set_aside(const char *why)
{
	char from[NAME_MAX_BYTES + 8], to[NAME_MAX_BYTES + 8];

	int moved, error;

	path_of("new", from, sizeof from);
	path_of("bad", to, sizeof to);
	moved = renameat(self.dir, from, self.dir, to);
	error = errno;
	if (moved < 0 && !is_newly_stuck(false))
		return;
	self.refused++;
	log_error("event=drop_refused file=%s uid=%llu user=%s why=%s",
	    LOG_S(self.name), (unsigned long long)self.drop.uid,
	    LOG_V(self.drop.user), LOG_S(why));
	if (moved < 0)
		log_error("event=drop_not_moved file=%s why=%s",
		    LOG_S(self.name), LOG_S(strerror(error)));
}

/* ---- giving it to the queue ---- */

static struct slice
domain(void)
{
	const char *postmaster = daemon_server()->postmaster;
	const char *at = strrchr(postmaster, '@');

	if (self.conf.domain[0] != 0)
		return slice_str(self.conf.domain);
	return slice_str(at != NULL ? at + 1 : daemon_server()->hostname);
}

/* Completes "joe" with our domain; canonical form. -1: not an address. */
static int
complete(struct slice text, struct buf *out)
{
	struct address a;

	if (address_parse_lenient(text, &a) < 0 || a.local.n == 0)
		return -1;
	if (a.domain.n == 0)
		a.domain = domain();
	address_add(out, &a);
	return 0;
}

/* self.head, and where the body begins. -1: it is beyond all limits. */
static int
make_head(void)
{
	const struct conf_server *s = daemon_server();
	struct received r = { .local_user = self.drop.user,
		.by = slice_str(s->hostname),
		.id = slice_str(queue_tx_id(self.tx)),
		.date = { clock_wall(), clock_utc_offset() } };
	struct slice message = slice_from(buf_slice(&self.bytes),
	    self.drop.length);
	struct slice name = SLICE_NONE;
	struct buf *head = &self.head, from;
	enum fixup_verdict verdict;
	struct header_field f;
	struct fixup fix;
	size_t used = 0;
	ssize_t n;

	buf_release(head);
	buf_init(head, HEAD_MAX);
	buf_init(&from, 1024);
	received_add(head, &r);
	fixup_init(&fix);
	while ((n = header_scan(slice_from(message, used), true, &f)) > 0) {
		if (f.kind == HEADER_END) {
			used += (size_t)n;
			break;
		}
		/* What a local program writes is passed on even if it is not
		 * quite a header: there is nobody to refuse it to. */
		verdict = fixup_field(&fix, &f);
		if (verdict == FIXUP_BODY)
			break;
		used += (size_t)n;
		if (slice_ieq(f.name, SLICE("X-Veredus-Full-Name")))
			name = slice_trim(f.value); /* sendmail -F */
		else if (verdict != FIXUP_DROP)
			buf_add_slice(head, f.raw);
	}
	if (self.drop.sender.n == 0 ||
	    complete(self.drop.sender, &from) < 0)
		(void)complete(self.drop.user, &from);
	fixup_end(&fix, &(struct fixup_facts){ .address = buf_slice(&from),
		.name = name,
		.id = slice_str(queue_tx_id(self.tx)),
		.host = slice_str(s->hostname), .now = r.date }, head);
	buf_add_str(head, "\r\n");
	fixup_fini(&fix);
	buf_fini(&from);
	self.head_written = 0;
	self.written = used;
	/* A field beyond the limits must not travel in pieces. */
	self.head_done = n >= 0 && buf_is_ok(head);
	return self.head_done ? 0 : -1;
}

/* A piece of `from` behind the *done octets that went; false: none is left. */
static bool
write_piece(struct slice from, size_t *done)
{
	struct slice piece = slice_head(slice_from(from, *done), PIECE);

	queue_tx_write(self.tx, piece);
	*done += piece.n;
	return piece.n > 0;
}

static void
write_more(void)
{
	struct slice message = slice_from(buf_slice(&self.bytes),
	    self.drop.length);

	while (!queue_tx_is_full(self.tx)) {
		if (write_piece(buf_slice(&self.head), &self.head_written) ||
		    write_piece(message, &self.written))
			continue;
		buf_release(&self.head);
		queue_tx_commit(self.tx);
		return;
	}
}

static void
on_opened(void *arg, const struct status *no)
{
	(void)arg;
	if (no != NULL && no->outcome == OUTCOME_FAILED) {
		set_aside("the queue refuses it");
		done_with(0);
		return;
	}
	if (no != NULL) {
		log_warn("event=drop_deferred file=%s why=%s",
		    LOG_S(self.name), LOG_V(no->text));
		done_with(RETRY_MS);
		return;
	}
	if (make_head() < 0) {
		set_aside("its header is too large");
		done_with(0);
		return;
	}
	write_more();
}

static void
on_room(void *arg)
{
	(void)arg;
	if (self.head_done)
		write_more();
}

static void
on_done(void *arg, const struct status *result)
{
	(void)arg;
	switch (result->outcome) {
	case OUTCOME_DONE:
		self.taken++;
		log_info("event=accepted id=%s uid=%llu user=%s from=%s "
		    "nrcpt=%zu", queue_tx_id(self.tx),
		    (unsigned long long)self.drop.uid,
		    LOG_V(self.drop.user), LOG_V(self.drop.sender),
		    self.drop.n_rcpts);
		remove_file();
		done_with(0);
		return;
	case OUTCOME_LATER:
		log_warn("event=drop_deferred file=%s why=%s",
		    LOG_S(self.name), LOG_V(result->text));
		done_with(RETRY_MS);
		return;
	case OUTCOME_FAILED:
		set_aside("the queue refuses it");
		done_with(0);
		return;
	}
}

static const struct queue_tx_events events = { on_opened, on_room, on_done };

static void
open_transaction(void)
{
	struct queue_tx_envelope e = { .envid = self.drop.envid,
		.session = slice_str(self.name), .client = SLICE("local"),
		.size = self.bytes.n - self.drop.length,
		.ret = self.drop.ret, .body = SMTP_BODY_8BITMIME };
	struct slice rcpts = self.drop.rcpts, rcpt;
	struct buf sender, to;

	buf_init(&sender, 1024);
	buf_init(&to, 1024);
	if (self.drop.sender.p == NULL)
		(void)complete(self.drop.user, &sender);
	else if (self.drop.sender.n > 0 &&
	    complete(self.drop.sender, &sender) < 0)
		log_warn("event=drop_sender file=%s sender=%s",
		    LOG_S(self.name), LOG_V(self.drop.sender));
	e.sender = buf_slice(&sender);
	self.written = 0;
	self.head_done = false;
	self.tx = queue_tx_open(daemon_loop(), daemon_peer(ROLE_QUEUE), &e,
	    &events, NULL);
	if (self.tx == NULL)
		fatal("event=no_memory for=transaction");
	while (dropfile_next_rcpt(&rcpts, &rcpt)) {
		buf_reset(&to);
		if (complete(rcpt, &to) < 0)
			/* The queue's directory says "not an address", and the
			 * sender gets it back. */
			buf_add_slice(&to, rcpt);
		queue_tx_rcpt(self.tx, buf_slice(&to), self.drop.notify,
		    SLICE_NONE);
	}
	buf_fini(&sender);
	buf_fini(&to);
}

/* ---- looking ---- */

/*
 * Only regular files that nobody else can still change count. -1: *why_r says
 * why it can never be a message, or is NULL, and errno what failed now.
 */
static int
read_file(const char **why_r)
{
	char path[NAME_MAX_BYTES + 8];
	struct stat st;
	ssize_t n = 1;
	char *room;
	int fd, error;

	*why_r = NULL;
	path_of("new", path, sizeof path);
	fd = openat(self.dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
		O_NONBLOCK);
	if (fd < 0) {
		if (errno == ELOOP || errno == ENXIO)
			*why_r = "not a regular file";
		return -1;
	}
	buf_reset(&self.bytes);
	if (fstat(fd, &st) < 0)
		n = -1;
	else if (!S_ISREG(st.st_mode))
		*why_r = "not a regular file";
	else if (st.st_size > MESSAGE_MAX)
		*why_r = "too large";
	while (n > 0 && *why_r == NULL) {
		room = buf_room(&self.bytes, 65536);
		if (room == NULL)
			errno = ENOMEM;
		n = room == NULL ? -1 : read(fd, room, 65536);
		if (n > 0)
			buf_grew(&self.bytes, (size_t)n);
	}
	error = errno;
	(void)close(fd);
	errno = error;
	return n == 0 ? 0 : -1;
}

static void
take_one(void)
{
	const char *why;

	self.drop = (struct dropfile){ 0 };
	if (is_taken()) {
		remove_file();
		done_with(0);
		return;
	}
	if (strlen(self.name) > OUR_NAME_MAX) {
		set_aside("its name is too long");
		done_with(0);
		return;
	}
	if (read_file(&why) < 0) {
		if (why != NULL)
			set_aside(why);
		else if (errno != ENOENT && is_newly_stuck(false))
			log_error("event=drop_unreadable file=%s why=%s",
			    LOG_S(self.name), LOG_S(strerror(errno)));
		done_with(0);
		return;
	}
	if (dropfile_parse(buf_slice(&self.bytes), &self.drop, &why) < 0) {
		set_aside(why);
		done_with(0);
		return;
	}
	open_transaction();
}

/* Files that a dead `drop` left behind. */
static void
clean_tmp(void)
{
	int fd = openat(self.dir, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' &&
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtime + STALE_S < clock_wall())
			(void)unlinkat(fd, e->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
	else if (fd >= 0)
		(void)close(fd);
}

/* The next of this round: the name that sorts first is the oldest. */
static void
find_next(void)
{
	int fd = openat(self.dir, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	self.name[0] = 0;
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' &&
		    strcmp(e->d_name, self.after) > 0 &&
		    (self.name[0] == 0 || strcmp(e->d_name, self.name) < 0))
			(void)snprintf(self.name, sizeof self.name, "%s",
			    e->d_name);
	if (d != NULL)
		(void)closedir(d);
	else if (fd >= 0)
		(void)close(fd);
}

static void
look(void *arg)
{
	(void)arg;
	if (self.tx != NULL)
		return;
	find_next();
	if (self.name[0] == 0) {
		end_round();
		look_again(self.conf.interval);
		return;
	}
	take_one();
}

/* ---- the role ---- */

static int
configure(const void *conf, struct buf *why)
{
	(void)why;
	self.conf = *(const struct conf_pickup *)conf;
	return 0;
}

/*
 * Who has our group (the set-gid program `drop`) may write into tmp and new and
 * see nothing there; the folders' own set-gid bit lets us read what comes.
 */
static void
make_folder(const char *name, mode_t mode)
{
	int fd;

	if (mkdirat(self.dir, name, 0700) < 0 && errno != EEXIST)
		fatal("event=drop_folder name=%s why=%s", name,
		    LOG_S(strerror(errno)));
	fd = openat(self.dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, daemon_is_privileged() ? mode : 0700) < 0)
		fatal("event=drop_folder name=%s why=%s", name,
		    LOG_S(strerror(errno)));
	(void)close(fd);
}

static void
after_jail(void)
{
	self.dir = daemon_jail_fd();
	buf_init(&self.bytes, MESSAGE_MAX + (1 << 17));
	map_init(&self.stuck);
	make_folder(".", 0710);
	make_folder("tmp", 02730);
	make_folder("new", 02730);
	make_folder("bad", 0700);
	clean_tmp();
	loop_timer_init(&self.timer, daemon_loop(), look, NULL);
	look_again(0);
}

static void
stop(uint32_t grace_ms)
{
	(void)grace_ms;
	loop_timer_clear(&self.timer);
	if (self.tx == NULL)
		daemon_stopped();
}

static void
add_status(struct buf *row)
{
	row_pair_u64(row, "taken", self.taken);
	row_pair_u64(row, "refused", self.refused);
}

static const struct ipc_handlers handlers = { 0 };

const struct role pickup_role = {
	.id = ROLE_PICKUP,
	.section = &conf_pickup_section,
	.has_folder = true,
	.handlers = &handlers,
	.sandbox = SANDBOX_FILES,
	.after_jail = after_jail,
	.configure = configure,
	.stop = stop,
	.status = add_status,
};
