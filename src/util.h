/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * util.h - small things that every floor uses: arrays that grow, text, time.
 *
 * Floor 0: libc only.
 */
#ifndef NSN_UTIL_H
#define NSN_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define NSN_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What can be known of a yes-or-no fact. */
enum nsn_tri {
	NSN_UNKNOWN = -1,
	NSN_NO = 0,
	NSN_YES = 1,
};

/*
 * Makes room for one more element of an array: returns the array, moved if need be, or NULL
 * without memory (the old array is then still valid). *capacity counts elements.
 */
void *nsn_grow(void *array, size_t count, size_t *capacity, size_t element_size);

/*
 * Appends a zeroed element to an array with fields NAME, NAME_count and NAME_capacity of an object:
 * gives a pointer to it or NULL without memory. Pointers into the array are void after it.
 */
#define NSN_APPEND(object, name)                                                                   \
	((__typeof__((object)->name))nsn_append((void **)&(object)->name, &(object)->name##_count, \
						&(object)->name##_capacity,                        \
						sizeof(*(object)->name)))
void *nsn_append(void **array, size_t *count, size_t *capacity, size_t element_size);

/*
 * Copies text into out as valid UTF-8: a byte that is none becomes U+FFFD; text that does not fit
 * is cut between characters and ends in an ellipsis (U+2026). Always NUL-terminated. Control
 * characters are kept: whoever prints escapes them.
 */
void nsn_utf8_copy(char *out, size_t size, const char *text);

/*
 * Decodes the character at text: its bytes (1 to 4) and, in *code, its code point. A bad byte
 * gives 1 and U+FFFD. 0 at the end of the text.
 */
size_t nsn_utf8_next(const char *text, uint32_t *code);

/* snprintf that returns out, for use in an argument list; cut if it does not fit. */
char *nsn_format(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Reads a whole small file (at most size - 1 bytes) under a root folder: root may be "" and path is
 * absolute. Trailing newlines are removed. Returns the length or -errno.
 */
long nsn_read_file(const char *root, const char *path, char *out, size_t size);

/* Parses a whole decimal (or 0x…) number. 0 or -EINVAL. */
int nsn_parse_u64(const char *text, uint64_t *out);

/*
 * Parses a whole decimal number, "0.5" say, with or without `unit` behind it; the point is a point
 * in every locale. 0 or -EINVAL.
 */
int nsn_parse_decimal(const char *text, const char *unit, double *out);

/* Parses a duration with a unit (ns, us, ms, s, m, h) into ns; without one, `unit` is meant. */
int nsn_parse_duration(const char *text, const char *unit, uint64_t *out_ns);

/* ns since the epoch as RFC 3339 in UTC, with seconds: "2026-11-23T06:00:00Z". */
char *nsn_format_time(char *out, size_t size, uint64_t ns);

/* The name of an errno (positive or negative): "EPERM"; a number if it has none. */
const char *nsn_errno_name(int error);

#endif /* NSN_UTIL_H */
