// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * events_flush.c - who flushes the host's caches. Floor 2.
 */
#include <bpf/bpf.h>
#include <string.h>

#include "events_internal.h"

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

	for (size_t i = 0; i < NSN_ARRAY_SIZE(known); i++)
		if (strncmp(caller, known[i].begins, strlen(known[i].begins)) == 0 ||
		    strstr(caller, known[i].module))
			return known[i].initiator;
	return NSN_FLUSH_OTHER;
}

uint64_t nsn_events__guest_flushes(const struct nsn_events *events)
{
	uint32_t place = NSN_LOST_GUEST_FLUSHES;
	uint64_t count = 0;

	if (events->maps[NSN_MAP_LOST] >= 0)
		bpf_map_lookup_elem(events->maps[NSN_MAP_LOST], &place, &count);
	return count;
}
