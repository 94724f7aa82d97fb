/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recdesc.h - the record lists of bpf/record.h as tables, and a store for records.
 *
 * Floor 0. Whatever treats every field alike (recordings, key translation, the property test) loops
 * over these tables and knows no field by name.
 */
#ifndef NSN_RECDESC_H
#define NSN_RECDESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

enum nsn_field_type {
	NSN_FIELD_NUM,
	NSN_FIELD_KEY,
	NSN_FIELD_STR,
};

struct nsn_field_desc {
	const char *name;
	enum nsn_field_type type;
	enum nsn_class class; /* of a KEY */
	size_t offset;        /* in the record's struct */
	size_t size;          /* bytes; of a STR with its NUL */
};

struct nsn_rec_desc {
	const char *name; /* "vm", "type1_domain", … */
	size_t size;      /* of the record's struct */
	size_t fields_count;
	const struct nsn_field_desc *fields;
};

/* One for each enum nsn_rec_kind, in its order. */
extern const struct nsn_rec_desc nsn_rec_descs[NSN_REC_MAX];

/* The kind called `name`, or -ENOENT. */
int nsn_rec_kind_by_name(const char *name);

/* "domain_alloc" and so on, as the trace names an enum nsn_event; NULL beyond the last. */
const char *nsn_event_name(uint64_t event);
/* The event called `name`, or -ENOENT. */
int nsn_event_by_name(const char *name);
/* What an enum nsn_reason is called: "interrupt isolation"; "" for none. */
const char *nsn_reason_text(uint64_t reason);
/* "guest", "kvm_sev", … of an enum nsn_initiator; "other" beyond the last. */
const char *nsn_initiator_name(uint64_t initiator);

/* True if field i of rec's list has a value. */
static inline bool nsn_rec_knows(const struct nsn_rec *rec, size_t i)
{
	return rec->known & (1U << i);
}

/* True if rec (a struct nsn_rec_NAME *) knows FIELD: NSN_KNOWS(rec, vm, pid). */
#define NSN_KNOWS(rec, name, field) (!!((rec)->h.known & NSN_BIT(name, field)))

/* Sets a number field and its known bit: NSN_PUT(rec, vm, pid, 12). */
#define NSN_PUT(rec, name, field, value)                                                           \
	do {                                                                                       \
		(rec)->field = (value);                                                            \
		(rec)->h.known |= NSN_BIT(name, field);                                            \
	} while (0)

/*
 * Sets a string field from any bytes, and its known bit: made valid UTF-8 (a bad byte becomes
 * U+FFFD) and cut with an ellipsis if it is too long (nsn_utf8_copy).
 */
#define NSN_PUT_STR(rec, name, field, text)                                                        \
	do {                                                                                       \
		nsn_utf8_copy((rec)->field, sizeof((rec)->field), (text));                         \
		(rec)->h.known |= NSN_BIT(name, field);                                            \
	} while (0)

/* Declares a zeroed record of its kind: NSN_NEW(rec, VM, vm); */
#define NSN_NEW(var, NAME, name)                                                                   \
	struct nsn_rec_##name var = { .h = { .kind = NSN_REC_##NAME,                               \
					     .size = sizeof(struct nsn_rec_##name) } }

/* Where records go. Returns 0 or -errno; the record is copied or used before it returns. */
struct nsn_sink {
	int (*put)(struct nsn_sink *sink, const struct nsn_rec *rec);
};

static inline int nsn_sink__put(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	return sink->put(sink, rec);
}

/* A store of records in their order, as one growing block. Zero-initialise; a sink itself. */
struct nsn_records {
	struct nsn_sink sink; /* set by nsn_records__init() */
	char *data;
	size_t size;     /* bytes in use */
	size_t capacity; /* bytes */
	size_t count;
};

void nsn_records__init(struct nsn_records *records);
/* Appends a copy. 0 or -ENOMEM. */
int nsn_records__add(struct nsn_records *records, const struct nsn_rec *rec);
/* Forgets all records, keeps the memory. */
void nsn_records__clear(struct nsn_records *records);
void nsn_records__free(struct nsn_records *records);

/* Iteration: for (rec = nsn_records__next(r, NULL); rec; rec = nsn_records__next(r, rec)). */
const struct nsn_rec *nsn_records__next(const struct nsn_records *records,
					const struct nsn_rec *rec);

#endif /* NSN_RECDESC_H */
