/* SPDX-License-Identifier: ISC */
#include "tests/unit/access/peers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/num.h"
#include "proto/sasl.h"
#include "proto/status.h"
#include "sys/auth_result.h"
#include "sys/daemon.h"
#include "sys/ipc.h"
#include "tests/unit/unit.h"

enum { STATE, AUTH, BROKER, OWNER, PEERS };

static const char *const names[PEERS] = { "state", "auth", "broker", "owner" };
static const enum role_id roles[PEERS] = { ROLE_STATE, ROLE_AUTH, ROLE_BROKER,
	ROLE_OWNER };

static struct {
	struct loop *loop;
	struct ipc_link *theirs[PEERS]; /* the peers' ends */
	struct ipc_link *ours[PEERS];   /* what daemon_peer() gives */
	struct buf told[PEERS], shown;
	uint64_t req[PEERS];
	int stream;
	bool is_reading;
	uint64_t written;
	struct buf bytes;
} self;

static int
peer_of(struct slice name)
{
	int i;

	for (i = 0; i < PEERS; i++)
		if (slice_eq_str(name, names[i]))
			return i;
	ck_abort_msg("no peer %.*s", SLICE_FMT(name));
	return 0;
}

/* ---- what they hear ---- */

static void
add_escaped(struct buf *b, struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '%')
			buf_addf(b, "%%%02x", (unsigned char)s.p[i]);
		else
			buf_add_char(b, s.p[i]);
}

static void
on_client_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	self.req[STATE] = m->req;
	buf_addf(&self.told[STATE], "open %u\n", m->CLIENT_OPEN.limit);
}

static void
on_client_close(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	(void)fd;
	buf_add_str(&self.told[STATE], "close\n");
}

static void
on_auth_start(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_AUTH_START *a = &m->AUTH_START;
	struct buf *b = &self.told[AUTH];

	(void)l;
	(void)fd;
	self.req[AUTH] = a->req;
	buf_addf(b, "start %s %.*s%s%s", sasl_mech_name(a->mech),
	    SLICE_FMT(a->service), a->tls ? " tls" : "",
	    a->binding.n == 32 ? " bound" : "");
	if (a->has_initial)
		buf_add_str(b, " ");
	if (a->has_initial && a->initial.n == 0)
		buf_add_str(b, "empty");
	add_escaped(b, a->initial);
	buf_add_char(b, '\n');
}

static void
on_auth_more(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	self.req[AUTH] = m->req;
	buf_add_str(&self.told[AUTH], "more ");
	add_escaped(&self.told[AUTH], m->AUTH_MORE.response);
	buf_add_char(&self.told[AUTH], '\n');
}

static void
on_auth_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	(void)fd;
	buf_add_str(&self.told[AUTH], "abort\n");
}

static void
on_session_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_SESSION_OPEN *s = &m->SESSION_OPEN;

	(void)l;
	(void)fd;
	self.req[BROKER] = s->req;
	buf_addf(&self.told[BROKER], "open %.*s %.*s%s%.*s%s\n",
	    SLICE_FMT(s->ticket), SLICE_FMT(s->service),
	    s->tag.n > 0 ? " " : "", SLICE_FMT(s->tag),
	    s->tls ? " tls" : "");
}

static void
on_input_end(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	buf_addf(&self.told[OWNER], "input end %llu %.*s\n",
	    (unsigned long long)m->SES_INPUT_END.after_input,
	    SLICE_FMT(m->SES_INPUT_END.text));
}

static void
on_lost(struct ipc_link *l)
{
	int i;

	for (i = 0; i < PEERS; i++) {
		if (self.theirs[i] == l)
			self.theirs[i] = NULL;
		if (self.ours[i] == l)
			self.ours[i] = NULL;
	}
	if (ipc_link_peer(l) == ROLE_ACCESS)
		buf_add_str(&self.told[OWNER], "gone\n");
}

static const struct ipc_handlers their_handlers = {
	.by_type = {
	    [IPC_CLIENT_OPEN] = on_client_open,
	    [IPC_CLIENT_CLOSE] = on_client_close,
	    [IPC_AUTH_START] = on_auth_start, [IPC_AUTH_MORE] = on_auth_more,
	    [IPC_AUTH_ABORT] = on_auth_abort,
	    [IPC_SESSION_OPEN] = on_session_open,
	    [IPC_SES_INPUT_END] = on_input_end,
	},
	.lost = on_lost,
};

static const struct ipc_handlers our_handlers = { .lost = on_lost };

/* ---- coming and going ---- */

void
peers_bring(struct slice name)
{
	int i = peer_of(name), fds[2];

	ck_assert_int_eq(ipc_pair(fds), 0);
	self.theirs[i] = ipc_link_new(self.loop, fds[0], roles[i], ROLE_ACCESS,
	    0, &their_handlers);
	self.ours[i] = ipc_link_new(self.loop, fds[1], ROLE_ACCESS, roles[i],
	    0, &our_handlers);
	ck_assert_ptr_nonnull(self.theirs[i]);
	ck_assert_ptr_nonnull(self.ours[i]);
}

void
peers_lose(struct slice name)
{
	int i = peer_of(name);

	ipc_link_free(&self.theirs[i]);
}

void
peers_start(struct loop *l)
{
	int i;

	memset(&self, 0, sizeof self);
	self.loop = l;
	self.stream = -1;
	self.is_reading = true;
	buf_init(&self.shown, 65536);
	buf_init(&self.bytes, 64 << 20);
	for (i = 0; i < PEERS; i++) {
		buf_init(&self.told[i], 65536);
		if (i == AUTH || i == BROKER)
			peers_bring(slice_str(names[i]));
	}
}

void
peers_stop(void)
{
	int i;

	for (i = 0; i < PEERS; i++) {
		ipc_link_free(&self.theirs[i]);
		ipc_link_free(&self.ours[i]);
		buf_fini(&self.told[i]);
	}
	if (self.stream >= 0)
		(void)close(self.stream);
	buf_fini(&self.shown);
	buf_fini(&self.bytes);
}

struct ipc_link *
daemon_peer(enum role_id role)
{
	int i;

	for (i = 0; i < OWNER; i++)
		if (roles[i] == role)
			return self.ours[i];
	return NULL;
}

const char *
peers_told(struct slice name)
{
	struct buf *b = &self.told[peer_of(name)];

	buf_reset(&self.shown);
	buf_add_slice(&self.shown, buf_slice(b));
	buf_reset(b);
	return self.shown.p;
}

/* ---- what they say ---- */

static void
say_state(struct slice words)
{
	ipc_send(self.theirs[STATE], CLIENT_ANSWER, -1,
	    .req = self.req[STATE], .allowed = slice_eq_str(words, "yes"));
}

static void
say_auth(struct slice words)
{
	static const char *const results[AUTH_RESULT_COUNT] = {
		"ok", "challenge", "failed", "later", "slow", "malformed",
		"disabled",
	};
	struct slice word, ticket = SLICE("0123456789abcdef");
	uint8_t i;

	ck_assert(slice_split(&words, ' ', &word));
	if (slice_eq_str(word, "unticketed")) {
		word = SLICE("ok");
		ticket = words;
		words = SLICE("");
	}
	for (i = 0; i < AUTH_RESULT_COUNT; i++)
		if (slice_eq_str(word, results[i]))
			break;
	/* AUTH_RESULT_COUNT itself: what no honest auth says. */
	ipc_send(self.theirs[AUTH], AUTH_ANSWER, -1, .req = self.req[AUTH],
	    .result = i, .challenge = words,
	    .address = i == AUTH_OK ? SLICE("ann@a.example") : SLICE(""),
	    .ticket = i == AUTH_OK ? ticket : SLICE(""));
}

static void
give_session(bool has_stream)
{
	int stream[2], control[2];

	ck_assert_int_eq(socketpair(AF_UNIX,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, stream), 0);
	ck_assert_int_eq(ipc_pair(control), 0);
	if (has_stream)
		ipc_send(self.theirs[BROKER], SESSION_STREAM, stream[1],
		    .req = self.req[BROKER]);
	ipc_send(self.theirs[BROKER], SESSION_LINK, control[1],
	    .req = self.req[BROKER]);
	(void)close(stream[1]);
	(void)close(control[1]);
	self.stream = stream[0];
	self.theirs[OWNER] = ipc_link_new(self.loop, control[0], ROLE_OWNER,
	    ROLE_ACCESS, 0, &their_handlers);
	ck_assert_ptr_nonnull(self.theirs[OWNER]);
}

static void
say_broker(struct slice words)
{
	struct slice word;

	ck_assert(slice_split(&words, ' ', &word));
	if (slice_eq_str(word, "session"))
		give_session(true);
	else if (slice_eq_str(word, "link"))
		give_session(false);
	else
		ipc_send(self.theirs[BROKER], SESSION_REFUSED, -1,
		    .req = self.req[BROKER],
		    .outcome = slice_eq_str(word, "later") ? OUTCOME_LATER
							   : OUTCOME_FAILED,
		    .text = words);
}

static void
say_owner(struct slice words)
{
	uint64_t at = self.written;
	struct slice word;

	ck_assert(slice_split(&words, ' ', &word));
	if (slice_eq_str(word, "end")) {
		if (words.n > 0)
			ck_assert_int_eq(num_parse(words, 0, UINT64_MAX, &at),
			    0);
		ipc_send(self.theirs[OWNER], SES_END, -1, .after_output = at,
		    .text = SLICE("logout"));
	} else if (slice_eq_str(word, "compress")) {
		ipc_send(self.theirs[OWNER], SES_COMPRESS, -1,
		    .after_output = 0);
	} else if (slice_eq_str(word, "stream")) {
		(void)close(self.stream);
		self.stream = -1;
	} else if (slice_eq_str(word, "link")) {
		ipc_link_free(&self.theirs[OWNER]);
	} else {
		ck_abort_msg("owner cannot %.*s", SLICE_FMT(word));
	}
}

void
peers_say(struct slice name, struct slice words)
{
	static void (*const say[PEERS])(struct slice words) = { say_state,
		say_auth, say_broker, say_owner };

	say[peer_of(name)](words);
}

/* ---- the stream ---- */

struct buf *
peers_stream(void)
{
	return &self.bytes;
}

int
peers_socket(void)
{
	return self.stream;
}

void
peers_write(struct slice bytes)
{
	ssize_t n = send(self.stream, bytes.p, bytes.n, MSG_NOSIGNAL);

	if (n > 0)
		self.written += (uint64_t)n;
}

void
peers_read(void)
{
	ssize_t n = 1;
	char *room;

	while (n > 0 && self.stream >= 0 && self.is_reading) {
		room = buf_room(&self.bytes, 65536);
		ck_assert_ptr_nonnull(room);
		n = recv(self.stream, room, 65536, MSG_DONTWAIT);
		if (n > 0)
			buf_grew(&self.bytes, (size_t)n);
	}
}

void
peers_set_reading(bool is_reading)
{
	self.is_reading = is_reading;
}
