/* SPDX-License-Identifier: ISC */
/*
 * The client's side of PLAIN (RFC 4616), LOGIN and SCRAM (RFC 5802 5, 6). The
 * server may be hostile: a challenge that no row of feeds[] awaits is a fail.
 */
#include "proto/sasl_client.h"

#include "base/base64.h"
#include "proto/limits.h"

enum state {
	FIRST,	/* nothing said yet */
	NAME,	/* LOGIN: the name is asked for next */
	SECRET, /* LOGIN: then the password */
	SALT,	/* SCRAM: salt and iterations are awaited */
	PROVE,	/* SCRAM: the caller computes */
	VERIFY, /* SCRAM: the server's signature is awaited */
	DONE,
	FAILED
};
enum { STATES = FAILED + 1 };

typedef enum sasl_client_step feed_fn(struct sasl_client *, struct slice,
    struct buf *);

static feed_fn login_name, login_secret, scram_salt, scram_verify;

static feed_fn *const feeds[STATES] = {
	[NAME] = login_name,
	[SECRET] = login_secret,
	[SALT] = scram_salt,
	[VERIFY] = scram_verify,
};

/* Best first; `secret` ones show the password to the line. */
static const struct {
	enum sasl_mech mech;
	bool bound, secret;
} preferred[] = {
	{ SASL_SCRAM_SHA_256_PLUS, true, false },
	{ SASL_SCRAM_SHA_256, false, false },
	{ SASL_PLAIN, false, true },
	{ SASL_LOGIN, false, true },
};

int
sasl_client_choose(unsigned offered, bool encrypted,
    const struct sasl_channel *channel, enum sasl_mech *mech_r)
{
	size_t i;

	for (i = 0; i < sizeof preferred / sizeof *preferred; i++) {
		if ((offered & 1U << preferred[i].mech) == 0 ||
		    (preferred[i].bound && !sasl_has_binding(channel)) ||
		    (preferred[i].secret && !encrypted))
			continue;
		*mech_r = preferred[i].mech;
		return 0;
	}
	return -1;
}

static enum sasl_client_step
fail(struct sasl_client *c, enum scram_error error)
{
	c->state = FAILED;
	c->error = error;
	return SASL_FAIL;
}

static enum sasl_client_step
go_on(struct sasl_client *c, const struct buf *out, enum state state,
    enum sasl_client_step step)
{
	if (!buf_is_ok(out) || !buf_is_ok(&c->auth_message) ||
	    !buf_is_ok(&c->binding) || !buf_is_ok(&c->final) ||
	    !buf_is_ok(&c->signature))
		return fail(c, SCRAM_NO_RESOURCES);
	c->state = (int)state;
	return step;
}

static enum sasl_client_step
login_name(struct sasl_client *c, struct slice challenge, struct buf *out)
{
	/* Prompts differ between servers ("Username:", "User Name"). */
	buf_add_slice(out, c->login.name);
	return go_on(c, out, SECRET, SASL_SEND);
}

static enum sasl_client_step
login_secret(struct sasl_client *c, struct slice challenge, struct buf *out)
{
	buf_add_slice(out, c->login.password);
	return go_on(c, out, DONE, SASL_SEND);
}

/* The type to bind with: the default of RFC 9266 3, then what there is. */
static void
choose_binding(const struct sasl_channel *ch, struct slice *name_r,
    struct slice *data_r)
{
	if (ch->exporter.n > 0) {
		*name_r = SLICE("tls-exporter");
		*data_r = ch->exporter;
	} else if (ch->unique.n > 0) {
		*name_r = SLICE("tls-unique");
		*data_r = ch->unique;
	} else {
		*name_r = SLICE("tls-server-end-point");
		*data_r = ch->end_point;
	}
}

static enum sasl_client_step
scram_start(struct sasl_client *c, struct buf *out)
{
	struct slice name = SLICE_NONE, data = SLICE_NONE;
	char flag = 'n';

	if (!scram_is_nonce(c->login.nonce) || !sasl_is_name(c->login.name))
		return fail(c, SCRAM_OTHER_ERROR);
	if (c->mech == SASL_SCRAM_SHA_256_PLUS) {
		if (!sasl_has_binding(&c->login.channel))
			return fail(c, SCRAM_BINDING_NOT_SUPPORTED);
		flag = 'p';
		choose_binding(&c->login.channel, &name, &data);
	} else if (c->hidden_plus)
		flag = 'y'; /* we could have bound, it did not offer */
	scram_gs2_format(&c->binding, flag, name, c->login.authzid);
	buf_add_slice(out, buf_slice(&c->binding));
	buf_add_slice(&c->binding, data);
	scram_client_first_format(&c->auth_message, c->login.name,
	    c->login.nonce);
	buf_add_slice(out, buf_slice(&c->auth_message));
	return go_on(c, out, SALT, SASL_SEND);
}

static enum sasl_client_step
scram_salt(struct sasl_client *c, struct slice challenge, struct buf *out)
{
	struct scram_server_first f;
	enum scram_error error;

	if (scram_server_first_parse(challenge, c->login.nonce, &f,
		&error) < 0)
		return fail(c, error);
	if (base64_decode(&c->salt, f.salt) < 0 || c->salt.n == 0)
		return fail(c, SCRAM_INVALID_ENCODING);
	c->iterations = f.iterations;
	scram_client_final_format(&c->final, buf_slice(&c->binding), f.nonce);
	buf_add_char(&c->auth_message, ',');
	buf_add_slice(&c->auth_message, challenge);
	buf_add_char(&c->auth_message, ',');
	buf_add_slice(&c->auth_message, buf_slice(&c->final));
	return go_on(c, out, PROVE, SASL_PROVE);
}

static enum sasl_client_step
scram_verify(struct sasl_client *c, struct slice challenge, struct buf *out)
{
	enum scram_error error;
	unsigned char diff;
	struct slice text;
	struct buf got;
	size_t i;

	if (scram_server_final_parse(challenge, &text, &error) < 0)
		return fail(c, error);
	buf_init(&got, SCRAM_HASH + 2);
	diff = scram_hash_decode(text, &got) < 0;
	for (i = 0; i < got.n && i < SCRAM_HASH; i++)
		diff |= (unsigned char)(got.p[i] ^ c->signature.p[i]);
	buf_fini_secret(&got);
	if (diff != 0)
		return fail(c, SCRAM_INVALID_PROOF);
	return go_on(c, out, DONE, SASL_SEND);
}

void
sasl_client_init(struct sasl_client *c, enum sasl_mech mech, unsigned offered,
    const struct sasl_login *login)
{
	*c = (struct sasl_client){ .mech = mech, .login = *login };
	c->hidden_plus = sasl_has_binding(&login->channel) &&
	    (offered & 1U << SASL_SCRAM_SHA_256_PLUS) == 0;
	buf_init(&c->salt, LIMIT_SCRAM_SALT + 2);
	buf_init(&c->auth_message, (size_t)4 * LIMIT_SASL_MESSAGE);
	buf_init(&c->binding, LIMIT_SASL_MESSAGE);
	buf_init(&c->final, (size_t)2 * LIMIT_SASL_MESSAGE);
	buf_init(&c->signature, SCRAM_HASH);
}

void
sasl_client_fini(struct sasl_client *c)
{
	buf_fini_secret(&c->salt);
	buf_fini_secret(&c->auth_message);
	buf_fini_secret(&c->binding);
	buf_fini_secret(&c->final);
	buf_fini_secret(&c->signature);
	c->state = FAILED;
}

enum sasl_client_step
sasl_client_start(struct sasl_client *c, struct buf *out, bool *has_r)
{
	struct sasl_plain plain = { c->login.authzid, c->login.name,
		c->login.password };

	*has_r = c->mech != SASL_LOGIN;
	if (c->state != FIRST)
		return fail(c, SCRAM_OTHER_ERROR);
	if (c->mech == SASL_LOGIN)
		return go_on(c, out, NAME, SASL_SEND);
	if (c->mech != SASL_PLAIN)
		return scram_start(c, out);
	/* A NUL in a name would move the border to the password. */
	if (!sasl_is_name(plain.name) || !sasl_is_password(plain.password) ||
	    (plain.authzid.n > 0 && !sasl_is_name(plain.authzid)))
		return fail(c, SCRAM_OTHER_ERROR);
	sasl_plain_format(out, &plain);
	return go_on(c, out, DONE, SASL_SEND);
}

enum sasl_client_step
sasl_client_feed(struct sasl_client *c, struct slice challenge,
    struct buf *out)
{
	feed_fn *feed = feeds[c->state];

	if (feed == NULL || challenge.n > LIMIT_SASL_MESSAGE)
		return fail(c, SCRAM_OTHER_ERROR);
	return feed(c, challenge, out);
}

enum sasl_client_step
sasl_client_proved(struct sasl_client *c, struct slice proof,
    struct slice signature, struct buf *out)
{
	if (c->state != PROVE || signature.n != SCRAM_HASH)
		return fail(c, SCRAM_OTHER_ERROR);
	buf_add_slice(&c->signature, signature);
	buf_add_slice(out, buf_slice(&c->final));
	scram_proof_format(out, proof);
	return go_on(c, out, VERIFY, SASL_SEND);
}

bool
sasl_client_is_done(const struct sasl_client *c)
{
	return c->state == DONE;
}
