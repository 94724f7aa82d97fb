// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recdesc.c - expands the record lists into tables, and stores records.
 *
 * Floor 0.
 */
#include "recdesc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * The lists do not name their record, so offsets come by adding up: every field is a multiple of
 * eight bytes after the header, in the list's order. fill_offsets() does that once.
 */
#define FIELD_NUM(n) { .name = #n, .type = NSN_FIELD_NUM, .size = sizeof(__u64) },
#define FIELD_KEY(n, c)                                                                            \
	{ .name = #n, .type = NSN_FIELD_KEY, .class = NSN_CLASS_##c, .size = sizeof(__u64) },
#define FIELD_STR(n, len) { .name = #n, .type = NSN_FIELD_STR, .size = (len) },

#define EXPAND_FIELDS(NAME, rec)                                                                   \
	static struct nsn_field_desc fields_##rec[] = { NSN_FIELDS_##NAME(FIELD_NUM, FIELD_KEY,    \
									  FIELD_STR) };
NSN_RECORDS(EXPAND_FIELDS)

#define EXPAND_DESC(NAME, rec)                                                                     \
	[NSN_REC_##NAME] = {                                                                       \
		.name = #rec,                                                                      \
		.size = sizeof(struct nsn_rec_##rec),                                              \
		.fields_count = sizeof(fields_##rec) / sizeof(fields_##rec[0]),                    \
		.fields = fields_##rec,                                                            \
	},
const struct nsn_rec_desc nsn_rec_descs[NSN_REC_MAX] = { NSN_RECORDS(EXPAND_DESC) };

static void fill_offsets(struct nsn_field_desc *fields, size_t count)
{
	size_t offset = sizeof(struct nsn_rec);

	for (size_t i = 0; i < count; i++) {
		fields[i].offset = offset;
		offset += (fields[i].size + 7) / 8 * 8;
	}
}

__attribute__((constructor)) static void fill_all_offsets(void)
{
#define EXPAND_OFFSETS(NAME, rec)                                                                  \
	fill_offsets(fields_##rec, sizeof(fields_##rec) / sizeof(fields_##rec[0]));
	NSN_RECORDS(EXPAND_OFFSETS)
}

int nsn_rec_kind_by_name(const char *name)
{
	for (int kind = 0; kind < NSN_REC_MAX; kind++)
		if (strcmp(nsn_rec_descs[kind].name, name) == 0)
			return kind;
	return -ENOENT;
}

#define EXPAND_NAME(NAME, rec) #rec,
static const char *const event_names[] = { NSN_EVENTS(EXPAND_NAME) };

const char *nsn_event_name(uint64_t event)
{
	return event < NSN_EVENT_MAX ? event_names[event] : NULL;
}

int nsn_event_by_name(const char *name)
{
	for (int event = 0; event < NSN_EVENT_MAX; event++)
		if (strcmp(event_names[event], name) == 0)
			return event;
	return -ENOENT;
}

const char *nsn_reason_text(uint64_t reason)
{
#define EXPAND_TEXT(NAME, text) text,
	static const char *const texts[] = { NSN_REASONS(EXPAND_TEXT) };

	return reason < NSN_REASON_MAX ? texts[reason] : "";
}

const char *nsn_initiator_name(uint64_t initiator)
{
	static const char *const names[] = { "guest", "kvm_sev", "drm", "memregion", "other" };

	return names[initiator < NSN_FLUSH_MAX ? initiator : NSN_FLUSH_OTHER];
}

static int put(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	return nsn_records__add((struct nsn_records *)sink, rec);
}

void nsn_records__init(struct nsn_records *records)
{
	memset(records, 0, sizeof(*records));
	records->sink.put = put;
}

int nsn_records__add(struct nsn_records *records, const struct nsn_rec *rec)
{
	size_t capacity = records->capacity;

	while (capacity - records->size < rec->size)
		capacity = capacity ? capacity * 2 : 16384;
	if (capacity != records->capacity) {
		char *data = realloc(records->data, capacity);

		if (!data)
			return -ENOMEM;
		records->data = data;
		records->capacity = capacity;
	}
	memcpy(records->data + records->size, rec, rec->size);
	records->size += rec->size;
	records->count++;
	return 0;
}

void nsn_records__clear(struct nsn_records *records)
{
	records->size = 0;
	records->count = 0;
}

void nsn_records__free(struct nsn_records *records)
{
	free(records->data);
	records->data = NULL;
	records->size = records->capacity = records->count = 0;
}

const struct nsn_rec *nsn_records__next(const struct nsn_records *records,
					const struct nsn_rec *rec)
{
	size_t offset = rec ? (size_t)((const char *)rec - records->data) + rec->size : 0;

	return offset < records->size ? (const struct nsn_rec *)(records->data + offset) : NULL;
}
