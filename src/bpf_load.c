// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpf_load.c - loads the BPF programs and runs the walks. Floor 2.
 */
#include "bpf_load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.skel.h"
#include "iommu.skel.h"
#include "kvm.skel.h"
#include "kallsyms.h"
#include "log.h"
#include "probes.h"
#include "vfio.skel.h"

#define RING_SIZE_MAX (256 << 20) /* bytes; a snapshot of more records than that is not believed */

/* What all walk objects have in common: emit.bpf.h gives each these, a program aside. */
struct walk_object {
	struct bpf_object *object;
	void *skeleton;
	struct ring_buffer *ring;
	uint64_t *symbols;
	uint64_t *batch;
	uint64_t *lost;
	size_t ring_size;
};

enum object_id {
	OBJECT_KVM,
	OBJECT_VFIO,
	OBJECT_IOMMU,
	OBJECT_MAX,
};

struct nsn_bpf {
	struct files_bpf *files;
	struct bpf_link *files_link;
	struct walk_object objects[OBJECT_MAX];
	struct nsn_bpf_state states[NSN_PART_MAX];
	struct nsn_records *out; /* where the ring buffer's callback puts records */
	int out_error;
};

static const struct {
	enum object_id object;
	const char *program;
} walks[NSN_WALK_MAX] = {
	[NSN_WALK_VMS] = { OBJECT_KVM, "walk_vms" },
	[NSN_WALK_VFIO_GROUPS] = { OBJECT_VFIO, "walk_vfio_groups" },
	[NSN_WALK_VFIO_DEVICES] = { OBJECT_VFIO, "walk_vfio_devices" },
	[NSN_WALK_CONTAINERS] = { OBJECT_VFIO, "walk_containers" },
	[NSN_WALK_GROUPS] = { OBJECT_IOMMU, "walk_groups" },
	[NSN_WALK_GIVEN_GROUPS] = { OBJECT_IOMMU, "walk_given_groups" },
	[NSN_WALK_DOMAINS] = { OBJECT_IOMMU, "walk_domains" },
};

__attribute__((format(printf, 2, 0))) static int
print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (nsn_log__level() < NSN_LOG_DEBUG || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

static void set_state(struct nsn_bpf *bpf, enum nsn_bpf_part part, enum nsn_source_state state,
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
	if (err == -EPERM || err == -EACCES)
		nsn_format(state->reason, sizeof(state->reason),
			   "%s: no permission to use BPF: needs CAP_SYS_ADMIN (run as root)", what);
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

/* ---- files and symbols ----------------------------------------------------------------------- */

static int run_syscall(const struct bpf_program *program, void *context, size_t size,
		       uint32_t *result)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = context, .ctx_size_in = size);
	int err = bpf_prog_test_run_opts(bpf_program__fd(program), &options);

	*result = options.retval;
	return err;
}

static int resolve_symbols(struct nsn_bpf *bpf)
{
	uint32_t result;

	for (size_t i = 0; i < NSN_SYM_MAX; i++)
		nsn_format(bpf->files->bss->nsn_symbol_names[i], NSN_SYMBOL_LEN, "%s",
			   nsn_symbol_rows[i].name);
	return run_syscall(bpf->files->progs.resolve_symbols, NULL, 0, &result);
}

static int open_files(struct nsn_bpf *bpf)
{
	int err;

	bpf->files = files_bpf__open();
	if (!bpf->files)
		return -errno;
	/* the iterator's object emits through its seq file only */
	bpf_map__set_autocreate(bpf->files->maps.records, false);
	err = files_bpf__load(bpf->files);
	if (err)
		return err;
	err = resolve_symbols(bpf);
	if (err)
		return err;
	bpf->files_link = bpf_program__attach_iter(bpf->files->progs.iterate_files, NULL);
	return bpf->files_link ? 0 : -errno;
}

uint64_t nsn_bpf__symbol(const struct nsn_bpf *bpf, enum nsn_symbol symbol)
{
	return bpf->files ? bpf->files->bss->nsn_symbols[symbol] : 0;
}

/* ---- walk objects ---------------------------------------------------------------------------- */

static int take_record(void *context, void *data, size_t size)
{
	struct nsn_bpf *bpf = context;
	const struct nsn_rec *rec = data;

	if (size < sizeof(*rec) || rec->size > size || rec->kind >= NSN_REC_MAX ||
	    rec->size != nsn_rec_descs[rec->kind].size)
		bpf->out_error = -EPROTO;
	else if (!bpf->out_error)
		bpf->out_error = nsn_records__add(bpf->out, rec);
	return 0;
}

#define OPEN_SKELETON(walk, name)                                                                  \
	({                                                                                         \
		struct name##_bpf *skeleton = name##_bpf__open();                                  \
		int error = skeleton ? 0 : -errno;                                                 \
		(walk)->skeleton = skeleton;                                                       \
		if (skeleton) {                                                                    \
			bpf_map__set_max_entries(skeleton->maps.records, (walk)->ring_size);       \
			error = name##_bpf__load(skeleton);                                        \
		}                                                                                  \
		if (!error) {                                                                      \
			(walk)->object = skeleton->obj;                                            \
			(walk)->symbols = (uint64_t *)skeleton->bss->nsn_symbols;                  \
			(walk)->batch = (uint64_t *)skeleton->bss->nsn_batch;                      \
			(walk)->lost = (uint64_t *)&skeleton->bss->nsn_lost;                       \
		}                                                                                  \
		error;                                                                             \
	})

static void close_object(struct walk_object *walk, enum object_id id)
{
	ring_buffer__free(walk->ring);
	if (id == OBJECT_KVM)
		kvm_bpf__destroy(walk->skeleton);
	else if (id == OBJECT_VFIO)
		vfio_bpf__destroy(walk->skeleton);
	else
		iommu_bpf__destroy(walk->skeleton);
	walk->ring = NULL;
	walk->skeleton = NULL;
	walk->object = NULL;
}

static int open_object(struct nsn_bpf *bpf, enum object_id id)
{
	struct walk_object *walk = &bpf->objects[id];
	int err, map;

	if (!walk->ring_size)
		walk->ring_size = NSN_RING_SIZE;
	err = id == OBJECT_KVM	  ? OPEN_SKELETON(walk, kvm)
	      : id == OBJECT_VFIO ? OPEN_SKELETON(walk, vfio)
				  : OPEN_SKELETON(walk, iommu);
	if (!err) {
		map = bpf_object__find_map_fd_by_name(walk->object, "records");
		walk->ring = ring_buffer__new(map, take_record, bpf, NULL);
		err = walk->ring ? 0 : -errno;
	}
	if (err) {
		close_object(walk, id);
		return err;
	}
	memcpy(walk->symbols, bpf->files->bss->nsn_symbols, sizeof(bpf->files->bss->nsn_symbols));
	return 0;
}

/* Records had no room: the object is loaded anew with a larger buffer. */
static int grow_ring(struct nsn_bpf *bpf, enum object_id id)
{
	struct walk_object *walk = &bpf->objects[id];

	if (walk->ring_size >= RING_SIZE_MAX)
		return -ENOSPC;
	close_object(walk, id);
	walk->ring_size *= 4;
	nsn_info("a walk needs more room: %zu KiB", walk->ring_size / 1024);
	return open_object(bpf, id);
}

static void open_part(struct nsn_bpf *bpf, enum nsn_bpf_part part, enum object_id id,
		      const char *what)
{
	int err = open_object(bpf, id);

	if (err)
		set_failure(bpf, part, what, err);
	else
		set_state(bpf, part, NSN_SOURCE_OK, "");
}

static bool folder_has_entries(const char *path)
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

/* Marks as absent what this kernel does not have; `has` answers for one symbol. */
static void find_absent(struct nsn_bpf *bpf, bool (*has)(const void *context, enum nsn_symbol symbol),
			const void *context)
{
	for (size_t i = 0; i < NSN_ARRAY_SIZE(subsystems); i++) {
		const enum nsn_symbol *symbols = subsystems[i].symbols;

		if (!has(context, symbols[0]) && !has(context, symbols[1]) &&
		    !has(context, symbols[2]))
			set_state(bpf, subsystems[i].part, NSN_SOURCE_ABSENT,
				  subsystems[i].absent);
	}
	if (!folder_has_entries("/sys/kernel/iommu_groups"))
		set_state(bpf, NSN_PART_IOMMU, NSN_SOURCE_ABSENT, "there is no IOMMU group");
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
		set_state(bpf, i, NSN_SOURCE_OK, "");
	set_state(bpf, NSN_PART_IOMMUFD, NSN_SOURCE_FAILED,
		  "iommufd's objects are not read by this version");
	find_absent(bpf, resolved, bpf);
	if (bpf->states[NSN_PART_KVM].state == NSN_SOURCE_OK)
		open_part(bpf, NSN_PART_KVM, OBJECT_KVM, "KVM");
	if (bpf->states[NSN_PART_VFIO].state == NSN_SOURCE_OK) {
		open_part(bpf, NSN_PART_VFIO, OBJECT_VFIO, "VFIO");
		if (bpf->states[NSN_PART_VFIO].state == NSN_SOURCE_FAILED &&
		    bpf->states[NSN_PART_TYPE1].state == NSN_SOURCE_OK)
			set_state(bpf, NSN_PART_TYPE1, NSN_SOURCE_FAILED,
				  bpf->states[NSN_PART_VFIO].reason);
	}
	if (bpf->states[NSN_PART_IOMMU].state == NSN_SOURCE_OK)
		open_part(bpf, NSN_PART_IOMMU, OBJECT_IOMMU, "the IOMMU core");
}

/* Modules without BTF: their symbols are there, their structures cannot be read. */
static void check_types(struct nsn_bpf *bpf)
{
	struct walk_object *walk = &bpf->objects[OBJECT_VFIO];
	struct bpf_program *program;
	uint32_t result = 0;

	if (!walk->object || bpf->states[NSN_PART_TYPE1].state != NSN_SOURCE_OK)
		return;
	program = bpf_object__find_program_by_name(walk->object, "check_type1");
	if (run_syscall(program, NULL, 0, &result) || result == NSN_WALK_NO_TYPES)
		set_state(bpf, NSN_PART_TYPE1, NSN_SOURCE_FAILED,
			  "vfio_iommu_type1 has no BTF (CONFIG_DEBUG_INFO_BTF_MODULES)");
}

int nsn_bpf__open(struct nsn_bpf **out)
{
	static const char *const sources[NSN_PART_MAX] = {
		"kernel.files", "kernel.kvm",	  "kernel.vfio", "kernel.type1",
		"kernel.iommu", "kernel.iommufd", "kernel.vdpa",
	};
	struct nsn_bpf *bpf = calloc(1, sizeof(*bpf));
	int err;

	if (!bpf)
		return -ENOMEM;
	libbpf_set_print(print_libbpf);
	for (size_t i = 0; i < NSN_PART_MAX; i++)
		bpf->states[i].source = sources[i];
	err = open_files(bpf);
	if (err) {
		for (size_t i = 0; i < NSN_PART_MAX; i++)
			set_failure(bpf, i, "the kernel's objects", err);
		files_bpf__destroy(bpf->files);
		bpf->files = NULL;
		find_absent_by_kallsyms(bpf);
	} else {
		open_parts(bpf);
		check_types(bpf);
	}
	*out = bpf;
	return 0;
}

void nsn_bpf__close(struct nsn_bpf *bpf)
{
	if (!bpf)
		return;
	for (size_t i = 0; i < OBJECT_MAX; i++)
		close_object(&bpf->objects[i], i);
	bpf_link__destroy(bpf->files_link);
	files_bpf__destroy(bpf->files);
	free(bpf);
}

const struct nsn_bpf_state *nsn_bpf__state(const struct nsn_bpf *bpf, enum nsn_bpf_part part)
{
	return &bpf->states[part];
}

/* ---- running --------------------------------------------------------------------------------- */

int nsn_bpf__iterate_files(struct nsn_bpf *bpf, struct nsn_records *out)
{
	/* whole records only: the kernel's seq file never cuts one, a read of a multiple keeps it so */
	static char buffer[512 * sizeof(struct nsn_rec_file)];
	ssize_t got;
	int fd, err = 0;

	if (!bpf->files)
		return 0;
	fd = bpf_iter_create(bpf_link__fd(bpf->files_link));
	if (fd < 0)
		return fd;
	while (!err && (got = read(fd, buffer, sizeof(buffer))) != 0) {
		if (got < 0) {
			err = errno == EAGAIN || errno == EINTR ? 0 : -errno;
			continue;
		}
		if (got % sizeof(struct nsn_rec_file))
			err = -EPROTO;
		for (ssize_t at = 0; at < got && !err; at += sizeof(struct nsn_rec_file))
			err = nsn_records__add(out, (const struct nsn_rec *)(buffer + at));
	}
	close(fd);
	return err;
}

/* One run of a program over a list or a batch; *full tells that records had no room. */
static int run_walk(struct nsn_bpf *bpf, enum nsn_walk_program program, struct nsn_walk_args *args,
		    bool *full)
{
	struct walk_object *walk = &bpf->objects[walks[program].object];
	struct bpf_program *handle =
		bpf_object__find_program_by_name(walk->object, walks[program].program);
	uint32_t result = 0;
	int err;

	*walk->lost = 0;
	err = run_syscall(handle, args, sizeof(*args), &result);
	if (err)
		return err;
	bpf->out_error = 0;
	err = ring_buffer__consume(walk->ring);
	if (err >= 0)
		err = bpf->out_error;
	if (!err && result == NSN_WALK_NO_TYPES)
		err = -ENOENT;
	*full = *walk->lost != 0;
	return err;
}

int nsn_bpf__walk(struct nsn_bpf *bpf, enum nsn_walk_program program, uint64_t head,
		  const uint64_t *addresses, size_t count, struct nsn_records *out)
{
	enum object_id id = walks[program].object;
	size_t done = 0;
	int err = 0;

	bpf->out = out;
	do {
		struct nsn_walk_args args = { .head = head };
		size_t size = out->size, records = out->count;
		bool full = false;

		if (!bpf->objects[id].object)
			return 0;
		args.count = count - done < NSN_BATCH ? count - done : NSN_BATCH;
		if (args.count)
			memcpy(bpf->objects[id].batch, addresses + done,
			       args.count * sizeof(*addresses));
		err = run_walk(bpf, program, &args, &full);
		if (!err && full) {
			out->size = size; /* once more, with room for all */
			out->count = records;
			err = grow_ring(bpf, id);
			if (err)
				return err;
			continue;
		}
		done += args.count;
		if (!args.count)
			break;
	} while (!err && done < count);
	return err;
}
