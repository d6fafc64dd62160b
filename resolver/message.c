/* SPDX-License-Identifier: ISC */
/*
 * DNS messages by way of libresolv's parser, which checks every bound.
 * RFC 1035 4.1 (format), RFC 2308 2 and 5 (negative answers and how long they
 * hold), RFC 6604 (the status is that of the last alias), RFC 6891 (EDNS0),
 * RFC 6840 5.7 (AD in a query asks for AD in the answer), RFC 8914 (errors).
 */
#include "resolver/message.h"

#include <arpa/nameser.h>
#include <string.h>

#include "proto/dns.h"
#include "proto/dns_name.h"
#include "resolver/rdata.h"

enum {
	/* Places in the header, RFC 1035 4.1.1. */
	AT_FLAGS = 2,
	AT_QDCOUNT = 4,
	AT_ARCOUNT = 10,
	FLAG_QR = 0x8000,
	FLAG_OPCODE = 0x7800,
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_RA = 0x0080,
	FLAG_AD = 0x0020,
	FLAG_RCODE = 0x000f,
	RCODE_BADVERS = 16,
	OPT_SIZE = 11,
	OPTION_EDE = 15,
	TTL_SIGN = 0x7fffffff
};

static unsigned
get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void
put16(unsigned char *p, unsigned v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

/* The name on the wire, without compression. Its length, or -1. */
static int
wire_name(struct slice name, unsigned char wire[NS_MAXCDNAME])
{
	char text[NS_MAXDNAME];
	size_t n = 1;

	if (name.n == 0 || name.n >= sizeof text || slice_has(name, '\0'))
		return -1;
	memcpy(text, name.p, name.n);
	text[name.n] = 0;
	if (ns_name_pton(text, wire, NS_MAXCDNAME) < 0)
		return -1;
	while (wire[n - 1] != 0)
		n += (size_t)wire[n - 1] + 1;
	return (int)n;
}

int
message_build(struct buf *out, const struct message_query *q)
{
	unsigned char wire[NS_MAXCDNAME], *p;
	int name = wire_name(q->name, wire);
	size_t n;

	if (name < 0)
		return -1;
	n = NS_HFIXEDSZ + (size_t)name + NS_QFIXEDSZ +
	    (q->has_edns ? OPT_SIZE : 0);
	p = (unsigned char *)buf_room(out, n);
	if (p == NULL)
		return -1;
	memset(p, 0, n);
	put16(p, q->id);
	put16(p + AT_FLAGS, FLAG_RD | FLAG_AD);
	put16(p + AT_QDCOUNT, 1);
	put16(p + AT_ARCOUNT, q->has_edns);
	p += NS_HFIXEDSZ;
	memcpy(p, wire, (size_t)name);
	p += name;
	put16(p, q->type);
	put16(p + 2, ns_c_in);
	if (q->has_edns) {
		/* Root name, type, our buffer; flags and options are none. */
		put16(p + 5, ns_t_opt);
		put16(p + 7, MESSAGE_UDP_MAX);
	}
	buf_grew(out, n);
	return 0;
}

void
message_answer_init(struct message_answer *a)
{
	*a = (struct message_answer){ .ttl = 0 };
	buf_init(&a->canonical, NS_MAXDNAME);
	buf_init(&a->records, DNS_RECORDS_MAX);
}

void
message_answer_fini(struct message_answer *a)
{
	buf_fini(&a->canonical);
	buf_fini(&a->records);
}

/* Length octets are below 64 and so no letters: all may be folded. */
static bool
is_same_wire(const unsigned char *a, const unsigned char *b, size_t n,
    bool is_exact)
{
	size_t i;

	if (is_exact)
		return memcmp(a, b, n) == 0;
	for (i = 0; i < n; i++)
		if (ascii_lower((char)a[i]) != ascii_lower((char)b[i]))
			return false;
	return true;
}

/*
 * The question repeated in the answer is part of what proves that it is ours.
 * A server that cannot read the query may leave it out: that is seen from the
 * count, before this.
 */
static bool
is_our_question(struct slice bytes, const struct message_query *q)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	unsigned char ours[NS_MAXCDNAME], theirs[NS_MAXCDNAME] = { 0 };
	int n = wire_name(q->name, ours), used;

	used = ns_name_unpack(p, p + bytes.n, p + NS_HFIXEDSZ, theirs,
	    sizeof theirs);
	if (n < 0 || used < 0 ||
	    bytes.n < NS_HFIXEDSZ + (size_t)used + NS_QFIXEDSZ)
		return false;
	p += NS_HFIXEDSZ + used;
	/* An equal length octet by octet makes an equal whole: a shorter name
	 * of theirs differs where its root stands. */
	return get16(p) == q->type && get16(p + 2) == ns_c_in &&
	    is_same_wire(ours, theirs, (size_t)n, q->is_exact_case);
}

/* ---- sections ---- */

static void
lower_ttl(struct message_answer *a, uint32_t ttl)
{
	/* RFC 2181 8: with the top bit set it counts as zero. */
	if (ttl > TTL_SIGN)
		ttl = 0;
	if (ttl < a->ttl)
		a->ttl = ttl;
}

/*
 * Looks through the answer section for what belongs to the name in
 * a->canonical: packs records of the type, moves a->canonical on along an
 * alias. What belongs to other names is left alone. The number of records
 * found; -1 malformed.
 */
static int
collect(ns_msg *m, unsigned type, struct message_answer *a, bool *moved_r)
{
	struct slice name = buf_slice(&a->canonical);
	char alias[NS_MAXDNAME];
	uint32_t alias_ttl = 0;
	int i, found = 0;
	ns_rr rr;

	*moved_r = false;
	for (i = 0; i < ns_msg_count(*m, ns_s_an); i++) {
		if (ns_parserr(m, ns_s_an, i, &rr) < 0)
			return -1;
		if (ns_rr_class(rr) != ns_c_in ||
		    !dns_name_is_same(slice_str(ns_rr_name(rr)), name))
			continue;
		if (rr.type == type) {
			if (rdata_pack(&a->records, m, &rr) < 0)
				return -1;
			lower_ttl(a, ns_rr_ttl(rr));
			found++;
		} else if (ns_rr_type(rr) == ns_t_cname && !*moved_r) {
			if (rdata_take_name(m, &rr, 0, alias) < 0)
				return -1;
			alias_ttl = ns_rr_ttl(rr);
			*moved_r = true;
		}
	}
	/* Beside an alias nothing else may stand (RFC 1034 3.6.2): what was
	 * asked for wins over it. */
	*moved_r = *moved_r && found == 0;
	if (*moved_r) {
		lower_ttl(a, alias_ttl);
		buf_reset(&a->canonical);
		buf_add_slice(&a->canonical, rdata_name(alias));
	}
	return found;
}

/* What the authority section says about a negative answer. */
struct authority {
	bool has_soa, has_ns;
	uint32_t ttl; /* RFC 2308 5: the smaller of the SOA's TTL and minimum */
};

static int
read_authority(ns_msg *m, struct slice name, struct authority *out)
{
	const unsigned char *p;
	uint32_t minimum;
	ns_rr rr;
	int i;

	*out = (struct authority){ .ttl = 0 };
	for (i = 0; i < ns_msg_count(*m, ns_s_ns); i++) {
		if (ns_parserr(m, ns_s_ns, i, &rr) < 0)
			return -1;
		if (ns_rr_type(rr) == ns_t_ns)
			out->has_ns = true;
		/* Only the zone that the name lies in may speak of it. */
		if (ns_rr_type(rr) != ns_t_soa || out->has_soa ||
		    !dns_name_is_within(name, slice_str(ns_rr_name(rr))))
			continue;
		/* Two names of at least 1 octet, five numbers. */
		if (ns_rr_rdlen(rr) < 22)
			return -1;
		p = ns_rr_rdata(rr) + ns_rr_rdlen(rr) - 4;
		minimum = (uint32_t)get16(p) << 16 | get16(p + 2);
		out->has_soa = true;
		out->ttl = ns_rr_ttl(rr) < minimum ? ns_rr_ttl(rr) : minimum;
	}
	return 0;
}

/* From the OPT record: the upper bits of the status, and whether an extended
 * error names DNSSEC. A malformed one tells nothing. */
static void
read_opt(ns_msg *m, unsigned *rcode, bool *is_bogus_r)
{
	const unsigned char *p;
	size_t n, len, at;
	unsigned code;
	ns_rr rr;
	int i;

	*is_bogus_r = false;
	for (i = 0; i < ns_msg_count(*m, ns_s_ar); i++) {
		if (ns_parserr(m, ns_s_ar, i, &rr) < 0)
			return;
		if (ns_rr_type(rr) != ns_t_opt)
			continue;
		*rcode |= (ns_rr_ttl(rr) >> 24) << 4;
		p = ns_rr_rdata(rr);
		n = ns_rr_rdlen(rr);
		for (at = 0; n - at >= 4 && n - at - 4 >= get16(p + at + 2);
		    at += 4 + len) {
			len = get16(p + at + 2);
			if (get16(p + at) != OPTION_EDE || len < 2)
				continue;
			/* RFC 8914 4.7 to 4.13: bogus, signature expired or
			 * not yet valid, keys, signatures, zone key, NSEC
			 * missing. */
			code = get16(p + at + 4);
			*is_bogus_r = *is_bogus_r || (code >= 6 && code <= 12);
		}
	}
}

/* ---- verdicts ---- */

/* No records and no error: is it an answer, an alias, or a way out? */
static enum message_verdict
judge_empty(const struct authority *auth, unsigned flags,
    struct message_answer *a)
{
	if (auth->has_soa) {
		lower_ttl(a, auth->ttl);
		return MESSAGE_NODATA;
	}
	if (a->aliases > 0)
		return MESSAGE_ALIAS;
	/* A referral, or a server that neither knows nor asks on. */
	if ((flags & FLAG_AA) == 0 &&
	    (auth->has_ns || (flags & FLAG_RA) == 0))
		return MESSAGE_FAILED;
	a->ttl = 0; /* RFC 2308 5: without a SOA it is not kept */
	return MESSAGE_NODATA;
}

static enum message_verdict
judge_answer(ns_msg *m, unsigned rcode, const struct message_query *q,
    struct message_answer *a)
{
	unsigned flags = get16(ns_msg_base(*m) + AT_FLAGS);
	struct authority auth;
	bool moved;
	int found;

	while ((found = collect(m, q->type, a, &moved)) == 0 && moved)
		if (++a->aliases > MESSAGE_ALIASES_MAX)
			return MESSAGE_LOOP;
	if (found < 0 || !buf_is_ok(&a->records) || !buf_is_ok(&a->canonical))
		return MESSAGE_FAILED;
	if (rcode == ns_r_noerror && found > 0)
		return MESSAGE_RECORDS;
	if (read_authority(m, buf_slice(&a->canonical), &auth) < 0)
		return MESSAGE_FAILED;
	if (rcode == ns_r_noerror)
		return judge_empty(&auth, flags, a);
	lower_ttl(a, auth.has_soa ? auth.ttl : 0);
	return MESSAGE_NXDOMAIN;
}

/* The header alone: may it be ours, and is there any use in reading on? */
static enum message_verdict
judge_header(struct slice bytes, const struct message_query *q)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	unsigned flags, rcode;

	if (bytes.n < NS_HFIXEDSZ || get16(p) != q->id)
		return MESSAGE_OTHER;
	flags = get16(p + AT_FLAGS);
	rcode = flags & FLAG_RCODE;
	if ((flags & FLAG_QR) == 0 || (flags & FLAG_OPCODE) != 0)
		return MESSAGE_OTHER;
	/* Without a question: only from who could not read it. */
	if (get16(p + AT_QDCOUNT) == 0) {
		if (rcode != ns_r_formerr && rcode != ns_r_notimpl)
			return MESSAGE_OTHER;
		return q->has_edns ? MESSAGE_NO_EDNS : MESSAGE_FAILED;
	}
	if (get16(p + AT_QDCOUNT) != 1 || !is_our_question(bytes, q))
		return MESSAGE_OTHER;
	if ((flags & FLAG_TC) != 0)
		return q->is_tcp ? MESSAGE_FAILED : MESSAGE_TRUNCATED;
	return MESSAGE_RECORDS;
}

enum message_verdict
message_parse(struct slice bytes, const struct message_query *q,
    struct message_answer *a)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	enum message_verdict v = judge_header(bytes, q);
	unsigned rcode;
	bool is_bogus;
	ns_rr rr;
	ns_msg m;

	a->aliases = 0;
	a->ttl = TTL_SIGN;
	a->has_ad = false;
	buf_reset(&a->canonical);
	buf_reset(&a->records);
	if (v != MESSAGE_RECORDS)
		return v;
	if (bytes.n > MESSAGE_MAX || ns_initparse(p, (int)bytes.n, &m) < 0 ||
	    ns_parserr(&m, ns_s_qd, 0, &rr) < 0)
		return MESSAGE_FAILED;
	rcode = get16(p + AT_FLAGS) & FLAG_RCODE;
	a->has_ad = (get16(p + AT_FLAGS) & FLAG_AD) != 0;
	buf_add_slice(&a->canonical, rdata_name(rr.name));
	read_opt(&m, &rcode, &is_bogus);
	if (rcode == ns_r_noerror || rcode == ns_r_nxdomain)
		return judge_answer(&m, rcode, q, a);
	if (q->has_edns && (rcode == ns_r_formerr || rcode == ns_r_notimpl ||
	    rcode == RCODE_BADVERS))
		return MESSAGE_NO_EDNS;
	return is_bogus && rcode == ns_r_servfail ? MESSAGE_BOGUS :
	    MESSAGE_FAILED;
}
