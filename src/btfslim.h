/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * btfslim.h - of a kernel's types, those that an object's programs read.
 *
 * Floor 2. For each name that an object reads libbpf walks over all types of the kernel (126,000 of
 * them and more), which was most of what an audit took. Given a BTF that has only the types in
 * question it finds the same, in a hundredth of the time.
 */
#ifndef NSN_BTFSLIM_H
#define NSN_BTFSLIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct btf;

/* A file in memory that libbpf is to open by its path (bpf_object_open_opts.btf_custom_path). */
struct nsn_slim {
	int fd;
	char path[32];
	bool failed; /* it could not be filled: open the object anew after nsn_slim__close() */
	/* asked for on the way, by whoever loads a program for it: the number of this function */
	const char *function;
	uint32_t function_id; /* 0: vmlinux has none, or it was not filled */
};

/* Makes the file, empty. Where there can be none, libbpf looks for the kernel's BTF by itself. */
void nsn_slim__open(struct nsn_slim *slim);
/* The path; NULL: libbpf looks by itself. */
const char *nsn_slim__path(const struct nsn_slim *slim);
/* Fills it for an object that was opened with the path and is loaded next. 0 or -errno. */
int nsn_slim__fill(struct nsn_slim *slim, const struct bpf_object *object);
/* Zeroed is closed; so is one that was closed. */
void nsn_slim__close(struct nsn_slim *slim);

/*
 * What goes in there: all types of a kernel that CO-RE would look at for the named structs, unions
 * and enums of `local`, with what they hold by value. `folder` has a file vmlinux and one a module,
 * as /sys/kernel/btf. *function_id is the number of vmlinux's function of that name, if one is asked
 * for and there. *bytes is to be freed. 0 or -errno.
 */
int nsn_slim__build(const struct btf *local, const char *folder, const char *function,
		    uint32_t *function_id, void **bytes, size_t *size);

#endif /* NSN_BTFSLIM_H */
