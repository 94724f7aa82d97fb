// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules_container.c - judges whose subject is a container: has it an IOMMU, and whose is it?
 * Floor 1.
 */
#include "model_internal.h"
#include "rules_internal.h"

static const char host[] = "host";

/* May it be a VM's without our seeing it? */
static const char *why_owner_is_unknown(const struct nsn_rule_run *run)
{
	const struct nsn_model *model = run->model;
	const char *hidden = run->sight->vms_hidden;

	if (!hidden)
		hidden = run->sight->doubt;
	for (size_t i = 0; i < model->vms_count && !hidden; i++)
		if (model->vms[i].may_own_unlinked)
			hidden = model->vms[i].may_own_reason;
	return hidden;
}

/* ---- NS013 ----------------------------------------------------------------------------------- */

/* A device that an iommufd context has although there is no IOMMU for it. */
static enum nsn_tri has_noiommu_device(const struct nsn_container *container)
{
	enum nsn_tri has =
		container->kind == NSN_CONTAINER_IOMMUFD && !nsn_container_is_whole(container)
			? NSN_UNKNOWN
			: NSN_NO;

	for (size_t i = 0; i < container->bound.items_count; i++) {
		const struct nsn_rec_iommufd_device *bound = container->bound.items[i];

		if (NSN_FACT(bound, iommufd_device, group) == NSN_NO)
			return NSN_YES;
		if (!NSN_KNOWS(bound, iommufd_device, group))
			has = NSN_UNKNOWN;
	}
	return has;
}

static void fail_noiommu(struct nsn_rule_run *run, const struct nsn_container *container)
{
	bool linked = container->vms.items_count;
	const char *hidden = why_owner_is_unknown(run);
	struct nsn_finding *finding;

	finding = nsn_run__fail(run, linked ? NSN_SEVERITY_CRITICAL : NSN_SEVERITY_WARNING,
				"container", container->id, "Container %s: %s without an IOMMU",
				container->id, linked ? "a VM's devices do DMA" : "devices do DMA");
	nsn_run__ids(run, finding, "vms", &container->vms);
	nsn_run__ids(run, finding, "groups", &container->vfio_groups);
	nsn_run__tri(run, finding, "enable_unsafe_noiommu_mode",
		     NSN_FACT(&run->model->host, host, unsafe_noiommu));
	if (!linked && hidden)
		nsn_run__doubt(run, NSN_SEVERITY_CRITICAL, "container", container->id, "%s",
			       hidden);
}

/* A group of VFIO's that stands for a device without an IOMMU. */
static void judge_noiommu_group(struct nsn_rule_run *run, const struct nsn_group *group)
{
	bool typed = NSN_KNOWS(&group->vfio, vfio_group, type);
	struct nsn_finding *finding;

	if (!group->vfio.h.known || group->container || group->opened == NSN_NO)
		return; /* its container is the subject, or nobody uses it */
	if (typed && group->vfio.type != NSN_VFIO_GROUP_NOIOMMU) {
		nsn_run__pass(run);
	} else if (typed && group->opened == NSN_YES) {
		finding = nsn_run__fail(run, NSN_SEVERITY_WARNING, "group", group->id,
					"Group %s: VFIO has opened it without an IOMMU", group->id);
		nsn_run__ids(run, finding, "devices", &group->devices);
		nsn_run__tri(run, finding, "enable_unsafe_noiommu_mode",
			     NSN_FACT(&run->model->host, host, unsafe_noiommu));
		if (run->model->vms_count)
			nsn_run__doubt(run, NSN_SEVERITY_CRITICAL, "group", group->id,
				       "whether a VM uses it is unknown");
	} else {
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "group", group->id,
				 "whether VFIO has an IOMMU for it is unknown");
	}
}

int nsn_judge_noiommu(struct nsn_rule_run *run, const struct nsn_model *model)
{
	for (size_t i = 0; i < model->containers_count; i++) {
		const struct nsn_container *container = &model->containers[i];
		enum nsn_tri flag = NSN_FACT(&container->rec, container, noiommu);

		if (container->torn)
			nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "container", container->id,
					 "it changed while it was read");
		else if (container->kind == NSN_CONTAINER_NOIOMMU ||
			 has_noiommu_device(container) == NSN_YES)
			fail_noiommu(run, container);
		else if (has_noiommu_device(container) == NSN_UNKNOWN)
			nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "container", container->id,
					 "whether each of its devices has an IOMMU is unknown");
		else if (container->kind == NSN_CONTAINER_UNKNOWN ||
			 (container->kind == NSN_CONTAINER_NONE && flag == NSN_UNKNOWN))
			nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "container", container->id,
					 "the container's driver could not be read");
		else
			nsn_run__pass(run);
	}
	for (size_t i = 0; i < model->groups_count; i++)
		judge_noiommu_group(run, &model->groups[i]);
	nsn_run__hidden_containers(run);
	return run->err;
}

/* ---- NS020 ----------------------------------------------------------------------------------- */

/* Is memory mapped in a domain of vhost-vdpa's that does not block? One that always does is safe. */
static enum nsn_tri vdpa_is_open(const struct nsn_container *container)
{
	const struct nsn_domain *domain =
		container->domains.items_count ? container->domains.items[0] : NULL;

	if (!container->vdpa.domain || !container->vdpa.mappings)
		return NSN_NO;
	if (!domain || domain->blocks_nosnoop == NSN_UNKNOWN)
		return NSN_UNKNOWN;
	return domain->blocks_nosnoop == NSN_YES ? NSN_NO : NSN_YES;
}

int nsn_judge_vdpa(struct nsn_rule_run *run, const struct nsn_model *model)
{
	for (size_t i = 0; i < model->containers_count; i++) {
		const struct nsn_container *container = &model->containers[i];
		struct nsn_finding *finding;
		enum nsn_tri open;

		if (container->kind != NSN_CONTAINER_VDPA)
			continue;
		if (!nsn_container_is_whole(container)) {
			nsn_run__unknown(run, NSN_SEVERITY_WARNING, "container", container->id,
					 "the vDPA device could not be read");
			continue;
		}
		open = vdpa_is_open(container);
		if (open == NSN_NO) {
			nsn_run__pass(run);
			continue;
		}
		if (open == NSN_UNKNOWN) {
			nsn_run__unknown(run, NSN_SEVERITY_WARNING, "container", container->id,
					 "whether its domain blocks No Snoop is unknown");
			continue;
		}
		finding =
			nsn_run__fail(run, NSN_SEVERITY_WARNING, "container", container->id,
				      "Container %s: guest memory is mapped for a vDPA device that "
				      "nobody asked to keep coherent",
				      container->id);
		nsn_run__ids(run, finding, "vms", &container->vms);
		nsn_run__ids(run, finding, "domains", &container->domains);
		nsn_run__ids(run, finding, "groups", &container->groups);
		nsn_run__text(run, finding, "vdpa_device", "%s", container->vdpa.name);
		nsn_run__number(run, finding, "mappings", container->vdpa.mappings);
	}
	if (run->sight->files_hidden && run->sight->vdpa_possible)
		nsn_run__unknown(run, NSN_SEVERITY_WARNING, host, host,
				 "users of vDPA may be unseen: %s", run->sight->files_hidden);
	return run->err;
}

/* ---- NS021 ----------------------------------------------------------------------------------- */

enum tie {
	TIE_NONE,
	TIE_CGROUP,
	TIE_NAMED, /* we can name its VM */
};

static enum tie strongest_tie(const struct nsn_container *container)
{
	enum tie tie = TIE_NONE;

	for (size_t i = 0; i < container->vms.items_count; i++) {
		const struct nsn_vm *vm = container->vms.items[i];

		for (size_t k = 0; k < vm->links_count; k++) {
			if (vm->links[k].container != container)
				continue;
			if (vm->links[k].by != NSN_LINK_SAME_CGROUP)
				return TIE_NAMED;
			tie = TIE_CGROUP;
		}
	}
	return tie;
}

/* May it share a cgroup with a VM without our seeing it? */
static const char *why_cgroup_is_unknown(const struct nsn_model *model,
					 const struct nsn_container *container)
{
	if (!model->vms_count)
		return NULL;
	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm *vm = &model->vms[i];

		if (!vm->process || !NSN_KNOWS(vm->process, process, cgroup))
			return "the cgroup of a VM is unknown";
	}
	if (!container->pids.items_count)
		return "no process holds it";
	for (size_t i = 0; i < container->pids.items_count; i++) {
		const struct nsn_rec_process *process = nsn_index_get(
			model->build->index, NSN_INDEX_PROCESS, container->pids.items[i]);

		if (!process || !NSN_KNOWS(process, process, cgroup))
			return "the cgroup of a process that holds it is unknown";
	}
	return NULL;
}

/* Has it a domain that does not block? */
static enum nsn_tri is_open(const struct nsn_container *container)
{
	enum nsn_tri open = NSN_NO;

	if (container->kind == NSN_CONTAINER_UNKNOWN ||
	    ((container->kind == NSN_CONTAINER_TYPE1 || container->kind == NSN_CONTAINER_IOMMUFD) &&
	     !nsn_container_is_whole(container)))
		open = NSN_UNKNOWN;
	for (size_t i = 0; i < container->domains.items_count; i++) {
		const struct nsn_domain *domain = container->domains.items[i];

		if (domain->blocks_nosnoop == NSN_NO)
			return NSN_YES;
		if (domain->blocks_nosnoop == NSN_UNKNOWN)
			open = NSN_UNKNOWN;
	}
	return open;
}

static void judge_unowned(struct nsn_rule_run *run, const struct nsn_container *container,
			  enum tie tie)
{
	const char *owner = tie == TIE_CGROUP ? NULL : why_owner_is_unknown(run);
	const char *doubt = tie == TIE_CGROUP ? NULL : why_cgroup_is_unknown(run->model, container);
	enum nsn_tri open = is_open(container);
	struct nsn_finding *finding;

	if (open == NSN_NO) {
		nsn_run__pass(run);
		return;
	}
	if (open == NSN_UNKNOWN) {
		nsn_run__unknown(run, NSN_SEVERITY_WARNING, "container", container->id,
				 "whether its domains block No Snoop is unknown");
		return;
	}
	if (owner) {
		nsn_run__unknown(run, NSN_SEVERITY_WARNING, "container", container->id,
				 "it may be a VM's: %s", owner);
		return;
	}
	finding = nsn_run__fail(
		run, tie == TIE_CGROUP ? NSN_SEVERITY_WARNING : NSN_SEVERITY_INFO, "container",
		container->id,
		"Container %s: does not block No Snoop and belongs to no VM we can name",
		container->id);
	nsn_run__tri(run, finding, "shares_cgroup_with_vm",
		     tie == TIE_CGROUP ? NSN_YES
		     : doubt           ? NSN_UNKNOWN
				       : NSN_NO);
	if (container->pids.items_count)
		nsn_run__number(run, finding, "held_by_pid", container->pids.items[0]);
	nsn_run__ids(run, finding, "domains", &container->domains);
	nsn_run__ids(run, finding, "groups", &container->groups);
	nsn_run__ids(run, finding, "vms_in_cgroup", &container->vms);
	if (doubt)
		nsn_run__doubt(run, NSN_SEVERITY_WARNING, "container", container->id, "%s", doubt);
}

int nsn_judge_unowned_container(struct nsn_rule_run *run, const struct nsn_model *model)
{
	for (size_t i = 0; i < model->containers_count; i++) {
		const struct nsn_container *container = &model->containers[i];
		enum tie tie = strongest_tie(container);

		if (container->kind == NSN_CONTAINER_NOIOMMU ||
		    container->kind == NSN_CONTAINER_VDPA)
			continue; /* NS013 and NS020 are theirs */
		if (tie == TIE_NAMED)
			nsn_run__pass(run);
		else
			judge_unowned(run, container, tie);
	}
	nsn_run__hidden_containers(run);
	return run->err;
}
