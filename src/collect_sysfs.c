// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_sysfs.c - the IOMMU units, and the order in which sysfs is read. Floor 2.
 */
#include "collect_sysfs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect_sysfs_internal.h"
#include "collect_util.h"

#define IOMMUS "/sys/class/iommu"

/* Intel's extended capability register (drivers/iommu/intel/iommu.h). */
#define ECAP_INTERRUPT_REMAPPING (1ULL << 3) /* supported, which is not "in use" */
#define ECAP_SNOOP_CONTROL       (1ULL << 7)

int nsn_sysfs__source(const char *root, struct nsn_sink *sink, const char *name, const char *path,
		      int listed, size_t count, const char *absent)
{
	char full[PATH_MAX], why[128];

	if (!listed && count)
		return nsn_collect__source(sink, name, NSN_SOURCE_OK, "%s", "");
	/* No sysfs at all is no answer; sysfs without that folder is one. */
	nsn_format(full, sizeof(full), "%s/sys/kernel", root);
	if (!listed || (listed == -ENOENT && !access(full, X_OK)))
		return nsn_collect__source(sink, name, NSN_SOURCE_ABSENT, "%s", absent);
	return nsn_collect__source(
		sink, name, NSN_SOURCE_FAILED, "%s: %s", path,
		nsn_collect__why(why, sizeof(why), listed, "read access to /sys"));
}

/*
 * Whether interrupts are remapped, by the names of the chips behind PCI MSIs: those of a remapping
 * domain begin with IR- (drivers/iommu/{intel,amd}). Remapping is all or nothing: the kernel turns
 * it on for all units or for none, but a bridge of its own kind (VMD) may stay out of it, so one
 * remapped interrupt decides.
 */
static enum nsn_tri interrupts_remapped(const char *root)
{
	char path[NSN_PATH_LEN], chip[NSN_TEXT_LEN];
	enum nsn_tri answer = NSN_UNKNOWN;
	struct nsn_names irqs = { 0 };

	nsn_names__list(&irqs, root, "/sys/kernel/irq");
	for (size_t i = 0; answer != NSN_YES && i < irqs.items_count; i++) {
		nsn_format(path, sizeof(path), "/sys/kernel/irq/%s/chip_name", irqs.items[i]);
		if (nsn_read_file(root, path, chip, sizeof(chip)) <= 0)
			continue;
		if (!strncmp(chip, "IR-PCI-MSI", strlen("IR-PCI-MSI")))
			answer = NSN_YES;
		else if (!strncmp(chip, "PCI-MSI", strlen("PCI-MSI")))
			answer = NSN_NO;
	}
	nsn_names__free(&irqs);
	return answer;
}

/* The unit's driver by the attributes it has, else by the driver of its device. */
static void read_driver(const char *root, const char *name, char *out, size_t size)
{
	char path[NSN_PATH_LEN], full[PATH_MAX];

	nsn_format(full, sizeof(full), "%s" IOMMUS "/%s/intel-iommu", root, name);
	if (!access(full, F_OK)) {
		nsn_format(out, size, "intel");
		return;
	}
	nsn_format(full, sizeof(full), "%s" IOMMUS "/%s/amd-iommu", root, name);
	if (!access(full, F_OK)) {
		nsn_format(out, size, "amd");
		return;
	}
	nsn_format(path, sizeof(path), IOMMUS "/%s/device/driver", name);
	nsn_collect__link_name(root, path, out, size);
	if (!strcmp(out, "virtio_iommu") || !strcmp(out, "virtio-iommu"))
		nsn_format(out, size, "virtio");
}

static int put_intel(const char *root, struct nsn_sink *sink, struct nsn_rec_iommu *rec,
		     enum nsn_tri remapped)
{
	char path[NSN_PATH_LEN], text[64], why[128], *end;
	uint64_t ecap;
	long length;

	nsn_format(path, sizeof(path), IOMMUS "/%s/intel-iommu/ecap", rec->name);
	length = nsn_read_file(root, path, text, sizeof(text));
	errno = 0;
	ecap = strtoull(text, &end, 16);
	if (length <= 0 || errno || *end || end == text) {
		if (remapped != NSN_UNKNOWN)
			NSN_PUT(rec, iommu, interrupt_remapping, remapped);
		return nsn_collect__missing(sink, "iommus.snoop_control", rec->name, "%s: %s", path,
					    length < 0 ? nsn_collect__why(why, sizeof(why),
									  (int)length,
									  "read access to /sys")
						       : "no number");
	}
	NSN_PUT(rec, iommu, snoop_control, !!(ecap & ECAP_SNOOP_CONTROL));
	if (!(ecap & ECAP_INTERRUPT_REMAPPING))
		remapped = NSN_NO;
	if (remapped != NSN_UNKNOWN)
		NSN_PUT(rec, iommu, interrupt_remapping, remapped);
	return 0;
}

static int emit_iommu(const char *root, struct nsn_sink *sink, const char *name,
		      enum nsn_tri remapped)
{
	NSN_NEW(rec, IOMMU, iommu);
	char driver[NSN_NAME_LEN] = "";
	int err = 0;

	read_driver(root, name, driver, sizeof(driver));
	NSN_PUT_STR(&rec, iommu, name, name);
	if (driver[0])
		NSN_PUT_STR(&rec, iommu, driver, driver);
	if (!strcmp(driver, "intel")) {
		err = put_intel(root, sink, &rec, remapped);
	} else if (!strcmp(driver, "amd")) {
		/* amd_iommu_enforce_cache_coherency() says yes, whatever the unit. */
		NSN_PUT(&rec, iommu, snoop_control, 1);
		if (remapped != NSN_UNKNOWN)
			NSN_PUT(&rec, iommu, interrupt_remapping, remapped);
	} else if (!strcmp(driver, "virtio")) {
		/* Its driver has neither enforce_cache_coherency nor interrupt remapping. */
		NSN_PUT(&rec, iommu, snoop_control, 0);
		NSN_PUT(&rec, iommu, interrupt_remapping, 0);
	} else {
		err = nsn_collect__missing(sink, "iommus.snoop_control", name,
					   "not known for the driver of this unit%s%s",
					   driver[0] ? ": " : "", driver);
	}
	if (!err && !NSN_KNOWS(&rec, iommu, interrupt_remapping))
		err = nsn_collect__missing(sink, "iommus.interrupt_remapping", name,
					   "no PCI device uses an MSI to judge by");
	return err ? err : nsn_sink__put(sink, &rec.h);
}

static int emit_iommus(const char *root, struct nsn_sink *sink)
{
	struct nsn_names units = { 0 };
	enum nsn_tri remapped = NSN_UNKNOWN;
	int err, listed;

	listed = nsn_names__list(&units, root, IOMMUS);
	err = listed == -ENOMEM
		      ? listed
		      : nsn_sysfs__source(root, sink, "sysfs.iommu", IOMMUS, listed,
					  units.items_count, "the kernel drives no IOMMU");
	if (units.items_count)
		remapped = interrupts_remapped(root);
	for (size_t i = 0; !err && i < units.items_count; i++)
		err = emit_iommu(root, sink, units.items[i], remapped);
	nsn_names__free(&units);
	return err;
}

int nsn_sysfs__collect(const char *sysroot, uint64_t taken_at_ns, struct nsn_sink *sink)
{
	struct nsn_pci *pci = NULL;
	int err;

	if (strlen(sysroot) >= NSN_PATH_LEN)
		return -ENAMETOOLONG;
	err = nsn_sysfs__host(sysroot, taken_at_ns, sink);
	if (!err)
		err = emit_iommus(sysroot, sink);
	if (!err)
		err = nsn_pci__new(sysroot, sink, &pci);
	if (!err)
		err = nsn_pci__emit(pci);
	if (!err)
		err = nsn_sysfs__groups(sysroot, sink, pci);
	if (!err)
		err = nsn_sysfs__bus(sysroot, sink, "mdev");
	if (!err)
		err = nsn_sysfs__bus(sysroot, sink, "vdpa");
	nsn_pci__free(pci);
	return err;
}
