/* SPDX-License-Identifier: ISC */
/* The inside of a session, shared by the smtp_server_*.c files. */
#ifndef SESSION_SMTP_SERVER_PRIV_H
#define SESSION_SMTP_SERVER_PRIV_H

#include "base/buf.h"
#include "base/region.h"
#include "proto/dot.h"
#include "proto/line.h"
#include "session/smtp_server.h"
#include "sys/loop.h"

/* Bits, so that the command table can hold sets of them. */
enum smtp_state {
	S_TLS = 1,       /* handshake; nothing is read */
	S_GREET = 2,     /* the greeting was not said yet */
	S_HELO = 4,      /* greeted; the client has not named itself */
	S_READY = 8,     /* named, no transaction */
	S_MAIL = 16,     /* a sender, no recipient yet */
	S_RCPT = 32,     /* at least one recipient */
	S_BDAT = 64,     /* between the chunks of a message */
	S_SPOILT = 128,  /* a chunk was refused: RSET is due (RFC 3030 2) */
	S_AUTH = 256,    /* lines of a SASL exchange */
	S_DATA = 512,    /* the message's octets, to the final dot */
	S_CHUNK = 1024,  /* a chunk's octets */
	S_END = 2048,    /* the message is complete, its answer is due */
	S_CLOSING = 4096 /* the last reply was written */
};
enum {
	/* Where commands are read. */
	S_COMMAND = S_HELO | S_READY | S_MAIL | S_RCPT | S_BDAT | S_SPOILT,
	S_ANY = S_COMMAND,
	S_TRANSACTION = S_MAIL | S_RCPT | S_BDAT | S_DATA | S_CHUNK | S_END
};

/* What was asked of the policy. */
enum smtp_wait {
	WAIT_NONE,
	WAIT_CONNECTED,
	WAIT_GREETED,
	WAIT_MAIL,
	WAIT_RCPT,
	WAIT_DATA,
	WAIT_CHUNK, /* as WAIT_DATA, asked by the first BDAT */
	WAIT_END,
	WAIT_VERIFY,
	WAIT_AUTH,
	WAIT_ROOM,
	WAIT_COUNT
};

/* How far the header of a message has been seen. */
struct smtp_header {
	struct buf rest; /* of a field that is not complete */
	size_t seen;
	uint64_t hops;
	bool is_over;
};

struct smtp_rcpt_answer {
	struct smtp_answer answer;
	bool is_given;
};

struct smtp_server {
	struct loop *loop;
	struct conn *conn;
	struct loop_later later;
	const struct smtp_server_options *options;
	const struct smtp_policy *policy;
	void *data;
	char *id;
	int64_t began;

	enum smtp_state state;
	enum smtp_wait wait;
	bool is_running;  /* run() is on the stack */
	bool is_stopping; /* 421 as soon as nothing is in work */
	bool is_skipping; /* an overlong line, to its end */
	bool is_new;      /* TLS comes before the greeting */
	bool has_progress; /* a line was taken: the client's time begins anew */
	bool is_given;    /* the policy answered, run() has not looked yet */
	struct smtp_answer given;
	struct buf given_text;
	const char *reason; /* why it ends, for the log */
	bool is_esmtp, is_authenticated;
	bool is_auth_open; /* the policy has an exchange under way */
	int64_t deadline;
	struct line line;
	uint64_t errors, messages, bytes;

	struct region names; /* of the session; reset by each greeting */
	struct slice helo;
	enum smtp_verb verb; /* of the command in work */
	struct buf what;     /* its argument, for the log */

	/* The transaction. */
	struct region mem;
	bool is_begun; /* `reset` is due */
	struct smtp_mail mail;
	size_t recipients;
	uint64_t size;
	struct smtp_header header;
	struct dot_decoder dot;
	bool is_last_cr, is_line_open; /* of chunks: the last octets */
	uint64_t chunk_left;
	bool is_chunk_last;
	enum smtp_state before; /* the chunk; for one that may not be */
	bool is_out_of_order;
	bool is_refused, is_smuggled;
	struct smtp_answer refusal;
	struct smtp_rcpt_answer *answers; /* LMTP, one per recipient */
	size_t answered, told;
};

/* ---- smtp_server.c ---- */

/* The only way to another state; BUG on an edge that is not in the table. */
void smtp_enter(struct smtp_server *s, enum smtp_state state);
/* The policy is about to be asked; its answer comes to the function for
 * `wait`. */
void smtp_wait(struct smtp_server *s, enum smtp_wait wait);
/* Writes a reply; refusals are counted and logged. */
void smtp_reply(struct smtp_server *s, const struct smtp_answer *a);
/* The same with parts; the text is static or copied. */
void smtp_say(struct smtp_server *s, int code, unsigned a, unsigned b,
    unsigned c, const char *text);
/* The last reply was written: nothing more is read. */
void smtp_close(struct smtp_server *s);
/* Ends the transaction, if there is one. */
void smtp_reset(struct smtp_server *s);
/* A copy of an answer whose text lives in the transaction's region. */
struct smtp_answer smtp_keep(struct smtp_server *s,
    const struct smtp_answer *a);

/* ---- smtp_server_cmd.c ---- */

/* Runs one line, which is still the front of the connection's input. */
void smtp_run_line(struct smtp_server *s, struct slice line);
/* Answers of the policy, by what was asked. */
void smtp_greeted_done(struct smtp_server *s, const struct smtp_answer *a);
void smtp_mail_done(struct smtp_server *s, const struct smtp_answer *a);
void smtp_rcpt_done(struct smtp_server *s, const struct smtp_answer *a);
void smtp_verify_done(struct smtp_server *s, const struct smtp_answer *a);
/* Is AUTH (STARTTLS) offered to this client now? */
bool smtp_offers_auth(const struct smtp_server *s);
bool smtp_offers_tls(const struct smtp_server *s);
/* The certificates to offer, or NULL. */
struct tls_server *smtp_tls(const struct smtp_server *s);

/* ---- smtp_server_auth.c ---- */

void smtp_auth(struct smtp_server *s, const struct smtp_cmd *cmd);
void smtp_auth_line(struct smtp_server *s, struct slice line);
/* The exchange, if there is one, is over without a result. */
void smtp_auth_drop(struct smtp_server *s);
void smtp_auth_done(struct smtp_server *s, const struct smtp_answer *a);

/* ---- smtp_server_data.c ---- */

void smtp_data(struct smtp_server *s, const struct smtp_cmd *cmd);
void smtp_bdat(struct smtp_server *s, const struct smtp_cmd *cmd);
/* A BDAT that may not be: its octets are read all the same, then `a`. */
void smtp_bdat_refuse(struct smtp_server *s, const struct smtp_cmd *cmd,
    const struct smtp_answer *a);
void smtp_data_done(struct smtp_server *s, const struct smtp_answer *a);
void smtp_chunk_done(struct smtp_server *s, const struct smtp_answer *a);
void smtp_end_done(struct smtp_server *s, const struct smtp_answer *a);
/* Takes what can be taken of the message's octets. False: nothing now. */
bool smtp_step_data(struct smtp_server *s);
bool smtp_step_chunk(struct smtp_server *s);

/* ---- smtp_server_header.c ---- */

void smtp_header_init(struct smtp_server *s);
void smtp_header_fini(struct smtp_server *s);
/* Octets of the message on their way to the policy, through the header's
 * inspection while that is not over. */
void smtp_header_feed(struct smtp_server *s, struct slice bytes);
/* The message is complete. */
void smtp_header_end(struct smtp_server *s);

#endif
