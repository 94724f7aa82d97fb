/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect_sysfs.h - the machine as sysfs shows it: host, IOMMU units, IOMMU groups, devices.
 *
 * Floor 2. Needs no privilege; what only a privileged reader gets becomes a MISSING record that
 * names the capability. Writes nothing and wakes no device.
 */
#ifndef NSN_COLLECT_SYSFS_H
#define NSN_COLLECT_SYSFS_H

#include <stdint.h>

#include "recdesc.h"

/*
 * Emits HOST, IOMMU, SYS_GROUP and DEVICE records of the machine under sysroot ("" or a folder that
 * has sys/ and proc/), SOURCE records for sysfs.iommu, sysfs.groups and sysfs.pci, and MISSING
 * records for each fact that could not be read. taken_at_ns: the snapshot's time, ns since the
 * epoch. 0 (however little could be read), -ENOMEM, or what the sink returned.
 */
int nsn_sysfs__collect(const char *sysroot, uint64_t taken_at_ns, struct nsn_sink *sink);

#endif /* NSN_COLLECT_SYSFS_H */
