// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields_kvm.c - the fields of vms[].kvm: what KVM goes by for the VM, by both criteria that kernels
 * have, and what non-coherent DMA changes for it beyond WBINVD. Floor 1.
 */
#include "fields_internal.h"

static void blame_memory(const struct nsn_vm *vm, struct nsn_value *value)
{
	if (value->type == NSN_VALUE_UNKNOWN)
		value->reason = vm->memory.unknown_reason;
}

NSN_GETTER(get_criterion, nsn_vm)
{
	(void)object;
	if (NSN_KNOWS(&model->kernel, kernel, criterion_capability))
		put_text(value, model->kernel.criterion_capability ? "capability" : "domain");
}

NSN_GETTER(get_registered, nsn_vm)
{
	put_tri(value, NSN_FLAG(&object->rec, vm, noncoherent_dma), NSN_TONE_WARNING,
		NSN_TONE_PLAIN);
}

NSN_GETTER(get_by_domain, nsn_vm)
{
	put_tri(value, object->by_domain, NSN_TONE_WARNING, NSN_TONE_PLAIN);
	if (value->type == NSN_VALUE_UNKNOWN)
		value->reason = "a domain of the VM's, or its whole list, could not be read";
}

NSN_GETTER(get_by_capability, nsn_vm)
{
	put_tri(value, object->by_capability, NSN_TONE_WARNING, NSN_TONE_PLAIN);
	if (value->type == NSN_VALUE_UNKNOWN)
		value->reason = "what the IOMMU of a device of the VM's can do is unknown";
}

NSN_GETTER(get_regime, nsn_vm)
{
	put_text(value, nsn_memory_regime_name(object->memory.regime));
	blame_memory(object, value);
}

NSN_GETTER(get_pat, nsn_vm)
{
	put_tri(value, object->memory.pat, NSN_TONE_PLAIN, NSN_TONE_PLAIN);
	blame_memory(object, value);
}

NSN_GETTER(get_mtrr, nsn_vm)
{
	put_tri(value, object->memory.mtrr, NSN_TONE_PLAIN, NSN_TONE_PLAIN);
	blame_memory(object, value);
}

NSN_GETTER(get_cd, nsn_vm)
{
	put_tri(value, object->memory.cd, NSN_TONE_PLAIN, NSN_TONE_PLAIN);
	blame_memory(object, value);
}

NSN_GETTER(get_quirk, nsn_vm)
{
	put_text(value, nsn_quirk_name(object->memory.quirk));
}

NSN_GETTER(get_changes, nsn_vm)
{
	put_tri(value, object->memory.changes, NSN_TONE_PLAIN, NSN_TONE_PLAIN);
	blame_memory(object, value);
}

NSN_GETTER(get_zaps, nsn_vm)
{
	put_tri(value, object->memory.zaps, NSN_TONE_WARNING, NSN_TONE_PLAIN);
	blame_memory(object, value);
}

static const struct nsn_wording criteria[] = {
	{ "domain", "what each domain of the VM really does", NSN_TONE_PLAIN },
	{ "capability", "what the IOMMU of each of its devices could do", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording regimes[] = {
	{ "guest", "the guest's own, with non-coherent DMA or without", NSN_TONE_PLAIN },
	{ "write_back", "write-back, whatever the guest asks for", NSN_TONE_PLAIN },
	{ "guest_pat",
	  "the guest's PAT holds, on account of non-coherent DMA: memory that it "
	  "maps uncached is slow",
	  NSN_TONE_WARNING },
	{ "guest_mtrr",
	  "the guest's MTRRs and PAT hold, on account of non-coherent DMA: until its "
	  "firmware has set them up all is uncached and slow",
	  NSN_TONE_WARNING },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording quirks[] = {
	{ "absent", "this kernel's KVM has no such quirk", NSN_TONE_PLAIN },
	{ "unsupported", "not on this CPU, which can't snoop itself or has no nested paging in use",
	  NSN_TONE_PLAIN },
	{ "disabled", "disabled for this VM, or of no meaning on this CPU", NSN_TONE_PLAIN },
	{ "enabled", "enabled: without non-coherent DMA the guest's PAT is ignored",
	  NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

/* A row of the list that the text shows of a VM that was asked for. */
#define ROW(path_, label, from, sentence, getter, ...)                                             \
	{                                                                                          \
		.path = path_, .header = label, .source = from, .text = NSN_TEXT_LIST,             \
		.help = sentence, .get = getter##_any, __VA_ARGS__                                 \
	}

const struct nsn_field nsn_fields_kvm[] = {
	ROW("criterion", "KVM goes by", "kernel.kvm", "What this kernel's KVM decides by.",
	    get_criterion, .values = criteria),
	ROW("registered", "It registered", "kernel.kvm",
	    "Whether KVM has non-coherent DMA registered for the VM.", get_registered,
	    .yes = "non-coherent DMA", .no = "nothing"),
	ROW("by_domain", "By the domains", "kernel.kvm",
	    "Whether it would be registered now by the state of the domains (before 6.2).",
	    get_by_domain, .yes = "non-coherent: it would register",
	    .no = "coherent: it would not"),
	ROW("by_capability", "By capability", "kernel.kvm",
	    "Whether it would be registered now by the capability of the devices (6.2 and later).",
	    get_by_capability, .yes = "non-coherent: it would register",
	    .no = "coherent: it would not"),
	ROW("memory_types.regime", "Memory types", "kernel.kvm",
	    "Whose memory types hold for the guest's memory.", get_regime, .values = regimes),
	ROW("memory_types.guest_pat", "Guest PAT", "kernel.kvm", "Whether the guest's PAT holds.",
	    get_pat, .yes = "honoured", .no = "ignored"),
	ROW("memory_types.guest_mtrr", "Guest MTRRs", "kernel.kvm",
	    "Whether the guest's MTRRs hold.", get_mtrr, .yes = "honoured", .no = "ignored"),
	ROW("memory_types.guest_cache_disable", "Guest CR0.CD", "kernel.kvm",
	    "Whether the guest can turn caching off by CR0.CD.", get_cd, .yes = "honoured",
	    .no = "ignored"),
	ROW("memory_types.ignore_guest_pat", "Quirk", "kernel.kvm",
	    "State of KVM's quirk IGNORE_GUEST_PAT for the VM.", get_quirk, .values = quirks),
	ROW("memory_types.changes", "Hangs on it", "kernel.kvm",
	    "Whether memory types depend on non-coherent DMA here.", get_changes,
	    .yes = "memory types do: another device, or its removal, changes them",
	    .no = "no memory type does"),
	ROW("memory_types.zaps", "On a change", "kernel.kvm",
	    "Whether KVM drops all mappings of the VM when non-coherent DMA begins or ends.",
	    get_zaps,
	    .yes = "KVM drops all mappings of the VM, which come back one fault at a time",
	    .no = "KVM drops no mapping"),
	{ .path = NULL },
};
