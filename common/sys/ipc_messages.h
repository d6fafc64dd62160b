/* SPDX-License-Identifier: ISC */
/*
 * Every message between roles, declared once. From this table come the enum,
 * the structs, encoder, decoder, printable names and the check whether this
 * peer may say this to me (sys/ipc.h).
 *
 * M(NAME, class, kind, from, to, fd, fields)
 *   class  what kind of work it belongs to: IPC_CLASSES below says which other
 *          classes a role may wait for while it works on one; that graph has
 *          no cycle, so no two roles can wait for each other for ever.
 *   kind   ASK     wants an answer; its first field is u64 req
 *          ANSWER  the last (or only) answer to req
 *          PART    an answer to req with more to follow
 *          TELL    wants none
 *   from, to  sets of roles
 *   fd     1 when a descriptor travels with it
 *   fields F(N, type, name) with type u8 u16 u32 u64 i64 str; `str` is any
 *          bytes; 64 KiB for the whole message.
 *
 * and below it, which ANSWERs and PARTs may come to which ASK.
 */
#ifndef SYS_IPC_MESSAGES_H
#define SYS_IPC_MESSAGES_H

/* C(class, classes it may wait for as a set of IC_*) */
#define IPC_CLASSES(C) \
	C(CONTROL, 0) /* master to its children and back: never waits */ \
	C(DNS, 0) \
	C(LOOKUP, 0) /* directory */ \
	C(RATE, 0) /* state */ \
	C(SIGN, 0) /* keys */ \
	C(SUBMIT, 0) /* into the queue: only the disk, never a delivery */ \
	C(TICKET, 0) /* auth tells the broker who may come */ \
	C(SPAWN, 0) /* broker and template */ \
	C(AUTHN, IC_LOOKUP | IC_RATE | IC_TICKET) \
	C(OWNER, IC_LOOKUP | IC_SPAWN) /* broker opens an owner */ \
	C(DELIVER, IC_DNS | IC_LOOKUP | IC_RATE | IC_OWNER | IC_SUBMIT) \
	C(SESSION, IC_SUBMIT) /* a client's session with its owner */ \
	C(ADMIN, IC_LOOKUP | IC_RATE | IC_OWNER)

/* ---- control: master and its children ---- */

/* The first message on descriptor 3. `table` is ipc_table_hash(): binaries of
 * different builds refuse to talk. flags: DAEMON_* of sys/daemon.h; sandbox:
 * the profile that master/roles.c gives, which must be the role's own; caps:
 * capabilities that are kept (a mask), for broker and template only. */
#define F_HELLO(F, N) \
	F(N, u64, table) F(N, u8, role) F(N, u32, instance) F(N, u32, uid) \
	F(N, u32, gid) F(N, u32, flags) F(N, u32, sandbox) F(N, u64, caps) \
	F(N, i64, utc_offset) F(N, str, name)
#define F_HELLO_OK(F, N) F(N, u64, table)
/* Where to log from now on. */
#define F_LOG_FD(F, N) F(N, u8, format)
/* The folder that becomes the root directory. */
#define F_JAIL_FD(F, N) F(N, str, what)
/* One option of the section of the role (or of `server`): CONF_END ends a set,
 * which is taken or refused as a whole; what it does not tell has its default.
 * List values are joined by LF. */
#define F_CONF_ITEM(F, N) \
	F(N, str, section) F(N, str, title) F(N, str, name) F(N, str, value)
#define F_CONF_END(F, N) F(N, u64, req) F(N, u64, generation)
#define F_CONF_RESULT(F, N) F(N, u64, req) F(N, u8, ok) F(N, str, text)
/* A listening socket; service is "smtp", "submission", "submissions", "lmtp",
 * "imap", "imaps", "pop3", "pop3s". */
#define F_LISTEN_FD(F, N) F(N, str, service) F(N, str, address)
/* No longer listen on that address. */
#define F_LISTEN_DROP(F, N) F(N, str, service) F(N, str, address)
/* One end of a fresh link to a peer; an older link to it is dead. */
#define F_PEER_FD(F, N) F(N, u8, role) F(N, u32, instance) F(N, u64, link)
/* The link of that number is gone: where the peer lives, master makes another
 * after a pause. */
#define F_PEER_LOST(F, N) F(N, u8, role) F(N, u32, instance) F(N, u64, link)
/* A file or folder opened by master for this role, by name. */
#define F_FILE_FD(F, N) F(N, str, name)
/* A private key file for `keys`, and the certificate chain (PEM) that must
 * match it; the result says whether the pair is good. */
#define F_KEY_FD(F, N) \
	F(N, u64, req) F(N, u32, key) F(N, str, name) F(N, str, chain)
#define F_KEY_RESULT(F, N) F(N, u64, req) F(N, u8, ok) F(N, str, text)
/* A certificate whose key `keys` holds under that number. The first is the
 * default; `names` lists further SNI names, LF between. generation rises with
 * each reload; CERT_END makes the set current. */
#define F_CERT(F, N) \
	F(N, u32, key) F(N, u64, generation) F(N, str, names) F(N, str, chain)
#define F_CERT_END(F, N) F(N, u64, generation)
/* All has been handed over: go to jail, then say READY. */
#define F_START(F, N) F(N, u64, generation)
/* held: SANDBOX_* bits; text: what is missing, for `veredus status`. */
#define F_READY(F, N) F(N, u32, held) F(N, str, text)
/* A process ended: by a crash signal (not SIGKILL, SIGTERM) or otherwise. The
 * queue hears of relays, the broker of owner processes (role OWNER, by pid). */
#define F_CHILD_DIED(F, N) \
	F(N, u8, role) F(N, u32, instance) F(N, i64, pid) F(N, u8, crashed)
/* Finish what is in work, take nothing new, end. */
#define F_STOP(F, N) F(N, u32, grace_ms)

/* ---- administration: veredus asks master, master asks roles ---- */

/* `args` and `row` are lists of strings packed by sys/row.h. */
#define F_ADMIN_RUN(F, N) F(N, u64, req) F(N, str, verb) F(N, str, args)
#define F_ADMIN_ROW(F, N) F(N, u64, req) F(N, str, row)
/* exit: 0 or a sysexits code; text is for people. */
#define F_ADMIN_DONE(F, N) F(N, u64, req) F(N, u8, exit) F(N, str, text)

/* ---- resolver ---- */

#define F_DNS_ASK(F, N) F(N, u64, req) F(N, u16, type) F(N, str, name)
/* Who asked that (its req) waits no longer; the answer that it gets all the
 * same says nothing. */
#define F_DNS_CANCEL(F, N) F(N, u64, question)
/* status: enum dns_status; secure: AD from a trusted server; records packed by
 * proto/dns.h; canonical: the name after CNAMEs. */
#define F_DNS_ANSWER(F, N) \
	F(N, u64, req) F(N, u8, status) F(N, u8, secure) F(N, u32, ttl) \
	F(N, str, canonical) F(N, str, records)

/* ---- directory ---- */

/* Is it deliverable, and how? kind in the answer: enum addr_kind of
 * sys/addr_kind.h. generation: of the tables it was read from. */
#define F_ADDR_ASK(F, N) F(N, u64, req) F(N, str, address)
#define F_ADDR_ANSWER(F, N) \
	F(N, u64, req) F(N, u8, kind) F(N, u8, over_quota) \
	F(N, u64, account) F(N, u64, generation) F(N, str, address) \
	F(N, str, nexthop) F(N, str, text)
/* One step of expansion of an alias: its targets, one EXPAND_ITEM each. */
#define F_EXPAND_ASK(F, N) F(N, u64, req) F(N, str, address)
#define F_EXPAND_ITEM(F, N) F(N, u64, req) F(N, str, target)
#define F_EXPAND_DONE(F, N) F(N, u64, req) F(N, u8, kind) F(N, str, text)
/* Login name to account, for auth; the address in its one form also when nobody
 * has it, as long as the domain is ours. */
#define F_LOGIN_ASK(F, N) F(N, u64, req) F(N, str, user)
#define F_LOGIN_ANSWER(F, N) \
	F(N, u64, req) F(N, u8, found) F(N, u8, enabled) F(N, u64, account) \
	F(N, str, address)
/* What the broker needs to open an owner; home is relative to the mail root
 * number `root`. */
#define F_ACCOUNT_ASK(F, N) F(N, u64, req) F(N, u64, account)
#define F_ACCOUNT_ANSWER(F, N) \
	F(N, u64, req) F(N, u8, found) F(N, u8, enabled) F(N, u32, uid) \
	F(N, u32, gid) F(N, u32, root) F(N, u64, quota_bytes) \
	F(N, u64, quota_messages) F(N, str, home) F(N, str, address)
/* May this account send as that address? */
#define F_OWNS_ASK(F, N) F(N, u64, req) F(N, u64, account) F(N, str, address)
#define F_OWNS_ANSWER(F, N) F(N, u64, req) F(N, u8, yes)
/* The tables changed: answers of older generations are stale. Answered, so
 * that an administrator's "done" comes after every front has heard it. */
#define F_GENERATION(F, N) F(N, u64, req) F(N, u64, generation)
#define F_GENERATION_OK(F, N) F(N, u64, req)
/* What an account uses, as its owner process last counted it. */
#define F_USAGE(F, N) F(N, u64, account) F(N, u64, bytes) F(N, u64, messages)

/* ---- auth ---- */

/* mech: enum sasl_mech of proto/sasl.h; service: "smtp", "imap", "pop3".
 * initial counts only when has_initial; binding: tls-exporter bytes. */
#define F_AUTH_START(F, N) \
	F(N, u64, req) F(N, u64, exchange) F(N, u8, mech) F(N, u8, tls) \
	F(N, u8, has_initial) F(N, str, service) F(N, str, client) \
	F(N, str, initial) F(N, str, binding)
#define F_AUTH_MORE(F, N) \
	F(N, u64, req) F(N, u64, exchange) F(N, str, response)
#define F_AUTH_ABORT(F, N) F(N, u64, exchange)
/* result: enum auth_result of sys/auth_result.h. AUTH_CONTINUE: challenge to
 * send, then AUTH_MORE. AUTH_OK: account, address, and for access a ticket;
 * challenge then holds SASL's additional data on success, if any. */
#define F_AUTH_ANSWER(F, N) \
	F(N, u64, req) F(N, u8, result) F(N, u64, account) \
	F(N, str, challenge) F(N, str, address) F(N, str, ticket)
/* For the broker: whoever shows this ticket from that access process within
 * the deadline may open that account, once. */
#define F_TICKET(F, N) \
	F(N, u64, req) F(N, u64, account) F(N, u32, instance) \
	F(N, u32, valid_ms) F(N, str, ticket)
#define F_TICKET_OK(F, N) F(N, u64, req)

/* ---- keys ---- */

/* tbs: the whole text to be signed; digest: "SHA256"…, empty for Ed25519;
 * padding: enum key_padding of sys/tls_keys.h. */
#define F_SIGN_ASK(F, N) \
	F(N, u64, req) F(N, u32, key) F(N, u8, padding) F(N, i64, salt) \
	F(N, str, digest) F(N, str, tbs)
#define F_SIGN_ANSWER(F, N) F(N, u64, req) F(N, u8, ok) F(N, str, signature)

/* ---- state ---- */

/* Counts `cost` under `key` in a sliding window; cost 0 only looks. */
#define F_RATE_ASK(F, N) \
	F(N, u64, req) F(N, u32, cost) F(N, u32, limit) F(N, u32, window_s) \
	F(N, str, key)
#define F_RATE_ANSWER(F, N) \
	F(N, u64, req) F(N, u8, allowed) F(N, u32, count) F(N, u32, retry_s)
/* A connection from a client begins; refused above `limit` at once for this
 * key over all processes of the service. Counts of a process that dies are
 * dropped with its link. */
#define F_CLIENT_OPEN(F, N) F(N, u64, req) F(N, u32, limit) F(N, str, key)
#define F_CLIENT_ANSWER(F, N) F(N, u64, req) F(N, u8, allowed) F(N, u32, count)
#define F_CLIENT_CLOSE(F, N) F(N, str, key)

/* ---- into the queue ---- */

/* tx: chosen by the sender, unique among its open ones. body: enum body_type
 * of proto/smtp_cmd.h; origin: "smtpd", "submission", "pickup"; account: 0
 * or the authenticated one; session: for the log; floor: refuse it with less
 * free disk than this. */
#define F_TX_OPEN(F, N) \
	F(N, u64, req) F(N, u64, tx) F(N, u64, size) F(N, u64, floor) \
	F(N, u64, account) F(N, u8, body) F(N, u8, utf8) F(N, u8, ret) F(N, str, sender) \
	F(N, str, envid) F(N, str, session) F(N, str, client)
/* outcome: enum outcome of proto/status.h; id is valid when DONE. */
#define F_TX_OPENED(F, N) \
	F(N, u64, req) F(N, u8, outcome) F(N, u64, id) F(N, str, text)
#define F_TX_RCPT(F, N) \
	F(N, u64, tx) F(N, u8, notify) F(N, str, address) F(N, str, orcpt)
/* The body in order, as it will be stored: CRLF lines, dots undone. */
#define F_TX_BODY(F, N) F(N, u64, tx) F(N, str, bytes)
/* A body that outgrew IPC_BODY_MAX goes to a file that the queue opened: all
 * of it, the part already sent as TX_BODY too. The writer closes it first. */
#define F_TX_FILE(F, N) F(N, u64, req) F(N, u64, tx)
#define F_TX_FILE_FD(F, N) F(N, u64, req)
#define F_TX_FILE_NO(F, N) F(N, u64, req) F(N, str, text)
#define F_TX_COMMIT(F, N) F(N, u64, req) F(N, u64, tx) F(N, u64, size)
/* DONE: durable. LATER, FAILED: nothing was kept. */
#define F_TX_DONE(F, N) \
	F(N, u64, req) F(N, u8, outcome) F(N, u16, code) F(N, str, enhanced) \
	F(N, str, text)
#define F_TX_ABORT(F, N) F(N, u64, tx)

/* ---- deliveries: queue to relay and owner, lmtp to owner ---- */

/* dlv: chosen by the sender, unique among its open ones on this link. For a
 * relay, nexthop says where; for an owner it is empty. attempt: how many there
 * were before this one. body_size 0 with streamed 1: not known yet. sync 1:
 * flush before the answer (LMTP); 0: the asker flushes (queue). */
#define F_DLV_OPEN(F, N) \
	F(N, u64, req) F(N, u64, dlv) F(N, u64, id) F(N, u32, group) \
	F(N, u32, attempt) F(N, u64, body_size) F(N, i64, arrival) \
	F(N, u8, body) F(N, u8, utf8) F(N, u8, ret) F(N, u8, streamed) \
	F(N, u8, sync) F(N, u8, probe) F(N, str, nexthop) F(N, str, sender) \
	F(N, str, envid)
#define F_DLV_RCPT(F, N) \
	F(N, u64, dlv) F(N, u32, index) F(N, u8, notify) F(N, str, address) \
	F(N, str, orcpt)
#define F_DLV_BODY(F, N) F(N, u64, dlv) F(N, str, bytes)
/* The body as a file, read-only, from offset 0; instead of DLV_BODY. */
#define F_DLV_FILE(F, N) F(N, u64, dlv) F(N, u64, size)
#define F_DLV_END(F, N) F(N, u64, dlv)
#define F_DLV_ABORT(F, N) F(N, u64, dlv)
/* One per recipient, then DLV_DONE. DSN-relevant: remote is the peer's name,
 * text its words, dsn 1 when it took over the DSN parameters. */
#define F_DLV_RESULT(F, N) \
	F(N, u64, req) F(N, u32, index) F(N, u8, outcome) F(N, u16, code) \
	F(N, u8, dsn) F(N, str, enhanced) F(N, str, text) F(N, str, remote)
/* placed 1: written and named, not flushed (sync was 0). host_later 1: the
 * next hop itself was not to be reached, try others of it later too. */
#define F_DLV_DONE(F, N) \
	F(N, u64, req) F(N, u8, placed) F(N, u8, host_later) F(N, str, remote)
/* The queue no longer holds these delivery ids (id, group pairs as 12 bytes
 * each): the owner may forget that it had them. */
#define F_DLV_RELEASED(F, N) F(N, str, ids)

/* ---- broker, template, owners, access ---- */

/* A link to the owner of this account, for delivery. */
#define F_OWNER_OPEN(F, N) F(N, u64, req) F(N, u64, account)
#define F_OWNER_LINK(F, N) F(N, u64, req)
/* The process of this owner crashed with deliveries in work. */
#define F_OWNER_CRASHED(F, N) F(N, u64, account)
/* outcome LATER or FAILED. */
#define F_OWNER_REFUSED(F, N) F(N, u64, req) F(N, u8, outcome) F(N, str, text)
/* A session for whoever holds this ticket. service "imap" or "pop3"; tag: of
 * the login command that the owner answers; tls: the connection is secure. */
#define F_SESSION_OPEN(F, N) \
	F(N, u64, req) F(N, u8, tls) F(N, str, ticket) F(N, str, service) \
	F(N, str, tag) F(N, str, client) F(N, str, session)
/* The client's bytes; SESSION_LINK follows with the control link. */
#define F_SESSION_STREAM(F, N) F(N, u64, req)
#define F_SESSION_LINK(F, N) F(N, u64, req)
#define F_SESSION_REFUSED(F, N) F(N, u64, req) F(N, u8, outcome) F(N, str, text)
/* Broker to template: make an owner; SPAWN_HOME comes first with its folder,
 * SPAWN carries its end of the link to the broker. */
#define F_SPAWN_HOME(F, N) F(N, u64, account)
#define F_SPAWN(F, N) \
	F(N, u64, req) F(N, u64, account) F(N, u32, uid) F(N, u32, gid)
/* With its pidfd: readable when it has ended, and a handle to end it. */
#define F_SPAWNED(F, N) F(N, u64, req) F(N, i64, pid)
#define F_SPAWN_FAILED(F, N) F(N, u64, req) F(N, str, text)
/* Broker to owner, first of all: who it is and its settings. */
#define F_OWNER_START(F, N) \
	F(N, u64, account) F(N, u64, quota_bytes) F(N, u64, quota_messages) \
	F(N, i64, utc_offset) F(N, i64, poll_ms) F(N, u8, strict) \
	F(N, str, address) \
	F(N, str, hostname) F(N, str, delimiter)
/* Opening goes on: said every second or so while files are read, so that it
 * may take as long as it must. files: read so far. */
#define F_OWNER_STARTING(F, N) F(N, u64, files)
#define F_OWNER_READY(F, N) F(N, u32, held) F(N, str, text)
/* Introduces a deliverer (role) on a fresh link. */
#define F_OWNER_PEER(F, N) F(N, u8, role) F(N, u32, instance)
/* Introduces a session: its stream, then its control link. */
#define F_OWNER_STREAM(F, N) F(N, u64, serial)
#define F_OWNER_SESSION(F, N) \
	F(N, u64, serial) F(N, u8, tls) F(N, str, service) F(N, str, tag) \
	F(N, str, client) F(N, str, session)
/* busy: sessions and deliveries in work; 0 lets the broker end it. */
#define F_OWNER_STATE(F, N) \
	F(N, u32, busy) F(N, u64, bytes) F(N, u64, messages)
#define F_OWNER_STOP(F, N) F(N, u32, grace_ms)
/* On a session's control link, offsets count stream bytes since its start. */
#define F_SES_COMPRESS(F, N) F(N, u64, after_output) F(N, u64, after_input)
#define F_SES_END(F, N) F(N, u64, after_output) F(N, str, text)
#define F_SES_INPUT_END(F, N) F(N, u64, after_input) F(N, str, text)

#define IPC_MESSAGES(M) \
	M(HELLO, CONTROL, TELL, RS_MASTER, RS_CHILDREN | RS_CONTROL, 0, F_HELLO) \
	M(HELLO_OK, CONTROL, TELL, RS_CHILDREN | RS_CONTROL, RS_MASTER, 0, F_HELLO_OK) \
	M(LOG_FD, CONTROL, TELL, RS_MASTER, RS_CHILDREN, 1, F_LOG_FD) \
	M(JAIL_FD, CONTROL, TELL, RS_MASTER, RS_CHILDREN, 1, F_JAIL_FD) \
	M(CONF_ITEM, CONTROL, TELL, RS_MASTER, RS_CHILDREN, 0, F_CONF_ITEM) \
	M(CONF_END, CONTROL, ASK, RS_MASTER, RS_CHILDREN, 0, F_CONF_END) \
	M(CONF_RESULT, CONTROL, ANSWER, RS_CHILDREN, RS_MASTER, 0, F_CONF_RESULT) \
	M(LISTEN_FD, CONTROL, TELL, RS_MASTER, RS_FRONTS, 1, F_LISTEN_FD) \
	M(LISTEN_DROP, CONTROL, TELL, RS_MASTER, RS_FRONTS, 0, F_LISTEN_DROP) \
	M(PEER_FD, CONTROL, TELL, RS_MASTER, RS_CHILDREN, 1, F_PEER_FD) \
	M(PEER_LOST, CONTROL, TELL, RS_CHILDREN, RS_MASTER, 0, F_PEER_LOST) \
	M(FILE_FD, CONTROL, TELL, RS_MASTER, RS_CHILDREN, 1, F_FILE_FD) \
	M(KEY_FD, CONTROL, ASK, RS_MASTER, RS_KEYS, 1, F_KEY_FD) \
	M(KEY_RESULT, CONTROL, ANSWER, RS_KEYS, RS_MASTER, 0, F_KEY_RESULT) \
	M(CERT, CONTROL, TELL, RS_MASTER, RS_FRONTS, 0, F_CERT) \
	M(CERT_END, CONTROL, TELL, RS_MASTER, RS_FRONTS | RS_KEYS, 0, F_CERT_END) \
	M(START, CONTROL, TELL, RS_MASTER, RS_CHILDREN, 0, F_START) \
	M(READY, CONTROL, TELL, RS_CHILDREN, RS_MASTER, 0, F_READY) \
	M(CHILD_DIED, CONTROL, TELL, RS_MASTER, RS_QUEUE | RS_BROKER, 0, F_CHILD_DIED) \
	M(STOP, CONTROL, TELL, RS_MASTER, RS_CHILDREN, 0, F_STOP) \
	M(ADMIN_RUN, ADMIN, ASK, RS_CONTROL | RS_MASTER, RS_MASTER | RS_CHILDREN, 0, F_ADMIN_RUN) \
	M(ADMIN_ROW, ADMIN, PART, RS_MASTER | RS_CHILDREN, RS_CONTROL | RS_MASTER, 0, F_ADMIN_ROW) \
	M(ADMIN_DONE, ADMIN, ANSWER, RS_MASTER | RS_CHILDREN, RS_CONTROL | RS_MASTER, 0, F_ADMIN_DONE) \
	M(DNS_ASK, DNS, ASK, RS_SMTPD | RS_RELAY, RS_RESOLVER, 0, F_DNS_ASK) \
	M(DNS_CANCEL, DNS, TELL, RS_SMTPD | RS_RELAY, RS_RESOLVER, 0, F_DNS_CANCEL) \
	M(DNS_ANSWER, DNS, ANSWER, RS_RESOLVER, RS_SMTPD | RS_RELAY, 0, F_DNS_ANSWER) \
	M(ADDR_ASK, LOOKUP, ASK, RS_SMTPD | RS_SUBMISSION | RS_LMTP | RS_QUEUE, RS_DIRECTORY, 0, F_ADDR_ASK) \
	M(ADDR_ANSWER, LOOKUP, ANSWER, RS_DIRECTORY, RS_SMTPD | RS_SUBMISSION | RS_LMTP | RS_QUEUE, 0, F_ADDR_ANSWER) \
	M(EXPAND_ASK, LOOKUP, ASK, RS_QUEUE | RS_LMTP, RS_DIRECTORY, 0, F_EXPAND_ASK) \
	M(EXPAND_ITEM, LOOKUP, PART, RS_DIRECTORY, RS_QUEUE | RS_LMTP, 0, F_EXPAND_ITEM) \
	M(EXPAND_DONE, LOOKUP, ANSWER, RS_DIRECTORY, RS_QUEUE | RS_LMTP, 0, F_EXPAND_DONE) \
	M(LOGIN_ASK, LOOKUP, ASK, RS_AUTH, RS_DIRECTORY, 0, F_LOGIN_ASK) \
	M(LOGIN_ANSWER, LOOKUP, ANSWER, RS_DIRECTORY, RS_AUTH, 0, F_LOGIN_ANSWER) \
	M(ACCOUNT_ASK, LOOKUP, ASK, RS_BROKER, RS_DIRECTORY, 0, F_ACCOUNT_ASK) \
	M(ACCOUNT_ANSWER, LOOKUP, ANSWER, RS_DIRECTORY, RS_BROKER, 0, F_ACCOUNT_ANSWER) \
	M(OWNS_ASK, LOOKUP, ASK, RS_SUBMISSION, RS_DIRECTORY, 0, F_OWNS_ASK) \
	M(OWNS_ANSWER, LOOKUP, ANSWER, RS_DIRECTORY, RS_SUBMISSION, 0, F_OWNS_ANSWER) \
	M(GENERATION, LOOKUP, ASK, RS_DIRECTORY, RS_SMTPD | RS_SUBMISSION | RS_LMTP, 0, F_GENERATION) \
	M(GENERATION_OK, LOOKUP, ANSWER, RS_SMTPD | RS_SUBMISSION | RS_LMTP, RS_DIRECTORY, 0, F_GENERATION_OK) \
	M(USAGE, LOOKUP, TELL, RS_BROKER, RS_DIRECTORY, 0, F_USAGE) \
	M(AUTH_START, AUTHN, ASK, RS_SUBMISSION | RS_ACCESS, RS_AUTH, 0, F_AUTH_START) \
	M(AUTH_MORE, AUTHN, ASK, RS_SUBMISSION | RS_ACCESS, RS_AUTH, 0, F_AUTH_MORE) \
	M(AUTH_ABORT, AUTHN, TELL, RS_SUBMISSION | RS_ACCESS, RS_AUTH, 0, F_AUTH_ABORT) \
	M(AUTH_ANSWER, AUTHN, ANSWER, RS_AUTH, RS_SUBMISSION | RS_ACCESS, 0, F_AUTH_ANSWER) \
	M(TICKET, TICKET, ASK, RS_AUTH, RS_BROKER, 0, F_TICKET) \
	M(TICKET_OK, TICKET, ANSWER, RS_BROKER, RS_AUTH, 0, F_TICKET_OK) \
	M(SIGN_ASK, SIGN, ASK, RS_FRONTS, RS_KEYS, 0, F_SIGN_ASK) \
	M(SIGN_ANSWER, SIGN, ANSWER, RS_KEYS, RS_FRONTS, 0, F_SIGN_ANSWER) \
	M(RATE_ASK, RATE, ASK, RS_SMTPD | RS_SUBMISSION | RS_AUTH, RS_STATE, 0, F_RATE_ASK) \
	M(RATE_ANSWER, RATE, ANSWER, RS_STATE, RS_SMTPD | RS_SUBMISSION | RS_AUTH, 0, F_RATE_ANSWER) \
	M(CLIENT_OPEN, RATE, ASK, RS_FRONTS, RS_STATE, 0, F_CLIENT_OPEN) \
	M(CLIENT_ANSWER, RATE, ANSWER, RS_STATE, RS_FRONTS, 0, F_CLIENT_ANSWER) \
	M(CLIENT_CLOSE, RATE, TELL, RS_FRONTS, RS_STATE, 0, F_CLIENT_CLOSE) \
	M(TX_OPEN, SUBMIT, ASK, RS_SUBMITTERS, RS_QUEUE, 0, F_TX_OPEN) \
	M(TX_OPENED, SUBMIT, ANSWER, RS_QUEUE, RS_SUBMITTERS, 0, F_TX_OPENED) \
	M(TX_RCPT, SUBMIT, TELL, RS_SUBMITTERS, RS_QUEUE, 0, F_TX_RCPT) \
	M(TX_BODY, SUBMIT, TELL, RS_SUBMITTERS, RS_QUEUE, 0, F_TX_BODY) \
	M(TX_FILE, SUBMIT, ASK, RS_SUBMITTERS, RS_QUEUE, 0, F_TX_FILE) \
	M(TX_FILE_FD, SUBMIT, ANSWER, RS_QUEUE, RS_SUBMITTERS, 1, F_TX_FILE_FD) \
	M(TX_FILE_NO, SUBMIT, ANSWER, RS_QUEUE, RS_SUBMITTERS, 0, F_TX_FILE_NO) \
	M(TX_COMMIT, SUBMIT, ASK, RS_SUBMITTERS, RS_QUEUE, 0, F_TX_COMMIT) \
	M(TX_DONE, SUBMIT, ANSWER, RS_QUEUE, RS_SUBMITTERS, 0, F_TX_DONE) \
	M(TX_ABORT, SUBMIT, TELL, RS_SUBMITTERS, RS_QUEUE, 0, F_TX_ABORT) \
	M(DLV_OPEN, DELIVER, ASK, RS_DELIVERERS, RS_RELAY | RS_OWNER, 0, F_DLV_OPEN) \
	M(DLV_RCPT, DELIVER, TELL, RS_DELIVERERS, RS_RELAY | RS_OWNER, 0, F_DLV_RCPT) \
	M(DLV_BODY, DELIVER, TELL, RS_DELIVERERS, RS_RELAY | RS_OWNER, 0, F_DLV_BODY) \
	M(DLV_FILE, DELIVER, TELL, RS_QUEUE, RS_RELAY | RS_OWNER, 1, F_DLV_FILE) \
	M(DLV_END, DELIVER, TELL, RS_DELIVERERS, RS_RELAY | RS_OWNER, 0, F_DLV_END) \
	M(DLV_ABORT, DELIVER, TELL, RS_DELIVERERS, RS_RELAY | RS_OWNER, 0, F_DLV_ABORT) \
	M(DLV_RESULT, DELIVER, PART, RS_RELAY | RS_OWNER, RS_DELIVERERS, 0, F_DLV_RESULT) \
	M(DLV_DONE, DELIVER, ANSWER, RS_RELAY | RS_OWNER, RS_DELIVERERS, 0, F_DLV_DONE) \
	M(DLV_RELEASED, DELIVER, TELL, RS_QUEUE, RS_OWNER, 0, F_DLV_RELEASED) \
	M(OWNER_OPEN, OWNER, ASK, RS_DELIVERERS, RS_BROKER, 0, F_OWNER_OPEN) \
	M(OWNER_LINK, OWNER, ANSWER, RS_BROKER, RS_DELIVERERS, 1, F_OWNER_LINK) \
	M(OWNER_REFUSED, OWNER, ANSWER, RS_BROKER, RS_DELIVERERS, 0, F_OWNER_REFUSED) \
	M(OWNER_CRASHED, OWNER, TELL, RS_BROKER, RS_QUEUE, 0, F_OWNER_CRASHED) \
	M(SESSION_OPEN, OWNER, ASK, RS_ACCESS, RS_BROKER, 0, F_SESSION_OPEN) \
	M(SESSION_STREAM, OWNER, PART, RS_BROKER, RS_ACCESS, 1, F_SESSION_STREAM) \
	M(SESSION_LINK, OWNER, ANSWER, RS_BROKER, RS_ACCESS, 1, F_SESSION_LINK) \
	M(SESSION_REFUSED, OWNER, ANSWER, RS_BROKER, RS_ACCESS, 0, F_SESSION_REFUSED) \
	M(SPAWN_HOME, SPAWN, TELL, RS_BROKER, RS_TEMPLATE, 1, F_SPAWN_HOME) \
	M(SPAWN, SPAWN, ASK, RS_BROKER, RS_TEMPLATE, 1, F_SPAWN) \
	M(SPAWNED, SPAWN, ANSWER, RS_TEMPLATE, RS_BROKER, 1, F_SPAWNED) \
	M(SPAWN_FAILED, SPAWN, ANSWER, RS_TEMPLATE, RS_BROKER, 0, F_SPAWN_FAILED) \
	M(OWNER_START, SPAWN, TELL, RS_BROKER, RS_OWNER, 0, F_OWNER_START) \
	M(OWNER_STARTING, SPAWN, TELL, RS_OWNER, RS_BROKER, 0, F_OWNER_STARTING) \
	M(OWNER_READY, SPAWN, TELL, RS_OWNER, RS_BROKER, 0, F_OWNER_READY) \
	M(OWNER_PEER, OWNER, TELL, RS_BROKER, RS_OWNER, 1, F_OWNER_PEER) \
	M(OWNER_STREAM, OWNER, TELL, RS_BROKER, RS_OWNER, 1, F_OWNER_STREAM) \
	M(OWNER_SESSION, OWNER, TELL, RS_BROKER, RS_OWNER, 1, F_OWNER_SESSION) \
	M(OWNER_STATE, OWNER, TELL, RS_OWNER, RS_BROKER, 0, F_OWNER_STATE) \
	M(OWNER_STOP, OWNER, TELL, RS_BROKER, RS_OWNER, 0, F_OWNER_STOP) \
	M(SES_COMPRESS, SESSION, TELL, RS_OWNER, RS_ACCESS, 0, F_SES_COMPRESS) \
	M(SES_END, SESSION, TELL, RS_OWNER, RS_ACCESS, 0, F_SES_END) \
	M(SES_INPUT_END, SESSION, TELL, RS_ACCESS, RS_OWNER, 0, F_SES_INPUT_END)

/* A(answer, question): an ANSWER or PART, and an ASK that it may answer. A
 * peer that answers a question in any other way loses its link. */
#define IPC_ANSWERS(A) \
	A(CONF_RESULT, CONF_END) \
	A(KEY_RESULT, KEY_FD) \
	A(ADMIN_ROW, ADMIN_RUN) \
	A(ADMIN_DONE, ADMIN_RUN) \
	A(DNS_ANSWER, DNS_ASK) \
	A(ADDR_ANSWER, ADDR_ASK) \
	A(EXPAND_ITEM, EXPAND_ASK) \
	A(EXPAND_DONE, EXPAND_ASK) \
	A(LOGIN_ANSWER, LOGIN_ASK) \
	A(ACCOUNT_ANSWER, ACCOUNT_ASK) \
	A(OWNS_ANSWER, OWNS_ASK) \
	A(GENERATION_OK, GENERATION) \
	A(AUTH_ANSWER, AUTH_START) \
	A(AUTH_ANSWER, AUTH_MORE) \
	A(TICKET_OK, TICKET) \
	A(SIGN_ANSWER, SIGN_ASK) \
	A(RATE_ANSWER, RATE_ASK) \
	A(CLIENT_ANSWER, CLIENT_OPEN) \
	A(TX_OPENED, TX_OPEN) \
	A(TX_FILE_FD, TX_FILE) \
	A(TX_FILE_NO, TX_FILE) \
	A(TX_DONE, TX_COMMIT) \
	A(DLV_RESULT, DLV_OPEN) \
	A(DLV_DONE, DLV_OPEN) \
	A(OWNER_LINK, OWNER_OPEN) \
	A(OWNER_REFUSED, OWNER_OPEN) \
	A(SESSION_STREAM, SESSION_OPEN) \
	A(SESSION_LINK, SESSION_OPEN) \
	A(SESSION_REFUSED, SESSION_OPEN) \
	A(SPAWNED, SPAWN) \
	A(SPAWN_FAILED, SPAWN)

/* X(question, TELL): who no longer waits for the answer tells the asked one by
 * that, with the question's number in `question`, so that it stops working. */
#define IPC_CANCELS(X) \
	X(DNS_ASK, DNS_CANCEL)

enum {
	IPC_MESSAGE_MAX = 65536, /* one message with its header */
	IPC_BODY_MAX = 32768 /* a message body that travels inside messages */
};

#endif
