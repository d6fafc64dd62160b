/* SPDX-License-Identifier: ISC */
/*
 * One client of `access` from its connection to its end. The protocols
 * (access_imap.c, access_pop3.c) read commands and word the answers; the login
 * (access_login.c) asks `auth` and the broker; then a carrier takes over.
 *
 * Nothing here frees a client while it is being worked on: what is over is
 * marked so, and access_client_settle() ends it when the event has been dealt
 * with.
 */
#ifndef MDA_ACCESS_CLIENT_H
#define MDA_ACCESS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "conf/conf_access.h"
#include "proto/sasl.h"
#include "session/front.h"

struct access_client;
struct access_login;
struct carrier;
struct conn;
struct line;

enum {
	/* Holds any command before the login, an AUTHENTICATE with the longest
	 * initial response included, and is enough for the carrier. */
	ACCESS_INPUT_MAX = 16384,
	ACCESS_OUTPUT_HIGH = 65536,
	ACCESS_OUTPUT_LOW = 16384,
	/* Commands that were refused, before the login. */
	ACCESS_ERRORS_MAX = 20,
	ACCESS_FINISH_MS = 5000,
	/* For `auth` (its queue of slow hashes) and the broker. */
	ACCESS_AUTH_MS = 30000,
	ACCESS_OPEN_MS = 60000
};

enum access_state {
	ACCESS_CHECKING, /* `state` is asked whether it has too many already;
			  * nothing is read: it may be a TLS handshake */
	ACCESS_SHAKING,  /* TLS handshake */
	ACCESS_COMMANDS, /* greeted: a command is awaited */
	ACCESS_EXCHANGE, /* a challenge was sent: its answer is awaited */
	ACCESS_ASKING,   /* auth or the broker is asked; nothing is read */
	ACCESS_CARRYING, /* logged in: bytes go to and fro */
	ACCESS_OVER,     /* what was said last is still being sent */
	ACCESS_STATES
};

/* Why a login came to nothing: R(NAME, IMAP's condition and its response code
 * (RFC 5530), POP3's (RFC 2449, 3206), words). */
#define ACCESS_REFUSALS(R) \
	R(WRONG, "NO", "AUTHENTICATIONFAILED", "AUTH", \
	    "Authentication failed.") \
	R(LATER, "NO", "UNAVAILABLE", "SYS/TEMP", \
	    "Login is not possible just now, try again later.") \
	R(SLOW_DOWN, "NO", "LIMIT", "SYS/TEMP", \
	    "Too many failed logins, try again later.") \
	R(DISABLED, "NO", "CONTACTADMIN", "SYS/PERM", \
	    "The account is switched off.") \
	R(MALFORMED, "BAD", "", "", \
	    "The authentication exchange is not well formed.") \
	R(CANCELLED, "BAD", "", "", "Authentication cancelled.") \
	R(PLAINTEXT, "NO", "PRIVACYREQUIRED", "AUTH", \
	    "Logging in needs TLS.") \
	R(MECHANISM, "NO", "", "", "This mechanism is not offered.") \
	R(OWNER_LATER, "NO", "UNAVAILABLE", "SYS/TEMP", \
	    "The mailbox cannot be opened just now.") \
	R(OWNER_FAILED, "NO", "CONTACTADMIN", "SYS/PERM", \
	    "The mailbox cannot be opened.")

enum access_refusal {
#define R(name, condition, imap, pop3, text) ACCESS_NO_##name,
	ACCESS_REFUSALS(R)
#undef R
	ACCESS_REFUSAL_COUNT
};

/* Why the connection is closed by us: B(NAME, IMAP's code, POP3's, words). */
#define ACCESS_BYES(B) \
	B(CROWDED, "LIMIT", "SYS/TEMP", \
	    "Too many connections from your address.") \
	B(STOPPING, "UNAVAILABLE", "SYS/TEMP", \
	    "The server is going down, come back in a moment.") \
	B(LOGIN_TIMEOUT, "", "SYS/TEMP", "Too much time without a login.") \
	B(IDLE, "", "SYS/TEMP", "Too much time without a command.") \
	B(FAILURES, "", "AUTH", "Too many failed logins.") \
	B(ERRORS, "", "SYS/PERM", "Too many commands were refused.") \
	B(FRAMING, "", "SYS/PERM", "This is too long or not well formed.") \
	B(OWNER_LOST, "UNAVAILABLE", "SYS/TEMP", \
	    "The mailbox is not available any more, log in again.") \
	B(MEMORY, "UNAVAILABLE", "SYS/TEMP", "Out of memory.")

enum access_bye {
#define B(name, imap, pop3, text) ACCESS_BYE_##name,
	ACCESS_BYES(B)
#undef B
	ACCESS_BYE_COUNT
};

struct access_words {
	const char *condition; /* of a refusal under IMAP */
	const char *imap, *pop3, *text;
};
extern const struct access_words access_refusals[ACCESS_REFUSAL_COUNT];
extern const struct access_words access_byes[ACCESS_BYE_COUNT];

/* What differs between IMAP and POP3. `pre` is the protocol's own state until
 * the login; all but begin are called with it. */
struct access_protocol {
	const char *name; /* for auth, the broker and the log */
	/* 0, or -1 out of memory. */
	int (*begin)(struct access_client *c);
	void (*end)(struct access_client *c);
	void (*greet)(struct access_client *c);
	/* In ACCESS_COMMANDS and ACCESS_EXCHANGE: takes the next command or
	 * line; false when there is none yet. */
	bool (*step)(struct access_client *c);
	void (*challenge)(struct access_client *c, struct slice message);
	/* The answer to the login command. `text` if not empty replaces the
	 * words. */
	void (*refuse)(struct access_client *c, enum access_refusal why,
	    struct slice text);
	/* Also with pre == NULL, then about a session. */
	void (*bye)(struct access_client *c, enum access_bye why);
	/* The tag of the login command; empty for POP3. */
	struct slice (*tag)(const struct access_client *c);
};
extern const struct access_protocol access_imap, access_pop3;

struct access_client {
	struct front_client front;
	int fd;            /* until there is a conn */
	struct conn *conn; /* NULL while checking, and once given away */
	int64_t login_by;
	const struct access_protocol *protocol;
	enum access_state state;
	bool is_greeted;
	unsigned failures, errors;
	void *pre;
	struct access_login *login;
	struct carrier *carrier;
};

/* The section as it holds now. */
const struct conf_access *access_conf(void);

/* ---- access_client.c ---- */

void access_accept(const char *service, int fd);
/* A reload. */
void access_set_conf(const struct conf_access *conf);
/* For struct front_role: says goodbye, or waits for the owner to. */
void access_client_stop(struct front_client *f);
void access_client_abort(struct front_client *f);
void access_clients_status(struct buf *row);

/* Only inside of these three may a client be freed. Called last in every
 * callback that works on one. */
void access_client_settle(struct access_client *c);
/* Says why, and marks it over. */
void access_client_bye(struct access_client *c, enum access_bye why);
/* No more is to be said: sends what is left, and marks it over. */
void access_client_over(struct access_client *c);
/* Reading stops (starts) with ACCESS_ASKING. */
void access_client_enter(struct access_client *c, enum access_state state);
/* Gives the next line of the input to `run`; false when there is none yet. */
bool access_client_line(struct access_client *c, struct line *framing,
    void (*run)(struct access_client *c, struct slice line));
/* So much of the input was dealt with, be the connection gone by that. */
void access_client_took(struct access_client *c, size_t n);
/* A command was refused: enough of them end the connection. */
void access_client_error(struct access_client *c);
/* The same for logins, of which fewer are allowed. */
void access_client_failure(struct access_client *c);
/* Answers STARTTLS or STLS with `ok` and begins TLS; what the client sent
 * behind the command is dropped. */
void access_client_starttls(struct access_client *c, const char *ok);
/* The mechanisms to be offered now, bits 1 << enum sasl_mech. 0 without TLS
 * unless the configuration says otherwise. */
unsigned access_client_mechs(const struct access_client *c);
/* Is TLS to be offered? */
bool access_client_can_tls(const struct access_client *c);
/* The login is complete: the stream and the control link of its owner, which
 * are the callee's. */
void access_client_carry(struct access_client *c, int stream, int control);

/* ---- access_login.c ---- */

/* Begins an exchange; `initial` is decoded. The answer comes from the loop: a
 * challenge, a refusal or the session. The state becomes ACCESS_ASKING. */
void access_login_start(struct access_client *c, enum sasl_mech mech,
    bool has_initial, struct slice initial);
/* LOGIN and PASS, as mechanism PLAIN. */
void access_login_password(struct access_client *c, struct slice user,
    struct slice password);
/* A line in ACCESS_EXCHANGE: base 64, or "*". */
void access_login_line(struct access_client *c, struct slice line);
/* The name and mechanism of AUTHENTICATE or AUTH, and its initial response as
 * it came (p == NULL for none). */
void access_login_command(struct access_client *c, struct slice mechanism,
    struct slice initial);
/* Ends whatever is under way, without an answer. */
void access_login_end(struct access_client *c);

#endif
