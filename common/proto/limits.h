/* SPDX-License-Identifier: ISC */
/* Every limit on what a peer may send, with the section that sets its floor. */
#ifndef PROTO_LIMITS_H
#define PROTO_LIMITS_H

enum {
	/* RFC 5321 4.5.3.1.1-3: octets before the @, after it, and in <>. The
	 * floors are 64, 255 and 256; VERP and SRS senders pass the first. */
	LIMIT_LOCAL_PART = 255,
	LIMIT_DOMAIN = 255,
	LIMIT_PATH = LIMIT_LOCAL_PART + LIMIT_DOMAIN + 3,
	/* RFC 5321 4.5.3.1.4 says 512 for a command line; DSN (RFC 3461 5.4)
	 * and SMTPUTF8, AUTH (RFC 4954 4, 12,288) ask for more. */
	LIMIT_SMTP_COMMAND = 2048,
	LIMIT_SMTP_AUTH_LINE = 12288,
	/* RFC 5321 4.5.3.1.5: a reply line; we read longer ones than 512. */
	LIMIT_SMTP_REPLY_LINE = 2048,
	LIMIT_SMTP_REPLY = 16384,
	/* RFC 5321 4.5.3.1.6: text line with CRLF; longer ones pass, in pieces. */
	LIMIT_TEXT_LINE = 1000,
	/* RFC 5321 4.5.3.1.8: at least 100 recipients. */
	LIMIT_RECIPIENTS_FLOOR = 100,
	/* RFC 3461 4.2, 4.4: ORCPT and ENVID before decoding. */
	LIMIT_ORCPT = 500,
	LIMIT_ENVID = 100,
	/* RFC 5321 6.3: more Received fields than this is a loop. */
	LIMIT_RECEIVED_HOPS = 50,
	/* A message header as a whole, and one field of it. */
	LIMIT_HEADER = 262144,
	LIMIT_HEADER_FIELD = 65536,
	/* RFC 1035 2.3.4. */
	LIMIT_DNS_NAME = 255,
	LIMIT_DNS_LABEL = 63,
	/* RFC 9051 (IMAP) sets no line limit; RFC 7162 4 asks for 8,192. */
	LIMIT_IMAP_LINE = 65536,
	LIMIT_IMAP_LITERAL_ARG = 65536,
	LIMIT_IMAP_NESTING = 32,
	/* A whole command: its lines and its gathered literals together. */
	LIMIT_IMAP_COMMAND = 262144,
	/* RFC 7888 5: a client may send this much unasked under LITERAL-. */
	LIMIT_IMAP_NONSYNC = 4096,
	/* Ranges in a message set: what fits a line at two bytes each, halved. */
	LIMIT_IMAP_RANGES = 16384,
	/* Flags in one list, and the length of a keyword. */
	LIMIT_IMAP_FLAGS = 256,
	LIMIT_IMAP_KEYWORD = 255,
	/* Items of one FETCH, field names of one HEADER.FIELDS. */
	LIMIT_IMAP_FETCH_ITEMS = 256,
	LIMIT_IMAP_FETCH_FIELDS = 256,
	/* Search keys of one SEARCH, counted with their groups. */
	LIMIT_IMAP_SEARCH_KEYS = 1024,
	/* Words in the other lists: ENABLE, ID (RFC 2971 3.3: 30), patterns. */
	LIMIT_IMAP_WORDS = 128,
	/* A mailbox name in UTF-8, and its folder's name on disk (NAME_MAX). */
	LIMIT_IMAP_MAILBOX = 1024,
	LIMIT_IMAP_FOLDER = 255,
	/* RFC 8474 7. */
	LIMIT_IMAP_OBJECTID = 255,
	/* RFC 2449 4: 255 with CRLF; SASL answers are longer. */
	LIMIT_POP3_LINE = 12288,
	/* A decoded SASL message: what fits a line of RFC 4954 4 (12,288). */
	LIMIT_SASL_MESSAGE = 9216,
	/* RFC 4616 2 asks for 255; an address has up to 64 + 1 + 255. */
	LIMIT_SASL_NAME = 320,
	/* RFC 4616 2 asks for 255; crypt(3) takes 511. */
	LIMIT_SASL_PASSWORD = 511,
	/* RFC 5802 7: a nonce, both halves; a salt, decoded. */
	LIMIT_SCRAM_NONCE = 512,
	LIMIT_SCRAM_SALT = 256,
	/* RFC 7677 3: a server that asks less makes the proof easy to break;
	 * more than this is an attack on our time. */
	LIMIT_SCRAM_ITERATIONS_MIN = 4096,
	LIMIT_SCRAM_ITERATIONS = 1000000,
	/* RFC 5929, 9266: channel binding data (a hash, a Finished message). */
	LIMIT_SASL_BINDING = 64,
	/* Parts and depth of a MIME tree; what is deeper is one opaque part. */
	LIMIT_MIME_DEPTH = 64,
	LIMIT_MIME_PARTS = 4096,
	/* RFC 2046 5.1.1 says 70; generators exist that write longer ones. */
	LIMIT_MIME_BOUNDARY = 200,
	/* Parameters of one Content-Type or Content-Disposition field. */
	LIMIT_MIME_PARAMS = 128,
	/* Memory for the tree of one message, its strings included. */
	LIMIT_MIME_MEMORY = 8388608,
	/* RFC 5322 3.2.2 lets comments nest; deeper is not taken for one. */
	LIMIT_COMMENT_NESTING = 32
};

#endif
