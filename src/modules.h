/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modules.h - the kernel's modules whose functions are traced or whose objects are read, and which may come
 * and go meanwhile.
 *
 * Floor 2.
 */
#ifndef NSN_MODULES_H
#define NSN_MODULES_H

#include <stdint.h>

enum nsn_module {
	NSN_MODULE_KVM,
	NSN_MODULE_VFIO,
	NSN_MODULE_TYPE1,
	NSN_MODULE_IOMMUFD,
	NSN_MODULE_KVM_AMD,
	NSN_MODULE_KVM_INTEL,
	NSN_MODULE_VDPA,
	NSN_MODULE_MAX,
};

/* Which of them are loaded: 0, or a number that is another after one was loaded anew. */
struct nsn_modules {
	uint64_t loaded[NSN_MODULE_MAX];
};

/* Source: the folders of /sys/module, and their initstate; one that is being loaded is not there yet. */
void nsn_modules__look(struct nsn_modules *modules);

/* Looks again: a bit, 1 << enum nsn_module, for each that came, went or was loaded anew since. */
unsigned int nsn_modules__changed(struct nsn_modules *modules);

#endif /* NSN_MODULES_H */
