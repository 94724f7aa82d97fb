// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_clean.c - makes records of what BPF programs wrote. Floor 2.
 */
#include "collect_clean.h"

#include <string.h>

#include "probes.h"
#include "util.h"

/* A kernel function's name as %ps gave it: "name [module]", or an address if it has none. */
static void clean_symbol(char *text)
{
	if (strncmp(text, "0x", 2) == 0)
		text[0] = '\0'; /* the kernel could not name it: its address stays here */
	text[strcspn(text, " ")] = '\0';
}

static void clean_domain(struct nsn_rec_domain *domain)
{
	int stage;

	clean_symbol(domain->iommu_driver);
	nsn_iommu_driver_name(domain->iommu_driver, domain->iommu_driver,
			      sizeof(domain->iommu_driver));
	if (!domain->iommu_driver[0]) /* a shared domain of the core: no driver's own */
		domain->h.known &= ~NSN_BIT(domain, iommu_driver);
	clean_symbol(domain->op);
	stage = nsn_page_table_of_op(domain->op);
	if (stage >= 0)
		NSN_PUT(domain, domain, page_table, stage);
}

/* "PID-FD", the name of the VM's debugfs folder. */
static void clean_vm(struct nsn_rec_vm *vm)
{
	const char *dash = strchr(vm->debugfs, '-');
	uint64_t fd;

	if (NSN_KNOWS(vm, vm, debugfs) && dash && nsn_parse_u64(dash + 1, &fd) == 0)
		NSN_PUT(vm, vm, fd, fd);
	vm->h.known &= ~NSN_BIT(vm, debugfs);
}

void nsn_collect__clean(struct nsn_rec *rec)
{
	const struct nsn_rec_desc *desc = &nsn_rec_descs[rec->kind];
	char copy[NSN_TEXT_LEN];

	for (size_t i = 0; i < desc->fields_count; i++) {
		char *text = (char *)rec + desc->fields[i].offset;

		if (desc->fields[i].type != NSN_FIELD_STR || !nsn_rec_knows(rec, i))
			continue;
		text[desc->fields[i].size - 1] = '\0';
		nsn_format(copy, sizeof(copy), "%s", text);
		memset(text, 0, desc->fields[i].size);
		nsn_utf8_copy(text, desc->fields[i].size, copy);
	}
	if (rec->kind == NSN_REC_GROUP_DEVICE) {
		struct nsn_rec_group_device *device = (void *)rec;

		clean_symbol(device->iommu_driver);
		nsn_iommu_driver_name(device->iommu_driver, device->iommu_driver,
				      sizeof(device->iommu_driver));
	} else if (rec->kind == NSN_REC_DOMAIN) {
		clean_domain((void *)rec);
	} else if (rec->kind == NSN_REC_VM) {
		clean_vm((void *)rec);
	}
}
