// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules_group.c - judges whose subject is an IOMMU group: who shares it, who owns it, whether its
 * interrupts are isolated. Floor 1.
 */
#include "model_internal.h"
#include "rules_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char host[] = "host";

/* Is a VFIO file of the group open? Where users may be unseen the host is unknown, not each group.
 */
static enum nsn_tri is_opened(const struct nsn_rule_run *run, const struct nsn_group *group)
{
	if (!run->sight->passthrough_possible)
		return NSN_NO;
	if (group->opened == NSN_UNKNOWN && run->sight->containers_hidden)
		return NSN_NO;
	return group->opened;
}

static size_t count_endpoints(const struct nsn_group *group)
{
	size_t endpoints = 0;

	for (size_t i = 0; i < group->devices.items_count; i++) {
		const struct nsn_device *device = group->devices.items[i];

		endpoints += device->role != NSN_ROLE_BRIDGE;
	}
	return endpoints;
}

/* No kernel walk showed the group: the host is unknown for it, or nobody can be using it. */
static bool is_unseen(const struct nsn_rule_run *run, const struct nsn_group *group)
{
	return !group->in_kernel &&
	       (run->sight->containers_hidden || is_opened(run, group) == NSN_NO);
}

/* ---- NS007 ----------------------------------------------------------------------------------- */

static void judge_isolation(struct nsn_rule_run *run, const struct nsn_group *group)
{
	enum nsn_tri opened = is_opened(run, group);
	struct nsn_finding *finding;

	if (opened == NSN_NO)
		return;
	if (group->isolated_msi == NSN_YES) {
		nsn_run__pass(run);
		return;
	}
	if (opened == NSN_UNKNOWN || group->isolated_msi == NSN_UNKNOWN) {
		nsn_run__unknown(run, NSN_SEVERITY_WARNING, "group", group->id, "%s",
				 opened == NSN_UNKNOWN
					 ? "whether somebody has opened it is unknown"
					 : nsn_model__why_unknown(run->model, "groups.isolated_msi",
								  group->id, "kernel.iommu"));
		return;
	}
	finding = nsn_run__fail(run, NSN_SEVERITY_WARNING, "group", group->id,
				"Group %s: is in a user's hands without isolated interrupts",
				group->id);
	nsn_run__tri(run, finding, "isolated_msi", group->isolated_msi);
	nsn_run__tri(run, finding, "interrupt_remapping",
		     NSN_FACT(&run->model->kernel, kernel, interrupt_remapping));
	nsn_run__tri(run, finding, "allow_unsafe_interrupts",
		     NSN_FACT(&run->model->host, host, unsafe_interrupts));
	nsn_run__ids(run, finding, "devices", &group->devices);
}

/* vfio_iommu_type1.allow_unsafe_interrupts: worse while a group is open. */
static void judge_parameter(struct nsn_rule_run *run, enum nsn_tri any_open)
{
	const struct nsn_model *model = run->model;
	enum nsn_tri set = NSN_FACT(&model->host, host, unsafe_interrupts);
	enum nsn_severity worst = any_open == NSN_NO ? NSN_SEVERITY_INFO : NSN_SEVERITY_WARNING;
	struct nsn_finding *finding;

	if (set == NSN_UNKNOWN) {
		/* without the module there is no such parameter */
		if (nsn_model__source(model, "kernel.type1", NULL) != NSN_SOURCE_ABSENT)
			nsn_run__unknown(
				run, worst, host, host,
				"vfio_iommu_type1.allow_unsafe_interrupts could not be read");
		return;
	}
	if (set == NSN_NO) {
		nsn_run__pass(run);
		return;
	}
	finding =
		nsn_run__fail(run, any_open == NSN_YES ? NSN_SEVERITY_WARNING : NSN_SEVERITY_INFO,
			      host, host, "Host: vfio_iommu_type1.allow_unsafe_interrupts is set");
	nsn_run__tri(run, finding, "allow_unsafe_interrupts", NSN_YES);
	nsn_run__tri(run, finding, "group_open", any_open);
	if (any_open == NSN_UNKNOWN)
		nsn_run__doubt(run, worst, host, host, "whether a group is open is unknown");
}

int nsn_judge_interrupts(struct nsn_rule_run *run, const struct nsn_model *model)
{
	enum nsn_tri any_open = run->sight->containers_hidden ? NSN_UNKNOWN : NSN_NO;

	for (size_t i = 0; i < model->groups_count; i++) {
		const struct nsn_group *group = &model->groups[i];
		enum nsn_tri opened = is_opened(run, group);

		if (opened == NSN_YES || any_open == NSN_YES)
			any_open = NSN_YES;
		else if (opened == NSN_UNKNOWN)
			any_open = NSN_UNKNOWN;
		judge_isolation(run, group);
	}
	judge_parameter(run, any_open);
	nsn_run__hidden_containers(run);
	return run->err;
}

/* ---- NS010 ----------------------------------------------------------------------------------- */

static void add_members(struct nsn_rule_run *run, struct nsn_finding *finding,
			const struct nsn_group *group)
{
	for (size_t i = 0; i < group->devices.items_count; i++) {
		const struct nsn_device *device = group->devices.items[i];
		const char *driver = NSN_KNOWS(&device->rec, group_device, driver)
					     ? device->rec.driver
					     : device->sys.driver;

		if (device->role != NSN_ROLE_HOST_DRIVER)
			continue;
		nsn_run__text(run, finding, "host_driver_member", "%s", device->id);
		nsn_run__text(run, finding, "host_driver", "%s", driver);
		return; /* one is enough to make the group not viable */
	}
}

static void fail_shared(struct nsn_rule_run *run, const struct nsn_group *group, size_t endpoints)
{
	bool viable = group->viable != NSN_NO;
	struct nsn_finding *finding;

	finding = nsn_run__fail(run, NSN_SEVERITY_INFO, "group", group->id,
				viable ? "Group %s: its members are assigned together or not at all"
				       : "Group %s: is not viable, a host driver has a member",
				group->id);
	nsn_run__number(run, finding, "endpoints", endpoints);
	nsn_run__tri(run, finding, "viable", group->viable);
	if (NSN_KNOWS(&group->sys, sys_group, why) && nsn_group_why_name(group->sys.why))
		nsn_run__text(run, finding, "shared_by", "%s", nsn_group_why_name(group->sys.why));
	nsn_run__ids(run, finding, "members", &group->devices);
	add_members(run, finding, group);
}

int nsn_judge_shared_group(struct nsn_rule_run *run, const struct nsn_model *model)
{
	for (size_t i = 0; i < model->groups_count; i++) {
		const struct nsn_group *group = &model->groups[i];
		enum nsn_tri opened = is_opened(run, group);
		size_t endpoints = count_endpoints(group);
		bool alias =
			NSN_KNOWS(&group->sys, sys_group, why) && group->sys.why == NSN_WHY_ALIAS;
		bool shared = endpoints > 1 || alias || group->viable == NSN_NO;

		if (opened == NSN_NO)
			continue;
		if (opened == NSN_YES && shared && !group->torn)
			fail_shared(run, group, endpoints);
		else if (shared || group->torn || group->viable == NSN_UNKNOWN ||
			 !nsn_group_has_all_members(group) ||
			 !NSN_KNOWS(&group->sys, sys_group, why))
			nsn_run__unknown(run, NSN_SEVERITY_INFO, "group", group->id,
					 opened == NSN_YES
						 ? "not all its members or their drivers are known"
						 : "whether somebody has opened it is unknown");
		else
			nsn_run__pass(run);
	}
	nsn_run__hidden_containers(run);
	return run->err;
}

/* ---- NS018 ----------------------------------------------------------------------------------- */

/* A member whose driver does DMA for the host. NULL with *unsure where one may be such. */
static const struct nsn_device *find_host_driver(const struct nsn_group *group, bool *unsure)
{
	*unsure = !nsn_group_has_all_members(group);
	for (size_t i = 0; i < group->devices.items_count; i++) {
		const struct nsn_device *device = group->devices.items[i];
		enum nsn_tri managed = NSN_FACT(&device->rec, group_device, driver_managed_dma);

		if (device->role == NSN_ROLE_HOST_DRIVER && managed == NSN_NO)
			return device;
		if (device->role == NSN_ROLE_UNKNOWN ||
		    (device->role == NSN_ROLE_HOST_DRIVER && managed == NSN_UNKNOWN))
			*unsure = true;
	}
	return NULL;
}

static enum nsn_tri in_users_domain(const struct nsn_group *group)
{
	if (group->domain)
		return nsn_domain_is_users(group->domain);
	return NSN_KNOWS(&group->rec, group, domain) ? NSN_NO : NSN_UNKNOWN;
}

static bool has_user_owner(const struct nsn_group *group)
{
	return group->owner == NSN_OWNER_VFIO || group->owner == NSN_OWNER_IOMMUFD ||
	       group->owner == NSN_OWNER_USER_OTHER;
}

static void fail_ownership(struct nsn_rule_run *run, const struct nsn_group *group,
			   const struct nsn_device *device)
{
	struct nsn_finding *finding;

	if (device)
		finding = nsn_run__fail(run, NSN_SEVERITY_CRITICAL, "group", group->id,
					"Group %s: is owned by a user while a host driver has %s",
					group->id, device->id);
	else
		finding = nsn_run__fail(
			run, NSN_SEVERITY_CRITICAL, "group", group->id,
			"Group %s: is in a user's domain, but nobody claimed its DMA", group->id);
	nsn_run__text(run, finding, "owner", "%s", nsn_owner_name(group->owner));
	if (NSN_KNOWS(&group->rec, group, owner_count))
		nsn_run__number(run, finding, "owner_count", group->rec.owner_count);
	if (group->domain)
		nsn_run__text(run, finding, "domain", "%s", group->domain->id);
	if (device) {
		nsn_run__text(run, finding, "device", "%s", device->id);
		nsn_run__text(run, finding, "driver", "%s", device->rec.driver);
	}
}

static void judge_owner(struct nsn_rule_run *run, const struct nsn_group *group)
{
	enum nsn_tri users = in_users_domain(group);
	bool told = group->domain && group->domain->container;
	bool vdpas = told && group->domain->container->kind == NSN_CONTAINER_VDPA;
	const struct nsn_device *device;
	bool unsure;

	device = find_host_driver(group, &unsure);
	if (group->torn)
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "group", group->id,
				 "it changed while it was read");
	else if (group->owner == NSN_OWNER_UNKNOWN)
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "group", group->id,
				 "who owns its DMA is unknown");
	else if (has_user_owner(group) && device)
		fail_ownership(run, group, device);
	else if (has_user_owner(group) && unsure)
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "group", group->id,
				 "the driver of a member is unknown");
	else if (has_user_owner(group))
		nsn_run__pass(run);
	else if (users == NSN_UNKNOWN)
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "group", group->id,
				 "its domain is unknown");
	else if (users == NSN_YES && vdpas)
		nsn_run__pass(run); /* vhost-vdpa claims no DMA: its device's driver has it */
	else if (users == NSN_YES && !told && run->sight->vdpa_possible)
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "group", group->id,
				 "vDPA may have attached it: it claims no DMA, and is not read");
	else if (users == NSN_YES)
		fail_ownership(run, group, NULL);
}

int nsn_judge_ownership(struct nsn_rule_run *run, const struct nsn_model *model)
{
	for (size_t i = 0; i < model->groups_count; i++) {
		const struct nsn_group *group = &model->groups[i];

		if (run->sight->passthrough_possible && !is_unseen(run, group))
			judge_owner(run, group);
	}
	nsn_run__hidden_containers(run);
	return run->err;
}

/* ---- NS019 ----------------------------------------------------------------------------------- */

/* A group that is on the list of a domain which is not the one the IOMMU core attached it to. */
struct stray {
	const struct nsn_group *group;
	const struct nsn_domain *domain;
};

struct strays {
	struct stray *items;
	size_t items_count, items_capacity;
};

static void find_strays(struct nsn_rule_run *run, struct strays *strays)
{
	for (size_t i = 0; i < run->model->domains_count; i++) {
		const struct nsn_domain *domain = &run->model->domains[i];

		for (size_t k = 0; k < domain->groups.items_count; k++) {
			const struct nsn_group *group = domain->groups.items[k];
			struct stray *stray;

			if (group->domain == domain || domain->by_pasid ||
			    nsn_group_has_pasid_in(group, domain))
				continue;
			stray = NSN_APPEND(strays, items);
			if (!stray) {
				run->err = -ENOMEM;
				return;
			}
			stray->group = group;
			stray->domain = domain;
		}
	}
}

static void judge_split(struct nsn_rule_run *run, const struct nsn_group *group,
			const struct strays *strays)
{
	const struct nsn_domain *other = NULL;
	struct nsn_finding *finding;

	for (size_t i = 0; i < strays->items_count && !other; i++)
		if (strays->items[i].group == group)
			other = strays->items[i].domain;
	if (is_unseen(run, group))
		return;
	if (!other && is_opened(run, group) == NSN_NO && in_users_domain(group) == NSN_NO)
		return;
	if (group->torn || !NSN_KNOWS(&group->rec, group, domain)) {
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "group", group->id, "%s",
				 group->torn ? "it changed while it was read"
					     : "the domain it is attached to is unknown");
	} else if (!other &&
		   nsn_model__source(run->model, "kernel.type1", NULL) == NSN_SOURCE_FAILED) {
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "group", group->id,
				 "VFIO's own lists of domains could not be read");
	} else if (other) {
		finding =
			nsn_run__fail(run, NSN_SEVERITY_CRITICAL, "group", group->id,
				      "Group %s: its devices are in different domains", group->id);
		nsn_run__text(run, finding, "domain", "%s",
			      group->domain ? group->domain->id : "none");
		nsn_run__text(run, finding, "other_domain", "%s", other->id);
		nsn_run__ids(run, finding, "devices", &group->devices);
	} else {
		nsn_run__pass(run);
	}
}

int nsn_judge_split_group(struct nsn_rule_run *run, const struct nsn_model *model)
{
	struct strays strays = { 0 };

	find_strays(run, &strays);
	for (size_t i = 0; i < model->groups_count && run->sight->passthrough_possible; i++)
		judge_split(run, &model->groups[i], &strays);
	free(strays.items);
	nsn_run__hidden_containers(run);
	return run->err;
}
