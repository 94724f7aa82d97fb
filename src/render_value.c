// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_value.c - values of fields for people: in a cell of a table, in a sentence. Floor 3.
 */
#include "render_page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ITEMS 6 /* of a list in a sentence or a cell; the rest is counted */

static const char *join(struct nsn_page *page, const struct nsn_value *list, const char *separator)
{
	const char *text = "";
	struct nsn_value item;
	size_t shown = list->count > MOST_ITEMS ? MOST_ITEMS - 1 : list->count;

	for (size_t i = 0; i < shown; i++) {
		const char *between = i ? separator : "";

		nsn_value__item(list, i, &item);
		if (item.type == NSN_VALUE_INT)
			text = nsn_page__format(page, "%s%s%" PRIu64, text, between, item.number);
		else
			text = nsn_page__format(page, "%s%s%s", text, between,
						nsn_page__safe(page, item.text));
	}
	if (shown < list->count)
		text = nsn_page__format(page, "%s%s... %zu more", text, separator,
					list->count - shown);
	return text;
}

const char *nsn_page__value(struct nsn_page *page, const struct nsn_field *field,
			    const struct nsn_value *value)
{
	switch (value->type) {
	case NSN_VALUE_UNKNOWN:
		return "unknown";
	case NSN_VALUE_BOOL:
		return value->boolean ? "yes" : "no";
	case NSN_VALUE_INT:
		return nsn_page__format(page, "%" PRIu64, value->number);
	case NSN_VALUE_TEXT:
		return field->values ? value->text : nsn_page__safe(page, value->text);
	case NSN_VALUE_LIST:
		return value->count ? join(page, value, ", ") : "-";
	default:
		return "-";
	}
}

/* What one field adds to its object's sentence; NULL: nothing. */
static const char *phrase(struct nsn_page *page, const struct nsn_field *field,
			  const struct nsn_value *value)
{
	const char *prefix = field->prefix ? field->prefix : "";

	switch (value->type) {
	case NSN_VALUE_UNKNOWN:
		return value->moot ? NULL : field->unknown;
	case NSN_VALUE_NONE:
		return field->none;
	case NSN_VALUE_BOOL:
		return value->boolean ? field->yes : field->no;
	case NSN_VALUE_TEXT:
		if (field->values && !(field->text & NSN_TEXT_LEGEND))
			return value->words;
		break;
	case NSN_VALUE_LIST:
		if (!value->count)
			return NULL;
		break;
	case NSN_VALUE_INT:
		break;
	default:
		return NULL;
	}
	return nsn_page__format(page, "%s%s", prefix, nsn_page__value(page, field, value));
}

/* How grave an object's conclusion is; in the order of enum nsn_tone. */
static enum nsn_tone gravity(const struct nsn_page *page, enum nsn_object kind, const void *object)
{
	const struct nsn_field *field;
	enum nsn_tone gravest = NSN_TONE_PLAIN;
	struct nsn_value value;

	for (field = nsn_kinds[kind].fields; field->path; field++) {
		if (!(field->text & NSN_TEXT_LEGEND))
			continue;
		nsn_field__get(field, page->model, object, &value);
		if (value.tone > gravest)
			gravest = value.tone;
	}
	return gravest;
}

const void **nsn_page__objects(struct nsn_page *page, enum nsn_object kind, size_t *count)
{
	size_t all = nsn_model__count(page->model, kind), used = 0;
	const void **objects = nsn_page__allocate(page, all * sizeof(*objects));

	*count = 0;
	if (!objects)
		return NULL;
	for (int tone = NSN_TONE_BAD; tone >= NSN_TONE_PLAIN; tone--) {
		for (size_t i = 0; i < all; i++) {
			const void *object = nsn_model__object(page->model, kind, i);

			if ((int)gravity(page, kind, object) == tone &&
			    nsn_page__shows(page, kind, object))
				objects[used++] = object;
		}
	}
	*count = used;
	return objects;
}

const char *nsn_page__sentence(struct nsn_page *page, enum nsn_object kind, const void *object,
			       unsigned int places, enum nsn_tone *tone)
{
	const struct nsn_field *field;
	const char *text = "", *part;
	struct nsn_value value;

	*tone = NSN_TONE_PLAIN;
	/* A conclusion goes first, then what it rests on. */
	for (int conclusions = 1; conclusions >= 0; conclusions--) {
		for (field = nsn_kinds[kind].fields; field->path; field++) {
			if (!(field->text & places) ||
			    !!(field->text & NSN_TEXT_LEGEND) != conclusions)
				continue;
			nsn_field__get(field, page->model, object, &value);
			part = phrase(page, field, &value);
			if (!part)
				continue;
			if (value.tone > *tone)
				*tone = value.tone;
			text = nsn_page__format(page, "%s%s%s", text, *text ? "; " : "", part);
		}
	}
	return text;
}
