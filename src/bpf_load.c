// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpf_load.c - loads the BPF programs and runs the walks. Floor 2.
 */
#include "bpf_internal.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "all.skel.h"
#include "base.skel.h"
#include "bpf_target.h"
#include "bpftry.h"
#include "btfslim.h"
#include "files.skel.h"
#include "iommu.skel.h"
#include "iommufd.skel.h"
#include "kvm.skel.h"
#include "log.h"
#include "probes.h"
#include "vdpa.skel.h"
#include "vfio.skel.h"

#define RING_SIZE_MAX (256 << 20) /* bytes; a snapshot of more records than that is not believed */

static const struct {
	enum nsn_bpf_part part;
	enum object_id object; /* unless all is in one */
	const char *program;
	enum nsn_class class; /* that it describes */
} walks[NSN_WALK_MAX] = {
	[NSN_WALK_VMS] = { NSN_PART_KVM, OBJECT_KVM, "walk_vms", NSN_CLASS_VM },
	[NSN_WALK_VFIO_GROUPS] = { NSN_PART_VFIO, OBJECT_VFIO, "walk_vfio", NSN_CLASS_VFIO_GROUP },
	[NSN_WALK_VFIO_DEVICES] = { NSN_PART_VFIO, OBJECT_VFIO, "walk_vfio",
				    NSN_CLASS_VFIO_DEVICE },
	[NSN_WALK_CONTAINERS] = { NSN_PART_VFIO, OBJECT_VFIO, "walk_containers",
				  NSN_CLASS_CONTAINER },
	[NSN_WALK_GROUPS] = { NSN_PART_IOMMU, OBJECT_IOMMU, "walk_groups", NSN_CLASS_GROUP },
	[NSN_WALK_DOMAINS] = { NSN_PART_IOMMU, OBJECT_IOMMU, "walk_domains", NSN_CLASS_DOMAIN },
	[NSN_WALK_IOMMUFDS] = { NSN_PART_IOMMUFD, OBJECT_IOMMUFD, "walk_iommufds",
				NSN_CLASS_IOMMUFD },
	[NSN_WALK_VDPAS] = { NSN_PART_VDPA, OBJECT_VDPA, "walk_vdpas", NSN_CLASS_VDPA },
};

enum object_id nsn_bpf__where(const struct nsn_bpf *bpf, enum object_id id)
{
	if (!bpf->objects[bpf->whole].object || (id == OBJECT_VFIO && bpf->without_vfio) ||
	    (id == OBJECT_IOMMU && bpf->without_iommu) ||
	    (id == OBJECT_IOMMUFD && bpf->without_iommufd) ||
	    (id == OBJECT_VDPA && bpf->without_vdpa))
		return id;
	return bpf->whole;
}

/* ---- files and symbols ----------------------------------------------------------------------- */

int nsn_bpf__run(const struct bpf_program *program, void *context, size_t size, uint32_t *result)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = context, .ctx_size_in = size);
	int err = bpf_prog_test_run_opts(bpf_program__fd(program), &options);

	*result = options.retval;
	return err;
}

uint64_t nsn_bpf__symbol(const struct nsn_bpf *bpf, enum nsn_symbol symbol)
{
	return bpf->symbols[symbol];
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

/* Without the types that were picked out, libbpf looks for the function. */
static uint32_t find_iterator(void)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	int id = vmlinux ? btf__find_by_name_kind(vmlinux, NSN_TRY_ITERATOR, BTF_KIND_FUNC) : 0;

	btf__free(vmlinux);
	return id > 0 ? (uint32_t)id : 0;
}

static int aim_iterator(const struct nsn_slim *slim, const struct bpf_program *iterator)
{
	struct nsn_target target = { .id = slim->function_id };

	nsn_targets__clear();
	if (!iterator)
		return 0;
	if (!nsn_slim__path(slim))
		target.id = find_iterator();
	return nsn_targets__add(iterator, &target);
}

/* prepare and iterator know skeleton; prepare runs after it was opened. iterator: its own or NULL. */
#define OPEN_SKELETON(walk, name, slim, prepare, iterator)                                         \
	({                                                                                         \
		LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = nsn_slim__path(slim));  \
		struct name##_bpf *skeleton = name##_bpf__open_opts(&opts);                        \
		int error = skeleton ? 0 : -errno;                                                 \
		(walk)->skeleton = skeleton;                                                       \
		if (!error) {                                                                      \
			prepare;                                                                   \
			bpf_map__set_max_entries(skeleton->maps.records, (walk)->ring_size);       \
			error = nsn_slim__fill(slim, skeleton->obj);                               \
		}                                                                                  \
		if (!error)                                                                        \
			error = aim_iterator(slim, iterator);                                      \
		if (!error)                                                                        \
			error = name##_bpf__load(skeleton);                                        \
		if (!error) {                                                                      \
			(walk)->object = skeleton->obj;                                            \
			(walk)->symbols = (uint64_t *)skeleton->bss->nsn_symbols;                  \
			(walk)->batch = (uint64_t *)skeleton->bss->nsn_batch;                      \
			(walk)->lost = (uint64_t *)&skeleton->bss->nsn_lost;                       \
		}                                                                                  \
		error;                                                                             \
	})

/* One with the programs of files. */
#define OPEN_ROOT(walk, name, slim, prepare)                                                       \
	({                                                                                         \
		int failed =                                                                       \
			OPEN_SKELETON(walk, name, slim, prepare, skeleton->progs.iterate_files);   \
		if (!failed)                                                                       \
			(walk)->names =                                                            \
				((struct name##_bpf *)(walk)->skeleton)->bss->nsn_symbol_names;    \
		failed;                                                                            \
	})

void nsn_bpf__close_object(struct walk_object *walk, enum object_id id)
{
	ring_buffer__free(walk->ring);
	switch (id) {
	case OBJECT_ALL:
		all_bpf__destroy(walk->skeleton);
		break;
	case OBJECT_BASE:
		base_bpf__destroy(walk->skeleton);
		break;
	case OBJECT_FILES:
		files_bpf__destroy(walk->skeleton);
		break;
	case OBJECT_KVM:
		kvm_bpf__destroy(walk->skeleton);
		break;
	case OBJECT_VFIO:
		vfio_bpf__destroy(walk->skeleton);
		break;
	case OBJECT_IOMMUFD:
		iommufd_bpf__destroy(walk->skeleton);
		break;
	case OBJECT_VDPA:
		vdpa_bpf__destroy(walk->skeleton);
		break;
	default:
		iommu_bpf__destroy(walk->skeleton);
		break;
	}
	walk->ring = NULL;
	walk->names = NULL;
	walk->skeleton = NULL;
	walk->object = NULL;
}

static struct bpf_program *program_of(const struct walk_object *walk, const char *name)
{
	return bpf_object__find_program_by_name(walk->object, name);
}

/* Names in, addresses out; every object compares with its own copy of them. */
static int resolve_symbols(struct nsn_bpf *bpf, struct walk_object *walk)
{
	uint32_t result = 0;
	int err;

	for (size_t i = 0; i < NSN_SYM_MAX; i++)
		nsn_format(walk->names[i], NSN_SYMBOL_LEN, "%s", nsn_symbol_rows[i].name);
	err = nsn_bpf__run(program_of(walk, "resolve_symbols"), NULL, 0, &result);
	if (!err && result == NSN_RESOLVE_REFUSED)
		return -ENOKEY; /* kernel.kptr_restrict, or no CAP_SYSLOG */
	if (!err)
		memcpy(bpf->symbols, walk->symbols, sizeof(bpf->symbols));
	return err;
}

/* The iterator and the symbols, in the object that has them. */
static int start_files(struct nsn_bpf *bpf, struct walk_object *walk)
{
	struct bpf_link *link;
	int err = resolve_symbols(bpf, walk);

	if (err)
		return err;
	link = bpf_program__attach_iter(program_of(walk, "iterate_files"), NULL);
	if (!link)
		return -errno;
	bpf_link__destroy(bpf->files_link);
	bpf->files_link = link;
	return 0;
}

/*
 * What is plainly not there. What is there although sysfs does not show it is loaded by itself later.
 */
static void find_missing(struct nsn_bpf *bpf)
{
	bpf->without_vfio = access("/sys/module/vfio", F_OK) && access("/sys/class/vfio", F_OK) &&
			    access("/sys/class/vfio-dev", F_OK) &&
			    access("/sys/class/misc/vfio", F_OK);
	bpf->without_iommu = !nsn_folder_has_entries("/sys/kernel/iommu_groups");
	bpf->without_iommufd = access("/sys/class/misc/iommu", F_OK);
	bpf->without_vdpa = access("/sys/bus/vdpa", F_OK);
	bpf->whole = bpf->without_iommufd && bpf->without_vdpa ? OBJECT_BASE : OBJECT_ALL;
}

/* The kernel verifies each program that is loaded: those for what is not there stay out. */
static void trim(const struct nsn_bpf *bpf, const struct bpf_object *object)
{
	const struct {
		const char *program;
		bool out;
	} rows[] = {
		{ "walk_vfio", bpf->without_vfio },        { "walk_containers", bpf->without_vfio },
		{ "walk_groups", bpf->without_iommu },     { "walk_domains", bpf->without_iommu },
		{ "walk_iommufds", bpf->without_iommufd }, { "walk_vdpas", bpf->without_vdpa },
	};

	for (size_t i = 0; i < NSN_ARRAY_SIZE(rows); i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(object, rows[i].program);

		if (program)
			bpf_program__set_autoload(program, !rows[i].out);
	}
}

static int load_with(struct nsn_bpf *bpf, struct walk_object *walk, enum object_id id,
		     struct nsn_slim *slim)
{
	switch (id) {
	case OBJECT_ALL:
		return OPEN_ROOT(walk, all, slim, trim(bpf, skeleton->obj));
	case OBJECT_BASE:
		return OPEN_ROOT(walk, base, slim, trim(bpf, skeleton->obj));
	case OBJECT_FILES:
		return OPEN_ROOT(walk, files, slim, (void)0);
	case OBJECT_KVM:
		return OPEN_SKELETON(walk, kvm, slim, (void)0, NULL);
	case OBJECT_VFIO:
		return OPEN_SKELETON(walk, vfio, slim, (void)0, NULL);
	case OBJECT_IOMMUFD:
		return OPEN_SKELETON(walk, iommufd, slim, (void)0, NULL);
	case OBJECT_VDPA:
		return OPEN_SKELETON(walk, vdpa, slim, (void)0, NULL);
	default:
		return OPEN_SKELETON(walk, iommu, slim, (void)0, NULL);
	}
}

static int load_object(struct nsn_bpf *bpf, struct walk_object *walk, enum object_id id)
{
	struct nsn_slim slim;
	int err = nsn_targets__register();

	if (err)
		return err;
	if (!walk->ring_size)
		walk->ring_size = NSN_RING_SIZE;
	nsn_slim__open(&slim);
	slim.function = NSN_TRY_ITERATOR;
	err = load_with(bpf, walk, id, &slim);
	if (slim.failed) {
		nsn_bpf__close_object(walk, id);
		nsn_slim__close(&slim);
		err = load_with(bpf, walk, id, &slim);
	}
	nsn_slim__close(&slim);
	return err;
}

int nsn_bpf__open_whole(struct nsn_bpf *bpf)
{
	find_missing(bpf);
	return nsn_bpf__open_object(bpf, bpf->whole);
}

int nsn_bpf__open_object(struct nsn_bpf *bpf, enum object_id id)
{
	struct walk_object *walk = &bpf->objects[id];
	int err = load_object(bpf, walk, id), map;

	if (!err) {
		map = bpf_object__find_map_fd_by_name(walk->object, "records");
		walk->ring = ring_buffer__new(map, take_record, bpf, NULL);
		err = walk->ring ? 0 : -errno;
	}
	if (!err && walk->names)
		err = start_files(bpf, walk);
	else if (!err)
		memcpy(walk->symbols, bpf->symbols, sizeof(bpf->symbols));
	if (err)
		nsn_bpf__close_object(walk, id);
	return err;
}

/*
 * Records had no room: the object is loaded anew with a larger buffer. The one there is stays until then: who
 * may load none any more must not be left with none, and see nothing from then on.
 */
static int grow_ring(struct nsn_bpf *bpf, enum object_id id)
{
	struct walk_object old = bpf->objects[id];
	int err;

	if (old.ring_size >= RING_SIZE_MAX)
		return -ENOSPC;
	bpf->objects[id] = (struct walk_object){ .ring_size = old.ring_size * 4 };
	nsn_info("a walk needs more room: %zu KiB", old.ring_size * 4 / 1024);
	err = nsn_bpf__open_object(bpf, id);
	if (!err) {
		nsn_bpf__close_object(&old, id);
		return 0;
	}
	bpf->objects[id] = old;
	nsn_error("a walk has more records than %zu KiB, and a larger buffer can't be had (%s)",
		  old.ring_size / 1024, nsn_errno_name(err));
	return -ENOBUFS;
}

/* ---- running --------------------------------------------------------------------------------- */

int nsn_bpf__iterate_files(struct nsn_bpf *bpf, struct nsn_records *out)
{
	/* whole records only: the kernel's seq file never cuts one, a read of a multiple keeps it so */
	static char buffer[512 * sizeof(struct nsn_rec_file)];
	ssize_t got;
	int fd, err = 0;

	if (!bpf->files_link)
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
	struct walk_object *walk = &bpf->objects[nsn_bpf__where(bpf, walks[program].object)];
	struct bpf_program *handle = program_of(walk, walks[program].program);
	uint32_t result = 0;
	int err;

	*walk->lost = 0;
	err = nsn_bpf__run(handle, args, sizeof(*args), &result);
	if (err)
		return err;
	bpf->out_error = 0;
	err = ring_buffer__consume(walk->ring);
	if (err >= 0)
		err = bpf->out_error;
	if (!err && result == NSN_WALK_NO_TYPES)
		nsn_bpf__set_state(bpf, walks[program].part, NSN_SOURCE_FAILED,
				   "the module has no BTF (CONFIG_DEBUG_INFO_BTF_MODULES)");
	if (!err && result == NSN_WALK_NO_TYPE1 &&
	    bpf->states[NSN_PART_TYPE1].state == NSN_SOURCE_OK)
		nsn_bpf__set_state(bpf, NSN_PART_TYPE1, NSN_SOURCE_FAILED,
				   "vfio_iommu_type1 has no BTF (CONFIG_DEBUG_INFO_BTF_MODULES)");
	*full = *walk->lost != 0;
	return err;
}

int nsn_bpf__walk(struct nsn_bpf *bpf, enum nsn_walk_program program, uint64_t head,
		  const uint64_t *addresses, size_t count, struct nsn_records *out)
{
	enum object_id id = nsn_bpf__where(bpf, walks[program].object);
	size_t done = 0;
	int err = 0;

	bpf->out = out;
	for (;;) {
		struct nsn_walk_args args = { .head = head, .class = walks[program].class };
		size_t size = out->size, records = out->count;
		bool full = false;

		if (bpf->states[walks[program].part].state != NSN_SOURCE_OK)
			return 0;
		if (!bpf->objects[id].object) /* nobody may take it for a list that is empty */
			return -ENXIO;
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
		if (err || done >= count) /* a list is one run: its count is 0 */
			return err;
	}
}

char *nsn_bpf__library(char *out, size_t size)
{
	return nsn_format(out, size, "%u.%u", libbpf_major_version(), libbpf_minor_version());
}
