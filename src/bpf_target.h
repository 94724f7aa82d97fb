/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_target.h - which of the kernel's functions a tracing program is loaded for.
 *
 * Floor 2. libbpf would look each name up in all of the kernel's BTF, which it reads for that alone.
 * Programs of the sections nsn_iter, nsn_fentry and nsn_fexit are told by the number of a type.
 */
#ifndef NSN_BPF_TARGET_H
#define NSN_BPF_TARGET_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_program;

/* A function in BTF. */
struct nsn_target {
	uint32_t id; /* 0: BTF has none of the name */
	int btf;     /* descriptor of its module's BTF; 0: vmlinux's */
};

#define NSN_MAX_TARGETS 64

/* Makes these sections known to libbpf: before an object is opened, as often as one likes. 0 or -errno. */
int nsn_targets__register(void);

/*
 * What the next object's programs are for, which are chosen between its opening and its loading; those
 * of the object before are forgotten. Objects are loaded one after the other.
 */
void nsn_targets__clear(void);
/*
 * Asked before each of them is loaded: true ends the loading of the object with -ECANCELED. NULL: nobody is
 * asked, as after nsn_targets__clear().
 */
void nsn_targets__ask(bool (*leave)(void *data), void *data);
/* 0, or -ENOENT if there is no such target or no room for it. */
int nsn_targets__add(const struct bpf_program *program, const struct nsn_target *target);

#endif /* NSN_BPF_TARGET_H */
