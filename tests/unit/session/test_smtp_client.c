/* SPDX-License-Identifier: ISC */
/*
 * Each case is the story of one session, told in lines:
 *
 *	S TEXT         the server says that line
 *	s TEXT         the same without a line's end; \r \n \xHH
 *	C TEXT         the next line that the client said is this one
 *	C -            it has said no more
 *	+ MS           so much time passes
 *	eof            the server closes the connection
 *	rcpts A B ...  recipients of the next transactions
 *	set KEY [V]    what the next transactions have: see set()
 *	conf KEY       of the session, before all else: see set()
 *	mail           a transaction begins
 *	quit, free     the owner ends the session
 *	= EVENT        the next event is this one (as smtp_peer.c writes it)
 *	= -            there is none
 */
#include "session/smtp_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/num.h"
#include "proto/dot.h"
#include "tests/fake/fake_loop.h"
#include "tests/unit/session/smtp_peer.h"
#include "tests/unit/unit.h"

#define EHLO "S 220 hi\nC EHLO us.test\nC -\n"
#define PLAIN EHLO "S 250 srv\n= ready\n"
#define PIPE EHLO "S 250-srv\nS 250 PIPELINING\n= ready\n"
#define BDAT EHLO "S 250-srv\nS 250-PIPELINING\nS 250 CHUNKING\n= ready\n"
#define LMTP "conf lmtp\nS 220 hi\nC LHLO us.test\nS 250-srv\n" \
	"S 250 PIPELINING\n= ready\n"
#define MAIL "C MAIL FROM:<a@us.test>\n"
#define RCPT "C RCPT TO:<r@x.test>\n"
#define BODY "C Subject: x\nC \nC ..hi\nC .\nC -\n"
#define RAW_BODY "C Subject: x\nC \nC .hi\nC -\n"
#define THREE "rcpts a@x.test b@x.test c@x.test\n"
#define RCPT3 "C RCPT TO:<a@x.test>\nC RCPT TO:<b@x.test>\n" \
	"C RCPT TO:<c@x.test>\n"
#define PIPED "mail\n" MAIL RCPT "C DATA\nC -\n"
#define PIPED3 THREE "mail\n" MAIL RCPT3 "C DATA\nC -\n"
#define OK "S 250 ok\n"
#define CHUNKED "mail\n" MAIL RCPT "C BDAT 19 LAST\n" RAW_BODY
#define LOST "= ended later 0 4.4.2 connection closed while waiting for " \
	"the answer to the message +unknown\n"

static const struct {
	const char *name, *story;
} cases[] = {
	/* ---- the session as a whole ---- */
	{ "one by one",
	    PLAIN "mail\n" MAIL "C -\n" OK RCPT "C -\n" OK "C DATA\nC -\n"
	    "S 354 go\n" BODY "= -\nS 250 2.6.0 <x> is taken\n"
	    "= result 0 done 250 2.6.0 <x> is taken\n= over\nquit\n"
	    "C QUIT\n" },
	{ "pipelined",
	    PIPE PIPED OK OK "S 354 go\n" BODY "S 250 taken\n"
	    "= result 0 done 250 2.0.0 taken\n= over\n" },
	{ "replies in one packet",
	    PIPE PIPED "s 250 ok\\r\\n250 ok\\r\\n354 go\\r\\n\n" BODY
	    "S 250 taken\n= result 0 done 250 2.0.0 taken\n= over\n" },
	{ "replies in crumbs",
	    PIPE PIPED "s 25\ns 0 ok\\r\ns \\n2\ns 50-a\\r\\n250 b\\r\\n3\n"
	    "s 54 \ns \\r\\n\n" BODY "s 250 tak\ns en\\r\ns \\n\n"
	    "= result 0 done 250 2.0.0 taken\n= over\n" },
	{ "two transactions",
	    PIPE PIPED OK OK "S 354 go\n" BODY "S 250 one\n"
	    "= result 0 done 250 2.0.0 one\n= over\n"
	    PIPED OK OK "S 354 go\n" BODY "S 250 two\n"
	    "= result 0 done 250 2.0.0 two\n= over\n" },
	{ "HELO",
	    EHLO "S 502 what\nC HELO us.test\nS 250 srv\n= ready\n"
	    "mail\n" MAIL "C -\n" },
	{ "HELO refused too",
	    EHLO "S 500 what\nC HELO us.test\nS 550 no\n"
	    "= ended failed 550 5.0.0 no\nC QUIT\n" },
	{ "EHLO later", EHLO "S 451 busy\n= ended later 451 4.3.0 busy\n"
	    "C QUIT\n" },
	{ "LHLO has no other",
	    "conf lmtp\nS 220 hi\nC LHLO us.test\nS 500 what\n"
	    "= ended failed 500 5.5.2 what\n" },
	{ "a greeting of many lines",
	    "S 220-hi\nS 220-there\n= -\nC -\nS 220 you\nC EHLO us.test\n" },
	{ "greeted with 554",
	    "S 554 no mail service\n= ended later 554 4.0.0 no mail service\n"
	    "C QUIT\n" },
	{ "greeted with 521",
	    "S 521 never\n= ended failed 521 5.3.2 never\nC QUIT\n" },
	{ "greeted with 421",
	    "S 421 4.3.2 full\n= ended later 421 4.3.2 full\nC -\n" },
	{ "greeted with 354",
	    "S 354 go\n= ended later 354 4.5.0 go\n" },
	{ "no greeting",
	    "+ 299999\n= -\n+ 1\n= ended later 0 4.4.1 time ran out while "
	    "waiting for the greeting\n" },
	{ "closed at once",
	    "eof\n= ended later 0 4.4.2 connection closed while waiting for "
	    "the greeting\n" },
	{ "not SMTP",
	    "S HTTP/1.1 400 Bad Request\n= ended later 0 4.5.0 what came is "
	    "not SMTP while waiting for the greeting\n" },
	{ "garbage in a reply",
	    PIPE PIPED OK "S 25x\n= ended later 0 4.5.0 what came is not SMTP "
	    "while saying RCPT TO\n" },
	{ "an idle session that is closed",
	    PIPE "eof\n= ended later 0 4.4.2 connection closed while idle\n" },
	{ "an idle session with a last word",
	    PIPE "S 421 bye\n= ended later 421 4.3.2 bye\n" },
	{ "an idle session with a strange word",
	    PIPE "S 250 ok\n= ended later 250 4.5.0 ok\n" },
	{ "an idle session lives", PIPE "+ 100000000\n= -\n" },
	{ "quit while it greets", "quit\nC QUIT\n" },
	/* ---- MAIL ---- */
	{ "sender refused, one by one",
	    PLAIN "mail\n" MAIL "S 550 5.7.1 not you\n"
	    "= result 0 failed 550 5.7.1 not you\n= over\nC -\n" },
	{ "sender refused, pipelined",
	    PIPE PIPED3 "S 451 4.7.1 wait\n= result 0 later 451 4.7.1 wait\n"
	    "= result 1 later 451 4.7.1 wait\n"
	    "= result 2 later 451 4.7.1 wait\nS 503 no\nS 503 no\nS 503 no\n"
	    "= -\nS 503 no\n= over\nC -\n" },
	{ "sender refused, and yet DATA taken",
	    PIPE PIPED "S 550 no\n= result 0 failed 550 5.0.0 no\nS 503 no\n"
	    "S 354 go\nC .\nC -\nS 554 nothing\n= over\n" },
	{ "MAIL answered by 354",
	    PLAIN "mail\n" MAIL "S 354 go\n= ended later 354 4.5.0 go\n" },
	{ "MAIL answered by 421",
	    PIPE PIPED "S 421 4.3.2 down\n= ended later 421 4.3.2 down\n" },
	{ "MAIL never answered",
	    PIPE PIPED "+ 300000\n= ended later 0 4.4.2 time ran out while "
	    "saying MAIL FROM\n" },
	{ "kept and gone",
	    PIPE PIPED OK OK "S 354 go\n" BODY "S 250 one\n"
	    "= result 0 done 250 2.0.0 one\n= over\nmail\n" MAIL RCPT
	    "eof\n= ended later 0 4.4.2 connection closed while saying MAIL "
	    "FROM +stale\n" },
	{ "kept and told to go",
	    PIPE PIPED OK OK "S 354 go\n" BODY "S 250 one\n"
	    "= result 0 done 250 2.0.0 one\n= over\nmail\n" MAIL RCPT
	    "S 421 idle too long\n"
	    "= ended later 421 4.3.2 idle too long +stale\n" },
	{ "kept and gone after MAIL",
	    PIPE PIPED OK OK "S 354 go\n" BODY "S 250 one\n"
	    "= result 0 done 250 2.0.0 one\n= over\nmail\n" OK
	    "eof\n= ended later 0 4.4.2 connection closed while saying RCPT "
	    "TO\n" },
	/* ---- RCPT ---- */
	{ "refused, one by one",
	    PLAIN "mail\n" MAIL OK RCPT "S 550 5.1.1 who?\n"
	    "= result 0 failed 550 5.1.1 who?\n= -\nC RSET\n" OK "= over\n"
	    "mail\n" MAIL },
	{ "refused, pipelined",
	    PIPE PIPED OK "S 550 5.1.1 who?\n"
	    "= result 0 failed 550 5.1.1 who?\nS 503 no\nC RSET\n= -\n" OK
	    "= over\n" },
	{ "refused, and yet DATA taken",
	    PIPE PIPED OK "S 450 wait\n= result 0 later 450 4.2.0 wait\n"
	    "S 354 go\nC .\nC -\nS 250 thanks\n= over\nC -\n" },
	{ "one of three refused",
	    PIPE PIPED3 OK OK "S 550 5.1.1 who?\nS 251 ok\nS 354 go\n"
	    "= result 1 failed 550 5.1.1 who?\n" BODY "S 250 taken\n"
	    "= result 0 done 250 2.0.0 taken\n"
	    "= result 2 done 250 2.0.0 taken\n= over\n" },
	{ "too many",
	    PIPE PIPED3 OK OK "S 452 4.5.3 too many\nS 552 too many\n"
	    "= result 1 later 452 4.5.3 too many +surplus\n"
	    "= result 2 later 452 4.5.3 too many +surplus\nS 354 go\n" BODY
	    "S 250 taken\n= result 0 done 250 2.0.0 taken\n= over\n" },
	{ "one is too many",
	    PIPE PIPED OK "S 452 4.5.3 too many\n"
	    "= result 0 later 452 4.5.3 too many\n" },
	{ "552 means no space only where it says so",
	    PIPE PIPED OK "S 552 5.2.2 mailbox full\n"
	    "= result 0 failed 552 5.2.2 mailbox full\n" },
	{ "421 to the second of three",
	    PIPE PIPED3 OK "S 550 5.1.1 a?\n= result 0 failed 550 5.1.1 a?\n"
	    "S 421 4.3.2 down\n= ended later 421 4.3.2 down\n" },
	{ "RCPT answered by 354",
	    PIPE PIPED OK "S 354 go\n= ended later 354 4.5.0 go\n" },
	{ "lost at RCPT",
	    PIPE PIPED OK "eof\n= ended later 0 4.4.2 connection closed while "
	    "saying RCPT TO\n" },
	{ "a tar pit: the phase as a whole is bounded",
	    PIPE "rcpts a@x.test b@x.test c@x.test d@x.test e@x.test\nmail\n"
	    "+ 250000\n" OK "+ 250000\n" OK "+ 250000\n" OK "+ 250000\n" OK
	    "+ 199999\n= -\n+ 1\n= ended later 0 4.4.2 time ran out while "
	    "saying RCPT TO\n" },
	{ "a reply letter by letter gains no time",
	    PIPE PIPED "+ 200000\ns 2\n+ 99999\ns 5\n= -\n+ 1\n"
	    "= ended later 0 4.4.2 time ran out while saying MAIL FROM\n" },
	/* ---- DATA ---- */
	{ "DATA refused",
	    PIPE PIPED3 OK OK OK "S 550 5.1.1 c?\nS 451 4.3.0 disk\n"
	    "= result 2 failed 550 5.1.1 c?\n"
	    "= result 0 later 451 4.3.0 disk\n"
	    "= result 1 later 451 4.3.0 disk\nC RSET\n" OK "= over\n" },
	{ "DATA answered by 250",
	    PIPE PIPED OK OK "S 250 ok\n= ended later 250 4.5.0 ok\n" },
	{ "DATA answered by 421",
	    PIPE PIPED OK OK "S 421 4.3.2 down\n"
	    "= ended later 421 4.3.2 down\n" },
	{ "lost at DATA",
	    PIPE PIPED OK OK "eof\n= ended later 0 4.4.2 connection closed "
	    "while saying DATA\n" },
	{ "RSET refused",
	    PIPE PIPED OK OK "S 554 no\n= result 0 failed 554 5.0.0 no\n"
	    "C RSET\nS 500 what\n= ended failed 500 5.5.2 what\n" },
	{ "RSET not answered",
	    PIPE PIPED OK OK "S 554 no\n= result 0 failed 554 5.0.0 no\n"
	    "C RSET\n+ 300000\n= ended later 0 4.4.2 time ran out while "
	    "saying RSET\n" },
	/* ---- the content ---- */
	{ "refused at the end",
	    PIPE PIPED OK OK "S 354 go\n" BODY "S 554 5.6.0 spam\n"
	    "= result 0 failed 554 5.6.0 spam\n= over\nC -\n" },
	{ "later at the end",
	    PIPE PIPED OK OK "S 354 go\n" BODY "S 452 4.3.1 full\n"
	    "= result 0 later 452 4.3.1 full\n= over\n" },
	{ "421 at the end is an answer",
	    PIPE PIPED OK OK "S 354 go\n" BODY "S 421 4.3.2 down\n"
	    "= ended later 421 4.3.2 down\n" },
	{ "354 at the end",
	    PIPE PIPED OK OK "S 354 go\n" BODY "S 354 go\n"
	    "= ended later 354 4.5.0 go +unknown\n" },
	{ "lost at the end",
	    PIPE PIPED OK OK "S 354 go\n" BODY "eof\n"
	    "= ended later 0 4.4.2 connection closed while waiting for the "
	    "answer to the message +unknown\n" },
	{ "silence at the end",
	    PIPE PIPED OK OK "S 354 go\n" BODY "+ 599999\n= -\n+ 1\n"
	    "= ended later 0 4.4.2 time ran out while waiting for the answer "
	    "to the message +unknown\n" },
	{ "an end without CRLF",
	    PIPE "set body a\\r\\nb\nmail\n" MAIL RCPT "C DATA\n" OK OK
	    "S 354 go\nC a\nC b\nC .\n" },
	{ "nothing",
	    PIPE "set body\nmail\n" MAIL RCPT "C DATA\n" OK OK
	    "S 354 go\nC .\nC -\n" },
	{ "line ends that are none",
	    PIPE "set body a\\n.\\nb\\rc\\r\\n\nmail\n" MAIL RCPT "C DATA\n"
	    OK OK "S 354 go\nC a\nC ..\nC b c\nC .\nC -\n" },
	{ "free in the middle",
	    PIPE PIPED OK "free\nC -\n" },
	{ "quit in the middle of the content",
	    PIPE "set big 9000000\nmail\n" OK OK "S 354 go\nfree\n" },
	{ "a long reply",
	    PIPE PIPED OK OK "S 354 go\n" BODY
	    "S 250-2.0.0 one\nS 250-2.0.0 two\nS 250 2.0.0 three\n"
	    "= result 0 done 250 2.0.0 one two three\n= over\n" },
	{ "codes that differ",
	    PIPE PIPED OK OK "S 354 go\n" BODY "S 250-one\nS 550 two\n"
	    "= ended later 0 4.5.0 what came is not SMTP while waiting for "
	    "the answer to the message +unknown\n" },
	/* ---- BDAT ---- */
	{ "a chunk goes with the commands",
	    BDAT "mail\n" MAIL RCPT "C BDAT 19 LAST\n" RAW_BODY OK OK
	    "S 250 taken\n= result 0 done 250 2.0.0 taken\n= over\nC -\n" },
	{ "a chunk for nobody",
	    BDAT "mail\n" MAIL RCPT "C BDAT 19 LAST\n" RAW_BODY OK
	    "S 550 who?\n= result 0 failed 550 5.0.0 who?\n= -\n"
	    "S 503 nobody\nC RSET\n" OK "= over\n" },
	{ "a chunk without MAIL",
	    BDAT "mail\n" MAIL RCPT "C BDAT 19 LAST\n" RAW_BODY "S 550 no\n"
	    "= result 0 failed 550 5.0.0 no\nS 503 no\n= -\nS 503 no\n"
	    "= over\nC -\n" },
	{ "a chunk refused",
	    BDAT "mail\n" OK OK "S 554 5.6.0 spam\n"
	    "= result 0 failed 554 5.6.0 spam\n= -\n" MAIL RCPT
	    "C BDAT 19 LAST\nC Subject: x\nC \nC .hi\nC RSET\n" OK
	    "= over\n" },
	{ "a chunk unanswered",
	    BDAT "mail\n" OK OK "eof\n= ended later 0 4.4.2 connection closed "
	    "while waiting for the answer to the message +unknown\n" },
	{ "a chunk and no answer to anything",
	    BDAT CHUNKED "eof\n" LOST },
	{ "a chunk and an answer to MAIL", BDAT CHUNKED OK "eof\n" LOST },
	{ "a chunk and answers to some recipients",
	    BDAT THREE "mail\n" OK OK "S 550 b?\n"
	    "= result 1 failed 550 5.0.0 b?\neof\n" LOST },
	{ "a chunk and one recipient that may have been taken",
	    BDAT THREE "mail\n" OK "S 550 a?\nS 550 b?\n"
	    "= result 0 failed 550 5.0.0 a?\n"
	    "= result 1 failed 550 5.0.0 b?\neof\n" LOST },
	{ "a chunk that nobody can have taken",
	    BDAT CHUNKED OK "S 550 who?\n"
	    "= result 0 failed 550 5.0.0 who?\neof\n"
	    "= ended later 0 4.4.2 connection closed while waiting for the "
	    "answer to the message\n" },
	{ "a chunk behind a MAIL that was refused",
	    BDAT CHUNKED "S 550 no\n= result 0 failed 550 5.0.0 no\neof\n"
	    "= ended later 0 4.4.2 connection closed while saying RCPT TO\n" },
	{ "a chunk and 421 to MAIL",
	    BDAT CHUNKED "S 421 bye\n= ended later 421 4.3.2 bye\n" },
	{ "a chunk has the time of content",
	    BDAT CHUNKED "+ 599999\n= -\n+ 1\n= ended later 0 4.4.2 time ran "
	    "out while waiting for the answer to the message +unknown\n" },
	{ "a chunk in a tar pit",
	    BDAT "rcpts a@x.test b@x.test c@x.test\nmail\n+ 500000\n" OK
	    "+ 500000\n" OK "+ 199999\n= -\n+ 1\n= ended later 0 4.4.2 "
	    "time ran out while waiting for the answer to the message "
	    "+unknown\n" },
	{ "no early chunk where the server may be gone",
	    BDAT CHUNKED OK OK "S 250 taken\n"
	    "= result 0 done 250 2.0.0 taken\n= over\n"
	    "mail\n" MAIL RCPT "C -\n" OK "C BDAT 19 LAST\n" RAW_BODY OK
	    "S 250 taken\n= result 0 done 250 2.0.0 taken\n= over\n"
	    "mail\n" MAIL RCPT "C -\neof\n= ended later 0 4.4.2 connection "
	    "closed while saying MAIL FROM +stale\n" },
	{ "no early chunk of a careful one",
	    BDAT "set careful\nmail\n" MAIL RCPT "C -\n" OK "C -\n" OK
	    "C BDAT 19 LAST\n" RAW_BODY "eof\n" LOST },
	{ "a large chunk waits for the recipients",
	    BDAT "set big 40000\nmail\n" MAIL RCPT "C -\n" OK "C -\n"
	    "S 550 who?\n= result 0 failed 550 5.0.0 who?\nC RSET\n" },
	{ "no pipelining, no early chunk",
	    EHLO "S 250-srv\nS 250 CHUNKING\n= ready\nmail\n" MAIL "C -\n" OK
	    RCPT "C -\n" OK "C BDAT 19 LAST\n" RAW_BODY "S 250 taken\n"
	    "= result 0 done 250 2.0.0 taken\n= over\n" },
	/* ---- LMTP ---- */
	{ "an answer each",
	    LMTP PIPED3 OK OK "S 550 b?\n" OK "S 354 go\n"
	    "= result 1 failed 550 5.0.0 b?\n" BODY "S 250 a\n"
	    "= result 0 done 250 2.0.0 a\n= -\nS 452 4.2.2 c full\n"
	    "= result 2 later 452 4.2.2 c full\n= over\n" },
	{ "lost between answers",
	    LMTP PIPED3 OK OK OK OK "S 354 go\n" BODY "S 250 a\n"
	    "= result 0 done 250 2.0.0 a\neof\n= ended later 0 4.4.2 "
	    "connection closed while waiting for the answer to the message "
	    "+unknown\n" },
	{ "LMTP with nobody",
	    LMTP PIPED OK "S 550 b?\n= result 0 failed 550 5.0.0 b?\n"
	    "S 503 nobody\nC RSET\n" OK "= over\n" },
	/* ---- extensions ---- */
	{ "parameters",
	    EHLO "S 250-srv\nS 250-SIZE 1000\nS 250-8BITMIME\nS 250-DSN\n"
	    "S 250 SMTPUTF8\n= ready\nset 8bit\nset utf8\nset ret hdrs\n"
	    "set envid a+2Bb\nset notify 6\nset orcpt rfc822;r@x.test\n"
	    "mail\nC MAIL FROM:<a@us.test> SIZE=19 BODY=8BITMIME SMTPUTF8 "
	    "RET=HDRS ENVID=a+2Bb\n" OK "C RCPT TO:<r@x.test> "
	    "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;r@x.test\n" OK "C DATA\n"
	    "S 354 go\n" BODY "S 250 taken\n"
	    "= result 0 done 250 2.0.0 taken +dsn\n= over\n" },
	{ "none offered, none said",
	    PLAIN "set 8bit\nset ret full\nset envid x\nset notify 1\n"
	    "set orcpt rfc822;r@x.test\nmail\n" MAIL OK RCPT },
	{ "too large",
	    EHLO "S 250-srv\nS 250 SIZE 18\n= ready\nmail\n= refused failed 0 "
	    "5.3.4 the message is larger than the server takes\nC -\n"
	    "set body x\nmail\nC MAIL FROM:<a@us.test> SIZE=1\n" },
	{ "any size",
	    EHLO "S 250-srv\nS 250 SIZE 0\n= ready\nmail\n"
	    "C MAIL FROM:<a@us.test> SIZE=19\n" },
	{ "the null sender",
	    PLAIN "set sender\nmail\nC MAIL FROM:<>\n" },
	{ "a probe",
	    PIPE "set probe\n" THREE "mail\n" MAIL RCPT3 "C -\n" OK
	    "S 250 2.1.5 fine\nS 550 5.1.1 b?\nS 450 wait\n"
	    "= result 0 done 250 2.1.5 fine\n= result 1 failed 550 5.1.1 b?\n"
	    "= result 2 later 450 4.2.0 wait\nC RSET\n" OK "= over\n" },
	{ "TLS is required",
	    "conf tls-required\n" EHLO "S 250 srv\n= ended later 0 4.7.4 TLS "
	    "is required and not offered while saying EHLO\n" },
	{ "TLS is offered and not wanted",
	    EHLO "S 250-srv\nS 250 STARTTLS\n= ready\n" },
};

/* ---- the story-teller ---- */

static void
unescape(struct buf *out, struct slice s)
{
	for (; s.n > 0; s = slice_from(s, 1)) {
		if (s.p[0] != '\\') {
			buf_add_char(out, s.p[0]);
			continue;
		}
		s = slice_from(s, 1);
		if (s.p[0] == 'x') {
			ck_assert_int_eq(hex_decode(out,
					     slice_head(slice_from(s, 1), 2)),
			    0);
			s = slice_from(s, 2);
		} else {
			buf_add_char(out, s.p[0] == 'r' ? '\r' : '\n');
		}
	}
}

static void
set_big(struct smtp_peer *p, struct slice value)
{
	static struct buf big;
	uint64_t n;

	ck_assert_int_eq(num_parse(value, 1, 1 << 26, &n), 0);
	buf_init(&big, n + 64);
	while (big.n < n)
		buf_add_str(&big, "....:....1....:....2....:....3....:.\r\n");
	smtp_content_from_memory(&p->mail.content, buf_slice(&big));
}

static uint64_t
number(struct slice s)
{
	uint64_t n = 0;

	ck_assert_int_eq(num_parse(s, 0, UINT64_MAX, &n), 0);
	return n;
}

static void
set(struct smtp_peer *p, struct slice key, struct slice value)
{
	static struct buf body;

	if (slice_eq_str(key, "lmtp")) {
		p->conf.is_lmtp = true;
	} else if (slice_eq_str(key, "tls-required")) {
		p->conf.is_tls_required = true;
	} else if (slice_eq_str(key, "8bit")) {
		p->mail.body_type = SMTP_BODY_8BITMIME;
	} else if (slice_eq_str(key, "utf8")) {
		p->mail.is_utf8 = true;
	} else if (slice_eq_str(key, "careful")) {
		p->mail.is_careful = true;
	} else if (slice_eq_str(key, "probe")) {
		p->mail.is_probe = true;
	} else if (slice_eq_str(key, "sender")) {
		p->mail.sender = value;
	} else if (slice_eq_str(key, "envid")) {
		p->mail.envid = value;
	} else if (slice_eq_str(key, "ret")) {
		p->mail.ret = slice_eq_str(value, "full") ? SMTP_RET_FULL
							  : SMTP_RET_HDRS;
	} else if (slice_eq_str(key, "notify")) {
		p->rcpts[0].notify = (unsigned)number(value);
	} else if (slice_eq_str(key, "orcpt")) {
		p->rcpts[0].orcpt = value;
	} else if (slice_eq_str(key, "big")) {
		set_big(p, value);
	} else if (slice_eq_str(key, "body")) {
		buf_init(&body, 65536);
		unescape(&body, value);
		smtp_content_from_memory(&p->mail.content, buf_slice(&body));
	} else {
		ck_abort_msg("set %.*s?", SLICE_FMT(key));
	}
}

static void
set_rcpts(struct smtp_peer *p, struct slice list)
{
	struct slice address;

	p->mail.n_rcpts = 0;
	while (slice_split(&list, ' ', &address))
		p->rcpts[p->mail.n_rcpts++].address = address;
}

static void
say(struct smtp_peer *p, struct slice text, bool is_raw)
{
	struct buf bytes;

	buf_init(&bytes, 65536);
	if (is_raw) {
		unescape(&bytes, text);
	} else {
		buf_add_slice(&bytes, text);
		buf_add_str(&bytes, "\r\n");
	}
	peer_say(p, buf_slice(&bytes));
	buf_fini(&bytes);
}

static void
expect(const char *story, const char *what, bool has, struct slice got,
    struct slice want)
{
	if (slice_eq_str(want, "-"))
		ck_assert_msg(!has, "%s: %s \"%.*s\", want none", story, what,
		    SLICE_FMT(got));
	else
		ck_assert_msg(has && slice_eq(got, want),
		    "%s: %s \"%.*s\", want \"%.*s\"", story, what,
		    SLICE_FMT(got), SLICE_FMT(want));
}

static void
tell(struct smtp_peer *p, const char *name, struct slice line)
{
	struct slice verb = SLICE_NONE, got = SLICE_NONE, key = SLICE_NONE;

	(void)slice_split(&line, ' ', &verb);
	if (slice_eq_str(verb, "conf")) {
		set(p, line, SLICE_NONE);
		return;
	}
	if (p->client == NULL && p->client_fd < 0)
		peer_start(p);
	if (slice_eq_str(verb, "S") || slice_eq_str(verb, "s")) {
		say(p, line, verb.p[0] == 's');
	} else if (slice_eq_str(verb, "C")) {
		expect(name, "said", peer_line(p, &got), got, line);
	} else if (slice_eq_str(verb, "=")) {
		expect(name, "event", peer_event(p, &got), got, line);
	} else if (slice_eq_str(verb, "+")) {
		peer_wait(p, (int64_t)number(line));
	} else if (slice_eq_str(verb, "eof")) {
		peer_eof(p);
	} else if (slice_eq_str(verb, "rcpts")) {
		set_rcpts(p, line);
	} else if (slice_eq_str(verb, "set")) {
		(void)slice_split(&line, ' ', &key);
		set(p, key, line);
	} else if (slice_eq_str(verb, "mail")) {
		peer_send(p);
	} else if (slice_eq_str(verb, "quit")) {
		smtp_client_quit(&p->client);
		peer_run(p);
	} else if (slice_eq_str(verb, "free")) {
		smtp_client_free(&p->client);
		p->heard.n = 0;
		peer_run(p);
	} else {
		ck_abort_msg("%s: \"%.*s\"?", name, SLICE_FMT(verb));
	}
}

START_TEST(story)
{
	struct slice rest = slice_str(cases[_i].story), line;
	struct smtp_peer p;

	peer_init(&p);
	while (slice_split(&rest, '\n', &line))
		if (line.n > 0)
			tell(&p, cases[_i].name, line);
	/* Nothing may be left that a story did not expect. */
	expect(cases[_i].name, "event", peer_event(&p, &line), line,
	    SLICE("-"));
	peer_fini(&p);
	ck_assert_uint_eq(p.n_ended <= 1, 1);
}
END_TEST

/* ---- large messages: sent as the server reads ---- */

static void
make_large(struct buf *out)
{
	size_t i;

	buf_init(out, 1 << 24);
	for (i = 0; i < 100000; i++)
		buf_addf(out, "%sline %zu\r\n", i % 3 == 0 ? "." : "", i);
}

static void
undot(struct buf *out, struct slice in)
{
	struct dot_decoder d;
	enum dot_error error;
	struct slice piece;
	ssize_t n;

	dot_decoder_init(&d, 0);
	while ((n = dot_decode(&d, in, &piece, &error)) > 0) {
		buf_add_slice(out, piece);
		in = slice_from(in, (size_t)n);
	}
	ck_assert_int_eq(n, 0);
	ck_assert(dot_decoder_is_done(&d));
	ck_assert_uint_eq(in.n, 0);
}

static void
pass_large(struct smtp_peer *p, const char *caps, bool is_bdat,
    const struct buf *want)
{
	struct slice line;
	struct buf got;

	buf_init(&got, 1 << 24);
	peer_start(p);
	peer_say(p, slice_str(caps));
	peer_send(p);
	peer_say(p, SLICE("250 ok\r\n"));
	peer_say(p, SLICE("250 ok\r\n"));
	if (!is_bdat)
		peer_say(p, SLICE("354 go\r\n"));
	while (peer_line(p, &line) && !slice_has_prefix(line,
	    is_bdat ? SLICE("BDAT") : SLICE("DATA")))
		;
	if (is_bdat)
		buf_add_slice(&got, buf_slice(&p->heard));
	else
		undot(&got, buf_slice(&p->heard));
	ck_assert(slice_eq(buf_slice(&got), buf_slice(want)));
	buf_fini(&got);
	ck_assert_uint_eq(p->n_ended, 0);
	peer_say(p, SLICE("250 taken\r\n"));
	ck_assert_uint_eq(p->n_done, 1);
	ck_assert_uint_eq(p->n_over, 1);
}

static const struct {
	const char *caps;
	bool is_bdat, is_file;
} larges[] = {
	{ "220 hi\r\n250-srv\r\n250 PIPELINING\r\n", false, false },
	{ "220 hi\r\n250-srv\r\n250 PIPELINING\r\n", false, true },
	{ "220 hi\r\n250-srv\r\n250-PIPELINING\r\n250 CHUNKING\r\n", true,
	    false },
	{ "220 hi\r\n250-srv\r\n250-PIPELINING\r\n250 CHUNKING\r\n", true,
	    true },
};

START_TEST(large)
{
	FILE *f = tmpfile();
	struct smtp_peer p;
	struct buf want;

	peer_init(&p);
	make_large(&want);
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(want.p, 1, want.n, f), want.n);
	ck_assert_int_eq(fflush(f), 0);
	if (larges[_i].is_file)
		smtp_content_from_file(&p.mail.content, fileno(f), want.n);
	else
		smtp_content_from_memory(&p.mail.content, buf_slice(&want));
	pass_large(&p, larges[_i].caps, larges[_i].is_bdat, &want);
	peer_fini(&p);
	buf_fini(&want);
	(void)fclose(f);
}
END_TEST

/* A file that is shorter than it should be: nothing is sent as if it were
 * whole. */
START_TEST(short_file)
{
	FILE *f = tmpfile();
	struct smtp_peer p;
	struct slice line;

	peer_init(&p);
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fprintf(f, "Subject: x\r\n\r\nhalf\r\n"), 0);
	ck_assert_int_eq(fflush(f), 0);
	smtp_content_from_file(&p.mail.content, fileno(f), 100000);
	peer_start(&p);
	peer_say(&p, slice_str(larges[_i].caps));
	peer_send(&p);
	peer_say(&p, SLICE("250 ok\r\n250 ok\r\n"));
	peer_say(&p, larges[_i].is_bdat ? SLICE("") : SLICE("354 go\r\n"));
	peer_wait(&p, 0);
	ck_assert_uint_eq(p.n_ended, 1);
	ck_assert_int_eq(p.end.status.outcome, OUTCOME_LATER);
	ck_assert(!p.end.is_unknown);
	while (peer_line(&p, &line))
		ck_assert(!slice_eq_str(line, "."));
	peer_fini(&p);
	(void)fclose(f);
}
END_TEST

/* The server answers before it has all: that is the end of the session. */
static const struct {
	const char *reply, *event;
} earlies[] = {
	{ "552 5.3.4 enough\r\n", "result 0 failed 552 5.3.4 enough" },
	{ "451 4.3.0 disk\r\n", "result 0 later 451 4.3.0 disk" },
	{ "250 thanks\r\n", "ended later 250 4.5.0 thanks" },
	{ "354 go\r\n", "ended later 354 4.5.0 go" },
	{ "421 4.3.2 down\r\n", "ended later 421 4.3.2 down" },
};

START_TEST(early)
{
	struct smtp_peer p;
	struct slice got = SLICE_NONE;
	struct buf big;

	peer_init(&p);
	buf_init(&big, 1 << 25);
	while (big.n < 1 << 24)
		buf_add_str(&big, "....:....1....:....2....:....3\r\n");
	smtp_content_from_memory(&p.mail.content, buf_slice(&big));
	peer_start(&p);
	peer_say(&p, slice_str(larges[0].caps));
	peer_send(&p);
	ck_assert(peer_event(&p, &got));
	p.is_deaf = true;
	peer_say(&p, SLICE("250 ok\r\n250 ok\r\n354 go\r\n"));
	ck_assert_uint_eq(p.n_ended, 0);
	peer_say(&p, slice_str(earlies[_i].reply));
	ck_assert(peer_event(&p, &got));
	ck_slice_str(got, earlies[_i].event);
	ck_assert_uint_eq(p.n_ended, 1);
	ck_assert(!p.end.is_unknown);
	peer_fini(&p);
	buf_fini(&big);
}
END_TEST

/* A server that stops reading is left; one that reads slowly is not. */
START_TEST(slow_reader)
{
	struct smtp_peer p;
	struct buf big;
	int i;

	peer_init(&p);
	make_large(&big);
	smtp_content_from_memory(&p.mail.content, buf_slice(&big));
	peer_start(&p);
	peer_say(&p, slice_str(larges[0].caps));
	peer_send(&p);
	p.is_deaf = true;
	peer_say(&p, SLICE("250 ok\r\n250 ok\r\n354 go\r\n"));
	for (i = 0; i < 4; i++) {
		peer_wait(&p, 250000);
		ck_assert_uint_eq(p.n_ended, 0);
		p.is_deaf = false;
		peer_hear_some(&p);
		p.is_deaf = true;
	}
	peer_wait(&p, 300000);
	ck_assert_uint_eq(p.n_ended, 1);
	ck_assert(!p.end.is_unknown);
	peer_fini(&p);
	buf_fini(&big);
}
END_TEST

UNIT_SUITE(smtp_client, {
	tcase_add_loop_test(tc, story, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(tc, large, 0, sizeof larges / sizeof *larges);
	tcase_add_loop_test(tc, short_file, 0,
	    sizeof larges / sizeof *larges);
	tcase_add_loop_test(tc, early, 0, sizeof earlies / sizeof *earlies);
	tcase_add_test(tc, slow_reader);
})
