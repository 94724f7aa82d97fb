// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_bpf.c - one snapshot of the kernel's objects, by BPF. Floor 2.
 *
 * A pass goes from root to leaf: VMs, groups, then what those point at (VFIO groups, containers,
 * domains), each object described once. Two passes in a row are compared object by object.
 */
#include "collect_bpf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "bpf_load.h"
#include "collect_clean.h"
#include "keys.h"
#include "log.h"

#define RETRIES 3

/* ---- sets of addresses ----------------------------------------------------------------------- */

struct address {
	struct {
		uint64_t class;
		uint64_t address;
	} id;
	uint64_t hash; /* of all records that describe the object, in their order */
	UT_hash_handle hh;
};

/* The objects of one pass: seen at all (wanted), or described by records (hash is not 0). */
struct pass {
	struct nsn_records records;
	struct address *objects;
};

static struct address *obtain(struct pass *pass, enum nsn_class class, uint64_t value)
{
	struct address probe = { .id = { .class = class, .address = value } }, *entry;

	HASH_FIND(hh, pass->objects, &probe.id, sizeof(probe.id), entry);
	if (entry || !value)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->id = probe.id;
	HASH_ADD(hh, pass->objects, id, sizeof(entry->id), entry);
	return entry;
}

static void pass_clear(struct pass *pass)
{
	struct address *entry, *next;

	HASH_ITER(hh, pass->objects, entry, next) {
		HASH_DEL(pass->objects, entry);
		free(entry);
	}
	nsn_records__clear(&pass->records);
}

/* The object that a record is part of: its root in the comparison of two passes. */
static bool root_of(const struct nsn_rec *rec, enum nsn_class *class, uint64_t *address)
{
	static const enum nsn_class classes[NSN_REC_MAX] = {
		[NSN_REC_VM] = NSN_CLASS_VM,
		[NSN_REC_VM_FILE] = NSN_CLASS_VM,
		[NSN_REC_VFIO_GROUP] = NSN_CLASS_VFIO_GROUP,
		[NSN_REC_VFIO_DEVICE] = NSN_CLASS_VFIO_DEVICE,
		[NSN_REC_CONTAINER] = NSN_CLASS_CONTAINER,
		[NSN_REC_TYPE1_DOMAIN] = NSN_CLASS_CONTAINER,
		[NSN_REC_TYPE1_GROUP] = NSN_CLASS_CONTAINER,
		[NSN_REC_IOMMUFD] = NSN_CLASS_IOMMUFD,
		[NSN_REC_IOMMUFD_HWPT] = NSN_CLASS_IOMMUFD,
		[NSN_REC_IOMMUFD_DEVICE] = NSN_CLASS_IOMMUFD,
		[NSN_REC_IOMMUFD_PASID] = NSN_CLASS_IOMMUFD,
		[NSN_REC_IOMMUFD_ACCESS] = NSN_CLASS_IOMMUFD,
		[NSN_REC_VDPA] = NSN_CLASS_VDPA,
		[NSN_REC_GROUP] = NSN_CLASS_GROUP,
		[NSN_REC_GROUP_DEVICE] = NSN_CLASS_GROUP,
		[NSN_REC_GROUP_PASID] = NSN_CLASS_GROUP,
		[NSN_REC_DOMAIN] = NSN_CLASS_DOMAIN,
	};

	switch (rec->kind) {
	case NSN_REC_FILE:
	case NSN_REC_KERNEL:
	case NSN_REC_TRUNCATED:
		return false;
	default:
		*class = classes[rec->kind];
		/* the root's key is the first field of each of these lists */
		memcpy(address, rec + 1, sizeof(*address));
		return true;
	}
}

/* FNV-1a over a record; never 0. */
static uint64_t mix(uint64_t hash, const struct nsn_rec *rec)
{
	const unsigned char *bytes = (const void *)rec;

	if (!hash)
		hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < rec->size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash ? hash : 1;
}

/*
 * Who owns a group's DMA and is not VFIO may be an iommufd context that no descriptor shows. The walk
 * over contexts describes it only if it is one.
 */
static int note_owner(struct pass *pass, const struct nsn_rec_group *group)
{
	if (!NSN_KNOWS(group, group, owner) || !NSN_KNOWS(group, group, owner_group) ||
	    !group->owner || group->owner_group)
		return 0;
	return obtain(pass, NSN_CLASS_IOMMUFD, group->owner) ? 0 : -ENOMEM;
}

/* Takes in what walks added since `from`: who it describes, and whom it points at. */
static int digest(struct pass *pass, size_t from)
{
	while (from < pass->records.size) {
		const struct nsn_rec *rec = (const void *)(pass->records.data + from);
		const struct nsn_rec_desc *desc = &nsn_rec_descs[rec->kind];
		struct address *object;
		enum nsn_class class;
		uint64_t address;

		for (size_t i = 0; i < desc->fields_count; i++) {
			if (desc->fields[i].type != NSN_FIELD_KEY || !nsn_rec_knows(rec, i))
				continue;
			memcpy(&address, (const char *)rec + desc->fields[i].offset,
			       sizeof(address));
			if (address && !obtain(pass, desc->fields[i].class, address))
				return -ENOMEM;
		}
		if (rec->kind == NSN_REC_GROUP && note_owner(pass, (const void *)rec))
			return -ENOMEM;
		if (root_of(rec, &class, &address) && address) {
			object = obtain(pass, class, address);
			if (!object)
				return -ENOMEM;
			object->hash = mix(object->hash, rec);
		}
		from += rec->size;
	}
	return 0;
}

/* ---- one pass -------------------------------------------------------------------------------- */

static int walk_list(struct nsn_bpf *bpf, struct pass *pass, enum nsn_walk_program program,
		     uint64_t head)
{
	size_t from = pass->records.size;
	int err = nsn_bpf__walk(bpf, program, head, NULL, 0, &pass->records);

	return err ? err : digest(pass, from);
}

/* Describes the objects of a class that were pointed at and not described yet. */
static int walk_wanted(struct nsn_bpf *bpf, struct pass *pass, enum nsn_walk_program program,
		       enum nsn_class class)
{
	size_t from = pass->records.size, count = 0, capacity = 0;
	struct address *entry, *next;
	uint64_t *addresses = NULL, *grown;
	int err = 0;

	HASH_ITER(hh, pass->objects, entry, next) {
		if (entry->id.class != class || entry->hash)
			continue;
		grown = nsn_grow(addresses, count, &capacity, sizeof(*addresses));
		if (!grown) {
			err = -ENOMEM;
			goto out;
		}
		addresses = grown;
		addresses[count++] = entry->id.address;
	}
	if (count)
		err = nsn_bpf__walk(bpf, program, 0, addresses, count, &pass->records);
	if (!err)
		err = digest(pass, from);
out:
	free(addresses);
	return err;
}

static int make_pass(struct nsn_bpf *bpf, const struct nsn_records *files, struct pass *pass)
{
	static const struct {
		enum nsn_walk_program program;
		enum nsn_class class;
	} steps[] = {
		{ NSN_WALK_VFIO_GROUPS, NSN_CLASS_VFIO_GROUP },
		{ NSN_WALK_VFIO_DEVICES, NSN_CLASS_VFIO_DEVICE },
		{ NSN_WALK_VFIO_GROUPS, NSN_CLASS_VFIO_GROUP }, /* those of such devices */
		{ NSN_WALK_CONTAINERS, NSN_CLASS_CONTAINER },
		{ NSN_WALK_IOMMUFDS, NSN_CLASS_IOMMUFD },
		{ NSN_WALK_VDPAS, NSN_CLASS_VDPA },
		{ NSN_WALK_GROUPS, NSN_CLASS_GROUP },
		{ NSN_WALK_DOMAINS, NSN_CLASS_DOMAIN },
	};
	int err = 0;

	pass_clear(pass);
	for (const struct nsn_rec *rec = nsn_records__next(files, NULL); rec && !err;
	     rec = nsn_records__next(files, rec))
		err = nsn_records__add(&pass->records, rec);
	if (!err)
		err = digest(pass, 0);
	if (!err)
		err = walk_list(bpf, pass, NSN_WALK_VMS, nsn_bpf__symbol(bpf, NSN_SYM_VM_LIST));
	if (!err && !nsn_bpf__symbol(bpf, NSN_SYM_VM_LIST))
		err = walk_wanted(bpf, pass, NSN_WALK_VMS, NSN_CLASS_VM);
	if (!err)
		err = walk_list(bpf, pass, NSN_WALK_GROUPS, 0);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(steps) && !err; i++)
		err = walk_wanted(bpf, pass, steps[i].program, steps[i].class);
	return err;
}

/* ---- agreement ------------------------------------------------------------------------------- */

/* Objects that two passes do not agree on; with `torn`, a record for each goes there. */
static size_t compare(struct pass *before, struct pass *now, struct nsn_records *torn)
{
	struct address *entry, *next, *other;
	size_t differ = 0;

	HASH_ITER(hh, now->objects, entry, next) {
		NSN_NEW(rec, TORN, torn);

		HASH_FIND(hh, before->objects, &entry->id, sizeof(entry->id), other);
		if (entry->hash == (other ? other->hash : 0))
			continue;
		differ++;
		if (!torn)
			continue;
		switch (entry->id.class) {
		case NSN_CLASS_VM:
			NSN_PUT(&rec, torn, vm, entry->id.address);
			break;
		case NSN_CLASS_CONTAINER:
			NSN_PUT(&rec, torn, container, entry->id.address);
			break;
		case NSN_CLASS_VFIO_GROUP:
			NSN_PUT(&rec, torn, vfio_group, entry->id.address);
			break;
		case NSN_CLASS_VFIO_DEVICE:
			NSN_PUT(&rec, torn, vfio_device, entry->id.address);
			break;
		case NSN_CLASS_GROUP:
			NSN_PUT(&rec, torn, group, entry->id.address);
			break;
		case NSN_CLASS_IOMMUFD:
			NSN_PUT(&rec, torn, iommufd, entry->id.address);
			break;
		case NSN_CLASS_VDPA:
			NSN_PUT(&rec, torn, vdpa, entry->id.address);
			break;
		default:
			NSN_PUT(&rec, torn, domain, entry->id.address);
			break;
		}
		if (nsn_records__add(torn, &rec.h))
			nsn_debug("no memory to tell that an object was torn");
	}
	return differ;
}

/* Passes until two in a row agree, at most RETRIES + 2; the last is in *now. */
static int agree(struct nsn_bpf *bpf, struct nsn_records *files, struct pass *before,
		 struct pass *now, struct nsn_records *torn)
{
	struct pass swap;
	int err = make_pass(bpf, files, now);

	for (int retry = 0; retry <= RETRIES && !err; retry++) {
		swap = *before;
		*before = *now;
		*now = swap;
		if (retry) { /* what moved may have other descriptors now */
			nsn_records__clear(files);
			err = nsn_bpf__iterate_files(bpf, files);
		}
		if (!err)
			err = make_pass(bpf, files, now);
		if (err || !compare(before, now, NULL))
			return err;
	}
	if (!err)
		nsn_info("%zu objects changed while they were read", compare(before, now, torn));
	return err;
}

/* ---- what leaves the collector --------------------------------------------------------------- */

struct nsn_collect_bpf {
	struct nsn_bpf *bpf;
	struct nsn_keys *keys;
	struct pass before, now;
	struct nsn_records files, torn;
	struct nsn_modules modules; /* before they were looked at */
};

/* A VM at an address that another had before is told by who made it and when. */
static int identify_vms(struct nsn_collect_bpf *collector)
{
	const struct nsn_records *records = &collector->now.records;
	int err = 0;

	for (const struct nsn_rec *rec = nsn_records__next(records, NULL); rec && !err;
	     rec = nsn_records__next(records, rec)) {
		const struct nsn_rec_vm *vm = (const void *)rec;

		struct nsn_identity identity;

		if (rec->kind != NSN_REC_VM)
			continue;
		/* of one whose process has exited, the start is not known any more */
		identity = (struct nsn_identity){ .who = vm->creator, .since = vm->start_ticks };
		err = nsn_keys__identify(collector->keys, NSN_CLASS_VM, vm->vm, identity);
	}
	return err;
}

static int emit(struct nsn_collect_bpf *collector, const struct nsn_records *records,
		struct nsn_sink *sink)
{
	union {
		struct nsn_rec h;
		char bytes[2048];
	} copy;
	int err = 0;

	for (const struct nsn_rec *rec = nsn_records__next(records, NULL); rec && !err;
	     rec = nsn_records__next(records, rec)) {
		memcpy(&copy, rec, rec->size);
		nsn_collect__clean(&copy.h);
		err = nsn_keys__translate(collector->keys, &copy.h);
		if (!err)
			err = nsn_sink__put(sink, &copy.h);
	}
	return err;
}

static int emit_states(struct nsn_collect_bpf *collector, struct nsn_sink *sink)
{
	int err = 0;

	for (size_t i = 0; i < NSN_PART_MAX && !err; i++) {
		const struct nsn_bpf_state *state = nsn_bpf__state(collector->bpf, i);
		NSN_NEW(rec, SOURCE, source);

		NSN_PUT(&rec, source, state, state->state);
		NSN_PUT_STR(&rec, source, name, state->source);
		NSN_PUT_STR(&rec, source, reason, state->reason);
		err = nsn_sink__put(sink, &rec.h);
	}
	return err;
}

int nsn_collect_bpf__open(struct nsn_collect_bpf **out)
{
	struct nsn_collect_bpf *collector = calloc(1, sizeof(*collector));
	int err;

	if (!collector)
		return -ENOMEM;
	nsn_records__init(&collector->before.records);
	nsn_records__init(&collector->now.records);
	nsn_records__init(&collector->files);
	nsn_records__init(&collector->torn);
	collector->keys = nsn_keys__new();
	nsn_modules__look(&collector->modules);
	err = collector->keys ? nsn_bpf__open(&collector->bpf) : -ENOMEM;
	if (err) {
		nsn_collect_bpf__close(collector);
		return err;
	}
	*out = collector;
	return 0;
}

void nsn_collect_bpf__close(struct nsn_collect_bpf *collector)
{
	if (!collector)
		return;
	pass_clear(&collector->before);
	pass_clear(&collector->now);
	nsn_records__free(&collector->before.records);
	nsn_records__free(&collector->now.records);
	nsn_records__free(&collector->files);
	nsn_records__free(&collector->torn);
	nsn_keys__free(collector->keys);
	nsn_bpf__close(collector->bpf);
	free(collector);
}

static int reload(struct nsn_collect_bpf *collector)
{
	struct nsn_bpf *bpf;
	int err;

	nsn_modules__look(&collector->modules);
	err = nsn_bpf__open(&bpf);
	if (err)
		return err;
	nsn_bpf__close(collector->bpf);
	collector->bpf = bpf;
	return 0;
}

/*
 * A module that came since the programs were loaded would be said not to be there, and what it has too: while
 * probes are attached to one, which takes seconds, another can come.
 */
int nsn_collect_bpf__keep_up(struct nsn_collect_bpf *collector)
{
	struct nsn_modules now = collector->modules;

	if (!nsn_modules__changed(&now) && !nsn_bpf__has_new(collector->bpf))
		return 0;
	return reload(collector);
}

bool nsn_collect_bpf__has_new(const struct nsn_collect_bpf *collector)
{
	return nsn_bpf__has_new(collector->bpf);
}

const struct nsn_modules *nsn_collect_bpf__modules(const struct nsn_collect_bpf *collector)
{
	return &collector->modules;
}

struct nsn_keys *nsn_collect_bpf__keys(struct nsn_collect_bpf *collector)
{
	return collector->keys;
}

uint64_t nsn_collect_bpf__symbol(const struct nsn_collect_bpf *collector, enum nsn_symbol symbol)
{
	return nsn_bpf__symbol(collector->bpf, symbol);
}

int nsn_collect_bpf__snapshot(struct nsn_collect_bpf *collector, struct nsn_sink *sink)
{
	int err = nsn_collect_bpf__keep_up(collector);

	if (err)
		return err;
	nsn_records__clear(&collector->files);
	nsn_records__clear(&collector->torn);
	nsn_keys__begin(collector->keys);
	err = nsn_bpf__iterate_files(collector->bpf, &collector->files);
	if (!err)
		err = agree(collector->bpf, &collector->files, &collector->before, &collector->now,
			    &collector->torn);
	if (!err)
		err = emit_states(collector, sink);
	if (!err)
		err = identify_vms(collector);
	if (!err)
		err = emit(collector, &collector->now.records, sink);
	if (!err)
		err = emit(collector, &collector->torn, sink);
	/* what a failed one did not reach is not gone */
	if (!err)
		nsn_keys__retire(collector->keys);
	return err;
}
