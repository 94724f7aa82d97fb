// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * keys.c - small numbers in the place of kernel addresses. Floor 2.
 */
#include "keys.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct entry {
	struct {
		uint64_t class;
		uint64_t address;
	} id;
	uint64_t key;
	struct nsn_identity identity;
	uint64_t before; /* of the object that was here, if its end was not told yet; 0 */
	uint64_t seen;   /* the snapshot that last saw it */
	/*
	 * Not retired before that snapshot: the one that ran when an event told of the object may have read
	 * KVM's list before the object was on it.
	 */
	uint64_t kept;
	UT_hash_handle hh;
};

struct nsn_keys {
	struct entry *entries;
	uint64_t last[NSN_CLASS_MAX]; /* highest key given out */
	uint64_t snapshot;
};

struct nsn_keys *nsn_keys__new(void)
{
	return calloc(1, sizeof(struct nsn_keys));
}

void nsn_keys__free(struct nsn_keys *keys)
{
	struct entry *entry, *next;

	if (!keys)
		return;
	HASH_ITER(hh, keys->entries, entry, next) {
		HASH_DEL(keys->entries, entry);
		free(entry);
	}
	free(keys);
}

void nsn_keys__begin(struct nsn_keys *keys)
{
	keys->snapshot++;
}

static struct entry *obtain(struct nsn_keys *keys, enum nsn_class class, uint64_t address)
{
	struct entry probe = { .id = { .class = class, .address = address } }, *entry;

	HASH_FIND(hh, keys->entries, &probe.id, sizeof(probe.id), entry);
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return NULL;
		entry->id = probe.id;
		entry->key = ++keys->last[class];
		HASH_ADD(hh, keys->entries, id, sizeof(entry->id), entry);
	}
	entry->seen = keys->snapshot;
	return entry;
}

int nsn_keys__get(struct nsn_keys *keys, enum nsn_class class, uint64_t address, uint64_t *key)
{
	struct entry *entry;

	*key = 0;
	if (!address)
		return 0;
	entry = obtain(keys, class, address);
	if (!entry)
		return -ENOMEM;
	*key = entry->key;
	return 0;
}

static bool differs(uint64_t a, uint64_t b)
{
	return a && b && a != b;
}

static bool is_other(const struct nsn_identity *a, const struct nsn_identity *b)
{
	return differs(a->who, b->who) || differs(a->since, b->since);
}

/* Takes what is told, and leaves what is not. */
static void learn(struct nsn_identity *known, const struct nsn_identity *told)
{
	known->who = told->who ? told->who : known->who;
	known->since = told->since ? told->since : known->since;
}

int nsn_keys__identify(struct nsn_keys *keys, enum nsn_class class, uint64_t address,
		       struct nsn_identity identity)
{
	struct entry *entry = address ? obtain(keys, class, address) : NULL;

	if (!entry)
		return address ? -ENOMEM : 0;
	if (is_other(&entry->identity, &identity)) {
		entry->before = entry->key;
		entry->key = ++keys->last[class];
		entry->identity = identity;
	} else {
		entry->before = 0; /* events from before the last snapshot have all been told */
	}
	learn(&entry->identity, &identity);
	return 0;
}

int nsn_keys__begun(struct nsn_keys *keys, enum nsn_class class, uint64_t address,
		    struct nsn_identity identity)
{
	struct entry *entry = address ? obtain(keys, class, address) : NULL;
	bool seen;

	if (!entry)
		return address ? -ENOMEM : 0;
	seen = entry->identity.who || entry->identity.since; /* by a snapshot */
	/* what comes from now on is told of this one, whoever's end was not told */
	entry->before = 0;
	if (!seen || is_other(&entry->identity, &identity)) {
		entry->key = ++keys->last[class];
		entry->identity = identity;
	}
	learn(&entry->identity, &identity);
	entry->kept = keys->snapshot + 1;
	return 0;
}

int nsn_keys__get_told(struct nsn_keys *keys, enum nsn_class class, uint64_t address, uint64_t *key)
{
	struct entry *entry = address ? obtain(keys, class, address) : NULL;

	*key = 0;
	if (!address)
		return 0;
	if (!entry)
		return -ENOMEM;
	*key = entry->before ? entry->before : entry->key;
	return 0;
}

void nsn_keys__forget(struct nsn_keys *keys, enum nsn_class class, uint64_t address)
{
	struct entry probe = { .id = { .class = class, .address = address } }, *entry;

	HASH_FIND(hh, keys->entries, &probe.id, sizeof(probe.id), entry);
	if (entry && entry->before) {
		entry->before = 0; /* the snapshot has seen its successor */
	} else if (entry) {
		HASH_DEL(keys->entries, entry);
		free(entry);
	}
}

void nsn_keys__retire(struct nsn_keys *keys)
{
	struct entry *entry, *next;

	HASH_ITER(hh, keys->entries, entry, next) {
		if (entry->seen == keys->snapshot || entry->kept >= keys->snapshot)
			continue;
		HASH_DEL(keys->entries, entry);
		free(entry);
	}
}

typedef int (*get_key)(struct nsn_keys *keys, enum nsn_class class, uint64_t address,
		       uint64_t *key);

static int translate(struct nsn_keys *keys, struct nsn_rec *rec, get_key get)
{
	const struct nsn_rec_desc *desc = &nsn_rec_descs[rec->kind];

	for (size_t i = 0; i < desc->fields_count; i++) {
		const struct nsn_field_desc *field = &desc->fields[i];
		char *place = (char *)rec + field->offset;
		uint64_t value;
		int err;

		if (field->type != NSN_FIELD_KEY)
			continue;
		memcpy(&value, place, sizeof(value));
		err = get(keys, field->class, nsn_rec_knows(rec, i) ? value : 0, &value);
		if (err)
			return err;
		memcpy(place, &value, sizeof(value));
	}
	return 0;
}

int nsn_keys__translate(struct nsn_keys *keys, struct nsn_rec *rec)
{
	return translate(keys, rec, nsn_keys__get);
}

int nsn_keys__translate_told(struct nsn_keys *keys, struct nsn_rec *rec)
{
	return translate(keys, rec, nsn_keys__get_told);
}
