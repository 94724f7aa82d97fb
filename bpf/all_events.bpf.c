// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * all_events.bpf.c - all event programs as one object: the kernel's BTF is walked over once for each.
 *
 * Kernel side. User space chooses which programs of it are loaded (src/events_attach.c): at first all
 * that this kernel can have, after a module came those that need it.
 */
#include "kvm_events.bpf.c"
#include "kvm_vfio_events.bpf.c"
#include "vfio_events.bpf.c"
#include "type1_events.bpf.c"
#include "iommu_events.bpf.c"
#include "iommufd_events.bpf.c"
