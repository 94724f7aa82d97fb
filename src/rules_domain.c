// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules_domain.c - judges whose subject is a domain: does what it claims agree with the devices in
 * it and with its format? Floor 1.
 */
#include "model_internal.h"
#include "rules_internal.h"

#include <string.h>

/* A domain that VFIO's own chain or the IOMMU core's was torn for. */
static bool is_torn(const struct nsn_domain *domain)
{
	if (domain->torn ||
	    (domain->container && (domain->container->torn || domain->container->truncated)))
		return true;
	for (size_t i = 0; i < domain->groups.items_count; i++) {
		const struct nsn_group *group = domain->groups.items[i];

		if (group->torn)
			return true;
	}
	return false;
}

/* A page table that iommufd has and no device is attached to: it was made in advance, or nested in. */
static bool is_idle(const struct nsn_domain *domain)
{
	return !domain->groups.items_count && domain->container &&
	       domain->container->kind == NSN_CONTAINER_IOMMUFD &&
	       nsn_container_is_whole(domain->container);
}

/* vhost-vdpa never asks for enforcement: NS020 is about its domains. */
static bool is_vdpas(const struct nsn_domain *domain)
{
	return domain->container && domain->container->kind == NSN_CONTAINER_VDPA;
}

/* All members of all its groups were seen. */
static bool has_all_devices(const struct nsn_domain *domain)
{
	if (!domain->groups.items_count)
		return is_idle(domain);
	for (size_t i = 0; i < domain->groups.items_count; i++) {
		const struct nsn_group *group = domain->groups.items[i];

		if (NSN_FACT(&group->rec, group, complete) != NSN_YES ||
		    !NSN_KNOWS(&group->rec, group, devices) ||
		    group->devices.items_count < group->rec.devices)
			return false;
	}
	return true;
}

/* Which of two facts about each device; bridges follow the devices below them. */
typedef enum nsn_tri device_fact(const struct nsn_device *device);

static enum nsn_tri can_enforce(const struct nsn_device *device)
{
	return device->can_enforce;
}

static enum nsn_tri behind_snoop_control(const struct nsn_device *device)
{
	return device->snoop_control;
}

/* YES if all have it, NO if one lacks it; *weak is the first that lacks it. */
static enum nsn_tri all_devices(const struct nsn_domain *domain, device_fact *fact,
				const struct nsn_device **weak)
{
	enum nsn_tri all = has_all_devices(domain) ? NSN_YES : NSN_UNKNOWN;
	size_t endpoints = 0;

	*weak = NULL;
	for (size_t i = 0; i < domain->devices.items_count; i++) {
		const struct nsn_device *device = domain->devices.items[i];
		enum nsn_tri value = fact(device);

		if (device->role == NSN_ROLE_BRIDGE)
			continue;
		endpoints++;
		if (value == NSN_NO) {
			*weak = device;
			return NSN_NO;
		}
		if (value == NSN_UNKNOWN)
			all = NSN_UNKNOWN;
	}
	return endpoints || is_idle(domain) ? all : NSN_UNKNOWN;
}

static void add_flags(struct nsn_rule_run *run, struct nsn_finding *finding,
		      const struct nsn_domain *domain)
{
	nsn_run__tri(run, finding, "vfio_flag", domain->vfio_flag);
	nsn_run__tri(run, finding, "driver_flag", domain->driver_flag);
	nsn_run__tri(run, finding, "blocks_nosnoop", domain->blocks_nosnoop);
	nsn_run__text(run, finding, "iommu_driver", "%s", domain->iommu_driver);
	if (domain->page_table)
		nsn_run__text(run, finding, "page_table", "%s", domain->page_table);
	if (domain->container)
		nsn_run__text(run, finding, "container", "%s", domain->container->id);
	nsn_run__ids(run, finding, "groups", &domain->groups);
	nsn_run__ids(run, finding, "devices", &domain->devices);
}

static const char *why_unknown(const struct nsn_model *model, const struct nsn_domain *domain)
{
	if (is_torn(domain))
		return "it changed while it was read";
	if (nsn_domain__flags_disagree(domain))
		return "VFIO and the IOMMU driver disagree";
	return nsn_model__why_unknown(model, "domains.coherency.blocks_nosnoop", domain->id,
				      "kernel.iommu");
}

/* ---- NS006 ----------------------------------------------------------------------------------- */

/* NS001 on a VM of its makes it critical: YES, NO, or unknown because its VMs or verdicts are. */
static enum nsn_tri harms_a_vm(const struct nsn_rule_run *run, const struct nsn_domain *domain)
{
	const struct nsn_container *container = domain->container;
	enum nsn_tri harms = run->sight->vms_hidden ? NSN_UNKNOWN : NSN_NO;

	for (size_t i = 0; i < run->model->vms_count; i++) {
		const struct nsn_vm *vm = &run->model->vms[i];
		bool linked = false;

		for (size_t k = 0; container && k < container->vms.items_count; k++)
			linked |= container->vms.items[k] == vm;
		if (linked && vm->verdict == NSN_VERDICT_UNSAFE)
			return NSN_YES;
		if ((linked && vm->verdict == NSN_VERDICT_UNKNOWN) || !container ||
		    vm->may_own_unlinked)
			harms = NSN_UNKNOWN;
	}
	return harms;
}

static void fail_leftover(struct nsn_rule_run *run, const struct nsn_domain *domain)
{
	enum nsn_tri harms = harms_a_vm(run, domain);
	struct nsn_finding *finding;

	finding = nsn_run__fail(
		run, harms == NSN_YES ? NSN_SEVERITY_CRITICAL : NSN_SEVERITY_WARNING, "domain",
		domain->id, "Domain %s: does not block No Snoop, although every device in it could",
		domain->id);
	add_flags(run, finding, domain);
	nsn_run__tri(run, finding, "vm_unsafe", harms);
	if (harms == NSN_UNKNOWN)
		nsn_run__doubt(run, NSN_SEVERITY_CRITICAL, "domain", domain->id,
			       "whether a VM is harmed by it is unknown");
}

/*
 * A domain in no container that nobody claimed the DMA of: vhost-vdpa's are so, and it never asks
 * for enforcement (NS020 is about that).
 */
static bool may_be_vdpas(const struct nsn_rule_run *run, const struct nsn_domain *domain)
{
	if (domain->container)
		return false;
	if (!run->sight->vdpa_possible)
		return false;
	for (size_t i = 0; i < domain->groups.items_count; i++) {
		const struct nsn_group *group = domain->groups.items[i];

		if (group->owner == NSN_OWNER_VFIO || group->owner == NSN_OWNER_IOMMUFD ||
		    group->owner == NSN_OWNER_USER_OTHER)
			return false;
	}
	return true;
}

/* Containers whose domains are not read: nobody can tell what sits in them. */
static void judge_unread_containers(struct nsn_rule_run *run)
{
	for (size_t i = 0; i < run->model->containers_count; i++) {
		const struct nsn_container *container = &run->model->containers[i];

		if (container->kind == NSN_CONTAINER_UNKNOWN)
			nsn_run__unknown(run, run->rule->worst, "container", container->id,
					 "the container's driver could not be read");
		else if ((container->kind == NSN_CONTAINER_IOMMUFD &&
			  !nsn_container_is_whole(container)) ||
			 (container->kind == NSN_CONTAINER_TYPE1 &&
			  (container->torn || container->truncated ||
			   NSN_FACT(&container->rec, container, complete) != NSN_YES)))
			nsn_run__unknown(run, run->rule->worst, "container", container->id,
					 "the container could not be read whole");
	}
}

/* VFIO keeps a flag of its own, which could contradict the driver's: is it unread? */
static bool flag_is_unread(const struct nsn_model *model, const struct nsn_domain *domain)
{
	return !domain->container &&
	       nsn_model__source(model, "kernel.type1", NULL) == NSN_SOURCE_FAILED;
}

int nsn_judge_leftover(struct nsn_rule_run *run, const struct nsn_model *model)
{
	for (size_t i = 0; i < model->domains_count; i++) {
		const struct nsn_domain *domain = &model->domains[i];
		enum nsn_tri users = nsn_domain_is_users(domain), able;
		const struct nsn_device *weak;

		if (users == NSN_NO || is_vdpas(domain) || is_idle(domain))
			continue;
		able = all_devices(domain, can_enforce, &weak);
		if (users == NSN_UNKNOWN || domain->blocks_nosnoop == NSN_UNKNOWN ||
		    is_torn(domain) || flag_is_unread(model, domain))
			nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "domain", domain->id, "%s",
					 why_unknown(model, domain));
		else if (domain->blocks_nosnoop == NSN_YES || able == NSN_NO)
			nsn_run__pass(run);
		else if (may_be_vdpas(run, domain))
			nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "domain", domain->id,
					 "it may be vDPA's, which never asks for enforcement");
		else if (able == NSN_UNKNOWN)
			nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "domain", domain->id,
					 "whether the IOMMU could block No Snoop for each of its "
					 "devices is unknown");
		else
			fail_leftover(run, domain);
	}
	judge_unread_containers(run);
	nsn_run__hidden_containers(run);
	return run->err;
}

/* ---- NS014 ----------------------------------------------------------------------------------- */

/* Has the page-table format no bit that could block, although the driver claims it does? */
static enum nsn_tri claims_in_vain(const struct nsn_domain *domain)
{
	bool amd = strcmp(domain->iommu_driver, "amd") == 0;

	if (domain->vfio_flag == NSN_NO || is_vdpas(domain))
		return NSN_NO; /* not claimed */
	if (NSN_KNOWS(&domain->rec, domain, page_table))
		return domain->rec.page_table == NSN_PT_AMD_V2 ? NSN_YES : NSN_NO;
	return amd || !domain->iommu_driver[0] ? NSN_UNKNOWN : NSN_NO;
}

int nsn_judge_format(struct nsn_rule_run *run, const struct nsn_model *model)
{
	for (size_t i = 0; i < model->domains_count; i++) {
		const struct nsn_domain *domain = &model->domains[i];
		enum nsn_tri users = nsn_domain_is_users(domain);
		enum nsn_tri vain = claims_in_vain(domain);
		struct nsn_finding *finding;

		if (users == NSN_NO)
			continue;
		if (vain == NSN_NO && strcmp(domain->iommu_driver, "amd"))
			continue; /* other drivers keep to their formats: no subject */
		if (vain == NSN_YES && users == NSN_YES && !domain->torn) {
			finding = nsn_run__fail(
				run, NSN_SEVERITY_WARNING, "domain", domain->id,
				"Domain %s: blocking No Snoop is claimed, but AMD's v2 "
				"page tables have no bit for it",
				domain->id);
			add_flags(run, finding, domain);
		} else if (vain == NSN_NO) {
			nsn_run__pass(run);
		} else {
			nsn_run__unknown(run, NSN_SEVERITY_WARNING, "domain", domain->id,
					 "the page-table format of the domain is unknown");
		}
	}
	nsn_run__hidden_containers(run);
	return run->err;
}

/* ---- NS016 ----------------------------------------------------------------------------------- */

static bool is_intel(const struct nsn_domain *domain)
{
	return strcmp(domain->iommu_driver, "intel") == 0;
}

/* The driver keeps a flag of its own (Intel), or may do so. */
static bool lacks_driver_flag(const struct nsn_domain *domain)
{
	return domain->driver_flag == NSN_UNKNOWN && (is_intel(domain) || !domain->iommu_driver[0]);
}

static void fail_invariant(struct nsn_rule_run *run, const struct nsn_domain *domain,
			   const struct nsn_device *weak)
{
	struct nsn_finding *finding;

	if (weak)
		finding = nsn_run__fail(
			run, NSN_SEVERITY_CRITICAL, "domain", domain->id,
			"Domain %s: claims to block No Snoop, but %s sits behind a unit "
			"without snoop control",
			domain->id, weak->id);
	else
		finding =
			nsn_run__fail(run, NSN_SEVERITY_CRITICAL, "domain", domain->id,
				      "Domain %s: VFIO and the IOMMU driver disagree on whether No "
				      "Snoop is blocked",
				      domain->id);
	nsn_run__text(run, finding, "invariant", "%s", weak ? "weak_unit" : "flags_disagree");
	if (weak) {
		nsn_run__text(run, finding, "device", "%s", weak->id);
		if (weak->iommu)
			nsn_run__text(run, finding, "iommu", "%s", weak->iommu->id);
	}
	add_flags(run, finding, domain);
}

static void judge_invariant(struct nsn_rule_run *run, const struct nsn_domain *domain)
{
	/* a nested one has no flag of its own: its parent's count for its devices */
	const struct nsn_domain *table = domain->parent ? domain->parent : domain;
	bool vfio_known = table->vfio_flag != NSN_UNKNOWN;
	bool claims = table->vfio_flag == NSN_YES || table->driver_flag == NSN_YES;
	const struct nsn_device *weak = NULL;
	enum nsn_tri strong = NSN_YES;

	if (is_intel(table) && claims)
		strong = all_devices(domain, behind_snoop_control, &weak);
	if (is_torn(domain))
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "domain", domain->id, "%s",
				 why_unknown(run->model, domain));
	else if (nsn_domain__flags_disagree(table))
		fail_invariant(run, domain, NULL);
	else if (strong == NSN_NO)
		fail_invariant(run, domain, weak);
	else if ((!vfio_known && !is_vdpas(domain)) || lacks_driver_flag(table))
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "domain", domain->id,
				 "%s could not be read",
				 vfio_known ? "the driver's flag" : "VFIO's flag");
	else if (strong == NSN_UNKNOWN)
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "domain", domain->id,
				 "the snoop control of the units of its devices is unknown");
	else
		nsn_run__pass(run);
}

int nsn_judge_invariant(struct nsn_rule_run *run, const struct nsn_model *model)
{
	for (size_t i = 0; i < model->domains_count; i++) {
		const struct nsn_domain *domain = &model->domains[i];
		enum nsn_tri users = nsn_domain_is_users(domain);

		if (users == NSN_YES)
			judge_invariant(run, domain);
		else if (users == NSN_UNKNOWN)
			nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "domain", domain->id, "%s",
					 why_unknown(model, domain));
	}
	judge_unread_containers(run);
	nsn_run__hidden_containers(run);
	return run->err;
}
