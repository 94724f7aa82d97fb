/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * btfcheck.h - does a kernel have a type, a field, an enumerator, a function? Asked of its BTF,
 * the running kernel's or, offline, that of any other.
 *
 * Floor 2. Answers as the loader (libbpf's CO-RE) would: vmlinux first; only if it has no type of
 * that name, all modules, which then must agree.
 */
#ifndef NSN_BTFCHECK_H
#define NSN_BTFCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;
struct nsn_types;

#define NSN_MODULE_LEN 56 /* longest name of a kernel module */

/* NULL without memory. */
struct nsn_types *nsn_types__new(void);
void nsn_types__free(struct nsn_types *types); /* NULL is safe */

/*
 * Adds a kernel part's BTF, vmlinux before all others. Owns btf from then on, in failure too.
 * 0, -ENOMEM or -EEXIST.
 */
int nsn_types__add(struct nsn_types *types, const char *module, struct btf *btf);

/* vmlinux's BTF, NULL before it was added. */
const struct btf *nsn_types__vmlinux(const struct nsn_types *types);

/*
 * Adds all BTF of a folder as /sys/kernel/btf has it: "vmlinux" and a file a module.
 * 0, or -errno with the reason for a person.
 */
int nsn_types__load_live(struct nsn_types *types, const char *folder, char *reason, size_t size);

/*
 * Adds the BTF of a kernel that does not run, from a folder and the folders below it: "vmlinux"
 * (BTF or ELF) and, of the modules that wanted() accepts, raw split BTF ("kvm") or objects
 * ("kvm-intel.ko"). A compressed module is told of in *reason and left out.
 * 0, or -errno with the reason for a person.
 */
int nsn_types__load_folder(struct nsn_types *types, const char *folder,
			   bool (*wanted)(const char *module), char *reason, size_t size);

bool nsn_types__has_module(const struct nsn_types *types, const char *module);

/* True if BTF has a function of that name; in *module, if not NULL, where. */
bool nsn_types__has_function(struct nsn_types *types, const char *function, const char **module);

/* Where a requirement was found. */
struct nsn_place {
	const char *module;
	uint32_t bit_offset; /* of a field */
	uint32_t bit_size;
	long long value; /* of an enumerator */
};

/*
 * Looks for "type", "type.field", "type.field.field" (through anonymous structs and unions) or
 * "enum.ENUMERATOR". 0; -ENOENT if this kernel has none; -ENOTUNIQ if modules differ on it, which
 * the loader refuses. reason (may be NULL) receives why it was not found.
 */
int nsn_types__find(struct nsn_types *types, const char *requirement, struct nsn_place *place,
		    char *reason, size_t size);

#endif /* NSN_BTFCHECK_H */
