// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_screen.c - lines of spans: how nosnooptop's screen is put together and printed. Floor 3.
 */
#include "render_top_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- lines ------------------------------------------------------------------------------------ */

void nsn_draw__line(struct nsn_draw *draw, unsigned int style)
{
	struct nsn_line *line = NSN_APPEND(draw->screen, lines);

	if (line)
		line->style = style;
	else
		draw->page->err = -ENOMEM;
}

static struct nsn_line *last_line(const struct nsn_draw *draw)
{
	return draw->screen->lines_count ? &draw->screen->lines[draw->screen->lines_count - 1]
					 : NULL;
}

size_t nsn_draw__room(const struct nsn_draw *draw)
{
	const struct nsn_line *line = last_line(draw);

	return line && line->cells < draw->width ? draw->width - line->cells : 0;
}

void nsn_draw__text(struct nsn_draw *draw, unsigned int style, const char *safe)
{
	struct nsn_line *line = last_line(draw);
	size_t room = nsn_draw__room(draw);
	struct nsn_span *span;

	if (!line || !room || !*safe)
		return;
	safe = nsn_page__cut(draw->page, safe, room);
	/* an ellipsis may be wider than what is left of a terminal */
	if (nsn_cells(safe) > room)
		return;
	style |= line->style;
	span = line->spans_count ? &line->spans[line->spans_count - 1] : NULL;
	line->cells += nsn_cells(safe);
	if (span && span->style == style && strlen(span->text) < 16 && !span->text[0]) {
		span->text = safe;
		return;
	}
	span = NSN_APPEND(line, spans);
	if (!span) {
		draw->page->err = -ENOMEM;
		return;
	}
	span->text = safe;
	span->style = style;
}

void nsn_draw__padded(struct nsn_draw *draw, unsigned int style, const char *safe, long cells)
{
	size_t wanted = (size_t)(cells < 0 ? -cells : cells), used = nsn_cells(safe);
	int blanks = wanted > used ? (int)(wanted - used) : 0;

	if (blanks && cells < 0)
		nsn_draw__text(draw, 0, nsn_page__format(draw->page, "%*s", blanks, ""));
	nsn_draw__text(draw, style, safe);
	if (blanks && cells > 0)
		nsn_draw__text(draw, 0, nsn_page__format(draw->page, "%*s", blanks, ""));
}

void nsn_draw__to(struct nsn_draw *draw, size_t column)
{
	const struct nsn_line *line = last_line(draw);

	if (line && line->cells < column)
		nsn_draw__padded(draw, 0, "", (long)(column - line->cells));
}

void nsn_screen__free(struct nsn_screen *screen)
{
	if (!screen)
		return;
	nsn_page__close(&screen->private->page);
	fclose(screen->private->page.out);
	free(screen->private->text);
	free(screen->private);
	for (size_t i = 0; i < screen->lines_count; i++)
		free(screen->lines[i].spans);
	free(screen->lines);
	free(screen);
}

static const char *sequence(unsigned int style)
{
	if (style & NSN_STYLE_BAD)
		return "\033[1;31m";
	if (style & NSN_STYLE_WARNING)
		return "\033[33m";
	if (style & NSN_STYLE_GOOD)
		return "\033[32m";
	if (style & (NSN_STYLE_BOLD | NSN_STYLE_HEADER | NSN_STYLE_TITLE))
		return "\033[1m";
	return style & NSN_STYLE_DIM ? "\033[2m" : style & NSN_STYLE_ACCENT ? "\033[36m" : "";
}

/* True if nothing but blanks follows in the line. */
static bool only_blanks(const struct nsn_line *line, size_t span, const char *text)
{
	for (;;) {
		if (text[strspn(text, " ")])
			return false;
		if (++span >= line->spans_count)
			return true;
		text = line->spans[span].text;
	}
}

int nsn_screen__print(const struct nsn_screen *screen, FILE *out, bool color)
{
	for (size_t i = 0; i < screen->lines_count; i++) {
		const struct nsn_line *line = &screen->lines[i];

		for (size_t j = 0; j < line->spans_count; j++) {
			const struct nsn_span *span = &line->spans[j];
			const char *tone = color ? sequence(span->style) : "";
			size_t length = strlen(span->text);

			if (only_blanks(line, j, span->text))
				break;
			while (length && only_blanks(line, j, span->text + length - 1))
				length--;
			fprintf(out, "%s%.*s%s", tone, (int)length, span->text,
				*tone ? "\033[0m" : "");
		}
		fputc('\n', out);
	}
	return fflush(out) || ferror(out) ? -EIO : 0;
}
