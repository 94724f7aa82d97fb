// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * log.c - talk to the person at the terminal. Floor 0.
 */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util.h"

static enum nsn_log_level max_level = NSN_LOG_WARNING;

void nsn_log__set_level(enum nsn_log_level level)
{
	max_level = level;
}

enum nsn_log_level nsn_log__level(void)
{
	return max_level;
}

/* What no message needs and a terminal acts on: C1 controls, and what hides or reorders text. */
static bool is_hostile(uint32_t code)
{
	return (code >= 0x80 && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
	       code == 0x061c || code == 0xfeff;
}

/* What a message quotes may be hostile: a control character must not reach the terminal raw. */
static void print_escaped(FILE *out, const char *text)
{
	uint32_t code;
	size_t length;

	for (; (length = nsn_utf8_next(text, &code)); text += length) {
		if (code < 0x20 || code == 0x7f || (code == 0xfffd && length == 1))
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else if (is_hostile(code))
			fprintf(out, "\\u%04x", code);
		else
			fwrite(text, 1, length, out);
	}
}

void nsn_log(enum nsn_log_level level, const char *format, ...)
{
	char text[1024];
	va_list args;
	int length;

	if (level > max_level)
		return;
	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0)
		return;
	fputs("nosnoop: ", stderr);
	print_escaped(stderr, text);
	fputs((size_t)length < sizeof(text) ? "\n" : "...\n", stderr);
}
