/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect_pci.h - PCI devices, from sysfs and their configuration space (libpci).
 *
 * Floor 2. Only reads, and never a device that reading would wake.
 */
#ifndef NSN_COLLECT_PCI_H
#define NSN_COLLECT_PCI_H

#include <stdbool.h>
#include <stddef.h>

#include "recdesc.h"

struct nsn_pci;

/*
 * Lists the PCI devices under sysroot and emits NSN_REC_SOURCE "sysfs.pci". The sysroot's text and
 * the sink must outlive the object. 0 (also if no device can be listed: the source says so) or
 * -errno: -ENOMEM, or what the sink returned.
 */
int nsn_pci__new(const char *sysroot, struct nsn_sink *sink, struct nsn_pci **out);
void nsn_pci__free(struct nsn_pci *pci);

/*
 * From now on descriptors of configuration spaces stay open between snapshots, for who is about to
 * give up CAP_SYS_ADMIN: what was opened with it can be read as a whole after that too.
 */
void nsn_pci__keep_descriptors(void);

/*
 * Whether devices get their names, in snapshots from now on; at the start they do. libpci reads all
 * of pci.ids for the first one, which is a third of the time of a first snapshot.
 */
void nsn_pci__set_names(bool wanted);

/* Emits NSN_REC_DEVICE for each device and NSN_REC_MISSING for what is not known of it. */
int nsn_pci__emit(struct nsn_pci *pci);

/* True if this address was listed. */
bool nsn_pci__has(const struct nsn_pci *pci, const char *bdf);

/*
 * Why these devices (two or more) are in one IOMMU group: enum nsn_group_why. -ENODATA if the
 * configuration space of a bridge above them could not be read; *reason (static, or owned by pci)
 * then says why.
 */
int nsn_pci__why(struct nsn_pci *pci, char *const *bdfs, size_t count, const char **reason);

#endif /* NSN_COLLECT_PCI_H */
