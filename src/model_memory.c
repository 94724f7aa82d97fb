// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_memory.c - what non-coherent DMA changes for a VM beyond WBINVD: whose memory types hold for
 * its memory, and whether KVM drops all its mappings when that changes. Floor 1.
 *
 * AMD: nested page tables honour the guest's PAT whatever KVM registered, and never its MTRRs.
 *
 * Intel, for guests on EPT: without non-coherent DMA the memory is write-back,
 * whatever the guest asks for; with it the guest's PAT holds. Where KVM still virtualized MTRRs
 * (before 6.11) these held too, and CR0.CD did if the quirk
 * CD_NW_CLEARED was disabled. Since 6.15, and in stable kernels that took it, all of that hangs on
 * the quirk IGNORE_GUEST_PAT: a VM without it always has its PAT honoured, and KVM takes the quirk
 * away where the CPU can't snoop itself. These kernels drop the whole VM's mappings when the first
 * registration comes or the last goes.
 */
#include "model_internal.h"

#include <string.h>

/* KVM_X86_QUIRK_*: macros of the kernel's API, which no BTF has. */
#define QUIRK_CD_NW_CLEARED    (1ULL << 1)
#define QUIRK_IGNORE_GUEST_PAT (1ULL << 9)

static enum nsn_tri has_bit(bool known, uint64_t mask, uint64_t bit)
{
	return !known ? NSN_UNKNOWN : mask & bit ? NSN_YES : NSN_NO;
}

static enum nsn_tri negate(enum nsn_tri fact)
{
	return fact == NSN_UNKNOWN ? NSN_UNKNOWN : fact ? NSN_NO : NSN_YES;
}

static void doubt(struct nsn_memory_types *out, const char *why)
{
	if (!out->unknown_reason)
		out->unknown_reason = why;
}

/* Is the quirk there, does this CPU allow it, and has the VMM disabled it? */
static enum nsn_quirk judge_quirk(const struct nsn_model *model, const struct nsn_vm *vm)
{
	const struct nsn_rec_kernel *kernel = &model->kernel;
	enum nsn_tri mask = NSN_TRI(kernel, kernel, quirk_mask), supported, disabled;

	if (mask == NSN_UNKNOWN)
		return NSN_QUIRK_UNKNOWN;
	if (mask == NSN_NO)
		return NSN_QUIRK_ABSENT;
	supported = has_bit(NSN_KNOWS(kernel, kernel, quirks_supported), kernel->quirks_supported,
			    QUIRK_IGNORE_GUEST_PAT);
	disabled = has_bit(NSN_KNOWS(&vm->rec, vm, quirks_disabled), vm->rec.quirks_disabled,
			   QUIRK_IGNORE_GUEST_PAT);
	if (supported == NSN_NO)
		return NSN_QUIRK_UNSUPPORTED;
	if (supported == NSN_UNKNOWN || disabled == NSN_UNKNOWN)
		return NSN_QUIRK_UNKNOWN;
	return disabled ? NSN_QUIRK_DISABLED : NSN_QUIRK_ENABLED;
}

static void judge_amd(const struct nsn_vm *vm, struct nsn_memory_types *out)
{
	out->regime = NSN_MEMORY_GUEST;
	out->pat = NSN_YES;
	out->mtrr = NSN_NO;
	out->cd = has_bit(NSN_KNOWS(&vm->rec, vm, quirks_disabled), vm->rec.quirks_disabled,
			  QUIRK_CD_NW_CLEARED);
	out->changes = NSN_NO;
	out->zaps = NSN_NO;
}

/* KVM virtualizes MTRRs. Only what is older than the capability as criterion surely drops nothing. */
static void judge_with_mtrrs(const struct nsn_model *model, const struct nsn_vm *vm,
			     enum nsn_tri registered, struct nsn_memory_types *out)
{
	enum nsn_tri old = negate(NSN_TRI(&model->kernel, kernel, criterion_capability));

	out->changes = NSN_YES;
	out->zaps = old == NSN_YES ? NSN_NO : NSN_UNKNOWN;
	out->pat = out->mtrr = registered;
	out->cd = registered == NSN_YES ? has_bit(NSN_KNOWS(&vm->rec, vm, quirks_disabled),
						  vm->rec.quirks_disabled, QUIRK_CD_NW_CLEARED)
					: registered;
	if (registered != NSN_UNKNOWN)
		out->regime = registered ? NSN_MEMORY_GUEST_MTRR : NSN_MEMORY_WRITE_BACK;
	if (out->zaps == NSN_UNKNOWN)
		doubt(out, "whether this kernel drops the VM's mappings can't be read");
}

static void judge_with_quirk(enum nsn_tri registered, struct nsn_memory_types *out)
{
	out->mtrr = out->cd = NSN_NO;
	switch (out->quirk) {
	case NSN_QUIRK_ENABLED:
		out->changes = out->zaps = NSN_YES;
		out->pat = registered;
		if (registered != NSN_UNKNOWN)
			out->regime = registered ? NSN_MEMORY_GUEST_PAT : NSN_MEMORY_WRITE_BACK;
		break;
	case NSN_QUIRK_DISABLED:
	case NSN_QUIRK_UNSUPPORTED:
		out->changes = out->zaps = NSN_NO;
		out->pat = NSN_YES;
		out->regime = NSN_MEMORY_GUEST;
		break;
	default:
		/* with non-coherent DMA the PAT holds in each of them */
		out->pat = registered == NSN_YES ? NSN_YES : NSN_UNKNOWN;
		doubt(out, out->quirk == NSN_QUIRK_ABSENT
				   ? "this kernel's KVM does not say which quirks it has"
				   : "which quirks KVM has, or the VM, could not be read");
		break;
	}
}

void nsn_model_judge_memory(const struct nsn_model *model, struct nsn_vm *vm)
{
	const struct nsn_rec_host *host = &model->host;
	enum nsn_tri registered = NSN_TRI(&vm->rec, vm, noncoherent_dma);
	enum nsn_tri mtrrs = NSN_TRI(&model->kernel, kernel, guest_mtrrs);
	struct nsn_memory_types *out = &vm->memory;

	memset(out, 0, sizeof(*out));
	out->pat = out->mtrr = out->cd = out->changes = out->zaps = NSN_UNKNOWN;
	out->quirk = judge_quirk(model, vm);
	if (!NSN_KNOWS(host, host, cpu_vendor))
		doubt(out, "the CPU's vendor could not be read");
	else if (strcmp(host->cpu_vendor, "amd") == 0)
		judge_amd(vm, out);
	else if (strcmp(host->cpu_vendor, "intel"))
		doubt(out, "what this vendor's CPUs do is not known");
	else if (mtrrs == NSN_YES)
		judge_with_mtrrs(model, vm, registered, out);
	else if (mtrrs == NSN_NO)
		judge_with_quirk(registered, out);
	else
		doubt(out, "whether KVM honours the guest's MTRRs could not be read");
}
