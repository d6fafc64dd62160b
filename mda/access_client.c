/* SPDX-License-Identifier: ISC */
/*
 * The clients of `access`: a connection that is checked, maybe made secure,
 * greeted, logged in and carried. Each callback ends with
 * access_client_settle(), where alone a client is freed.
 */
#include "mda/access_client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/conf_server.h"
#include "mda/access_carrier.h"
#include "proto/line.h"
#include "session/tls_front.h"
#include "sys/conn.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"

static const struct conn_limits limits = {
	.input_max = ACCESS_INPUT_MAX,
	.output_high = ACCESS_OUTPUT_HIGH, .output_low = ACCESS_OUTPUT_LOW,
};

const struct access_words access_refusals[ACCESS_REFUSAL_COUNT] = {
#define R(name, condition, imap, pop3, text) \
	[ACCESS_NO_##name] = { condition, imap, pop3, text },
	ACCESS_REFUSALS(R)
#undef R
};

const struct access_words access_byes[ACCESS_BYE_COUNT] = {
#define B(name, imap, pop3, text) \
	[ACCESS_BYE_##name] = { "", imap, pop3, text },
	ACCESS_BYES(B)
#undef B
};

/* What may follow what; a way that is not here is a mistake of ours. */
static const unsigned next_states[ACCESS_STATES] = {
	[ACCESS_CHECKING] = 1U << ACCESS_SHAKING | 1U << ACCESS_COMMANDS,
	[ACCESS_SHAKING] = 1U << ACCESS_COMMANDS,
	[ACCESS_COMMANDS] = 1U << ACCESS_SHAKING | 1U << ACCESS_ASKING,
	[ACCESS_EXCHANGE] = 1U << ACCESS_COMMANDS | 1U << ACCESS_ASKING,
	[ACCESS_ASKING] = 1U << ACCESS_COMMANDS | 1U << ACCESS_EXCHANGE |
	    1U << ACCESS_CARRYING,
	[ACCESS_CARRYING] = 0,
	[ACCESS_OVER] = 0,
};

static const struct service {
	const char *name;
	const struct access_protocol *protocol;
	bool is_tls;
} services[] = {
	{ "imap", &access_imap, false },
	{ "imaps", &access_imap, true },
	{ "pop3", &access_pop3, false },
	{ "pop3s", &access_pop3, true },
};
enum { SERVICES = sizeof services / sizeof *services };

static struct {
	struct conf_access conf;
	uint64_t sessions, failures; /* that ever were */
} self;

const struct conf_access *
access_conf(void)
{
	return &self.conf;
}

void
access_set_conf(const struct conf_access *conf)
{
	self.conf = *conf;
}

static const struct service *
service_of(const struct access_client *c)
{
	size_t i;

	for (i = 0; i < SERVICES; i++)
		if (strcmp(c->front.service, services[i].name) == 0)
			return &services[i];
	return NULL;
}

/* ---- the end ---- */

static void
client_free(struct access_client *c)
{
	access_login_end(c);
	if (c->pre != NULL)
		c->protocol->end(c);
	carrier_free(&c->carrier);
	conn_free(&c->conn);
	if (c->fd >= 0)
		(void)close(c->fd);
	front_done(&c->front);
	free(c);
}

void
access_client_settle(struct access_client *c)
{
	if (c->state != ACCESS_OVER)
		return;
	/* The owner may still have to be heard. */
	if (c->carrier == NULL)
		client_free(c);
}

void
access_client_over(struct access_client *c)
{
	c->state = ACCESS_OVER;
	access_login_end(c);
	conn_finish(&c->conn, ACCESS_FINISH_MS);
}

void
access_client_bye(struct access_client *c, enum access_bye why)
{
	if (c->state == ACCESS_OVER)
		return;
	if (c->carrier == NULL || carrier_is_at_line(c->carrier))
		c->protocol->bye(c, why);
	access_client_over(c);
}

static const char *
client_text(const struct access_client *c, char text[SOCKADDR_TEXT_MAX])
{
	return sockaddr_format((const struct sockaddr *)&c->front.addr,
	    c->front.addr_len, text);
}

static void
log_session_end(const struct access_client *c, struct slice why)
{
	char client[SOCKADDR_TEXT_MAX];

	log_info("event=session_end session=%s service=%s client=%s in=%llu "
		 "out=%llu why=%s",
	    c->front.id, c->front.service, client_text(c, client),
	    (unsigned long long)carrier_bytes_in(c->carrier),
	    (unsigned long long)carrier_bytes_out(c->carrier), LOG_V(why));
}

/* ---- states ---- */

void
access_client_enter(struct access_client *c, enum access_state state)
{
	if ((next_states[c->state] & 1U << state) == 0)
		BUG("from state %d to %d", c->state, state);
	c->state = state;
	if (state == ACCESS_ASKING)
		conn_pause(c->conn);
	else
		conn_resume(c->conn);
}

void
access_client_error(struct access_client *c)
{
	if (++c->errors >= ACCESS_ERRORS_MAX)
		access_client_bye(c, ACCESS_BYE_ERRORS);
}

static void
greet(struct access_client *c)
{
	access_client_enter(c, ACCESS_COMMANDS);
	c->is_greeted = true;
	c->protocol->greet(c);
}

bool
access_client_can_tls(const struct access_client *c)
{
	return !conn_is_tls(c->conn) && tls_front_server() != NULL;
}

unsigned
access_client_mechs(const struct access_client *c)
{
	unsigned mechs = 1U << SASL_PLAIN | 1U << SASL_LOGIN |
	    1U << SASL_SCRAM_SHA_256;
	unsigned char binding[32];

	if (!conn_is_tls(c->conn))
		return self.conf.plaintext_auth ? mechs : 0;
	if (daemon_server()->channel_binding &&
	    conn_tls_exporter(c->conn, binding) == 0)
		mechs |= 1U << SASL_SCRAM_SHA_256_PLUS;
	return mechs;
}

void
access_client_failure(struct access_client *c)
{
	self.failures++;
	if (++c->failures >= self.conf.login_failures)
		access_client_bye(c, ACCESS_BYE_FAILURES);
}

void
access_client_starttls(struct access_client *c, const char *ok)
{
	/* Whatever came behind the command was not protected: RFC 9051 6.2.1,
	 * 2595 4. The command itself is still in the input. */
	conn_write_str(c->conn, ok);
	(void)conn_discard_input(c->conn);
	access_client_enter(c, ACCESS_SHAKING);
	conn_start_tls_server(c->conn, tls_front_server());
}

/* ---- a session ---- */

static void
set_idle_deadline(struct access_client *c)
{
	int64_t ms = c->protocol == &access_imap ? self.conf.imap_timeout
						 : self.conf.pop3_timeout;

	conn_set_deadline(c->conn, clock_boot_ms() + ms);
}

static void
on_session_over(void *arg, enum carrier_end why, struct slice text)
{
	struct access_client *c = arg;

	switch (why) {
	case CARRIER_ENDED:
		log_session_end(c, text);
		break;
	case CARRIER_LOST:
		log_session_end(c, SLICE("owner lost"));
		break;
	case CARRIER_LATE:
		log_session_end(c, SLICE("owner did not end it"));
		break;
	}
	if (c->state != ACCESS_OVER) {
		if (front_is_stopping() && c->protocol == &access_imap)
			access_client_bye(c, ACCESS_BYE_STOPPING);
		else if (why == CARRIER_LOST)
			access_client_bye(c, ACCESS_BYE_OWNER_LOST);
		else
			access_client_over(c);
	}
	carrier_free(&c->carrier);
	access_client_settle(c);
}

void
access_client_carry(struct access_client *c, int stream, int control)
{
	c->carrier = carrier_new(daemon_loop(), c->conn, stream, control,
	    on_session_over, c);
	if (c->carrier == NULL) {
		access_client_bye(c, ACCESS_BYE_MEMORY);
		return;
	}
	access_login_end(c);
	c->protocol->end(c);
	c->pre = NULL;
	self.sessions++;
	set_idle_deadline(c);
	access_client_enter(c, ACCESS_CARRYING);
	if (front_is_stopping())
		carrier_input_end(c->carrier, "stopping");
}

/* ---- what the client says ---- */

void
access_client_took(struct access_client *c, size_t n)
{
	if (c->conn != NULL)
		conn_took(c->conn, n);
}

bool
access_client_line(struct access_client *c, struct line *framing,
    void (*run)(struct access_client *c, struct slice line))
{
	enum line_error error;
	struct slice line;
	ssize_t n;

	n = line_next(framing, conn_input(c->conn), &line, &error);
	if (n < 0)
		access_client_bye(c, ACCESS_BYE_FRAMING);
	if (n <= 0)
		return false;
	run(c, line);
	access_client_took(c, (size_t)n);
	return true;
}

static void
take_steps(struct access_client *c)
{
	bool more = true;

	while (more && !conn_is_full(c->conn)) {
		if (c->state != ACCESS_COMMANDS && c->state != ACCESS_EXCHANGE)
			return;
		more = c->protocol->step(c);
		if (c->state == ACCESS_OVER)
			return;
	}
	if (more)
		conn_pause(c->conn); /* until it has read the answers */
}

/* ---- the connection's events ---- */

static void
on_input(void *arg)
{
	struct access_client *c = arg;

	if (c->state == ACCESS_CARRYING) {
		set_idle_deadline(c);
		carrier_input(c->carrier);
	} else {
		take_steps(c);
	}
	access_client_settle(c);
}

static void
on_drained(void *arg)
{
	struct access_client *c = arg;

	if (c->state == ACCESS_CARRYING) {
		/* It reads, if slowly. */
		set_idle_deadline(c);
		carrier_room(c->carrier);
	} else if (c->state != ACCESS_ASKING) {
		conn_resume(c->conn);
	}
	access_client_settle(c);
}

static void
on_secured(void *arg)
{
	struct access_client *c = arg;

	if (c->is_greeted)
		access_client_enter(c, ACCESS_COMMANDS);
	else
		greet(c);
	access_client_settle(c);
}

static void
log_early_end(const struct access_client *c, enum conn_end why)
{
	static const char *const states[ACCESS_STATES] = {
		[ACCESS_SHAKING] = "tls", [ACCESS_COMMANDS] = "commands",
		[ACCESS_EXCHANGE] = "sasl", [ACCESS_ASKING] = "login",
	};

	if (why == CONN_TLS)
		log_info("event=tls_failed session=%s service=%s client=%s "
			 "why=%s",
		    c->front.id, c->front.service, conn_peer(c->conn),
		    LOG_S(conn_error_text(c->conn)));
	else
		log_debug("event=client_gone session=%s service=%s client=%s "
			  "stage=%s why=%s",
		    c->front.id, c->front.service, conn_peer(c->conn),
		    states[c->state], LOG_S(conn_error_text(c->conn)));
}

/* Before the login. */
static void
early_end(struct access_client *c, enum conn_end why)
{
	log_early_end(c, why);
	if (why == CONN_TIMEOUT && c->is_greeted &&
	    c->state != ACCESS_SHAKING)
		access_client_bye(c, ACCESS_BYE_LOGIN_TIMEOUT);
	else
		access_client_over(c);
}

static void
session_end(struct access_client *c, enum conn_end why)
{
	if (why == CONN_EOF) {
		carrier_input_end(c->carrier, "closed by the client");
		return;
	}
	carrier_client_gone(c->carrier, why == CONN_TIMEOUT
		? "idle for too long" : "connection lost");
	/* RFC 1939 3: a POP3 client is not told. */
	if (why == CONN_TIMEOUT && c->protocol == &access_imap)
		access_client_bye(c, ACCESS_BYE_IDLE);
	else
		access_client_over(c);
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct access_client *c = arg;

	if (c->state == ACCESS_CARRYING)
		session_end(c, why);
	else
		early_end(c, why);
	access_client_settle(c);
}

static const struct conn_events events = {
	.input = on_input,
	.drained = on_drained,
	.secured = on_secured,
	.ended = on_ended,
};

/* ---- the beginning ---- */

static void
log_refused(const struct access_client *c, const char *why)
{
	char client[SOCKADDR_TEXT_MAX];

	log_info("event=client_refused session=%s service=%s client=%s why=%s",
	    c->front.id, c->front.service, client_text(c, client), LOG_S(why));
}

/* It may stay: what it sends is read from here on, under TLS where TLS comes
 * first. */
static void
welcome(struct access_client *c, bool is_tls)
{
	if (!is_tls) {
		greet(c);
	} else if (tls_front_server() == NULL) {
		log_refused(c, "no certificate");
		access_client_over(c);
	} else {
		access_client_enter(c, ACCESS_SHAKING);
		conn_start_tls_server(c->conn, tls_front_server());
	}
}

static void
on_checked(struct front_client *f, bool is_allowed)
{
	struct access_client *c = LIST_OF(f, struct access_client, front);
	bool is_tls = service_of(c)->is_tls;

	c->conn = conn_new(daemon_loop(), c->fd, &limits, &events, c);
	if (c->conn == NULL) {
		client_free(c);
		return;
	}
	c->fd = -1;
	if (is_allowed) {
		conn_set_deadline(c->conn, c->login_by);
		welcome(c, is_tls);
	} else {
		log_refused(c, "too many connections");
		/* Not worth a handshake. */
		if (is_tls)
			access_client_over(c);
		else
			access_client_bye(c, ACCESS_BYE_CROWDED);
	}
	access_client_settle(c);
}

void
access_accept(const char *service, int fd)
{
	struct access_client *c = calloc(1, sizeof *c);

	if (c == NULL) {
		(void)close(fd);
		return;
	}
	c->fd = fd;
	front_open(&c->front, service, fd);
	if (service_of(c) == NULL) {
		client_free(c);
		return;
	}
	c->protocol = service_of(c)->protocol;
	if (c->protocol->begin(c) < 0) {
		client_free(c);
		return;
	}
	c->login_by = clock_boot_ms() + self.conf.login_timeout;
	front_check(&c->front, (uint64_t)self.conf.connections_per_client,
	    on_checked);
}

/* ---- the server stops ---- */

void
access_client_stop(struct front_client *f)
{
	struct access_client *c = LIST_OF(f, struct access_client, front);

	if (c->state == ACCESS_CARRYING)
		carrier_input_end(c->carrier, "stopping");
	else if (c->is_greeted && c->state != ACCESS_SHAKING)
		access_client_bye(c, ACCESS_BYE_STOPPING);
	else if (c->state != ACCESS_OVER)
		access_client_over(c);
	access_client_settle(c);
}

void
access_client_abort(struct front_client *f)
{
	struct access_client *c = LIST_OF(f, struct access_client, front);

	if (c->carrier != NULL)
		log_session_end(c, SLICE("stopping"));
	client_free(c);
}

/* ---- all of them ---- */

void
access_clients_status(struct buf *row)
{
	static const char *const names[ACCESS_STATES] = {
		"checked", "handshakes", "before_login", "exchanges",
		"logging_in", "sessions", "ending",
	};
	uint64_t by_state[ACCESS_STATES] = { 0 }, by_service[SERVICES] = { 0 };
	const struct access_client *c;
	struct front_client *f;
	size_t i;

	for (f = front_next(NULL); f != NULL; f = front_next(f)) {
		c = LIST_OF(f, struct access_client, front);
		by_state[c->state]++;
		by_service[service_of(c) - services]++;
	}
	row_pair_u64(row, "connections", front_count());
	for (i = 0; i < SERVICES; i++)
		row_pair_u64(row, services[i].name, by_service[i]);
	for (i = 0; i < ACCESS_STATES; i++)
		row_pair_u64(row, names[i], by_state[i]);
	row_pair_u64(row, "sessions_total", self.sessions);
	row_pair_u64(row, "login_failures", self.failures);
}
