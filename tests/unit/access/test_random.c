/* SPDX-License-Identifier: ISC */
/*
 * Clients, peers and time that do anything in any order: nothing may break, and
 * at the end nothing may be left. The seed is the number of the case.
 */
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/access/peers.h"
#include "tests/unit/access/world.h"
#include "tests/unit/unit.h"

enum { STEPS = 120, CASES = 300 };

static uint32_t seed;

static unsigned
any(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *const words[] = {
	"> a NOOP", "> a CAPABILITY", "> a LOGIN ann sesame", "> a STARTTLS",
	"> a LOGIN {3}", ">> ann {6+}|sesame|", "> ann {6}", "> sesame",
	"> a AUTHENTICATE PLAIN", "> AGFubgBzZXNhbWU=", "> *", "> ", ">> |",
	"> a AUTHENTICATE SCRAM-SHA-256 eA==", "> a ID NIL", "> a LOGOUT",
	"> USER ann", "> PASS sesame", "> AUTH PLAIN", "> STLS", "> CAPA",
	"> QUIT", ">> USER ann|PASS sesame|STAT|", ">> %00%ff", ">> %0a",
	"> a APPEND x {9}", ">> a LOGIN {9999+}|", "tls", "tls",
};

static const char *const auth_words[] = { "auth< ok", "auth< ok",
	"auth< ok data", "auth< challenge", "auth< challenge x",
	"auth< failed", "auth< later", "auth< slow", "auth< malformed",
	"auth< disabled", "auth< nonsense", "auth< unticketed x" };
static const char *const broker_words[] = { "broker< session",
	"broker< session", "broker< session", "broker< link",
	"broker< later so", "broker< failed so" };
static const char *const rare_words[] = { "close", "shut", "stop",
	"auth lost", "broker lost", "nocert", "nobind", "+ 5000", "+ 60000",
	"+ 2000000", "reload login_failures 1", "reload login_timeout 1s",
	"reload plaintext_auth no", "reload imap_timeout 45m" };
static const char *const owner_words[] = { "stream< x|", "stream< x",
	"owner< end", "owner< end 1", "owner< end 99", "owner< compress",
	"owner< stream", "owner< link" };

struct gone {
	bool client, auth, broker, stream, link;
};

static void
tell(const char *line)
{
	world_line(slice_str(line));
}

static void
rarely(struct gone *g)
{
	const char *line = rare_words[any(COUNT(rare_words))];

	g->client = g->client || strcmp(line, "close") == 0;
	g->auth = g->auth || strcmp(line, "auth lost") == 0;
	g->broker = g->broker || strcmp(line, "broker lost") == 0;
	tell(line);
}

static void
answer(struct gone *g)
{
	const char *line;

	if (!g->auth && strstr(peers_told(SLICE("auth")), " ") != NULL)
		tell(auth_words[any(COUNT(auth_words))]);
	if (!g->broker && !g->link && peers_socket() < 0 &&
	    peers_told(SLICE("broker"))[0] != '\0')
		tell(broker_words[any(COUNT(broker_words))]);
	if (peers_socket() < 0 || any(4) != 0)
		return;
	line = owner_words[any(COUNT(owner_words))];
	if (strncmp(line, "owner", 5) == 0 &&
	    (g->link || strstr(peers_told(SLICE("owner")), "gone") != NULL)) {
		g->link = true;
		return;
	}
	g->link = g->link || strcmp(line, "owner< link") == 0;
	tell(line);
}

START_TEST(anything)
{
	static const char *const services[] = { "imap+", "imap", "imaps",
		"pop3+", "pop3", "pop3s" };
	struct gone g = { 0 };
	int i;

	seed = (uint32_t)_i * 2654435761U;
	world_begin(services[any(COUNT(services))]);
	world_come();
	for (i = 0; i < STEPS && !g.client; i++) {
		if (any(12) == 0)
			rarely(&g);
		else if (any(2) == 0)
			tell(words[any(COUNT(words))]);
		answer(&g);
	}
	for (i = 0; i < STEPS; i++)
		answer(&g);
	world_end();
}
END_TEST

UNIT_SUITE(access_random, {
	tcase_add_loop_test(tc, anything, 0, CASES);
})
