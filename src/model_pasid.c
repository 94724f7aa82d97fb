// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_pasid.c - PASIDs of groups, as the IOMMU core has them, and the paths that lead over those of a
 * VM's devices. Floor 1.
 */
#include "model_internal.h"

#include <errno.h>
#include <string.h>

static struct nsn_domain *domain_by_key(const struct nsn_model *model, uint64_t key)
{
	return nsn_index_get(model->build->index, NSN_CLASS_DOMAIN, key);
}

/* ---- joining --------------------------------------------------------------------------------- */

/* A domain is a PASID's alone unless a group's DMA without one goes through it too, or could. */
static void tell_own_from_shared(struct nsn_model *model)
{
	NSN_FOR_EACH(model, IOMMUFD_DEVICE, iommufd_device, rec) {
		struct nsn_domain *domain = domain_by_key(model, rec->domain);

		if (domain)
			domain->by_pasid = false;
	}
	for (size_t i = 0; i < model->groups_count; i++) {
		struct nsn_group *group = &model->groups[i];

		if (group->domain)
			group->domain->by_pasid = false;
		if (group->default_domain)
			group->default_domain->by_pasid = false;
	}
}

/* Whose memory an SVA domain shares, as far as descriptors show processes. */
static int find_processes(struct nsn_model *model, struct nsn_domain *domain)
{
	NSN_FOR_EACH(model, FILE, file, rec)
		if (NSN_KNOWS(rec, file, mm) && NSN_KNOWS(rec, file, pid) &&
		    rec->mm == domain->rec.mm && nsn_pids_add(&domain->processes, rec->pid))
			return -ENOMEM;
	return 0;
}

int nsn_model_join_pasids(struct nsn_model *model)
{
	NSN_FOR_EACH(model, GROUP_PASID, group_pasid, rec) {
		struct nsn_group *group = NSN_GROUP_OF(model, rec, group_pasid);
		struct nsn_domain *domain = domain_by_key(model, rec->domain);
		struct nsn_pasid *pasid;

		if (domain)
			domain->by_pasid = true;
		if (!group || !NSN_KNOWS(rec, group_pasid, pasid))
			continue;
		pasid = NSN_APPEND(group, pasids);
		if (!pasid || (domain && nsn_refs_add(&domain->groups, group)))
			return -ENOMEM;
		*pasid = (struct nsn_pasid){ .number = rec->pasid, .domain = domain };
	}
	NSN_FOR_EACH(model, IOMMUFD_PASID, iommufd_pasid, rec) {
		struct nsn_domain *domain = domain_by_key(model, rec->domain);

		if (domain)
			domain->by_pasid = true;
	}
	tell_own_from_shared(model);
	for (size_t i = 0; i < model->domains_count; i++)
		if (model->domains[i].rec.mm && find_processes(model, &model->domains[i]))
			return -ENOMEM;
	return 0;
}

static const struct nsn_pasid *find_pasid(const struct nsn_group *group, uint64_t number)
{
	for (size_t i = 0; group && i < group->pasids_count; i++)
		if (group->pasids[i].number == number)
			return &group->pasids[i];
	return NULL;
}

bool nsn_group_has_pasid_in(const struct nsn_group *group, const struct nsn_domain *domain)
{
	for (size_t i = 0; i < group->pasids_count; i++)
		if (group->pasids[i].domain == domain)
			return true;
	return false;
}

/* ---- what a PASID's entry makes of a domain -------------------------------------------------- */

/*
 * Intel, first stage: the PASID's entry has the bit, and gets it when it is attached to a domain that
 * blocks. iommufd asks for that when it makes the page table, before anything is attached.
 */
static bool entry_follows(const struct nsn_domain *domain)
{
	if (strcmp(domain->iommu_driver, "intel") != 0 || !domain->page_table)
		return false;
	if (strcmp(domain->page_table, "second") == 0)
		return true; /* its leaves have it, whoever walks them */
	return domain->container && domain->container->kind == NSN_CONTAINER_IOMMUFD &&
	       domain->vfio_flag == NSN_YES;
}

enum nsn_tri nsn_pasid_blocks(const struct nsn_domain *domain, enum nsn_tri blocks)
{
	const struct nsn_domain *tables =
		domain->kind == NSN_DOMAIN_NESTED ? domain->parent : domain;

	if (domain->kind == NSN_DOMAIN_SVA || !tables || blocks == NSN_UNKNOWN)
		return NSN_UNKNOWN;
	/* what does not block without a PASID has nothing that would with one */
	return blocks == NSN_NO || entry_follows(tables) ? blocks : NSN_UNKNOWN;
}

const char *nsn_pasid_why_unknown(const struct nsn_domain *domain)
{
	return domain->kind == NSN_DOMAIN_SVA ? "shared with a process: its PASID entry decides"
					      : "its PASID entry decides, which is not read";
}

/* ---- paths ----------------------------------------------------------------------------------- */

static void judge_path(const struct nsn_path_builder *builder, struct nsn_path *path)
{
	const struct nsn_pasid *core = find_pasid(path->group, path->pasid);
	const struct nsn_domain *domain = path->domain;

	if (!domain) {
		path->unknown_reason = "the page table of the PASID could not be read";
	} else if (!core || !core->domain) {
		path->unknown_reason = "the IOMMU core's side of the PASID could not be read";
	} else if (core->domain != domain || path->group->torn || domain->torn ||
		   (builder->container && builder->container->torn)) {
		path->unknown_reason = "it changed while it was read";
	} else {
		path->blocks_nosnoop = domain->by_pasid
					       ? domain->blocks_nosnoop
					       : nsn_pasid_blocks(domain, domain->blocks_nosnoop);
		if (path->blocks_nosnoop == NSN_UNKNOWN)
			path->unknown_reason = nsn_pasid_why_unknown(domain);
	}
}

int nsn_path_add_pasid(const struct nsn_path_builder *builder,
		       const struct nsn_rec_iommufd_pasid *rec)
{
	struct nsn_path path = { .dma = NSN_DMA_DOMAIN, .blocks_nosnoop = NSN_UNKNOWN };

	path.group = NSN_GROUP_OF(builder->model, rec, iommufd_pasid);
	path.domain = domain_by_key(builder->model, rec->domain);
	path.device = NSN_KNOWS(rec, iommufd_pasid, name)
			      ? nsn_model__device(builder->model, rec->name)
			      : NULL;
	path.pasid = NSN_KNOWS(rec, iommufd_pasid, pasid) ? rec->pasid : 0;
	judge_path(builder, &path);
	return nsn_path_add(builder, &path);
}

static bool has_pasid(const struct nsn_container *container, const struct nsn_model *model,
		      const struct nsn_group *group, uint64_t number)
{
	for (size_t i = 0; i < container->pasids.items_count; i++) {
		const struct nsn_rec_iommufd_pasid *rec = container->pasids.items[i];

		if (NSN_KNOWS(rec, iommufd_pasid, pasid) && rec->pasid == number &&
		    NSN_GROUP_OF(model, rec, iommufd_pasid) == group)
			return true;
	}
	return false;
}

/* A process's memory that is known not to be the VM's. */
static bool is_other_memory(const struct nsn_domain *domain, const struct nsn_vm *vm)
{
	return domain && domain->kind == NSN_DOMAIN_SVA && NSN_KNOWS(&domain->rec, domain, mm) &&
	       NSN_KNOWS(&vm->rec, vm, mm) && domain->rec.mm != vm->rec.mm;
}

int nsn_path_add_strange_pasids(const struct nsn_path_builder *builder)
{
	const struct nsn_container *container = builder->container;

	for (size_t g = 0; g < container->groups.items_count; g++) {
		struct nsn_group *group = container->groups.items[g];

		for (size_t i = 0; i < group->pasids_count; i++) {
			const struct nsn_pasid *pasid = &group->pasids[i];
			struct nsn_path path = { .dma = NSN_DMA_DOMAIN,
						 .group = group,
						 .domain = pasid->domain,
						 .pasid = pasid->number,
						 .blocks_nosnoop = NSN_UNKNOWN };

			if (has_pasid(container, builder->model, group, pasid->number) ||
			    is_other_memory(pasid->domain, builder->vm))
				continue;
			if (group->devices.items_count == 1)
				path.device = group->devices.items[0];
			judge_path(builder, &path);
			if (nsn_path_add(builder, &path))
				return -ENOMEM;
		}
	}
	return 0;
}
