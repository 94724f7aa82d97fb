// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crowd: attaches programs to the entry of kernel functions until no more fit, so that the next one who
 * wants to attach there is refused by the kernel. Prints "FUNCTION N ERRNO" for each, and holds them until it
 * is killed.
 *
 * usage: crowd FUNCTION...
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST 64 /* more than a kernel takes (BPF_MAX_TRAMP_LINKS, 38) */

/* A function of the kernel's own, or of a module: its number, and the BTF that has it (0: the kernel's) */
static int find(const char *function, int *btf_fd)
{
	struct btf *vmlinux = btf__load_vmlinux_btf(), *module;
	int id = btf__find_by_name_kind(vmlinux, function, BTF_KIND_FUNC);
	__u32 next = 0;

	*btf_fd = 0;
	while (id < 0 && !bpf_btf_get_next_id(next, &next)) {
		module = btf__load_from_kernel_by_id_split(next, vmlinux);
		if (!module)
			continue;
		id = btf__find_by_name_kind(module, function, BTF_KIND_FUNC);
		if (id > 0)
			*btf_fd = bpf_btf_get_fd_by_id(next);
		btf__free(module);
	}
	btf__free(vmlinux);
	return id;
}

static int fill(const char *function)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	int btf_fd, attached = 0, id = find(function, &btf_fd);

	if (id < 0) {
		fprintf(stderr, "crowd: no function %s\n", function);
		return 1;
	}
	opts.attach_btf_id = id;
	opts.attach_btf_obj_fd = btf_fd;
	for (; attached < MOST; attached++) {
		int prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "crowd", "GPL", nothing, 2, &opts);

		if (prog < 0 || bpf_link_create(prog, 0, BPF_TRACE_FENTRY, NULL) < 0)
			break;
	}
	printf("%s %d %s\n", function, attached, strerrorname_np(errno));
	fflush(stdout);
	return attached == MOST;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: crowd FUNCTION...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++)
		if (fill(argv[i]))
			return 1;
	return pause();
}
