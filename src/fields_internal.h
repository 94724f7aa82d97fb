/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fields_internal.h - what the files of the field table share: setters of values and the rows of
 * each kind. Floor 1, private to fields*.c.
 */
#ifndef NSN_FIELDS_INTERNAL_H
#define NSN_FIELDS_INTERNAL_H

#include "fields.h"

/* A getter of the field NAME of objects of TYPE. */
#define NSN_GETTER(name, type)                                                                     \
	static void name(const struct nsn_model *model __attribute__((unused)),                    \
			 const struct type *object, struct nsn_value *value);                      \
	static void name##_any(const struct nsn_model *model, const void *object,                  \
			       struct nsn_value *value)                                            \
	{                                                                                          \
		name(model, object, value);                                                        \
	}                                                                                          \
	static void name(const struct nsn_model *model __attribute__((unused)),                    \
			 const struct type *object, struct nsn_value *value)

/* True if descriptors could not all be seen: that none is known then says nothing. */
bool nsn_fields_blind(const struct nsn_model *model);

/* A flag of a record as a three-valued fact. */
#define NSN_FLAG(rec, kind, name)                                                                  \
	(!NSN_KNOWS(rec, kind, name) ? NSN_UNKNOWN : (rec)->name ? NSN_YES : NSN_NO)

/* A value starts as UNKNOWN; each setter below gives it another type. */
static inline void put_none(struct nsn_value *value)
{
	value->type = NSN_VALUE_NONE;
}

static inline void put_number(struct nsn_value *value, uint64_t number)
{
	value->type = NSN_VALUE_INT;
	value->number = number;
}

static inline void put_real(struct nsn_value *value, double real)
{
	value->type = NSN_VALUE_REAL;
	value->real = real;
}

/* yes and no: the tones of true and of false. */
static inline void put_tri(struct nsn_value *value, enum nsn_tri tri, enum nsn_tone yes,
			   enum nsn_tone no)
{
	if (tri == NSN_UNKNOWN)
		return;
	value->type = NSN_VALUE_BOOL;
	value->boolean = tri == NSN_YES;
	value->tone = value->boolean ? yes : no;
}

/* NULL leaves it unknown. */
static inline void put_text(struct nsn_value *value, const char *text)
{
	if (!text)
		return;
	value->type = NSN_VALUE_TEXT;
	value->text = text;
}

/* For a fact that is "" where the object has no such thing. */
static inline void put_text_or_none(struct nsn_value *value, const char *text)
{
	put_text(value, text);
	if (!text[0])
		put_none(value);
}

static inline void put_refs(struct nsn_value *value, const struct nsn_refs *refs,
			    enum nsn_object kind)
{
	value->type = NSN_VALUE_LIST;
	value->refs = refs->items;
	value->count = refs->items_count;
	value->kind = kind;
}

static inline void put_pids(struct nsn_value *value, const struct nsn_pids *pids)
{
	value->type = NSN_VALUE_LIST;
	value->numbers = pids->items;
	value->count = pids->items_count;
}

static inline void put_objects(struct nsn_value *value, const void *array, size_t count,
			       size_t stride, enum nsn_object kind)
{
	value->type = NSN_VALUE_OBJECTS;
	value->array = array;
	value->count = count;
	value->stride = stride;
	value->kind = kind;
}

/* One nested object. */
static inline void put_object(struct nsn_value *value, const void *object, enum nsn_object kind)
{
	put_objects(value, object, 1, 0, kind);
	value->type = NSN_VALUE_OBJECT;
}

/* Getters of what a VM's WBINVDs come to: fields_wbinvd.c. */
#define NSN_WBINVD_GETTERS(G)                                                                      \
	G(exits)                                                                                   \
	G(executed)                                                                                \
	G(ignored)                                                                                 \
	G(exits_per_second)                                                                        \
	G(executed_per_second) G(cpu_share) G(p50_seconds) G(p99_seconds) G(sampled)
#define NSN_EXPAND_GETTER(name)                                                                    \
	void nsn_get_wbinvd_##name(const struct nsn_model *model, const void *object,              \
				   struct nsn_value *value);
NSN_WBINVD_GETTERS(NSN_EXPAND_GETTER)
#undef NSN_EXPAND_GETTER

/* Rows of each kind, ended by a NULL path. */
extern const struct nsn_field nsn_fields_host[];
extern const struct nsn_field nsn_fields_iommu[];
extern const struct nsn_field nsn_fields_vm[];
extern const struct nsn_field nsn_fields_link[];
extern const struct nsn_field nsn_fields_path[];
extern const struct nsn_field nsn_fields_container[];
extern const struct nsn_field nsn_fields_domain[];
extern const struct nsn_field nsn_fields_group[];
extern const struct nsn_field nsn_fields_member[];
extern const struct nsn_field nsn_fields_pasid[];
extern const struct nsn_field nsn_fields_device[];
extern const struct nsn_field nsn_fields_kvm[];
extern const struct nsn_field nsn_fields_if_assigned[];

#endif /* NSN_FIELDS_INTERNAL_H */
