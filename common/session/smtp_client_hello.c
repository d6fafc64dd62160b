/* SPDX-License-Identifier: ISC */
/*
 * From the greeting to a session that stands: EHLO, HELO or LHLO, STARTTLS and
 * EHLO again, AUTH. RFC 5321 3.1, 3.2; RFC 2033 4.1; RFC 3207 4.
 */
#include "proto/limits.h"
#include "session/smtp_client_priv.h"

static void
say_hello(struct smtp_client *c, enum smtp_client_state state,
    const char *verb)
{
	struct buf line;

	buf_init(&line, LIMIT_SMTP_COMMAND);
	buf_addf(&line, "%s %s", verb, c->helo_name.p);
	smtp_client_say(c, buf_slice(&line));
	buf_fini(&line);
	smtp_client_enter(c, state);
}

void
smtp_hello_begin(struct smtp_client *c)
{
	say_hello(c, SMTP_CLIENT_EHLO, c->conf.is_lmtp ? "LHLO" : "EHLO");
}

/*
 * RFC 5321 3.1. A server that does not even greet us may say so with 5yz, but
 * what it means is mostly our address or its load, and it says nothing of any
 * recipient: later. 521 alone means what it says (RFC 7504 2, 4).
 */
void
smtp_hello_on_greeting(struct smtp_client *c, const struct smtp_reply *r)
{
	if (r->code / 100 == 2)
		smtp_hello_begin(c);
	else if (r->code == 521)
		smtp_client_end_reply(c, r);
	else
		smtp_client_end_later(c, r);
}

void
smtp_client_stand(struct smtp_client *c)
{
	smtp_client_enter(c, SMTP_CLIENT_READY);
	c->events->ready(c->arg);
}

/* What the server offers is known, in the clear or under TLS. */
static void
after_hello(struct smtp_client *c)
{
	if (c->auth.is_wanted)
		smtp_auth_begin(c);
	else
		smtp_client_stand(c);
}

static bool
may_start_tls(const struct smtp_client *c)
{
	return c->conf.tls != NULL && !conn_is_tls(c->conn) &&
	    (c->caps.bits & SMTP_CAP_STARTTLS) != 0;
}

static void
choose_security(struct smtp_client *c)
{
	/* RFC 3463: security features not supported. */
	const struct enhanced unsupported = { 4, 7, 4 };

	if (may_start_tls(c)) {
		smtp_client_say(c, SLICE("STARTTLS"));
		smtp_client_enter(c, SMTP_CLIENT_STARTTLS);
	} else if (c->conf.is_tls_required && !conn_is_tls(c->conn)) {
		smtp_client_end_local(c, unsupported,
		    "TLS is required and not offered");
	} else {
		after_hello(c);
	}
}

void
smtp_hello_start_tls(struct smtp_client *c)
{
	smtp_client_enter(c, SMTP_CLIENT_TLS);
	conn_start_tls_client(c->conn, c->conf.tls,
	    c->tls_name.n > 0 ? c->tls_name.p : NULL);
}

/* RFC 3207 4: any other answer means that the session goes on without it. */
void
smtp_hello_on_starttls(struct smtp_client *c, const struct smtp_reply *r)
{
	if (r->code == 220)
		smtp_hello_start_tls(c);
	else if (c->conf.is_tls_required)
		smtp_client_end_later(c, r);
	else
		after_hello(c);
}

void
smtp_hello_on_ehlo(struct smtp_client *c, const struct smtp_reply *r)
{
	if (r->code / 100 == 5 && !c->conf.is_lmtp) {
		/* RFC 5321 3.2: it may be older than EHLO. */
		say_hello(c, SMTP_CLIENT_HELO, "HELO");
		return;
	}
	if (r->code / 100 != 2) {
		smtp_client_end_reply(c, r);
		return;
	}
	c->was_secured = false;
	smtp_caps_parse(r->text, &c->caps);
	buf_reset(&c->peer_name);
	buf_add_slice(&c->peer_name, slice_head(c->caps.name, LIMIT_DOMAIN));
	c->caps.name = buf_slice(&c->peer_name);
	choose_security(c);
}

void
smtp_hello_on_helo(struct smtp_client *c, const struct smtp_reply *r)
{
	if (r->code / 100 != 2) {
		smtp_client_end_reply(c, r);
		return;
	}
	c->caps = (struct smtp_caps){ 0 };
	choose_security(c);
}
