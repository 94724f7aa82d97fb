/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect_bpf.h - one snapshot of the kernel's objects, by BPF.
 *
 * Floor 2. Three roots (files, KVM's list, the IOMMU groups) are walked twice; what two walks agree
 * on becomes records, what changed three times over is reported as torn. Addresses become keys
 * here.
 */
#ifndef NSN_COLLECT_BPF_H
#define NSN_COLLECT_BPF_H

#include "modules.h"
#include "recdesc.h"

struct nsn_collect_bpf;

/* Loads the programs. Without permission that is no error: the snapshot says why. 0 or -errno. */
int nsn_collect_bpf__open(struct nsn_collect_bpf **out);
void nsn_collect_bpf__close(struct nsn_collect_bpf *collector);

/*
 * Puts the records of one snapshot into sink: a SOURCE record for each part, then FILE, VM, VM_FILE,
 * VFIO_GROUP, VFIO_DEVICE, CONTAINER, TYPE1_*, IOMMUFD*, VDPA, GROUP, GROUP_DEVICE, DOMAIN, KERNEL,
 * TRUNCATED, TORN. If a module came or went since the programs were loaded, they are loaded anew first.
 * 0 or -errno.
 */
int nsn_collect_bpf__snapshot(struct nsn_collect_bpf *collector, struct nsn_sink *sink);

/*
 * Loads anew what the kernel has now, if a module came or went since it was loaded, or the first IOMMU group
 * came; keys stay. 0 or -ENOMEM.
 */
int nsn_collect_bpf__keep_up(struct nsn_collect_bpf *collector);

/*
 * True if something is there now that was not when the programs were loaded, and of which no module tells:
 * IOMMU groups (VFIO without an IOMMU makes some).
 */
bool nsn_collect_bpf__has_new(const struct nsn_collect_bpf *collector);

/*
 * The modules as they were just before the programs were loaded: one that has come since is not in what a
 * snapshot reads.
 */
const struct nsn_modules *nsn_collect_bpf__modules(const struct nsn_collect_bpf *collector);

/* For events, which name the same objects: the keys, and addresses of symbols (0: there is none). */
struct nsn_keys *nsn_collect_bpf__keys(struct nsn_collect_bpf *collector);
uint64_t nsn_collect_bpf__symbol(const struct nsn_collect_bpf *collector, enum nsn_symbol symbol);

#endif /* NSN_COLLECT_BPF_H */
