// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules_vm.c - judges whose subject is a VM: what its devices can do to its memory, and whether KVM
 * knows. Floor 1.
 */
#include "rules_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a VM's paths amount to. Paths that can do no DMA do not count. */
struct paths {
	size_t domain;   /* through a domain */
	size_t blocking; /* that block No Snoop */
	size_t open;     /* that do not */
	size_t emulated; /* whose DMA the parent's driver does */
	size_t unclear;  /* of which we cannot tell */
	size_t certain_blocking, certain_open;
	const struct nsn_path *first_open;
	const char *why_unclear;
};

static struct paths sum_paths(const struct nsn_vm *vm)
{
	struct paths sum = { 0 };

	for (size_t i = 0; i < vm->paths_count; i++) {
		const struct nsn_path *path = &vm->paths[i];

		if (path->dma == NSN_DMA_NONE)
			continue;
		sum.domain += path->dma == NSN_DMA_DOMAIN;
		if (path->blocks_nosnoop == NSN_YES) {
			sum.blocking++;
			sum.certain_blocking += path->certain;
		} else if (path->blocks_nosnoop == NSN_NO) {
			sum.open++;
			sum.certain_open += path->certain;
			if (!sum.first_open || (path->certain && !sum.first_open->certain))
				sum.first_open = path;
		} else if (path->dma == NSN_DMA_EMULATED) {
			sum.emulated++;
		} else {
			sum.unclear++;
			if (!sum.why_unclear)
				sum.why_unclear = path->unknown_reason;
		}
	}
	return sum;
}

/* The first fact that is missing for a verdict on the VM. */
static const char *why_unknown(const struct nsn_model *model, const struct nsn_vm *vm)
{
	struct paths sum = sum_paths(vm);

	if (NSN_FACT(&vm->rec, vm, noncoherent_dma) == NSN_UNKNOWN)
		return nsn_model__why_unknown(model, "vms.noncoherent_dma", vm->id, "kernel.kvm");
	if (vm->guest_wbinvd == NSN_WBINVD_UNKNOWN)
		return nsn_model__why_unknown(model, "host.wbinvd_exiting", "host", "kernel.kvm");
	if (sum.why_unclear)
		return sum.why_unclear;
	if (vm->may_own_unlinked && vm->may_own_reason)
		return vm->may_own_reason;
	return sum.emulated ? "all DMA is done by a parent's driver" : "a fact could not be read";
}

/* "0000:00:02.0", or its group where the device is unknown. */
static const char *path_label(char *out, size_t size, const struct nsn_path *path)
{
	if (path->device)
		return nsn_format(out, size, "%s", path->device->id);
	if (path->group)
		return nsn_format(out, size, "group %s", path->group->id);
	return nsn_format(out, size, "a device");
}

/* What a reader needs to follow every finding on a VM. */
static void add_evidence(struct nsn_rule_run *run, struct nsn_finding *finding,
			 const struct nsn_vm *vm)
{
	const char *wbinvd = nsn_guest_wbinvd_name(vm->guest_wbinvd);

	nsn_run__text(run, finding, "verdict", "%s", nsn_verdict_name(vm->verdict));
	if (wbinvd)
		nsn_run__text(run, finding, "guest_wbinvd", "%s", wbinvd);
	if (NSN_KNOWS(&vm->rec, vm, noncoherent_dma))
		nsn_run__number(run, finding, "noncoherent_dma", vm->rec.noncoherent_dma);
	if (NSN_KNOWS(&vm->rec, vm, kvm_vfio_devices))
		nsn_run__number(run, finding, "kvm_vfio_devices", vm->rec.kvm_vfio_devices);
	nsn_run__ids(run, finding, "devices", &vm->devices);
	nsn_run__ids(run, finding, "domains", &vm->domains);
	nsn_run__links(run, finding, vm);
}

/* The No Snoop bit of the devices: it only permits, so it makes no finding milder. */
static void add_nosnoop_bits(struct nsn_rule_run *run, struct nsn_finding *finding,
			     const struct nsn_vm *vm)
{
	struct nsn_refs set = { 0 }, clear = { 0 };

	for (size_t i = 0; i < vm->devices.items_count; i++) {
		const struct nsn_device *device = vm->devices.items[i];
		enum nsn_tri bit = NSN_FACT(&device->sys, device, nosnoop);
		struct nsn_refs *refs = bit == NSN_YES ? &set : &clear;
		void **slot;

		if (bit == NSN_UNKNOWN)
			continue;
		slot = NSN_APPEND(refs, items);
		if (slot)
			*slot = vm->devices.items[i];
		else
			run->err = -ENOMEM;
	}
	if (set.items_count)
		nsn_run__ids(run, finding, "nosnoop_permitted", &set);
	if (clear.items_count)
		nsn_run__ids(run, finding, "nosnoop_not_permitted", &clear);
	free(set.items);
	free(clear.items);
}

/* ---- NS001 ----------------------------------------------------------------------------------- */

static void fail_unsafe(struct nsn_rule_run *run, const struct nsn_vm *vm)
{
	char label[NSN_LABEL_LEN], device[NSN_ID_LEN];
	struct paths sum = sum_paths(vm);
	bool certain = sum.certain_open;
	struct nsn_finding *finding;

	finding = nsn_run__fail(run, certain ? NSN_SEVERITY_CRITICAL : NSN_SEVERITY_WARNING, "vm",
				vm->id, "%s: %sWBINVD is ignored while %s may bypass the caches",
				nsn_vm_label(label, sizeof(label), vm), certain ? "" : "probably, ",
				path_label(device, sizeof(device), sum.first_open));
	if (finding)
		finding->probably = !certain;
	nsn_run__text(run, finding, "device", "%s", device);
	if (sum.first_open->domain)
		nsn_run__text(run, finding, "domain", "%s", sum.first_open->domain->id);
	nsn_run__text(run, finding, "dma", "%s", nsn_dma_name(sum.first_open->dma));
	nsn_run__number(run, finding, "paths_not_blocking", sum.open);
	add_evidence(run, finding, vm);
	add_nosnoop_bits(run, finding, vm);
	if (!certain)
		nsn_run__doubt(run, NSN_SEVERITY_CRITICAL, "vm", vm->id,
			       "whether the container is this VM's is not certain");
}

int nsn_judge_unsafe(struct nsn_rule_run *run, const struct nsn_model *model)
{
	bool possible = run->sight->passthrough_possible;

	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm *vm = &model->vms[i];

		if (!possible)
			nsn_run__pass(run);
		else if (vm->verdict == NSN_VERDICT_UNSAFE)
			fail_unsafe(run, vm);
		else if (vm->verdict == NSN_VERDICT_UNKNOWN || vm->torn || vm->truncated)
			nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "vm", vm->id, "%s",
					 why_unknown(model, vm));
		else
			nsn_run__pass(run);
	}
	nsn_run__hidden_vms(run);
	return run->err;
}

/* ---- NS002 ----------------------------------------------------------------------------------- */

int nsn_judge_noncoherent(struct nsn_rule_run *run, const struct nsn_model *model)
{
	bool possible = run->sight->passthrough_possible;
	char label[NSN_LABEL_LEN];

	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm *vm = &model->vms[i];
		enum nsn_tri registered = NSN_FACT(&vm->rec, vm, noncoherent_dma);
		struct nsn_finding *finding;

		if (registered == NSN_YES) {
			finding = nsn_run__fail(
				run, NSN_SEVERITY_WARNING, "vm", vm->id,
				vm->guest_wbinvd == NSN_WBINVD_NATIVE
					? "%s: runs with non-coherent DMA"
					: "%s: its WBINVD is executed and stalls host CPUs",
				nsn_vm_label(label, sizeof(label), vm));
			add_evidence(run, finding, vm);
			if (nsn_memory_regime_name(vm->memory.regime))
				nsn_run__text(run, finding, "memory_types", "%s",
					      nsn_memory_regime_name(vm->memory.regime));
			add_nosnoop_bits(run, finding, vm);
		} else if (possible && (registered == NSN_UNKNOWN || vm->torn)) {
			nsn_run__unknown(run, NSN_SEVERITY_WARNING, "vm", vm->id, "%s",
					 why_unknown(model, vm));
		} else {
			nsn_run__pass(run);
		}
	}
	nsn_run__hidden_vms(run);
	return run->err;
}

/* ---- NS005 ----------------------------------------------------------------------------------- */

static void fail_mixed(struct nsn_rule_run *run, const struct nsn_vm *vm, const struct paths *sum)
{
	char label[NSN_LABEL_LEN], device[NSN_ID_LEN];
	bool certain = sum->certain_open && sum->certain_blocking;
	struct nsn_finding *finding;

	finding = nsn_run__fail(run, NSN_SEVERITY_WARNING, "vm", vm->id,
				"%s: %s%s takes coherence from the whole VM, other devices do not",
				nsn_vm_label(label, sizeof(label), vm), certain ? "" : "probably, ",
				path_label(device, sizeof(device), sum->first_open));
	if (finding)
		finding->probably = !certain;
	nsn_run__number(run, finding, "paths_blocking", sum->blocking);
	nsn_run__number(run, finding, "paths_not_blocking", sum->open);
	add_evidence(run, finding, vm);
}

int nsn_judge_mixed(struct nsn_rule_run *run, const struct nsn_model *model)
{
	bool possible = run->sight->passthrough_possible;

	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm *vm = &model->vms[i];
		struct paths sum = sum_paths(vm);

		if (sum.blocking && sum.open)
			fail_mixed(run, vm, &sum);
		else if (possible && (sum.unclear || vm->may_own_unlinked || vm->torn))
			nsn_run__unknown(run, NSN_SEVERITY_WARNING, "vm", vm->id, "%s",
					 sum.why_unclear ? sum.why_unclear
							 : why_unknown(model, vm));
		else
			nsn_run__pass(run);
	}
	nsn_run__hidden_vms(run);
	return run->err;
}

/* ---- NS011 ----------------------------------------------------------------------------------- */

static enum nsn_tri is_costly(const struct nsn_vm *vm, const struct paths *sum)
{
	enum nsn_tri registered = NSN_FACT(&vm->rec, vm, noncoherent_dma);

	if (registered == NSN_NO || sum->open || sum->emulated)
		return NSN_NO; /* not registered, or with good reason */
	if (registered == NSN_UNKNOWN || sum->unclear || vm->may_own_unlinked || vm->torn)
		return NSN_UNKNOWN;
	return sum->domain ? NSN_YES : NSN_NO;
}

int nsn_judge_costly(struct nsn_rule_run *run, const struct nsn_model *model)
{
	bool possible = run->sight->passthrough_possible;
	char label[NSN_LABEL_LEN];

	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm *vm = &model->vms[i];
		struct paths sum = sum_paths(vm);
		enum nsn_tri costly = possible ? is_costly(vm, &sum) : NSN_NO;
		bool certain = sum.certain_blocking == sum.blocking;
		struct nsn_finding *finding;

		if (costly == NSN_YES) {
			finding = nsn_run__fail(
				run, NSN_SEVERITY_WARNING, "vm", vm->id,
				"%s: %snon-coherent DMA is registered for nothing, all "
				"its domains block No Snoop",
				nsn_vm_label(label, sizeof(label), vm),
				certain ? "" : "probably, ");
			if (finding)
				finding->probably = !certain;
			add_evidence(run, finding, vm);
		} else if (costly == NSN_UNKNOWN) {
			nsn_run__unknown(run, NSN_SEVERITY_WARNING, "vm", vm->id, "%s",
					 why_unknown(model, vm));
		} else {
			nsn_run__pass(run);
		}
	}
	nsn_run__hidden_vms(run);
	return run->err;
}
