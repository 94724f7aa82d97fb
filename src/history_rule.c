// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * history_rule.c - which rule an event raises. Floor 1.
 */
#include "history_internal.h"

#include <string.h>

#include "rules_internal.h"

#define KNOWS(rec, field) NSN_KNOWS(rec, event, field)

static const struct nsn_domain *domain_of(const struct nsn_model *model, uint64_t key)
{
	for (size_t i = 0; model && i < model->domains_count; i++)
		if (model->domains[i].rec.domain == key)
			return &model->domains[i];
	return NULL;
}

static const char *of_enforce(const struct nsn_history *history, const struct nsn_model *model,
			      const struct nsn_rec_event *event)
{
	const struct nsn_domain_watch *watch = nsn_history_domain(history, event->domain);
	const struct nsn_domain *domain = domain_of(model, event->domain);

	if (!watch || watch->granted != NSN_GRANTED_MAPPED || !KNOWS(event, mapped) ||
	    !event->mapped || !event->enforced)
		return NULL;
	return domain && nsn_domain_has_bits_in_entries(domain) == NSN_YES ? "NS009" : NULL;
}

/* The group for which the domain was made leaves, and another stays. */
static const char *of_detach(const struct nsn_history *history, const struct nsn_rec_event *event)
{
	const struct nsn_domain_watch *watch = nsn_history_domain(history, event->domain);

	if (KNOWS(event, pasid) || !watch || !watch->maker_known || !KNOWS(event, group_id) ||
	    watch->maker != event->group_id || !watch->groups.items_count)
		return NULL;
	return "NS023";
}

static const char *of_wbinvd(const struct nsn_history *history, const struct nsn_model *model,
			     const struct nsn_rec_event *event)
{
	const struct nsn_vm *vm = model ? nsn_model__vm_by_key(model, event->vm) : NULL;
	struct nsn_flushing flushing;

	if (!vm || !event->executed)
		return NULL;
	nsn_history__flushing(history, vm, &flushing);
	return flushing.watch == NSN_WATCH_RAISED ? "NS003" : NULL;
}

const char *nsn_history__rule_of(const struct nsn_history *history, const struct nsn_model *model,
				 const struct nsn_told *told)
{
	const struct nsn_rec_event *event = told->event;

	switch (event->event) {
	case NSN_EVENT_DEVICE_REFUSED:
		return told->reason == NSN_REASON_NOT_COHERENT ? "NS008" : NULL;
	case NSN_EVENT_GROUP_ATTACH:
		return told->reason == NSN_REASON_INTERRUPTS ? "NS007" : NULL;
	case NSN_EVENT_KVM_REGISTER:
		return KNOWS(event, registrations) && event->registrations ? "NS002" : NULL;
	case NSN_EVENT_ENFORCE:
		return of_enforce(history, model, event);
	case NSN_EVENT_GROUP_DETACH:
		return KNOWS(event, inner) && event->inner ? NULL : of_detach(history, event);
	case NSN_EVENT_WBINVD:
		return of_wbinvd(history, model, event);
	default:
		return NULL;
	}
}
