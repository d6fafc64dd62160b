/* SPDX-License-Identifier: ISC */
/*
 * The server's side of PLAIN (RFC 4616), LOGIN and SCRAM (RFC 5802 5). A
 * message that comes in a state without a row in feeds[] ends the exchange.
 */
#include "proto/sasl_server.h"

#include "base/base64.h"
#include "proto/limits.h"

enum state {
	FIRST,	/* the client's first message is awaited */
	SECOND, /* LOGIN: its password; SCRAM: its final message */
	KEYS,	/* the caller looks for keys */
	PROOF,	/* the caller checks the proof */
	LAST,	/* SCRAM: the client's empty answer to our signature */
	OVER
};
enum { STATES = OVER + 1 };

typedef enum sasl_step feed_fn(struct sasl_server *, struct slice,
    struct buf *);

static feed_fn plain_first, login_first, login_second, scram_first,
    scram_second, scram_last;

static feed_fn *const feeds[SASL_MECHS][STATES] = {
	[SASL_PLAIN] = { [FIRST] = plain_first },
	[SASL_LOGIN] = { [FIRST] = login_first, [SECOND] = login_second },
	[SASL_SCRAM_SHA_256] = { [FIRST] = scram_first,
	    [SECOND] = scram_second, [LAST] = scram_last },
	[SASL_SCRAM_SHA_256_PLUS] = { [FIRST] = scram_first,
	    [SECOND] = scram_second, [LAST] = scram_last },
};

static enum sasl_step
refuse(struct sasl_server *s, enum scram_error error)
{
	s->state = OVER;
	s->error = error;
	return SASL_REFUSED;
}

/* Goes on to `state`, unless memory or a limit ran out on the way. */
static enum sasl_step
go_on(struct sasl_server *s, const struct buf *out, enum state state,
    enum sasl_step step)
{
	if (!buf_is_ok(out) || !buf_is_ok(&s->name) ||
	    !buf_is_ok(&s->authzid) || !buf_is_ok(&s->password) ||
	    !buf_is_ok(&s->nonce) || !buf_is_ok(&s->binding) ||
	    !buf_is_ok(&s->auth_message))
		return refuse(s, SCRAM_NO_RESOURCES);
	s->state = (int)state;
	return step;
}

static enum sasl_step
plain_first(struct sasl_server *s, struct slice message, struct buf *out)
{
	struct sasl_plain p;

	if (sasl_plain_parse(message, &p) < 0)
		return refuse(s, SCRAM_OTHER_ERROR);
	buf_add_slice(&s->authzid, p.authzid);
	buf_add_slice(&s->name, p.name);
	buf_add_slice(&s->password, p.password);
	return go_on(s, out, OVER, SASL_PASSWORD);
}

static enum sasl_step
login_first(struct sasl_server *s, struct slice message, struct buf *out)
{
	if (!sasl_is_name(message))
		return refuse(s, SCRAM_OTHER_ERROR);
	buf_add_slice(&s->name, message);
	buf_add_str(out, "Password:");
	return go_on(s, out, SECOND, SASL_CHALLENGE);
}

static enum sasl_step
login_second(struct sasl_server *s, struct slice message, struct buf *out)
{
	if (!sasl_is_password(message))
		return refuse(s, SCRAM_OTHER_ERROR);
	buf_add_slice(&s->password, message);
	return go_on(s, out, OVER, SASL_PASSWORD);
}

/*
 * Of the client's first message three things are needed later: its bare part
 * begins the AuthMessage, its nonce begins the whole one, and GS2 header and
 * binding data together are what c= must hold.
 */
static enum sasl_step
scram_first(struct sasl_server *s, struct slice message, struct buf *out)
{
	struct scram_client_first f;
	enum scram_error error;
	struct slice data;

	if (scram_client_first_parse(message, &f, &error) < 0 ||
	    scram_binding_find(&f, s->mech, &s->channel, &data, &error) < 0)
		return refuse(s, error);
	if (scram_name_decode(f.name, &s->name) < 0 ||
	    (f.authzid.n > 0 && scram_name_decode(f.authzid, &s->authzid) < 0))
		return refuse(s, SCRAM_INVALID_USERNAME_ENCODING);
	buf_add_slice(&s->auth_message, f.bare);
	/* In s->nonce stands our half; it has room for both. */
	buf_add_slice(&s->message, f.nonce);
	buf_add_slice(&s->message, buf_slice(&s->nonce));
	buf_reset(&s->nonce);
	buf_add_slice(&s->nonce, buf_slice(&s->message));
	buf_reset(&s->message);
	buf_add_slice(&s->binding, f.gs2);
	buf_add_slice(&s->binding, data);
	return go_on(s, out, KEYS, SASL_KEYS);
}

/* RFC 5802 6: what c= should be is built anew and compared. */
static bool
is_same_binding(struct sasl_server *s, struct slice binding)
{
	buf_reset(&s->message);
	base64_encode(&s->message, buf_slice(&s->binding));
	return buf_is_ok(&s->message) &&
	    slice_eq(buf_slice(&s->message), binding);
}

static enum sasl_step
scram_second(struct sasl_server *s, struct slice message, struct buf *out)
{
	struct scram_client_final f;
	enum scram_error error;

	if (scram_client_final_parse(message, &f, &error) < 0)
		return refuse(s, error);
	if (!slice_eq(f.nonce, buf_slice(&s->nonce)))
		return refuse(s, SCRAM_OTHER_ERROR);
	if (!is_same_binding(s, f.binding))
		return refuse(s, SCRAM_BINDINGS_DONT_MATCH);
	if (scram_hash_decode(f.proof, &s->proof) < 0)
		return refuse(s, SCRAM_INVALID_ENCODING);
	buf_add_char(&s->auth_message, ',');
	buf_add_slice(&s->auth_message, f.without_proof);
	return go_on(s, out, PROOF, SASL_PROOF);
}

static enum sasl_step
scram_last(struct sasl_server *s, struct slice message, struct buf *out)
{
	if (message.n > 0)
		return refuse(s, SCRAM_OTHER_ERROR);
	return go_on(s, out, OVER, SASL_DONE);
}

void
sasl_server_init(struct sasl_server *s, enum sasl_mech mech,
    const struct sasl_channel *channel, struct slice nonce)
{
	*s = (struct sasl_server){ .mech = mech, .channel = *channel };
	buf_init(&s->name, LIMIT_SASL_NAME);
	buf_init(&s->authzid, LIMIT_SASL_NAME);
	buf_init(&s->password, LIMIT_SASL_PASSWORD);
	/* base64_decode asks for the room of whole triples. */
	buf_init(&s->proof, SCRAM_HASH + 2);
	buf_init(&s->auth_message, (size_t)3 * LIMIT_SASL_MESSAGE);
	buf_init(&s->nonce, LIMIT_SCRAM_NONCE);
	buf_init(&s->binding, LIMIT_SASL_MESSAGE);
	buf_init(&s->message, (size_t)2 * LIMIT_SASL_MESSAGE);
	buf_add_slice(&s->nonce, nonce);
}

void
sasl_server_fini(struct sasl_server *s)
{
	buf_fini_secret(&s->name);
	buf_fini_secret(&s->authzid);
	buf_fini_secret(&s->password);
	buf_fini_secret(&s->proof);
	buf_fini_secret(&s->auth_message);
	buf_fini_secret(&s->nonce);
	buf_fini_secret(&s->binding);
	buf_fini_secret(&s->message);
	s->state = OVER;
}

enum sasl_step
sasl_server_start(struct sasl_server *s, struct buf *out)
{
	if (s->state != FIRST)
		return refuse(s, SCRAM_OTHER_ERROR);
	if (s->mech == SASL_LOGIN)
		buf_add_str(out, "Username:");
	return go_on(s, out, FIRST, SASL_CHALLENGE);
}

enum sasl_step
sasl_server_feed(struct sasl_server *s, struct slice message, struct buf *out)
{
	feed_fn *feed = feeds[s->mech][s->state];

	if (feed == NULL || message.n > LIMIT_SASL_MESSAGE)
		return refuse(s, SCRAM_OTHER_ERROR);
	return feed(s, message, out);
}

enum sasl_step
sasl_server_keys(struct sasl_server *s, struct slice salt,
    uint32_t iterations, struct buf *out)
{
	size_t start = out->n;

	if (s->state != KEYS)
		return refuse(s, SCRAM_OTHER_ERROR);
	scram_server_first_format(out, buf_slice(&s->nonce), salt, iterations);
	buf_add_char(&s->auth_message, ',');
	buf_add_slice(&s->auth_message, slice_from(buf_slice(out), start));
	return go_on(s, out, SECOND, SASL_CHALLENGE);
}

enum sasl_step
sasl_server_proved(struct sasl_server *s, struct slice signature,
    struct buf *out)
{
	if (s->state != PROOF)
		return refuse(s, SCRAM_OTHER_ERROR);
	scram_server_final_format(out, signature);
	return go_on(s, out, LAST, SASL_CHALLENGE);
}
