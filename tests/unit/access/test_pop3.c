/* SPDX-License-Identifier: ISC */
/* POP3 clients before their login. The stories' language is in world.h. */
#include "tests/unit/access/world.h"
#include "tests/unit/unit.h"

#define HELLO "< +OK Veredus is ready.\n"
#define CAPA \
	"> CAPA\n< +OK *\n< TOP\n< UIDL\n< PIPELINING\n< RESP-CODES\n" \
	"< AUTH-RESP-CODE\n< EXPIRE NEVER\n< IMPLEMENTATION Veredus\n"
#define PLAIN_SASL "< USER\n< SASL PLAIN LOGIN SCRAM-SHA-256\n< .\n"
#define WRONG "< -ERR [AUTH] Authentication failed.\n"
#define LATER \
	"< -ERR [SYS/TEMP] Login is not possible just now, try again later.\n"
#define PRIVACY "< -ERR [AUTH] Logging in needs TLS.\n"
#define ANN "AGFubgBzZXNhbWU="
#define ANN_TOLD "auth> start PLAIN pop3 %00ann%00sesame\n"
#define USER "> USER ann\n< +OK Now the password.\n"
#define IN \
	"auth< ok\nbroker> open 0123456789abcdef pop3\nbroker< session\n"

static const struct access_case plain_cases[] = {
	{ "capabilities", HELLO CAPA "< STLS\n" PLAIN_SASL "< -\n" },
	{ "capabilities without a certificate",
	    "nocert\n" HELLO CAPA PLAIN_SASL },
	{ "login", HELLO USER "> PASS sesame\n" ANN_TOLD IN
	    "< -\nstream< +OK 3 messages|\n< +OK 3 messages\n"
	    "log> service=pop3 client=unix user=ann@a.example tls=no "
	    "mech=PLAIN\n" },
	{ "spaces in a password", HELLO USER "> PASS a  b \n"
	    "auth> start PLAIN pop3 %00ann%00a%20%20b%20\n" },
	{ "all at once", HELLO ">> USER ann|PASS sesame|STAT|\n"
	    "< +OK Now the password.\n" ANN_TOLD IN "stream> STAT|\n" },
	{ "wrong", HELLO USER "> PASS sesame\n" ANN_TOLD "auth< failed\n"
	    WRONG "> PASS sesame\n< -ERR This command cannot be used now.\n" },
	{ "wrong too often", "reload login_failures 1\n" HELLO USER
	    "> PASS sesame\nauth< failed\n" WRONG
	    "< -ERR [AUTH] Too many failed logins.\nclosed\n" },
	{ "later", HELLO USER "> PASS sesame\nauth< later\n" LATER },
	{ "no auth", "auth lost\n" HELLO USER "> PASS sesame\n" LATER },
	{ "slow down", HELLO USER "> PASS sesame\nauth< slow\n"
	    "< -ERR [SYS/TEMP] Too many failed logins, try again later.\n" },
	{ "switched off", HELLO USER "> PASS sesame\nauth< disabled\n"
	    "< -ERR [SYS/PERM] The account is switched off.\n" },
	{ "pass alone", HELLO "> PASS sesame\n< -ERR This command cannot be "
	    "used now.\n" },
	{ "user alone", HELLO "> USER\n< -ERR An argument is missing.\n" },
	{ "another user", HELLO "> USER bob\n< +OK *\n" USER "> PASS sesame\n"
	    ANN_TOLD },
	{ "auth forgets user", HELLO USER "> AUTH GSSAPI\n< -ERR *\n"
	    "> PASS sesame\n< -ERR This command cannot be used now.\n" },
	{ "auth in one", HELLO "> AUTH PLAIN " ANN "\n" ANN_TOLD IN },
	{ "auth", HELLO "> AUTH PLAIN\nauth> start PLAIN pop3\n"
	    "auth< challenge\n< + \n> " ANN "\nauth> more %00ann%00sesame\n"
	    IN },
	{ "auth cancelled", HELLO "> AUTH PLAIN\nauth> start PLAIN pop3\n"
	    "auth< challenge\n< + \n> *\n"
	    "< -ERR Authentication cancelled.\nauth> abort\n" },
	{ "auth not base 64", HELLO "> AUTH PLAIN\nauth< challenge\n< + \n"
	    "> !\n< -ERR The authentication exchange is not well formed.\n" },
	{ "auth not base 64 in one", HELLO "> AUTH PLAIN !\n< -ERR *\n"
	    "auth> -\n" },
	{ "auth malformed", HELLO "> AUTH PLAIN eA==\n"
	    "auth> start PLAIN pop3 x\nauth< malformed\n< -ERR *\n" },
	{ "auth with nothing", HELLO "> AUTH PLAIN =\n"
	    "auth> start PLAIN pop3 empty\n" },
	{ "unknown mechanism", HELLO "> AUTH CRAM-MD5\n"
	    "< -ERR This mechanism is not offered.\n" },
	{ "no mechanism", HELLO "> AUTH\n< -ERR An argument is missing.\n" },
	{ "quit", HELLO "> QUIT\n< +OK Bye.\nclosed\n" },
	{ "quit and more", HELLO ">> QUIT|CAPA|\n< +OK Bye.\nclosed\n" },
	{ "unknown", HELLO "> FROB\n< -ERR Unknown command.\n" },
	{ "too early", HELLO "> STAT\n< -ERR This command cannot be used "
	    "now.\n" },
	{ "not offered", HELLO "> UTF8\n< -ERR This is not offered.\n"
	    "> LANG\n< -ERR This is not offered.\n" },
	{ "bare LF", HELLO ">> CAPA%0A\n< -ERR [SYS/PERM] This is too long or "
	    "not well formed.\nclosed\n" },
	{ "errors without end", HELLO
	    ">> |||||||||||||||||||| CAPA|\n"
	    "< -ERR *\n< -ERR *\n< -ERR *\n< -ERR *\n< -ERR *\n"
	    "< -ERR *\n< -ERR *\n< -ERR *\n< -ERR *\n< -ERR *\n"
	    "< -ERR *\n< -ERR *\n< -ERR *\n< -ERR *\n< -ERR *\n"
	    "< -ERR *\n< -ERR *\n< -ERR *\n< -ERR *\n< -ERR *\n"
	    "< -ERR [SYS/PERM] Too many commands were refused.\nclosed\n" },
	{ "silent", HELLO "+ 180000\n< -ERR [SYS/TEMP] Too much time without "
	    "a login.\nclosed\n" },
	{ "mailbox later", HELLO USER "> PASS sesame\nauth< ok\n"
	    "broker< later the mailbox takes too long to open\n"
	    "< -ERR [SYS/TEMP] the mailbox takes too long to open\n" },
	{ "mailbox refused", HELLO USER "> PASS sesame\nauth< ok\n"
	    "broker< failed not a valid ticket\n"
	    "< -ERR [SYS/PERM] not a valid ticket\n" },
	{ "stopping", HELLO "stop\n< -ERR [SYS/TEMP] *\nclosed\nstopped\n" },
};

static const struct access_case bare_cases[] = {
	{ "capabilities", HELLO CAPA "< STLS\n< .\n" },
	{ "user in the clear", HELLO "> USER ann\n" PRIVACY "auth> -\n" },
	{ "auth in the clear", HELLO "> AUTH PLAIN " ANN "\n" PRIVACY
	    "auth> -\n" },
	{ "stls", HELLO "> STLS\n< +OK Begin TLS.\ntls\n< -\n" CAPA
	    "< USER\n< SASL PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS\n"
	    "< .\n" USER "> PASS sesame\n"
	    "auth> start PLAIN pop3 tls bound %00ann%00sesame\nauth< ok\n"
	    "broker> open 0123456789abcdef pop3 tls\n" },
	{ "commands smuggled behind stls", HELLO
	    ">> STLS|USER ann|PASS sesame|\n< +OK Begin TLS.\ntls\n< -\n"
	    "auth> -\n> PASS sesame\n< -ERR *\nauth> -\n" },
	{ "stls twice", HELLO "> STLS\n< +OK *\ntls\n> STLS\n"
	    "< -ERR TLS is active already.\n" },
	{ "stls without a certificate", "nocert\n" HELLO "> STLS\n"
	    "< -ERR [SYS/TEMP] TLS is not available just now.\n" },
};

static const struct access_case tls_cases[] = {
	{ "greeting", "< -\ntls\n" HELLO },
	{ "no certificate", "nocert\n< -\nclosed\n" },
};

START_TEST(stories_plain)
{
	world_run("pop3+", &plain_cases[_i]);
}
END_TEST

START_TEST(stories_bare)
{
	world_run("pop3", &bare_cases[_i]);
}
END_TEST

START_TEST(stories_tls)
{
	world_run("pop3s", &tls_cases[_i]);
}
END_TEST

#define COUNT(a) (sizeof(a) / sizeof *(a))
UNIT_SUITE(access_pop3, {
	tcase_add_loop_test(tc, stories_plain, 0, COUNT(plain_cases));
	tcase_add_loop_test(tc, stories_bare, 0, COUNT(bare_cases));
	tcase_add_loop_test(tc, stories_tls, 0, COUNT(tls_cases));
})
