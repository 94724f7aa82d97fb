// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * events_kernel.c - what this kernel offers to attach event programs to. Floor 2.
 *
 * A function is offered to fentry only if kallsyms and BTF both have it: BTF also lists functions
 * that the compiler has split or renamed.
 */
#include "events_internal.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpftry.h"
#include "log.h"

#define KPROBE_PMU "/sys/bus/event_source/devices/kprobe/type"

/* Asks for every function of every row, and for those that tell whether a part is built in. */
static int want_all(struct nsn_offer *offer)
{
	int err = 0;

	for (size_t i = 0; i < nsn_function_rows_count && !err; i++) {
		err = nsn_kallsyms__want(&offer->symbols, nsn_function_rows[i].function);
		if (!err)
			err = nsn_kallsyms__want(&offer->functions, nsn_function_rows[i].function);
	}
	for (size_t i = 0; i < nsn_module_rows_count && !err; i++)
		for (size_t j = 0; j < 4 && nsn_module_rows[i].functions[j] && !err; j++)
			err = nsn_kallsyms__want(&offer->symbols, nsn_module_rows[i].functions[j]);
	return err;
}

/* Marks the wanted functions that a BTF has: all of `part`, from type number `first` on. */
static void find_functions(struct nsn_offer *offer, const struct btf *part, unsigned int first)
{
	for (unsigned int id = first; id < btf__type_cnt(part); id++) {
		const struct btf_type *type = btf__type_by_id(part, id);

		if (btf_is_func(type))
			nsn_kallsyms__mark(&offer->functions,
					   btf__name_by_offset(part, type->name_off));
	}
}

static void read_btf(struct nsn_offer *offer, struct btf *vmlinux)
{
	char path[128];

	find_functions(offer, vmlinux, 1);
	for (size_t i = 0; i < nsn_module_rows_count; i++) {
		struct btf *module;

		nsn_format(path, sizeof(path), "/sys/kernel/btf/%s", nsn_module_rows[i].name);
		if (nsn_module_rows[i].part || access(path, R_OK))
			continue;
		module = btf__parse_split(path, vmlinux);
		if (!module)
			continue;
		find_functions(offer, module, btf__type_cnt(vmlinux));
		btf__free(module);
	}
}

static void explain_nothing(struct nsn_offer *offer, int fentry_err, int kprobe_err, bool no_pin)
{
	if (fentry_err == -EPERM || fentry_err == -EACCES || kprobe_err == -EPERM)
		nsn_format(offer->why_not, sizeof(offer->why_not),
			   "no permission to attach BPF programs: needs CAP_SYS_ADMIN (run as root)");
	else
		nsn_format(offer->why_not, sizeof(offer->why_not),
			   "this kernel has neither fentry (%s) nor kprobes (%s)",
			   no_pin ? "left off by --no-pin" : nsn_errno_name(fentry_err),
			   nsn_errno_name(kprobe_err));
}

int nsn_offer__read(struct nsn_offer *offer, bool no_pin)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	int fentry_err = -ENOENT, kprobe_err = 0;
	int err = want_all(offer);

	if (!err) {
		nsn_kallsyms__sort(&offer->functions);
		if (nsn_kallsyms__read(&offer->symbols, "/proc/kallsyms"))
			nsn_info("/proc/kallsyms cannot be read: nothing can be attached by name");
		if (vmlinux) {
			fentry_err = nsn_try_fentry(vmlinux);
			read_btf(offer, vmlinux);
		}
		if (access(KPROBE_PMU, F_OK))
			kprobe_err = -ENOENT;
		else if (nsn_try_syscall() == -EPERM)
			kprobe_err = -EPERM;
		offer->fentry = !fentry_err && !no_pin;
		offer->kprobe = !kprobe_err;
		if (!offer->fentry && !offer->kprobe)
			explain_nothing(offer, fentry_err, kprobe_err, no_pin);
	}
	btf__free(vmlinux);
	return err;
}

void nsn_offer__free(struct nsn_offer *offer)
{
	nsn_kallsyms__free(&offer->symbols);
	nsn_kallsyms__free(&offer->functions);
}

static bool has_symbol(void *context, const char *function)
{
	return nsn_kallsyms__find(&((struct nsn_offer *)context)->symbols, function) != NULL;
}

static bool has_btf(void *context, const char *function)
{
	return nsn_kallsyms__find(&((struct nsn_offer *)context)->functions, function) != NULL;
}

struct nsn_probe_kernel nsn_offer__kernel(struct nsn_offer *offer)
{
	return (struct nsn_probe_kernel){
		.has_symbol = has_symbol,
		.has_btf = has_btf,
		.context = offer,
		.fentry = offer->fentry,
		.kprobe = offer->kprobe,
	};
}

bool nsn_offer__has_part(const struct nsn_offer *offer, const struct nsn_probe_row *row)
{
	const struct nsn_module_row *module = nsn_module_row__find(row->module);
	char path[128];

	if (!module || strcmp(module->name, "vmlinux") == 0)
		return true;
	for (size_t i = 0; i < 4 && module->functions[i]; i++)
		if (nsn_kallsyms__find(&offer->symbols, module->functions[i]))
			return true;
	nsn_format(path, sizeof(path), "/sys/module/%s", module->name);
	return !module->part && access(path, F_OK) == 0;
}

void nsn_offer__explain(const struct nsn_offer *offer, const struct nsn_probe_row *row, char *out,
			size_t size)
{
	char function[NSN_SYMBOL_LEN] = "";

	if (!offer->fentry && !offer->kprobe) {
		nsn_format(out, size, "%s", offer->why_not);
		return;
	}
	/* the first function that is missing, of the newest kernels' alternative */
	for (const char *list = row->alternatives[0];
	     nsn_next_word(&list, function, sizeof(function));)
		if (!nsn_kallsyms__find(&offer->symbols, function)) {
			nsn_format(out, size, "this kernel has no function %s", function);
			return;
		}
	nsn_format(out, size, "this kernel's BTF has no function %s, and kprobes are off", function);
}
