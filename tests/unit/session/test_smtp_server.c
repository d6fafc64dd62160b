/* SPDX-License-Identifier: ISC */
/*
 * Dialogues: what a client sends, what it is told, and what the policy was
 * asked. Each is played with answers at once and in a later turn, with a sink
 * that is never and often full, and sent whole, line by line and octet by
 * octet: the outcome must always be the same.
 */
#include "session/smtp_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "tests/unit/session/fake_policy.h"
#include "tests/unit/unit.h"

enum {
	LMTP = 1,
	AUTH = 2,
	NEED_AUTH = 4,
	PLAIN_AUTH = 8,
	TLS = 16,
	SMALL = 32, /* messages of 40 octets, 2 recipients, 3 errors, 2 hops */
	FIRST_TLS = 64
};

/*
 * in:   `|` is CR LF; `~` lets the server answer first.
 * want: the codes in order, with the enhanced code of those above 399, `#`
 *       when the server closed, and behind `/` what the policy was asked.
 */
static const struct {
	const char *name;
	unsigned how;
	const char *in, *want;
} rows[] = {
	/* ---- greeting and order ---- */
	{ "EHLO", 0, "EHLO a|", "250 / " },
	{ "HELO", 0, "HELO a|", "250 / " },
	{ "helo in lower case", 0, "helo a|", "250 / " },
	{ "QUIT", 0, "QUIT|", "221 # / " },
	{ "QUIT with argument", 0, "QUIT now|", "501:5.5.4 / " },
	{ "nothing behind QUIT", 0, "QUIT|NOOP|", "221 # / " },
	{ "MAIL before HELO", 0, "MAIL FROM:<a@b.c>|", "503:5.5.1 / " },
	{ "RCPT before MAIL", 0, "EHLO a|RCPT TO:<a@b.c>|",
	    "250 503:5.5.1 / " },
	{ "DATA before MAIL", 0, "EHLO a|DATA|", "250 503:5.5.1 / " },
	{ "DATA before RCPT", 0, "EHLO a|MAIL FROM:<a@b.c>|DATA|",
	    "250 250 503:5.5.1 / M<a@b.c> X " },
	{ "DATA when all recipients were refused", 0,
	    "EHLO a|MAIL FROM:<a@b.c>|RCPT TO:<deny@b.c>|DATA|",
	    "250 250 550:5.1.1 503:5.5.1 / M<a@b.c> R<deny@b.c> X " },
	{ "MAIL twice", 0, "EHLO a|MAIL FROM:<a@b.c>|MAIL FROM:<b@b.c>|",
	    "250 250 503:5.5.1 / M<a@b.c> X " },
	{ "EHLO refused keeps the state", 0, "EHLO a|EHLO deny|MAIL FROM:<>|",
	    "250 550:5.1.1 250 / M<> X " },
	{ "EHLO refused keeps the transaction", 0,
	    "EHLO a|MAIL FROM:<a@b.c>|EHLO deny|RCPT TO:<x@b.c>|HELO defer|"
	    "DATA|1|.|", "250 250 550:5.1.1 250 451:4.3.0 354 250 / "
	    "M<a@b.c> R<x@b.c> D B\"1|\" X " },
	{ "EHLO refused between chunks", 0,
	    "EHLO a|MAIL FROM:<a@b.c>|RCPT TO:<x@b.c>|BDAT 3|1|EHLO deny|"
	    "BDAT 3 LAST|2|", "250 250 250 250 550:5.1.1 250 / "
	    "M<a@b.c> R<x@b.c> D B\"1|2|\" X " },
	{ "EHLO between chunks", 0,
	    "EHLO a|MAIL FROM:<a@b.c>|RCPT TO:<x@b.c>|BDAT 3|1|EHLO a|"
	    "MAIL FROM:<>|", "250 250 250 250 250 250 / "
	    "M<a@b.c> R<x@b.c> D X M<> X " },
	{ "EHLO refused first", 0, "EHLO deny|MAIL FROM:<>|",
	    "550:5.1.1 503:5.5.1 / " },
	{ "EHLO resets", 0, "EHLO a|MAIL FROM:<a@b.c>|EHLO a|RCPT TO:<x@b.c>|",
	    "250 250 250 503:5.5.1 / M<a@b.c> X " },
	{ "RSET resets", 0, "EHLO a|MAIL FROM:<a@b.c>|RSET|RCPT TO:<x@b.c>|",
	    "250 250 250 503:5.5.1 / M<a@b.c> X " },
	{ "RSET before HELO", 0, "RSET|MAIL FROM:<>|", "250 503:5.5.1 / " },
	{ "unknown command", 0, "WHAT|NOOP|", "500:5.5.2 250 / " },
	{ "web browser", 0, "GET / HTTP/1.1|NOOP|", "421:4.7.0 # / " },
	{ "verb with more letters", 0, "NOOPS|", "500:5.5.2 / " },
	{ "NOOP with text", 0, "NOOP hello|", "250 / " },
	{ "HELP", 0, "HELP|", "214 / " },
	{ "VRFY", 0, "VRFY joe|", "252 / " },
	{ "EXPN", 0, "EXPN list|", "252 / " },
	{ "VRFY without name", 0, "VRFY|", "501:5.5.4 / " },
	{ "EHLO without name", 0, "EHLO|", "501:5.5.4 / " },
	{ "LHLO in SMTP", 0, "LHLO a|", "500:5.5.1 / " },
	{ "421 closes", 0, "EHLO a|MAIL FROM:<drop@b.c>|NOOP|",
	    "250 421:4.7.0 # / M<drop@b.c> X " },
	/* ---- arguments ---- */
	{ "MAIL without FROM", 0, "EHLO a|MAIL TO:<a@b.c>|",
	    "250 501:5.5.4 / " },
	{ "MAIL without brackets", 0, "EHLO a|MAIL FROM:a@b.c|",
	    "250 501:5.1.7 / " },
	{ "unknown parameter", 0, "EHLO a|MAIL FROM:<a@b.c> X=1|",
	    "250 555:5.5.4 / " },
	{ "parameters behind HELO", 0, "HELO a|MAIL FROM:<a@b.c> SIZE=1|",
	    "250 555:5.5.4 / " },
	{ "SIZE too large", SMALL, "EHLO a|MAIL FROM:<a@b.c> SIZE=41|",
	    "250 552:5.3.4 / " },
	{ "SIZE fits", SMALL, "EHLO a|MAIL FROM:<a@b.c> SIZE=40|",
	    "250 250 / M<a@b.c> X " },
	{ "UTF-8 sender", 0, "EHLO a|MAIL FROM:<\xc3\xa4@b.c> SMTPUTF8|",
	    "250 250 / M<\xc3\xa4@b.c> X " },
	{ "UTF-8 sender unasked", 0, "EHLO a|MAIL FROM:<\xc3\xa4@b.c>|",
	    "250 550:5.6.7 / " },
	{ "UTF-8 recipient unasked", 0,
	    "EHLO a|MAIL FROM:<>|RCPT TO:<\xc3\xa4@b.c>|",
	    "250 250 553:5.6.7 / M<> X " },
	{ "DSN parameters", 0, "EHLO a|MAIL FROM:<a@b.c> RET=HDRS ENVID=x|"
	    "RCPT TO:<d@b.c> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;e@f.g|",
	    "250 250 250 / M<a@b.c> R<d@b.c> X " },
	{ "NOTIFY wrong", 0, "EHLO a|MAIL FROM:<>|"
	    "RCPT TO:<d@b.c> NOTIFY=NEVER,DELAY|",
	    "250 250 501:5.5.4 / M<> X " },
	{ "too many recipients", SMALL, "EHLO a|MAIL FROM:<>|RCPT TO:<a@b.c>|"
	    "RCPT TO:<b@b.c>|RCPT TO:<c@b.c>|",
	    "250 250 250 250 452:4.5.3 / M<> R<a@b.c> R<b@b.c> X " },
	{ "postmaster", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<Postmaster>|",
	    "250 250 250 / M<> R<Postmaster> X " },
	{ "too many errors", SMALL, "A|B|C|D|NOOP|",
	    "500:5.5.2 500:5.5.2 500:5.5.2 500:5.5.2 421:4.7.0 # / " },
	/* ---- lines ---- */
	{ "bare LF", 0, "NOOP\nNOOP|", "500:5.5.2 # / " },
	{ "bare CR", 0, "NO\rOP|NOOP|", "500:5.5.2 # / " },
	{ "empty line", 0, "|NOOP|", "500:5.5.2 250 / " },
	/* ---- DATA ---- */
	{ "one message", 0, "EHLO a|MAIL FROM:<a@b.c>|RCPT TO:<d@b.c>|DATA|"
	    "S: x||hi|.|", "250 250 250 354 250 / "
	    "M<a@b.c> R<d@b.c> D B\"S: x||hi|\" X " },
	{ "two messages, all at once", 0,
	    "EHLO a|MAIL FROM:<a@b.c>|RCPT TO:<d@b.c>|DATA|1|.|"
	    "MAIL FROM:<b@b.c>|RCPT TO:<d@b.c>|DATA|2|.|QUIT|",
	    "250 250 250 354 250 250 250 354 250 221 # / "
	    "M<a@b.c> R<d@b.c> D B\"1|\" X M<b@b.c> R<d@b.c> D B\"2|\" X " },
	{ "dots undone", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|DATA|"
	    "S: x||..|...x|y.|.|", "250 250 250 354 250 / "
	    "M<> R<d@b.c> D B\"S: x||.|..x|y.|\" X " },
	{ "empty message", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|DATA|.|",
	    "250 250 250 354 250 / M<> R<d@b.c> D B\"\" X " },
	{ "one of two recipients", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<deny@b.c>|"
	    "RCPT TO:<d@b.c>|RCPT TO:<defer@b.c>|DATA|1|.|",
	    "250 250 550:5.1.1 250 451:4.3.0 354 250 / "
	    "M<> R<deny@b.c> R<d@b.c> R<defer@b.c> D B\"1|\" X " },
	{ "MAIL refused", 0, "EHLO a|MAIL FROM:<deny@b.c>|RCPT TO:<d@b.c>|",
	    "250 550:5.1.1 503:5.5.1 / M<deny@b.c> X " },
	{ "DATA refused", 0, "EHLO a|MAIL FROM:<nodata@b.c>|RCPT TO:<d@b.c>|"
	    "DATA|MAIL FROM:<>|", "250 250 250 452:4.3.1 250 / "
	    "M<nodata@b.c> R<d@b.c> D X M<> X " },
	{ "refused while it comes", 0, "EHLO a|MAIL FROM:<spoil@b.c>|"
	    "RCPT TO:<d@b.c>|DATA|S: x||1|2|.|NOOP|",
	    "250 250 250 354 554:5.7.1 250 / M<spoil@b.c> R<d@b.c> D X " },
	{ "refused at the end", 0, "EHLO a|MAIL FROM:<nope@b.c>|"
	    "RCPT TO:<d@b.c>|DATA|1|.|NOOP|", "250 250 250 354 550:5.6.0 250 "
	    "/ M<nope@b.c> R<d@b.c> D B\"1|\" X " },
	{ "too large", SMALL, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|DATA|"
	    "1234567890123456789012345678901234567890|.|NOOP|",
	    "250 250 250 354 552:5.3.4 250 / M<> R<d@b.c> D X " },
	{ "hops", SMALL, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|DATA|"
	    "Received:|Received:|rEceived:||.|",
	    "250 250 250 354 554:5.4.6 / M<> R<d@b.c> D X " },
	{ "hops that are none", SMALL, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|"
	    "DATA|Received:|Received:||Received:|.|", "250 250 250 354 250 / "
	    "M<> R<d@b.c> D B\"Received:|Received:||Received:|\" X " },
	/* ---- smuggling ---- */
	{ "LF . LF", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|DATA|"
	    "1\n.\nMAIL FROM:<evil@b.c>|.|NOOP|",
	    "250 250 250 354 550:5.6.0 421:4.7.0 # / M<> R<d@b.c> D X " },
	{ "LF . CRLF", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|DATA|"
	    "1\n.|MAIL FROM:<evil@b.c>|.|NOOP|",
	    "250 250 250 354 550:5.6.0 421:4.7.0 # / M<> R<d@b.c> D X " },
	{ "CRLF . CR", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|DATA|"
	    "1|.\rMAIL FROM:<evil@b.c>|.|NOOP|",
	    "250 250 250 354 550:5.6.0 421:4.7.0 # / M<> R<d@b.c> D X " },
	{ "CR . CR", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|DATA|"
	    "1\r.\rMAIL FROM:<evil@b.c>|.|",
	    "250 250 250 354 550:5.6.0 421:4.7.0 # / M<> R<d@b.c> D X " },
	{ "CRLF . LF", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|DATA|"
	    "1|.\nMAIL FROM:<evil@b.c>|.|",
	    "250 250 250 354 550:5.6.0 421:4.7.0 # / M<> R<d@b.c> D X " },
	/* ---- BDAT ---- */
	{ "BDAT", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|BDAT 4 LAST|ab|",
	    "250 250 250 250 / M<> R<d@b.c> D B\"ab|\" X " },
	{ "BDAT in chunks", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|BDAT 2|ab"
	    "BDAT 3|c|BDAT 0 LAST|", "250 250 250 250 250 250 / "
	    "M<> R<d@b.c> D B\"abc|\" X " },
	{ "BDAT cut within CRLF", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|"
	    "BDAT 2|a\rBDAT 3 LAST|\nb\r", "250 250 250 250 550:5.6.0 "
	    "421:4.7.0 # / M<> R<d@b.c> D X " },
	{ "BDAT cut within CRLF, well", 0, "EHLO a|MAIL FROM:<>|"
	    "RCPT TO:<d@b.c>|BDAT 2|a\rBDAT 1|\nBDAT 3 LAST|b|",
	    "250 250 250 250 250 250 / M<> R<d@b.c> D B\"a|b|\" X " },
	{ "BDAT without last line end", 0, "EHLO a|MAIL FROM:<>|"
	    "RCPT TO:<d@b.c>|BDAT 2 LAST|ab", "250 250 250 250 / "
	    "M<> R<d@b.c> D B\"ab|\" X " },
	{ "dots in BDAT stay", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|"
	    "BDAT 8 LAST|..|.|x", "250 250 250 250 / "
	    "M<> R<d@b.c> D B\"..|.|x|\" X " },
	{ "BDAT without RCPT", 0, "EHLO a|MAIL FROM:<>|BDAT 6|RSET|NOOP|",
	    "250 250 503:5.5.1 250 / M<> X " },
	{ "BDAT without MAIL", 0, "EHLO a|BDAT 6|RSET|NOOP|",
	    "250 503:5.5.1 250 / " },
	{ "BDAT before EHLO", 0, "BDAT 6 LAST|QUIT|NOOP|",
	    "503:5.5.1 250 / " },
	{ "BDAT malformed", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|BDAT x|",
	    "250 250 250 521:5.5.4 # / M<> R<d@b.c> X " },
	{ "DATA behind BDAT", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|"
	    "BDAT 2|abDATA|", "250 250 250 250 503:5.5.1 / "
	    "M<> R<d@b.c> D X " },
	{ "RCPT behind BDAT", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|"
	    "BDAT 2|abRCPT TO:<e@b.c>|", "250 250 250 250 503:5.5.1 / "
	    "M<> R<d@b.c> D X " },
	{ "chunk refused, then the others are", SMALL, "EHLO a|MAIL FROM:<>|"
	    "RCPT TO:<d@b.c>|BDAT 41|"
	    "12345678901234567890123456789012345678901BDAT 2|ab"
	    "BDAT 4 LAST|RSETMAIL FROM:<>|",
	    "250 250 250 552:5.3.4 503:5.5.1 503:5.5.1 250 / "
	    "M<> R<d@b.c> D X M<> X " },
	{ "chunk refused, RSET", 0, "EHLO a|MAIL FROM:<spoil@b.c>|"
	    "RCPT TO:<d@b.c>|BDAT 7|A:b||MAIL FROM:<>|RSET|MAIL FROM:<>|",
	    "250 250 250 554:5.7.1 503:5.5.1 250 250 / "
	    "M<spoil@b.c> R<d@b.c> D X M<> X " },
	{ "BDAT refused by the policy", 0, "EHLO a|MAIL FROM:<nodata@b.c>|"
	    "RCPT TO:<d@b.c>|BDAT 6 LAST|QUIT|MAIL FROM:<>|",
	    "250 250 250 452:4.3.1 250 / M<nodata@b.c> R<d@b.c> D X M<> X " },
	{ "bare LF in BDAT", 0, "EHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|"
	    "BDAT 4 LAST|a\nb\n", "250 250 250 550:5.6.0 421:4.7.0 # / "
	    "M<> R<d@b.c> D X " },
	{ "bare LF in BINARYMIME", 0, "EHLO a|MAIL FROM:<> BODY=BINARYMIME|"
	    "RCPT TO:<d@b.c>|BDAT 10 LAST|A:||a\rb\n", "250 250 250 250 / "
	    "M<> R<d@b.c> D B\"A:||a|b\" X " },
	{ "DATA with BINARYMIME", 0, "EHLO a|MAIL FROM:<> BODY=BINARYMIME|"
	    "RCPT TO:<d@b.c>|DATA|", "250 250 250 503:5.5.1 / "
	    "M<> R<d@b.c> X " },
	/* ---- STARTTLS ---- */
	{ "STARTTLS not offered", 0, "EHLO a|STARTTLS|", "250 454:4.7.0 / " },
	{ "STARTTLS", TLS, "EHLO a|STARTTLS|~EHLO a|STARTTLS|",
	    "250 220 250 503:5.5.1 / " },
	{ "STARTTLS with argument", TLS, "EHLO a|STARTTLS x|",
	    "250 501:5.5.4 / " },
	{ "STARTTLS forgets EHLO", TLS, "EHLO a|STARTTLS|~MAIL FROM:<>|",
	    "250 220 503:5.5.1 / " },
	{ "STARTTLS within a transaction", TLS, "EHLO a|MAIL FROM:<>|STARTTLS|",
	    "250 250 503:5.5.1 / M<> X " },
	{ "TLS first", TLS | FIRST_TLS, "EHLO a|STARTTLS|",
	    "250 503:5.5.1 / " },
	/* ---- AUTH ---- */
	{ "AUTH not offered", 0, "EHLO a|AUTH PLAIN AGpvZQBzZWNyZXQ=|",
	    "250 503:5.5.1 / " },
	{ "AUTH before TLS", AUTH | TLS,
	    "EHLO a|AUTH PLAIN AGpvZQBzZWNyZXQ=|", "250 530:5.7.0 / " },
	{ "AUTH behind TLS", AUTH | TLS, "EHLO a|STARTTLS|~EHLO a|"
	    "AUTH PLAIN AGpvZQBzZWNyZXQ=|", "250 220 250 235 / A " },
	{ "AUTH before EHLO", AUTH | PLAIN_AUTH,
	    "AUTH PLAIN AGpvZQBzZWNyZXQ=|", "503:5.5.1 / " },
	{ "AUTH behind HELO", AUTH | PLAIN_AUTH,
	    "HELO a|AUTH PLAIN AGpvZQBzZWNyZXQ=|", "250 503:5.5.1 / " },
	{ "AUTH PLAIN", AUTH | PLAIN_AUTH,
	    "EHLO a|AUTH PLAIN AGpvZQBzZWNyZXQ=|", "250 235 / A " },
	{ "AUTH PLAIN in two steps", AUTH | PLAIN_AUTH,
	    "EHLO a|AUTH PLAIN|AGpvZQBzZWNyZXQ=|", "250 334 235 / A " },
	{ "AUTH LOGIN", AUTH | PLAIN_AUTH, "EHLO a|AUTH LOGIN|am9l|c2VjcmV0|",
	    "250 334 334 235 / A " },
	{ "AUTH wrong", AUTH | PLAIN_AUTH, "EHLO a|AUTH PLAIN AGpvZQB4|",
	    "250 535:5.7.8 / A " },
	{ "AUTH cancelled", AUTH | PLAIN_AUTH, "EHLO a|AUTH LOGIN|*|NOOP|",
	    "250 334 501:5.7.0 250 / A a " },
	{ "AUTH not base 64", AUTH | PLAIN_AUTH, "EHLO a|AUTH LOGIN|!|NOOP|",
	    "250 334 501:5.5.2 250 / A a " },
	{ "AUTH initial not base 64", AUTH | PLAIN_AUTH,
	    "EHLO a|AUTH PLAIN !!!|NOOP|", "250 501:5.5.2 250 / " },
	{ "AUTH empty initial", AUTH | PLAIN_AUTH, "EHLO a|AUTH PLAIN =|",
	    "250 535:5.7.8 / A " },
	{ "AUTH unknown mechanism", AUTH | PLAIN_AUTH,
	    "EHLO a|AUTH CRAM-MD5|", "250 504:5.5.4 / " },
	{ "AUTH twice", AUTH | PLAIN_AUTH,
	    "EHLO a|AUTH PLAIN AGpvZQBzZWNyZXQ=|AUTH LOGIN|",
	    "250 235 503:5.5.1 / A " },
	{ "AUTH within a transaction", AUTH | PLAIN_AUTH,
	    "EHLO a|MAIL FROM:<>|AUTH LOGIN|",
	    "250 250 503:5.5.1 / M<> X " },
	{ "MAIL before AUTH", AUTH | NEED_AUTH | PLAIN_AUTH,
	    "EHLO a|MAIL FROM:<>|", "250 530:5.7.0 / " },
	{ "MAIL behind AUTH", AUTH | NEED_AUTH | PLAIN_AUTH, "EHLO a|"
	    "AUTH PLAIN AGpvZQBzZWNyZXQ=|MAIL FROM:<> AUTH=<>|",
	    "250 235 250 / A M<> X " },
	{ "the end within AUTH", AUTH | PLAIN_AUTH, "EHLO a|AUTH LOGIN|",
	    "250 334 / A a " },
	/* ---- LMTP ---- */
	{ "LHLO", LMTP, "LHLO a|", "250 / " },
	{ "EHLO in LMTP", LMTP, "EHLO a|", "500:5.5.1 / " },
	{ "LMTP, each its answer", LMTP, "LHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|"
	    "RCPT TO:<deny@b.c>|RCPT TO:<full@b.c>|DATA|1|.|NOOP|",
	    "250 250 250 550:5.1.1 250 354 250 452:4.2.2 250 / "
	    "M<> R<d@b.c> R<deny@b.c> R<full@b.c> D B\"1|\" X " },
	{ "LMTP, nobody", LMTP, "LHLO a|MAIL FROM:<>|RCPT TO:<deny@b.c>|DATA|",
	    "250 250 550:5.1.1 503:5.5.1 / M<> R<deny@b.c> X " },
	{ "LMTP, DATA refused is one answer", LMTP,
	    "LHLO a|MAIL FROM:<nodata@b.c>|RCPT TO:<d@b.c>|RCPT TO:<e@b.c>|"
	    "DATA|NOOP|", "250 250 250 250 452:4.3.1 250 / "
	    "M<nodata@b.c> R<d@b.c> R<e@b.c> D X " },
	{ "LMTP, refused while it comes", LMTP,
	    "LHLO a|MAIL FROM:<spoil@b.c>|RCPT TO:<d@b.c>|RCPT TO:<e@b.c>|"
	    "DATA|A:b||.|NOOP|", "250 250 250 250 354 554:5.7.1 554:5.7.1 250 "
	    "/ M<spoil@b.c> R<d@b.c> R<e@b.c> D X " },
	{ "LMTP, BDAT", LMTP, "LHLO a|MAIL FROM:<>|RCPT TO:<d@b.c>|"
	    "RCPT TO:<full@b.c>|BDAT 2|abBDAT 2 LAST||",
	    "250 250 250 250 250 250 452:4.2.2 / "
	    "M<> R<d@b.c> R<full@b.c> D B\"ab|\" X " },
};

enum { WHOLE, LINES, BYTES, WAYS };

struct play {
	struct loop *loop;
	struct fake fake;
	struct smtp_server_options options;
	struct buf out;
	int fd;
	bool is_closed;
};

static struct tls_server *
some_tls(void)
{
	static char some;

	return (struct tls_server *)(void *)&some;
}

static void
start(struct play *p, unsigned how, unsigned mode)
{
	bool small = (how & SMALL) != 0;
	int fds[2];

	log_set_level(LOG_LEVEL_ERROR);
	memset(p, 0, sizeof *p);
	p->options = (struct smtp_server_options){
		.is_lmtp = (how & LMTP) != 0,
		.needs_auth = (how & NEED_AUTH) != 0,
		.plaintext_auth = (how & PLAIN_AUTH) != 0,
		.hostname = "mx.test", .greeting = "here",
		.tls = (how & TLS) != 0 ? some_tls : NULL,
		.mechs = (how & AUTH) != 0
		    ? 1U << SASL_PLAIN | 1U << SASL_LOGIN : 0,
		.message_size = small ? 40 : 1000000,
		.recipients = small ? 2 : 100, .transactions = 100,
		.errors = small ? 3 : 100, .hops = small ? 2 : 50,
		.command_ms = 60000, .data_ms = 60000,
	};
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			     fds), 0);
	p->loop = loop_new();
	fake_init(&p->fake, p->loop);
	p->fake.is_async = (mode & 1) != 0;
	p->fake.is_narrow = (mode & 2) != 0;
	buf_init(&p->out, 1 << 20);
	p->fd = fds[0];
	p->fake.smtp = smtp_server_new(p->loop, fds[1], "test", &p->options,
	    &fake_policy, &p->fake,
	    (how & FIRST_TLS) != 0 ? SMTP_SERVER_TLS_FIRST : 0);
	ck_assert_ptr_nonnull(p->fake.smtp);
}

/* Lets the server do all it can. */
static void
settle(struct play *p)
{
	char piece[65536];
	ssize_t n;
	int i;

	for (i = 0; i < 12; i++) {
		loop_turn(p->loop, false);
		while (!p->is_closed &&
		    (n = recv(p->fd, piece, sizeof piece, 0)) >= 0) {
			if (n == 0 || !buf_is_ok(&p->out))
				p->is_closed = true;
			buf_add(&p->out, piece, (size_t)n);
			i = 0;
		}
	}
}

static void
say(struct play *p, struct slice what)
{
	ssize_t n;

	while (what.n > 0) {
		n = send(p->fd, what.p, what.n, MSG_NOSIGNAL);
		if (n > 0)
			what = slice_from(what, (size_t)n);
		else if (errno != EAGAIN)
			return; /* the server closed */
		else
			settle(p);
	}
}

static void
stop(struct play *p)
{
	(void)shutdown(p->fd, SHUT_WR);
	settle(p);
	ck_assert_msg(p->fake.is_closed, "the session did not end");
	ck_assert(!p->fake.is_unclean);
	(void)close(p->fd);
	settle(p);
	loop_free(&p->loop);
	fake_fini(&p->fake);
	buf_fini(&p->out);
}

/* "250 550:5.1.1": the last lines of the replies. */
static void
summary(struct play *p, struct buf *to)
{
	struct slice left = buf_slice(&p->out), line, code;
	struct enhanced e;

	while (slice_split(&left, '\n', &line)) {
		if (line.n < 4 || line.p[3] != ' ')
			continue;
		code = slice_head(line, 3);
		line = slice_from(line, 4);
		if (to->n > 0)
			buf_add_char(to, ' ');
		buf_add_slice(to, code);
		if (code.p[0] < '4')
			continue;
		ck_assert_int_eq(enhanced_take(&line, &e), 0);
		buf_add_char(to, ':');
		enhanced_add(to, e);
	}
	if (p->is_closed)
		buf_add_str(to, " #");
}

static void
send_way(struct play *p, struct slice text, int way)
{
	size_t n;

	while (text.n > 0) {
		n = way == WHOLE ? text.n
		    : way == BYTES ? 1
		    : slice_chr(text, '\n') < 0
		    ? text.n : (size_t)slice_chr(text, '\n') + 1;
		say(p, slice_head(text, n));
		text = slice_from(text, n);
		if (way != WHOLE)
			settle(p);
	}
}

/* `|` becomes CR LF. */
static void
expand(struct slice in, struct buf *out)
{
	size_t i;

	for (i = 0; i < in.n; i++) {
		if (in.p[i] == '|')
			buf_add_str(out, "\r\n");
		else
			buf_add_char(out, in.p[i]);
	}
}

static void
play_row(int row, int way, unsigned mode)
{
	struct slice in = slice_str(rows[row].in), part;
	struct buf text, got, want;
	struct play p;

	buf_init(&text, 1 << 20);
	buf_init(&got, 1 << 20);
	buf_init(&want, 1 << 20);
	start(&p, rows[row].how, mode);
	settle(&p);
	while (slice_split(&in, '~', &part)) {
		buf_reset(&text);
		expand(part, &text);
		send_way(&p, buf_slice(&text), way);
		settle(&p);
	}
	summary(&p, &got);
	(void)shutdown(p.fd, SHUT_WR);
	settle(&p);
	buf_add_str(&got, " / ");
	buf_add_slice(&got, buf_slice(&p.fake.notes));
	buf_addf(&want, "220 %s", rows[row].want);
	ck_assert_msg(slice_eq(buf_slice(&got), buf_slice(&want)),
	    "%s (way %d, mode %u):\ngot  %s\nwant %s", rows[row].name, way,
	    mode, got.p, want.p);
	stop(&p);
	buf_fini(&text);
	buf_fini(&got);
	buf_fini(&want);
}

START_TEST(dialogues)
{
	unsigned mode;
	int way;

	for (way = 0; way < WAYS; way++)
		for (mode = 0; mode < 4; mode++)
			play_row(_i, way, mode);
}
END_TEST

/* Plaintext behind STARTTLS is dropped (RFC 3207 4.2): the NOOP that somebody
 * put there is not answered under TLS. */
START_TEST(starttls_injection)
{
	struct buf got;
	struct play p;

	start(&p, TLS, 0);
	buf_init(&got, 1000);
	settle(&p);
	say(&p, SLICE("EHLO a\r\nSTARTTLS\r\nNOOP\r\nMAIL FROM:<x@y.z>\r\n"));
	settle(&p);
	say(&p, SLICE("RSET\r\n"));
	settle(&p);
	summary(&p, &got);
	ck_assert_str_eq(got.p, "220 250 220 250");
	ck_assert_uint_eq(p.fake.notes.n, 0);
	buf_fini(&got);
	stop(&p);
}
END_TEST

static void
after(struct play *p, const char *in, int ms, const char *want)
{
	int64_t until;
	struct buf got;

	buf_init(&got, 1000);
	settle(p);
	say(p, slice_str(in));
	until = clock_boot_ms() + ms;
	while (clock_boot_ms() < until)
		settle(p);
	summary(p, &got);
	ck_assert_str_eq(got.p, want);
	buf_fini(&got);
	if (p->fake.is_mute)
		smtp_server_abort(p->fake.smtp);
	stop(p);
}

START_TEST(command_timeout)
{
	struct play p;

	start(&p, 0, 0);
	p.options.command_ms = 50;
	after(&p, "EHLO a\r\nNO", 150, "220 250 421:4.4.2 #");
}
END_TEST

START_TEST(data_timeout)
{
	struct play p;

	start(&p, 0, 0);
	p.options.data_ms = 50;
	after(&p, "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nDATA\r\nx",
	    150, "220 250 250 250 354 421:4.4.2 #");
}
END_TEST

START_TEST(no_timeout_while_we_think)
{
	struct play p;

	start(&p, 0, 0);
	p.options.command_ms = 50;
	settle(&p);
	p.fake.is_mute = true;
	after(&p, "EHLO a\r\nMAIL FROM:<>\r\n", 150, "220");
}
END_TEST

/* Overlong: refused once, the rest of the line passed over. */
START_TEST(long_lines)
{
	struct buf text, got;
	struct play p;
	int i;

	buf_init(&text, 1 << 20);
	buf_init(&got, 1000);
	for (i = 0; i < 30000; i++)
		buf_add_char(&text, 'x');
	buf_add_str(&text, "\r\nNOOP\r\n");
	for (i = 0; i < 2; i++) {
		start(&p, i == 0 ? 0 : AUTH | PLAIN_AUTH, 0);
		settle(&p);
		send_way(&p, buf_slice(&text), WHOLE);
		settle(&p);
		buf_reset(&got);
		summary(&p, &got);
		ck_assert_str_eq(got.p, "220 500:5.5.6 250");
		stop(&p);
	}
	buf_fini(&text);
	buf_fini(&got);
}
END_TEST

START_TEST(auth_line_limits)
{
	struct buf text, got;
	struct play p;
	int i;

	buf_init(&text, 1 << 20);
	buf_init(&got, 1000);
	start(&p, AUTH | PLAIN_AUTH, 0);
	settle(&p);
	buf_add_str(&text, "EHLO a\r\nAUTH PLAIN ");
	for (i = 0; i < 8000; i++)
		buf_add_char(&text, 'A');
	buf_add_str(&text, "\r\nAUTH LOGIN\r\n");
	for (i = 0; i < 12288; i++)
		buf_add_char(&text, 'A');
	buf_add_str(&text, "\r\nAUTH LOGIN\r\n");
	for (i = 0; i < 12292; i++)
		buf_add_char(&text, 'A');
	buf_add_str(&text, "\r\nNOOP\r\n");
	send_way(&p, buf_slice(&text), WHOLE);
	settle(&p);
	summary(&p, &got);
	ck_assert_str_eq(got.p, "220 250 535:5.7.8 334 535:5.7.8 "
	    "334 500:5.5.6 250");
	stop(&p);
	buf_fini(&text);
	buf_fini(&got);
}
END_TEST

/* A large message passes whole, through a sink that is often full. */
START_TEST(large_message)
{
	struct buf text, got;
	struct play p;
	int i;

	buf_init(&text, 1 << 20);
	buf_init(&got, 1000);
	start(&p, 0, 3);
	settle(&p);
	buf_add_str(&text, "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\n"
	    "DATA\r\nA: b\r\n\r\n");
	for (i = 0; i < 9000; i++)
		buf_addf(&text, "..line %d\r\n", i);
	buf_add_str(&text, ".\r\nQUIT\r\n");
	send_way(&p, buf_slice(&text), WHOLE);
	settle(&p);
	summary(&p, &got);
	ck_assert_str_eq(got.p, "220 250 250 250 354 250 221 #");
	ck_assert(slice_find(buf_slice(&p.fake.notes),
		      SLICE("|.line 8999|\" X ")) > 0);
	stop(&p);
	buf_fini(&text);
	buf_fini(&got);
}
END_TEST

/* Thousands of commands from one who reads no answer: we stop reading. */
START_TEST(deaf_client)
{
	static const struct slice noop = SLICE("NOOP\r\n");
	struct play p;
	int i, sent = 0;

	start(&p, 0, 0);
	for (i = 0; i < 1000000; i++) {
		if (send(p.fd, noop.p, noop.n, MSG_NOSIGNAL) !=
		    (ssize_t)noop.n) {
			loop_turn(p.loop, false);
			loop_turn(p.loop, false);
			if (send(p.fd, noop.p, noop.n, MSG_NOSIGNAL) < 0 &&
			    ++sent > 100)
				break;
		}
	}
	ck_assert_int_lt(i, 1000000);
	settle(&p);
	stop(&p);
}
END_TEST

START_TEST(stopping)
{
	static const struct {
		const char *in, *more, *want;
	} stops[] = {
		{ "EHLO a\r\n", "", "220 250 421:4.3.2 #" },
		{ "EHLO a\r\nMAIL FROM:<>\r\n", "",
		    "220 250 250 421:4.3.2 #" },
		{ "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nDATA\r\n"
		  "x\r\n", "y\r\n.\r\nNOOP\r\n",
		    "220 250 250 250 354 250 421:4.3.2 #" },
	};
	struct buf got;
	struct play p;

	buf_init(&got, 1000);
	start(&p, 0, 0);
	settle(&p);
	say(&p, slice_str(stops[_i].in));
	settle(&p);
	smtp_server_stop(p.fake.smtp);
	settle(&p);
	say(&p, slice_str(stops[_i].more));
	settle(&p);
	summary(&p, &got);
	ck_assert_str_eq(got.p, stops[_i].want);
	stop(&p);
	buf_fini(&got);
}
END_TEST

/* The client goes at any place of a dialogue: everything is given back. */
START_TEST(gone)
{
	static const struct slice all = SLICE("EHLO a\r\nAUTH LOGIN\r\n*\r\n"
	    "MAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nBDAT 2\r\nab"
	    "BDAT 2 LAST\r\n\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\n"
	    "DATA\r\nx\r\n.\r\n");
	struct play p;
	size_t n;

	for (n = 0; n <= all.n; n++) {
		start(&p, AUTH | PLAIN_AUTH, n % 4);
		settle(&p);
		say(&p, slice_head(all, n));
		settle(&p);
		stop(&p);
	}
}
END_TEST

UNIT_SUITE(smtp_server, {
	tcase_add_loop_test(tc, dialogues, 0,
	    (int)(sizeof rows / sizeof *rows));
	tcase_add_test(tc, starttls_injection);
	tcase_add_test(tc, command_timeout);
	tcase_add_test(tc, data_timeout);
	tcase_add_test(tc, no_timeout_while_we_think);
	tcase_add_test(tc, long_lines);
	tcase_add_test(tc, auth_line_limits);
	tcase_add_test(tc, large_message);
	tcase_add_test(tc, deaf_client);
	tcase_add_loop_test(tc, stopping, 0, 3);
	tcase_add_test(tc, gone);
})
