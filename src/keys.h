/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys.h - small numbers in the place of kernel addresses.
 *
 * Floor 2. An address is joined on inside the collector only; what leaves it has a key. A key is
 * never reused in a process: an address that names another object later gets another key.
 */
#ifndef NSN_KEYS_H
#define NSN_KEYS_H

#include <stdint.h>

#include "recdesc.h"

struct nsn_keys;

struct nsn_keys *nsn_keys__new(void);
void nsn_keys__free(struct nsn_keys *keys);

/* Begins a snapshot: what is not seen until nsn_keys__retire() will be forgotten there. */
void nsn_keys__begin(struct nsn_keys *keys);

/*
 * The key of the object at an address (0 for 0), in *key. 0 or -ENOMEM.
 */
int nsn_keys__get(struct nsn_keys *keys, enum nsn_class class, uint64_t address, uint64_t *key);

/* What tells an object from another that had its address before. 0: not known, which differs from nothing. */
struct nsn_identity {
	/* a VM: the thread that made it (kvm.userspace_pid, 0 until it is all made) */
	uint64_t who;
	uint64_t since; /* the start of that thread's process, in clock ticks since boot */
};

/*
 * Says who the object at an address is. If the last snapshot, or an event since, had another identity
 * there, it is another object, which gets a new key. 0 or -ENOMEM.
 */
int nsn_keys__identify(struct nsn_keys *keys, enum nsn_class class, uint64_t address,
		       struct nsn_identity identity);

/*
 * An event told the object's beginning. What a snapshot found there is this one unless it had another
 * identity: that was one about to end, and this one gets a new key. 0 or -ENOMEM.
 */
int nsn_keys__begun(struct nsn_keys *keys, enum nsn_class class, uint64_t address,
		    struct nsn_identity identity);

/*
 * The key of the object that an event speaks of. It may be older than the last snapshot, which then
 * has found another object at the address: until its end is told (nsn_keys__forget), events mean the
 * one before. 0 or -ENOMEM.
 */
int nsn_keys__get_told(struct nsn_keys *keys, enum nsn_class class, uint64_t address,
		       uint64_t *key);

/* An event told the object's end: what comes to that address is another. */
void nsn_keys__forget(struct nsn_keys *keys, enum nsn_class class, uint64_t address);

/* Forgets all addresses that were not seen since nsn_keys__begin(). */
void nsn_keys__retire(struct nsn_keys *keys);

/* Replaces every KEY field of a record: addresses in, keys out. 0 or -ENOMEM. */
int nsn_keys__translate(struct nsn_keys *keys, struct nsn_rec *rec);

/* The same for a record of an event (nsn_keys__get_told). */
int nsn_keys__translate_told(struct nsn_keys *keys, struct nsn_rec *rec);

#endif /* NSN_KEYS_H */
