/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.bpf.h - what all event programs share: their maps, how an event leaves the kernel, and the
 * shims by which one body serves fentry, fexit, kprobe and kretprobe.
 *
 * Kernel side. These programs run at any time and on all CPUs at once, so they keep no global state;
 * nothing is attached by name here: src/probes.c says which program goes to which function. The maps
 * are made by user space once and shared by all objects.
 */
#ifndef NSN_EVENTS_BPF_H
#define NSN_EVENTS_BPF_H

#define NSN_EVENT_PROGRAMS
#include "core_compat.bpf.h"

#define EPERM  1
#define EBUSY  16
#define ENODEV 19
#define EINVAL 22

/* Every state change, in order over all CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, NSN_RING_SIZE);
} events SEC(".maps");

/* WBINVDs of each VM, by the address of its struct kvm. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NSN_MAX_COUNTED_VMS);
	__type(key, __u64);
	__type(value, struct nsn_counters);
} counters SEC(".maps");

/* Traced functions that a thread is in now. */
enum nsn_call_id {
	NSN_CALL_WBINVD,
	NSN_CALL_WBINVD_EMULATED,
	NSN_CALL_KVM_REGISTER,
	NSN_CALL_KVM_UNREGISTER,
	NSN_CALL_KVM_COHERENCY,
	NSN_CALL_KVM_FILE,
	NSN_CALL_VM_CREATE,
	NSN_CALL_DEVICE_REGISTER,
	NSN_CALL_DEVICE_OPEN,
	NSN_CALL_CONTAINER_OPEN,
	NSN_CALL_SET_GROUP,
	NSN_CALL_SET_IOMMU,
	NSN_CALL_TYPE1_ATTACH,
	NSN_CALL_TYPE1_DETACH,
	NSN_CALL_ATTACH,
	NSN_CALL_DETACH,
	NSN_CALL_DOMAIN_ALLOC,
	NSN_CALL_HWPT_ALLOC,
	NSN_CALL_PASID,
	NSN_CALL_OWNER_CLAIM,
	NSN_CALL_ENFORCE,
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NSN_MAX_CALLS);
	__type(key, struct nsn_call_key);
	__type(value, struct nsn_call);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nsn_event_config);
} settings SEC(".maps");

/* What had no room, or was missed, and what of that was made good (enum nsn_lost). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NSN_LOST_MAX);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

static __always_inline void nsn_count_in(__u32 which)
{
	__u64 *count = bpf_map_lookup_elem(&lost, &which);

	if (count)
		__sync_fetch_and_add(count, 1);
}

static __always_inline void nsn_count_lost(void)
{
	nsn_count_in(NSN_LOST_EVENTS);
}

/* Does user space want this kind of event one by one? */
static __always_inline struct nsn_event_config *nsn_wanted(enum nsn_event event)
{
	__u32 zero = 0;
	struct nsn_event_config *wanted = bpf_map_lookup_elem(&settings, &zero);

	return wanted && (wanted->wanted & (1ULL << event)) ? wanted : NULL;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static __always_inline struct nsn_call_key nsn_call_key(enum nsn_call_id id)
{
	return (struct nsn_call_key){ .tid = (__u32)bpf_get_current_pid_tgid(), .call = id };
}

/* The running task's call of that function, or NULL if it is in none. */
static __always_inline struct nsn_call *nsn_call__current(enum nsn_call_id id)
{
	struct nsn_call_key key = nsn_call_key(id);
	struct nsn_call *call = bpf_map_lookup_elem(&calls, &key);

	return call && call->entered ? call : NULL;
}

/* At the entry: keeps the arguments for the exit. */
static __always_inline struct nsn_call *nsn_call__enter(enum nsn_call_id id, __u64 a, __u64 b,
							__u64 c)
{
	struct nsn_call call = { .args = { a, b, c }, .entered = bpf_ktime_get_ns() };
	struct nsn_call_key key = nsn_call_key(id);

	if (bpf_map_update_elem(&calls, &key, &call, BPF_ANY)) {
		nsn_count_lost();
		return NULL;
	}
	return bpf_map_lookup_elem(&calls, &key);
}

/* At the exit: takes the call out. False if the entry was not seen. */
static __always_inline bool nsn_call__leave(enum nsn_call_id id, struct nsn_call *out)
{
	struct nsn_call_key key = nsn_call_key(id);
	struct nsn_call *call = bpf_map_lookup_elem(&calls, &key);

	if (!call)
		return false;
	*out = *call;
	bpf_map_delete_elem(&calls, &key);
	return true;
}

/* ---- events ---------------------------------------------------------------------------------- */

/* An event of the running task, with room for it in the ring buffer; NULL: counted as lost. */
static __always_inline struct nsn_rec_event *nsn_event__begin(enum nsn_event event)
{
	struct nsn_rec_event *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	struct task_struct *leader = nsn_task_leader((void *)bpf_get_current_task());
	__u64 ids = bpf_get_current_pid_tgid();

	if (!rec) {
		nsn_count_lost();
		return NULL;
	}
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->h.kind = NSN_REC_EVENT;
	rec->h.size = sizeof(*rec);
	NSN_SET(rec, event, event, event);
	NSN_SET(rec, event, monotonic, bpf_ktime_get_ns());
	NSN_SET(rec, event, pid, ids >> 32);
	NSN_SET(rec, event, tid, (__u32)ids);
	NSN_FILL(rec, event, start_ticks, nsn_task_start, leader);
	NSN_FILL_STR(rec, event, comm, nsn_task_comm, leader);
	return rec;
}

static __always_inline void nsn_event__submit(struct nsn_rec_event *rec)
{
	bpf_ringbuf_submit(rec, 0);
}

/* How it ended: 0, or the errno of a negative result. */
static __always_inline void nsn_event__result(struct nsn_rec_event *rec, long result)
{
	NSN_SET(rec, event, error, result < 0 ? -result : 0);
}

/* How long it took, if its entry was seen. */
static __always_inline void nsn_event__duration(struct nsn_rec_event *rec,
						const struct nsn_call *call)
{
	if (call && call->entered > 1)
		NSN_SET(rec, event, duration, rec->monotonic - call->entered);
}

static __always_inline void nsn_event__group(struct nsn_rec_event *rec, struct iommu_group *group)
{
	NSN_SET(rec, event, group, group);
	NSN_FILL(rec, event, group_id, nsn_group_id, group);
}

/*
 * Is it a domain of Intel's driver? What lies around another driver's is no dmar_domain. The name of an
 * operation tells; a static one (identity, blocked) has no such name, and nothing around it.
 */
static __noinline __attribute__((unused)) bool nsn_is_intel(struct iommu_domain *domain)
{
	char symbol[NSN_SYMBOL_LEN] __attribute__((aligned(8))) = {};
	const struct iommu_domain_ops *ops = NULL;
	__u64 attach = 0;

	return nsn_domain_ops(domain, &ops) && ops && nsn_domain_attach_op(ops, &attach) &&
	       nsn_symbol_name(attach, symbol, sizeof(symbol)) && nsn_text_is(symbol, "intel_", 6);
}

/* Whether the domain blocks No Snoop. Known of Intel's alone: what AMD's does is in no field of it. */
static __always_inline void nsn_event__enforced(struct nsn_rec_event *rec,
						struct iommu_domain *domain)
{
	if (nsn_is_intel(domain))
		NSN_FILL(rec, event, enforced, nsn_intel_force_snooping, domain);
}

/* Names a device and the group it is in. */
static __always_inline void nsn_event__device(struct nsn_rec_event *rec, struct device *device)
{
	__u64 group = 0;

	NSN_FILL_STR(rec, event, device, nsn_device_name, device);
	if (device && nsn_device_iommu_group(device, &group) && group)
		nsn_event__group(rec, (struct iommu_group *)group);
}

/* ---- shims ----------------------------------------------------------------------------------- */

/* The traced function's result as an int: bits above are not defined. */
#define NSN_INT(result) ((long)(int)(result))

static __always_inline __u64 nsn_fexit_result(__u64 *ctx)
{
	__u64 result = 0;

	bpf_get_func_ret(ctx, &result);
	return result;
}

#define NSN_CTX0(ctx) 0, 0, 0
#define NSN_CTX1(ctx) (ctx)[0], 0, 0
#define NSN_CTX2(ctx) (ctx)[0], (ctx)[1], 0
#define NSN_CTX3(ctx) (ctx)[0], (ctx)[1], (ctx)[2]
#define NSN_REGS(ctx)                                                                              \
	nsn_regs_argument(ctx, 1), nsn_regs_argument(ctx, 2), nsn_regs_argument(ctx, 3)

/*
 * The sections nsn_fentry and nsn_fexit are user space's own (src/events_attach.c): fentry and fexit
 * whose function it names by its number in BTF. libbpf would search all of BTF for each.
 */

/*
 * A program at the entry of a function of n arguments: body(ctx, a, b, c).
 */
#define NSN_AT_ENTRY(name, n, body)                                                                \
	SEC("?nsn_fentry") int fentry_##name(__u64 *ctx)                                           \
	{                                                                                          \
		return body(ctx, NSN_CTX##n(ctx));                                                 \
	}                                                                                          \
	SEC("?kprobe") int kprobe_##name(struct pt_regs *ctx)                                      \
	{                                                                                          \
		return body(ctx, NSN_REGS(ctx));                                                   \
	}

/*
 * A program at the exit: body(ctx, a, b, c, result, call), where call (NULL for fexit) is what a
 * kprobe at the entry kept.
 */
#define NSN_AT_EXIT(name, id, n, body)                                                             \
	SEC("?nsn_fexit") int fexit_##name(__u64 *ctx)                                             \
	{                                                                                          \
		return body(ctx, NSN_CTX##n(ctx), nsn_fexit_result(ctx), NULL);                    \
	}                                                                                          \
	NSN_KPROBE_KEEP(name, id)                                                                  \
	NSN_KRETPROBE(name, id, body)

/* The same for a function without a result, which has none to ask for. */
#define NSN_AT_VOID_EXIT(name, id, n, body)                                                        \
	SEC("?nsn_fexit") int fexit_##name(__u64 *ctx)                                             \
	{                                                                                          \
		return body(ctx, NSN_CTX##n(ctx), 0, NULL);                                        \
	}                                                                                          \
	NSN_KPROBE_KEEP(name, id)                                                                  \
	NSN_KRETPROBE(name, id, body)

/* Programs at both ends: the entry keeps the call, and `enter` may add to it: enter(call, a, b, c). */
#define NSN_AT_BOTH(name, id, n, enter, body)                                                      \
	SEC("?nsn_fentry") int fentry_##name(__u64 *ctx)                                           \
	{                                                                                          \
		return nsn_call__begin(id, enter, NSN_CTX##n(ctx));                                \
	}                                                                                          \
	SEC("?nsn_fexit") int fexit_##name(__u64 *ctx)                                             \
	{                                                                                          \
		struct nsn_call call;                                                              \
                                                                                                   \
		if (!nsn_call__leave(id, &call))                                                   \
			return 0;                                                                  \
		return body(ctx, NSN_CTX##n(ctx), nsn_fexit_result(ctx), &call);                   \
	}                                                                                          \
	SEC("?kprobe") int kprobe_##name(struct pt_regs *ctx)                                      \
	{                                                                                          \
		return nsn_call__begin(id, enter, NSN_REGS(ctx));                                  \
	}                                                                                          \
	NSN_KRETPROBE(name, id, body)

#define NSN_KPROBE_KEEP(name, id)                                                                  \
	SEC("?kprobe") int kprobe_##name(struct pt_regs *ctx)                                      \
	{                                                                                          \
		nsn_call__enter(id, NSN_REGS(ctx));                                                \
		return 0;                                                                          \
	}

#define NSN_KRETPROBE(name, id, body)                                                              \
	SEC("?kretprobe") int kretprobe_##name(struct pt_regs *ctx)                                \
	{                                                                                          \
		struct nsn_call call;                                                              \
                                                                                                   \
		if (!nsn_call__leave(id, &call))                                                   \
			return 0;                                                                  \
		return body(ctx, call.args[0], call.args[1], call.args[2], nsn_regs_result(ctx),   \
			    &call);                                                                \
	}

typedef void (*nsn_enter)(struct nsn_call *call, __u64 a, __u64 b, __u64 c);

static __always_inline int nsn_call__begin(enum nsn_call_id id, nsn_enter enter, __u64 a, __u64 b,
					   __u64 c)
{
	struct nsn_call *call = nsn_call__enter(id, a, b, c);

	if (call)
		enter(call, a, b, c);
	return 0;
}

/* For functions of which the entry has nothing to add. */
static __always_inline void nsn_enter_nothing(struct nsn_call *call, __u64 a, __u64 b, __u64 c)
{
}

/*
 * What opens and closes a container or an iommufd context: file_operations.open and .release, whose
 * object the file's private_data is. OPENED and CLOSED are probes, FIELD is the event's.
 */
#define NSN_AT_CONTAINER_FILE(opened, closed, field)                                               \
	static __always_inline int on_##opened(void *ctx, __u64 inode, __u64 file, __u64 c,        \
					       __u64 result, const struct nsn_call *call)          \
	{                                                                                          \
		struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_CONTAINER_OPEN);            \
                                                                                                   \
		if (!rec)                                                                          \
			return 0;                                                                  \
		nsn_event__result(rec, NSN_INT(result));                                           \
		NSN_FILL(rec, event, field, nsn_file_private, (struct file *)file);                \
		nsn_event__submit(rec);                                                            \
		return 0;                                                                          \
	}                                                                                          \
	NSN_AT_EXIT(opened, NSN_CALL_CONTAINER_OPEN, 2, on_##opened)                               \
                                                                                                   \
	static __always_inline int on_##closed(void *ctx, __u64 inode, __u64 file, __u64 c)        \
	{                                                                                          \
		struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_CONTAINER_CLOSE);           \
                                                                                                   \
		if (!rec)                                                                          \
			return 0;                                                                  \
		NSN_FILL(rec, event, field, nsn_file_private, (struct file *)file);                \
		nsn_event__submit(rec);                                                            \
		return 0;                                                                          \
	}                                                                                          \
	NSN_AT_ENTRY(closed, 2, on_##closed)

#endif /* NSN_EVENTS_BPF_H */
