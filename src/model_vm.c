// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_vm.c - reaches each VM's verdict. Floor 1.
 *
 * Whatever could hide a path (a descriptor of unknown kind, a list that was cut, a record that was
 * lost) makes the VM's paths uncertain: then a verdict that would say "nothing to fear" is unknown.
 */
#include "model_internal.h"

/* ---- verdicts -------------------------------------------------------------------------------- */

static enum nsn_guest_wbinvd judge_wbinvd(const struct nsn_model *model, const struct nsn_vm *vm)
{
	enum nsn_tri exiting = NSN_TRI(&model->kernel, kernel, wbinvd_exiting);
	enum nsn_tri registered = NSN_TRI(&vm->rec, vm, noncoherent_dma);

	if (exiting == NSN_NO)
		return NSN_WBINVD_NATIVE;
	if (registered == NSN_YES)
		return NSN_WBINVD_EXECUTED;
	if (registered == NSN_NO && exiting == NSN_YES)
		return NSN_WBINVD_IGNORED;
	return NSN_WBINVD_UNKNOWN;
}

struct path_sum {
	size_t domain, none, unknown_dma; /* by dma */
	size_t blocking, open, unclear;   /* by blocks_nosnoop, of those that can do DMA */
};

static struct path_sum sum_paths(const struct nsn_vm *vm)
{
	struct path_sum sum = { 0 };

	for (size_t i = 0; i < vm->paths_count; i++) {
		const struct nsn_path *path = &vm->paths[i];

		if (path->dma == NSN_DMA_NONE) {
			sum.none++;
			continue;
		}
		sum.domain += path->dma == NSN_DMA_DOMAIN;
		sum.unknown_dma += path->dma == NSN_DMA_UNKNOWN;
		sum.blocking += path->blocks_nosnoop == NSN_YES;
		sum.open += path->blocks_nosnoop == NSN_NO;
		sum.unclear += path->blocks_nosnoop == NSN_UNKNOWN;
	}
	return sum;
}

/* The contract's table, first match; what may be hidden turns reassurance into unknown. */
static enum nsn_verdict judge_verdict(const struct nsn_vm *vm)
{
	struct path_sum sum = sum_paths(vm);
	bool executed = vm->guest_wbinvd == NSN_WBINVD_EXECUTED;
	bool native = vm->guest_wbinvd == NSN_WBINVD_NATIVE;
	bool ignored = vm->guest_wbinvd == NSN_WBINVD_IGNORED;
	bool hidden = vm->may_own_unlinked;

	if (!vm->paths_count && !vm->links_count)
		return hidden ? NSN_VERDICT_UNKNOWN : NSN_VERDICT_NO_PASSTHROUGH;
	if (sum.none == vm->paths_count)
		return hidden ? NSN_VERDICT_UNKNOWN : NSN_VERDICT_UNATTACHED;
	if (vm->guest_wbinvd == NSN_WBINVD_UNKNOWN || (ignored && !sum.open && sum.unclear))
		return NSN_VERDICT_UNKNOWN;
	if (ignored && sum.open)
		return NSN_VERDICT_UNSAFE;
	if ((executed || native) && (sum.open || sum.unclear))
		return NSN_VERDICT_NONCOHERENT;
	if (executed && sum.blocking)
		return NSN_VERDICT_NONCOHERENT;
	if (hidden || !sum.domain)
		return NSN_VERDICT_UNKNOWN;
	return NSN_VERDICT_COHERENT;
}

int nsn_model_judge_vms(struct nsn_model *model)
{
	int err = nsn_model_link_vms(model);
	const char *blind;

	blind = nsn_model_why_blind(model);
	for (size_t v = 0; v < model->vms_count && !err; v++) {
		struct nsn_vm *vm = &model->vms[v];

		err = nsn_model_add_paths(model, vm);
		if (err)
			break;
		nsn_model_judge_hidden(model, vm, blind);
		vm->guest_wbinvd = judge_wbinvd(model, vm);
		nsn_model_judge_registration(model, vm);
		nsn_model_judge_memory(model, vm);
		vm->verdict = judge_verdict(vm);
	}
	return err;
}
