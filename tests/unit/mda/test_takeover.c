/* SPDX-License-Identifier: ISC */
/* Maildirs of other servers, and maps that were lost. */
#include "mda/mailbox.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mda/model.h"
#include "tests/unit/mda/world.h"
#include "tests/unit/unit.h"

static struct world w;

static void
setup(void)
{
	world_make(&w);
}

static void
teardown(void)
{
	world_drop(&w);
}

static void
lose(const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof full, "%s/%s", w.dir, path);
	ck_assert_int_eq(unlink(full), 0);
}

START_TEST(dovecot)
{
	struct mailbox *m;
	const char *s;

	world_write(&w, "new/x", "");
	lose("new/x");
	world_write(&w, "cur/100.a.host,S=10,W=12:2,S", "A: b\n\nC\nD\n");
	world_write(&w, "cur/101.b.host:2,Fab", "A: b\r\n\r\n");
	world_write(&w, "new/102.c.host", "A: b\r\n\r\n");
	world_write(&w, "dovecot-uidlist", "3 V1234567890 N50 Gabcdef\n"
	    "7 W12 S10 :100.a.host,S=10,W=12\n"
	    "20 :101.b.host\n"
	    "21 :gone.host\n"
	    "nonsense\n");
	world_write(&w, "dovecot-keywords", "0 $Forwarded\n1 Work\n");
	world_write(&w, "subscriptions",
	    "V\t2\n\nLists\tc\nSent Messages\nnowhere\n");
	world_write(&w, ".Lists.c/cur/1.x:2,", "A: b\r\n\r\n");
	world_write(&w, ".Lists.c/dovecot-uidlist", "1 99 5\n3 1.x\n");
	world_write(&w, ".Sent Messages/cur/1.x:2,S", "A: b\r\n\r\n");
	world_write(&w, ".Entw&APw-rfe/cur/x:2,", "A: b\r\n\r\n");
	ck_assert_int_eq(world_open(&w), 0);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->uidvalidity, 1234567890);
	ck_assert_uint_eq(mailbox_info(m)->messages, 3);
	ck_assert_uint_eq(mailbox_info(m)->uidnext, 51);
	ck_assert_uint_eq(mailbox_message(m, 7)->flags, FLAG_SEEN);
	ck_assert_uint_eq(mailbox_message(m, 7)->size, 14);
	ck_assert_uint_eq(mailbox_message(m, 20)->flags, FLAG_FLAGGED);
	ck_assert_uint_eq(mailbox_message(m, 20)->keywords, 3);
	ck_assert_str_eq(mailbox_keyword(m, 1), "Work");
	ck_assert_ptr_nonnull(mailbox_message(m, 50));
	/* Modseqs beyond all that Dovecot can have given. */
	ck_assert_uint_gt(mailbox_info(m)->highest_modseq, 1ULL << 40);
	mailbox_close(&m);
	m = world_mailbox(&w, "Lists/c");
	ck_assert_uint_eq(mailbox_info(m)->uidvalidity, 99);
	ck_assert_uint_eq(mailbox_info(m)->uidnext, 5);
	ck_assert_ptr_nonnull(mailbox_message(m, 3));
	ck_assert_uint_ne(mailbox_info(m)->attrs & MBOX_SUBSCRIBED, 0);
	mailbox_close(&m);
	ck_assert_uint_eq(account_find(w.a, SLICE("Sent Messages"))->attrs,
	    MBOX_SENT | MBOX_SUBSCRIBED);
	ck_assert_ptr_null(account_find(w.a, SLICE("Sent")));
	ck_assert_uint_eq(account_find(w.a,
		SLICE("Entw\xc3\xbcrfe"))->messages, 1);
	s = account_next_subscribed(w.a, NULL);
	ck_assert_str_eq(s, "nowhere");
	ck_assert_ptr_null(account_next_subscribed(w.a, s));
	/* New ones go on from there. */
	ck_assert_uint_eq(world_add(&w, "INBOX", 1), 51);
	ck_assert_uint_eq(world_add(&w, "Lists/c", 1), 5);
	world_reopen(&w);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->messages, 4);
	ck_assert_uint_eq(mailbox_message(m, 20)->keywords, 3);
	mailbox_close(&m);
}
END_TEST

START_TEST(courier)
{
	struct mailbox *m;

	world_write(&w, "cur/100.a.host,S=8:2,S", "A: b\r\n\r\n");
	world_write(&w, "new/102.c.host", "A: b\r\n\r\n");
	world_write(&w, "courierimapuiddb", "1 1111 9\n3 100.a.host,S=8\n");
	world_write(&w, "courierimapsubscribed", "INBOX.Lists.c\nINBOX\n");
	world_write(&w, ".Lists.c/cur/1.x:2,", "A: b\r\n\r\n");
	ck_assert_int_eq(world_open(&w), 0);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->uidvalidity, 1111);
	ck_assert_ptr_nonnull(mailbox_message(m, 3));
	ck_assert_ptr_nonnull(mailbox_message(m, 9));
	mailbox_close(&m);
	ck_assert_uint_ne(account_find(w.a, SLICE("Lists/c"))->attrs &
		MBOX_SUBSCRIBED, 0);
	ck_assert_uint_ne(account_find(w.a, SLICE("INBOX"))->attrs &
		MBOX_SUBSCRIBED, 0);
}
END_TEST

/* ---- cut short ---- */

static unsigned steps_left;

static void
die_later(void *arg)
{
	(void)arg;
	if (steps_left-- == 0)
		(void)kill(getpid(), SIGKILL);
}

/* A process that opens the account and is killed after so many steps. Was it
 * done before? */
static bool
open_and_die(unsigned steps)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		world_child(&w, -1);
		steps_left = steps;
		w.options.progress = die_later;
		_exit(world_open(&w) < 0 ? 1 : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) || status == 0);
	return !WIFSIGNALED(status);
}

/* Whenever a takeover is killed, the next one knows what the first knew. */
START_TEST(cut_short)
{
	struct buf list;
	struct mailbox *m;
	char name[64];
	unsigned i;

	buf_init(&list, 65536);
	buf_add_str(&list, "3 V1234567890 N500 Gabcdef\n");
	for (i = 1; i <= 20; i++) {
		(void)snprintf(name, sizeof name, "cur/%u.host:2,Sa", 90 - i);
		world_write(&w, name, "A: b\r\n\r\n");
		buf_addf(&list, "%u :%u.host\n", i * 3, 90 - i);
	}
	world_write(&w, "dovecot-uidlist", list.p);
	world_write(&w, ".a/dovecot-uidlist", list.p);
	world_write(&w, ".a/cur/80.host:2,", "A: b\r\n\r\n");
	buf_fini(&list);
	world_write(&w, "dovecot-keywords", "0 Work\n");
	world_write(&w, "subscriptions", "V\t2\n\na\nnowhere\n");
	for (i = 0; !open_and_die(i); i++)
		ck_assert_uint_lt(i, 100);
	ck_assert_uint_gt(i, 25);
	/* What it was cut short in, and once more from our own lists alone. */
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(world_open(&w), 0);
		m = world_mailbox(&w, "INBOX");
		ck_assert_uint_eq(mailbox_info(m)->uidvalidity, 1234567890);
		ck_assert_uint_eq(mailbox_info(m)->messages, 20);
		ck_assert_ptr_nonnull(mailbox_message(m, 3));
		ck_assert_ptr_nonnull(mailbox_message(m, 60));
		ck_assert_uint_eq(mailbox_message(m, 60)->keywords, 1);
		ck_assert_str_eq(mailbox_keyword(m, 0), "Work");
		mailbox_close(&m);
		m = world_mailbox(&w, "a");
		ck_assert_uint_eq(mailbox_info(m)->messages, 1);
		ck_assert_ptr_nonnull(mailbox_message(m, 30));
		mailbox_close(&m);
		ck_assert_uint_ne(account_find(w.a, SLICE("a"))->attrs &
			MBOX_SUBSCRIBED, 0);
		ck_assert_uint_ne(account_find(w.a, SLICE("Sent"))->attrs &
			MBOX_SENT, 0);
		ck_assert_str_eq(account_next_subscribed(w.a, NULL),
		    "nowhere");
		world_close(&w);
		lose(".veredus/map");
	}
}
END_TEST

START_TEST(plain)
{
	struct mailbox *m;

	world_write(&w, "cur/100.a.host:2,S", "A: b\n\n");
	world_write(&w, "new/102.c.host", "A: b\n\n");
	ck_assert_int_eq(world_open(&w), 0);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->messages, 2);
	ck_assert_uint_lt(mailbox_info(m)->highest_modseq, 100);
	mailbox_close(&m);
}
END_TEST

/* An account with this and that in it. */
static void
fill(void)
{
	struct slice words[] = { SLICE("Work"), SLICE("$MDNSent") };
	struct flag_change c = { .op = FLAGS_ADD, .flags = FLAG_FLAGGED,
		.keywords = words, .n_keywords = 2 };
	struct mailbox *m;
	uint32_t two = 2;
	unsigned i;

	ck_assert_int_eq(world_open(&w), 0);
	for (i = 1; i <= 5; i++)
		(void)world_add(&w, "INBOX", i);
	m = world_mailbox(&w, "INBOX");
	ck_assert_int_eq(world_store(&w, m, &two, 1, &c, NULL), MBOX_OK);
	ck_assert_int_eq(world_expunge(&w, m, (uint32_t[]){ 5 }, 1, true),
	    MBOX_OK);
	mailbox_close(&m);
	ck_assert_int_eq(world_create(&w, "a/b"), MBOX_OK);
	ck_assert_int_eq(world_subscribe(&w, "a/b", true), MBOX_OK);
	ck_assert_int_eq(world_subscribe(&w, "none", true), MBOX_OK);
	(void)world_add(&w, "a/b", 1);
}

/* ---- a map that fails while it is open ---- */

static void
count_broken(void *arg)
{
	(*(unsigned *)arg)++;
}

static enum mbox_result
put_nonsense(struct op *op, struct txn *t)
{
	txn_put(t, row_key_message('M', account_find(op->account,
	    SLICE("INBOX"))->number, 7), SLICE("nonsense"));
	return MBOX_OK;
}

static void
finish_nonsense(struct op *op, enum mbox_result r)
{
	ck_assert_int_eq(r, MBOX_OK);
	op->lazy = true;
}

/* Whoever keeps it open hears of it; the next one builds it anew. */
START_TEST(broken)
{
	struct op op = { .prepare = put_nonsense, .finish = finish_nonsense };
	unsigned told = 0;
	struct mailbox *m;

	w.options.broken = count_broken;
	w.options.arg = &told;
	ck_assert_int_eq(world_open(&w), 0);
	(void)world_add(&w, "INBOX", 1);
	op_add(w.a, &op);
	world_wait(&w, &op.lazy);
	ck_assert_uint_eq(told, 0);
	ck_assert_ptr_null(world_mailbox(&w, "INBOX"));
	ck_assert(account_is_broken(w.a));
	ck_assert_uint_eq(told, 1);
	ck_assert_ptr_null(world_mailbox(&w, "INBOX"));
	ck_assert_uint_eq(told, 1);
	world_reopen(&w);
	m = world_mailbox(&w, "INBOX");
	ck_assert_ptr_nonnull(mailbox_message(m, 1));
	mailbox_close(&m);
}
END_TEST

static void
check(uint32_t validity, uint64_t modseq)
{
	struct mailbox *m = world_mailbox(&w, "INBOX");
	struct uid_range *gone;
	uint32_t uid;
	size_t n;

	ck_assert_uint_eq(mailbox_info(m)->uidvalidity, validity);
	ck_assert_uint_eq(mailbox_info(m)->messages, 4);
	for (uid = 1; uid <= 4; uid++)
		ck_assert_ptr_nonnull(mailbox_message(m, uid));
	ck_assert_uint_eq(mailbox_message(m, 2)->flags, FLAG_FLAGGED);
	ck_assert_uint_eq(mailbox_message(m, 2)->keywords, 3);
	ck_assert_str_eq(mailbox_keyword(m, 0), "Work");
	ck_assert_uint_gt(mailbox_info(m)->highest_modseq, modseq);
	/* What was expunged before is not known (RFC 7162 3.2.5.2). */
	ck_assert(!mailbox_expunged_since(m, modseq - 1, &gone, &n));
	ck_assert(mailbox_expunged_since(m, mailbox_info(m)->highest_modseq,
	    &gone, &n));
	ck_assert_uint_eq(n, 0);
	/* A UID is never used twice. */
	ck_assert_uint_gt(mailbox_info(m)->uidnext, 5);
	mailbox_close(&m);
	ck_assert_uint_eq(account_find(w.a, SLICE("a/b"))->messages, 1);
	ck_assert_uint_ne(account_find(w.a, SLICE("a/b"))->attrs &
		MBOX_SUBSCRIBED, 0);
	ck_assert_uint_eq(account_find(w.a, SLICE("Sent"))->attrs,
	    MBOX_SENT | MBOX_SUBSCRIBED);
	ck_assert_str_eq(account_next_subscribed(w.a, NULL), "none");
}

/* The ids of RFC 8474: as they were, or new, but never another's. */
static struct {
	uint32_t inbox, other, highest;
	uint8_t email[16], thread[16];
} ids;

static void
note_ids(void)
{
	const struct mbox_info *i = NULL;
	struct mailbox *m = world_mailbox(&w, "INBOX");

	memcpy(ids.email, mailbox_message(m, 3)->email_id, 16);
	memcpy(ids.thread, mailbox_message(m, 3)->thread_id, 16);
	mailbox_close(&m);
	ids.inbox = account_find(w.a, SLICE("INBOX"))->number;
	ids.other = account_find(w.a, SLICE("a/b"))->number;
	while ((i = account_next(w.a, i)) != NULL)
		if (i->number > ids.highest)
			ids.highest = i->number;
}

static void
check_ids(void)
{
	struct mailbox *m = world_mailbox(&w, "INBOX");

	ck_assert_mem_eq(mailbox_message(m, 3)->email_id, ids.email, 16);
	ck_assert_mem_eq(mailbox_message(m, 3)->thread_id, ids.thread, 16);
	ck_assert_mem_ne(mailbox_message(m, 4)->email_id, ids.email, 16);
	mailbox_close(&m);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->number,
	    ids.inbox);
	ck_assert_uint_eq(account_find(w.a, SLICE("a/b"))->number, ids.other);
	/* No list of its own, so it is not known: but it is no other's. */
	ck_assert_uint_gt(account_find(w.a, SLICE("Sent"))->number,
	    ids.highest);
	ck_assert_int_eq(world_create(&w, "fresh"), MBOX_OK);
	ck_assert_uint_gt(account_find(w.a, SLICE("fresh"))->number,
	    account_find(w.a, SLICE("Sent"))->number);
	ck_assert_int_eq(world_delete(&w, "fresh"), MBOX_OK);
}

START_TEST(lost_map)
{
	uint32_t validity;
	uint64_t modseq;
	unsigned round;

	fill();
	note_ids();
	validity = account_find(w.a, SLICE("INBOX"))->uidvalidity;
	modseq = account_find(w.a, SLICE("INBOX"))->highest_modseq;
	for (round = 0; round < 3; round++) {
		world_close(&w);
		lose(".veredus/map");
		ck_assert_int_eq(world_open(&w), 0);
		check(validity, modseq);
		check_ids();
		modseq = account_find(w.a, SLICE("INBOX"))->highest_modseq;
		world_reopen(&w);
	}
	ck_assert_uint_gt(world_add(&w, "INBOX", 9), 1000);
}
END_TEST

/* All ways in which a file can be damaged: cut, overwritten, empty. */
START_TEST(damaged_map)
{
	uint32_t validity;
	uint64_t modseq;
	char path[256];
	FILE *f;
	long size;
	int i;

	fill();
	validity = account_find(w.a, SLICE("INBOX"))->uidvalidity;
	modseq = account_find(w.a, SLICE("INBOX"))->highest_modseq;
	world_close(&w);
	(void)snprintf(path, sizeof path, "%s/.veredus/map", w.dir);
	f = fopen(path, "r+");
	ck_assert_ptr_nonnull(f);
	switch (_i) {
	case 0:
		ck_assert_int_eq(truncate(path, 8192), 0);
		break;
	case 1:
		ck_assert_int_eq(truncate(path, 100), 0);
		break;
	case 2:
		for (i = 0; i < 8192; i++)
			(void)fputc('x', f);
		break;
	case 3:
		/* A row's format, wherever rows are. */
		(void)fseek(f, 0, SEEK_END);
		size = ftell(f);
		for (i = 8192; i < size; i++) {
			(void)fseek(f, i, SEEK_SET);
			if (i % 4096 > 512)
				(void)fputc(0x55, f);
		}
		break;
	case 4:
		ck_assert_int_eq(truncate(path, 0), 0);
		break;
	default:
		ck_assert_int_eq(truncate(path, (_i - 2) * 4096), 0);
		break;
	}
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(world_open(&w), 0);
	check(validity, modseq);
	if (_i != 4)
		ck_assert_ptr_nonnull(world_find(&w, ".veredus",
			"map.damaged"));
}
END_TEST

START_TEST(without_list)
{
	uint32_t validity;

	fill();
	validity = account_find(w.a, SLICE("INBOX"))->uidvalidity;
	world_close(&w);
	lose(".veredus/map");
	if (_i == 0)
		lose(".veredus/list/INBOX");
	else
		world_write(&w, ".veredus/list/INBOX", "veredus-list 1 7 7\n");
	ck_assert_int_eq(world_open(&w), 0);
	ck_assert_uint_gt(account_find(w.a, SLICE("INBOX"))->uidvalidity,
	    validity);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->messages, 4);
}
END_TEST

/* Lines of a list that are missing cost their messages the UID, no more. */
START_TEST(torn_list)
{
	struct mailbox *m;
	uint32_t validity;
	char path[256];
	FILE *f;
	long at;

	ck_assert_int_eq(world_open(&w), 0);
	(void)world_add(&w, "INBOX", 1);
	(void)world_add(&w, "INBOX", 2);
	validity = account_find(w.a, SLICE("INBOX"))->uidvalidity;
	world_close(&w);
	lose(".veredus/map");
	(void)snprintf(path, sizeof path, "%s/.veredus/list/INBOX", w.dir);
	f = fopen(path, "r");
	(void)fseek(f, 0, SEEK_END);
	at = ftell(f);
	(void)fclose(f);
	ck_assert_int_eq(truncate(path, at - 5), 0);
	ck_assert_int_eq(world_open(&w), 0);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->uidvalidity, validity);
	ck_assert_ptr_nonnull(mailbox_message(m, 1));
	ck_assert_ptr_null(mailbox_message(m, 2));
	ck_assert_uint_eq(mailbox_info(m)->messages, 2);
	mailbox_close(&m);
}
END_TEST

/* What is added to a list with a torn end is not lost with it. */
START_TEST(torn_list_goes_on)
{
	struct mailbox *m;
	uint32_t validity;
	char path[256];
	struct stat st;

	ck_assert_int_eq(world_open(&w), 0);
	(void)world_add(&w, "INBOX", 1);
	(void)world_add(&w, "INBOX", 2);
	validity = account_find(w.a, SLICE("INBOX"))->uidvalidity;
	world_close(&w);
	(void)snprintf(path, sizeof path, "%s/.veredus/list/INBOX", w.dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(truncate(path, st.st_size - 5), 0);
	ck_assert_int_eq(world_open(&w), 0);
	/* A reservation, and a message. */
	box_find(w.a, SLICE("INBOX"))->row.list_reserved = 1;
	box_find(w.a, SLICE("INBOX"))->row.uidnext = 5000;
	ck_assert_uint_eq(world_add(&w, "INBOX", 3), 5000);
	world_close(&w);
	lose(".veredus/map");
	ck_assert_int_eq(world_open(&w), 0);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->uidvalidity, validity);
	ck_assert_uint_eq(mailbox_info(m)->messages, 3);
	ck_assert_ptr_nonnull(mailbox_message(m, 1));
	ck_assert_ptr_null(mailbox_message(m, 2));
	ck_assert_ptr_nonnull(mailbox_message(m, 5000));
	ck_assert_uint_gt(mailbox_info(m)->uidnext,
	    5000 + UIDLIST_STEP);
	mailbox_close(&m);
}
END_TEST

/* A list that cannot be written to: it goes, and a whole one comes. */
START_TEST(list_fails)
{
	struct mailbox *m;
	uint32_t validity;
	char path[256];

	ck_assert_int_eq(world_open(&w), 0);
	(void)world_add(&w, "INBOX", 1);
	validity = account_find(w.a, SLICE("INBOX"))->uidvalidity;
	(void)snprintf(path, sizeof path, "%s/.veredus/list/INBOX", w.dir);
	lose(".veredus/list/INBOX");
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	box_find(w.a, SLICE("INBOX"))->row.list_reserved = 1;
	ck_assert_uint_eq(world_add(&w, "INBOX", 2), 2);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_uint_eq(box_find(w.a,
		SLICE("INBOX"))->row.list_reserved, 0);
	if (_i == 1) {
		m = world_mailbox(&w, "INBOX");
		mailbox_close(&m);
	}
	world_close(&w);
	lose(".veredus/map");
	ck_assert_int_eq(world_open(&w), 0);
	m = world_mailbox(&w, "INBOX");
	if (_i == 1)
		ck_assert_uint_eq(mailbox_info(m)->uidvalidity, validity);
	else
		ck_assert_uint_gt(mailbox_info(m)->uidvalidity, validity);
	ck_assert_ptr_nonnull(mailbox_message(m, 1));
	ck_assert_ptr_nonnull(mailbox_message(m, 2));
	mailbox_close(&m);
}
END_TEST

/* One that cannot even be removed: no UID is given that it does not know. */
START_TEST(list_stays)
{
	struct append what = { .sync = true };
	char path[256];

	ck_assert_int_eq(world_open(&w), 0);
	(void)world_add(&w, "INBOX", 1);
	(void)snprintf(path, sizeof path, "%s/.veredus/list/INBOX", w.dir);
	lose(".veredus/list/INBOX");
	ck_assert_int_eq(mkdir(path, 0700), 0);
	box_find(w.a, SLICE("INBOX"))->row.list_reserved = 1;
	ck_assert_int_eq(world_append(&w, "INBOX", &what, "A: b\r\n\r\n").r,
	    MBOX_FULL);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->messages, 1);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_uint_eq(world_add(&w, "INBOX", 2), 2);
}
END_TEST

/* A list that is mostly about the past is written anew. */
START_TEST(relists)
{
	struct mailbox *m;
	uint32_t validity;
	unsigned i;

	ck_assert_int_eq(world_open(&w), 0);
	(void)world_add(&w, "INBOX", 0);
	validity = account_find(w.a, SLICE("INBOX"))->uidvalidity;
	m = world_mailbox(&w, "INBOX");
	for (i = 1; i < 1100; i++) {
		uint32_t uid = world_add(&w, "INBOX", i);

		ck_assert_uint_eq(uid, i + 1);
		if (i != 600)
			ck_assert_int_eq(world_expunge(&w, m, &uid, 1, true),
			    MBOX_OK);
	}
	mailbox_close(&m);
	world_reopen(&w);
	lose(".veredus/map");
	world_close(&w);
	ck_assert_int_eq(world_open(&w), 0);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->uidvalidity, validity);
	ck_assert_uint_eq(mailbox_info(m)->messages, 2);
	ck_assert_ptr_nonnull(mailbox_message(m, 1));
	ck_assert_ptr_nonnull(mailbox_message(m, 601));
	ck_assert_uint_ge(mailbox_info(m)->uidnext, 1101);
	mailbox_close(&m);
}
END_TEST

UNIT_SUITE(takeover, {
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, dovecot);
	tcase_add_test(tc, courier);
	tcase_add_test(tc, cut_short);
	tcase_add_test(tc, plain);
	tcase_add_test(tc, broken);
	tcase_add_test(tc, lost_map);
	tcase_add_loop_test(tc, damaged_map, 0, 8);
	tcase_add_loop_test(tc, without_list, 0, 2);
	tcase_add_test(tc, torn_list);
	tcase_add_test(tc, torn_list_goes_on);
	tcase_add_loop_test(tc, list_fails, 0, 2);
	tcase_add_test(tc, list_stays);
	tcase_add_test(tc, relists);
})
