// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_build_dma.c - makes the objects of domains and containers, whose ids come from others: a
 * domain is called after a group, a container after who holds it. Floor 1.
 */
#include "model_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- domains --------------------------------------------------------------------------------- */

#define LOWEST_GROUP(model, NAME, name, key, lowest)                                               \
	NSN_FOR_EACH(model, NAME, name, rec)                                                       \
		if (rec->domain == (key) && NSN_KNOWS(rec, name, group_id) &&                      \
		    ((lowest) < 0 || (long)rec->group_id < (lowest)))                              \
	(lowest) = (long)rec->group_id

/* The lowest group that its user says sits in the domain: for groups that could not be walked. */
static long lowest_user_group(const struct nsn_model *model, uint64_t domain)
{
	long lowest = -1;

	LOWEST_GROUP(model, TYPE1_GROUP, type1_group, domain, lowest);
	LOWEST_GROUP(model, IOMMUFD_DEVICE, iommufd_device, domain, lowest);
	LOWEST_GROUP(model, VDPA, vdpa, domain, lowest);
	return lowest;
}

/* The lowest PASID, of the lowest group, that leads to a domain. */
#define LOWEST_PASID(model, NAME, name, key, found, lowest_group, lowest_pasid)                    \
	NSN_FOR_EACH(model, NAME, name, rec) {                                                     \
		if (rec->domain != (key) || !NSN_KNOWS(rec, name, group_id) ||                     \
		    !NSN_KNOWS(rec, name, pasid))                                                  \
			continue;                                                                  \
		if (!(found) || rec->group_id < (lowest_group) ||                                  \
		    (rec->group_id == (lowest_group) && rec->pasid < (lowest_pasid))) {            \
			(found) = true;                                                            \
			(lowest_group) = rec->group_id;                                            \
			(lowest_pasid) = rec->pasid;                                               \
		}                                                                                  \
	}

/* A domain that only a PASID's DMA goes through is called after that. */
static bool name_by_pasid(const struct nsn_model *model, struct nsn_domain *domain)
{
	uint64_t group = 0, pasid = 0;
	bool found = false;

	LOWEST_PASID(model, GROUP_PASID, group_pasid, domain->rec.domain, found, group, pasid);
	LOWEST_PASID(model, IOMMUFD_PASID, iommufd_pasid, domain->rec.domain, found, group, pasid);
	if (found)
		nsn_format(domain->id, sizeof(domain->id), "g%llu/pasid%llu", NSN_U64(group),
			   NSN_U64(pasid));
	return found;
}

static void name_domain(const struct nsn_model *model, struct nsn_domain *domain)
{
	struct nsn_index_entry *index = model->build->index;
	struct nsn_group *by_default = nsn_index_get(index, NSN_INDEX_DEFAULT, domain->rec.domain);
	struct nsn_group *attached = nsn_index_get(index, NSN_INDEX_ATTACHED, domain->rec.domain);
	long number = attached ? (long)attached->number : -1;

	if (by_default) {
		nsn_format(domain->id, sizeof(domain->id), "g%s/default", by_default->id);
		return;
	}
	if (number < 0)
		number = lowest_user_group(model, domain->rec.domain);
	if (number >= 0)
		nsn_format(domain->id, sizeof(domain->id), "g%ld", number);
	else if (!name_by_pasid(model, domain))
		nsn_format(domain->id, sizeof(domain->id), "unattached/%llu",
			   NSN_U64(domain->rec.domain));
}

/* A domain that is only pointed at: all of it is unknown but that it is there. */
static int add_domain(struct nsn_model *model, uint64_t key, const struct nsn_rec_domain *rec)
{
	struct nsn_domain *domain = &model->domains[model->domains_count];

	if (!key || nsn_index_get(model->build->index, NSN_CLASS_DOMAIN, key))
		return 0;
	if (rec)
		domain->rec = *rec;
	NSN_PUT(&domain->rec, domain, domain, key);
	domain->vfio_flag = domain->driver_flag = domain->blocks_nosnoop = NSN_UNKNOWN;
	model->domains_count++;
	return nsn_index_put(&model->build->index, NSN_CLASS_DOMAIN, key, domain);
}

/* Sorting moves objects: what pointed at their old places is forgotten before they are put anew. */
static void unindex(struct nsn_model *model, unsigned int class)
{
	struct nsn_index_entry *entry, *next;

	HASH_ITER(hh, model->build->index, entry, next) {
		if (entry->id.class != class)
			continue;
		HASH_DEL(model->build->index, entry);
		free(entry);
	}
}

static int reindex_domains(struct nsn_model *model)
{
	int err = 0;

	unindex(model, NSN_CLASS_DOMAIN);
	for (size_t i = 0; i < model->domains_count && !err; i++)
		err = nsn_index_put(&model->build->index, NSN_CLASS_DOMAIN,
				    model->domains[i].rec.domain, &model->domains[i]);
	return err;
}

/* Keys that are not known are 0, which names no domain. */
static int add_user_domains(struct nsn_model *model)
{
	int err = 0;

	NSN_FOR_EACH(model, IOMMUFD_HWPT, iommufd_hwpt, rec) {
		if (!err)
			err = add_domain(model, rec->domain, NULL);
		if (!err)
			err = add_domain(model, rec->parent, NULL);
	}
	NSN_FOR_EACH(model, IOMMUFD_DEVICE, iommufd_device, rec)
		if (!err)
			err = add_domain(model, rec->domain, NULL);
	NSN_FOR_EACH(model, IOMMUFD_PASID, iommufd_pasid, rec)
		if (!err)
			err = add_domain(model, rec->domain, NULL);
	NSN_FOR_EACH(model, GROUP_PASID, group_pasid, rec)
		if (!err)
			err = add_domain(model, rec->domain, NULL);
	NSN_FOR_EACH(model, VDPA, vdpa, rec)
		if (!err)
			err = add_domain(model, rec->domain, NULL);
	return err;
}

int nsn_model_build_domains(struct nsn_model *model)
{
	int err = NSN_ALLOCATE(model, domains,
			       NSN_COUNT(model, DOMAIN) + NSN_COUNT(model, TYPE1_DOMAIN) +
				       NSN_COUNT(model, TYPE1_GROUP) + 2 * NSN_COUNT(model, GROUP) +
				       2 * NSN_COUNT(model, IOMMUFD_HWPT) +
				       NSN_COUNT(model, IOMMUFD_DEVICE) +
				       NSN_COUNT(model, IOMMUFD_PASID) +
				       NSN_COUNT(model, GROUP_PASID) + NSN_COUNT(model, VDPA));

	NSN_FOR_EACH(model, DOMAIN, domain, rec)
		if (!err && NSN_KNOWS(rec, domain, domain))
			err = add_domain(model, rec->domain, rec);
	NSN_FOR_EACH(model, TYPE1_DOMAIN, type1_domain, rec)
		if (!err && NSN_KNOWS(rec, type1_domain, domain))
			err = add_domain(model, rec->domain, NULL);
	NSN_FOR_EACH(model, TYPE1_GROUP, type1_group, rec)
		if (!err && NSN_KNOWS(rec, type1_group, domain))
			err = add_domain(model, rec->domain, NULL);
	if (!err)
		err = add_user_domains(model);
	NSN_FOR_EACH(model, GROUP, group, rec) {
		if (!err && NSN_KNOWS(rec, group, domain))
			err = add_domain(model, rec->domain, NULL);
		if (!err && NSN_KNOWS(rec, group, default_domain))
			err = add_domain(model, rec->default_domain, NULL);
	}
	if (err)
		return err;
	for (size_t i = 0; i < model->domains_count; i++)
		name_domain(model, &model->domains[i]);
	NSN_SORT(model, domains);
	return reindex_domains(model);
}

/* ---- containers ------------------------------------------------------------------------------ */

/* VFIO's group that a descriptor of a group or of a device leads to, or NULL. */
static const struct nsn_rec_vfio_group *group_of_file(const struct nsn_model *model,
						      const struct nsn_rec_file *file)
{
	const struct nsn_rec_vfio_device *device;
	const struct nsn_rec_vfio_group *group = NULL;

	if (NSN_KNOWS(file, file, vfio_group))
		group = nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP, file->vfio_group);
	if (!group && NSN_KNOWS(file, file, vfio_device)) {
		device =
			nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_DEVICE, file->vfio_device);
		if (device && NSN_KNOWS(device, vfio_device, vfio_group))
			group = nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP,
					      device->vfio_group);
	}
	return group;
}

/* A container's id is its lowest holder's; a descriptor of the container itself goes first. */
static void hold(struct nsn_container *container, const struct nsn_rec_file *file, bool direct)
{
	bool lower = file->pid < container->holder_pid ||
		     (file->pid == container->holder_pid && file->fd < container->holder_fd);

	if (!NSN_KNOWS(file, file, pid))
		return;
	if (!container->holder_pid || direct > container->holder_direct ||
	    (direct == container->holder_direct && lower)) {
		container->holder_pid = file->pid;
		container->holder_fd = file->fd;
		container->holder_direct = direct;
	}
}

static void find_holders(const struct nsn_model *model)
{
	struct nsn_index_entry *index = model->build->index;

	NSN_FOR_EACH(model, FILE, file, rec) {
		const struct nsn_rec_vfio_group *group = group_of_file(model, rec);
		uint64_t key = rec->container ? rec->container : group ? group->container : 0;
		struct nsn_container *container = nsn_index_get(index, NSN_CLASS_CONTAINER, key);
		struct nsn_container *iommufd = nsn_index_get(index, NSN_CLASS_IOMMUFD,
							      rec->iommufd ? rec->iommufd
							      : group      ? group->iommufd
									   : 0);
		struct nsn_container *vdpa = nsn_index_get(index, NSN_CLASS_VDPA, rec->vdpa);

		if (container)
			hold(container, rec, rec->container == key);
		if (iommufd)
			hold(iommufd, rec, rec->kind == NSN_FILE_IOMMUFD);
		if (vdpa)
			hold(vdpa, rec, true);
	}
}

/* Containers without a descriptor are called after the lowest group that was set into them. */
static void name_unheld(struct nsn_container *container, long group)
{
	uint64_t lowest;

	if (container->holder_pid || group < 0)
		return;
	if (sscanf(container->id, "group:%" SCNu64, &lowest) == 1 && lowest <= (uint64_t)group)
		return;
	nsn_format(container->id, sizeof(container->id), "group:%ld", group);
}

static void name_containers(struct nsn_model *model)
{
	find_holders(model);
	for (size_t i = 0; i < model->containers_count; i++) {
		struct nsn_container *container = &model->containers[i];

		if (container->holder_pid)
			nsn_format(container->id, sizeof(container->id), "%llu:%llu",
				   NSN_U64(container->holder_pid), NSN_U64(container->holder_fd));
		else
			nsn_format(container->id, sizeof(container->id), "unheld:%llu",
				   NSN_U64(container->key));
	}
	NSN_FOR_EACH(model, VFIO_GROUP, vfio_group, rec) {
		struct nsn_container *container =
			nsn_index_get(model->build->index, NSN_CLASS_CONTAINER, rec->container);

		if (container)
			name_unheld(container, nsn_vfio_group_number(model, rec));
	}
	NSN_FOR_EACH(model, IOMMUFD_DEVICE, iommufd_device, rec) {
		struct nsn_container *context =
			nsn_index_get(model->build->index, NSN_CLASS_IOMMUFD, rec->iommufd);

		if (context && NSN_KNOWS(rec, iommufd_device, group_id))
			name_unheld(context, (long)rec->group_id);
	}
}

static enum nsn_container_kind kind_of(const struct nsn_rec_container *rec)
{
	if (NSN_KNOWS(rec, container, noiommu) && rec->noiommu)
		return NSN_CONTAINER_NOIOMMU;
	if (!NSN_KNOWS(rec, container, driver))
		return NSN_CONTAINER_UNKNOWN;
	if (!rec->driver[0])
		return NSN_CONTAINER_NONE;
	if (strcmp(rec->driver, "vfio-iommu-type1") == 0)
		return NSN_CONTAINER_TYPE1;
	if (strcmp(rec->driver, "vfio-noiommu") == 0)
		return NSN_CONTAINER_NOIOMMU;
	return NSN_CONTAINER_UNKNOWN;
}

static int add_container(struct nsn_model *model, enum nsn_class class, uint64_t key,
			 enum nsn_container_kind kind, const struct nsn_rec_container *rec)
{
	struct nsn_container *container = &model->containers[model->containers_count];

	if (!key || nsn_index_get(model->build->index, class, key))
		return 0;
	container->key = key;
	container->kind = kind;
	if (rec)
		container->rec = *rec;
	model->containers_count++;
	return nsn_index_put(&model->build->index, class, key, container);
}

static unsigned int class_of_container(const struct nsn_container *container)
{
	return container->kind == NSN_CONTAINER_IOMMUFD ? NSN_CLASS_IOMMUFD
	       : container->kind == NSN_CONTAINER_VDPA  ? NSN_CLASS_VDPA
							: NSN_CLASS_CONTAINER;
}

static int reindex_containers(struct nsn_model *model)
{
	int err = 0;

	unindex(model, NSN_CLASS_CONTAINER);
	unindex(model, NSN_CLASS_IOMMUFD);
	unindex(model, NSN_CLASS_VDPA);
	for (size_t i = 0; i < model->containers_count && !err; i++)
		err = nsn_index_put(&model->build->index, class_of_container(&model->containers[i]),
				    model->containers[i].key, &model->containers[i]);
	return err;
}

int nsn_model_build_containers(struct nsn_model *model)
{
	int err =
		NSN_ALLOCATE(model, containers,
			     NSN_COUNT(model, CONTAINER) + 3 * NSN_COUNT(model, FILE) +
				     2 * NSN_COUNT(model, VFIO_GROUP) + NSN_COUNT(model, VM_FILE) +
				     NSN_COUNT(model, IOMMUFD) + NSN_COUNT(model, VDPA));

	NSN_FOR_EACH(model, CONTAINER, container, rec)
		if (!err && NSN_KNOWS(rec, container, container))
			err = add_container(model, NSN_CLASS_CONTAINER, rec->container,
					    kind_of(rec), rec);
	NSN_FOR_EACH(model, FILE, file, rec) {
		if (!err && NSN_KNOWS(rec, file, container))
			err = add_container(model, NSN_CLASS_CONTAINER, rec->container,
					    NSN_CONTAINER_UNKNOWN, NULL);
		if (!err && NSN_KNOWS(rec, file, iommufd))
			err = add_container(model, NSN_CLASS_IOMMUFD, rec->iommufd,
					    NSN_CONTAINER_IOMMUFD, NULL);
		if (!err && NSN_KNOWS(rec, file, vdpa))
			err = add_container(model, NSN_CLASS_VDPA, rec->vdpa, NSN_CONTAINER_VDPA,
					    NULL);
	}
	NSN_FOR_EACH(model, VFIO_GROUP, vfio_group, rec) {
		if (!err && NSN_KNOWS(rec, vfio_group, container))
			err = add_container(model, NSN_CLASS_CONTAINER, rec->container,
					    NSN_CONTAINER_UNKNOWN, NULL);
		if (!err && NSN_KNOWS(rec, vfio_group, iommufd))
			err = add_container(model, NSN_CLASS_IOMMUFD, rec->iommufd,
					    NSN_CONTAINER_IOMMUFD, NULL);
	}
	NSN_FOR_EACH(model, IOMMUFD, iommufd, rec)
		if (!err)
			err = add_container(model, NSN_CLASS_IOMMUFD, rec->iommufd,
					    NSN_CONTAINER_IOMMUFD, NULL);
	NSN_FOR_EACH(model, VM_FILE, vm_file, rec)
		if (!err)
			err = add_container(model, NSN_CLASS_IOMMUFD, rec->iommufd,
					    NSN_CONTAINER_IOMMUFD, NULL);
	NSN_FOR_EACH(model, VDPA, vdpa, rec)
		if (!err)
			err = add_container(model, NSN_CLASS_VDPA, rec->vdpa, NSN_CONTAINER_VDPA,
					    NULL);
	name_containers(model);
	NSN_SORT(model, containers);
	return err ? err : reindex_containers(model);
}
