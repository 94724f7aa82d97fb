// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_pci.c - PCI devices as records, and why some share an IOMMU group. Floor 2.
 *
 * What the kernel has already fixed up (ids, class, driver, links) is taken from sysfs; only what
 * sysfs does not tell comes from configuration space (collect_pci_config.c).
 */
#include "collect_pci.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pci/header.h>

#include "collect_pci_internal.h"

#define DEVICES "/sys/bus/pci/devices"

/* Parses dddd:bb:dd.f, as the kernel writes it (a domain may be longer). */
static bool parse_bdf(const char *text, struct pci_node *node)
{
	char again[NSN_NAME_LEN];

	if (sscanf(text, "%8x:%2x:%2x.%1x", &node->domain, &node->bus, &node->slot,
		   &node->function) != 4)
		return false;
	nsn_format(again, sizeof(again), "%04x:%02x:%02x.%x", node->domain, node->bus, node->slot,
		   node->function);
	return !strcmp(again, text) && node->domain <= INT_MAX;
}

static int compare_nodes(const void *a, const void *b)
{
	return strcmp(((const struct pci_node *)a)->bdf, ((const struct pci_node *)b)->bdf);
}

static struct pci_node *find_node(const struct nsn_pci *pci, const char *bdf)
{
	struct pci_node key = { .bdf = "" };

	if (!pci->nodes_count || strlen(bdf) >= sizeof(key.bdf))
		return NULL;
	strcpy(key.bdf, bdf);
	return bsearch(&key, pci->nodes, pci->nodes_count, sizeof(key), compare_nodes);
}

bool nsn_pci__has(const struct nsn_pci *pci, const char *bdf)
{
	return find_node(pci, bdf) != NULL;
}

/* The bridge above a device is the folder that the kernel keeps it in. */
static void read_parent(const char *root, struct pci_node *node)
{
	char full[PATH_MAX], target[PATH_MAX], *name;
	struct pci_node parent;
	ssize_t length;

	nsn_format(full, sizeof(full), "%s" DEVICES "/%s", root, node->bdf);
	length = readlink(full, target, sizeof(target) - 1);
	if (length < 0)
		return;
	target[length] = '\0';
	name = strrchr(target, '/');
	if (!name)
		return;
	*name = '\0';
	name = strrchr(target, '/');
	if (name && parse_bdf(name + 1, &parent))
		strcpy(node->parent, name + 1);
}

static int add_node(struct nsn_pci *pci, const char *name)
{
	struct pci_node node = { .bridge = NSN_UNKNOWN,
				 .pcie = NSN_UNKNOWN,
				 .nosnoop = NSN_UNKNOWN,
				 .ats = NSN_UNKNOWN },
			*added;
	char path[NSN_PATH_LEN];

	if (strlen(name) >= sizeof(node.bdf) || !parse_bdf(name, &node))
		return nsn_collect__missing(pci->sink, "devices", name,
					    "not read: its name is no PCI address");
	added = NSN_APPEND(pci, nodes);
	if (!added)
		return -ENOMEM;
	strcpy(node.bdf, name);
	read_parent(pci->root, &node);
	nsn_format(path, sizeof(path), DEVICES "/%s/physfn", node.bdf);
	nsn_collect__link_name(pci->root, path, node.physfn, sizeof(node.physfn));
	nsn_format(path, sizeof(path), DEVICES "/%s/power_state", node.bdf);
	nsn_read_file(pci->root, path, node.power_state, sizeof(node.power_state));
	*added = node;
	return 0;
}

static int report_source(struct nsn_pci *pci, int listed)
{
	char path[PATH_MAX], why[128];

	if (!listed)
		return nsn_collect__source(pci->sink, "sysfs.pci", NSN_SOURCE_OK, "%s", "");
	nsn_format(path, sizeof(path), "%s/sys/bus", pci->root);
	if (listed == -ENOENT && !access(path, X_OK))
		return nsn_collect__source(pci->sink, "sysfs.pci", NSN_SOURCE_ABSENT,
					   "this machine has no PCI bus");
	return nsn_collect__source(
		pci->sink, "sysfs.pci", NSN_SOURCE_FAILED, DEVICES ": %s",
		nsn_collect__why(why, sizeof(why), listed, "read access to /sys"));
}

int nsn_pci__new(const char *sysroot, struct nsn_sink *sink, struct nsn_pci **out)
{
	struct nsn_pci *pci = calloc(1, sizeof(*pci));
	struct nsn_names names = { 0 };
	int err = 0, listed;

	if (!pci)
		return -ENOMEM;
	pci->root = sysroot;
	pci->sink = sink;
	listed = nsn_names__list(&names, sysroot, DEVICES);
	if (listed == -ENOMEM) {
		err = listed;
		goto out;
	}
	err = report_source(pci, listed);
	for (size_t i = 0; !err && i < names.items_count; i++)
		err = add_node(pci, names.items[i]);
	if (err)
		goto out;
	if (pci->nodes_count) {
		qsort(pci->nodes, pci->nodes_count, sizeof(*pci->nodes), compare_nodes);
		nsn_pci__open(pci); /* if it fails, each device says so */
	}
	*out = pci;
	pci = NULL;
out:
	nsn_names__free(&names);
	nsn_pci__free(pci);
	return err;
}

void nsn_pci__free(struct nsn_pci *pci)
{
	if (!pci)
		return;
	nsn_pci__close(pci);
	free(pci->nodes);
	free(pci);
}

/* A hexadecimal or decimal number from a file of the device. */
static bool read_number(const struct nsn_pci *pci, const char *bdf, const char *file, uint64_t *out)
{
	char path[NSN_PATH_LEN], text[64];

	nsn_format(path, sizeof(path), DEVICES "/%s/%s", bdf, file);
	return nsn_read_file(pci->root, path, text, sizeof(text)) > 0 && !nsn_parse_u64(text, out);
}

/* What a link of the device points at; false if that can't be told ("" is an answer: nothing). */
static bool read_link(const struct nsn_pci *pci, const char *bdf, const char *link, char *out,
		      size_t size)
{
	char path[NSN_PATH_LEN];

	nsn_format(path, sizeof(path), DEVICES "/%s/%s", bdf, link);
	return nsn_collect__link_name(pci->root, path, out, size) >= 0;
}

static bool named = true;

void nsn_pci__set_names(bool wanted)
{
	named = wanted;
}

static int put_identity(struct nsn_pci *pci, const char *bdf, struct nsn_rec_device *rec)
{
	char name[2 * NSN_TEXT_LEN];
	uint64_t vendor, device, class;
	bool has_vendor = read_number(pci, bdf, "vendor", &vendor);
	bool has_device = read_number(pci, bdf, "device", &device);
	bool has_class = read_number(pci, bdf, "class", &class);
	bool has_name = named && has_vendor && has_device &&
			nsn_pci__name(pci, vendor & 0xffff, device & 0xffff, name, sizeof(name));
	const struct {
		bool known;
		const char *fact, *reason;
	} facts[] = {
		{ has_vendor, "devices.vendor_id", "its file in sysfs cannot be read" },
		{ has_device, "devices.device_id", "its file in sysfs cannot be read" },
		{ has_class, "devices.class", "its file in sysfs cannot be read" },
		{ has_name || !named, "devices.name", "libpci cannot tell it" },
	};
	int err = 0;

	NSN_PUT_STR(rec, device, id, bdf);
	NSN_PUT_STR(rec, device, bus, "pci");
	if (has_vendor)
		NSN_PUT(rec, device, vendor_id, vendor & 0xffff);
	if (has_device)
		NSN_PUT(rec, device, device_id, device & 0xffff);
	if (has_class)
		NSN_PUT(rec, device, class, class & 0xffffff);
	if (has_name)
		NSN_PUT_STR(rec, device, name, name);
	for (size_t i = 0; !err && i < NSN_ARRAY_SIZE(facts); i++)
		if (!facts[i].known)
			err = nsn_collect__missing(pci->sink, facts[i].fact, bdf, "%s",
						   facts[i].reason);
	return err;
}

static int put_links(struct nsn_pci *pci, const char *bdf, struct nsn_rec_device *rec)
{
	char text[NSN_PATH_LEN], path[NSN_PATH_LEN];
	uint64_t group;
	long length;
	int err = 0;

	if (read_link(pci, bdf, "driver", text, sizeof(text)))
		NSN_PUT_STR(rec, device, driver, text);
	/* in the place of the link an AMD IOMMU has a folder of its own: it is behind none */
	nsn_format(path, sizeof(path), DEVICES "/%s/iommu", bdf);
	length = nsn_collect__link_name(pci->root, path, text, sizeof(text));
	if (length >= 0 || length == -EINVAL)
		NSN_PUT_STR(rec, device, iommu, text);
	if (read_link(pci, bdf, "physfn", text, sizeof(text)))
		NSN_PUT_STR(rec, device, physfn, text);
	if (!read_link(pci, bdf, "iommu_group", text, sizeof(text)))
		err = nsn_collect__missing(pci->sink, "devices.group", bdf,
					   "its link to its IOMMU group cannot be read");
	else if (text[0] && !nsn_parse_u64(text, &group))
		NSN_PUT(rec, device, group_id, group);
	nsn_format(path, sizeof(path), DEVICES "/%s/driver_override", bdf);
	length = nsn_read_file(pci->root, path, text, sizeof(text));
	if (length >= 0) /* without an override the kernel prints a NULL pointer as a string */
		NSN_PUT_STR(rec, device, driver_override, strcmp(text, "(null)") ? text : "");
	return err;
}

/* Why it is not known whether a device may set No Snoop, and (its own bit) where that is told. */
static int missing_nosnoop(struct nsn_pci *pci, const struct pci_node *node, const char *reason)
{
	char why[NSN_TEXT_LEN];
	int err;

	if (node->physfn[0])
		nsn_format(why, sizeof(why), "of its physical function %s: %s", node->physfn,
			   reason);
	else
		nsn_format(why, sizeof(why), "%s", reason);
	err = nsn_collect__missing(pci->sink, "devices.nosnoop.permitted", node->bdf, "%s", why);
	if (err || node->physfn[0])
		return err;
	return nsn_collect__missing(pci->sink, "devices.nosnoop.source", node->bdf, "%s", why);
}

/*
 * The Enable No Snoop bit. A VF's own is reserved (SR-IOV 1.1, table 3-15: RsvdP for VFs, and the
 * PF's setting governs); the kernel relies on the same for the bit's neighbours in that register
 * (pci_configure_relaxed_ordering() in drivers/pci/probe.c: "PCI_EXP_DEVCTL_RELAX_EN is RsvdP in
 * VFs"). So a VF's is the PF's.
 */
static int put_nosnoop(struct nsn_pci *pci, struct pci_node *node, struct nsn_rec_device *rec)
{
	bool own = !node->physfn[0];
	struct pci_node *governs = own ? node : find_node(pci, node->physfn);

	NSN_PUT_STR(rec, device, nosnoop_bdf, own ? node->bdf : node->physfn);
	if (!own)
		NSN_PUT(rec, device, nosnoop_source, NSN_NOSNOOP_PF);
	if (!governs)
		return missing_nosnoop(pci, node, "it is not there");
	nsn_pci__read_config(pci, governs);
	if (governs->nosnoop != NSN_UNKNOWN) {
		NSN_PUT(rec, device, nosnoop, governs->nosnoop);
		if (own)
			NSN_PUT(rec, device, nosnoop_source, NSN_NOSNOOP_SELF);
		return 0;
	}
	if (own && node->pcie == NSN_NO) {
		NSN_PUT(rec, device, nosnoop_source, NSN_NOSNOOP_NO_PCIE_CAP);
		return 0;
	}
	if (governs->state == PCI_CONFIG_HEADER)
		return 0; /* said once for all of them */
	return missing_nosnoop(pci, node,
			       governs->reason ? governs->reason : "it is no PCI Express device");
}

static bool class_is_bridge(uint64_t class)
{
	unsigned int class_and_subclass = (unsigned int)(class >> 8);

	/* Those that have a bridge's header: PCI-PCI, CardBus, semi-transparent. */
	return class_and_subclass == 0x0604 || class_and_subclass == 0x0607 ||
	       class_and_subclass == 0x0609;
}

static int put_config(struct nsn_pci *pci, struct pci_node *node, struct nsn_rec_device *rec)
{
	int err;

	nsn_pci__read_config(pci, node);
	NSN_PUT(rec, device, asleep, node->state == PCI_CONFIG_ASLEEP);
	if (node->power_state[0])
		NSN_PUT_STR(rec, device, power_state, node->power_state);
	if (node->bridge != NSN_UNKNOWN)
		NSN_PUT(rec, device, bridge, node->bridge);
	else if (NSN_KNOWS(rec, device, class))
		NSN_PUT(rec, device, bridge, class_is_bridge(rec->class));
	err = put_nosnoop(pci, node, rec);
	if (err)
		return err;
	if (node->ats != NSN_UNKNOWN)
		NSN_PUT(rec, device, ats, node->ats);
	else if (node->state != PCI_CONFIG_HEADER)
		err = nsn_collect__missing(pci->sink, "devices.ats", node->bdf, "%s",
					   node->ats_reason);
	return err;
}

static int emit_node(struct nsn_pci *pci, struct pci_node *node)
{
	NSN_NEW(rec, DEVICE, device);
	int err;

	err = put_identity(pci, node->bdf, &rec);
	if (!err)
		err = put_links(pci, node->bdf, &rec);
	if (!err)
		err = put_config(pci, node, &rec);
	return err ? err : nsn_sink__put(pci->sink, &rec.h);
}

int nsn_pci__emit(struct nsn_pci *pci)
{
	static const char *const facts[] = { "devices.nosnoop.permitted", "devices.nosnoop.source",
					     "devices.ats" };
	int err = 0;

	for (size_t i = 0; !err && i < pci->nodes_count; i++)
		err = emit_node(pci, &pci->nodes[i]);
	/* One reason for all devices: without the capability it is the same for each. */
	for (size_t i = 0; !err && pci->header_only && i < NSN_ARRAY_SIZE(facts); i++)
		err = nsn_collect__missing(pci->sink, facts[i], "",
					   "only the first 64 bytes of "
					   "configuration space can be read: needs CAP_SYS_ADMIN");
	return err;
}

/*
 * A bridge between PCI Express and conventional PCI sends what it forwards under its own requester
 * id, or one that stands for all behind it (pci_for_each_dma_alias() in drivers/pci/search.c). So
 * does a conventional bridge.
 */
static int is_alias(struct nsn_pci *pci, const struct pci_node *member, const char **reason)
{
	struct pci_node *bridge = member->parent[0] ? find_node(pci, member->parent) : NULL;

	/* 256 buses: a longer chain is no tree. */
	for (int depth = 0; bridge && depth < 256; depth++) {
		nsn_pci__read_config(pci, bridge);
		if (bridge->pcie == NSN_NO ||
		    (bridge->pcie == NSN_YES && (bridge->pcie_type == PCI_EXP_TYPE_PCI_BRIDGE ||
						 bridge->pcie_type == PCI_EXP_TYPE_PCIE_BRIDGE)))
			return 1;
		if (bridge->pcie == NSN_UNKNOWN) {
			*reason = bridge->reason;
			return -ENODATA;
		}
		bridge = bridge->parent[0] ? find_node(pci, bridge->parent) : NULL;
	}
	return 0;
}

static bool same_slot(const struct pci_node *a, const struct pci_node *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot;
}

int nsn_pci__why(struct nsn_pci *pci, char *const *bdfs, size_t count, const char **reason)
{
	const struct pci_node *first = NULL;
	bool one_slot = true;
	int alias;

	for (size_t i = 0; i < count; i++) {
		const struct pci_node *node = find_node(pci, bdfs[i]);

		if (!node) {
			*reason = "a member of the group was not found on the PCI bus";
			return -ENODATA;
		}
		alias = is_alias(pci, node, reason);
		if (alias)
			return alias < 0 ? alias : NSN_WHY_ALIAS;
		if (!first)
			first = node;
		one_slot = one_slot && same_slot(first, node);
	}
	return one_slot ? NSN_WHY_MULTIFUNCTION : NSN_WHY_ACS;
}
