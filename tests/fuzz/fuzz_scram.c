/* SPDX-License-Identifier: ISC */
/* The four SCRAM messages. */
#include "proto/scram.h"

#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

static void
client_first(struct slice in)
{
	struct scram_client_first f;
	enum scram_error error;
	struct buf name;

	if (scram_client_first_parse(in, &f, &error) < 0)
		return;
	FUZZ_ASSERT(f.gs2.n + f.bare.n == in.n);
	FUZZ_ASSERT(scram_is_nonce(f.nonce));
	buf_init(&name, LIMIT_SASL_NAME);
	if (scram_name_decode(f.name, &name) == 0)
		FUZZ_ASSERT(sasl_is_name(buf_slice(&name)));
	buf_fini(&name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, text;
	struct scram_client_final last;
	struct scram_server_first first;
	enum scram_error error;
	struct buf hash;

	client_first(in);
	if (scram_client_final_parse(in, &last, &error) == 0)
		FUZZ_ASSERT(last.without_proof.n + 3 + last.proof.n == in.n);
	if (scram_server_first_parse(in, SLICE("x"), &first, &error) == 0)
		FUZZ_ASSERT(first.iterations >= LIMIT_SCRAM_ITERATIONS_MIN &&
		    first.iterations <= LIMIT_SCRAM_ITERATIONS);
	buf_init(&hash, SCRAM_HASH + 2);
	if (scram_server_final_parse(in, &text, &error) == 0 &&
	    scram_hash_decode(text, &hash) == 0)
		FUZZ_ASSERT(hash.n == SCRAM_HASH);
	buf_fini(&hash);
	return 0;
}
