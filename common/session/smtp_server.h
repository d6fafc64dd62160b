/* SPDX-License-Identifier: ISC */
/*
 * One session of an SMTP (RFC 5321), submission (RFC 6409) or LMTP (RFC 2033)
 * server: framing, order, pipelining, the extensions, the message's octets.
 * What may come in and where it goes is the policy's, a table of callbacks.
 *
 * A callback that "asks" is answered once, inside it or later, by
 * smtp_server_answer(); until then nothing more is read from the client. All
 * callbacks come from the loop; the calls below never call back.
 */
#ifndef SESSION_SMTP_SERVER_H
#define SESSION_SMTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "proto/header.h"
#include "proto/sasl.h"
#include "proto/smtp_cmd.h"
#include "proto/status.h"

struct conn;
struct loop;
struct smtp_server;
struct tls_server;

/* A reply. 421 and is_last close the connection behind it. */
struct smtp_answer {
	int code; /* 0: yes, in the engine's own words */
	struct enhanced enhanced;
	struct slice text; /* one line, ASCII; copied */
	bool is_last;
};

/* A pointer to a constant: SMTP_ANSWER(550, 5, 1, 1, "No such user"). */
#define SMTP_ANSWER(code_, a, b, c, text_) \
	__extension__({ \
		static const struct smtp_answer answer_ = { \
			.code = (code_), .enhanced = { (a), (b), (c) }, \
			.text = SLICE(text_) \
		}; \
		&answer_; \
	})

/* Read anew at each use: a reload may change it under a session. */
struct smtp_server_options {
	bool is_lmtp;
	bool needs_auth;     /* no MAIL before AUTH */
	bool plaintext_auth; /* AUTH without TLS too */
	const char *hostname;
	const char *greeting; /* behind the name; may be empty */
	/* The certificates, or NULL for none just now. NULL: no TLS. */
	struct tls_server *(*tls)(void);
	unsigned mechs;      /* 1 << enum sasl_mech; 0: no AUTH */
	uint64_t message_size;
	uint64_t recipients; /* of one transaction */
	uint64_t transactions;
	uint64_t errors;     /* refused commands */
	uint64_t hops;       /* Received fields */
	int64_t command_ms, data_ms;
};

enum smtp_field {
	SMTP_FIELD_KEEP, /* passed on as it is */
	SMTP_FIELD_DROP,
	SMTP_FIELD_END   /* the body begins here */
};

struct smtp_policy {
	/* Asks, each may be NULL for "yes". */
	/* The client is there, nothing was said (under TLS_FIRST: TLS is up). A
	 * refusal is the greeting, and the end. */
	void (*connected)(struct smtp_server *s);
	/* HELO, EHLO, LHLO. The views of this and the next two are valid
	 * inside the callback. */
	void (*greeted)(struct smtp_server *s, struct slice name);
	/* Begins a transaction, which `reset` ends, also after a refusal. */
	void (*mail)(struct smtp_server *s, const struct smtp_mail *m);
	void (*rcpt)(struct smtp_server *s, const struct smtp_rcpt *r);
	/* The recipients are complete, the message comes. */
	void (*data)(struct smtp_server *s);
	/* The message is complete. LMTP: smtp_server_answer_rcpt for each. */
	void (*end)(struct smtp_server *s);
	/* VRFY (EXPN never comes here). */
	void (*verify)(struct smtp_server *s, const struct smtp_cmd *cmd);
	/* AUTH; `message` is decoded. A challenge or an answer is due; the
	 * session counts as logged in behind an answer 235. */
	void (*auth)(struct smtp_server *s, enum sasl_mech mech,
	    bool has_initial, struct slice initial);
	void (*auth_more)(struct smtp_server *s, struct slice message);

	/* Tells. */
	/* A field of the header, or a line that is none. NULL: all is kept. */
	enum smtp_field (*field)(struct smtp_server *s,
	    const struct header_field *f);
	/* The header's end, before the empty line is written, if there is one
	 * (has_blank). May be NULL. */
	void (*header_end)(struct smtp_server *s, bool has_blank);
	/* The message's octets in order. */
	void (*body)(struct smtp_server *s, struct slice bytes);
	/* No room for more octets: smtp_server_room() will be called. */
	bool (*is_full)(struct smtp_server *s);
	/* The client cancelled AUTH, or is gone in the middle. May be NULL. */
	void (*auth_abort)(struct smtp_server *s);
	/* The transaction is over in whatever way. */
	void (*reset)(struct smtp_server *s);
	/* The session is about to die; the last call. */
	void (*closed)(struct smtp_server *s);
};

enum smtp_server_start {
	SMTP_SERVER_TLS_FIRST = 1 /* port 465: TLS before the greeting */
};

/*
 * Takes over the connected socket. `id` (copied) names the session in logs.
 * `data` is the policy's. NULL (out of memory) leaves the socket alone. The
 * first callback comes from the loop.
 */
struct smtp_server *smtp_server_new(struct loop *l, int fd, const char *id,
    const struct smtp_server_options *o, const struct smtp_policy *p,
    void *data, unsigned start);
/* The server stops: says 421 now, or behind the message that is in work. */
void smtp_server_stop(struct smtp_server *s);
/* Closes now. `reset` and `closed` come before it returns. */
void smtp_server_abort(struct smtp_server *s);

/* ---- answers ---- */

/* To what was asked. NULL: yes. In LMTP, to `end`: the same for each. */
void smtp_server_answer(struct smtp_server *s, const struct smtp_answer *a);
/* LMTP, to `end`: the answer for the accepted recipient number `i`. */
void smtp_server_answer_rcpt(struct smtp_server *s, size_t i,
    const struct smtp_answer *a);
/* AUTH goes on: 334. */
void smtp_server_challenge(struct smtp_server *s, struct slice message);
/* From field, header_end, body, or at any time during the message: what is
 * left of it is read and dropped, then this is the answer (the first one
 * counts). `reset` comes at that end. */
void smtp_server_refuse(struct smtp_server *s, const struct smtp_answer *a);
/* is_full does not hold any more. */
void smtp_server_room(struct smtp_server *s);

/* ---- what is known ---- */

void *smtp_server_data(const struct smtp_server *s);
struct conn *smtp_server_conn(const struct smtp_server *s);
const char *smtp_server_id(const struct smtp_server *s);
const struct smtp_server_options *smtp_server_options(
    const struct smtp_server *s);
/* The name the client gave, as it came; empty before. */
struct slice smtp_server_helo(const struct smtp_server *s);
/* Bits of enum received_with of proto/received.h. */
unsigned smtp_server_with(const struct smtp_server *s);
bool smtp_server_is_authenticated(const struct smtp_server *s);
/* MAIL as it was given, until `reset`. */
const struct smtp_mail *smtp_server_mail(const struct smtp_server *s);
/* Recipients accepted so far in this transaction. */
size_t smtp_server_recipients(const struct smtp_server *s);
/* Octets of the message seen so far. */
uint64_t smtp_server_size(const struct smtp_server *s);
/* Nothing is in work between client and policy: can be stopped at once. */
bool smtp_server_is_idle(const struct smtp_server *s);

#endif
