// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * log.c - talk to the person at the terminal. Floor 0.
 */
#include "log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

static enum nsn_log_level max_level = NSN_LOG_WARNING;

void nsn_log__set_level(enum nsn_log_level level)
{
	max_level = level;
}

enum nsn_log_level nsn_log__level(void)
{
	return max_level;
}

/* What a message quotes may be hostile: a control character must not reach the terminal raw. */
static void print_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
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
