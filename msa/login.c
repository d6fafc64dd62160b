/* SPDX-License-Identifier: ISC */
/*
 * AUTH of a submission session: every step is asked of `auth`, which knows
 * passwords; here is only told what came and what to answer. RFC 4954 6 for
 * the codes.
 */
#include "session/smtp_server.h"

#include "conf/conf_server.h"
#include "msa/session_priv.h"
#include "sys/auth_result.h"
#include "sys/conn.h"
#include "sys/daemon.h"
#include "sys/log.h"

enum { AUTH_MS = 60000 };

static uint64_t last_exchange;

static const struct smtp_answer *
refusal(unsigned result)
{
	switch (result) {
	case AUTH_FAILED:
		return SMTP_ANSWER(535, 5, 7, 8, "Wrong name or password");
	case AUTH_DISABLED:
		return SMTP_ANSWER(535, 5, 7, 13,
		    "This account is switched off");
	case AUTH_SLOW_DOWN:
		return SMTP_ANSWER(454, 4, 7, 0,
		    "Too many failures, try again later");
	case AUTH_MALFORMED:
		return SMTP_ANSWER(501, 5, 5, 2,
		    "Not as this mechanism has it");
	default:
		break;
	}
	return SMTP_ANSWER(454, 4, 7, 0,
	    "Logging in is not possible just now, try again");
}

static void
log_login(const struct session *s, const char *event)
{
	/* event=login, event=login_refused: who, and how. */
	log_info("event=%s session=%s client=%s account=%llu address=%s "
	    "mech=%s tls=%s", event, s->base.client.id,
	    conn_peer(smtp_server_conn(s->base.smtp)),
	    (unsigned long long)s->account, LOG_V(buf_slice(&s->address)),
	    sasl_mech_name(s->mech),
	    conn_is_tls(smtp_server_conn(s->base.smtp)) ? "yes" : "no");
}

static void
succeeded(struct session *s)
{
	s->exchange = 0;
	log_login(s, "login");
	smtp_server_answer(s->base.smtp, NULL);
}

static void
on_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	const struct ipc_AUTH_ANSWER *a = &m->AUTH_ANSWER;
	unsigned result = m == NULL ? AUTH_LATER : a->result;
	struct session *s = arg;

	(void)type;
	(void)fd;
	s->auth = NULL;
	if (result == AUTH_CONTINUE) {
		smtp_server_challenge(s->base.smtp, a->challenge);
		return;
	}
	if (result == AUTH_OK && a->account != 0) {
		s->account = a->account;
		buf_reset(&s->address);
		buf_add_slice(&s->address, a->address);
		/* SMTP has no room for a last word beside 235: it goes as a
		 * challenge, answered by an empty line (RFC 4954 4). */
		s->is_success_due = a->challenge.n > 0;
		if (s->is_success_due)
			smtp_server_challenge(s->base.smtp, a->challenge);
		else
			succeeded(s);
		return;
	}
	s->exchange = 0;
	log_login(s, "login_refused");
	smtp_server_answer(s->base.smtp, refusal(result));
}

void
login_start(struct smtp_server *smtp, enum sasl_mech mech, bool has_initial,
    struct slice initial)
{
	struct session *s = session_of(smtp);
	struct ipc_link *auth = daemon_peer(ROLE_AUTH);
	const struct conn *conn = smtp_server_conn(smtp);
	unsigned char binding[32];
	bool is_bound = daemon_server()->channel_binding &&
	    conn_tls_exporter(conn, binding) == 0;

	s->mech = mech;
	s->is_success_due = false;
	if (mech == SASL_SCRAM_SHA_256_PLUS && !is_bound) {
		smtp_server_answer(smtp, SMTP_ANSWER(504, 5, 5, 4,
		    "This connection has no channel to bind to"));
		return;
	}
	if (auth == NULL) {
		smtp_server_answer(smtp, refusal(AUTH_LATER));
		return;
	}
	s->exchange = ++last_exchange;
	s->auth_serial = ipc_link_serial(auth);
	s->auth = ipc_ask(auth, AUTH_START, -1, AUTH_MS, on_answer, s,
	    .exchange = s->exchange, .mech = (uint8_t)mech,
	    .tls = conn_is_tls(conn), .has_initial = has_initial,
	    .service = SLICE("smtp"), .client = slice_str(s->base.client.key),
	    .initial = initial,
	    .binding = is_bound ? (struct slice){ (const char *)binding, 32 }
				: SLICE_NONE);
}

void
login_more(struct smtp_server *smtp, struct slice message)
{
	struct session *s = session_of(smtp);
	struct ipc_link *auth = ipc_link_find(s->auth_serial);

	if (s->is_success_due) {
		s->is_success_due = false;
		if (message.n == 0) {
			succeeded(s);
			return;
		}
		s->account = 0;
		s->exchange = 0;
		smtp_server_answer(smtp, refusal(AUTH_MALFORMED));
		return;
	}
	if (auth == NULL) {
		s->exchange = 0;
		smtp_server_answer(smtp, refusal(AUTH_LATER));
		return;
	}
	s->auth = ipc_ask(auth, AUTH_MORE, -1, AUTH_MS, on_answer, s,
	    .exchange = s->exchange, .response = message);
}

void
login_abort(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);
	struct ipc_link *auth = ipc_link_find(s->auth_serial);

	if (s->exchange != 0 && auth != NULL)
		ipc_send(auth, AUTH_ABORT, -1, .exchange = s->exchange);
	s->exchange = 0;
	s->is_success_due = false;
	s->account = 0;
	login_forget(s);
}

void
login_forget(struct session *s)
{
	ipc_call_cancel(&s->auth);
}
