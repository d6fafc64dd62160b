/* SPDX-License-Identifier: ISC */
/*
 * A whole session against whatever a client may send: sent at once with
 * answers at once, and cut in pieces with late answers and a sink that is
 * often full. The client must be told the same, the policy asked the same.
 * The first octet chooses the kind of server.
 */
#include "session/smtp_server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/loop.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/session/fake_policy.h"

enum { IN_MAX = 4096, OUT_MAX = 1 << 20 };

struct run {
	struct buf told, asked;
};

static struct loop *loop;

static void
settle(int fd, struct buf *out)
{
	char piece[16384];
	ssize_t n;
	int i;

	for (i = 0; i < 6; i++) {
		loop_turn(loop, false);
		while ((n = recv(fd, piece, sizeof piece, 0)) > 0) {
			buf_add(out, piece, (size_t)n);
			i = 0;
		}
	}
}

static void
play(struct run *r, unsigned kind, struct slice in, size_t piece, bool late)
{
	struct smtp_server_options o = {
		.is_lmtp = (kind & 1) != 0, .needs_auth = (kind & 2) != 0,
		.plaintext_auth = true, .hostname = "mx.test",
		.greeting = "", .mechs = (kind & 4) == 0
		    ? 1U << SASL_PLAIN | 1U << SASL_LOGIN : 0,
		.message_size = 200, .recipients = 5, .transactions = 10,
		.errors = 20, .hops = 2, .command_ms = 600000,
		.data_ms = 600000,
	};
	struct fake f;
	int fds[2];

	buf_init(&r->told, OUT_MAX);
	FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			fds) == 0);
	fake_init(&f, loop);
	f.is_async = f.is_narrow = late;
	f.smtp = smtp_server_new(loop, fds[1], "fuzz", &o, &fake_policy, &f,
	    0);
	FUZZ_ASSERT(f.smtp != NULL);
	settle(fds[0], &r->told);
	while (in.n > 0) {
		(void)send(fds[0], in.p, in.n < piece ? in.n : piece,
		    MSG_NOSIGNAL);
		in = slice_from(in, piece);
		settle(fds[0], &r->told);
	}
	(void)shutdown(fds[0], SHUT_WR);
	settle(fds[0], &r->told);
	FUZZ_ASSERT(f.is_closed);
	FUZZ_ASSERT(!f.is_unclean);
	(void)close(fds[0]);
	settle(-1, &r->told);
	r->asked = f.notes;
	buf_init(&f.notes, 1);
	fake_fini(&f);
}

/* The codes, not the words; and for what of several reasons a message is
 * refused depends on what is seen first. */
static void
compare(struct slice a, struct slice b)
{
	struct slice x = SLICE_NONE, y = SLICE_NONE;

	while (slice_split(&a, '\n', &x)) {
		FUZZ_ASSERT(slice_split(&b, '\n', &y));
		FUZZ_ASSERT(slice_eq(slice_head(x, 9), slice_head(y, 9)) ||
		    (slice_has_prefix(x, SLICE("55")) &&
			slice_has_prefix(y, SLICE("55"))));
	}
	FUZZ_ASSERT(!slice_split(&b, '\n', &y));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct run one, two;
	unsigned kind;

	if (size < 2 || size > IN_MAX)
		return 0;
	if (loop == NULL) {
		loop = loop_new();
		log_set_level(LOG_LEVEL_ERROR);
	}
	kind = data[0];
	in = slice_from(in, 1);
	play(&one, kind, in, in.n, false);
	play(&two, kind, in, 1 + data[0] / 8, true);
	compare(buf_slice(&one.told), buf_slice(&two.told));
	FUZZ_ASSERT(slice_eq(buf_slice(&one.asked), buf_slice(&two.asked)));
	buf_fini(&one.told);
	buf_fini(&one.asked);
	buf_fini(&two.told);
	buf_fini(&two.asked);
	return 0;
}
