// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * all.bpf.c - all of the snapshot's programs in one object: the kernel's BTF is then walked over once, not
 * six times.
 *
 * Kernel side. Where it cannot be loaded as a whole, user space falls back to one object a
 * subsystem, so that one miss does not blind the rest.
 */
#include "base.bpf.c"
#include "iommufd.bpf.c"
#include "vdpa.bpf.c"
