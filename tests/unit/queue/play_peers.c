/* SPDX-License-Identifier: ISC */
#include "tests/unit/queue/play_peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "proto/status.h"
#include "queue/queue.h"
#include "sys/addr_kind.h"
#include "tests/unit/queue/play.h"
#include "tests/unit/unit.h"

enum { SMTPD, DIRECTORY, BROKER, MASTER, RELAY, PEERS };
enum { DELIVERIES = 256, OWNERS = 32, RCPTS = 128, BODY = 1 << 20 };

static const enum role_id roles[PEERS] = { ROLE_SMTPD, ROLE_DIRECTORY,
	ROLE_BROKER, ROLE_MASTER, ROLE_RELAY };

/* A process ended: master or broker say so after its link is closed. */
enum news { NEWS_NONE, NEWS_OWNER, NEWS_RELAY };

struct delivery {
	struct ipc_link *link;
	uint64_t req, number, account;
	bool is_local, is_open, wants_sync, is_down;
	char nexthop[64], sender[128];
	uint32_t n, index[RCPTS];
	char address[RCPTS][96];
};

static struct {
	struct loop *loop;
	struct ipc_handlers queue; /* the role's own, and what is lost */
	struct ipc_link *theirs[PEERS], *ours[PEERS];
	struct {
		uint64_t account;
		struct ipc_link *link;
	} owners[OWNERS];
	struct delivery deliveries[DELIVERIES];
	const char *town, *fates;
	struct buf tried, shown, details, body, notice;
	size_t released;
	enum news news;
	bool news_crashed, is_news_early;
	uint64_t news_account;
} self = { .town = "", .fates = "" };

/* ---- lines ---- */

static bool
fits(struct slice pattern, struct slice address)
{
	struct slice local;

	if (slice_eq(pattern, address))
		return true;
	return slice_has_prefix(pattern, SLICE("*@")) &&
	    slice_split(&address, '@', &local) &&
	    slice_eq(slice_from(pattern, 2), address);
}

/* What a line of this beginning goes on with; false: there is none. */
static bool
line_of(const char *lines, struct slice address, struct slice *words_r)
{
	struct slice all = slice_str(lines), word;

	while (slice_split(&all, '\n', words_r))
		if (slice_split(words_r, ' ', &word) && fits(word, address))
			return true;
	return false;
}

static bool
next_word(struct slice *words, struct slice *word_r)
{
	return words->n > 0 && slice_split(words, ' ', word_r);
}

/* ---- directory ---- */

static uint8_t
kind_of(struct slice word)
{
	static const char *const kinds[ADDR_KIND_COUNT] = { "account",
		"alias", "relay", "remote", "unknown", "disabled", "invalid",
		"later", "loop" };
	uint8_t i;

	for (i = 0; i < ADDR_KIND_COUNT; i++)
		if (slice_eq_str(word, kinds[i]))
			return i;
	ck_abort_msg("no kind %.*s", SLICE_FMT(word));
	return 0;
}

static void
on_addr_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct slice address = m->ADDR_ASK.address, words, word;
	uint64_t account = 0;

	(void)fd;
	ck_assert_msg(line_of(self.town, address, &words), "who is %.*s?",
	    SLICE_FMT(address));
	ck_assert(next_word(&words, &word));
	if (slice_eq_str(word, "silence"))
		return;
	if (slice_eq_str(word, "muddle")) {
		ipc_send(l, EXPAND_ITEM, -1, .req = m->req,
		    .target = address);
		ck_assert(next_word(&words, &word));
	}
	if (slice_eq_str(word, "account"))
		ck_assert_int_eq(num_parse(words, 1, UINT32_MAX, &account), 0);
	ipc_send(l, ADDR_ANSWER, -1, .req = m->req, .kind = kind_of(word),
	    .account = account, .address = address, .nexthop = words);
}

static void
on_expand_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct slice words, word;

	(void)fd;
	ck_assert(line_of(self.town, m->EXPAND_ASK.address, &words));
	ck_assert(next_word(&words, &word));
	while (next_word(&words, &word))
		ipc_send(l, EXPAND_ITEM, -1, .req = m->req, .target = word);
	ipc_send(l, EXPAND_DONE, -1, .req = m->req, .kind = ADDR_ALIAS);
}

/* ---- deliveries ---- */

static struct delivery *
find(struct ipc_link *l, uint64_t number)
{
	size_t i;

	for (i = 0; i < DELIVERIES; i++)
		if (self.deliveries[i].is_open &&
		    self.deliveries[i].link == l &&
		    self.deliveries[i].number == number)
			return &self.deliveries[i];
	ck_abort_msg("no delivery %llu", (unsigned long long)number);
	return NULL;
}

static void
copy(char *to, size_t size, struct slice from)
{
	ck_assert_uint_lt(from.n, size);
	if (from.n > 0)
		memcpy(to, from.p, from.n);
	to[from.n] = '\0';
}

static void
on_dlv_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_DLV_OPEN *o = &m->DLV_OPEN;
	struct delivery *d = self.deliveries;

	(void)fd;
	while (d->is_open)
		ck_assert(++d < self.deliveries + DELIVERIES);
	*d = (struct delivery){ .link = l, .req = o->req, .number = o->dlv,
		.is_open = true, .is_local = o->nexthop.n == 0,
		.account = ipc_link_instance(l), .wants_sync = o->sync };
	copy(d->nexthop, sizeof d->nexthop, o->nexthop);
	copy(d->sender, sizeof d->sender, o->sender);
	buf_reset(&self.details);
	buf_addf(&self.details, "%llu %u %u %.*s %u\n",
	    (unsigned long long)o->id, o->group, o->attempt,
	    SLICE_FMT(o->envid), o->ret);
	buf_reset(&self.body);
}

static void
on_dlv_rcpt(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_DLV_RCPT *r = &m->DLV_RCPT;
	struct delivery *d = find(l, r->dlv);

	(void)fd;
	ck_assert_uint_lt(d->n, RCPTS);
	copy(d->address[d->n], sizeof *d->address, r->address);
	d->index[d->n++] = r->index;
	buf_addf(&self.details, "%.*s %u %.*s\n", SLICE_FMT(r->address),
	    r->notify, SLICE_FMT(r->orcpt));
}

static void
on_dlv_body(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	buf_add_slice(&self.body, m->DLV_BODY.bytes);
}

static void
on_dlv_file(struct ipc_link *l, const union ipc_any *m, int fd)
{
	size_t size = (size_t)m->DLV_FILE.size;
	char *room = buf_room(&self.body, size);

	(void)l;
	ck_assert_ptr_nonnull(room);
	ck_assert_int_eq(pread(fd, room, size, 0), (ssize_t)size);
	buf_grew(&self.body, size);
	(void)close(fd);
}

static void
note_tried(const struct delivery *d)
{
	uint32_t i;

	if (d->is_local)
		buf_addf(&self.tried, "owner:%llu",
		    (unsigned long long)d->account);
	else
		buf_add_str(&self.tried, d->nexthop);
	buf_addf(&self.tried, " <%s>", d->sender);
	for (i = 0; i < d->n; i++)
		buf_addf(&self.tried, " %s", d->address[i]);
	buf_add_char(&self.tried, '\n');
	if (d->sender[0] == '\0') {
		buf_reset(&self.notice);
		buf_add_slice(&self.notice, buf_slice(&self.body));
	}
}

static void
tell_result(const struct delivery *d, uint32_t i, struct slice words)
{
	struct slice code, enhanced;
	bool takes_dsn = slice_has_prefix(words, SLICE("dsn "));
	uint64_t n;

	if (takes_dsn)
		words = slice_from(words, 4);
	ck_assert(next_word(&words, &code));
	ck_assert_int_eq(num_parse(code, 200, 599, &n), 0);
	ck_assert(next_word(&words, &enhanced));
	ipc_send(d->link, DLV_RESULT, -1, .req = d->req, .index = d->index[i],
	    .outcome = n < 300 ? OUTCOME_DONE : n < 500 ? OUTCOME_LATER
							: OUTCOME_FAILED,
	    .code = (uint16_t)n, .dsn = takes_dsn, .enhanced = enhanced,
	    .text = words, .remote = d->is_local ? SLICE("")
						 : slice_str(d->nexthop));
}

static void
tell_done(struct delivery *d)
{
	ipc_send(d->link, DLV_DONE, -1, .req = d->req,
	    .placed = d->is_local && !d->wants_sync,
	    .host_later = d->is_down);
	d->is_open = false;
}

static void
close_deliveries(const struct ipc_link *l)
{
	size_t i;

	for (i = 0; i < DELIVERIES; i++)
		if (self.deliveries[i].link == l)
			self.deliveries[i].is_open = false;
}

static void
process_ends(struct delivery *d, bool crashed)
{
	uint64_t account = d->account;
	struct ipc_link *l = d->link;
	bool is_local = d->is_local;
	size_t i;

	close_deliveries(l);
	for (i = 0; i < OWNERS; i++)
		if (self.owners[i].link == l)
			self.owners[i].link = NULL;
	if (!is_local)
		self.theirs[RELAY] = NULL;
	ipc_link_free(&l);
	if (!is_local && self.is_news_early) {
		play_relay_ended(crashed);
		play_bring(ROLE_RELAY);
	} else {
		self.news = is_local ? NEWS_OWNER : NEWS_RELAY;
		self.news_crashed = crashed;
		self.news_account = account;
	}
}

bool
peers_tell_news(void)
{
	enum news news = self.news;

	self.news = NEWS_NONE;
	if (news == NEWS_OWNER && self.news_crashed)
		ipc_send(self.theirs[BROKER], OWNER_CRASHED, -1,
		    .account = self.news_account);
	if (news == NEWS_RELAY) {
		play_relay_ended(self.news_crashed);
		play_bring(ROLE_RELAY);
	}
	return news != NEWS_NONE;
}

void
play_news_first(void)
{
	self.is_news_early = true;
}

static void
on_dlv_end(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct delivery *d = find(l, m->DLV_END.dlv);
	struct slice words;
	uint32_t i;

	(void)fd;
	note_tried(d);
	for (i = 0; i < d->n; i++) {
		if (!line_of(self.fates, slice_str(d->address[i]), &words))
			words = SLICE("250 2.0.0 taken");
		if (slice_eq_str(words, "silence"))
			return;
		if (slice_eq_str(words, "dies") ||
		    slice_eq_str(words, "crashes")) {
			process_ends(d, slice_eq_str(words, "crashes"));
			return;
		}
		if (slice_has_prefix(words, SLICE("down "))) {
			d->is_down = true;
			words = slice_from(words, 5);
		}
		if (!slice_eq_str(words, "nothing"))
			tell_result(d, i, words);
	}
	tell_done(d);
}

static void
on_dlv_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct delivery *d = find(l, m->DLV_ABORT.dlv);

	(void)fd;
	tell_done(d);
}

static void
on_dlv_released(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	ck_assert_uint_eq(m->DLV_RELEASED.ids.n % 12, 0);
	self.released += m->DLV_RELEASED.ids.n / 12;
}

size_t
play_open(void)
{
	size_t i, n = 0;

	for (i = 0; i < DELIVERIES; i++)
		n += self.deliveries[i].is_open;
	return n;
}

void
play_end_one(const char *words)
{
	struct delivery *d, *oldest = NULL;
	uint32_t i;

	for (d = self.deliveries; d < self.deliveries + DELIVERIES; d++)
		if (d->is_open && (oldest == NULL ||
		    d->number < oldest->number))
			oldest = d;
	ck_assert_ptr_nonnull(oldest);
	for (i = 0; i < oldest->n; i++)
		tell_result(oldest, i, slice_str(words));
	tell_done(oldest);
	play_settle();
}

/* ---- broker ---- */

static void
on_lost(struct ipc_link *l)
{
	int i;

	close_deliveries(l);
	for (i = 0; i < PEERS; i++)
		if (self.theirs[i] == l)
			self.theirs[i] = NULL;
	for (i = 0; i < OWNERS; i++)
		if (self.owners[i].link == l)
			self.owners[i].link = NULL;
}

static const struct ipc_handlers their_handlers;

static void
give_owner(struct ipc_link *l, uint64_t req, uint64_t account)
{
	int i, fds[2];

	for (i = 0; self.owners[i].link != NULL; i++)
		ck_assert_int_lt(i, OWNERS - 1);
	ck_assert_int_eq(ipc_pair(fds), 0);
	self.owners[i].account = account;
	self.owners[i].link = ipc_link_new(self.loop, fds[0], ROLE_OWNER,
	    ROLE_QUEUE, (uint32_t)account, &their_handlers);
	ck_assert_ptr_nonnull(self.owners[i].link);
	ipc_send(l, OWNER_LINK, fds[1], .req = req);
	(void)close(fds[1]);
}

static void
on_owner_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct slice words, word;
	char name[32];
	uint64_t n;

	(void)fd;
	(void)snprintf(name, sizeof name, "owner:%llu",
	    (unsigned long long)m->OWNER_OPEN.account);
	if (!line_of(self.town, slice_str(name), &words)) {
		give_owner(l, m->req, m->OWNER_OPEN.account);
		return;
	}
	ck_assert(next_word(&words, &word));
	if (slice_eq_str(word, "silence"))
		return;
	ck_assert_int_eq(num_parse(word, 0, 9, &n), 0);
	ipc_send(l, OWNER_REFUSED, -1, .req = m->req, .outcome = (uint8_t)n,
	    .text = words);
}

/* ---- all of them ---- */

static const struct ipc_handlers their_handlers = {
	.by_type = {
	    [IPC_ADDR_ASK] = on_addr_ask, [IPC_EXPAND_ASK] = on_expand_ask,
	    [IPC_DLV_OPEN] = on_dlv_open, [IPC_DLV_RCPT] = on_dlv_rcpt,
	    [IPC_DLV_BODY] = on_dlv_body, [IPC_DLV_FILE] = on_dlv_file,
	    [IPC_DLV_END] = on_dlv_end, [IPC_DLV_ABORT] = on_dlv_abort,
	    [IPC_DLV_RELEASED] = on_dlv_released,
	    [IPC_OWNER_OPEN] = on_owner_open,
	},
	.lost = on_lost,
};

static void
on_our_lost(struct ipc_link *l)
{
	int i;

	queue_role.peer_down(l);
	for (i = 0; i < PEERS; i++)
		if (self.ours[i] == l)
			self.ours[i] = NULL;
}

static int
peer_of(enum role_id role)
{
	int i;

	for (i = 0; i < PEERS; i++)
		if (roles[i] == role)
			return i;
	ck_abort_msg("nobody plays %s", role_name(role));
	return 0;
}

void
play_bring(enum role_id role)
{
	int i = peer_of(role), fds[2];

	ck_assert_int_eq(ipc_pair(fds), 0);
	self.theirs[i] = ipc_link_new(self.loop, fds[0], role, ROLE_QUEUE, 0,
	    &their_handlers);
	self.ours[i] = ipc_link_new(self.loop, fds[1], ROLE_QUEUE, role, 0,
	    &self.queue);
	ck_assert_ptr_nonnull(self.theirs[i]);
	ck_assert_ptr_nonnull(self.ours[i]);
}

void
play_lose(enum role_id role)
{
	struct ipc_link *l = self.theirs[peer_of(role)];

	close_deliveries(l);
	self.theirs[peer_of(role)] = NULL;
	ipc_link_free(&l);
	play_settle();
}

void
play_relay_ended(bool crashed)
{
	ipc_send(self.theirs[MASTER], CHILD_DIED, -1, .role = ROLE_RELAY,
	    .instance = 0, .crashed = crashed);
}

void
peers_start(struct loop *l)
{
	int i;

	self.loop = l;
	self.queue = *queue_role.handlers;
	self.queue.lost = on_our_lost;
	buf_init(&self.tried, BODY);
	buf_init(&self.shown, BODY);
	buf_init(&self.details, BODY);
	buf_init(&self.body, BODY);
	buf_init(&self.notice, BODY);
	for (i = 0; i < PEERS; i++)
		play_bring(roles[i]);
}

struct ipc_link *
peers_submitter(void)
{
	return self.theirs[SMTPD];
}

void
play_town(const char *lines)
{
	self.town = lines;
}

void
play_fates(const char *lines)
{
	self.fates = lines;
}

const char *
play_tried(void)
{
	buf_reset(&self.shown);
	buf_add_slice(&self.shown, buf_slice(&self.tried));
	buf_add_str(&self.shown, "");
	buf_reset(&self.tried);
	return self.shown.p == NULL ? "" : self.shown.p;
}

const char *
play_details(void)
{
	return self.details.p == NULL ? "" : self.details.p;
}

const char *
play_body(void)
{
	return self.body.p == NULL ? "" : self.body.p;
}

const char *
play_notice(void)
{
	return self.notice.p == NULL ? "" : self.notice.p;
}

size_t
play_released(void)
{
	return self.released;
}

/* ---- what sys/daemon.c would answer ---- */

struct ipc_link *
daemon_peer(enum role_id role)
{
	return self.ours[peer_of(role)];
}

struct ipc_link *
daemon_peer_next(enum role_id role, struct ipc_link *last)
{
	return last == NULL ? self.ours[peer_of(role)] : NULL;
}
