/* SPDX-License-Identifier: ISC */
/* Sessions: the broker's word, the carrier, and every way to end. The stories'
 * language is in world.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/access/peers.h"
#include "tests/unit/access/world.h"
#include "tests/unit/unit.h"

#define AUTH "< * OK *\n> a LOGIN ann sesame\nauth< ok\n"
#define OPENED "broker> open 0123456789abcdef imap a\n"
#define IN AUTH OPENED "broker< session\nstream< a OK In.|\n< a OK In.\n"

static const struct access_case imap_cases[] = {
	{ "to and fro", IN "> b NOOP\nstream> b NOOP|\nstream< b OK|\n"
	    "< b OK\n>> c FE\nstream> c FE\n>> TCH 1 FLAGS|\n"
	    "stream> TCH 1 FLAGS|\nstream< * 1 FETCH ()|c OK|\n"
	    "< * 1 FETCH ()\n< c OK\n" },
	{ "pipelined behind the login", "< * OK *\n"
	    ">> a LOGIN ann sesame|b SELECT INBOX|c NOOP|\nauth< ok\n"
	    "broker< session\nstream> b SELECT INBOX|c NOOP|\n" },
	{ "pipelined behind an exchange", "< * OK *\n"
	    "> a AUTHENTICATE PLAIN\nauth< challenge\n< + \n"
	    ">> AGFubgBzZXNhbWU=|b NOOP|\nauth< ok\nbroker< session\n"
	    "stream> b NOOP|\n" },
	{ "bytes of all kinds", IN ">> %00%0d%0a%ff%0a|\n"
	    "stream> %00%0d%0a%ff%0a|\n" },
	{ "logout", IN "> b LOGOUT\nstream> b LOGOUT|\n"
	    "stream< * BYE|b OK|\nowner< end\n< * BYE\n< b OK\nclosed\n"
	    "owner> gone\nlog> event=session_end session=\n"
	    "log> service=imap client=unix in=10 out=23 why=logout\n" },
	{ "the end is told before the bytes come", IN "owner< end 16\n< -\n"
	    "stream< b OK|\n< b OK\nclosed\nowner> gone\n" },
	{ "what comes behind the end is dropped", IN "owner< end 16\n"
	    "stream< b OK|* BYE|\n< b OK\nclosed\n" },
	{ "an end that is long past", IN "owner< end 1\nclosed\n" },
	{ "an end that never comes", IN "owner< end 1000\nowner< stream\n"
	    "closed\nlog> why=logout\n" },
	{ "two ends", IN "owner< end 16\nowner< end 0\n< -\nstream< b OK|\n"
	    "< b OK\nclosed\n" },

	{ "the client closes", IN "close\n"
	    "owner> input end 0 closed by the client\nowner< end\n"
	    "owner> gone\nlog> in=0 out=10 why=logout\n" },
	{ "the client closes behind a command", IN "> b NOOP\nclose\n"
	    "owner> input end 8 *\nstream> b NOOP|\nstream< b OK|\n"
	    "owner< end\nowner> gone\n" },
	{ "the client says only that it sends no more", IN "> b NOOP\nshut\n"
	    "owner> input end 8 closed by the client\nstream> b NOOP|\n"
	    "stream< b OK|\n< b OK\nowner< end\nclosed\nowner> gone\n" },
	{ "nobody ends it", IN "shut\nowner> input end 0 *\n+ 60000\n< -\n"
	    "closed\nowner> gone\n"
	    "log> why=\"owner did not end it\"\n" },
	{ "slow answers are waited for", IN "shut\n+ 59000\n"
	    "stream< b OK|\n< b OK\n+ 59000\nstream< c OK|\n< c OK\n"
	    "owner< end\nclosed\n" },

	{ "silent", IN "+ 1799999\n< -\n+ 1\n"
	    "< * BYE Too much time without a command.\n"
	    "owner> input end 0 idle for too long\nowner< end\nclosed\n"
	    "owner> gone\n" },
	{ "silent in the middle of an answer", IN "stream< * 1 FET\n"
	    "< * 1 FET\n+ 1800000\n< * 1 FET\n" },
	{ "any byte counts", IN "+ 1700000\n>> x\n+ 1700000\n< -\n>> |\n"
	    "+ 1799999\n< -\n+ 1\n< * BYE *\n" },
	{ "what the owner says does not count", IN "+ 1700000\n"
	    "stream< * 1 EXISTS|\n< * 1 EXISTS\n+ 100000\n< * BYE *\n" },
	{ "other times", "reload imap_timeout 1h\n" IN "+ 3599999\n< -\n"
	    "+ 1\n< * BYE *\n" },
	{ "logged in, the login's time is over", IN "+ 200000\n> b NOOP\n"
	    "stream> b NOOP|\n" },

	{ "the owner dies", IN "owner< stream\nowner< link\n"
	    "< * BYE [UNAVAILABLE] The mailbox is not available any more, "
	    "log in again.\nclosed\nlog> why=\"owner lost\"\n" },
	{ "the owner dies, link first", IN "owner< link\n< -\n"
	    "stream< b OK|\n< b OK\nowner< stream\n< * BYE *\nclosed\n" },
	{ "the owner dies in a line", IN "stream< * 1 FETCH (BO\n"
	    "< * 1 FETCH (BO\nowner< stream\nowner< link\n"
	    "< * 1 FETCH (BO\n" },
	{ "the owner dies before its greeting", AUTH OPENED
	    "broker< session\nowner< link\nowner< stream\n"
	    "< * BYE [UNAVAILABLE] *\nclosed\n" },
	{ "the owner loses its stream", IN "owner< stream\n< -\n+ 5000\n"
	    "< * BYE [UNAVAILABLE] *\nclosed\nowner> gone\n" },
	{ "the owner loses its link", IN "owner< link\n< -\n+ 5000\n"
	    "< * BYE [UNAVAILABLE] *\nclosed\n" },
	{ "compression was not offered", IN "owner< compress\n"
	    "< * BYE [UNAVAILABLE] *\nclosed\nowner> gone\n" },
	{ "the client sends to a dead owner", IN "owner< stream\n> b NOOP\n"
	    "> c NOOP\n+ 5000\n< * BYE *\nclosed\n" },

	{ "stopping", IN "stop\nowner> input end 0 stopping\n"
	    "stream< b OK|\nowner< end\n< b OK\n"
	    "< * BYE [UNAVAILABLE] The server is going down, come back in a "
	    "moment.\nclosed\nstopped\n" },
	{ "stopping, commands come", IN "stop\n> b NOOP\nstream> -\n"
	    "owner< end\n< * BYE *\nclosed\nstopped\n" },
	{ "stopping, the owner is silent", IN "stop\n+ 29999\n< -\n+ 1\n"
	    "closed\nstopped\nlog> why=stopping\n" },

	{ "the broker is late", AUTH OPENED
	    "broker< later the mailbox takes too long to open\n"
	    "< a NO [UNAVAILABLE] the mailbox takes too long to open\n"
	    "log> why=mailbox_later\n> b NOOP\n< b OK *\n" },
	{ "the broker refuses", AUTH OPENED
	    "broker< failed not a valid ticket\n"
	    "< a NO [CONTACTADMIN] not a valid ticket\n> b LOGIN x y\n"
	    "auth> *\n" },
	{ "the broker has no words", AUTH OPENED "broker< later \n"
	    "< a NO [UNAVAILABLE] The mailbox cannot be opened just now.\n" },
	{ "the broker's words are cleaned", AUTH OPENED
	    "broker< failed a\x01" "b\x7f\n< a NO [CONTACTADMIN] a b*\n" },
	{ "no broker", "broker lost\n" AUTH "< a NO [UNAVAILABLE] The mailbox "
	    "cannot be opened just now.\nbroker up\n> b LOGIN ann sesame\n"
	    "auth< ok\nbroker> open 0123456789abcdef imap b\n" },
	{ "the broker dies", AUTH OPENED "broker lost\n"
	    "< a NO [UNAVAILABLE] *\n" },
	{ "the broker sleeps", AUTH OPENED "+ 60000\n"
	    "< a NO [UNAVAILABLE] *\nbroker< session\n< -\nowner> gone\n" },
	{ "a link without a stream", AUTH OPENED "broker< link\n"
	    "< a NO [UNAVAILABLE] *\nowner> gone\n" },
	{ "gone while the broker works", AUTH OPENED "close\n"
	    "broker< session\n" },
	{ "too slow while the broker works", "reload login_timeout 20s\n" AUTH
	    OPENED "+ 20000\n< * BYE Too much time without a login.\nclosed\n"
	    "broker< session\nowner> gone\n" },
	{ "no ticket", "< * OK *\n> a LOGIN ann sesame\n"
	    "auth< unticketed \n< a NO [UNAVAILABLE] *\nbroker> -\n"
	    "log> event=bad_ticket\n" },
	{ "a short ticket", "< * OK *\n> a LOGIN ann sesame\n"
	    "auth< unticketed 0123456789abcde\n< a NO [UNAVAILABLE] *\n"
	    "broker> -\n" },
	{ "a long ticket", "< * OK *\n> a LOGIN ann sesame\n"
	    "auth< unticketed 0123456789abcdef0\n< a NO [UNAVAILABLE] *\n"
	    "broker> -\n" },
	{ "stopping while the broker works", AUTH OPENED "stop\n< * BYE *\n"
	    "closed\nstopped\nbroker< session\nowner> gone\n" },
};

#define POP3_IN \
	"< +OK *\n> USER ann\n< +OK *\n> PASS sesame\nauth< ok\n" \
	"broker> open 0123456789abcdef pop3\nbroker< session\n" \
	"stream< +OK 1 message|\n< +OK 1 message\n"

static const struct access_case pop3_cases[] = {
	{ "to and fro", POP3_IN "> STAT\nstream> STAT|\nstream< +OK 1 9|\n"
	    "< +OK 1 9\n> QUIT\nstream> QUIT|\nstream< +OK|\nowner< end\n"
	    "< +OK\nclosed\nowner> gone\n" },
	{ "silent", POP3_IN "+ 599999\n> NOOP\n+ 599999\n< -\n+ 1\n< -\n"
	    "owner> input end 6 idle for too long\nowner< end\nclosed\n" },
	{ "the owner dies", POP3_IN "owner< stream\nowner< link\n"
	    "< -ERR [SYS/TEMP] The mailbox is not available any more, log in "
	    "again.\nclosed\n" },
	{ "the owner dies before its greeting",
	    "< +OK *\n> USER ann\n< +OK *\n> PASS sesame\nauth< ok\n"
	    "broker< session\nowner< stream\nowner< link\n"
	    "< -ERR [SYS/TEMP] *\nclosed\n" },
	{ "stopping", POP3_IN "stop\nowner> input end 0 stopping\n"
	    "owner< end\n< -\nclosed\nstopped\n" },
};

START_TEST(stories_imap)
{
	world_run("imap+", &imap_cases[_i]);
}
END_TEST

START_TEST(stories_pop3)
{
	world_run("pop3+", &pop3_cases[_i]);
}
END_TEST

/* ---- who reads slowly is waited for ---- */

enum { PIECE = 10000, PIECES = 500, HELD = 1 << 20 };

static void
tell(const char *story)
{
	struct slice rest = slice_str(story), line;

	while (slice_split(&rest, '\n', &line) && line.n > 0)
		world_line(line);
}

static void
make_piece(char piece[PIECE], int i)
{
	memset(piece, 'a' + i % 26, PIECE);
}

/* Sends as much as goes, of the stream of pieces from *at on. */
static void
send_pieces(int fd, size_t *at)
{
	char piece[PIECE];
	ssize_t n = 1;

	while (n > 0 && *at < (size_t)PIECE * PIECES) {
		make_piece(piece, (int)(*at / PIECE));
		n = send(fd, piece + *at % PIECE, PIECE - *at % PIECE,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			*at += (size_t)n;
	}
}

static void
check_pieces(const char *p, size_t n, size_t from)
{
	size_t i;

	for (i = 0; i < n; i++)
		ck_assert_int_eq(p[i], 'a' + (int)((from + i) / PIECE) % 26);
}

START_TEST(slow_owner)
{
	size_t sent = 0, held;
	int i;

	world_begin("imap+");
	world_come();
	tell(IN);
	peers_set_reading(false);
	for (i = 0; i < 200; i++) {
		send_pieces(world_client(), &sent);
		world_settle();
	}
	/* All in between together: kernel's buffers and ours. */
	held = sent;
	ck_assert_uint_lt(held, HELD);
	ck_assert_uint_gt(held, 65536);
	send_pieces(world_client(), &sent);
	ck_assert_uint_eq(sent, held);
	peers_set_reading(true);
	while (sent < (size_t)PIECE * PIECES) {
		world_settle();
		send_pieces(world_client(), &sent);
	}
	world_settle();
	ck_assert_uint_eq(peers_stream()->n, sent);
	check_pieces(peers_stream()->p, sent, 0);
	world_end();
}
END_TEST

START_TEST(slow_client)
{
	size_t sent = 0, held, got = 0;
	char bytes[65536];
	ssize_t n;
	int i;

	world_begin("imap+");
	world_come();
	tell(IN);
	for (i = 0; i < 200; i++) {
		send_pieces(peers_socket(), &sent);
		world_settle();
	}
	held = sent;
	ck_assert_uint_lt(held, HELD);
	ck_assert_uint_gt(held, 65536);
	while (got < (size_t)PIECE * PIECES) {
		n = recv(world_client(), bytes, sizeof bytes, MSG_DONTWAIT);
		if (n > 0) {
			check_pieces(bytes, (size_t)n, got);
			got += (size_t)n;
		} else {
			ck_assert_int_eq(errno, EAGAIN);
		}
		send_pieces(peers_socket(), &sent);
		world_settle();
	}
	ck_assert_uint_eq(got, sent);
	world_end();
}
END_TEST

#define COUNT(a) (sizeof(a) / sizeof *(a))
UNIT_SUITE(access_session, {
	tcase_add_loop_test(tc, stories_imap, 0, COUNT(imap_cases));
	tcase_add_loop_test(tc, stories_pop3, 0, COUNT(pop3_cases));
	tcase_add_test(tc, slow_owner);
	tcase_add_test(tc, slow_client);
})
