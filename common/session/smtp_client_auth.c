/* SPDX-License-Identifier: ISC */
/*
 * AUTH, for a smarthost: RFC 4954 4, with the exchange of proto/sasl_client.h.
 * What fails here is our configuration or the server's mood, never a
 * recipient's fault: it is always "later", so that no mail is returned because
 * a password was changed.
 */
#include <sys/random.h>

#include "base/base64.h"
#include "proto/limits.h"
#include "session/smtp_client_priv.h"
#include "sys/log.h"
#include "sys/scram_keys.h"

enum { NONCE = 18, LINE_SLACK = 64 };

/* Enhanced codes of RFC 4954 6, made temporary. */
static const struct enhanced not_offered = { 4, 7, 4 };
static const struct enhanced refused = { 4, 7, 8 };
static const struct enhanced no_proof = { 4, 7, 7 };

/* The bits of proto/smtp_caps.h are those of proto/sasl.h. */
_Static_assert(SMTP_AUTH_PLAIN == 1 << SASL_PLAIN &&
    SMTP_AUTH_LOGIN == 1 << SASL_LOGIN &&
    SMTP_AUTH_SCRAM_SHA_256 == 1 << SASL_SCRAM_SHA_256 &&
    SMTP_AUTH_SCRAM_SHA_256_PLUS == 1 << SASL_SCRAM_SHA_256_PLUS,
    "mechanisms");

void
smtp_auth_init(struct smtp_auth *a, const struct smtp_client_login *login)
{
	buf_init(&a->name, LIMIT_SASL_NAME);
	buf_init(&a->password, LIMIT_SASL_PASSWORD);
	buf_init(&a->nonce, 2 * NONCE);
	a->is_wanted = login != NULL;
	if (login == NULL)
		return;
	buf_add_slice(&a->name, login->name);
	buf_add_slice(&a->password, login->password);
}

void
smtp_auth_fini(struct smtp_auth *a)
{
	if (a->has_begun)
		sasl_client_fini(&a->sasl);
	a->has_begun = false;
	buf_fini_secret(&a->name);
	buf_fini_secret(&a->password);
	buf_fini_secret(&a->nonce);
}

static int
make_nonce(struct smtp_auth *a)
{
	char bytes[NONCE];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return -1;
	buf_reset(&a->nonce);
	base64_encode(&a->nonce, (struct slice){ bytes, sizeof bytes });
	return buf_is_ok(&a->nonce) ? 0 : -1;
}

/* All its memory at once: growing would leave copies that nobody wipes. */
static void
init_secret(struct buf *b, size_t max)
{
	buf_init(b, max);
	(void)buf_room(b, max);
}

/* A line with a message in it, which the log does not show. */
static void
say(struct smtp_client *c, const char *command, struct slice message,
    bool is_initial)
{
	struct buf line;

	init_secret(&line, LIMIT_SMTP_AUTH_LINE + LINE_SLACK);
	buf_add_str(&line, command);
	sasl_line_encode(&line, message, is_initial);
	if (log_is_debug())
		log_debug("event=smtp_said host=%s line=\"%s***\"",
		    conn_peer(c->conn), command);
	conn_write(c->conn, buf_slice(&line));
	conn_write(c->conn, SLICE("\r\n"));
	buf_fini_secret(&line);
}

static void
start(struct smtp_client *c, enum sasl_mech mech)
{
	struct smtp_auth *a = &c->auth;
	struct buf command, out;
	enum sasl_client_step step;
	bool has_initial;

	buf_init(&command, 64);
	buf_addf(&command, "AUTH %s", sasl_mech_name(mech));
	init_secret(&out, LIMIT_SASL_MESSAGE);
	step = sasl_client_start(&a->sasl, &out, &has_initial);
	if (step != SASL_SEND) {
		smtp_client_end_local(c, not_offered,
		    "the login cannot be used");
	} else {
		if (has_initial) {
			buf_add_char(&command, ' ');
			say(c, command.p, buf_slice(&out), true);
		} else {
			smtp_client_say(c, buf_slice(&command));
		}
		smtp_client_enter(c, SMTP_CLIENT_AUTH);
	}
	buf_fini_secret(&out);
	buf_fini(&command);
}

void
smtp_auth_begin(struct smtp_client *c)
{
	struct smtp_auth *a = &c->auth;
	struct sasl_login login = { .name = buf_slice(&a->name),
		.password = buf_slice(&a->password) };
	bool is_safe = conn_is_tls(c->conn) &&
	    (!c->conf.needs_verified || conn_tls_is_verified(c->conn));
	enum sasl_mech mech;

	if (conn_is_tls(c->conn) &&
	    conn_tls_exporter(c->conn, a->exporter) == 0)
		login.channel.exporter = (struct slice){
			(const char *)a->exporter, sizeof a->exporter };
	if (sasl_client_choose(c->caps.auth, is_safe, &login.channel, &mech) <
		0 ||
	    make_nonce(a) < 0) {
		smtp_client_end_local(c, not_offered,
		    is_safe ? "no way to log in that we know is offered"
			    : "no way to log in that does not show the "
			      "password to a stranger is offered");
		return;
	}
	login.nonce = buf_slice(&a->nonce);
	sasl_client_init(&a->sasl, mech, c->caps.auth, &login);
	a->has_begun = true;
	start(c, mech);
}

static enum sasl_client_step
prove(struct smtp_auth *a, struct buf *out)
{
	const struct scram_challenge challenge = {
		.salt = buf_slice(&a->sasl.salt),
		.iterations = a->sasl.iterations,
		.auth_message = buf_slice(&a->sasl.auth_message)
	};
	unsigned char proof[SCRAM_KEY], signature[SCRAM_KEY];

	if (scram_client_prove(buf_slice(&a->password), &challenge, proof,
		signature) < 0)
		return SASL_FAIL;
	return sasl_client_proved(&a->sasl,
	    (struct slice){ (const char *)proof, sizeof proof },
	    (struct slice){ (const char *)signature, sizeof signature }, out);
}

/* 334: a challenge. */
static void
respond(struct smtp_client *c, const struct smtp_reply *r)
{
	struct smtp_auth *a = &c->auth;
	enum sasl_client_step step = SASL_FAIL;
	enum sasl_line_error error;
	struct buf challenge, out;

	buf_init(&challenge, LIMIT_SASL_MESSAGE);
	init_secret(&out, LIMIT_SASL_MESSAGE);
	if (sasl_line_decode(r->text, false, &challenge, &error) == 0)
		step = sasl_client_feed(&a->sasl, buf_slice(&challenge), &out);
	if (step == SASL_PROVE)
		step = prove(a, &out);
	if (step == SASL_SEND) {
		say(c, "", buf_slice(&out), false);
		smtp_client_wait(c);
	} else {
		/* It is not who it should be, or does not know the way. To
		 * close says so as well as "*" would. */
		smtp_client_end_local(c, no_proof,
		    "the server failed to authenticate itself");
	}
	buf_fini_secret(&challenge);
	buf_fini_secret(&out);
}

void
smtp_auth_on_reply(struct smtp_client *c, const struct smtp_reply *r)
{
	struct smtp_reply later = *r;

	if (r->code == 334) {
		respond(c, r);
	} else if (r->code / 100 == 2 && sasl_client_is_done(&c->auth.sasl)) {
		smtp_auth_fini(&c->auth);
		smtp_client_stand(c);
	} else if (r->code / 100 == 2) {
		smtp_client_end_local(c, no_proof,
		    "the server did not prove that it knows the password");
	} else {
		later.enhanced = refused;
		smtp_client_end_later(c, &later);
	}
}
