// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields_predict.c - the fields of devices[].if_assigned: what would happen if a device that no VM
 * has were assigned to one now. Floor 1.
 */
#include "fields_internal.h"

#include <string.h>

/* Facts of the group, of a device that has none. */
static bool no_group(const struct nsn_device *device, struct nsn_value *value)
{
	if (device->group)
		return false;
	put_none(value);
	return true;
}

/* What would follow VFIO's consent, of a device that it refuses. */
static bool is_refused(const struct nsn_device *device, struct nsn_value *value)
{
	if (device->prediction.verdict != NSN_PREDICTED_REFUSED)
		return false;
	put_none(value);
	return true;
}

static void blame_prediction(const struct nsn_device *device, struct nsn_value *value)
{
	if (value->type == NSN_VALUE_UNKNOWN)
		value->reason = device->prediction.unknown_reason;
}

NSN_GETTER(get_verdict, nsn_device)
{
	put_text(value, nsn_predicted_name(object->prediction.verdict));
	value->reason = object->prediction.unknown_reason;
}

NSN_GETTER(get_step, nsn_device)
{
	put_none(value);
	if (nsn_step_name(object->prediction.step))
		put_text(value, nsn_step_name(object->prediction.step));
}

NSN_GETTER(get_errno, nsn_device)
{
	put_none(value);
	if (object->prediction.error)
		put_text(value, nsn_errno_name(object->prediction.error));
}

NSN_GETTER(get_reason, nsn_device)
{
	put_text_or_none(value, nsn_reason_text(object->prediction.reason));
}

NSN_GETTER(get_member, nsn_device)
{
	put_none(value);
	if (object->prediction.member)
		put_text(value, object->prediction.member->id);
}

NSN_GETTER(get_member_driver, nsn_device)
{
	const struct nsn_device *member = object->prediction.member;

	put_none(value);
	if (member)
		put_text_or_none(value, member->rec.driver);
}

NSN_GETTER(get_group, nsn_device)
{
	if (!no_group(object, value))
		put_number(value, object->group->number);
}

NSN_GETTER(get_members, nsn_device)
{
	if (!no_group(object, value))
		put_refs(value, &object->group->devices, NSN_OBJECT_DEVICE);
}

NSN_GETTER(get_why, nsn_device)
{
	if (!no_group(object, value) && NSN_KNOWS(&object->group->sys, sys_group, why))
		put_text(value, nsn_group_why_name(object->group->sys.why));
}

NSN_GETTER(get_viable, nsn_device)
{
	if (!no_group(object, value))
		put_tri(value, object->prediction.viable, NSN_TONE_PLAIN, NSN_TONE_WARNING);
}

NSN_GETTER(get_isolated_msi, nsn_device)
{
	if (!no_group(object, value))
		put_tri(value, object->group->isolated_msi, NSN_TONE_PLAIN, NSN_TONE_WARNING);
}

NSN_GETTER(get_unsafe_interrupts, nsn_device)
{
	(void)object;
	put_tri(value, NSN_FLAG(&model->host, host, unsafe_interrupts), NSN_TONE_WARNING,
		NSN_TONE_PLAIN);
}

NSN_GETTER(get_cache_coherency, nsn_device)
{
	if (!no_group(object, value))
		put_tri(value, object->cap_cache_coherency, NSN_TONE_PLAIN, NSN_TONE_WARNING);
}

NSN_GETTER(get_iommu, nsn_device)
{
	put_none(value);
	if (object->iommu)
		put_text(value, object->iommu->id);
}

/* Only Intel's units have such a capability; a VFIO without an IOMMU asks for none. */
NSN_GETTER(get_snoop_control, nsn_device)
{
	put_tri(value, object->snoop_control, NSN_TONE_GOOD, NSN_TONE_WARNING);
	if (value->type == NSN_VALUE_UNKNOWN && !object->iommu)
		put_none(value);
}

/* Left out where it cannot be known before the domain is made. */
NSN_GETTER(get_page_table, nsn_device)
{
	put_none(value);
	if (object->prediction.page_table)
		put_text(value, object->prediction.page_table);
}

NSN_GETTER(get_criterion, nsn_device)
{
	(void)object;
	if (NSN_KNOWS(&model->kernel, kernel, criterion_capability))
		put_text(value, model->kernel.criterion_capability ? "capability" : "domain");
}

NSN_GETTER(get_blocks_nosnoop, nsn_device)
{
	if (is_refused(object, value))
		return;
	put_tri(value, object->prediction.blocks_nosnoop, NSN_TONE_GOOD, NSN_TONE_WARNING);
	blame_prediction(object, value);
}

NSN_GETTER(get_registers, nsn_device)
{
	if (is_refused(object, value))
		return;
	put_tri(value, object->prediction.registers, NSN_TONE_WARNING, NSN_TONE_GOOD);
	blame_prediction(object, value);
}

NSN_GETTER(get_guest_wbinvd, nsn_device)
{
	if (is_refused(object, value))
		return;
	put_text(value, nsn_guest_wbinvd_name(object->prediction.guest_wbinvd));
	blame_prediction(object, value);
}

NSN_GETTER(get_without_kvm_vfio, nsn_device)
{
	if (is_refused(object, value))
		return;
	if (object->prediction.without_kvm_vfio != NSN_VERDICT_NO_PASSTHROUGH &&
	    object->prediction.without_kvm_vfio != NSN_VERDICT_UNKNOWN)
		put_text(value, nsn_verdict_name(object->prediction.without_kvm_vfio));
	blame_prediction(object, value);
}

static const struct nsn_wording verdicts[] = {
	{ "unknown", NULL, NSN_TONE_WARNING },
	{ "refused", "refused: VFIO would not hand it out", NSN_TONE_WARNING },
	{ "noncoherent",
	  "noncoherent: its DMA could bypass the CPU caches, and KVM would execute the guest's "
	  "WBINVD, which stalls CPUs of the host",
	  NSN_TONE_WARNING },
	{ "coherent",
	  "coherent: its DMA would stay in the CPU caches, and the guest's WBINVD is "
	  "not needed",
	  NSN_TONE_GOOD },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording steps[] = {
	{ "bind", "when it is bound to vfio-pci", NSN_TONE_PLAIN },
	{ "open", "when its group is opened", NSN_TONE_PLAIN },
	{ "set_container", "at VFIO_GROUP_SET_CONTAINER", NSN_TONE_PLAIN },
	{ "set_iommu", "at VFIO_SET_IOMMU", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording whys[] = {
	{ "single", "it is alone", NSN_TONE_PLAIN },
	{ "alias", "its devices share one address on the bus (alias)", NSN_TONE_PLAIN },
	{ "multifunction", "functions of one device, not isolated from each other",
	  NSN_TONE_PLAIN },
	{ "acs", "its devices can reach each other below a bridge (no ACS)", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording formats[] = {
	{ "first", "first stage", NSN_TONE_PLAIN },
	{ "second", "second stage", NSN_TONE_PLAIN },
	{ "v1", "AMD v1, which always blocks No Snoop", NSN_TONE_PLAIN },
	{ "v2", "AMD v2, which has no bit for it", NSN_TONE_WARNING },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording criteria[] = {
	{ "domain", "what each domain of the VM really does", NSN_TONE_PLAIN },
	{ "capability", "what the device's IOMMU could do", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording wbinvds[] = {
	{ "executed", "executed by KVM, on every CPU that the vCPU ran on", NSN_TONE_WARNING },
	{ "ignored", "ignored by KVM", NSN_TONE_PLAIN },
	{ "native", "runs on the CPU itself: KVM has no say", NSN_TONE_WARNING },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording alternatives[] = {
	{ "unsafe", "unsafe: the guest's WBINVD would be ignored while DMA bypasses the caches",
	  NSN_TONE_BAD },
	{ "noncoherent", "noncoherent as well", NSN_TONE_WARNING },
	{ "coherent", "coherent as well", NSN_TONE_GOOD },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

/* A row of the list that the text shows; its source is that of the facts it rests on. */
#define ROW(path_, label, from, sentence, getter, ...)                                             \
	{                                                                                          \
		.path = path_, .header = label, .source = from, .text = NSN_TEXT_LIST,             \
		.help = sentence, .get = getter##_any, __VA_ARGS__                                 \
	}

const struct nsn_field nsn_fields_if_assigned[] = {
	ROW("verdict", "Verdict", "kernel.iommu",
	    "What the VM would become: coherent, noncoherent, or that VFIO refuses the device.",
	    get_verdict, .values = verdicts),
	ROW("step", "Refused", "kernel.iommu", "The step at which VFIO would refuse it.", get_step,
	    .values = steps),
	ROW("errno", "With", "kernel.iommu", "The error of that step.", get_errno),
	ROW("reason", "Because of", "kernel.iommu", "Why it would be refused.", get_reason),
	ROW("blocked_by.device", "In the way", "kernel.iommu",
	    "The member of its group that a host driver does DMA with.", get_member),
	ROW("blocked_by.driver", "Driver of that", "kernel.iommu", "The driver of that member.",
	    get_member_driver),
	ROW("group", "IOMMU group", "sysfs.groups", "The group that would be assigned as a whole.",
	    get_group),
	ROW("members", "Members", "sysfs.groups", "All members of that group, bridges included.",
	    get_members),
	ROW("why", "Grouped because", "sysfs.groups", "Why these make one group.", get_why,
	    .values = whys),
	ROW("viable", "Viable", "kernel.iommu",
	    "Whether VFIO would hand out the group once the device itself is bound to vfio-pci.",
	    get_viable, .yes = "yes: no host driver has another member",
	    .no = "NO: a host driver has another member"),
	ROW("isolated_msi", "Interrupts", "kernel.iommu",
	    "Whether interrupts of the group are isolated.", get_isolated_msi, .yes = "isolated",
	    .no = "NOT isolated"),
	ROW("allow_unsafe_interrupts", "If not isolated", "kernel.type1",
	    "Whether VFIO accepts devices whose interrupts are not isolated.",
	    get_unsafe_interrupts, .yes = "accepted (allow_unsafe_interrupts)",
	    .no = "not accepted"),
	ROW("cap_cache_coherency", "Coherent DMA", "kernel.iommu",
	    "Whether its IOMMU can do cache-coherent DMA, without which VFIO registers no device.",
	    get_cache_coherency, .yes = "its IOMMU can do it", .no = "its IOMMU can NOT do it"),
	ROW("iommu", "IOMMU unit", "sysfs.pci", "The unit that would translate its DMA.",
	    get_iommu),
	ROW("snoop_control", "Snoop control", "kernel.iommu",
	    "Whether that unit can block No Snoop.", get_snoop_control,
	    .yes = "the unit can block No Snoop", .no = "the unit can NOT block No Snoop"),
	ROW("page_table", "Page table", "kernel.iommu",
	    "Format of the new domain's page table, where it can be told before.", get_page_table,
	    .values = formats),
	ROW("blocks_nosnoop", "Its domain", "kernel.iommu",
	    "Whether the new domain would block No Snoop.", get_blocks_nosnoop,
	    .yes = "would block No Snoop", .no = "would let No Snoop through"),
	ROW("criterion", "KVM goes by", "kernel.kvm", "What this kernel's KVM would decide by.",
	    get_criterion, .values = criteria),
	ROW("kvm_registers", "KVM", "kernel.iommu",
	    "Whether KVM would register non-coherent DMA for the VM.", get_registers,
	    .yes = "would register non-coherent DMA", .no = "would register nothing"),
	ROW("guest_wbinvd", "Guest WBINVD", "kernel.kvm",
	    "What would become of the guest's WBINVD.", get_guest_wbinvd, .values = wbinvds),
	ROW("without_kvm_vfio", "Without kvm-vfio", "kernel.kvm",
	    "What the VM would become if its VMM had no kvm-vfio device.", get_without_kvm_vfio,
	    .values = alternatives),
	{ .path = NULL },
};
