/* SPDX-License-Identifier: ISC */
#include "proto/imap_cmd.h"

#include <string.h>

#include "base/buf.h"
#include "tests/unit/unit.h"

enum { N = IMAP_STATE_NONAUTH, A = IMAP_STATE_AUTH, S = IMAP_STATE_SELECTED };

/* The arguments as text, see dump_*; an error stands as its number. */
static const struct {
	const char *in;
	unsigned state;
	const char *want; /* NULL: the error */
	enum imap_error error;
} cases[] = {
	{ "a NOOP", N, "NOOP" },
	{ "A1 noop", S, "NOOP" },
	{ "a CAPABILITY", N, "CAPABILITY" },
	{ "a LOGOUT", A, "LOGOUT" },
	{ "a STARTTLS", N, "STARTTLS" },
	{ "a NAMESPACE", A, "NAMESPACE" },
	{ "a IDLE", S, "IDLE" },
	{ "a CHECK", S, "CHECK" },
	{ "a CLOSE", S, "CLOSE" },
	{ "a UNSELECT", S, "UNSELECT" },
	{ "a EXPUNGE", S, "EXPUNGE" },
	{ "a NOOP ", N, NULL, IMAP_ERROR_TRAILING },
	{ "a NOOP x", N, NULL, IMAP_ERROR_TRAILING },
	{ "a STARTTLS", A, NULL, IMAP_ERROR_STATE },
	{ "a FETCH", A, NULL, IMAP_ERROR_STATE },
	{ "a SELECT", N, NULL, IMAP_ERROR_STATE },
	{ "", N, NULL, IMAP_ERROR_TAG },
	{ " NOOP", N, NULL, IMAP_ERROR_TAG },
	{ "+ NOOP", N, NULL, IMAP_ERROR_TAG },
	{ "a(b NOOP", N, NULL, IMAP_ERROR_TAG },
	{ "a", N, NULL, IMAP_ERROR_VERB },
	{ "a ", N, NULL, IMAP_ERROR_VERB },
	{ "a  NOOP", N, NULL, IMAP_ERROR_VERB },
	{ "a NOOPS", N, NULL, IMAP_ERROR_VERB },
	{ "a NOO", N, NULL, IMAP_ERROR_VERB },
	{ "a UID", S, NULL, IMAP_ERROR_MISSING },
	{ "a UID NOOP", S, NULL, IMAP_ERROR_VERB },
	{ "a UID  FETCH", S, NULL, IMAP_ERROR_ATOM },

	{ "a LOGIN fred blurdybloop", N, "LOGIN fred|blurdybloop" },
	{ "a LOGIN {3}\r\nf d {4+}\r\n\"\\\"x", N, "LOGIN f d|\"\\\"x" },
	{ "a LOGIN \"\" \"\\\"\"", N, "LOGIN |\"" },
	{ "a LOGIN fred", N, NULL, IMAP_ERROR_MISSING },
	{ "a LOGIN fred (x)", N, NULL, IMAP_ERROR_STRING },
	{ "a AUTHENTICATE PLAIN", N, "AUTHENTICATE PLAIN -" },
	{ "a AUTHENTICATE PLAIN =", N, "AUTHENTICATE PLAIN " },
	{ "a AUTHENTICATE PLAIN AGEAYg==", N, "AUTHENTICATE PLAIN AGEAYg==" },
	{ "a AUTHENTICATE", N, NULL, IMAP_ERROR_MISSING },
	{ "a ENABLE condstore X-FOO IMAP4rev2", A, "ENABLE 9" },
	{ "a ENABLE UTF8=ACCEPT QRESYNC", A, "ENABLE 6" },
	{ "a ENABLE", A, NULL, IMAP_ERROR_MISSING },
	{ "a ID NIL", N, "ID" },
	{ "a ID ()", N, "ID" },
	{ "a ID (\"name\" \"x\" \"os\" NIL)", N, "ID name=x os=NIL" },
	{ "a ID (\"name\")", N, NULL, IMAP_ERROR_SPACE },
	{ "a ID x", N, NULL, IMAP_ERROR_STRING },
	{ "a ID \"x\"", N, NULL, IMAP_ERROR_OPEN },
	{ "a COMPRESS DEFLATE", A, "COMPRESS DEFLATE" },
	{ "a COMPRESS", A, NULL, IMAP_ERROR_MISSING },

	{ "a SELECT INBOX", A, "SELECT INBOX" },
	{ "a EXAMINE \"a b\"", S, "EXAMINE a b" },
	{ "a SELECT x (CONDSTORE)", A, "SELECT x condstore" },
	{ "a SELECT x (QRESYNC (67890007 9006))", A,
	    "SELECT x qresync 67890007 9006" },
	{ "a SELECT x (QRESYNC (1 2 41,43:211) CONDSTORE)", A,
	    "SELECT x condstore qresync 1 2 41,43:211" },
	{ "a SELECT x (QRESYNC (1 2 1:9 (1,3 4,6)))", A,
	    "SELECT x qresync 1 2 1:9 (1,3 4,6)" },
	{ "a SELECT x (QRESYNC (1 2 (1,3 4,6)))", A,
	    "SELECT x qresync 1 2 (1,3 4,6)" },
	{ "a SELECT x (QRESYNC (1 2 1:*))", A, NULL, IMAP_ERROR_STAR },
	{ "a SELECT x (QRESYNC (1 2 1:3 ))", A, NULL, IMAP_ERROR_OPEN },
	{ "a SELECT x (QRESYNC (0 2))", A, NULL, IMAP_ERROR_NUMBER },
	{ "a SELECT x (QRESYNC)", A, NULL, IMAP_ERROR_SPACE },
	{ "a SELECT x ()", A, NULL, IMAP_ERROR_PARAMETER },
	{ "a SELECT x (FOO)", A, NULL, IMAP_ERROR_PARAMETER },
	{ "a SELECT x (CONDSTORE CONDSTORE)", A, NULL, IMAP_ERROR_PARAMETER },
	{ "a SELECT x y", A, NULL, IMAP_ERROR_OPEN },
	{ "a SELECT", A, NULL, IMAP_ERROR_MISSING },

	{ "a CREATE x/", A, "CREATE x/ 0" },
	{ "a CREATE x (USE (\\Sent \\Drafts))", A, "CREATE x 36" },
	{ "a CREATE x (USE ())", A, "CREATE x 0" },
	{ "a CREATE x (USE (\\Foo))", A, "CREATE x 256" },
	{ "a CREATE x (USE (Sent))", A, NULL, IMAP_ERROR_USE },
	{ "a CREATE x (FOO (a))", A, NULL, IMAP_ERROR_PARAMETER },
	{ "a DELETE x", A, "DELETE x" },
	{ "a SUBSCRIBE #news.comp", A, "SUBSCRIBE #news.comp" },
	{ "a UNSUBSCRIBE {1}\r\n*", A, "UNSUBSCRIBE *" },
	{ "a DELETE *", A, NULL, IMAP_ERROR_STRING },
	{ "a RENAME x y", A, "RENAME x y" },
	{ "a RENAME x", A, NULL, IMAP_ERROR_MISSING },
	{ "a STATUS x (UIDNEXT MESSAGES size)", A, "STATUS x 69" },
	{ "a STATUS x (HIGHESTMODSEQ MAILBOXID DELETED-STORAGE)", A,
	    "STATUS x 896" },
	{ "a STATUS x ()", A, NULL, IMAP_ERROR_STATUS },
	{ "a STATUS x (FOO)", A, NULL, IMAP_ERROR_STATUS },
	{ "a STATUS x", A, NULL, IMAP_ERROR_MISSING },
	{ "a GETQUOTA \"\"", A, "GETQUOTA " },
	{ "a GETQUOTAROOT INBOX", A, "GETQUOTAROOT INBOX" },
	{ "a SETQUOTA \"\" (STORAGE 512 MESSAGE 0)", A,
	    "SETQUOTA  STORAGE=512 MESSAGE=0" },
	{ "a SETQUOTA x ()", A, "SETQUOTA x" },
	{ "a SETQUOTA x (STORAGE)", A, NULL, IMAP_ERROR_SPACE },

	{ "a LIST \"\" \"\"", A, "LIST  0 0 0 []" },
	{ "a LIST a/ %/*", A, "LIST a/ 0 0 0 [%/*]" },
	{ "a LIST () \"\" *", A, "LIST+  0 0 0 [*]" },
	{ "a LIST \"\" (a* \"b\")", A, "LIST+  0 0 0 [a*][b]" },
	{ "a LIST (SUBSCRIBED RECURSIVEMATCH REMOTE) \"\" * RETURN (CHILDREN)",
	    A, "LIST+  7 2 0 [*]" },
	{ "a LIST (SPECIAL-USE) x * RETURN (SPECIAL-USE SUBSCRIBED)", A,
	    "LIST+ x 8 5 0 [*]" },
	{ "a LIST \"\" % RETURN (STATUS (MESSAGES UNSEEN) CHILDREN)", A,
	    "LIST+  0 10 17 [%]" },
	{ "a LIST \"\" % RETURN ()", A, "LIST+  0 0 0 [%]" },
	{ "a LIST (RECURSIVEMATCH) \"\" *", A, NULL, IMAP_ERROR_LIST_OPTION },
	{ "a LIST (RECURSIVEMATCH REMOTE) \"\" *", A, NULL,
	    IMAP_ERROR_LIST_OPTION },
	{ "a LIST (FOO) \"\" *", A, NULL, IMAP_ERROR_LIST_OPTION },
	{ "a LIST \"\" ()", A, NULL, IMAP_ERROR_STRING },
	{ "a LIST \"\" * RETURN (FOO)", A, NULL, IMAP_ERROR_LIST_OPTION },
	{ "a LIST \"\" * x", A, NULL, IMAP_ERROR_TRAILING },
	{ "a LIST \"\"", A, NULL, IMAP_ERROR_MISSING },
	{ "a LSUB \"\" *", A, "LSUB  0 0 0 [*]" },
	{ "a LSUB \"\" (*)", A, NULL, IMAP_ERROR_STRING },

	{ "a APPEND x {310}", A, "APPEND x 0 310 sync" },
	{ "a APPEND {1}\r\nx {310+}", A, "APPEND x 0 310" },
	{ "a APPEND x (\\Seen $a) \" 1-Jan-1970 00:00:01 +0000\" ~{0+}", A,
	    "APPEND x 8 $a @1 0 lit8" },
	{ "a APPEND x () {1}", A, "APPEND x 0 1 sync" },
	{ "a APPEND x UTF8 (~{310}", A, "APPEND x 0 310 sync lit8 utf8" },
	{ "a APPEND x UTF8 ({310}", A, NULL, IMAP_ERROR_LITERAL },
	{ "a APPEND x", A, NULL, IMAP_ERROR_MISSING },
	{ "a APPEND x ", A, NULL, IMAP_ERROR_MISSING },
	{ "a APPEND x (\\Seen)", A, NULL, IMAP_ERROR_MISSING },
	{ "a APPEND x CATENATE (TEXT {5}", A, NULL, IMAP_ERROR_LITERAL },
	{ "a APPEND x {5} ", A, NULL, IMAP_ERROR_LITERAL },

	{ "a COPY 2:4 MEETING", S, "COPY 2:4 MEETING" },
	{ "a UID COPY $ x", S, "UID COPY $ x" },
	{ "a MOVE 1 x", S, "MOVE 1 x" },
	{ "a uid move 1 x", S, "UID MOVE 1 x" },
	{ "a COPY x y", S, NULL, IMAP_ERROR_SEQSET },
	{ "a UID EXPUNGE 3000:*", S, "UID EXPUNGE 3000:*" },
	{ "a UID EXPUNGE", S, NULL, IMAP_ERROR_MISSING },
	{ "a SEARCH UNSEEN", S, "SEARCH 5" },
	{ "a UID SEARCH RETURN (MIN) 1:* FROM x", S, "UID SEARCH 0" },
	{ "a SEARCH", S, NULL, IMAP_ERROR_MISSING },
	{ "a FETCH 1:* FLAGS", S, "FETCH 1:* FLAGS" },
	{ "a FETCH 1 ALL", S,
	    "FETCH 1 FLAGS INTERNALDATE RFC822.SIZE ENVELOPE" },
	{ "a UID FETCH 1:* (FLAGS BODY.PEEK[1]<0.5>)", S,
	    "UID FETCH 1:* UID FLAGS BODY[1]<0>" },
	{ "a UID FETCH 1 (FLAGS UID)", S, "UID FETCH 1 FLAGS UID" },
	{ "a FETCH 1 FLAGS (CHANGEDSINCE 12345)", S,
	    "FETCH 1 MODSEQ FLAGS since 12345" },
	{ "a UID FETCH 1 FLAGS (CHANGEDSINCE 5 VANISHED)", S,
	    "UID FETCH 1 UID MODSEQ FLAGS since 5 vanished" },
	{ "a UID FETCH 1 FLAGS (PARTIAL -1:-30 CHANGEDSINCE 5)", S,
	    "UID FETCH 1 UID MODSEQ FLAGS since 5 partial 1:30" },
	{ "a FETCH 1 PREVIEW (CHANGEDSINCE 5)", S,
	    "FETCH 1 MODSEQ PREVIEW since 5" },
	{ "a FETCH 1 FLAGS (CHANGEDSINCE 5 VANISHED)", S, NULL,
	    IMAP_ERROR_VANISHED },
	{ "a UID FETCH 1 FLAGS (VANISHED)", S, NULL, IMAP_ERROR_VANISHED },
	{ "a FETCH 1 FLAGS (PARTIAL 1:5)", S, NULL, IMAP_ERROR_PARAMETER },
	{ "a FETCH 1 FLAGS (CHANGEDSINCE 5 CHANGEDSINCE 5)", S, NULL,
	    IMAP_ERROR_PARAMETER },
	{ "a FETCH 1 FLAGS ()", S, NULL, IMAP_ERROR_PARAMETER },
	{ "a FETCH 1 FLAGS UID", S, NULL, IMAP_ERROR_OPEN },
	{ "a FETCH 1", S, NULL, IMAP_ERROR_MISSING },
	{ "a STORE 1 FLAGS ()", S, "STORE 1 = 0" },
	{ "a STORE 1 +FLAGS \\Deleted", S, "STORE 1 + 4" },
	{ "a STORE 1 -flags.silent \\Seen a b", S, "STORE 1 - silent 8 a b" },
	{ "a STORE 1 FLAGS.SILENT (a)", S, "STORE 1 = silent 0 a" },
	{ "a STORE 1 +FLAGS.SILENT (a)", S, "STORE 1 + silent 0 a" },
	{ "a UID STORE 1:* (UNCHANGEDSINCE 0) -FLAGS (a)", S,
	    "UID STORE 1:* - unchanged 0 0 a" },
	{ "a STORE 1 (FOO 1) FLAGS (a)", S, NULL, IMAP_ERROR_PARAMETER },
	{ "a STORE 1 FLAG (a)", S, NULL, IMAP_ERROR_STORE_ITEM },
	{ "a STORE 1 FLAGS", S, NULL, IMAP_ERROR_MISSING },
	{ "a STORE 1 FLAGS (\\Recent)", S, NULL, IMAP_ERROR_FLAG },
};

static void
dump_flags(struct buf *out, const struct imap_flags *f)
{
	size_t i;

	buf_addf(out, " %u", f->system);
	for (i = 0; i < f->n; i++)
		buf_addf(out, " %.*s", SLICE_FMT(f->keywords[i]));
}

static void
dump_set(struct buf *out, const struct imap_seqset *set)
{
	buf_add_char(out, ' ');
	imap_seqset_format(out, set);
}

static void
dump_id(struct buf *out, const struct imap_words *pairs)
{
	size_t i;

	for (i = 0; i < pairs->n; i += 2)
		buf_addf(out, " %.*s=%.*s", SLICE_FMT(pairs->v[i]),
		    SLICE_FMT(pairs->v[i + 1].p == NULL ? SLICE("NIL")
							: pairs->v[i + 1]));
}

static void
dump_select(struct buf *out, const struct imap_select *s)
{
	buf_addf(out, " %.*s", SLICE_FMT(s->mailbox));
	if (s->condstore)
		buf_add_str(out, " condstore");
	if (!s->qresync)
		return;
	buf_addf(out, " qresync %u %llu", s->uidvalidity,
	    (unsigned long long)s->modseq);
	if (s->has_uids)
		dump_set(out, &s->uids);
	if (!s->has_match)
		return;
	buf_add_str(out, " (");
	imap_seqset_format(out, &s->match_seqs);
	dump_set(out, &s->match_uids);
	buf_add_char(out, ')');
}

static void
dump_list(struct buf *out, const struct imap_list *l)
{
	size_t i;

	buf_addf(out, "%s %.*s %u %u %u ", l->is_extended ? "+" : "",
	    SLICE_FMT(l->reference), l->select, l->returns, l->status);
	for (i = 0; i < l->patterns.n; i++)
		buf_addf(out, "[%.*s]", SLICE_FMT(l->patterns.v[i]));
}

static void
dump_message(struct buf *out, const struct imap_append *a)
{
	dump_flags(out, &a->flags);
	if (a->has_date)
		buf_addf(out, " @%d", (int)a->date.sec);
	buf_addf(out, " %d%s%s%s", (int)a->size, a->is_sync ? " sync" : "",
	    a->is_literal8 ? " lit8" : "", a->is_utf8 ? " utf8" : "");
}

static void
dump_fetch(struct buf *out, const struct imap_fetch_cmd *f)
{
	struct list *it;

	dump_set(out, &f->set);
	for (it = f->fetch.items.next; it != &f->fetch.items; it = it->next)
		buf_addf(out, " %.*s", SLICE_FMT(LIST_OF(it,
		    struct imap_fetch_item, node)->echo));
	if (f->has_changedsince)
		buf_addf(out, " since %d", (int)f->changedsince);
	if (f->vanished)
		buf_add_str(out, " vanished");
	if (f->has_partial)
		buf_addf(out, " partial %u:%u", f->partial.first,
		    f->partial.last);
}

static void
dump_store(struct buf *out, const struct imap_store *s)
{
	dump_set(out, &s->set);
	buf_addf(out, " %c%s", "=+-"[s->how], s->silent ? " silent" : "");
	if (s->has_unchangedsince)
		buf_addf(out, " unchanged %d", (int)s->unchangedsince);
	dump_flags(out, &s->flags);
}

static void
dump_setquota(struct buf *out, const struct imap_setquota *s)
{
	size_t i;

	buf_addf(out, " %.*s", SLICE_FMT(s->root));
	for (i = 0; i < s->n; i++)
		buf_addf(out, " %.*s=%d", SLICE_FMT(s->resources[i].name),
		    (int)s->resources[i].limit);
}

static void
dump(struct buf *out, const struct imap_cmd *cmd)
{
	buf_add_str(out, cmd->row->name);
	switch (cmd->row->verb) {
	case IMAP_LOGIN:
		buf_addf(out, " %.*s|%.*s", SLICE_FMT(cmd->u.login.user),
		    SLICE_FMT(cmd->u.login.password));
		break;
	case IMAP_AUTHENTICATE:
		buf_addf(out, " %.*s %.*s",
		    SLICE_FMT(cmd->u.authenticate.mechanism),
		    SLICE_FMT(cmd->u.authenticate.initial.p == NULL
			? SLICE("-") : cmd->u.authenticate.initial));
		break;
	case IMAP_ENABLE:
		buf_addf(out, " %u", cmd->u.enable.features);
		break;
	case IMAP_ID:
		dump_id(out, &cmd->u.id.pairs);
		break;
	case IMAP_COMPRESS:
		buf_addf(out, " %.*s", SLICE_FMT(cmd->u.compress));
		break;
	case IMAP_SELECT:
	case IMAP_EXAMINE:
		dump_select(out, &cmd->u.select);
		break;
	case IMAP_CREATE:
		buf_addf(out, " %.*s %u", SLICE_FMT(cmd->u.create.mailbox),
		    cmd->u.create.use);
		break;
	case IMAP_RENAME:
		buf_addf(out, " %.*s %.*s", SLICE_FMT(cmd->u.rename.from),
		    SLICE_FMT(cmd->u.rename.to));
		break;
	case IMAP_DELETE:
	case IMAP_SUBSCRIBE:
	case IMAP_UNSUBSCRIBE:
	case IMAP_GETQUOTA:
	case IMAP_GETQUOTAROOT:
		buf_addf(out, " %.*s", SLICE_FMT(cmd->u.name.name));
		break;
	case IMAP_STATUS:
		buf_addf(out, " %.*s %u", SLICE_FMT(cmd->u.status.mailbox),
		    cmd->u.status.items);
		break;
	case IMAP_LIST:
	case IMAP_LSUB:
		dump_list(out, &cmd->u.list);
		break;
	case IMAP_APPEND:
		buf_addf(out, " %.*s", SLICE_FMT(cmd->u.append.mailbox));
		dump_message(out, &cmd->u.append);
		break;
	case IMAP_SEARCH:
		buf_addf(out, " %d", (int)cmd->u.search.root->op);
		break;
	case IMAP_FETCH:
		dump_fetch(out, &cmd->u.fetch);
		break;
	case IMAP_STORE:
		dump_store(out, &cmd->u.store);
		break;
	case IMAP_COPY:
	case IMAP_MOVE:
		dump_set(out, &cmd->u.copy.set);
		buf_addf(out, " %.*s", SLICE_FMT(cmd->u.copy.mailbox));
		break;
	case IMAP_EXPUNGE:
		if ((cmd->row->flags & IMAP_CMD_UID) != 0)
			dump_set(out, &cmd->u.expunge);
		break;
	case IMAP_SETQUOTA:
		dump_setquota(out, &cmd->u.setquota);
		break;
	case IMAP_CAPABILITY:
	case IMAP_CHECK:
	case IMAP_CLOSE:
	case IMAP_IDLE:
	case IMAP_LOGOUT:
	case IMAP_NAMESPACE:
	case IMAP_NOOP:
	case IMAP_STARTTLS:
	case IMAP_UNSELECT:
	case IMAP_VERB_COUNT:
		break;
	}
}

static void
check(struct slice in, int i, bool is_whole)
{
	struct region region;
	struct imap_cmd cmd;
	struct buf out;
	int n;

	region_init(&region, 100000);
	buf_init(&out, 10000);
	n = imap_cmd_parse(in, cases[i].state, &region, &cmd);
	ck_assert((n < 0) == (cmd.error != IMAP_ERROR_NONE));
	if (n == 0)
		dump(&out, &cmd);
	if (is_whole && cases[i].want != NULL) {
		ck_assert_msg(n == 0, "%s: %s", cases[i].in,
		    imap_error_text(cmd.error));
		ck_slice_str(buf_slice(&out), cases[i].want);
	} else if (is_whole) {
		ck_assert_msg(n < 0 && cmd.error == cases[i].error, "%s: %s",
		    cases[i].in, imap_error_text(cmd.error));
	}
	ck_assert(cmd.error == IMAP_ERROR_TAG ||
	    slice_ieq(slice_head(cmd.tag, 1), SLICE("a")));
	buf_fini(&out);
	region_fini(&region);
}

START_TEST(command)
{
	struct slice in = slice_str(cases[_i].in);
	size_t k;

	for (k = 0; k <= in.n; k++)
		check(guard_copy(slice_head(in, k)), _i, k == in.n);
}
END_TEST

START_TEST(table)
{
	const struct imap_command *row;
	bool seen[IMAP_VERB_COUNT] = { false };
	size_t i;

	for (i = 0; i < imap_command_count; i++) {
		row = &imap_commands[i];
		ck_assert_msg(i == 0 ||
		    strcmp(imap_commands[i - 1].name, row->name) < 0, "%s",
		    row->name);
		ck_assert(imap_command_find(slice_str(row->name)) == row);
		ck_assert(row->states != 0 && row->take != NULL);
		ck_assert(slice_has_prefix(slice_str(row->name),
		    SLICE("UID ")) == ((row->flags & IMAP_CMD_UID) != 0));
		seen[row->verb] = true;
	}
	for (i = 0; i < IMAP_VERB_COUNT; i++)
		ck_assert_msg(seen[i], "verb %zu", i);
	ck_assert_ptr_null(imap_command_find(SLICE("")));
	ck_assert_ptr_null(imap_command_find(SLICE("UID")));
}
END_TEST

/* Commands by what they are allowed in, from the table. */
START_TEST(states)
{
	static const struct {
		const char *name;
		unsigned states;
	} want[] = {
		{ "LOGIN", N }, { "STARTTLS", N }, { "NOOP", N | A | S },
		{ "LOGOUT", N | A | S }, { "SELECT", A | S },
		{ "IDLE", A | S }, { "FETCH", S }, { "UID EXPUNGE", S },
		{ "CLOSE", S },
	};
	size_t i;

	for (i = 0; i < sizeof want / sizeof *want; i++)
		ck_assert_uint_eq(imap_command_find(
		    slice_str(want[i].name))->states, want[i].states);
}
END_TEST

static const struct {
	const char *in;
	bool was_utf8;
	const char *want; /* NULL: the error */
	enum imap_error error;
} rests[] = {
	{ "", false, "end" },
	{ ")", true, "end" },
	{ " {5}", false, " 0 5 sync" },
	{ " (\\Seen) {5+}", false, " 8 5" },
	{ ") UTF8 (~{5+}", true, " 0 5 lit8 utf8" },
	{ "", true, NULL, IMAP_ERROR_CLOSE },
	{ ")", false, NULL, IMAP_ERROR_SPACE },
	{ "x", false, NULL, IMAP_ERROR_SPACE },
	{ " ", false, NULL, IMAP_ERROR_MISSING },
	{ " x {5}", false, NULL, IMAP_ERROR_LITERAL },
};

START_TEST(append_next)
{
	struct imap_append a = { .is_utf8 = rests[_i].was_utf8 };
	enum imap_error error;
	struct region region;
	struct buf out;
	bool more;
	int n;

	region_init(&region, 100000);
	buf_init(&out, 1000);
	n = imap_cmd_append_next(guard_copy(slice_str(rests[_i].in)), &region,
	    &a, &more, &error);
	if (rests[_i].want == NULL) {
		ck_assert(n < 0 && error == rests[_i].error);
	} else {
		ck_assert(n == 0 && error == IMAP_ERROR_NONE);
		if (more)
			dump_message(&out, &a);
		else
			buf_add_str(&out, "end");
		ck_slice_str(buf_slice(&out), rests[_i].want);
	}
	buf_fini(&out);
	region_fini(&region);
}
END_TEST

static void
check_many(const char *first, const char *each, const char *last, int n,
    enum imap_error error)
{
	struct region region;
	struct imap_cmd cmd;
	struct buf in;
	int i;

	region_init(&region, 1 << 20);
	buf_init(&in, 1 << 20);
	buf_add_str(&in, first);
	for (i = 0; i < n; i++)
		buf_add_str(&in, each + (i == 0));
	buf_add_str(&in, last);
	ck_assert((imap_cmd_parse(buf_slice(&in), A, &region, &cmd) < 0) ==
	    (error != IMAP_ERROR_NONE));
	ck_assert_msg(cmd.error == error, "%s: %s", first,
	    imap_error_text(cmd.error));
	ck_slice_str(cmd.tag, "a");
	buf_fini(&in);
	region_fini(&region);
}

START_TEST(limits)
{
	check_many("a ENABLE ", " x", "", 128, 0);
	check_many("a ENABLE ", " x", "", 129, IMAP_ERROR_TOO_MANY);
	check_many("a ID (", " \"a\" NIL", ")", 64, 0);
	check_many("a ID (", " \"a\" NIL", ")", 65, IMAP_ERROR_TOO_MANY);
	check_many("a LIST \"\" (", " a", ")", 128, 0);
	check_many("a LIST \"\" (", " a", ")", 129, IMAP_ERROR_TOO_MANY);
	check_many("a SETQUOTA x (", " a 1", ")", 128, 0);
	check_many("a SETQUOTA x (", " a 1", ")", 129, IMAP_ERROR_TOO_MANY);
	check_many("a STATUS x (", " SIZE", ")", 129, IMAP_ERROR_TOO_MANY);
}
END_TEST

START_TEST(no_room)
{
	static const char *const in[] = {
		"a FETCH 1 FLAGS", "a SEARCH ALL", "a STORE 1 FLAGS (a)",
		"a LIST \"\" *", "a ID (\"a\" NIL)", "a SETQUOTA x (a 1)",
		"a SELECT \"\\\"\"", "a UID EXPUNGE 1",
	};
	struct region region;
	struct imap_cmd cmd;

	region_init(&region, 0);
	ck_assert(imap_cmd_parse(slice_str(in[_i]), S, &region, &cmd) < 0);
	ck_assert(cmd.error == IMAP_ERROR_MEMORY);
	region_fini(&region);
}
END_TEST

START_TEST(tag)
{
	ck_slice_str(imap_cmd_tag(SLICE("A1 NO\rOP")), "A1");
	ck_slice_str(imap_cmd_tag(SLICE("A1")), "A1");
	ck_assert_ptr_null(imap_cmd_tag(SLICE("A\"1 x")).p);
	ck_assert_ptr_null(imap_cmd_tag(SLICE("")).p);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof *(a))

UNIT_SUITE(imap_cmd, {
	tcase_add_loop_test(tc, command, 0, COUNT(cases));
	tcase_add_test(tc, table);
	tcase_add_test(tc, states);
	tcase_add_loop_test(tc, append_next, 0, COUNT(rests));
	tcase_add_test(tc, limits);
	tcase_add_loop_test(tc, no_room, 0, 8);
	tcase_add_test(tc, tag);
})
