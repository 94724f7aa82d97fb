/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_names.h - the printed ids of objects that events speak of by their keys.
 *
 * Floor 1. Events outlive the objects they tell of: ids are learnt from each model and kept until two
 * models in a row lack the object. A key is never reused, so an id never goes to another object.
 */
#ifndef NSN_MODEL_NAMES_H
#define NSN_MODEL_NAMES_H

#include "model.h"

struct nsn_ids;

/* NULL without memory. */
struct nsn_ids *nsn_ids__new(void);
void nsn_ids__free(struct nsn_ids *names); /* NULL is fine */

/* Takes in the ids of a model. 0 or -ENOMEM. */
int nsn_ids__learn(struct nsn_ids *names, const struct nsn_model *model);

/* The id of the object with this key, or NULL if no model had it. Valid until the next call. */
const char *nsn_ids__get(const struct nsn_ids *names, enum nsn_class class, uint64_t key);

/* An event with the ids of what it speaks of; NULL: there is none, or it is not known. */
struct nsn_told {
	const struct nsn_rec_event *event;
	const char *vm;
	const char *vm_name; /* as people call it */
	const char *container;
	const char *domain;
	const char *device;
	char spare_vm[NSN_ID_LEN]; /* pid:<pid>@<start ticks>, of a VM that no model had */
	char spare_device[NSN_ID_LEN], spare_container[NSN_ID_LEN];
	/* "0000:00:03.0, e1000": who makes the group not viable; "" */
	char culprit[NSN_DETAIL_LEN];
	uint64_t reason;  /* enum nsn_reason, by what the model adds to the event's */
	const char *rule; /* that it raises (nsn_history__rule_of()); the caller's to set */
};

/*
 * Resolves an event. model (the last one; NULL: none) tells of groups. The ids are valid until
 * names or model change; event must live as long.
 */
void nsn_ids__resolve(const struct nsn_ids *names, const struct nsn_model *model,
		      const struct nsn_rec_event *event, struct nsn_told *out);

/* True if the event speaks of an object that no model had: a snapshot would tell its id. */
bool nsn_ids__lacks(const struct nsn_ids *names, const struct nsn_rec_event *event);

#endif /* NSN_MODEL_NAMES_H */
