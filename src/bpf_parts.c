// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpf_parts.c - which subsystems this kernel has, which of them BPF can read, and why not. Floor 2.
 */
#include "bpf_internal.h"

#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "kallsyms.h"
#include "log.h"
#include "probes.h"

__attribute__((format(printf, 2, 0))) static int print_libbpf(enum libbpf_print_level level,
							      const char *format, va_list args)
{
	if (nsn_log__level() < NSN_LOG_DEBUG || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

void nsn_bpf__set_state(struct nsn_bpf *bpf, enum nsn_bpf_part part, enum nsn_source_state state,
			const char *reason)
{
	bpf->states[part].state = state;
	nsn_utf8_copy(bpf->states[part].reason, sizeof(bpf->states[part].reason), reason);
}

/* A reason that names the object and what to do about it. */
static void set_failure(struct nsn_bpf *bpf, enum nsn_bpf_part part, const char *what, int err)
{
	struct nsn_bpf_state *state = &bpf->states[part];

	state->state = NSN_SOURCE_FAILED;
	if (err == -EPERM)
		nsn_format(state->reason, sizeof(state->reason),
			   "%s: no permission to use BPF: needs CAP_SYS_ADMIN (run as root)", what);
	else if (err == -ENOKEY)
		nsn_format(state->reason, sizeof(state->reason),
			   "%s: kernel addresses are hidden: needs CAP_SYSLOG, and the sysctl "
			   "kernel.kptr_restrict below 2",
			   what);
	else if (err == -ENOENT || err == -ESRCH)
		nsn_format(state->reason, sizeof(state->reason),
			   "%s: this kernel has no BTF for it (%s); see nosnoop doctor", what,
			   nsn_errno_name(err));
	else
		nsn_format(state->reason, sizeof(state->reason),
			   "%s: BPF program could not be loaded (%s); see nosnoop doctor", what,
			   nsn_errno_name(err));
	nsn_info("%s", state->reason);
}

bool nsn_folder_has_entries(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool any = false;

	while (folder && !any && (entry = readdir(folder)))
		any = entry->d_name[0] != '.';
	if (folder)
		closedir(folder);
	return any;
}

static void open_part(struct nsn_bpf *bpf, enum nsn_bpf_part part, enum object_id id,
		      const char *what)
{
	int err = nsn_bpf__where(bpf, id) == bpf->whole ? 0 : nsn_bpf__open_object(bpf, id);

	if (err)
		set_failure(bpf, part, what, err);
	else
		nsn_bpf__set_state(bpf, part, NSN_SOURCE_OK, "");
}

/*
 * Which subsystems this kernel has now, by a function that each must have. A subsystem is there if
 * any of its symbols is.
 */
static const struct {
	enum nsn_bpf_part part;
	enum nsn_symbol symbols[3]; /* repeated if there are fewer */
	const char *absent;
} subsystems[] = {
	{ NSN_PART_KVM,
	  { NSN_SYM_KVM_VM_RELEASE, NSN_SYM_KVM_VM_RELEASE, NSN_SYM_KVM_VM_RELEASE },
	  "KVM is not loaded" },
	{ NSN_PART_VFIO,
	  { NSN_SYM_VFIO_CONTAINER_RELEASE, NSN_SYM_VFIO_GROUP_RELEASE,
	    NSN_SYM_VFIO_DEVICE_RELEASE },
	  "VFIO is not loaded" },
	{ NSN_PART_TYPE1,
	  { NSN_SYM_TYPE1_ATTACH, NSN_SYM_TYPE1_ATTACH, NSN_SYM_TYPE1_ATTACH },
	  "vfio_iommu_type1 is not loaded" },
	{ NSN_PART_IOMMUFD,
	  { NSN_SYM_IOMMUFD_RELEASE, NSN_SYM_IOMMUFD_RELEASE, NSN_SYM_IOMMUFD_RELEASE },
	  "iommufd is not loaded" },
	{ NSN_PART_VDPA,
	  { NSN_SYM_VDPA_RELEASE, NSN_SYM_VDPA_RELEASE, NSN_SYM_VDPA_RELEASE },
	  "vhost_vdpa is not loaded" },
};

static bool has_groups(void)
{
	return nsn_folder_has_entries("/sys/kernel/iommu_groups");
}

/* Marks as absent what this kernel does not have; `has` answers for one symbol. */
static void find_absent(struct nsn_bpf *bpf,
			bool (*has)(const void *context, enum nsn_symbol symbol),
			const void *context)
{
	for (size_t i = 0; i < NSN_ARRAY_SIZE(subsystems); i++) {
		const enum nsn_symbol *symbols = subsystems[i].symbols;

		if (!has(context, symbols[0]) && !has(context, symbols[1]) &&
		    !has(context, symbols[2]))
			nsn_bpf__set_state(bpf, subsystems[i].part, NSN_SOURCE_ABSENT,
					   subsystems[i].absent);
	}
	if (!has_groups())
		nsn_bpf__set_state(bpf, NSN_PART_IOMMU, NSN_SOURCE_ABSENT,
				   "there is no IOMMU group");
}

static bool resolved(const void *context, enum nsn_symbol symbol)
{
	return nsn_bpf__symbol(context, symbol) != 0;
}

static bool listed(const void *context, enum nsn_symbol symbol)
{
	return nsn_kallsyms__find(context, nsn_symbol_rows[symbol].name) != NULL;
}

/* Without BPF: anyone may read the names of kallsyms, and "not loaded" is worth knowing. */
static void find_absent_by_kallsyms(struct nsn_bpf *bpf)
{
	struct nsn_kallsyms kallsyms = { 0 };
	int err = 0;

	for (size_t i = 0; i < NSN_SYM_MAX && !err; i++)
		err = nsn_kallsyms__want(&kallsyms, nsn_symbol_rows[i].name);
	if (!err && nsn_kallsyms__read(&kallsyms, "/proc/kallsyms") == 0)
		find_absent(bpf, listed, &kallsyms);
	nsn_kallsyms__free(&kallsyms);
}

/* Loads what is needed for the subsystems that this kernel has now. */
static void open_parts(struct nsn_bpf *bpf)
{
	for (size_t i = 0; i < NSN_PART_MAX; i++)
		nsn_bpf__set_state(bpf, i, NSN_SOURCE_OK, "");
	find_absent(bpf, resolved, bpf);
	if (bpf->states[NSN_PART_KVM].state == NSN_SOURCE_OK)
		open_part(bpf, NSN_PART_KVM, OBJECT_KVM, "KVM");
	if (bpf->states[NSN_PART_VFIO].state == NSN_SOURCE_OK) {
		open_part(bpf, NSN_PART_VFIO, OBJECT_VFIO, "VFIO");
		if (bpf->states[NSN_PART_VFIO].state == NSN_SOURCE_FAILED &&
		    bpf->states[NSN_PART_TYPE1].state == NSN_SOURCE_OK)
			nsn_bpf__set_state(bpf, NSN_PART_TYPE1, NSN_SOURCE_FAILED,
					   bpf->states[NSN_PART_VFIO].reason);
	}
	if (bpf->states[NSN_PART_IOMMU].state == NSN_SOURCE_OK)
		open_part(bpf, NSN_PART_IOMMU, OBJECT_IOMMU, "the IOMMU core");
	if (bpf->states[NSN_PART_IOMMUFD].state == NSN_SOURCE_OK)
		open_part(bpf, NSN_PART_IOMMUFD, OBJECT_IOMMUFD, "iommufd");
	if (bpf->states[NSN_PART_VDPA].state == NSN_SOURCE_OK)
		open_part(bpf, NSN_PART_VDPA, OBJECT_VDPA, "vhost-vdpa");
}

/* Modules without BTF: their symbols are there, their structures cannot be read. A walk over none tells. */
static void check_types(struct nsn_bpf *bpf)
{
	struct nsn_records none;
	int err;

	nsn_records__init(&none);
	err = nsn_bpf__walk(bpf, NSN_WALK_CONTAINERS, 0, NULL, 0, &none);
	if (err && bpf->states[NSN_PART_TYPE1].state == NSN_SOURCE_OK)
		set_failure(bpf, NSN_PART_TYPE1, "vfio_iommu_type1", err);
	nsn_records__free(&none);
}

int nsn_bpf__open(struct nsn_bpf **out)
{
	static const char *const sources[NSN_PART_MAX] = {
		"kernel.files", "kernel.kvm",     "kernel.vfio", "kernel.type1",
		"kernel.iommu", "kernel.iommufd", "kernel.vdpa",
	};
	struct nsn_bpf *bpf = calloc(1, sizeof(*bpf));
	int err;

	if (!bpf)
		return -ENOMEM;
	libbpf_set_print(print_libbpf);
	for (size_t i = 0; i < NSN_PART_MAX; i++)
		bpf->states[i].source = sources[i];
	err = nsn_bpf__open_whole(bpf);
	/* a verifier that refuses a program says EACCES; without the capabilities it is EPERM */
	if (err && err != -EPERM && err != -ENOKEY) {
		nsn_info("not all programs can be loaded as one (%s): one part after the other",
			 nsn_errno_name(err));
		err = nsn_bpf__open_object(bpf, OBJECT_FILES);
	}
	if (err) {
		for (size_t i = 0; i < NSN_PART_MAX; i++)
			set_failure(bpf, i, "the kernel's objects", err);
		find_absent_by_kallsyms(bpf);
	} else {
		open_parts(bpf);
		check_types(bpf);
	}
	*out = bpf;
	return 0;
}

bool nsn_bpf__has_new(const struct nsn_bpf *bpf)
{
	return bpf->states[NSN_PART_IOMMU].state == NSN_SOURCE_ABSENT && has_groups();
}

void nsn_bpf__close(struct nsn_bpf *bpf)
{
	if (!bpf)
		return;
	bpf_link__destroy(bpf->files_link);
	for (size_t i = 0; i < OBJECT_MAX; i++)
		nsn_bpf__close_object(&bpf->objects[i], i);
	free(bpf);
}

const struct nsn_bpf_state *nsn_bpf__state(const struct nsn_bpf *bpf, enum nsn_bpf_part part)
{
	return &bpf->states[part];
}
