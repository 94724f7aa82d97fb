// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_group.c - IOMMU groups, and the devices that are not on the PCI bus. Floor 2.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "collect_sysfs_internal.h"
#include "collect_util.h"

#define GROUPS "/sys/kernel/iommu_groups"

/*
 * Emits a device that has no configuration space of its own; folder is where sysfs shows it. Links
 * that are not there say that there is no such thing: known, and "".
 */
static int emit_plain_device(const char *root, struct nsn_sink *sink, const char *folder,
			     const char *bus, const char *name)
{
	char path[2 * NSN_PATH_LEN], text[NSN_PATH_LEN];
	NSN_NEW(rec, DEVICE, device);
	uint64_t group;

	NSN_PUT_STR(&rec, device, id, name);
	if (bus[0])
		NSN_PUT_STR(&rec, device, bus, bus);
	NSN_PUT(&rec, device, bridge, 0);
	NSN_PUT_STR(&rec, device, physfn, "");
	nsn_format(path, sizeof(path), "%s/driver", folder);
	if (nsn_collect__link_name(root, path, text, sizeof(text)) >= 0)
		NSN_PUT_STR(&rec, device, driver, text);
	nsn_format(path, sizeof(path), "%s/iommu", folder);
	if (nsn_collect__link_name(root, path, text, sizeof(text)) >= 0)
		NSN_PUT_STR(&rec, device, iommu, text);
	nsn_format(path, sizeof(path), "%s/iommu_group", folder);
	if (nsn_collect__link_name(root, path, text, sizeof(text)) > 0 &&
	    !nsn_parse_u64(text, &group))
		NSN_PUT(&rec, device, group_id, group);
	nsn_format(path, sizeof(path), "%s/mdev_type/name", folder);
	if (nsn_read_file(root, path, text, sizeof(text)) > 0)
		NSN_PUT_STR(&rec, device, name, text);
	return nsn_sink__put(sink, &rec.h);
}

int nsn_sysfs__bus(const char *root, struct nsn_sink *sink, const char *bus)
{
	struct nsn_names devices = { 0 };
	char path[NSN_PATH_LEN], folder[2 * NSN_PATH_LEN], why[128];
	int err;

	nsn_format(path, sizeof(path), "/sys/bus/%s/devices", bus);
	err = nsn_names__list(&devices, root, path);
	if (err == -ENOENT || err == -ENOMEM)
		return err == -ENOENT ? 0 : err; /* no such bus: its module is not loaded */
	if (err)
		return nsn_collect__missing(
			sink, "devices", bus, "%s: %s", path,
			nsn_collect__why(why, sizeof(why), err, "read access to /sys"));
	for (size_t i = 0; !err && i < devices.items_count; i++) {
		nsn_format(folder, sizeof(folder), "%s/%s", path, devices.items[i]);
		err = emit_plain_device(root, sink, folder, bus, devices.items[i]);
	}
	nsn_names__free(&devices);
	return err;
}

/* A member of a group that the listings of the buses do not give. */
static int emit_member(const char *root, struct nsn_sink *sink, const struct nsn_pci *pci,
		       const char *folder, const char *name)
{
	char path[3 * NSN_PATH_LEN], bus[NSN_NAME_LEN] = "";

	if (nsn_pci__has(pci, name))
		return 0;
	nsn_format(path, sizeof(path), "%s/subsystem", folder);
	nsn_collect__link_name(root, path, bus, sizeof(bus));
	if (!strcmp(bus, "mdev") || !strcmp(bus, "vdpa"))
		return 0;
	return emit_plain_device(root, sink, folder, bus, name);
}

static int put_why(struct nsn_sink *sink, struct nsn_pci *pci, const struct nsn_names *members,
		   const char *number, struct nsn_rec_sys_group *rec)
{
	const char *reason = "";
	int why;

	if (!members->items_count)
		return 0;
	why = members->items_count == 1
		      ? (int)NSN_WHY_SINGLE
		      : nsn_pci__why(pci, members->items, members->items_count, &reason);
	if (why < 0)
		return nsn_collect__missing(sink, "groups.why", number, "%s", reason);
	NSN_PUT(rec, sys_group, why, (uint64_t)why);
	return 0;
}

/* The kind of its default domain, as the kernel names it: "DMA", "DMA-FQ", "identity", … */
static int put_type(const char *root, struct nsn_sink *sink, const char *number,
		    struct nsn_rec_sys_group *rec)
{
	char path[NSN_PATH_LEN], text[64], why[128];
	long length;

	nsn_format(path, sizeof(path), GROUPS "/%s/type", number);
	length = nsn_read_file(root, path, text, sizeof(text));
	if (length > 0) {
		NSN_PUT_STR(rec, sys_group, type, text);
		return 0;
	}
	nsn_collect__why(why, sizeof(why), length ? (int)length : ENODATA, "read access to /sys");
	return nsn_collect__missing(sink, "groups.default_kind", number, "%s: %s", path, why);
}

static int emit_group(const char *root, struct nsn_sink *sink, struct nsn_pci *pci,
		      const char *number, uint64_t group_id)
{
	char path[NSN_PATH_LEN], folder[2 * NSN_PATH_LEN], why[128];
	struct nsn_names members = { 0 };
	NSN_NEW(rec, SYS_GROUP, sys_group);
	int err, listed;

	NSN_PUT(&rec, sys_group, group_id, group_id);
	nsn_format(path, sizeof(path), GROUPS "/%s/devices", number);
	listed = nsn_names__list(&members, root, path);
	if (listed == -ENOMEM)
		return listed;
	err = put_type(root, sink, number, &rec);
	if (!err && listed)
		err = nsn_collect__missing(
			sink, "groups.devices", number, "%s: %s", path,
			nsn_collect__why(why, sizeof(why), listed, "read access to /sys"));
	if (!err)
		err = put_why(sink, pci, &members, number, &rec);
	for (size_t i = 0; !err && i < members.items_count; i++) {
		nsn_format(folder, sizeof(folder), "%s/%s", path, members.items[i]);
		err = emit_member(root, sink, pci, folder, members.items[i]);
	}
	nsn_names__free(&members);
	return err ? err : nsn_sink__put(sink, &rec.h);
}

int nsn_sysfs__groups(const char *root, struct nsn_sink *sink, struct nsn_pci *pci)
{
	struct nsn_names groups = { 0 };
	int err, listed;

	listed = nsn_names__list(&groups, root, GROUPS);
	err = listed == -ENOMEM
		      ? listed
		      : nsn_sysfs__source(root, sink, "sysfs.groups", GROUPS, listed,
					  groups.items_count, "no device is in an IOMMU group");
	for (size_t i = 0; !err && i < groups.items_count; i++) {
		uint64_t group_id;

		if (!nsn_parse_u64(groups.items[i], &group_id))
			err = emit_group(root, sink, pci, groups.items[i], group_id);
	}
	nsn_names__free(&groups);
	return err;
}
