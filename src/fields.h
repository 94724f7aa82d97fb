/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fields.h - one row for each printable field of each kind of object: name, label, help, metric and
 * getter. Every output loops over these rows, so that text, JSON and metrics can't disagree.
 *
 * Floor 1. A getter gives a struct nsn_value, which keeps apart what a reader must not mix up: a
 * fact that could not be read (UNKNOWN), one that this object can't have (NONE) and one that this
 * kernel does not have at all (ABSENT).
 */
#ifndef NSN_FIELDS_H
#define NSN_FIELDS_H

#include "model.h"

/* Kinds of objects that have fields. Those that nsn_kinds calls nested only occur in others. */
enum nsn_object {
	NSN_OBJECT_HOST,        /* struct nsn_model */
	NSN_OBJECT_IOMMU,       /* struct nsn_iommu */
	NSN_OBJECT_VM,          /* struct nsn_vm */
	NSN_OBJECT_LINK,        /* struct nsn_link */
	NSN_OBJECT_PATH,        /* struct nsn_path */
	NSN_OBJECT_CONTAINER,   /* struct nsn_container */
	NSN_OBJECT_DOMAIN,      /* struct nsn_domain */
	NSN_OBJECT_GROUP,       /* struct nsn_group */
	NSN_OBJECT_MEMBER,      /* struct nsn_device, as a member of its group */
	NSN_OBJECT_PASID,       /* struct nsn_pasid, of its group */
	NSN_OBJECT_DEVICE,      /* struct nsn_device */
	NSN_OBJECT_KVM,         /* struct nsn_vm, in that VM */
	NSN_OBJECT_IF_ASSIGNED, /* struct nsn_device whose prediction applies, in that device */
	NSN_OBJECT_MAX,
};

enum nsn_value_type {
	NSN_VALUE_UNKNOWN, /* could not be read: JSON null, and a row in unknown[] */
	NSN_VALUE_NONE,    /* this object has no such thing: the key is left out */
	NSN_VALUE_ABSENT,  /* this kernel has no such fact: left out, named in not_applicable[] */
	NSN_VALUE_BOOL,
	NSN_VALUE_INT,
	NSN_VALUE_REAL,
	NSN_VALUE_TEXT,
	NSN_VALUE_LIST,    /* of numbers or of ids: nsn_value__item() */
	NSN_VALUE_OBJECTS, /* nested objects: nsn_value__object() */
	NSN_VALUE_OBJECT,  /* one nested object, as a list of one */
};

/* How a value bears on the machine's safety: the renderers' colours, never their only sign. */
enum nsn_tone {
	NSN_TONE_PLAIN,
	NSN_TONE_GOOD,
	NSN_TONE_WARNING,
	NSN_TONE_BAD,
};

struct nsn_value {
	enum nsn_value_type type;
	enum nsn_tone tone;
	bool moot; /* UNKNOWN by its nature, not for lack of knowledge: there is nothing to know */
	bool boolean;
	uint64_t number;
	double real;
	const char *text;   /* as in JSON: points into the model, to static text or to scratch[] */
	const char *words;  /* the same for a reader, static; NULL: text says it well enough */
	const char *reason; /* why it is unknown, or why the conclusion "unknown" was drawn */
	size_t count;       /* of a LIST or of OBJECTS */
	const uint64_t *numbers; /* a LIST of numbers */
	void *const *refs;       /* a LIST of objects by id, or OBJECTS by pointer */
	const char *array;       /* OBJECTS in an array of structs … */
	size_t stride;           /* … of this size */
	enum nsn_object kind;    /* of each of the OBJECTS, or of those in a LIST */
	char scratch[48];
};

enum nsn_metric_type {
	NSN_METRIC_NONE,
	NSN_METRIC_GAUGE,    /* the value itself; a BOOL is 0 or 1 */
	NSN_METRIC_STATESET, /* one sample for each value that the field can have, 0 or 1 */
	NSN_METRIC_LABEL,    /* a label of the *_info metric that `metric` names */
	NSN_METRIC_OUTCOME,  /* of a counter: the sample whose label `outcome` is metric_label */
};

/* Where the text output shows a field (bits). */
enum nsn_text_place {
	NSN_TEXT_LIST = 1,    /* "label  value" lines (host, if_assigned) */
	NSN_TEXT_TABLE = 2,   /* a column of the kind's table */
	NSN_TEXT_WIDE = 4,    /* a column if there is room */
	NSN_TEXT_TREE = 8,    /* a part of the object's sentence in the tree */
	NSN_TEXT_STRAY = 32,  /* such a part only where the object belongs to no VM */
	NSN_TEXT_LEGEND = 16, /* its words explain it once, below the table; elsewhere its text */
};

/* One of the texts that a field can have, how it reads in a sentence, and how grave it is. */
struct nsn_wording {
	const char *text;
	const char *words;
	enum nsn_tone tone;
};

struct nsn_field {
	const char *path;   /* JSON path below the object; dots nest: "coherency.state" */
	const char *header; /* of the column, or the label, in text */
	const char *unit;   /* "" if it has none */
	const char *source; /* whom it comes from (NSN_REC_SOURCE.name) */
	const char *metric; /* name, or NULL */
	enum nsn_metric_type metric_type;
	const char *metric_label; /* its label or outcome; NULL: the last part of the path */
	bool live;         /* told of a series of snapshots only (nsn_model.live), not of one */
	unsigned int text; /* enum nsn_text_place bits */
	/* The tree's sentence. NULL: in that state the field is left out of it. */
	const char *prefix; /* before a text, a number or a list */
	const char *yes, *no, *unknown, *none;
	/* Every text that the field can have, ended by a NULL text; NULL if it is free text. */
	const struct nsn_wording *values;
	const char *help; /* one sentence, for documents and for HELP of the metric */
	void (*get)(const struct nsn_model *model, const void *object, struct nsn_value *value);
};

/* The rows of one kind. */
struct nsn_kind {
	const char *name;               /* "vm", as in a finding's subject */
	const char *plural;             /* "vms": the JSON key, and the start of a fact's name */
	const struct nsn_field *fields; /* ended by a NULL path */
	bool nested; /* only found in OBJECTS of other kinds, under its plural name */
};

/* One for each enum nsn_object, in the order of the JSON. */
extern const struct nsn_kind nsn_kinds[NSN_OBJECT_MAX];

/*
 * The value of a field of an object: what its getter says, but ABSENT instead of UNKNOWN if the
 * source of the fact is absent (its module is not loaded). Text may point into value->scratch:
 * don't copy the struct.
 */
void nsn_field__get(const struct nsn_field *field, const struct nsn_model *model,
		    const void *object, struct nsn_value *value);

/*
 * Item i of a LIST: an INT or a TEXT. Groups are listed by number, everything else by its id.
 */
void nsn_value__item(const struct nsn_value *list, size_t i, struct nsn_value *item);

/* Object i of OBJECTS. */
const void *nsn_value__object(const struct nsn_value *objects, size_t i);

/* How many objects of a top-level kind the model has; object i of them. The host is one. */
size_t nsn_model__count(const struct nsn_model *model, enum nsn_object kind);
const void *nsn_model__object(const struct nsn_model *model, enum nsn_object kind, size_t i);

/* The id of an object, as in JSON: "host" for the host, of a link or a path "". */
const char *nsn_object__id(enum nsn_object kind, const void *object);

/* What to call an object before a reader: a VM's name if it has one, else its id. */
const char *nsn_object__title(enum nsn_object kind, const void *object);

/* "vms.noncoherent_dma": the name of a fact; parent is NSN_OBJECT_MAX unless the kind is nested. */
char *nsn_fact_name(char *out, size_t size, enum nsn_object parent, enum nsn_object kind,
		    const struct nsn_field *field);

#endif /* NSN_FIELDS_H */
