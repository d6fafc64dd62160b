/* SPDX-License-Identifier: ISC */
#include "proto/smtp_cmd.h"

#include "tests/fuzz/fuzz.h"

static void
check(struct slice in, unsigned params, bool is_utf8)
{
	struct smtp_cmd_rules rules = { params, is_utf8 };
	enum smtp_cmd_error error = SMTP_CMD_ERRORS;
	struct smtp_cmd c;

	if (smtp_cmd_parse(in, &rules, &c, &error) < 0) {
		FUZZ_ASSERT(error < SMTP_CMD_ERRORS);
		FUZZ_ASSERT(smtp_cmd_error_reply(error)->text.n > 0);
		return;
	}
	FUZZ_ASSERT(c.verb < SMTP_VERBS);
	FUZZ_ASSERT((c.mail.given & ~params) == 0);
	FUZZ_ASSERT((c.rcpt.given & ~params) == 0);
	FUZZ_ASSERT(is_utf8 || !c.rcpt.to.is_utf8);
	FUZZ_ASSERT(!slice_has(c.arg, '\n') && !slice_has(c.mail.envid, ' '));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };

	check(in, ~0u, true);
	check(in, ~0u, false);
	check(in, 0, false);
	return 0;
}
