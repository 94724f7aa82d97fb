/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * emit.bpf.h - how a record leaves the kernel, and how a list is walked to a bound.
 *
 * Kernel side. Two ways out: the ring buffer `records` (walk programs; a record without room is
 * counted in nsn_lost and user space takes a larger buffer), and the iterator's seq file.
 */
#ifndef NSN_EMIT_BPF_H
#define NSN_EMIT_BPF_H

#include "kernel_types.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "module_types.h"
#include "record.h"

__u64 nsn_symbols[NSN_SYM_MAX]; /* addresses, 0: this kernel has no such symbol now */

#ifndef NSN_EVENT_PROGRAMS /* those run at any time and on all CPUs: events.bpf.h is theirs */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, NSN_RING_SIZE);
} records SEC(".maps");

__u64 nsn_batch[NSN_BATCH]; /* objects to describe */
__u64 nsn_lost;             /* records that had no room in the ring buffer */

/*
 * Global state of a program. Marked as used: the compiler would otherwise split a static struct into
 * scalars, and the BTF of the section would no longer be valid.
 */
#define NSN_STATE static __attribute__((used))

/*
 * A function that the verifier looks at once and by itself; a static one it follows anew from each call
 * and in each turn of a loop. Its arguments are numbers, and the address of a kernel's object is one.
 * Kernels before 6.8 look at it even if no way leads there: one that reads a module's types asks first
 * whether they are there.
 */
#define NSN_GLOBAL __attribute__((noinline))

/*
 * A record is put together in global memory, one place a kind: there the verifier tracks no value,
 * so that fields which may or may not be readable do not multiply its states. The walk programs of a
 * process never run at the same time.
 */
#define NSN_SCRATCH_SIZE 640
NSN_STATE char nsn_scratch[NSN_REC_MAX][NSN_SCRATCH_SIZE] __attribute__((aligned(8)));

/*
 * What loading a program costs grows with its instructions, so what every record needs is a call.
 * Zeroes come from a place that has them: to store them is an instruction for each eight bytes.
 */
static const char nsn_zeroes[NSN_SCRATCH_SIZE];

#define NSN_CLEAR(place)                                                                           \
	do {                                                                                       \
		_Static_assert(sizeof(*(place)) <= sizeof(nsn_zeroes), "so many zeroes");          \
		bpf_probe_read_kernel((place), sizeof(*(place)), nsn_zeroes);                      \
	} while (0)

/* What it is, the compiler must not know: it would write down the whole address at each use. */
#define NSN_HIDE(pointer) asm volatile("" : "+r"(pointer))

/* Points rec at an empty record of its kind. */
#define NSN_BEGIN(rec, NAME)                                                                       \
	do {                                                                                       \
		_Static_assert(sizeof(*(rec)) <= NSN_SCRATCH_SIZE, "room for " #NAME);             \
		(rec) = (void *)nsn_scratch[NSN_REC_##NAME];                                       \
		NSN_HIDE(rec);                                                                     \
		NSN_CLEAR(rec);                                                                    \
		(rec)->h.kind = NSN_REC_##NAME;                                                    \
		(rec)->h.size = sizeof(*(rec));                                                    \
	} while (0)

static __noinline __attribute__((unused)) int nsn_submit(void *rec, __u64 size)
{
	if (bpf_ringbuf_output(&records, rec, size, 0))
		nsn_lost++;
	return 0;
}

/* Sends it to user space; counts it if there is no room. */
#define NSN_SUBMIT(rec) nsn_submit((rec), sizeof(*(rec)))
#endif

/*
 * Marks a field as known. Volatile: the compiler must not gather the bits in a register, where each
 * combination of them would be a state of its own to the verifier.
 */
#define NSN_KNOWN(rec, name, field) (*(volatile __u32 *)&(rec)->h.known |= NSN_BIT(name, field))

/* Sets a field to a value that is certain: the bits of several in a row may be gathered. */
#define NSN_SET(rec, name, field, value)                                                           \
	do {                                                                                       \
		(rec)->field = (__u64)(value);                                                     \
		(rec)->h.known |= NSN_BIT(name, field);                                            \
	} while (0)

/* Fills a field by an accessor of core_compat.bpf.h; it stays unknown if that returns false. */
#define NSN_FILL(rec, name, field, accessor, ...)                                                  \
	do {                                                                                       \
		if (accessor(__VA_ARGS__ __VA_OPT__(, ) & (rec)->field))                           \
			NSN_KNOWN(rec, name, field);                                               \
	} while (0)

/* The same for a string field, whose accessor also takes the room there is. */
#define NSN_FILL_STR(rec, name, field, accessor, ...)                                              \
	do {                                                                                       \
		if (accessor(__VA_ARGS__, (rec)->field, sizeof((rec)->field)))                     \
			NSN_KNOWN(rec, name, field);                                               \
	} while (0)

#ifndef NSN_EVENT_PROGRAMS
/* Of an NSN_TRUNCATED: `offset` and `known` tell the field that the object's address goes into. */
static __noinline __attribute__((unused)) int
nsn_submit_truncated(__u64 list, __u64 limit, __u64 offset, __u32 known, __u64 object)
{
	struct nsn_rec_truncated *cut;

	NSN_BEGIN(cut, TRUNCATED);
	NSN_SET(cut, truncated, list, list);
	NSN_SET(cut, truncated, limit, limit);
	if (offset <= sizeof(*cut) - sizeof(object))
		*(__u64 *)((char *)cut + offset) = object;
	cut->h.known |= known;
	NSN_SUBMIT(cut);
	return 0;
}

/* Records that a list of the object in `field`, at address `value`, was longer than we walk. */
#define NSN_TRUNCATED(list_id, limit_value, field, value)                                          \
	nsn_submit_truncated((list_id), (limit_value),                                             \
			     __builtin_offsetof(struct nsn_rec_truncated, field),                  \
			     NSN_BIT(truncated, field), (__u64)(value))
#endif

/*
 * True if text begins with what[0..length): length - 1 characters and the NUL for a whole one. text has
 * room for whole words, eight bytes each, which it is compared by; it looks at all of them, since each
 * way out would be one more for the verifier to follow.
 */
static __always_inline bool nsn_text_is(const char *text, const char *what, int length)
{
	__u64 differ = 0, word;

	for (int i = 0; i < length; i += 8) {
		const int bytes = length - i < 8 ? length - i : 8;

		word = 0; /* little endian: its low bytes come first */
		for (int k = bytes - 1; k >= 0; k--)
			word = word << 8 | (unsigned char)what[i + k];
		differ |= (word ^ *(const __u64 *)(text + i)) & (~0ULL >> (64 - 8 * bytes));
	}
	return !differ;
}

/*
 * A walk over a kernel list without its lock. The list can change under it, so a walk is complete
 * only if it came back to the head; every other end (a bound, a poisoned pointer) is not. Walks are
 * global variables, one a level of nesting, for the same reason as records are: on the stack, every
 * count would be a state of its own to the verifier.
 */
struct nsn_walk {
	struct list_head *head;
	struct list_head *cursor;
	__u64 count;
	bool complete;
};

/*
 * struct list_head is two pointers, next and prev, since Linux 2.1: read without CO-RE, whose look-up
 * of a type costs user space 2 ms.
 */
static __always_inline struct list_head *nsn_list_next(const struct list_head *entry)
{
	struct list_head *next = NULL;

	bpf_probe_read_kernel(&next, sizeof(next), entry);
	return next;
}

static __always_inline struct list_head *nsn_list_prev(const struct list_head *entry)
{
	struct list_head *prev = NULL;

	bpf_probe_read_kernel(&prev, sizeof(prev), (const char *)entry + sizeof(prev));
	return prev;
}

static __always_inline void nsn_walk__start(struct nsn_walk *walk, struct list_head *head)
{
	walk->head = head;
	walk->cursor = nsn_list_next(head);
	walk->count = 0;
	walk->complete = false;
}

/* The next entry, or NULL at the end. Reads the entry's successor before the caller uses it. */
static __always_inline struct list_head *nsn_walk__next(struct nsn_walk *walk)
{
	struct list_head *entry = walk->cursor;

	if (!entry)
		return NULL;
	if (entry == walk->head) {
		walk->complete = true;
		return NULL;
	}
	walk->cursor = nsn_list_next(entry);
	/* one that leads to itself was taken out just now (list_del_init) */
	if (!walk->cursor || walk->cursor == entry)
		return NULL;
	walk->count++;
	return entry;
}

/* True if the walk stopped at its bound: entries are left. */
static __always_inline bool nsn_walk__cut(const struct nsn_walk *walk, __u64 limit)
{
	return !walk->complete && walk->cursor && walk->count >= limit;
}

/* The object that a list_head of it stands in; CO-RE gives the field's offset. */
#define NSN_ENTRY(pointer, type, member)                                                           \
	((type *)((char *)(pointer)-bpf_core_field_offset(type, member)))

char LICENSE[] SEC("license") = "GPL";

#endif /* NSN_EMIT_BPF_H */
