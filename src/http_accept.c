// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http_accept.c - what a client understands, by its Accept headers. Floor 4.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_internal.h"

/* One element of such a header. */
struct element {
	char name[64];    /* "text/plain", "gzip" */
	char version[16]; /* "" if it has none */
	double quality;
};

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* Copies up to one of the ends, without blanks at it. Returns what follows. */
static const char *copy_part(char *out, size_t size, const char *text, const char *ends)
{
	size_t length = strcspn(text, ends), used = length;

	while (used && strchr(" \t", text[used - 1]))
		used--;
	if (used >= size)
		used = 0; /* nothing that we know is so long */
	memcpy(out, text, used);
	out[used] = '\0';
	return text + length;
}

/* q is a decimal with a point, in any locale: 0, 1, 0.5. */
static double parse_quality(const char *text)
{
	double value = *text == '1' ? 1 : 0, unit = 0.1;

	if (*text != '0' && *text != '1')
		return 0;
	if (*++text != '.')
		return value;
	for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
		value += (*text - '0') * unit;
	return value > 1 ? 1 : value;
}

/* Takes the next element off; false at the end. */
static bool next_element(const char **header, struct element *out)
{
	const char *at = skip_blanks(*header);
	char parameter[64];

	while (*at == ',')
		at = skip_blanks(at + 1);
	if (!*at)
		return false;
	out->quality = 1;
	out->version[0] = '\0';
	at = copy_part(out->name, sizeof(out->name), at, ";,");
	while (*at == ';') {
		at = copy_part(parameter, sizeof(parameter), skip_blanks(at + 1), ";,");
		if (strncasecmp(parameter, "q=", 2) == 0)
			out->quality = parse_quality(parameter + 2);
		else if (strncasecmp(parameter, "version=", 8) == 0)
			copy_part(out->version, sizeof(out->version), parameter + 8, ";,");
	}
	*header = at;
	return true;
}

static void keep_best(double *best, double quality)
{
	if (quality > *best)
		*best = quality;
}

enum nsn_prom_format nsn_accept__format(const char *accept)
{
	double open = 0, text = 0;
	struct element element;

	while (accept && next_element(&accept, &element)) {
		bool any = !element.version[0];

		if (strcasecmp(element.name, "application/openmetrics-text") == 0) {
			if (any || strcmp(element.version, "1.0.0") == 0)
				keep_best(&open, element.quality);
		} else if (strcasecmp(element.name, "text/plain") == 0) {
			if (any || strcmp(element.version, "0.0.4") == 0)
				keep_best(&text, element.quality);
		} else if (strcmp(element.name, "*/*") == 0 ||
			   strcmp(element.name, "text/*") == 0) {
			keep_best(&text, element.quality);
		}
	}
	return open > 0 && open >= text ? NSN_PROM_OPENMETRICS : NSN_PROM_TEXT;
}

bool nsn_accept__gzip(const char *encodings)
{
	double gzip = -1, any = 0;
	struct element element;

	while (encodings && next_element(&encodings, &element)) {
		if (strcasecmp(element.name, "gzip") == 0 ||
		    strcasecmp(element.name, "x-gzip") == 0)
			gzip = element.quality;
		else if (strcmp(element.name, "*") == 0)
			any = element.quality;
	}
	return gzip >= 0 ? gzip > 0 : any > 0;
}
