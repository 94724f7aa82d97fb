// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules_kvm.c - the judge of what KVM registered for a VM: would it come to the same result now,
 * and does that agree with the domains? Floor 1.
 *
 * KVM decides when a file is given to or taken from a VM's kvm-vfio device, and never again. Before
 * 6.2 it asked the state of every domain in the group's container (a group without a container
 * counted as coherent, a container without a driver as not); since then it asks the capability of
 * each device and no domain at all (virt/kvm/vfio.c, vfio_group_enforced_coherent()).
 */
#include "model_internal.h"
#include "rules_internal.h"

/* The groups that a VM's kvm-vfio device was given, as VFIO remembers them. */
struct given {
	size_t groups;
	size_t without_container;
	size_t without_driver; /* their container has none */
};

static struct given count_given(const struct nsn_model *model, const struct nsn_vm *vm)
{
	struct given given = { 0 };

	for (size_t i = 0; i < model->groups_count; i++) {
		const struct nsn_group *group = &model->groups[i];

		if (!NSN_KNOWS(&group->vfio, vfio_group, vm) || group->vfio.vm != vm->rec.vm)
			continue;
		given.groups++;
		if (NSN_KNOWS(&group->vfio, vfio_group, container) && !group->vfio.container)
			given.without_container++;
		else if (group->container && group->container->kind == NSN_CONTAINER_NONE)
			given.without_driver++;
	}
	return given;
}

/* The devices whose own files it was given. */
static size_t count_given_devices(const struct nsn_vm *vm)
{
	size_t count = 0;

	for (size_t i = 0; i < vm->files.items_count; i++) {
		const struct nsn_rec_vm_file *file = vm->files.items[i];

		count += NSN_KNOWS(file, vm_file, kind) && file->kind == NSN_FILE_VFIO_DEVICE;
	}
	return count;
}

/* Are all files known that KVM was given, and is none of them the group's? VFIO may not have it. */
static bool gave_another(const struct nsn_model *model, const struct nsn_vm *vm,
			 const struct nsn_group *group)
{
	for (size_t i = 0; i < vm->files.items_count; i++) {
		const struct nsn_rec_vm_file *rec = vm->files.items[i];
		const struct nsn_device *device = nsn_model_device_of_file(model, rec);
		const struct nsn_group *given = nsn_model_group_of_file(model, rec);

		if (!device && !given &&
		    !(NSN_KNOWS(rec, vm_file, kind) && rec->kind == NSN_FILE_NONE))
			return false;
		if (given && given == group)
			return false;
	}
	return group && NSN_FACT(&vm->rec, vm, complete) == NSN_YES;
}

/* Was KVM told of the path's group, or of its device? */
static enum nsn_tri path_is_given(const struct nsn_model *model, const struct nsn_vm *vm,
				  const struct nsn_path *path)
{
	if (path->container && path->container->kind == NSN_CONTAINER_VDPA)
		return NSN_NO; /* there is no way to tell it */
	for (size_t i = 0; i < vm->files.items_count && path->device; i++)
		if (nsn_model_device_of_file(model, vm->files.items[i]) == path->device)
			return NSN_YES;
	if (!path->group || !NSN_KNOWS(&path->group->vfio, vfio_group, vm))
		return gave_another(model, vm, path->group) ? NSN_NO : NSN_UNKNOWN;
	return path->group->vfio.vm == vm->rec.vm ? NSN_YES : NSN_NO;
}

/*
 * What the domains say of the paths that KVM was told of: YES, some do not block; NO, all block.
 * *applies is false where domains have no say: there are none, or an emulated device, which has no
 * domain, decides.
 */
static enum nsn_tri judge_by_domains(const struct nsn_model *model, const struct nsn_vm *vm,
				     bool *applies)
{
	size_t blocking = 0, open = 0, unclear = 0, emulated = 0;

	for (size_t i = 0; i < vm->paths_count; i++) {
		const struct nsn_path *path = &vm->paths[i];
		enum nsn_tri given = path_is_given(model, vm, path);

		if (path->dma == NSN_DMA_NONE || given == NSN_NO)
			continue;
		if (given == NSN_UNKNOWN || path->dma == NSN_DMA_UNKNOWN)
			unclear++;
		else if (path->dma != NSN_DMA_DOMAIN)
			emulated++;
		else if (path->blocks_nosnoop == NSN_YES)
			blocking++;
		else if (path->blocks_nosnoop == NSN_NO)
			open++;
		else
			unclear++;
	}
	*applies = unclear || ((blocking || open) && !emulated);
	if (open)
		return NSN_YES;
	return unclear ? NSN_UNKNOWN : NSN_NO;
}

/* How it came about, as far as a snapshot can tell. */
static const char *find_cause(const struct nsn_model *model, const struct nsn_vm *vm,
			      bool registered, bool by_domains)
{
	struct given given = count_given(model, vm);
	bool applies;

	if (by_domains)
		return "capability_vs_domain";
	if (model->kernel.criterion_capability)
		return "later_attach"; /* a device joined its group, or a unit changed, afterwards
					*/
	/* what KVM was given blocks: the domain that does not came into the container afterwards */
	if (!registered)
		return given.groups > 1 ||
				       (judge_by_domains(model, vm, &applies) == NSN_NO && applies)
			       ? "later_attach"
			       : "before_set_container";
	if (given.without_container)
		return "container_unset";
	return "before_set_iommu";
}

static void fail_registration(struct nsn_rule_run *run, const struct nsn_vm *vm,
			      enum nsn_tri expected, bool by_domains)
{
	bool registered = vm->rec.noncoherent_dma;
	char label[NSN_LABEL_LEN];
	struct nsn_finding *finding;

	finding = nsn_run__fail(
		run, NSN_SEVERITY_WARNING, "vm", vm->id, "%s: KVM has %s, but %s",
		nsn_vm_label(label, sizeof(label), vm),
		registered ? "non-coherent DMA registered" : "no non-coherent DMA registered",
		by_domains ? "its domains say the opposite" : "would decide otherwise now");
	nsn_run__text(run, finding, "cause", "%s",
		      find_cause(run->model, vm, registered, by_domains));
	nsn_run__text(run, finding, "criterion", "%s",
		      run->model->kernel.criterion_capability ? "capability" : "domain");
	nsn_run__tri(run, finding, "registered", registered ? NSN_YES : NSN_NO);
	nsn_run__tri(run, finding, by_domains ? "domains_need_it" : "would_register", expected);
	nsn_run__number(run, finding, "noncoherent_dma", vm->rec.noncoherent_dma);
	nsn_run__number(run, finding, "groups_given", count_given(run->model, vm).groups);
	if (count_given_devices(vm))
		nsn_run__number(run, finding, "devices_given", count_given_devices(vm));
	nsn_run__ids(run, finding, "groups", &vm->groups);
	nsn_run__ids(run, finding, "domains", &vm->domains);
}

static void judge_vm(struct nsn_rule_run *run, const struct nsn_vm *vm)
{
	const struct nsn_model *model = run->model;
	enum nsn_tri registered = NSN_FACT(&vm->rec, vm, noncoherent_dma);
	enum nsn_tri capability = NSN_FACT(&model->kernel, kernel, criterion_capability);
	enum nsn_tri would = vm->kvm_would_register, domains;
	bool applies;

	domains = judge_by_domains(model, vm, &applies);
	applies = applies && capability != NSN_NO;
	if (vm->torn || vm->truncated || run->sight->doubt || registered == NSN_UNKNOWN ||
	    would == NSN_UNKNOWN || capability == NSN_UNKNOWN)
		nsn_run__unknown(run, NSN_SEVERITY_WARNING, "vm", vm->id, "%s",
				 registered == NSN_UNKNOWN
					 ? nsn_model__why_unknown(model, "vms.noncoherent_dma",
								  vm->id, "kernel.kvm")
					 : "what KVM would register now could not be worked out");
	else if (registered != would)
		fail_registration(run, vm, would, false);
	else if (applies && domains != NSN_UNKNOWN && registered != domains)
		fail_registration(run, vm, domains, true);
	else if (applies && domains == NSN_UNKNOWN)
		nsn_run__unknown(run, NSN_SEVERITY_WARNING, "vm", vm->id,
				 "whether its domains block No Snoop is unknown");
	else
		nsn_run__pass(run);
}

int nsn_judge_registration(struct nsn_rule_run *run, const struct nsn_model *model)
{
	bool possible = run->sight->passthrough_possible;

	for (size_t i = 0; i < model->vms_count; i++) {
		if (possible)
			judge_vm(run, &model->vms[i]);
		else
			nsn_run__pass(run);
	}
	nsn_run__hidden_vms(run);
	return run->err;
}
