// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * events_kernel.c - what this kernel offers to attach event programs to. Floor 2.
 *
 * A function is offered to fentry only if kallsyms and BTF both have it: BTF also lists functions
 * that the compiler has split or renamed.
 */
#include "events_internal.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bpftry.h"
#include "btfraw.h"
#include "log.h"

#define SLOW_NS    3000000 /* of one name's look-up */
#define KPROBE_PMU "/sys/bus/event_source/devices/kprobe/type"

/* Asks for every function of every row, and for those that tell whether a part is built in. */
static int want_all(struct nsn_offer *offer)
{
	int err = 0;

	for (size_t i = 0; i < nsn_function_rows_count && !err; i++)
		err = nsn_kallsyms__want(&offer->symbols, nsn_function_rows[i].function);
	for (size_t i = 0; i < nsn_module_rows_count && !err; i++)
		for (size_t j = 0; j < 4 && nsn_module_rows[i].functions[j] && !err; j++)
			err = nsn_kallsyms__want(&offer->symbols, nsn_module_rows[i].functions[j]);
	return err;
}

/*
 * Most names differ from all that are wanted in their first letters: 60,000 functions are compared
 * with 40 names.
 */
static void match(struct nsn_offer *offer, const char *name, uint32_t id, int btf)
{
	for (size_t i = 0; i < nsn_function_rows_count; i++)
		if (nsn_function_rows[i].function[0] == name[0] &&
		    strcmp(nsn_function_rows[i].function, name) == 0 && !offer->targets[i].id)
			offer->targets[i] = (struct nsn_target){ .id = id, .btf = btf };
}

/* Finds the wanted functions in a BTF; *test is the one that fentry is tried with. */
static void find_functions(struct nsn_offer *offer, const struct nsn_btfraw *part, int btf,
			   uint32_t *test)
{
	for (uint32_t id = part->first; id < part->end; id++) {
		const struct btf_type *type = nsn_btfraw__own_type(part, id);
		const char *name;

		if (!btf_is_func(type))
			continue;
		name = nsn_btfraw__name(part, type->name_off);
		match(offer, name, id, btf);
		if (test && strcmp(name, NSN_TRY_FENTRY) == 0)
			*test = id;
	}
}

/* One of the modules that hold functions of ours? */
static bool is_wanted(const char *name)
{
	const struct nsn_module_row *row = nsn_module_row__find(name);

	return row && !row->part;
}

/* The BTF of each module has a descriptor, by which programs are attached to its functions. */
static void read_modules(struct nsn_offer *offer, const struct nsn_btfraw *vmlinux)
{
	uint32_t id = 0;

	while (bpf_btf_get_next_id(id, &id) == 0 && offer->btfs_count < NSN_MAX_TARGETS) {
		char name[64] = "";
		struct bpf_btf_info info = { .name = (uintptr_t)name, .name_len = sizeof(name) };
		uint32_t size = sizeof(info);
		struct nsn_btfraw module = { 0 };
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &size) || !info.kernel_btf ||
		    !is_wanted(name) || nsn_btfraw__read_fd(&module, fd, vmlinux)) {
			close(fd);
			continue;
		}
		find_functions(offer, &module, fd, NULL);
		nsn_btfraw__free(&module);
		offer->btfs[offer->btfs_count++] = fd;
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Answers by the BPF program; -ETIME if that is slow. */
static int look_up(void *context, const char *name)
{
	const int *program = context;
	uint64_t started = now_ns();
	int answer = nsn_lookup__symbol(*program, name);

	return now_ns() - started > SLOW_NS ? -ETIME : answer;
}

/*
 * A kernel looks a name up in microseconds if it keeps names sorted (6.2: 60443c88f3a8), else in so
 * many milliseconds that reading them all from a file is faster.
 */
static void read_symbols(struct nsn_offer *offer)
{
	int program = nsn_lookup__open();
	int err = program < 0 ? program : nsn_kallsyms__ask(&offer->symbols, look_up, &program);

	if (program >= 0)
		close(program);
	if (err && nsn_kallsyms__read(&offer->symbols, "/proc/kallsyms"))
		nsn_info("/proc/kallsyms cannot be read: nothing can be attached by name");
}

static void explain_nothing(struct nsn_offer *offer, int fentry_err, int kprobe_err, bool no_pin)
{
	if (nsn_try_syscall() == -EPERM) /* no program of any kind may be loaded */
		nsn_format(
			offer->why_not, sizeof(offer->why_not),
			"no permission to attach BPF programs: needs CAP_SYS_ADMIN (run as root)");
	else
		nsn_format(offer->why_not, sizeof(offer->why_not),
			   "this kernel has neither fentry (%s) nor kprobes (%s)",
			   no_pin ? "left off by --no-pin" : nsn_errno_name(fentry_err),
			   nsn_errno_name(kprobe_err));
}

int nsn_offer__read(struct nsn_offer *offer, bool no_pin)
{
	struct nsn_btfraw vmlinux = { 0 };
	int fentry_err = -ENOENT, kprobe_err = 0;
	uint32_t test = 0;
	int err = want_all(offer);

	if (!err) {
		read_symbols(offer);
		if (nsn_btfraw__read_kernel(&vmlinux) == 0) {
			find_functions(offer, &vmlinux, 0, &test);
			fentry_err = nsn_try_fentry(test);
			read_modules(offer, &vmlinux);
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
	nsn_btfraw__free(&vmlinux);
	return err;
}

void nsn_offer__free(struct nsn_offer *offer)
{
	nsn_kallsyms__free(&offer->symbols);
	while (offer->btfs_count)
		close(offer->btfs[--offer->btfs_count]);
}

const struct nsn_target *nsn_offer__target(const struct nsn_offer *offer, const char *function)
{
	const struct nsn_program_row *row = nsn_program_of(function);
	const struct nsn_target *target = row ? &offer->targets[row - nsn_function_rows] : NULL;

	return target && target->id ? target : NULL;
}

static bool has_symbol(void *context, const char *function)
{
	return nsn_kallsyms__find(&((struct nsn_offer *)context)->symbols, function) != NULL;
}

static bool has_btf(void *context, const char *function)
{
	return nsn_offer__target(context, function) != NULL;
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
	nsn_format(out, size, "this kernel's BTF has no function %s, and kprobes are off",
		   function);
}
