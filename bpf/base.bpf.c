// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * base.bpf.c - the snapshot's programs without those of iommufd and vDPA, in one object: of a program
 * that is left out the types are still looked for, and most hosts have neither.
 *
 * Kernel side. all.bpf.c has the rest too.
 */
#include "files.bpf.c"
#include "iommu.bpf.c"
#include "kvm.bpf.c"
#include "vfio.bpf.c"
