/* SPDX-License-Identifier: ISC */
/*
 * Structured logs: one line per event, written whole to a descriptor that
 * master opened. The text is `event=NAME key=value …`; values that come from
 * the wire go through log_quote (or the LOG_V macro), which escapes everything
 * that could forge a line. Never a subject, a password or a message's text.
 *
 *	log_info("event=accepted id=%s from=%s", id, LOG_V(sender));
 */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
/* SYSLOG: the descriptor is a datagram socket to the system's log. */
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, LOG_FORMAT_SYSLOG };

/* Names this process in every line ("smtpd[1]"). Until log_set_fd, lines go to
 * standard error. */
void log_init(const char *name);
/* Takes the descriptor over; -1 keeps the old one. */
void log_set_fd(int fd, enum log_format format);
/* The descriptor in use, or -1; and: it is that one now (a forked process that
 * arranged its descriptors). */
int log_fd(void);
void log_move_fd(int fd);
void log_set_level(enum log_level level);
bool log_is_debug(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The value escaped for a log line: as it is when plain, in double quotes with
 * \" \\ \n \xHH otherwise, cut at 512 bytes. The result lives in one of 16
 * buffers used in turn.
 */
const char *log_quote(struct slice value);
#define LOG_V(s) log_quote(s)
#define LOG_S(str) log_quote(slice_str(str))

/* The environment failed (no memory, disk gone at start): logs and exits 75;
 * master starts the role again with back-off. */
void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));
/* Our own assumption is wrong: logs and aborts. */
#define BUG(...) log_bug(__FILE__, __LINE__, __VA_ARGS__)
void log_bug(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), noreturn));

#endif
