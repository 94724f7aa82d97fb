/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect_pci_internal.h - what collect_pci.c (records) and collect_pci_config.c (configuration
 * space) share. Floor 2.
 */
#ifndef NSN_COLLECT_PCI_INTERNAL_H
#define NSN_COLLECT_PCI_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect_util.h"

/* How far a device's configuration space could be read. */
enum pci_config_state {
	PCI_CONFIG_UNTRIED,
	PCI_CONFIG_FAILED, /* nothing is known; reason says why */
	PCI_CONFIG_ASLEEP, /* reading would wake it, or the port above it */
	PCI_CONFIG_HEADER, /* the first 64 bytes: all that the kernel shows without CAP_SYS_ADMIN */
	PCI_CONFIG_WHOLE,  /* at least the first 256 bytes */
};

struct pci_node {
	char bdf[NSN_NAME_LEN];
	char parent[NSN_NAME_LEN];      /* the bridge above; "" on a root bus */
	char physfn[NSN_NAME_LEN];      /* "" if it is no VF */
	char power_state[NSN_NAME_LEN]; /* "" unknown */
	unsigned int domain, bus, slot, function;
	enum pci_config_state state;
	enum nsn_tri bridge; /* by the header type */
	enum nsn_tri pcie;   /* it has a PCI Express capability */
	enum nsn_tri nosnoop;
	enum nsn_tri ats;
	unsigned int pcie_type; /* PCI_EXP_TYPE_*, if pcie */
	bool express;           /* the kernel takes it for PCI Express */
	const char *reason;     /* why something above is unknown; static */
	const char *ats_reason; /* the same for ats */
};

struct pci_access;

struct nsn_pci {
	const char *root;
	struct nsn_sink *sink;
	struct pci_access *access; /* NULL: libpci could not be set up */
	struct pci_node *nodes;    /* sorted by address */
	size_t nodes_count, nodes_capacity;
	bool header_only; /* a device showed only 64 bytes */
};

/* Sets up libpci for pci->root. 0, or -errno with pci->access NULL. */
int nsn_pci__open(struct nsn_pci *pci);
void nsn_pci__close(struct nsn_pci *pci);

/* Reads what is to be known from a node's configuration space, once. */
void nsn_pci__read_config(struct nsn_pci *pci, struct pci_node *node);

/* "vendor device" by pci.ids into out; false if libpci could not tell. */
bool nsn_pci__name(struct nsn_pci *pci, uint16_t vendor, uint16_t device, char *out, size_t size);

#endif /* NSN_COLLECT_PCI_INTERNAL_H */
