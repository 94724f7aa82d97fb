// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * events_flush.c - who flushes the host's caches. Floor 2.
 */
#include <bpf/bpf.h>
#include <string.h>

#include "events_internal.h"

/*
 * Is it, by its name, a function in which KVM carries a guest's WBINVD out? The compiler appends to names
 * ("kvm_emulate_wbinvd.part.0"), and the kernel has them in variants ("kvm_emulate_wbinvd_noskip").
 */
static bool is_guests(const char *caller)
{
	char function[NSN_SYMBOL_LEN];

	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		const struct nsn_probe_row *row = &nsn_probe_rows[i];

		if (strcmp(row->feature, "wbinvd"))
			continue;
		for (size_t j = 0; j < NSN_PROBE_ALTERNATIVES; j++)
			for (const char *list = row->alternatives[j];
			     list && nsn_next_word(&list, function, sizeof(function));)
				if (strncmp(caller, function, strlen(function)) == 0)
					return true;
	}
	return false;
}

enum nsn_initiator nsn_events_initiator(const char *caller)
{
	static const struct {
		const char *begins, *module;
		enum nsn_initiator initiator;
	} known[] = {
		{ "sev_", "[kvm_amd]", NSN_FLUSH_KVM_SEV },
		{ "snp_", "[ccp]", NSN_FLUSH_KVM_SEV },
		{ "drm_", "[drm]", NSN_FLUSH_DRM },
		{ "i915_", "[i915]", NSN_FLUSH_DRM },
		{ "xe_", "[xe]", NSN_FLUSH_DRM },
		{ "amdgpu_", "[amdgpu]", NSN_FLUSH_DRM },
		{ "cpu_cache_invalidate", "[cxl_", NSN_FLUSH_MEMREGION },
	};

	if (is_guests(caller))
		return NSN_FLUSH_GUEST;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(known); i++)
		if (strncmp(caller, known[i].begins, strlen(known[i].begins)) == 0 ||
		    strstr(caller, known[i].module))
			return known[i].initiator;
	return NSN_FLUSH_OTHER;
}

bool nsn_events_is_for_us(const struct nsn_events *events, struct nsn_rec_event *event)
{
	if (event->event != NSN_EVENT_HOST_FLUSH)
		return true;
	if (!NSN_KNOWS(event, event, initiator) && NSN_KNOWS(event, event, op))
		NSN_PUT(event, event, initiator, nsn_events_initiator(event->op));
	return !NSN_KNOWS(event, event, initiator) || event->initiator != NSN_FLUSH_GUEST ||
	       events->opts.wanted & (1ULL << NSN_EVENT_HOST_FLUSH);
}

uint64_t nsn_events__guest_flushes(const struct nsn_events *events)
{
	uint32_t place = NSN_LOST_GUEST_FLUSHES;
	uint64_t count = 0;

	if (events->maps[NSN_MAP_LOST] >= 0)
		bpf_map_lookup_elem(events->maps[NSN_MAP_LOST], &place, &count);
	return count;
}
