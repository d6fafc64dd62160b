/* SPDX-License-Identifier: ISC */
#include "tests/unit/mta/fake_lookup.h"

#include "base/num.h"
#include "mta/lookup.h"
#include "tests/unit/unit.h"

enum { OPEN_MAX_ASKS = 256 };

static struct {
	struct loop *loop;
	const char *lines;
	unsigned asked;
	struct {
		struct lookup *q;
		enum dns_type type;
		char name[256];
	} open[OPEN_MAX_ASKS];
} self;

void
fake_lookup_know(struct loop *l, const char *lines)
{
	self.loop = l;
	self.lines = lines;
	self.asked = 0;
}

unsigned
fake_lookup_asked(void)
{
	return self.asked;
}

unsigned
fake_lookup_open(void)
{
	unsigned i, n = 0;

	for (i = 0; i < OPEN_MAX_ASKS; i++)
		n += self.open[i].q != NULL;
	return n;
}

static void
add_record(struct buf *records, enum dns_type type, struct slice word)
{
	struct slice preference;
	uint64_t n;
	struct ip ip;

	if (type == DNS_MX) {
		ck_assert(slice_split(&word, ':', &preference));
		ck_assert_int_eq(num_parse(preference, 0, 65535, &n), 0);
		dns_add_mx(records, (uint16_t)n, word);
	} else {
		ck_assert_int_eq(ip_parse(word, &ip), 0);
		dns_add_ip(records, &ip);
	}
}

/* -1: no answer comes. */
static int
add_answer(struct slice words, enum dns_type type, struct buf *records)
{
	struct slice word;
	unsigned s;

	while (slice_split(&words, ' ', &word)) {
		if (slice_eq_str(word, "never"))
			return -1;
		for (s = 0; s < DNS_STATUS_COUNT; s++)
			if (slice_eq_str(word, dns_status_name(s)))
				return (int)s;
		add_record(records, type, word);
	}
	return DNS_OK;
}

static int
find(struct slice name, enum dns_type type, struct buf *records)
{
	struct slice rest = slice_str(self.lines), line, word;
	int status = DNS_NXDOMAIN;

	while (slice_split(&rest, '\n', &line)) {
		if (!slice_split(&line, ' ', &word) || !slice_eq(word, name))
			continue;
		if (status == DNS_NXDOMAIN)
			status = DNS_NODATA;
		if (slice_split(&line, ' ', &word) &&
		    dns_type_by_name(word) == (unsigned)type)
			return add_answer(line, type, records);
	}
	return status;
}

static void
answer(void *arg)
{
	struct lookup *q = arg;
	struct buf records;
	int i, status;

	for (i = 0; self.open[i].q != q; i++)
		;
	buf_init(&records, DNS_RECORDS_MAX);
	status = find(slice_str(self.open[i].name), self.open[i].type,
	    &records);
	if (status >= 0) {
		self.open[i].q = NULL;
		q->done(q, (enum dns_status)status, buf_slice(&records));
	}
	buf_fini(&records);
}

void
lookup_start(struct lookup *q, enum dns_type type, struct slice name)
{
	int i;

	self.asked++;
	for (i = 0; self.open[i].q != NULL; i++)
		ck_assert_int_lt(i, OPEN_MAX_ASKS - 1);
	ck_assert_uint_lt(name.n, sizeof self.open[i].name);
	self.open[i].q = q;
	self.open[i].type = type;
	memcpy(self.open[i].name, name.p, name.n);
	self.open[i].name[name.n] = 0;
	loop_later_init(&q->later, self.loop, answer, q);
	loop_later_ask(&q->later);
}

void
lookup_cancel(struct lookup *q)
{
	int i;

	for (i = 0; i < OPEN_MAX_ASKS; i++)
		if (self.open[i].q == q)
			self.open[i].q = NULL;
	if (q->later.loop != NULL)
		loop_later_remove(&q->later);
}
