/* SPDX-License-Identifier: ISC */
/* The first byte names the mechanism; messages are separated by LF. */
#include "proto/sasl_server.h"

#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

static const char hash[SCRAM_HASH];

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, message;
	struct sasl_channel ch = { .exporter = SLICE("\1\2") };
	struct sasl_server s;
	enum sasl_step step = SASL_CHALLENGE;
	struct buf out;

	if (size == 0)
		return 0;
	buf_init(&out, (size_t)8 * LIMIT_SASL_MESSAGE);
	sasl_server_init(&s, (enum sasl_mech)(data[0] % SASL_MECHS), &ch,
	    SLICE("server"));
	in = slice_from(in, 1);
	while (slice_split(&in, '\n', &message)) {
		step = sasl_server_feed(&s, message, &out);
		if (step == SASL_KEYS)
			step = sasl_server_keys(&s, SLICE("salt"), 4096, &out);
		if (step == SASL_PROOF)
			step = sasl_server_proved(&s,
			    (struct slice){ hash, sizeof hash }, &out);
		if (step == SASL_PASSWORD)
			FUZZ_ASSERT(s.name.n > 0 && s.password.n > 0);
		if (step != SASL_CHALLENGE)
			break;
	}
	sasl_server_fini(&s);
	buf_fini(&out);
	return 0;
}
