/* SPDX-License-Identifier: ISC */
/* IMAP clients before their login. The stories' language is in world.h. */
#include "tests/unit/access/world.h"
#include "tests/unit/unit.h"

#define CAPS "CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE"
#define PLAIN_AUTH " AUTH=PLAIN AUTH=LOGIN AUTH=SCRAM-SHA-256"
#define HELLO "< * OK [" CAPS " STARTTLS" PLAIN_AUTH "] Veredus is ready.\n"
#define HELLO_TLS \
	"tls\n< * OK [" CAPS PLAIN_AUTH " AUTH=SCRAM-SHA-256-PLUS] " \
	"Veredus is ready.\n"
#define HELLO_BARE \
	"< * OK [" CAPS " STARTTLS LOGINDISABLED] Veredus is ready.\n"
#define WRONG "NO [AUTHENTICATIONFAILED] Authentication failed.\n"
#define LATER \
	"NO [UNAVAILABLE] Login is not possible just now, try again later.\n"
#define PRIVACY "NO [PRIVACYREQUIRED] Logging in needs TLS.\n"
/* "\0ann\0sesame" */
#define ANN "AGFubgBzZXNhbWU="
#define ANN_TOLD "start PLAIN imap %00ann%00sesame\n"
#define IN \
	"auth< ok\nbroker> open 0123456789abcdef imap a\nbroker< session\n"

/* Passwords are allowed without TLS. */
static const struct access_case plain_cases[] = {
	{ "capabilities", HELLO "> a CAPABILITY\n< * " CAPS " STARTTLS"
	    PLAIN_AUTH "\n< a OK These are the capabilities.\n< -\nclose\n" },
	{ "capabilities without a certificate", "nocert\n< * OK [" CAPS
	    PLAIN_AUTH "] Veredus is ready.\n" },
	{ "nothing", HELLO "> a NOOP\n< a OK Done.\n" },
	{ "case does not count", HELLO "> a noOP\n< a OK Done.\n" },
	{ "several at once", HELLO ">> a NOOP|b NOOP|c NO\n< a OK Done.\n"
	    "< b OK Done.\n< -\n>> OP|\n< c OK Done.\n" },
	{ "id", HELLO "> a ID (\"name\" \"Test%22 (1)\" \"version\" NIL)\n"
	    "< a BAD *\n> b ID (\"name\" \"Test\" \"version\" NIL)\n"
	    "< * ID (\"name\" \"Veredus\")\n< b OK Nice to meet you.\n"
	    "log> event=client_id session=\n"
	    "log> id=\"name=Test; version=\"\n" },
	{ "no id", HELLO "> a ID NIL\n< * ID (\"name\" \"Veredus\")\n"
	    "< a OK *\n" },
	{ "logout", HELLO "> a LOGOUT\n< * BYE Logging out.\n"
	    "< a OK Logged out.\nclosed\n" },
	{ "nothing after a logout", HELLO ">> a LOGOUT|b NOOP|\n< * BYE *\n"
	    "< a OK *\nclosed\n" },
	{ "unknown", HELLO "> a FROB\n< a BAD Unknown command.\n" },
	{ "too early", HELLO "> a SELECT INBOX\n"
	    "< a BAD This command cannot be used now.\n" },
	{ "idle too early", HELLO "> a IDLE\n< a BAD *\n" },
	{ "append too early", HELLO "> a APPEND INBOX {5}\n"
	    "< a BAD [LIMIT] The literal is too big.\n> b NOOP\n"
	    "< b OK *\n" },
	{ "append of nothing too early", HELLO "> a APPEND INBOX {0}\n"
	    "< a BAD This command cannot be used now.\n> b NOOP\n"
	    "< b OK *\n" },
	{ "append without asking", HELLO ">> a APPEND INBOX {6+}|b NOOP|"
	    "c NOOP|\n< a BAD [LIMIT] *\n< c OK Done.\n< -\n" },
	{ "no tag", HELLO ">  NOOP\n< * BAD *\n" },
	{ "an empty line", HELLO "> \n< * BAD *\n" },
	{ "bad tag", HELLO "> a+ NOOP\n< * BAD *\n" },
	{ "arguments too many", HELLO "> a NOOP now\n< a BAD *\n" },
	{ "arguments too few", HELLO "> a LOGIN ann\n< a BAD *\n" },
	{ "login without arguments", HELLO "> a LOGIN\n< a BAD *\n" },
	{ "bare LF", HELLO ">> a NOOP%0A\n< a BAD Lines end in CR and LF*\n"
	    "> b NOOP\n< b OK *\n" },
	{ "bare CR", HELLO ">> a NO%0DOP|\n< a BAD *\n> b NOOP\n< b OK *\n" },
	{ "nul", HELLO "> a LOGIN a%00n sesame\n< a BAD *\n" },
	{ "web client", HELLO ">> GET / HTTP/1.1|Host: a||\n< GET BAD *\n"
	    "< Host: BAD *\n< * BAD *\n" },
	{ "errors without end", HELLO
	    ">> a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|b NOOP|\n"
	    "< a BAD *\n< a BAD *\n< a BAD *\n< a BAD *\n< a BAD *\n"
	    "< a BAD *\n< a BAD *\n< a BAD *\n< a BAD *\n< a BAD *\n"
	    "< a BAD *\n< a BAD *\n< a BAD *\n< a BAD *\n< a BAD *\n"
	    "< a BAD *\n< a BAD *\n< a BAD *\n< a BAD *\n< a BAD *\n"
	    "< * BYE Too many commands were refused.\nclosed\n" },

	{ "login", HELLO "> a LOGIN ann sesame\nauth> " ANN_TOLD IN
	    "< -\nstream< a OK Logged in.|\n< a OK Logged in.\n"
	    "log> event=login session=\n"
	    "log> service=imap client=unix user=ann@a.example tls=no "
	    "mech=PLAIN\n" },
	{ "login quoted", HELLO "> a LOGIN \"ann\" \"ses\\\\ \\\"\"\n"
	    "auth> start PLAIN imap %00ann%00ses\\%20\"\nauth< later\n"
	    "< a " LATER },
	{ "login with literals", HELLO "> a LOGIN {3}\n< + Go on.\n"
	    "> ann {6}\n< + Go on.\n> sesame\nauth> " ANN_TOLD IN },
	{ "login with literals unasked", HELLO
	    ">> a LOGIN {3+}|ann {6+}|sesame|\nauth> " ANN_TOLD IN },
	{ "an empty password", HELLO "> a LOGIN ann \"\"\nauth> -\n"
	    "< a " WRONG },
	{ "an empty name", HELLO "> a LOGIN \"\" sesame\nauth> -\n< a " WRONG },
	{ "a literal too big", HELLO "> a LOGIN {1025}\n"
	    "< a BAD [LIMIT] The literal is too big.\n> b NOOP\n"
	    "< b OK *\n" },
	{ "a literal far too big", HELLO "> a LOGIN {99999999999999999999}\n"
	    "< a BAD [LIMIT] The literal is too big.\n> b NOOP\n"
	    "< b OK *\n" },
	{ "a literal too big unasked", HELLO "> a LOGIN {4097+}\n"
	    "< * BYE This is too long or not well formed.\nclosed\n" },
	{ "a literal that never comes", HELLO "> a LOGIN {10}\n< + Go on.\n"
	    ">> ann\n+ 180000\n< * BYE Too much time without a login.\n"
	    "closed\n" },
	{ "a name too long for anybody", HELLO "> a LOGIN {321}\n< + Go on.\n"
	    ">> 0123456789012345678901234567890123456789012345678901234567890"
	    "1234567890123456789012345678901234567890123456789012345678901234"
	    "5678901234567890123456789012345678901234567890123456789012345678"
	    "9012345678901234567890123456789012345678901234567890123456789012"
	    "34567890123456789012345678901234567890123456789012345678901234567"
	    "890 sesame|\nauth> -\n< a " WRONG },
	{ "wrong password", HELLO "> a LOGIN ann sesame\nauth> " ANN_TOLD
	    "auth< failed\n< a " WRONG
	    "log> event=login_failed session=\n"
	    "log> user=ann tls=no mech=PLAIN why=wrong\n> b NOOP\n"
	    "< b OK *\n" },
	{ "wrong too often", "reload login_failures 2\n" HELLO
	    ">> a LOGIN ann sesame|b LOGIN ann sesame|c NOOP|\n"
	    "auth> " ANN_TOLD "auth< failed\n< a " WRONG "auth> " ANN_TOLD
	    "auth< failed\n< b " WRONG "< * BYE Too many failed logins.\n"
	    "closed\nauth> -\n" },
	{ "slow down", HELLO "> a LOGIN ann sesame\nauth< slow\n"
	    "< a NO [LIMIT] Too many failed logins, try again later.\n" },
	{ "switched off", HELLO "> a LOGIN ann sesame\nauth< disabled\n"
	    "< a NO [CONTACTADMIN] The account is switched off.\n" },
	{ "later", HELLO "> a LOGIN ann sesame\nauth< later\n< a " LATER },
	{ "auth talks nonsense", HELLO "> a LOGIN ann sesame\n"
	    "auth< nonsense\n< a " LATER },
	{ "no auth", "auth lost\n" HELLO "> a LOGIN ann sesame\n< a " LATER
	    "auth up\n> b LOGIN ann sesame\nauth> " ANN_TOLD },
	{ "auth dies", HELLO "> a LOGIN ann sesame\nauth lost\n< a " LATER },
	{ "auth sleeps", HELLO "> a LOGIN ann sesame\nauth> " ANN_TOLD
	    "+ 30000\n< a " LATER "auth> abort\nauth< ok\n< -\n" },
	{ "waiting is not reading", HELLO
	    ">> a LOGIN ann sesame|b NOOP|\n< -\nauth< failed\n< a " WRONG
	    "< b OK Done.\n" },
	{ "gone while auth thinks", HELLO "> a LOGIN ann sesame\nclose\n"
	    "auth> " ANN_TOLD "auth< failed\n" },
	{ "too slow while auth thinks", "reload login_timeout 20s\n" HELLO
	    "> a LOGIN ann sesame\nauth> " ANN_TOLD "+ 20000\n"
	    "< * BYE Too much time without a login.\nauth> abort\n"
	    "closed\nauth< ok\nbroker> -\n" },

	{ "authenticate with a response", HELLO
	    "> a AUTHENTICATE PLAIN " ANN "\nauth> " ANN_TOLD IN },
	{ "authenticate", HELLO "> a AUTHENTICATE PLAIN\n"
	    "auth> start PLAIN imap\nauth< challenge\n< + \n> " ANN "\n"
	    "auth> more %00ann%00sesame\n" IN
	    "log> user=ann@a.example tls=no mech=PLAIN\n" },
	{ "authenticate login", HELLO "> a AUTHENTICATE LOGIN\n"
	    "auth> start LOGIN imap\nauth< challenge Username:\n"
	    "< + VXNlcm5hbWU6\n> YW5u\nauth> more ann\n"
	    "auth< challenge Password:\n< + UGFzc3dvcmQ6\n> c2VzYW1l\n"
	    "auth> more sesame\n" IN },
	{ "an empty name, then a password", HELLO "> a AUTHENTICATE LOGIN\n"
	    "auth< challenge\n< + \n> \nauth< challenge\n< + \n> c2VzYW1l\n"
	    "auth< failed\n< a " WRONG
	    "log> user=\"\" tls=no mech=LOGIN why=wrong\n" },
	{ "an empty response", HELLO "> a AUTHENTICATE PLAIN =\n"
	    "auth> start PLAIN imap empty\nauth< malformed\n"
	    "< a BAD The authentication exchange is not well formed.\n" },
	{ "an impossible mechanism", HELLO "> a AUTHENTICATE GSSAPI\n"
	    "< a NO This mechanism is not offered.\n" },
	{ "binding without TLS", HELLO "> a AUTHENTICATE SCRAM-SHA-256-PLUS\n"
	    "< a NO This mechanism is not offered.\n" },
	{ "no mechanism", HELLO "> a AUTHENTICATE\n< a BAD *\n" },
	{ "cancelled", HELLO "> a AUTHENTICATE PLAIN\n"
	    "auth> start PLAIN imap\nauth< challenge\n< + \n> *\n"
	    "< a BAD Authentication cancelled.\nauth> abort\n> b NOOP\n"
	    "< b OK *\n" },
	{ "cancelled in one", HELLO "> a AUTHENTICATE PLAIN *\n"
	    "< a BAD *\nauth> -\n" },
	{ "not base 64", HELLO "> a AUTHENTICATE PLAIN\n"
	    "auth> start PLAIN imap\nauth< challenge\n< + \n> {%%}\n"
	    "< a BAD The authentication exchange is not well formed.\n"
	    "auth> abort\n" },
	{ "not base 64 in one", HELLO "> a AUTHENTICATE PLAIN AGFub===\n"
	    "< a BAD *\nauth> -\n" },
	{ "a bare LF in an exchange", HELLO "> a AUTHENTICATE PLAIN\n"
	    "auth> start PLAIN imap\nauth< challenge\n< + \n>> AG%0A\n"
	    "< * BYE This is too long or not well formed.\nclosed\n"
	    "auth> abort\n" },
	{ "gone in an exchange", HELLO "> a AUTHENTICATE PLAIN\n"
	    "auth> start PLAIN imap\nauth< challenge\nclose\n"
	    "auth> abort\n" },
	{ "auth dies in an exchange", HELLO "> a AUTHENTICATE PLAIN\n"
	    "auth< challenge\n< + \nauth lost\n> " ANN "\n< a " LATER },
	{ "commands behind an exchange", HELLO "> a AUTHENTICATE PLAIN\n"
	    "auth< challenge\n< + \n>> " ANN "|b NOOP|\nauth> *\n"
	    "auth< failed\n< a " WRONG "< b OK Done.\n" },
	{ "scram", HELLO "> a AUTHENTICATE SCRAM-SHA-256 "
	    "biwsbj1hbm4scj1yT3ByTkdmd0ViZVJXZ2JORWtxTw==\n"
	    "auth> start SCRAM-SHA-256 imap "
	    "n,,n=ann,r=rOprNGfwEbeRWgbNEkqO\n"
	    "auth< challenge r=1,s=2\n< + cj0xLHM9Mg==\n> Yz1iaXdz\n"
	    "auth> more c=biws\nauth< challenge v=3\n< + dj0z\n> \n"
	    "auth> more \n" IN },
	{ "scram failed", HELLO "> a AUTHENTICATE SCRAM-SHA-256 "
	    "biwsbj1hbm4scj1yT3ByTkdmd0ViZVJXZ2JORWtxTw==\nauth< failed\n"
	    "< a " WRONG "log> user=ann tls=no mech=SCRAM-SHA-256\n" },
	{ "success with data", HELLO "> a AUTHENTICATE SCRAM-SHA-256\n"
	    "auth< ok v=3\nbroker> -\n< + dj0z\n> \n"
	    "auth> start SCRAM-SHA-256 imap\n"
	    "broker> open 0123456789abcdef imap a\nbroker< session\n" },
	{ "success with data, not accepted", HELLO
	    "> a AUTHENTICATE SCRAM-SHA-256\nauth< ok v=3\n< + dj0z\n> *\n"
	    "< a BAD Authentication cancelled.\nbroker> -\n" },
	{ "success with data, answered", HELLO
	    "> a AUTHENTICATE SCRAM-SHA-256\nauth< ok v=3\n< + dj0z\n"
	    "> dj0z\n< a BAD *\nbroker> -\n" },

	{ "too many connections", "state up\n< -\nstate> open 200\n"
	    "state< no\n< * BYE [LIMIT] Too many connections from your "
	    "address.\nclosed\nstate> -\n" },
	{ "counted", "state up\n> a NOOP\nstate> open 200\nstate< yes\n"
	    HELLO "< a OK *\nclose\nstate> close\n" },
	{ "not counted", "state up\nstate> open 200\n+ 2000\n" HELLO },
	{ "gone before it was counted", "state up\nstate> open 200\nclose\n"
	    "state< yes\nstate> close\n" },
	{ "silent", HELLO "+ 179999\n< -\n+ 1\n"
	    "< * BYE Too much time without a login.\nclosed\n" },
	{ "silent but for noops", HELLO "+ 170000\n> a NOOP\n< a OK *\n"
	    "+ 10000\n< * BYE *\nclosed\n" },
	{ "stopping", HELLO "stop\n< * BYE [UNAVAILABLE] The server is going "
	    "down, come back in a moment.\nclosed\nstopped\n" },
	{ "stopping while auth thinks", HELLO "> a LOGIN ann sesame\n"
	    "auth> " ANN_TOLD "stop\n< * BYE *\nauth> abort\nclosed\n"
	    "stopped\n" },
};

/* As it is meant to be. */
static const struct access_case bare_cases[] = {
	{ "greeting", HELLO_BARE },
	{ "login in the clear", HELLO_BARE "> a LOGIN ann sesame\n< a " PRIVACY
	    "auth> -\n" },
	{ "login in the clear with a literal", HELLO_BARE "> a LOGIN {3}\n"
	    "< a " PRIVACY "> b NOOP\n< b OK *\n" },
	{ "the second literal", HELLO_BARE ">> a LOGIN ann {6}|b NOOP|\n"
	    "< a " PRIVACY "< b OK *\n" },
	{ "unasked literals", HELLO_BARE
	    ">> a LOGIN {3+}|ann {6+}|sesame|b NOOP|\n< a " PRIVACY
	    "< b OK *\n" },
	{ "authenticate in the clear", HELLO_BARE
	    "> a AUTHENTICATE PLAIN " ANN "\n< a " PRIVACY "auth> -\n" },
	{ "scram in the clear", HELLO_BARE "> a AUTHENTICATE SCRAM-SHA-256\n"
	    "< a " PRIVACY "auth> -\n" },
	{ "starttls", HELLO_BARE "> a STARTTLS\n< a OK Begin TLS.\ntls\n< -\n"
	    "> b CAPABILITY\n< * " CAPS PLAIN_AUTH
	    " AUTH=SCRAM-SHA-256-PLUS\n< b OK *\n> c LOGIN ann sesame\n"
	    "auth> start PLAIN imap tls bound %00ann%00sesame\nauth< ok\n"
	    "broker> open 0123456789abcdef imap c tls\nbroker< session\n"
	    "log> tls=TLSv1.3 mech=PLAIN\n" },
	{ "starttls twice", HELLO_BARE "> a STARTTLS\n< a OK Begin TLS.\ntls\n"
	    "> b STARTTLS\n< b BAD TLS is active already.\n" },
	{ "commands smuggled behind starttls", HELLO_BARE
	    ">> a STARTTLS|b NOOP|c LOGIN ann sesame|\n< a OK Begin TLS.\n"
	    "tls\n< -\n> d NOOP\n< d OK Done.\nauth> -\n" },
	{ "half a command smuggled", HELLO_BARE
	    ">> a STARTTLS|b LOGIN ann \n< a OK Begin TLS.\ntls\n"
	    "> c NOOP\n< c OK Done.\n< -\n" },
	{ "a literal smuggled", HELLO_BARE ">> a STARTTLS|b LOGIN {3}|\n"
	    "< a OK Begin TLS.\ntls\n> c NOOP\n< c OK Done.\n< -\n" },
	{ "starttls with arguments", HELLO_BARE "> a STARTTLS now\n"
	    "< a BAD *\n" },
	{ "starttls without a certificate", "nocert\n< * OK [" CAPS
	    " LOGINDISABLED] Veredus is ready.\n> a STARTTLS\n"
	    "< a NO [UNAVAILABLE] TLS is not available just now.\n" },
	{ "no handshake", HELLO_BARE "> a STARTTLS\n< a OK Begin TLS.\n"
	    "> b NOOP\n< -\nclosed\nlog> event=tls_failed session=\n" },
	{ "a handshake that never ends", HELLO_BARE "> a STARTTLS\n"
	    "< a OK Begin TLS.\n+ 180000\n< -\nclosed\n" },
	{ "certificates lost before starttls", HELLO_BARE "nocert\n"
	    "> a STARTTLS\n< a NO [UNAVAILABLE] *\n" },
};

static const struct access_case tls_cases[] = {
	{ "greeting", "< -\n" HELLO_TLS },
	{ "no binding", "nobind\ntls\n< * OK [" CAPS PLAIN_AUTH
	    "] Veredus is ready.\n> a AUTHENTICATE SCRAM-SHA-256-PLUS\n"
	    "< a NO *\n" },
	{ "a handshake while it is counted", "state up\ntls\n"
	    "state> open 200\nstate< yes\n< * OK *\n> a NOOP\n"
	    "< a OK *\n" },
	{ "binding", HELLO_TLS "> a AUTHENTICATE SCRAM-SHA-256-PLUS eA==\n"
	    "auth> start SCRAM-SHA-256-PLUS imap tls bound x\n"
	    "auth< challenge y\n< + eQ==\n" },
	{ "starttls under tls", HELLO_TLS "> a STARTTLS\n< a BAD *\n" },
	{ "plain text", "> a NOOP\n< -\nclosed\nlog> event=tls_failed\n" },
	{ "no certificate", "nocert\n< -\nclosed\n"
	    "log> why=\"no certificate\"\n" },
	{ "too many connections", "state up\nstate> open 200\nstate< no\n"
	    "< -\nclosed\n" },
	{ "silent", "+ 180000\n< -\nclosed\n" },
	{ "stopping in a handshake", "< -\nstop\n< -\nclosed\nstopped\n" },
};

START_TEST(stories_plain)
{
	world_run("imap+", &plain_cases[_i]);
}
END_TEST

START_TEST(stories_bare)
{
	world_run("imap", &bare_cases[_i]);
}
END_TEST

START_TEST(stories_tls)
{
	world_run("imaps", &tls_cases[_i]);
}
END_TEST

#define COUNT(a) (sizeof(a) / sizeof *(a))
UNIT_SUITE(access_imap, {
	tcase_add_loop_test(tc, stories_plain, 0, COUNT(plain_cases));
	tcase_add_loop_test(tc, stories_bare, 0, COUNT(bare_cases));
	tcase_add_loop_test(tc, stories_tls, 0, COUNT(tls_cases));
})
