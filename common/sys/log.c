/* SPDX-License-Identifier: ISC */
/*
 * A line is built in one buffer and written with one write() to a descriptor
 * opened O_APPEND, so lines of different processes never mix.
 */
#include "sys/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_MAX_BYTES = 8192, VALUE_MAX = 512, RING = 16 };

static struct {
	char name[64];
	int fd;
	enum log_format format;
	enum log_level level;
} self = { "veredus", -1, LOG_FORMAT_TEXT, LOG_LEVEL_INFO };

/* RFC 5424 6.2.1: facility 2 is mail; severities of our levels. */
enum { FACILITY_MAIL = 2 << 3 };
static const int severity[] = { 3, 4, 6, 7 };
static const char *const level_names[] = { "error", "warn", "info", "debug" };

void
log_init(const char *name)
{
	(void)snprintf(self.name, sizeof self.name, "%s", name);
}

void
log_set_fd(int fd, enum log_format format)
{
	self.format = format;
	if (fd < 0)
		return;
	if (self.fd >= 0)
		(void)close(self.fd);
	self.fd = fd;
}

int
log_fd(void)
{
	return self.fd;
}

void
log_move_fd(int fd)
{
	self.fd = fd;
}

void
log_set_level(enum log_level level)
{
	self.level = level;
}

bool
log_is_debug(void)
{
	return self.level >= LOG_LEVEL_DEBUG;
}

/* Days since 1970 to a civil date (proleptic Gregorian, years 1 to 9999). */
static void
civil(int64_t days, int *y, int *m, int *d)
{
	int64_t z = days + 719468, era = z / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

static size_t
stamp(char *out, size_t cap)
{
	int64_t us = clock_wall_us(), s = us / 1000000;
	int y, m, d;

	civil(s / 86400, &y, &m, &d);
	return (size_t)snprintf(out, cap,
	    "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", y, m, d,
	    (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60),
	    (int)(us % 1000000));
}

static void
json_string(char *out, size_t cap, size_t *n, const char *p, size_t len)
{
	size_t i;

	if (*n + 1 < cap)
		out[(*n)++] = '"';
	for (i = 0; i < len && *n + 8 < cap; i++) {
		if (p[i] == '"' || p[i] == '\\') {
			out[(*n)++] = '\\';
			out[(*n)++] = p[i];
		} else if ((unsigned char)p[i] < 0x20) {
			*n += (size_t)snprintf(out + *n, cap - *n, "\\u%04x",
			    (unsigned char)p[i]);
		} else {
			out[(*n)++] = p[i];
		}
	}
	if (*n + 1 < cap)
		out[(*n)++] = '"';
}

/* One value of a key=value text: bare up to a space, or quoted. Returns its
 * end; the text without quotes and escapes goes to `v`. */
static size_t
take_value(const char *p, char *v, size_t cap, size_t *n_r)
{
	size_t i = 0, n = 0;

	if (p[0] != '"') {
		while (p[i] != 0 && p[i] != ' ')
			if (n < cap)
				v[n++] = p[i++];
			else
				i++;
		*n_r = n;
		return i;
	}
	for (i = 1; p[i] != 0 && p[i] != '"'; i++) {
		if (p[i] == '\\' && p[i + 1] != 0)
			i++;
		if (n < cap)
			v[n++] = p[i];
	}
	*n_r = n;
	return p[i] == '"' ? i + 1 : i;
}

static size_t
json_line(char *out, size_t cap, const char *when, enum log_level level,
    const char *text)
{
	char v[VALUE_MAX * 4];
	size_t n, len, key;

	n = (size_t)snprintf(out, cap,
	    "{\"time\":\"%s\",\"level\":\"%s\",\"process\":\"%s\"", when,
	    level_names[level], self.name);
	while (*text != 0 && n + VALUE_MAX < cap) {
		while (*text == ' ')
			text++;
		key = strcspn(text, "= ");
		if (text[key] != '=')
			break;
		out[n++] = ',';
		json_string(out, cap, &n, text, key);
		out[n++] = ':';
		text += key + 1;
		text += take_value(text, v, sizeof v, &len);
		json_string(out, cap, &n, v, len);
	}
	if (*text != 0) {
		n += (size_t)snprintf(out + n, cap - n, ",\"text\":");
		json_string(out, cap, &n, text, strlen(text));
	}
	if (n + 2 < cap)
		out[n++] = '}';
	return n;
}

__attribute__((format(printf, 2, 0))) static void
put(enum log_level level, const char *fmt, va_list ap)
{
	static char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 1024];
	int fd = self.fd >= 0 ? self.fd : STDERR_FILENO, saved = errno;
	char when[80];
	size_t n, i;

	if (level > self.level)
		return;
	(void)vsnprintf(text, sizeof text, fmt, ap);
	for (i = 0; text[i] != 0; i++)
		if (text[i] == '\n' || text[i] == '\r')
			text[i] = ' ';
	(void)stamp(when, sizeof when);
	if (self.format == LOG_FORMAT_JSON)
		n = json_line(line, sizeof line - 1, when, level, text);
	else if (self.format == LOG_FORMAT_SYSLOG)
		n = (size_t)snprintf(line, sizeof line - 1,
		    "<%d>veredus/%s[%ld]: %s", FACILITY_MAIL + severity[level],
		    self.name, (long)getpid(), text);
	else
		n = (size_t)snprintf(line, sizeof line - 1, "%s %s %s %s",
		    when, self.name, level_names[level], text);
	if (n > sizeof line - 2)
		n = sizeof line - 2;
	if (self.format != LOG_FORMAT_SYSLOG)
		line[n++] = '\n';
	while (write(fd, line, n) < 0 && errno == EINTR)
		;
	errno = saved;
}

#define LOG_FUNCTION(name, level) \
	void name(const char *fmt, ...) \
	{ \
		va_list ap; \
		va_start(ap, fmt); \
		put(level, fmt, ap); \
		va_end(ap); \
	}
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

static bool
is_plain(struct slice v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] <= ' ' || v.p[i] == '"' ||
		    v.p[i] == '\\' || v.p[i] == 0x7f)
			return false;
	return v.n > 0;
}

const char *
log_quote(struct slice value)
{
	static char ring[RING][VALUE_MAX * 4 + 8];
	static unsigned turn;
	char *out = ring[turn++ % RING];
	size_t i, n = 0;
	unsigned char c;

	value = slice_head(value, VALUE_MAX);
	if (is_plain(value)) {
		memcpy(out, value.p, value.n);
		out[value.n] = 0;
		return out;
	}
	out[n++] = '"';
	for (i = 0; i < value.n; i++) {
		c = (unsigned char)value.p[i];
		if (c == '"' || c == '\\') {
			out[n++] = '\\';
			out[n++] = (char)c;
		} else if (c < ' ' || c == 0x7f) {
			n += (size_t)snprintf(out + n, 5, "\\x%02x", c);
		} else {
			out[n++] = (char)c;
		}
	}
	out[n++] = '"';
	out[n] = 0;
	return out;
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	_exit(75);
}

void
log_bug(const char *file, int line, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_error("event=bug at=%s:%d text=%s", file, line,
	    log_quote(slice_str(text)));
	abort();
}
