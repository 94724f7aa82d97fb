/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - talk to the person at the terminal: stderr, never stdout.
 *
 * Floor 0. Floors 1 and 3 never log; floor 2 logs once, where the cause is known; floor 4 decides
 * the level.
 */
#ifndef NSN_LOG_H
#define NSN_LOG_H

enum nsn_log_level {
	NSN_LOG_ERROR,
	NSN_LOG_WARNING,
	NSN_LOG_INFO,  /* -v */
	NSN_LOG_DEBUG, /* -vv: libbpf's own log too */
};

/* The highest level that is printed; NSN_LOG_WARNING until set. */
void nsn_log__set_level(enum nsn_log_level level);
enum nsn_log_level nsn_log__level(void);

/* Prints "nosnoop: text" and a newline. Control characters in the result are escaped. */
void nsn_log(enum nsn_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define nsn_error(...)   nsn_log(NSN_LOG_ERROR, __VA_ARGS__)
#define nsn_warning(...) nsn_log(NSN_LOG_WARNING, __VA_ARGS__)
#define nsn_info(...)    nsn_log(NSN_LOG_INFO, __VA_ARGS__)
#define nsn_debug(...)   nsn_log(NSN_LOG_DEBUG, __VA_ARGS__)

#endif /* NSN_LOG_H */
