// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bare_iter.bpf.c - an iterator over the files of all tasks that does nothing: what the kernel's own
 * part of the walk costs, to compare bpf/files.bpf.c with. Kernel side.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("iter/task_file")
int bare(struct bpf_iter__task_file *ctx)
{
	return 0;
}
