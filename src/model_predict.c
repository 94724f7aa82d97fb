// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_predict.c - what would happen if a device that no VM has were assigned to one now. Floor 1.
 *
 * The way is the usual one: the device is bound to vfio-pci, its group opened and set into a new
 * container, VFIO_SET_IOMMU called, and the group given to a kvm-vfio device; the other members of
 * its group stay as they are. Each step's checks are the kernel's, in its order: the first that
 * says no refuses the device, and the first whose facts are not all known makes the verdict
 * unknown. So a missing fact never changes an answer into another one.
 *
 * Kernel sources: __vfio_register_dev() and vfio_group_find_or_alloc() (bind),
 * vfio_group_fops_open() (open), iommu_group_claim_dma_owner() out of VFIO_GROUP_SET_CONTAINER,
 * vfio_iommu_type1_attach_group() out of VFIO_SET_IOMMU.
 */
#include "model_internal.h"

#include <errno.h>
#include <string.h>

/* ---- what VFIO would refuse ------------------------------------------------------------------ */

/* Both give false: the checks end here. */
static bool refuse(struct nsn_prediction *out, enum nsn_step step, int error,
		   enum nsn_reason reason)
{
	out->verdict = NSN_PREDICTED_REFUSED;
	out->step = step;
	out->error = error;
	out->reason = reason;
	return false;
}

static bool doubt(struct nsn_prediction *out, const char *why)
{
	out->verdict = NSN_PREDICTED_UNKNOWN;
	out->unknown_reason = why;
	return false;
}

/* Is the machine seen whole? What was lost could be a user of the group or a member of it. */
static bool check_sight(const struct nsn_model *model, const struct nsn_device *device,
			struct nsn_prediction *out)
{
	const struct nsn_group *group = device->group;

	if (!model->ended || model->lost_records || model->truncations_count)
		return doubt(out, "not all of the machine could be read");
	if (!NSN_KNOWS(&device->sys, device, bridge) || !NSN_KNOWS(&device->sys, device, class))
		return doubt(out, "whether it is a bridge, which is not for a VM, is unknown");
	if (group && group->torn)
		return doubt(out, "its group changed while it was read, three times over");
	return true;
}

/* No group: only VFIO without an IOMMU would take it. */
static bool check_noiommu(const struct nsn_model *model, struct nsn_prediction *out)
{
	enum nsn_tri allowed = NSN_TRI(&model->host, host, unsafe_noiommu);
	const char *reason;

	if (nsn_model__source(model, "sysfs.groups", &reason) == NSN_SOURCE_FAILED &&
	    NSN_TRI(&model->kernel, kernel, group_list) != NSN_YES)
		return doubt(out, "whether it has an IOMMU group could not be read");
	if (allowed == NSN_YES) {
		out->noiommu = true;
		return true;
	}
	if (allowed == NSN_NO)
		return refuse(out, NSN_STEP_BIND, EINVAL, NSN_REASON_NOIOMMU_OFF);
	if (nsn_model__source(model, "kernel.vfio", &reason) == NSN_SOURCE_OK &&
	    nsn_model__is_absent(model, "host.vfio.enable_unsafe_noiommu_mode"))
		return refuse(out, NSN_STEP_BIND, EINVAL, NSN_REASON_NO_IOMMU);
	return doubt(out, "it has no IOMMU, and VFIO's enable_unsafe_noiommu_mode, which would "
			  "decide, could not be read");
}

/* VFIO has bound it without an IOMMU already, and made this group up for it. */
static bool is_bound_without_iommu(const struct nsn_device *device)
{
	const struct nsn_rec_group_device *rec = &device->rec;

	return device->group && device->role == NSN_ROLE_VFIO &&
	       NSN_KNOWS(rec, group_device, iommu_driver) && !rec->iommu_driver[0];
}

/* The driver that VFIO has for such groups asks the parameter anew: VFIO_SET_IOMMU finds none. */
static bool check_noiommu_driver(const struct nsn_model *model, struct nsn_prediction *out)
{
	enum nsn_tri allowed = NSN_TRI(&model->host, host, unsafe_noiommu);

	if (allowed == NSN_NO)
		return refuse(out, NSN_STEP_SET_IOMMU, ENODEV, NSN_REASON_NOIOMMU_OFF);
	return allowed == NSN_YES ||
	       doubt(out, "VFIO has it without an IOMMU, and enable_unsafe_noiommu_mode, which "
			  "decides whether it can be used, could not be read");
}

static bool check_bind(const struct nsn_model *model, const struct nsn_device *device,
		       struct nsn_prediction *out)
{
	if (!device->group)
		return check_noiommu(model, out);
	if (is_bound_without_iommu(device)) {
		out->noiommu = true;
		return true;
	}
	if (device->cap_cache_coherency == NSN_NO)
		return refuse(out, NSN_STEP_BIND, EINVAL, NSN_REASON_NOT_COHERENT);
	if (device->cap_cache_coherency == NSN_UNKNOWN)
		return doubt(out, "whether its IOMMU can do cache-coherent DMA is unknown");
	return true;
}

static bool check_open(const struct nsn_device *device, struct nsn_prediction *out)
{
	switch (device->group->opened) {
	case NSN_YES:
		return refuse(out, NSN_STEP_OPEN, EBUSY, NSN_REASON_ELSEWHERE);
	case NSN_UNKNOWN:
		return doubt(out, "whether somebody has opened its group is unknown");
	default:
		return true;
	}
}

/* Does a member's driver do DMA for the host, so that nobody else can claim the group's? */
static enum nsn_tri is_in_the_way(const struct nsn_device *member)
{
	enum nsn_tri managed = NSN_TRI(&member->rec, group_device, driver_managed_dma);

	if (NSN_KNOWS(&member->rec, group_device, driver) && !member->rec.driver[0])
		return NSN_NO;
	if (managed != NSN_NO)
		return managed == NSN_YES ? NSN_NO : NSN_UNKNOWN;
	return NSN_KNOWS(&member->rec, group_device, driver) ? NSN_YES : NSN_UNKNOWN;
}

/* Viability, once the device itself is vfio-pci's. */
static void judge_members(const struct nsn_device *device, struct nsn_prediction *out)
{
	const struct nsn_group *group = device->group;

	out->viable = nsn_group_has_all_members(group) ? NSN_YES : NSN_UNKNOWN;
	for (size_t i = 0; i < group->devices.items_count; i++) {
		const struct nsn_device *member = group->devices.items[i];
		enum nsn_tri blocks = member == device ? NSN_NO : is_in_the_way(member);

		if (blocks == NSN_YES && out->viable != NSN_NO) {
			out->viable = NSN_NO;
			out->member = member;
		}
		if (blocks == NSN_UNKNOWN && out->viable == NSN_YES)
			out->viable = NSN_UNKNOWN;
	}
}

static bool check_claim(const struct nsn_device *device, struct nsn_prediction *out)
{
	const struct nsn_group *group = device->group;

	if (group->owner == NSN_OWNER_UNKNOWN)
		return doubt(out, "who owns the DMA of its group is unknown");
	if (group->owner == NSN_OWNER_IOMMUFD || group->owner == NSN_OWNER_USER_OTHER)
		return refuse(out, NSN_STEP_SET_CONTAINER, EPERM, NSN_REASON_ELSEWHERE);
	if (out->viable == NSN_NO)
		return refuse(out, NSN_STEP_SET_CONTAINER, EPERM, NSN_REASON_NOT_VIABLE);
	if (out->viable == NSN_UNKNOWN)
		return doubt(out, "not all members of its group or their drivers are known");
	if (!NSN_KNOWS(&group->rec, group, domain) ||
	    !NSN_KNOWS(&group->rec, group, default_domain))
		return doubt(out, "the domain that its group is attached to is unknown");
	if (group->rec.domain && group->rec.domain != group->rec.default_domain)
		return refuse(out, NSN_STEP_SET_CONTAINER, EBUSY, NSN_REASON_ELSEWHERE);
	return true;
}

static bool check_interrupts(const struct nsn_model *model, const struct nsn_device *device,
			     struct nsn_prediction *out)
{
	enum nsn_tri isolated = device->group->isolated_msi;
	enum nsn_tri allowed = NSN_TRI(&model->host, host, unsafe_interrupts);

	if (isolated == NSN_YES || allowed == NSN_YES)
		return true;
	if (isolated == NSN_NO && allowed == NSN_NO)
		return refuse(out, NSN_STEP_SET_IOMMU, EPERM, NSN_REASON_INTERRUPTS);
	return doubt(out,
		     isolated == NSN_UNKNOWN
			     ? "whether its interrupts are isolated is unknown"
			     : "its interrupts are not isolated, and vfio_iommu_type1's "
			       "allow_unsafe_interrupts, which would decide, could not be read");
}

static bool is_accepted(const struct nsn_model *model, const struct nsn_device *device,
			struct nsn_prediction *out)
{
	if (!check_sight(model, device, out) || !check_bind(model, device, out))
		return false;
	if (out->noiommu)
		return !device->group ||
		       (check_open(device, out) && check_noiommu_driver(model, out));
	return check_open(device, out) && check_claim(device, out) &&
	       check_interrupts(model, device, out);
}

/* ---- what the domain would do ---------------------------------------------------------------- */

static const char *driver_of(const struct nsn_device *device)
{
	if (NSN_KNOWS(&device->rec, group_device, iommu_driver))
		return device->rec.iommu_driver;
	if (device->iommu && NSN_KNOWS(&device->iommu->rec, iommu, driver))
		return device->iommu->rec.driver;
	return "";
}

static bool is_driver(const struct nsn_device *device, const char *name)
{
	return strcmp(driver_of(device), name) == 0;
}

/* Every device that joins the domain must sit behind a unit with snoop control. */
static enum nsn_tri judge_intel(const struct nsn_group *group)
{
	enum nsn_tri blocks = NSN_YES;

	for (size_t i = 0; i < group->devices.items_count; i++) {
		const struct nsn_device *member = group->devices.items[i];
		enum nsn_tri control =
			is_driver(member, "intel") ? member->snoop_control : NSN_UNKNOWN;

		if (control == NSN_NO)
			return NSN_NO;
		if (control == NSN_UNKNOWN)
			blocks = NSN_UNKNOWN;
	}
	return blocks;
}

/*
 * AMD's v1 tables always block, v2's have no bit for it. Which one a new domain gets is a choice of
 * the whole machine (amd_iommu=pgtbl_v2), so the domains that are there show it.
 */
static const char *amd_format(const struct nsn_model *model)
{
	const char *format = NULL;

	for (size_t i = 0; i < model->domains_count; i++) {
		const struct nsn_domain *domain = &model->domains[i];

		if (domain->kind != NSN_DOMAIN_UNMANAGED && domain->kind != NSN_DOMAIN_DMA &&
		    domain->kind != NSN_DOMAIN_DMA_FQ && domain->kind != NSN_DOMAIN_UNKNOWN)
			continue;
		if (strcmp(domain->iommu_driver, "amd") && domain->iommu_driver[0])
			continue;
		if (!domain->page_table || strcmp(domain->page_table, "v1"))
			return NULL;
		format = domain->page_table;
	}
	return format;
}

/* A DMA domain with second-stage tables: the unit has no first stage, which it would have taken. */
static const char *intel_format(const struct nsn_group *group)
{
	const struct nsn_domain *domain = group->default_domain;

	return domain && domain->page_table && strcmp(domain->page_table, "second") == 0
		       ? domain->page_table
		       : NULL;
}

static void judge_domain(const struct nsn_model *model, const struct nsn_device *device,
			 struct nsn_prediction *out)
{
	out->blocks_nosnoop = NSN_UNKNOWN;
	if (out->noiommu || is_driver(device, "virtio")) {
		out->blocks_nosnoop = NSN_NO; /* no unit, or one without such an operation */
	} else if (!device->group) {
		return;
	} else if (is_driver(device, "intel")) {
		out->page_table = intel_format(device->group);
		out->blocks_nosnoop = judge_intel(device->group);
	} else if (is_driver(device, "amd")) {
		out->page_table = amd_format(model);
		out->blocks_nosnoop = out->page_table ? NSN_YES : NSN_UNKNOWN;
	}
}

/* ---- what KVM would do ----------------------------------------------------------------------- */

/* By capability: any device of the group that vfio-pci has lacks it. */
static enum nsn_tri lacks_capability(const struct nsn_device *device)
{
	const struct nsn_group *group = device->group;
	enum nsn_tri lacks = device->can_enforce == NSN_UNKNOWN ? NSN_UNKNOWN
			     : device->can_enforce              ? NSN_NO
								: NSN_YES;

	for (size_t i = 0; group && i < group->devices.items_count; i++) {
		const struct nsn_device *member = group->devices.items[i];

		if (member == device || member->role != NSN_ROLE_VFIO)
			continue;
		if (member->can_enforce == NSN_NO)
			return NSN_YES;
		if (member->can_enforce == NSN_UNKNOWN && lacks == NSN_NO)
			lacks = NSN_UNKNOWN;
	}
	return lacks;
}

static enum nsn_tri judge_registration(const struct nsn_model *model,
				       const struct nsn_device *device,
				       const struct nsn_prediction *out)
{
	enum nsn_tri criterion = NSN_TRI(&model->kernel, kernel, criterion_capability);
	enum nsn_tri by_domain = out->blocks_nosnoop == NSN_UNKNOWN ? NSN_UNKNOWN
				 : out->blocks_nosnoop              ? NSN_NO
								    : NSN_YES;
	enum nsn_tri by_capability = out->noiommu ? NSN_YES : lacks_capability(device);

	/* the driver claims to block with a format that cannot: VFIO's flag is set nevertheless */
	if (by_domain == NSN_UNKNOWN && is_driver(device, "amd"))
		by_domain = NSN_NO;
	if (criterion == NSN_UNKNOWN)
		return by_domain == by_capability ? by_domain : NSN_UNKNOWN;
	return criterion == NSN_YES ? by_capability : by_domain;
}

static void judge_kvm(const struct nsn_model *model, struct nsn_prediction *out)
{
	enum nsn_tri exiting = NSN_TRI(&model->kernel, kernel, wbinvd_exiting);
	enum nsn_tri blocks = out->blocks_nosnoop;

	if (exiting == NSN_NO)
		out->guest_wbinvd = NSN_WBINVD_NATIVE;
	else if (out->registers == NSN_YES)
		out->guest_wbinvd = NSN_WBINVD_EXECUTED;
	else if (out->registers == NSN_NO && exiting == NSN_YES)
		out->guest_wbinvd = NSN_WBINVD_IGNORED;

	/* a VMM without a kvm-vfio device: nothing is ever registered */
	out->without_kvm_vfio = NSN_VERDICT_UNKNOWN;
	if (blocks == NSN_YES)
		out->without_kvm_vfio = NSN_VERDICT_COHERENT;
	else if (exiting == NSN_NO)
		out->without_kvm_vfio = NSN_VERDICT_NONCOHERENT;
	else if (exiting == NSN_YES && blocks == NSN_NO)
		out->without_kvm_vfio = NSN_VERDICT_UNSAFE;
}

static void judge_verdict(struct nsn_prediction *out)
{
	if (out->registers == NSN_YES)
		out->verdict = NSN_PREDICTED_NONCOHERENT;
	else if (out->blocks_nosnoop == NSN_UNKNOWN)
		doubt(out, "whether its domain would block No Snoop is unknown");
	else if (out->registers == NSN_UNKNOWN)
		doubt(out, "what KVM would register is unknown");
	else if (out->blocks_nosnoop == NSN_NO)
		doubt(out, "what its IOMMU unit is said to do contradicts itself");
	else
		out->verdict = NSN_PREDICTED_COHERENT;
}

#define CLASS_BRIDGE 0x06 /* of any kind, to the CPU and to the ISA bus too */

/* In a user's domain that nobody claimed: vhost-vdpa has it, where that is loaded. */
static bool is_vdpas(const struct nsn_model *model, const struct nsn_device *device)
{
	const struct nsn_group *group = device->group;

	return nsn_model__source(model, "kernel.vdpa", NULL) != NSN_SOURCE_ABSENT && group &&
	       group->domain && group->domain->user &&
	       (group->owner == NSN_OWNER_DRIVER_DMA_API || group->owner == NSN_OWNER_NONE);
}

/* An endpoint on the PCI bus that no VM is known to have. */
static bool applies(const struct nsn_model *model, const struct nsn_device *device)
{
	const struct nsn_rec_device *sys = &device->sys;

	if (is_vdpas(model, device))
		return false;
	if (!device->in_sysfs || device->assigned || !NSN_KNOWS(sys, device, bus) ||
	    strcmp(sys->bus, "pci"))
		return false;
	return !(NSN_KNOWS(sys, device, bridge) && sys->bridge) &&
	       !(NSN_KNOWS(sys, device, class) && sys->class >> 16 == CLASS_BRIDGE);
}

void nsn_model_predict(struct nsn_model *model)
{
	for (size_t i = 0; i < model->devices_count; i++) {
		struct nsn_device *device = &model->devices[i];
		struct nsn_prediction *out = &device->prediction;
		bool accepted;

		out->applies = applies(model, device);
		out->viable = out->blocks_nosnoop = out->registers = NSN_UNKNOWN;
		if (!out->applies)
			continue;
		if (device->group)
			judge_members(device, out);
		accepted = is_accepted(model, device, out);
		judge_domain(model, device, out);
		out->registers = judge_registration(model, device, out);
		judge_kvm(model, out);
		if (accepted)
			judge_verdict(out);
	}
}
