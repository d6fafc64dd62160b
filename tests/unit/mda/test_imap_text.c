/* SPDX-License-Identifier: ISC */
#include "mda/imap_text.h"

#include <string.h>

#include "mda/imap_preview.h"
#include "tests/unit/unit.h"

static const struct {
	const char *name, *charset, *in, *want;
} folds[] = {
	{ "ASCII", "", "Hello 42", "hello 42" },
	{ "UTF-8", "utf-8", "ÄÖÜß Éa", "äöüß éa" },
	{ "Latin-1", "ISO-8859-1", "\xc4\xd6 \xe4", "äö ä" },
	{ "Greek", "", "ΛΌΓΟΣ λόγος", "λΌγοσ λόγοσ" },
	{ "Cyrillic", "", "ПРИВЕТ Ёж", "привет ёж" },
	{ "Polish", "", "ŁÓDŹ Żółw", "łódź żółw" },
	{ "no UTF-8", "utf-8", "A\xff\x42", "a\xff\x62" },
	{ "cut short", "utf-8", "A\xc3", "a\xc3" },
};

START_TEST(fold)
{
	struct buf out;

	buf_init(&out, 1000);
	imap_text_fold(&out, slice_str(folds[_i].charset),
	    guard_copy(slice_str(folds[_i].in)));
	ck_assert_msg(strcmp(out.p, folds[_i].want) == 0, "%s: got \"%s\"",
	    folds[_i].name, out.p);
	buf_fini(&out);
}
END_TEST

static const struct {
	const char *name, *in, *want;
} fields[] = {
	{ "plain", " Hello World", " hello world" },
	{ "encoded", " =?utf-8?Q?=C3=84rger?= X", " ärger x" },
	{ "Latin", "=?ISO-8859-1?Q?=C4?=", "ä" },
	{ "unknown", "=?KOI8-R?Q?=C4?=", "=?koi8-r?q?=c4?=" },
	{ "folded", "a\r\n B", "a b" },
};

START_TEST(field)
{
	struct buf out;

	buf_init(&out, 1000);
	imap_text_field(&out, guard_copy(slice_str(fields[_i].in)));
	ck_assert_msg(strcmp(out.p, fields[_i].want) == 0, "%s: got \"%s\"",
	    fields[_i].name, out.p);
	buf_fini(&out);
}
END_TEST

/* Whatever the pieces, the strings are found, and no others. */
START_TEST(finder)
{
	static const char text[] = "The quick brown FOX über den Zäunen";
	struct imap_wanted w[4];
	struct imap_finder f;
	size_t at, step = (size_t)_i + 1;

	memset(w, 0, sizeof w);
	w[0].text = SLICE("fox über");
	w[1].text = SLICE("zäunen");
	w[2].text = SLICE("the");
	w[3].text = SLICE("foxes");
	imap_finder_init(&f, w, 4);
	imap_finder_begin(&f, SLICE("utf-8"));
	for (at = 0; at < sizeof text - 1; at += step)
		ck_assert(!imap_finder_feed(&f, slice_head(slice_from(
		    slice_str(text), at), step), w, 4));
	ck_assert(w[0].is_found && w[1].is_found && w[2].is_found);
	ck_assert(!w[3].is_found);
	imap_finder_fini(&f);
}
END_TEST

static const struct {
	const char *name, *in, *want;
} previews[] = {
	{ "plain", "A: b\r\n\r\n one\r\n\r\n  two\tthree \r\n",
	    "one two three" },
	{ "no header", "\r\nbody", "body" },
	{ "nothing", "", "" },
	{ "no text", "Content-Type: image/gif\r\n\r\nGIF", "" },
	{ "open tag", "Content-Type: text/html\r\n\r\na<b c", "a" },
	{ "open style", "Content-Type: text/html\r\n\r\na<style>b", "a" },
	{ "open comment", "Content-Type: text/html\r\n\r\na<!-- b", "a" },
	{ "entities", "Content-Type: text/html\r\n\r\n&&amp;&lt;&#0;&#x41;"
	    "&#99999999;&nothing;x", "&&<A&nothing;x" },
	{ "unknown charset", "Content-Type: text/plain; charset=koi8-r\r\n"
	    "\r\n\xc4\xc5 ok", "ok" },
};

START_TEST(preview)
{
	struct buf out;

	buf_init(&out, 1000);
	imap_preview(&out, guard_copy(slice_str(previews[_i].in)));
	ck_assert_msg(out.n == strlen(previews[_i].want) &&
	    memcmp(out.p, previews[_i].want, out.n) == 0,
	    "%s: got \"%s\"", previews[_i].name, out.p);
	buf_fini(&out);
}
END_TEST

/* RFC 8970 3.3: at most 200 characters. */
START_TEST(long_preview)
{
	struct buf in, out;
	size_t i, n = 0;

	buf_init(&in, 10000);
	buf_init(&out, 10000);
	buf_add_str(&in, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	for (i = 0; i < 300; i++)
		buf_add_str(&in, i % 2 == 0 ? "ä" : "b c");
	imap_preview(&out, buf_slice(&in));
	for (i = 0; i < out.n; i++)
		n += ((unsigned char)out.p[i] & 0xc0) != 0x80;
	ck_assert_uint_eq(n, 200);
	buf_fini(&in);
	buf_fini(&out);
}
END_TEST

#define COUNT(a) (sizeof(a) / sizeof *(a))

UNIT_SUITE(imap_text, {
	tcase_add_loop_test(tc, fold, 0, COUNT(folds));
	tcase_add_loop_test(tc, field, 0, COUNT(fields));
	tcase_add_loop_test(tc, finder, 0, 40);
	tcase_add_loop_test(tc, preview, 0, COUNT(previews));
	tcase_add_test(tc, long_preview);
})
