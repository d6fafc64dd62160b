/* SPDX-License-Identifier: ISC */
/*
 * A FETCH under way, as imap_cmd_fetch.c (messages and plain items) and
 * imap_fetch_part.c (pieces of messages) share it.
 */
#ifndef MDA_IMAP_FETCH_JOB_H
#define MDA_IMAP_FETCH_JOB_H

#include "mda/imap_session.h"
#include "proto/base64_body.h"
#include "proto/mime.h"
#include "proto/qp.h"

enum fetch_phase {
	FETCH_ITEMS,   /* the next item is to be begun */
	FETCH_TREE,    /* the MIME tree is being made */
	FETCH_GATHER,  /* bytes go to s->scratch */
	FETCH_LITERAL, /* bytes go out as they are */
	FETCH_COUNT,   /* bytes are decoded and counted */
	FETCH_DECODE   /* bytes are decoded and go out */
};

struct fetch_job {
	struct imap_seq_iter numbers;
	uint32_t seq, uid;         /* the message; seq 0: none */
	struct message message;    /* as it was when it was begun */
	const struct list *item;   /* of s->cmd.u.fetch.fetch.items */
	enum fetch_phase phase;
	uint64_t offset, left;     /* bytes of the message still to be read */
	/* BINARY: */
	enum mime_encoding encoding;
	struct base64_decoder base64;
	struct qp_decoder qp;
	uint64_t start, size;      /* where the part lies */
	uint64_t decoded;          /* its size decoded */
	uint64_t skip, give;       /* the range of it that is asked for */
	bool has_nul;              /* the literal is a literal8 */
	bool is_announced;         /* LITERAL: its size was sent */
	bool has_unknown;          /* an encoding that is not known */
};

const struct imap_fetch_item *fetch_item(const struct fetch_job *job);
/* The item is written as a whole. */
void fetch_item_done(struct fetch_job *job);

/* Begins an item that needs the message itself. */
void fetch_part_begin(struct imap_session *s);
/* Goes on with it in every phase but FETCH_ITEMS. */
void fetch_part_go(struct imap_session *s);

#endif
