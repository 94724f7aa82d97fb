// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_pci_config.c - the configuration space of PCI devices, through libpci. Floor 2.
 *
 * libpci opens .../config read-only as long as pci_access.writeable is 0 (lib/sysfs.c). Its error
 * callback must not return: ours jumps back into guarded().
 *
 * Sleeping devices: the kernel resumes the bridge above and, if it is in D3cold, the device itself
 * for each read of config (pci_config_pm_runtime_get() in drivers/pci/pci.c). So neither a device
 * in D3cold nor one below a suspended port is read. One in D3hot below a running port is: its
 * registers answer as it lies.
 */
#include "collect_pci.h"
#include "collect_pci_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pci/pci.h>

#include "log.h"

#define HEADER_SIZE 64
#define SPACE_SIZE  256

static const char reason_header[] =
	"only the first 64 bytes of configuration space can be read: needs CAP_SYS_ADMIN";

/* Where libpci's errors go while guarded() runs. */
static __thread jmp_buf pci_jump;

static void pci_fatal(char *message, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void pci_talk(char *message, ...) __attribute__((format(printf, 1, 2)));

static void pci_fatal(char *message, ...)
{
	char text[512];
	va_list args;

	va_start(args, message);
	vsnprintf(text, sizeof(text), message, args);
	va_end(args);
	nsn_debug("libpci: %s", text);
	longjmp(pci_jump, 1);
}

static void pci_talk(char *message, ...)
{
	char text[512];
	va_list args;

	va_start(args, message);
	vsnprintf(text, sizeof(text), message, args);
	va_end(args);
	nsn_debug("libpci: %s", text);
}

/* Runs a function that calls libpci. false if libpci gave up in it. */
static bool guarded(void (*body)(struct nsn_pci *pci, void *arg), struct nsn_pci *pci, void *arg)
{
	if (setjmp(pci_jump))
		return false;
	body(pci, arg);
	return true;
}

static void open_access(struct nsn_pci *pci, void *arg)
{
	pci->access->error = pci_fatal;
	pci->access->warning = pci_talk;
	pci->access->debug = pci_talk;
	/* Never AUTO: without sysfs that would try I/O ports. */
	pci->access->method = PCI_ACCESS_SYS_BUS_PCI;
	pci->access->writeable = 0;
	pci->access->id_lookup_mode = 0; /* no cache file, no network */
	pci_set_param(pci->access, "sysfs.path", arg);
	pci_init(pci->access);
}

int nsn_pci__open(struct nsn_pci *pci)
{
	char path[PATH_MAX];

	/* libpci builds its names in 1,024 bytes. */
	if (snprintf(path, sizeof(path), "%s/sys/bus/pci", pci->root) > 900)
		return -ENAMETOOLONG;
	pci->access = pci_alloc();
	if (guarded(open_access, pci, path))
		return 0;
	nsn_pci__close(pci);
	return -EIO;
}

static void close_access(struct nsn_pci *pci, void *arg)
{
	(void)arg;
	pci_cleanup(pci->access);
}

void nsn_pci__close(struct nsn_pci *pci)
{
	if (pci->access)
		guarded(close_access, pci, NULL);
	pci->access = NULL;
}

/* The runtime status of a device: "active", "suspended", …; "" without such a file. */
static void read_runtime_status(const char *root, const char *bdf, char *out, size_t size)
{
	char path[NSN_PATH_LEN];

	nsn_format(path, sizeof(path), "/sys/bus/pci/devices/%s/power/runtime_status", bdf);
	nsn_read_file(root, path, out, size);
}

static bool is_suspended(const char *runtime_status)
{
	return !strcmp(runtime_status, "suspended") || !strcmp(runtime_status, "suspending");
}

/* True if reading its configuration space would wake it or the port above it. */
static bool is_asleep(const struct nsn_pci *pci, const struct pci_node *node)
{
	char status[NSN_NAME_LEN];

	if (!strcmp(node->power_state, "D3cold"))
		return true;
	if (node->parent[0]) {
		read_runtime_status(pci->root, node->parent, status, sizeof(status));
		if (is_suspended(status))
			return true;
	}
	read_runtime_status(pci->root, node->bdf, status, sizeof(status));
	/* Kernels before 5.17 do not tell the state: a suspended device may be in D3cold. */
	return !strcmp(status, "suspending") || (!node->power_state[0] && is_suspended(status));
}

/* A device's configuration space while it is read. */
struct config_read {
	struct pci_node *node;
	struct pci_dev *device;
	int fd;                    /* that was opened before; -1: libpci opens the file */
	off_t size;                /* of the file: what the kernel would show to root */
	uint8_t space[SPACE_SIZE]; /* libpci's cache for the device: outlives it */
};

static bool read_bytes(struct config_read *read, int at, void *out, int size)
{
	if (read->fd >= 0)
		return pread(read->fd, out, (size_t)size, at) == size;
	return pci_read_block(read->device, at, out, size);
}

static uint32_t read_long(struct config_read *read, int at)
{
	uint8_t bytes[4];

	if (!read_bytes(read, at, bytes, sizeof(bytes)))
		return 0xffffffff;
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Where an extended capability begins; 0: it has none. The list is a device's word: it may loop. */
static int find_extended(struct config_read *read, uint16_t id)
{
	int at = SPACE_SIZE;

	for (int i = 0; i < (4096 - SPACE_SIZE) / 8; i++) {
		uint32_t header = read_long(read, at);

		if (!header || header == 0xffffffff)
			return 0;
		if ((header & 0xffff) == id)
			return at;
		at = header >> 20 & 0xffc;
		if (at < SPACE_SIZE)
			return 0;
	}
	return 0;
}

/* ATS is enabled in the extended space, which a kernel without ECAM does not reach. */
static void read_ats(struct config_read *read)
{
	struct pci_node *node = read->node;
	uint32_t control = 0;
	int at;

	if (read->size <= SPACE_SIZE) {
		node->ats_reason = "its extended configuration space is not accessible";
		return;
	}
	if (read_long(read, SPACE_SIZE) == 0xffffffff) {
		node->ats_reason = "its extended configuration space does not answer";
		return;
	}
	at = find_extended(read, PCI_EXT_CAP_ID_ATS);
	if (at)
		control = read_long(read, at + 4) >> 16; /* PCI_ATS_CTRL */
	if (control == 0xffff) {
		node->ats_reason = "its extended configuration space does not answer";
		return;
	}
	node->ats = control & PCI_ATS_CTRL_ENABLE ? NSN_YES : NSN_NO;
}

static void read_capabilities(struct config_read *read)
{
	struct pci_node *node = read->node;
	struct pci_dev *device = read->device;
	struct pci_cap *cap = pci_find_cap(device, PCI_CAP_ID_EXP, PCI_CAP_NORMAL);

	if (!cap && node->express) {
		node->reason = "its list of capabilities is broken";
		node->ats_reason = node->reason;
		return;
	}
	node->pcie = cap ? NSN_YES : NSN_NO;
	if (!cap) {
		node->ats = NSN_NO;
		return;
	}
	node->pcie_type =
		(pci_read_word(device, cap->addr + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4;
	node->nosnoop = pci_read_word(device, cap->addr + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_NOSNOOP
				? NSN_YES
				: NSN_NO;
	read_ats(read);
}

/* All ones: nobody answered. (A VF's ids alone are all ones: the rest of its header is not.) */
static bool is_dead(const uint8_t *header)
{
	for (size_t i = 0; i < HEADER_SIZE; i++)
		if (header[i] != 0xff)
			return false;
	return true;
}

static void read_space(struct nsn_pci *pci, void *arg)
{
	struct config_read *read = arg;
	struct pci_node *node = read->node;
	struct pci_dev *device =
		pci_get_dev(pci->access, node->domain, node->bus, node->slot, node->function);

	read->device = device;
	if (!read_bytes(read, 0, read->space, HEADER_SIZE)) {
		node->state = PCI_CONFIG_FAILED;
		node->reason = "its configuration space cannot be read";
		goto out;
	}
	if (is_dead(read->space)) {
		node->state = PCI_CONFIG_FAILED;
		node->reason = "the device does not answer";
		goto out;
	}
	node->state = PCI_CONFIG_HEADER;
	node->bridge = (read->space[PCI_HEADER_TYPE] & 0x7f) ? NSN_YES : NSN_NO;
	if (!(read->space[PCI_STATUS] & PCI_STATUS_CAP_LIST) && !node->express) {
		node->pcie = NSN_NO;
		node->ats = NSN_NO;
		goto out;
	}
	if (!read_bytes(read, HEADER_SIZE, read->space + HEADER_SIZE, SPACE_SIZE - HEADER_SIZE)) {
		pci->header_only = true;
		node->reason = reason_header;
		goto out;
	}
	node->state = PCI_CONFIG_WHOLE;
	pci_setup_cache(device, read->space, SPACE_SIZE);
	read_capabilities(read);
out:
	pci_free_dev(device);
}

/*
 * Descriptors that are kept: the kernel shows the whole space to whoever opened the file with
 * CAP_SYS_ADMIN, and goes on to do so when that is given up.
 */
static struct kept {
	char bdf[sizeof(((struct pci_node *)NULL)->bdf)];
	int fd;
} * kept;
static size_t kept_count, kept_capacity;
static bool keeping;

void nsn_pci__keep_descriptors(void)
{
	keeping = true;
}

/* A kept descriptor of a device's file, opened at its first use; -1: none. */
static int keep(const char *bdf, const char *path)
{
	struct kept *place = NULL;
	uint8_t byte;

	if (!keeping)
		return -1;
	for (size_t i = 0; i < kept_count && !place; i++)
		if (strcmp(kept[i].bdf, bdf) == 0)
			place = &kept[i];
	if (!place) {
		place = nsn_append((void **)&kept, &kept_count, &kept_capacity, sizeof(*kept));
		if (!place)
			return -1;
		nsn_format(place->bdf, sizeof(place->bdf), "%s", bdf);
		place->fd = -1;
	}
	/* of a device that has gone nothing can be read: another one may have its address now */
	if (place->fd >= 0 && pread(place->fd, &byte, 1, 0) == 1)
		return place->fd;
	if (place->fd >= 0)
		close(place->fd);
	place->fd = open(path, O_RDONLY | O_CLOEXEC);
	return place->fd;
}

void nsn_pci__read_config(struct nsn_pci *pci, struct pci_node *node)
{
	struct config_read read = { .node = node, .fd = -1 };
	char path[PATH_MAX];
	struct stat status;

	if (node->state != PCI_CONFIG_UNTRIED)
		return;
	node->state = PCI_CONFIG_FAILED;
	if (is_asleep(pci, node)) {
		node->state = PCI_CONFIG_ASLEEP;
		node->reason = "asleep";
		goto out;
	}
	nsn_format(path, sizeof(path), "%s/sys/bus/pci/devices/%s/config", pci->root, node->bdf);
	if (!pci->access || stat(path, &status) || !S_ISREG(status.st_mode)) {
		node->reason = "its configuration space cannot be opened";
		goto out;
	}
	read.size = status.st_size;
	read.fd = keep(node->bdf, path);
	/* Only PCI Express devices have this file (pcie_dev_attrs_are_visible() in the kernel). */
	nsn_format(path, sizeof(path), "%s/sys/bus/pci/devices/%s/current_link_speed", pci->root,
		   node->bdf);
	node->express = access(path, F_OK) == 0;
	if (!guarded(read_space, pci, &read)) {
		node->state = PCI_CONFIG_FAILED;
		node->reason = "libpci could not read its configuration space";
	}
out:
	if (!node->ats_reason)
		node->ats_reason = node->reason;
}

struct name_lookup {
	uint16_t vendor, device;
	char *out;
	size_t size;
	char *found;
};

static void look_up_name(struct nsn_pci *pci, void *arg)
{
	struct name_lookup *lookup = arg;

	lookup->found = pci_lookup_name(pci->access, lookup->out, (int)lookup->size,
					PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, lookup->vendor,
					lookup->device);
}

/*
 * Names that were found: libpci reads all of pci.ids for the first one of each access, which is too
 * much for a snapshot a second.
 */
static struct known_name {
	uint16_t vendor, device;
	char text[NSN_TEXT_LEN];
} * names;
static size_t names_count, names_capacity;

bool nsn_pci__name(struct nsn_pci *pci, uint16_t vendor, uint16_t device, char *out, size_t size)
{
	struct name_lookup lookup = {
		.vendor = vendor, .device = device, .out = out, .size = size
	};
	struct known_name *name;

	for (size_t i = 0; i < names_count; i++) {
		if (names[i].vendor != vendor || names[i].device != device)
			continue;
		nsn_format(out, size, "%s", names[i].text);
		return true;
	}
	if (!pci->access || !guarded(look_up_name, pci, &lookup) || lookup.found != out)
		return false;
	name = strlen(out) < sizeof(name->text)
		       ? nsn_append((void **)&names, &names_count, &names_capacity, sizeof(*names))
		       : NULL;
	if (name) {
		name->vendor = vendor;
		name->device = device;
		nsn_format(name->text, sizeof(name->text), "%s", out);
	}
	return true;
}
