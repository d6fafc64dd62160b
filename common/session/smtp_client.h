/* SPDX-License-Identifier: ISC */
/*
 * The client's side of SMTP and LMTP (RFC 5321, 2033) over one connection:
 * from the greeting to a session that stands, then transactions one after the
 * other, pipelined where the server can (RFC 2920). It judges replies, never
 * hosts: which to try, and again, is its owner's to say.
 *
 * No call here calls back; events come from the loop. After `ended` nothing
 * more comes: free it.
 */
#ifndef SESSION_SMTP_CLIENT_H
#define SESSION_SMTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/slice.h"
#include "proto/smtp_caps.h"
#include "proto/smtp_cmd.h"
#include "proto/status.h"
#include "session/smtp_content.h"

struct loop;
struct smtp_client;
struct tls_client;

/* What the answer is awaited to; also the order of a session. */
enum smtp_client_state {
	SMTP_CLIENT_CONNECT,  /* the connection is being made */
	SMTP_CLIENT_GREETING, /* it stands, the server speaks first */
	SMTP_CLIENT_EHLO,     /* EHLO or LHLO */
	SMTP_CLIENT_HELO,     /* HELO, because EHLO was refused */
	SMTP_CLIENT_STARTTLS,
	SMTP_CLIENT_TLS, /* the handshake */
	SMTP_CLIENT_AUTH,
	SMTP_CLIENT_READY, /* nothing: a transaction may begin */
	SMTP_CLIENT_MAIL,
	SMTP_CLIENT_RCPT,
	SMTP_CLIENT_DATA, /* DATA; or RCPTs are done and BDAT was not sent */
	SMTP_CLIENT_BODY, /* only of what is to be sent next: the content */
	SMTP_CLIENT_DOT,  /* the content, or its end */
	SMTP_CLIENT_RSET,
	SMTP_CLIENT_OVER, /* nothing more comes */
	SMTP_CLIENT_STATES
};

struct smtp_client_login {
	struct slice name, password; /* as saslprep makes them */
};

/* All copied, but for `tls`, which must outlive the client. */
struct smtp_client_conf {
	bool is_lmtp;
	const char *helo_name;
	struct tls_client *tls; /* NULL: never TLS */
	const char *tls_name;	/* of the server; NULL: none is sent */
	bool is_tls_required; /* go on only under TLS */
	bool is_tls_implicit; /* it begins before the greeting (RFC 8314 3) */
	const struct smtp_client_login *login; /* NULL: none */
	bool needs_verified; /* the certificate, before a password is shown */
	int64_t connect_ms, greeting_ms, command_ms, data_ms;
};

struct smtp_client_rcpt {
	struct slice address;
	unsigned notify;     /* enum smtp_notify; 0: not said */
	struct slice orcpt;  /* "rfc822;xtext" as it came; empty: none */
};

/* Borrowed until the transaction is over. */
struct smtp_client_mail {
	struct slice sender; /* empty: the null path */
	struct slice envid;  /* xtext; empty: none */
	enum smtp_ret ret;
	enum smtp_body body_type;
	bool is_utf8;  /* it came by SMTPUTF8 */
	bool is_probe; /* stop behind RCPT: would they be taken? */
	/* No content before a recipient was taken: an attempt before this one
	 * failed, and this one is to end with an answer that says why. */
	bool is_careful;
	const struct smtp_client_rcpt *rcpts;
	size_t n_rcpts; /* at least one */
	struct smtp_content content;
};

struct smtp_client_result {
	struct status status; /* the text is the server's, raw, a view */
	bool is_dsn_passed;   /* DONE: the server took the DSN parameters */
	/* It was one recipient too many for this transaction; others were
	 * taken (RFC 5321 4.5.3.1.10). */
	bool is_surplus;
};

struct smtp_client_end {
	struct status status; /* LATER or FAILED; code 0: no reply was had */
	enum smtp_client_state state;
	/* It had stood idle and was given up before this transaction got an
	 * answer: says nothing about the host, try a fresh one. */
	bool is_stale;
	/* TLS failed, not the host: it may be tried in the clear. */
	bool is_tls;
	/* The content went out and no answer came: it may have been taken. */
	bool is_unknown;
};

struct smtp_client_events {
	/* The session stands. */
	void (*ready)(void *arg);
	/* What became of recipient `i`; at most once each. The client may not
	 * be freed in it. */
	void (*result)(void *arg, size_t i,
	    const struct smtp_client_result *result);
	/* All recipients have results, and another transaction may begin. */
	void (*over)(void *arg);
	/* Recipients without a result have got none. */
	void (*ended)(void *arg, const struct smtp_client_end *end);
};

/* Over a connected socket, which is taken over. NULL with errno. */
struct smtp_client *smtp_client_new(struct loop *l, int fd,
    const struct smtp_client_conf *conf,
    const struct smtp_client_events *events, void *arg);
/* Connects from `from` (NULL: any) to `to`. NULL with errno. */
struct smtp_client *smtp_client_connect(struct loop *l,
    const struct sockaddr *to, socklen_t to_len, const struct sockaddr *from,
    socklen_t from_len, const struct smtp_client_conf *conf,
    const struct smtp_client_events *events, void *arg);
/* Who gets the events from now on: a connection that was kept. */
void smtp_client_set_owner(struct smtp_client *c,
    const struct smtp_client_events *events, void *arg);
/* Drops the connection as it is; in the middle of a message that keeps the
 * server from taking it. Sets *c NULL. */
void smtp_client_free(struct smtp_client **c);
/* Says QUIT where that can be said, and lets go. Sets *c NULL. */
void smtp_client_quit(struct smtp_client **c);

/*
 * Begins a transaction; the session must be ready. -1 when this server cannot
 * be given this message, with the reason in *why_r: then nothing was sent.
 */
int smtp_client_send(struct smtp_client *c,
    const struct smtp_client_mail *mail, struct status *why_r)
    __attribute__((warn_unused_result));

bool smtp_client_is_ready(const struct smtp_client *c);
/* What the server offers, its name included; valid as long as the session. */
const struct smtp_caps *smtp_client_caps(const struct smtp_client *c);
/* How many transactions have begun. */
unsigned smtp_client_count(const struct smtp_client *c);
/* The connection, for its address and TLS; NULL once it is lost. */
const struct conn *smtp_client_conn(const struct smtp_client *c);

#endif
