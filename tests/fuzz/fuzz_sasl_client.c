/* SPDX-License-Identifier: ISC */
/* The first byte names the mechanism; challenges are separated by LF. */
#include "proto/sasl_client.h"

#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

static const char hash[SCRAM_HASH];

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, challenge;
	struct slice sum = { hash, sizeof hash };
	struct sasl_login login = { .name = SLICE("user"),
		.password = SLICE("secret"), .nonce = SLICE("x"),
		.channel.exporter = SLICE("\1\2") };
	enum sasl_client_step step;
	struct sasl_client c;
	struct buf out;
	bool has;

	if (size == 0)
		return 0;
	buf_init(&out, (size_t)8 * LIMIT_SASL_MESSAGE);
	sasl_client_init(&c, (enum sasl_mech)(data[0] % SASL_MECHS), 0,
	    &login);
	in = slice_from(in, 1);
	step = sasl_client_start(&c, &out, &has);
	while (step != SASL_FAIL && slice_split(&in, '\n', &challenge)) {
		step = sasl_client_feed(&c, challenge, &out);
		if (step == SASL_PROVE)
			step = sasl_client_proved(&c, sum, sum, &out);
	}
	FUZZ_ASSERT(step != SASL_FAIL || !sasl_client_is_done(&c));
	sasl_client_fini(&c);
	buf_fini(&out);
	return 0;
}
