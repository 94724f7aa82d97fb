// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_missing.c - why a fact is unknown. Floor 1.
 *
 * Thousands of devices may each have reasons of their own: they are found by a hash.
 */
#include "model_internal.h"

#include <string.h>

#define FNV_BASE  0xcbf29ce484222325 /* FNV-1a, 64 bits */
#define FNV_PRIME 0x100000001b3

static uint64_t add_text(uint64_t hash, const char *text)
{
	do /* with its NUL: it parts two texts */
		hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
	while (*text++);
	return hash;
}

static uint64_t key_of(const char *fact, const char *subject)
{
	return add_text(add_text(FNV_BASE, fact), subject);
}

int nsn_model_index_missing(struct nsn_model *model)
{
	int err = 0;

	NSN_FOR_EACH(model, MISSING, missing, rec) {
		if (!NSN_KNOWS(rec, missing, fact))
			continue;
		err = nsn_index_put(&model->build->index, NSN_INDEX_MISSING,
				    key_of(rec->fact, rec->subject), (void *)rec);
		if (err)
			break;
	}
	return err;
}

static bool is_about(const struct nsn_rec_missing *rec, const char *fact, const char *subject)
{
	return NSN_KNOWS(rec, missing, fact) && strcmp(rec->fact, fact) == 0 &&
	       strcmp(rec->subject, subject) == 0;
}

static const char *find_reason(const struct nsn_model *model, const char *fact, const char *subject)
{
	const struct nsn_rec_missing *found =
		nsn_index_get(model->build->index, NSN_INDEX_MISSING, key_of(fact, subject));

	if (!found || is_about(found, fact, subject))
		return found ? found->reason : NULL;
	NSN_FOR_EACH(model, MISSING, missing, rec) /* two of one hash */
		if (is_about(rec, fact, subject))
			return rec->reason;
	return NULL;
}

const char *nsn_model__why_unknown(const struct nsn_model *model, const char *fact,
				   const char *subject, const char *source)
{
	const char *own = subject[0] ? find_reason(model, fact, subject) : NULL;
	const char *general = own ? NULL : find_reason(model, fact, "");
	const char *reason = "";
	enum nsn_source_state state;

	if (own || general)
		return own ? own : general;
	state = nsn_model__source(model, source, &reason);
	if (state == NSN_SOURCE_FAILED && reason[0])
		return reason;
	if (state == NSN_SOURCE_ABSENT)
		return reason[0] ? reason : "nothing of the kind is loaded";
	return model->lost_records ? "records were lost" : "this kernel does not tell";
}
