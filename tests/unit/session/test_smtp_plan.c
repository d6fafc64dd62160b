/* SPDX-License-Identifier: ISC */
/* What is said of a message to servers that offer this or that. */
#include "session/smtp_plan.h"

#include <stdlib.h>
#include <string.h>

#include "session/smtp_client.h"
#include "tests/unit/unit.h"

#define ASCII "Subject: x\r\n\r\nhi\r\n"
#define BODY8 "Subject: x\r\n\r\nh\xc3\xa9\r\n"
#define HEADER8 "Subject: \xc3\xa9\r\n\r\nhi\r\n"
#define SEALED8 "MIME-Version: 1.0\r\nContent-Type: multipart/signed; " \
	"boundary=a\r\n\r\n--a\r\n\r\nh\xc3\xa9\r\n--a\r\n\r\nsig\r\n--a--\r\n"

#define MIME SMTP_CAP_8BITMIME
#define UTF8 SMTP_CAP_SMTPUTF8
#define DSN SMTP_CAP_DSN
#define CHUNK SMTP_CAP_CHUNKING
#define BIN SMTP_CAP_BINARYMIME

/* `want`: both lines, or "-" and the enhanced code of a refusal. */
static const struct {
	const char *name;
	unsigned caps;
	enum smtp_body type;
	bool is_utf8;
	const char *sender, *rcpt, *orcpt, *content, *want;
} cases[] = {
	{ "ASCII", 0, SMTP_BODY_7BIT, false, "a@x.test", "b@y.test", "",
	    ASCII, "MAIL FROM:<a@x.test> RCPT TO:<b@y.test>" },
	{ "8 bits by name", MIME, SMTP_BODY_8BITMIME, false, "", "b@y.test",
	    "", ASCII, "MAIL FROM:<> BODY=8BITMIME RCPT TO:<b@y.test>" },
	{ "8 bits by nature", MIME, SMTP_BODY_7BIT, false, "", "b@y.test", "",
	    BODY8, "MAIL FROM:<> BODY=8BITMIME RCPT TO:<b@y.test>" },
	{ "7 bits", MIME, SMTP_BODY_7BIT, false, "", "b@y.test", "", ASCII,
	    "MAIL FROM:<> RCPT TO:<b@y.test>" },
	{ "8 bits by name only, not offered", 0, SMTP_BODY_8BITMIME, false,
	    "", "b@y.test", "", ASCII, "MAIL FROM:<> RCPT TO:<b@y.test>" },
	{ "converted", 0, SMTP_BODY_8BITMIME, false, "", "b@y.test", "",
	    BODY8, "MAIL FROM:<> RCPT TO:<b@y.test> converted" },
	{ "sealed", 0, SMTP_BODY_8BITMIME, false, "", "b@y.test", "",
	    SEALED8, "- 5.6.3" },
	{ "sealed, offered", MIME, SMTP_BODY_8BITMIME, false, "", "b@y.test",
	    "", SEALED8, "MAIL FROM:<> BODY=8BITMIME RCPT TO:<b@y.test>" },
	{ "binary", CHUNK | BIN, SMTP_BODY_BINARYMIME, false, "", "b@y.test",
	    "", BODY8, "MAIL FROM:<> BODY=BINARYMIME RCPT TO:<b@y.test> "
	    "bdat" },
	{ "binary, not offered", CHUNK | MIME, SMTP_BODY_BINARYMIME, false,
	    "", "b@y.test", "", BODY8, "- 5.6.3" },
	{ "chunks", CHUNK, SMTP_BODY_7BIT, false, "", "b@y.test", "", ASCII,
	    "MAIL FROM:<> RCPT TO:<b@y.test> bdat" },
	/* SMTPUTF8 */
	{ "UTF-8 by name", UTF8, SMTP_BODY_7BIT, true, "", "b@y.test", "",
	    ASCII, "MAIL FROM:<> SMTPUTF8 RCPT TO:<b@y.test>" },
	{ "UTF-8 by name only, not offered", MIME, SMTP_BODY_8BITMIME, true,
	    "", "b@y.test", "", BODY8,
	    "MAIL FROM:<> BODY=8BITMIME RCPT TO:<b@y.test>" },
	{ "UTF-8 in the header, not offered", MIME, SMTP_BODY_8BITMIME, true,
	    "", "b@y.test", "", HEADER8, "- 5.6.7" },
	{ "8 bits in the header of old", MIME, SMTP_BODY_8BITMIME, false, "",
	    "b@y.test", "", HEADER8,
	    "MAIL FROM:<> BODY=8BITMIME RCPT TO:<b@y.test>" },
	{ "UTF-8 in the sender, not offered", MIME, SMTP_BODY_7BIT, true,
	    "\xc3\xa9@x.test", "b@y.test", "", ASCII, "- 5.6.7" },
	{ "UTF-8 in a recipient, not offered", MIME, SMTP_BODY_7BIT, true,
	    "", "\xc3\xa9@y.test", "", ASCII, "- 5.6.7" },
	{ "UTF-8 in both", UTF8, SMTP_BODY_7BIT, true, "\xc3\xa9@x.test",
	    "\xc3\xa9@y.test", "", ASCII, "MAIL FROM:<\xc3\xa9@x.test> "
	    "SMTPUTF8 RCPT TO:<\xc3\xa9@y.test>" },
	{ "a U-label", UTF8, SMTP_BODY_7BIT, false, "",
	    "b@b\xc3\xbc" "cher.test", "", ASCII, "MAIL FROM:<> SMTPUTF8 "
	    "RCPT TO:<b@b\xc3\xbc" "cher.test>" },
	{ "a U-label, not offered", 0, SMTP_BODY_7BIT, true,
	    "a@b\xc3\xbc" "cher.test", "b@b\xc3\xbc" "cher.test", "", ASCII,
	    "MAIL FROM:<a@xn--bcher-kva.test> "
	    "RCPT TO:<b@xn--bcher-kva.test>" },
	/* DSN */
	{ "ORCPT", DSN, SMTP_BODY_7BIT, false, "", "b@y.test",
	    "rfc822;c+2Bd@y.test", ASCII, "MAIL FROM:<> RCPT TO:<b@y.test> "
	    "ORCPT=rfc822;c+2Bd@y.test" },
	{ "ORCPT, not offered", 0, SMTP_BODY_7BIT, false, "", "b@y.test",
	    "rfc822;c+2Bd@y.test", ASCII,
	    "MAIL FROM:<> RCPT TO:<b@y.test>" },
	{ "ORCPT in UTF-8", DSN | UTF8, SMTP_BODY_7BIT, true, "", "b@y.test",
	    "utf-8;\xc3\xa9@y.test", ASCII, "MAIL FROM:<> SMTPUTF8 RCPT TO:"
	    "<b@y.test> ORCPT=utf-8;\xc3\xa9@y.test" },
	{ "ORCPT in UTF-8, not offered", DSN, SMTP_BODY_7BIT, true, "",
	    "b@y.test", "utf-8;\xc3\xa9@y.test", ASCII, "MAIL FROM:<> "
	    "RCPT TO:<b@y.test> ORCPT=utf-8;\\x{E9}@y.test" },
	/* What must never be said. */
	{ "a second command in a recipient", 0, SMTP_BODY_7BIT, false, "",
	    "b@y.test>\r\nRCPT TO:<c@y.test", "", ASCII, "- 5.1.3" },
	{ "a parameter in a recipient", 0, SMTP_BODY_7BIT, false, "",
	    "b@y.test> NOTIFY=NEVER <", "", ASCII, "- 5.1.3" },
	{ "no recipient", 0, SMTP_BODY_7BIT, false, "", "", "", ASCII,
	    "- 5.1.3" },
	{ "a second command in the sender", 0, SMTP_BODY_7BIT, false,
	    "a@x.test>\r\nRSET", "b@y.test", "", ASCII, "- 5.1.3" },
	{ "a blank in ORCPT", DSN, SMTP_BODY_7BIT, false, "", "b@y.test",
	    "rfc822;a b", ASCII, "- 5.1.3" },
};

static void
describe(struct buf *out, const struct smtp_plan *p,
    const struct smtp_client_mail *m, const struct smtp_caps *caps)
{
	smtp_plan_add_mail(out, p, m, caps);
	buf_add_char(out, ' ');
	smtp_plan_add_rcpt(out, p, &m->rcpts[0]);
	if (p->is_bdat)
		buf_add_str(out, " bdat");
	if (p->converted.n > 0)
		buf_add_str(out, " converted");
}

static void
check_plan(const char *name, const struct smtp_client_mail *m,
    const struct smtp_caps *caps, const char *want)
{
	struct smtp_plan p;
	struct status why;
	struct buf got;
	size_t i;

	buf_init(&got, 4096);
	if (smtp_plan_make(&p, m, caps, &why) < 0) {
		ck_assert_int_eq(why.outcome, OUTCOME_FAILED);
		buf_add_str(&got, "- ");
		enhanced_add(&got, why.enhanced);
	} else {
		describe(&got, &p, m, caps);
	}
	ck_assert_msg(strcmp(got.p, want) == 0, "%s: \"%s\", want \"%s\"",
	    name, got.p, want);
	for (i = 0; i < p.converted.n; i++)
		ck_assert_uint_lt((unsigned char)p.converted.p[i], 128);
	smtp_plan_fini(&p);
	buf_fini(&got);
}

START_TEST(plan)
{
	struct smtp_caps caps = { .bits = cases[_i].caps };
	struct smtp_client_rcpt rcpt = {
		.address = guard_copy(slice_str(cases[_i].rcpt)),
		.orcpt = guard_copy(slice_str(cases[_i].orcpt)) };
	struct smtp_client_mail m = {
		.sender = guard_copy(slice_str(cases[_i].sender)),
		.body_type = cases[_i].type, .is_utf8 = cases[_i].is_utf8,
		.rcpts = &rcpt, .n_rcpts = 1 };

	smtp_content_from_memory(&m.content,
	    guard_copy(slice_str(cases[_i].content)));
	check_plan(cases[_i].name, &m, &caps, cases[_i].want);
}
END_TEST

UNIT_SUITE(smtp_plan, {
	tcase_add_loop_test(tc, plan, 0, sizeof cases / sizeof *cases);
})
