/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect_sysfs_internal.h - the parts of collect_sysfs.c that have files of their own. Floor 2.
 */
#ifndef NSN_COLLECT_SYSFS_INTERNAL_H
#define NSN_COLLECT_SYSFS_INTERNAL_H

#include <stdint.h>

#include "collect_pci.h"
#include "recdesc.h"

/* collect_host.c: the HOST record and what is missing of it. */
int nsn_sysfs__host(const char *root, uint64_t taken_at_ns, struct nsn_sink *sink);

/* collect_sysfs.c: the SOURCE record of a folder that was listed with this result (0 or -errno). */
int nsn_sysfs__source(const char *root, struct nsn_sink *sink, const char *name, const char *path,
		      int listed, size_t count, const char *absent);

/*
 * collect_group.c: SYS_GROUP for each group, DEVICE for each member that is on neither the PCI, the
 * mdev nor the vDPA bus.
 */
int nsn_sysfs__groups(const char *root, struct nsn_sink *sink, struct nsn_pci *pci);

/* collect_group.c: DEVICE for each device of a bus without configuration space (mdev, vdpa). */
int nsn_sysfs__bus(const char *root, struct nsn_sink *sink, const char *bus);

#endif /* NSN_COLLECT_SYSFS_INTERNAL_H */
