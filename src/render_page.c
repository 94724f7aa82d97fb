// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_page.c - text that is safe to print, measured, cut and wrapped. Floor 3.
 */
#include "render_page.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define LEAST_WIDTH 40
#define MOST_PROSE  100
#define MOST_MARKS  3 /* combining characters on one letter */

void nsn_page__init(struct nsn_page *page, FILE *out, const struct nsn_model *model,
		    const struct nsn_render_opts *opts)
{
	memset(page, 0, sizeof(*page));
	page->out = out;
	page->model = model;
	page->opts = opts;
	page->width = opts->width <= 0            ? 80
		      : opts->width < LEAST_WIDTH ? LEAST_WIDTH
						  : (size_t)opts->width;
}

int nsn_page__close(struct nsn_page *page)
{
	for (size_t i = 0; i < page->strings_count; i++)
		free(page->strings[i]);
	free(page->strings);
	if (!page->err && (fflush(page->out) || ferror(page->out)))
		page->err = -EIO;
	return page->err;
}

/* Takes a string over; a NULL is a lack of memory. */
static char *keep(struct nsn_page *page, char *text)
{
	char **slot = text ? NSN_APPEND(page, strings) : NULL;

	if (slot)
		return *slot = text;
	free(text);
	page->err = -ENOMEM;
	return (char *)""; /* nobody writes to it */
}

void *nsn_page__allocate(struct nsn_page *page, size_t size)
{
	char *memory = keep(page, calloc(1, size + 1));

	return page->err ? NULL : memory;
}

char *nsn_page__format(struct nsn_page *page, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return keep(page, text);
}

/*
 * Characters that a terminal shows as nothing, or that turn what follows around: soft hyphen,
 * Arabic letter mark, Hangul fillers, Mongolian separators, zero-width spaces and joiners, marks
 * and overrides of direction, line separators, variation selectors, byte-order mark, interlinear
 * marks, musical controls, tags.
 */
static bool is_hidden(uint32_t code)
{
	static const uint32_t ranges[][2] = {
		{ 0x00ad, 0x00ad }, { 0x034f, 0x034f }, { 0x061c, 0x061c },   { 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },   { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < NSN_ARRAY_SIZE(ranges); i++)
		if (code >= ranges[i][0] && code <= ranges[i][1])
			return true;
	return false;
}

/* Cells of a character, -1 for one that must not be printed as it is. */
static int cells_of(uint32_t code, bool utf8)
{
	if (code < 0x80)
		return code < 0x20 || code == 0x7f || code == '\\' ? -1 : 1;
	if (!utf8 || is_hidden(code))
		return -1;
	return wcwidth((wchar_t)code);
}

/* How a character that must not be printed is written instead. */
static void put_escaped(FILE *out, const char *text, size_t length, uint32_t code)
{
	static const char plain[] = "\n\t\r\\", letters[] = "ntr\\";
	const char *found = code ? memchr(plain, (int)code, sizeof(plain) - 1) : NULL;

	if (code < 0x80 && found)
		fprintf(out, "\\%c", letters[found - plain]);
	else if (code == 0x2026)
		fputs("...", out);
	else if (code < 0x80 || (length == 1 && code == 0xfffd))
		fprintf(out, "\\x%02x", (unsigned char)text[0]);
	else if (code < 0x10000)
		fprintf(out, "\\u%04x", code);
	else
		fprintf(out, "\\U%08x", code);
}

static void put_safe(FILE *out, const char *text, bool utf8)
{
	size_t length, used = 0, marks = 0;
	uint32_t code;

	while ((length = nsn_utf8_next(text, &code)) && used < NSN_SAFE_CELLS) {
		bool bad = code == 0xfffd && length == 1;
		int cells = bad ? -1 : cells_of(code, utf8);

		marks = cells == 0 ? marks + 1 : 0;
		/* What stands at an edge would look like a part of the page. */
		if (cells < 0 || marks > MOST_MARKS || (cells == 0 && !used) ||
		    (code == ' ' && (!used || text[1] == ' ' || !text[1]))) {
			put_escaped(out, text, length, code);
			used += 6;
		} else {
			fwrite(text, 1, length, out);
			used += cells;
		}
		text += length;
	}
	if (*text)
		fputs(utf8 ? "\xe2\x80\xa6" : "...", out);
}

const char *nsn_page__safe(struct nsn_page *page, const char *text)
{
	char *safe = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&safe, &size);

	if (!out)
		return keep(page, NULL);
	put_safe(out, text, page->opts->utf8);
	if (fclose(out)) {
		free(safe);
		safe = NULL;
	}
	return keep(page, safe);
}

/* The next character of safe text: its bytes, and its cells. */
static size_t next_cell(const char *safe, size_t *cells)
{
	uint32_t code;
	size_t length = nsn_utf8_next(safe, &code);
	int width = length ? wcwidth((wchar_t)code) : 0;

	*cells = width < 0 ? 1 : width;
	return length;
}

size_t nsn_cells(const char *safe)
{
	size_t longest = 0, line = 0, cells, length;

	while ((length = next_cell(safe, &cells))) {
		line = *safe == '\n' ? 0 : line + cells;
		if (line > longest)
			longest = line;
		safe += length;
	}
	return longest;
}

/* A word that is cut is left out as a whole, unless it is so long that this would lose too much. */
#define MOST_LEFT_OUT 12

const char *nsn_page__cut(struct nsn_page *page, const char *safe, size_t cells)
{
	const char *ellipsis = page->opts->utf8 ? "\xe2\x80\xa6" : "...";
	size_t room, used = 0, bytes = 0, one, length, word = 0;

	if (nsn_cells(safe) <= cells)
		return safe;
	room = cells > nsn_cells(ellipsis) ? cells - nsn_cells(ellipsis) : 0;
	while ((length = next_cell(safe + bytes, &one)) && used + one <= room) {
		used += one;
		bytes += length;
		if (safe[bytes - 1] == ' ')
			word = bytes;
	}
	if (word && bytes - word < MOST_LEFT_OUT && safe[bytes] && safe[bytes] != ' ')
		bytes = word;
	return nsn_page__format(page, "%.*s%s", (int)bytes, safe, ellipsis);
}

/* Bytes of the next line of at most `cells`: up to a space if there is one, *next behind it. */
static size_t line_length(const char *text, size_t cells, size_t *next)
{
	size_t used = 0, bytes = 0, space = 0, one, length;

	while ((length = next_cell(text + bytes, &one))) {
		if (text[bytes] == '\n') {
			*next = bytes + 1;
			return bytes;
		}
		if (text[bytes] == ' ')
			space = bytes;
		if (used + one > cells && bytes) {
			*next = space ? space + 1 : bytes;
			return space ? space : bytes;
		}
		used += one;
		bytes += length;
	}
	*next = bytes;
	return bytes;
}

const char *nsn_page__wrap(struct nsn_page *page, const char *safe, size_t cells)
{
	size_t size = 2 * strlen(safe) + 1, used = 0, bytes, next;
	char *out = malloc(size);

	if (!out)
		return keep(page, NULL);
	while (*safe) {
		bytes = line_length(safe, cells, &next);
		memcpy(out + used, safe, bytes);
		used += bytes;
		safe += next;
		if (*safe)
			out[used++] = '\n';
	}
	out[used] = '\0';
	return keep(page, out);
}

const char *nsn_page__tone(const struct nsn_page *page, enum nsn_tone tone)
{
	static const char *const sequences[] = {
		[NSN_TONE_PLAIN] = "",
		[NSN_TONE_GOOD] = "\033[32m",
		[NSN_TONE_WARNING] = "\033[33m",
		[NSN_TONE_BAD] = "\033[1;31m",
	};

	return page->opts->color ? sequences[tone] : "";
}

const char *nsn_page__bold(const struct nsn_page *page)
{
	return page->opts->color ? "\033[1m" : "";
}

const char *nsn_page__end(const struct nsn_page *page)
{
	return page->opts->color ? "\033[0m" : "";
}

void nsn_page__heading(struct nsn_page *page, const char *text)
{
	fprintf(page->out, "\n%s%s%s\n", nsn_page__bold(page), text, nsn_page__end(page));
}

void nsn_page__paragraph(struct nsn_page *page, size_t used, size_t indent, const char *label,
			 size_t column, const char *safe)
{
	/* Lines of more than 100 cells are hard to read, however wide the terminal is. */
	size_t width = page->width < MOST_PROSE ? page->width : MOST_PROSE;
	const char *line = nsn_page__wrap(page, safe, width - column);

	if (used < indent) {
		fprintf(page->out, "%*s", (int)(indent - used), "");
		used = indent;
	}
	fputs(label, page->out);
	used += nsn_cells(label);
	do {
		size_t length = strcspn(line, "\n");

		fprintf(page->out, "%*s%.*s\n", (int)(column > used ? column - used : 0), "",
			(int)length, line);
		used = 0;
		line += length + (line[length] == '\n');
	} while (*line);
}

#define LIST_LABEL 20 /* cells of a label */

void nsn_page__list(struct nsn_page *page, enum nsn_object kind, const void *object, size_t indent)
{
	const struct nsn_field *field;
	struct nsn_value value;
	const char *text;

	for (field = nsn_kinds[kind].fields; field->path; field++) {
		if (!(field->text & NSN_TEXT_LIST))
			continue;
		nsn_field__get(field, page->model, object, &value);
		if (value.type == NSN_VALUE_NONE || value.type == NSN_VALUE_ABSENT)
			continue;
		text = nsn_page__value(page, field, &value);
		if (value.type == NSN_VALUE_BOOL)
			text = value.boolean ? field->yes : field->no;
		else if (value.words)
			text = value.words;
		else if (value.reason)
			text = nsn_page__format(page, "%s: %s", text, value.reason);
		nsn_page__paragraph(page, 0, indent, field->header, LIST_LABEL, text);
	}
}
