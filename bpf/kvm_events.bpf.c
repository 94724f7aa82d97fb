// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvm_events.bpf.c - KVM's side of what happens: VMs that come and go, registrations of non-coherent
 * DMA, and WBINVDs, which are counted here.
 *
 * Kernel side. WBINVD is the one path a guest can drive: an ignored one costs a look-up and two
 * atomic additions, an executed one its time too; what the exit sees of it is taken last at the entry
 * and first at the exit.
 */
#include "events.bpf.h"

#define SECOND 1000000000ULL

/* ---- WBINVD ---------------------------------------------------------------------------------- */

static __always_inline struct nsn_counters *counters_of(__u64 kvm)
{
	static const struct nsn_counters none;
	struct nsn_counters *counted = bpf_map_lookup_elem(&counters, &kvm);

	if (counted)
		return counted;
	bpf_map_update_elem(&counters, &kvm, &none, BPF_NOEXIST);
	counted = bpf_map_lookup_elem(&counters, &kvm);
	if (!counted)
		nsn_count_lost(); /* the map is full */
	return counted;
}

/* Above a rate, one in some is timed: the others cost two clock readings less. */
static __always_inline bool is_timed(struct nsn_counters *counted)
{
	__u64 now = bpf_ktime_get_ns();

	if (now - counted->window_start >= SECOND) {
		counted->window_start = now;
		counted->window_exits = 0;
	}
	if (++counted->window_exits <= NSN_SAMPLE_ABOVE)
		return true;
	counted->sampled = 1;
	return counted->window_exits % NSN_SAMPLE_OF == 0;
}

/* Notes that the running thread is in a WBINVD; the place is kept for its next. */
static __always_inline void enter_wbinvd(enum nsn_call_id id, __u64 kvm, __u64 executed, bool timed)
{
	struct nsn_call_key key = nsn_call_key(id);
	struct nsn_call *call = bpf_map_lookup_elem(&calls, &key);

	if (!call) {
		struct nsn_call none = {};

		bpf_map_update_elem(&calls, &key, &none, BPF_ANY);
		call = bpf_map_lookup_elem(&calls, &key);
		if (!call)
			return; /* counted, but not timed */
	}
	call->vm = kvm;
	call->value = executed;
	call->entered = timed ? bpf_ktime_get_ns() : 1;
}

static __always_inline int count_wbinvd(enum nsn_call_id id, struct kvm_vcpu *vcpu)
{
	struct nsn_counters *counted;
	__u64 kvm = 0, registered = 0;

	if (!nsn_vcpu_vm(vcpu, &kvm) || !kvm)
		return 0;
	counted = counters_of(kvm);
	if (!counted)
		return 0;
	__sync_fetch_and_add(&counted->exits, 1);
	nsn_vm_noncoherent_dma((struct kvm *)kvm, &registered);
	if (registered) {
		__sync_fetch_and_add(&counted->executed, 1);
		enter_wbinvd(id, kvm, 1, is_timed(counted));
	} else {
		__sync_fetch_and_add(&counted->ignored, 1);
		if (nsn_wanted(NSN_EVENT_WBINVD))
			enter_wbinvd(id, kvm, 0, is_timed(counted));
	}
	return 0;
}

static __always_inline void add_time(__u64 kvm, __u64 elapsed)
{
	struct nsn_counters *counted = bpf_map_lookup_elem(&counters, &kvm);
	__u64 below = NSN_BUCKET_FIRST_NS;
	__u32 bucket;

	if (!counted)
		return;
	for (bucket = 0; bucket < NSN_BUCKETS - 1 && elapsed >= below; bucket++)
		below *= 4;
	__sync_fetch_and_add(&counted->timed, 1);
	__sync_fetch_and_add(&counted->elapsed_ns, elapsed);
	__sync_fetch_and_add(&counted->buckets[bucket], 1);
}

static __always_inline int leave_wbinvd(enum nsn_call_id id)
{
	__u64 now = bpf_ktime_get_ns(), elapsed, kvm;
	struct nsn_call *call = nsn_call__current(id);
	struct nsn_event_config *wanted;
	struct nsn_rec_event *rec;
	bool executed, timed;

	if (!call)
		return 0;
	timed = call->entered > 1;
	elapsed = now - call->entered;
	kvm = call->vm;
	executed = call->value;
	call->entered = 0;
	if (!timed)
		return 0;
	if (executed)
		add_time(kvm, elapsed);
	wanted = nsn_wanted(NSN_EVENT_WBINVD);
	if (!wanted || elapsed < wanted->min_duration_ns)
		return 0;
	rec = nsn_event__begin(NSN_EVENT_WBINVD);
	if (!rec)
		return 0;
	NSN_SET(rec, event, vm, kvm);
	NSN_SET(rec, event, executed, executed);
	NSN_SET(rec, event, duration, elapsed);
	nsn_event__submit(rec);
	return 0;
}

static __always_inline int on_wbinvd(void *ctx, __u64 vcpu, __u64 b, __u64 c)
{
	return count_wbinvd(NSN_CALL_WBINVD, (struct kvm_vcpu *)vcpu);
}

static __always_inline int on_emulated(void *ctx, __u64 emulator, __u64 b, __u64 c)
{
	__u64 vcpu = 0;

	if (!nsn_emulator_vcpu((struct x86_emulate_ctxt *)emulator, &vcpu) || !vcpu)
		return 0;
	return count_wbinvd(NSN_CALL_WBINVD_EMULATED, (struct kvm_vcpu *)vcpu);
}

NSN_AT_ENTRY(wbinvd, 1, on_wbinvd)
NSN_AT_ENTRY(wbinvd_emulated, 1, on_emulated)

/* The exits need no argument, so that both kinds of probe are alike. */
#define WBINVD_EXIT(name, id)                                                                      \
	SEC("?nsn_fexit") int fexit_##name(__u64 *ctx)                                                 \
	{                                                                                          \
		return leave_wbinvd(id);                                                           \
	}                                                                                          \
	SEC("?kretprobe") int kretprobe_##name(struct pt_regs *ctx)                                \
	{                                                                                          \
		return leave_wbinvd(id);                                                           \
	}

WBINVD_EXIT(wbinvd, NSN_CALL_WBINVD)
WBINVD_EXIT(wbinvd_emulated, NSN_CALL_WBINVD_EMULATED)

/* ---- VMs ------------------------------------------------------------------------------------- */

static __always_inline int on_create(void *ctx, __u64 kvm, __u64 type, __u64 c, __u64 result,
				     const struct nsn_call *call)
{
	struct nsn_rec_event *rec;

	bpf_map_delete_elem(&counters, &kvm); /* of whoever had the address before */
	rec = nsn_event__begin(NSN_EVENT_VM_CREATE);
	if (!rec)
		return 0;
	NSN_SET(rec, event, vm, kvm);
	nsn_event__result(rec, NSN_INT(result));
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_EXIT(vm_create, NSN_CALL_VM_CREATE, 2, on_create)

/* Places of threads that were in a WBINVD of the VM that ends. */
static long forget_call(void *map, struct nsn_call_key *key, struct nsn_call *call, __u64 *kvm)
{
	if (call->vm == *kvm)
		bpf_map_delete_elem(&calls, key);
	return 0;
}

static __always_inline int on_destroy(void *ctx, __u64 kvm, __u64 b, __u64 c)
{
	struct nsn_counters *counted = bpf_map_lookup_elem(&counters, &kvm);
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_VM_DESTROY);

	if (rec) {
		NSN_SET(rec, event, vm, kvm);
		NSN_FILL(rec, event, registrations, nsn_vm_noncoherent_dma, (struct kvm *)kvm);
		NSN_SET(rec, event, exits, counted ? counted->exits : 0);
		NSN_SET(rec, event, executed, counted ? counted->executed : 0);
		nsn_event__submit(rec);
	}
	if (!counted)
		return 0;
	bpf_for_each_map_elem(&calls, forget_call, &kvm, 0);
	bpf_map_delete_elem(&counters, &kvm);
	return 0;
}

NSN_AT_ENTRY(vm_destroy, 1, on_destroy)

/* ---- registrations --------------------------------------------------------------------------- */

static __always_inline int tell_registration(enum nsn_event event, __u64 kvm)
{
	struct nsn_rec_event *rec = nsn_event__begin(event);

	if (!rec)
		return 0;
	NSN_SET(rec, event, vm, kvm);
	NSN_FILL(rec, event, registrations, nsn_vm_noncoherent_dma, (struct kvm *)kvm);
	nsn_event__submit(rec);
	return 0;
}

static __always_inline int on_kvm_register(void *ctx, __u64 kvm, __u64 b, __u64 c, __u64 result,
				       const struct nsn_call *call)
{
	return tell_registration(NSN_EVENT_KVM_REGISTER, kvm);
}

static __always_inline int on_kvm_unregister(void *ctx, __u64 kvm, __u64 b, __u64 c, __u64 result,
					 const struct nsn_call *call)
{
	return tell_registration(NSN_EVENT_KVM_UNREGISTER, kvm);
}

NSN_AT_VOID_EXIT(kvm_register, NSN_CALL_KVM_REGISTER, 1, on_kvm_register)
NSN_AT_VOID_EXIT(kvm_unregister, NSN_CALL_KVM_UNREGISTER, 1, on_kvm_unregister)
