// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * modules.c - the kernel's modules that may come and go. Floor 2.
 */
#include "modules.h"

#include <string.h>
#include <sys/stat.h>

#include "util.h"

static const char *const names[NSN_MODULE_MAX] = {
	[NSN_MODULE_KVM] = "kvm",
	[NSN_MODULE_VFIO] = "vfio",
	[NSN_MODULE_TYPE1] = "vfio_iommu_type1",
	[NSN_MODULE_IOMMUFD] = "iommufd",
	[NSN_MODULE_KVM_AMD] = "kvm_amd",
	[NSN_MODULE_KVM_INTEL] = "kvm_intel",
	[NSN_MODULE_VDPA] = "vhost_vdpa",
};

/* 0: not there; else a number that is another after the module was loaded anew. */
static uint64_t identity_of(const char *module)
{
	char path[128], state[32];
	struct stat found;

	nsn_format(path, sizeof(path), "/sys/module/%s", module);
	if (stat(path, &found))
		return 0;
	nsn_format(path, sizeof(path), "/sys/module/%s/initstate", module);
	/* one that is built in has no such file */
	if (nsn_read_file("", path, state, sizeof(state)) > 0 && strcmp(state, "live"))
		return 0;
	return found.st_ino;
}

void nsn_modules__look(struct nsn_modules *modules)
{
	for (size_t i = 0; i < NSN_MODULE_MAX; i++)
		modules->loaded[i] = identity_of(names[i]);
}

unsigned int nsn_modules__changed(struct nsn_modules *modules)
{
	const struct nsn_modules before = *modules;
	unsigned int changed = 0;

	nsn_modules__look(modules);
	for (size_t i = 0; i < NSN_MODULE_MAX; i++)
		changed |= (modules->loaded[i] != before.loaded[i]) << i;
	return changed;
}
