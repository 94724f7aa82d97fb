// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpf_target.c - which of the kernel's functions a tracing program is loaded for. Floor 2.
 */
#include "bpf_target.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "util.h"

/* libbpf asks for it by a callback that has no place for a pointer of ours. */
static struct {
	const struct bpf_program *program;
	struct nsn_target target;
} plan[NSN_MAX_TARGETS * 2];
static size_t plan_count;
static bool (*plan_leave)(void *data);
static void *plan_leave_data;

/*
 * libbpf reads all of vmlinux's BTF for an object that has a program of type tracing, for names that
 * are not asked for here. So a program gets its type only when it is loaded.
 */
static int name_target(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	(void)cookie;
	if (plan_leave && plan_leave(plan_leave_data))
		return -ECANCELED;
	for (size_t i = 0; i < plan_count; i++) {
		if (plan[i].program != program)
			continue;
		opts->attach_btf_id = plan[i].target.id;
		opts->attach_btf_obj_fd = plan[i].target.btf;
		return bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
	}
	return -ENOENT;
}

int nsn_targets__register(void)
{
	static const struct {
		const char *section;
		enum bpf_attach_type type;
	} sections[] = {
		{ "nsn_iter", BPF_TRACE_ITER },
		{ "nsn_fentry", BPF_TRACE_FENTRY },
		{ "nsn_fexit", BPF_TRACE_FEXIT },
	};
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = name_target);
	static size_t done;

	for (; done < NSN_ARRAY_SIZE(sections); done++) {
		int err = libbpf_register_prog_handler(sections[done].section,
						       BPF_PROG_TYPE_TRACEPOINT,
						       sections[done].type, &opts);

		if (err < 0)
			return err;
	}
	return 0;
}

void nsn_targets__clear(void)
{
	plan_count = 0;
	nsn_targets__ask(NULL, NULL);
}

void nsn_targets__ask(bool (*leave)(void *data), void *data)
{
	plan_leave = leave;
	plan_leave_data = data;
}

int nsn_targets__add(const struct bpf_program *program, const struct nsn_target *target)
{
	if (!target || !target->id || plan_count == NSN_ARRAY_SIZE(plan))
		return -ENOENT;
	plan[plan_count].program = program;
	plan[plan_count++].target = *target;
	return 0;
}
